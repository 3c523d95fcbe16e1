// Work shared by threads: what fails in one of them is thrown in the caller's.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace amorphace {

constexpr int64_t kMostThreads = 1024;

// Cells that threads take, some at a time, until all are taken or one thread says stop.
struct Queue {
  static constexpr int64_t kTogether = 8;
  std::atomic<int64_t> next{0};
  std::atomic<bool> stop{false};
  template <class Do>
  void take(int64_t n_cells, Do one) {
    while (!stop) {
      const int64_t begin = next.fetch_add(kTogether);
      if (begin >= n_cells) break;
      for (int64_t c = begin; c < std::min(begin + kTogether, n_cells) && !stop; c++) one(c);
    }
  }
};

// Makes a Worker in each of up to n threads, this one among them, and runs it. Workers take cells
// from `shared.queue`, so threads that the system does not grant are done without. After an
// exception the queue is stopped, all threads end, and it is thrown again; but what does not fit
// into memory with several threads is done again by this one alone.
template <class Worker, class Shared>
void run_workers(Shared& shared, int64_t n, int64_t n_cells) {
  std::mutex lock;
  std::exception_ptr error;
  const auto work = [&]() noexcept {
    try {
      Worker(shared).run();
    } catch (...) {
      std::lock_guard<std::mutex> guard(lock);
      if (!error) error = std::current_exception();
      shared.queue.stop = true;
    }
  };
  std::vector<std::thread> threads;
  try {
    n = std::min({n, (n_cells + Queue::kTogether - 1) / Queue::kTogether, kMostThreads});
    threads.reserve(std::max<int64_t>(n, 0));
    for (int64_t k = 1; k < n; k++) threads.emplace_back(work);
  } catch (const std::exception&) {  // no more threads to be had
  }
  work();
  for (std::thread& t : threads) t.join();
  try {
    if (error) std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    if (threads.empty()) throw;
    shared.queue.next = 0, shared.queue.stop = false;
    Worker(shared).run();
  }
}

}  // namespace amorphace
