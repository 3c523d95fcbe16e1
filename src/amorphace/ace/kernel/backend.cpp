// The evaluation for one kind of processor; compiled once for each (AMORPHACE_ISA names it).
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "harmonics.hpp"
#include "invariants.hpp"
#include "job.hpp"
#include "neighbors.hpp"
#include "output.hpp"
#include "projection.hpp"
#include "radial.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {
namespace {

using Clock = std::chrono::steady_clock;

// Neighbours in a batch: few sums across lanes, and rows that stay in the second cache.
#ifndef AMORPHACE_BATCH_BYTES
#define AMORPHACE_BATCH_BYTES 2304
#endif
template <class Real>
constexpr int kBatch = AMORPHACE_BATCH_BYTES / int(sizeof(Real));
// Rows an odd number of cache lines apart do not fall into the same sets of a cache.
template <class Real>
constexpr int64_t kRowLength = (kBatch<Real> * int64_t(sizeof(Real)) / 64 | 1) * 64 / sizeof(Real);

template <class Real>
struct Aligned {
  Real* data;
  explicit Aligned(int64_t n)
      : data(static_cast<Real*>(std::aligned_alloc(64, (n * sizeof(Real) + 127) / 64 * 64))) {
    std::fill(data, data + n, Real(0));
  }
  ~Aligned() { std::free(data); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
};

// Four rows that grow.
template <class Real>
class Separations {
 public:
  void reserve(int64_t n) {
    if (n <= room_) return;
    room_ = (2 * n + 15) / 16 * 16;
    rows_ = std::make_unique<Aligned<Real>>(4 * room_);
  }
  NeighborBuffer<Real> from(int64_t k) const {
    Real* p = rows_->data + k;
    return {p, p + room_, p + 2 * room_, p + 3 * room_};
  }

 private:
  std::unique_ptr<Aligned<Real>> rows_;
  int64_t room_ = 0;
};

// What all threads share.
template <class Real>
struct Shared {
  Job& job;
  Projection<Real> projection;
  Invariants<Real> invariants;
  RadialConstants<Real> radial;
  LegendreRecurrence<Real> recurrence;
  std::vector<int64_t> order;    // places in the list of sites, sorted by cell
  std::vector<int64_t> first;    // where each occupied cell begins in `order`
  std::atomic<int64_t> next{0};  // first cell that no thread has taken
  std::atomic<bool> stop{false};
  std::mutex lock;

  explicit Shared(Job& j)
      : job(j), projection(*j.plan), invariants(*j.plan), radial(*j.plan), order(j.n_sites) {
    const CellGrid& grid = *job.grid;
    for (int64_t k = 0; k < job.n_sites; k++) order[k] = k;
    const auto by_cell = [&](int64_t a, int64_t b) {
      const int64_t c = grid.cell_of(job.sites[a]), d = grid.cell_of(job.sites[b]);
      return c != d ? c < d : a < b;
    };
    if (!std::is_sorted(order.begin(), order.end(), by_cell))
      std::sort(order.begin(), order.end(), by_cell);
    for (int64_t k = 0; k < job.n_sites; k++)
      if (k == 0 || cell(k) != cell(k - 1)) first.push_back(k);
    first.push_back(job.n_sites);
  }
  int64_t cell(int64_t k) const { return job.grid->cell_of(job.sites[order[k]]); }
};

template <class Real>
class Worker {
 public:
  explicit Worker(Shared<Real>& shared)
      : s_(shared),
        plan_(*shared.job.plan),
        A_(int64_t(plan_.n_components()) * W),
        B_(int64_t(plan_.n_values) * W),
        scratch_(shared.invariants.scratch() * W),
        rows_((plan_.n_radial[0] + (plan_.l_max + 1) * (plan_.l_max + 1)) * kRowLength<Real>) {}

  void run() {
    const int64_t n_cells = int64_t(s_.first.size()) - 1;
    constexpr int64_t kTogether = 8;  // cells taken at a time
    while (!s_.stop) {
      const int64_t begin = s_.next.fetch_add(kTogether);
      if (begin >= n_cells) break;
      for (int64_t c = begin; c < std::min(begin + kTogether, n_cells) && !s_.stop; c++)
        evaluate_cell(s_.first[c], s_.first[c + 1]);
    }
    if (!s_.stop) flush();
    std::lock_guard<std::mutex> guard(s_.lock);
    for (int k = 0; k < kStages; k++) s_.job.seconds[k] += seconds_[k];
  }

 private:
  static constexpr int W = kLanes<Real>;

