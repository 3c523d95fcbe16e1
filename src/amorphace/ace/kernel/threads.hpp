// Work shared by threads: what fails in one of them is thrown in the caller's.
#pragma once
#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <vector>

namespace amorphace {

constexpr int64_t kMostThreads = 1024;

// Makes a Worker in each of up to n threads, this one among them, and runs it. Workers take what
// there is to do from `shared`, so threads that the system does not grant are done without. After
// an exception `shared.stop` is set, all threads end, and it is thrown again.
template <class Worker, class Shared>
void run_workers(Shared& shared, int64_t n) {
  std::mutex lock;
  std::exception_ptr error;
  const auto work = [&](bool spare) noexcept {
    try {
      std::optional<Worker> worker;
      try {
        worker.emplace(shared);
      } catch (const std::bad_alloc&) {
        if (spare) return;
        throw;
      }
      worker->run();
    } catch (...) {
      std::lock_guard<std::mutex> guard(lock);
      if (!error) error = std::current_exception();
      shared.stop = true;
    }
  };
  std::vector<std::thread> threads;
  try {
    n = std::min(n, kMostThreads);
    threads.reserve(n);
    for (int64_t k = 1; k < n; k++) threads.emplace_back(work, true);
  } catch (const std::exception&) {  // no more threads to be had
  }
  work(false);
  for (std::thread& t : threads) t.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace amorphace