  void evaluate_cell(int64_t begin, int64_t end) {
    start_clock();
    const CellGrid& grid = *s_.job.grid;
    grid.candidates(s_.cell(begin), runs_, run_segment_);
    int64_t room = 64 * (plan_.n_species + 1);
    for (const CellGrid::Run& run : runs_) room += run.last - run.first;
    around_.reserve(room);
    near_.reserve(room);
    around_narrow_.reserve(sizeof(Real) == 8 ? 0 : room);
    segment_.assign(1, 0);
    for (int z = 0; z < plan_.n_species; z++) {
      const int64_t first = segment_.back();
      segment_.push_back(first + gather(grid, runs_.data() + run_segment_[z],
                                        runs_.data() + run_segment_[z + 1], around_.from(first)));
    }
    tick(kNeighbors);
    const NeighborBuffer<Real> candidates = narrowed(segment_.back());
    for (int64_t k = begin; k < end && !s_.stop; k++) evaluate_site(s_.order[k], candidates);
  }

  // The candidates in the precision of the evaluation.
  NeighborBuffer<Real> narrowed(int64_t n) {
    if constexpr (sizeof(Real) == 8) {
      return around_.from(0);
    } else {
      const NeighborBuffer<double> wide = around_.from(0);
      const NeighborBuffer<Real> narrow = around_narrow_.from(0);
      for (int64_t k = 0; k < n; k++)
        narrow.x[k] = Real(wide.x[k]), narrow.y[k] = Real(wide.y[k]), narrow.z[k] = Real(wide.z[k]);
      return narrow;
    }
  }

  void evaluate_site(int64_t place, NeighborBuffer<Real> candidates) {
    const int64_t particle = s_.job.sites[place];
    const Vec3 p = s_.job.grid->relative(particle);
    const double cutoff = s_.job.grid->cutoff(), coincident = s_.job.coincident;
    const NeighborBuffer<Real> near = near_.from(0);
    int n_coincident = 0;
    for (int z = 0; z < plan_.n_species; z++) {
      const int n = select_neighbors<Real>(candidates, segment_[z], segment_[z + 1], Real(p[0]),
                                           Real(p[1]), Real(p[2]), Real(cutoff * cutoff),
                                           Real(coincident * coincident), near, n_coincident);
      tick(kNeighbors);
      add_neighbors(near, n, A_.data + int64_t(plan_.offset(z, 0)) * W + lane_);
    }
    if (n_coincident != 1) {
      std::lock_guard<std::mutex> guard(s_.lock);
      s_.job.touching = particle;
      s_.stop = true;
      return;
    }
    out_[lane_++] = static_cast<Real*>(s_.job.out) + s_.job.rows[place] * s_.job.row_stride;
    if (lane_ == W) flush();
  }

  // A of one species from its neighbours, batch by batch of nearly equal size.
  void add_neighbors(NeighborBuffer<Real> near, int n, Real* A) {
    constexpr int V_ = Simd<Real>::width;
    const Real beyond = Real(2 * s_.job.grid->cutoff());  // E is exactly zero there
    int padded = n;
    for (; padded % V_; padded++) {
      near.x[padded] = beyond, near.y[padded] = near.z[padded] = 0;
      near.square[padded] = beyond * beyond;
    }
    const int n_batches = (padded + kBatch<Real> - 1) / kBatch<Real>;
    for (int b = 0, begin = 0; b < n_batches; b++) {
      const int size = (padded - begin + (n_batches - b) * V_ - 1) / ((n_batches - b) * V_) * V_;
      fill_rows({near.x + begin, near.y + begin, near.z + begin, near.square + begin}, size);
      tick(kBasis);
      s_.projection.add(rows_.data, angular_rows(), kRowLength<Real>, size, A, W);
      tick(kProjection);
      begin += size;
    }
  }

  Real* angular_rows() { return rows_.data + plan_.n_radial[0] * kRowLength<Real>; }

  void fill_rows(NeighborBuffer<Real> near, int size) {
    switch (plan_.l_max) {
      case 0: return fill_rows<0>(near, size);
      case 1: return fill_rows<1>(near, size);
      case 2: return fill_rows<2>(near, size);
      case 3: return fill_rows<3>(near, size);
      case 4: return fill_rows<4>(near, size);
      case 5: return fill_rows<5>(near, size);
      case 6: return fill_rows<6>(near, size);
      case 7: return fill_rows<7>(near, size);
      case kUnrolledL: return fill_rows<kUnrolledL>(near, size);
      default: return fill_rows<-1>(near, size);
    }
  }

  // E T_n(r_j) and q_lm(r_j) of a batch of neighbours.
  template <int L>
  void fill_rows(NeighborBuffer<Real> near, int size) {
    constexpr int V_ = Simd<Real>::width;
    int j = 0;
    for (; j + 4 * V_ <= size; j += 4 * V_) fill_vectors<L, 4>(near, j);
    for (; j < size; j += V_) fill_vectors<L, 1>(near, j);
  }

  template <int L, int N>
  INLINE void fill_vectors(NeighborBuffer<Real> near, int j) {
    constexpr int V_ = Simd<Real>::width;
    Real *R = rows_.data + j, *Y = angular_rows() + j;
    V<Real> E[N], inverse_r[N];
    for (int k = 0; k < N; k++)
      E[k] = envelope<Real>(load_unaligned(near.square + j + k * V_), s_.radial, inverse_r[k]);
    radial_rows<N, Real>(E, plan_.n_radial[0], R, kRowLength<Real>);
    if constexpr (L != 0)
      for (int k = 0; k < N; k++) {
        const int at = j + k * V_;
        harmonic_rows<L, Real>(load_unaligned(near.x + at) * inverse_r[k],
                               load_unaligned(near.y + at) * inverse_r[k],
                               load_unaligned(near.z + at) * inverse_r[k], plan_.l_max,
                               s_.recurrence, Y + k * V_, kRowLength<Real>);
      }
  }

  // Features of the sites in the lanes.
  void flush() {
    if (lane_ == 0) return;
    start_clock();
    s_.invariants.evaluate(A_.data, B_.data, scratch_.data);
    tick(kInvariants);
    write_rows<Real>(B_.data, plan_.n_columns, lane_, out_);
    std::fill(A_.data, A_.data + int64_t(plan_.n_components()) * W, Real(0));
    lane_ = 0;
    tick(kOutput);
  }

  INLINE void start_clock() {
    if (s_.job.measure) last_ = Clock::now();
  }
  INLINE void tick(Stage stage) {
    if (!s_.job.measure) return;
    const auto now = Clock::now();
    seconds_[stage] += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

  Shared<Real>& s_;
  const Plan& plan_;
  Aligned<Real> A_, B_, scratch_, rows_;
  std::vector<CellGrid::Run> runs_;
  std::vector<int64_t> run_segment_, segment_;
  Separations<double> around_;  // of the cell, from its centre
  Separations<Real> around_narrow_, near_;
  Real* out_[kLanes<Real>];
  int lane_ = 0;
  std::array<double, kStages> seconds_{};
  Clock::time_point last_;
};

template <class Real>
void evaluate(Job& job) {
  if (job.n_sites == 0) return;
  Shared<Real> shared(job);
  const int64_t n_cells = int64_t(shared.first.size()) - 1;
  const int n_threads = int(std::min<int64_t>(job.n_threads, (n_cells + 7) / 8));
  std::vector<std::thread> threads;
  for (int k = 1; k < n_threads; k++)
    threads.emplace_back([&shared] { Worker<Real>(shared).run(); });
  Worker<Real>(shared).run();
  for (std::thread& t : threads) t.join();
}

#if defined(__x86_64__)
#define AMORPHACE_KEEP(v) "+x"(v)
#elif defined(__aarch64__)
#define AMORPHACE_KEEP(v) "+w"(v)
#else
#define AMORPHACE_KEEP(v) "+m"(v)
#endif

// Ten independent chains of multiply-adds in registers, nothing else.
template <class Real>
double peak() {
  constexpr int64_t rounds = 10'000'000;
  V<Real> a0 = broadcast(Real(0)), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0,
          a8 = a0, a9 = a0;
  const V<Real> b = broadcast(Real(0.999)), c = broadcast(Real(1e-3));
  const auto start = Clock::now();
  for (int64_t i = 0; i < rounds; i++) {
    a0 = a0 * b + c, a1 = a1 * b + c, a2 = a2 * b + c, a3 = a3 * b + c, a4 = a4 * b + c;
    a5 = a5 * b + c, a6 = a6 * b + c, a7 = a7 * b + c, a8 = a8 * b + c, a9 = a9 * b + c;
    __asm__ volatile(""  // the compiler must believe that every value is wanted
                     : AMORPHACE_KEEP(a0), AMORPHACE_KEEP(a1), AMORPHACE_KEEP(a2),
                       AMORPHACE_KEEP(a3), AMORPHACE_KEEP(a4), AMORPHACE_KEEP(a5),
                       AMORPHACE_KEEP(a6), AMORPHACE_KEEP(a7), AMORPHACE_KEEP(a8),
                       AMORPHACE_KEEP(a9));
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return 2.0 * 10 * Simd<Real>::width * double(rounds) / seconds * 1e-9;
}

}  // namespace

#define AMORPHACE_STRING2(x) #x
#define AMORPHACE_STRING(x) AMORPHACE_STRING2(x)
extern const Backend backend{AMORPHACE_STRING(AMORPHACE_ISA), &evaluate<double>, &evaluate<float>,
                             &peak<double>, &peak<float>};

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
