// The evaluation for one kind of processor; compiled once for each (AMORPHACE_ISA names it).
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "harmonics.hpp"
#include "invariants.hpp"
#include "job.hpp"
#include "lanes.hpp"
#include "neighbors.hpp"
#include "projection.hpp"
#include "radial.hpp"
#include "search.hpp"
#include "threads.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {
namespace {

using Clock = std::chrono::steady_clock;

// Bytes for the functions of a batch of neighbours, which should stay in the first cache.
#ifndef AMORPHACE_BATCH_BYTES
#define AMORPHACE_BATCH_BYTES 45056
#endif
// Rows an odd number of cache lines apart do not fall into the same sets of a cache.
template <class Real>
int64_t odd_lines(int64_t n) {
  constexpr int64_t line = 64 / sizeof(Real);
  return ((n + line - 1) / line | 1) * line;
}

template <class Real>
struct Aligned {
  Real* data;
  explicit Aligned(int64_t n)
      : data(static_cast<Real*>(std::aligned_alloc(64, (n * sizeof(Real) + 127) / 64 * 64))) {
    if (!data) throw std::bad_alloc();
    std::fill(data, data + n, Real(0));
  }
  ~Aligned() { std::free(data); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
};

// Three rows that grow.
template <class Real>
class Separations {
 public:
  void reserve(int64_t n) {
    if (n <= room_) return;
    room_ = (2 * n + 15) / 16 * 16;
    rows_ = std::make_unique<Aligned<Real>>(3 * room_);
  }
  NeighborBuffer<Real> from(int64_t k) const {
    Real* p = rows_->data + k;
    return {p, p + room_, p + 2 * room_};
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
  Visits visits;
  Queue queue;
  std::mutex lock;

  explicit Shared(Job& j)
      : job(j),
        projection(*j.plan),
        invariants(*j.plan),
        radial(*j.plan),
        visits(*j.grid, j.sites, j.n_sites) {}
};

template <class Real>
class Worker {
 public:
  explicit Worker(Shared<Real>& shared)
      : s_(shared),
        plan_(*shared.job.plan),
        n_functions_(plan_.n_radial[0] + (plan_.l_max + 1) * (plan_.l_max + 1)),
        batch_(batch_size(n_functions_)),
        n_sums_((s_.projection.n_sums() + 15) / 16 * 16),
        sums_length_(odd_lines<Real>(plan_.n_species * n_sums_)),
        functions_(n_functions_ * batch_),
        partial_(n_sums_ * Simd<Real>::width),
        sums_(W * sums_length_),
        A_((plan_.n_components() + 1) * int64_t(W)),
        B_(int64_t(plan_.n_values) * W),
        scratch_(shared.invariants.scratch() * W) {
    const int spare = plan_.n_components();
    for (int z = 0; z < plan_.n_species; z++) {
      for (int c : s_.projection.component) component_.push_back(plan_.offset(z, 0) + c);
      component_.resize((z + 1) * n_sums_, spare);
    }
  }

  void run() {
    s_.queue.take(s_.visits.n_cells(), [this](int64_t c) { evaluate_cell(c); });
    if (!s_.queue.stop) flush();
    std::lock_guard<std::mutex> guard(s_.lock);
    for (int k = 0; k < kStages; k++) s_.job.seconds[k] += seconds_[k];
  }

 private:
  static constexpr int W = kLanes<Real>;

  // Neighbours in whole vectors, four by four.
  static int batch_size(int n_functions) {
    constexpr int V_ = Simd<Real>::width;
    return 4 * V_ * std::max(1, AMORPHACE_BATCH_BYTES / (4 * n_functions * kVectorBytes));
  }

  void evaluate_cell(int64_t cell) {
    start_clock();
    const CellGrid& grid = *s_.job.grid;
    const Vec3 centre = grid.centre(s_.visits.cells[cell]);
    grid.candidates(s_.visits.cells[cell], runs_, run_segment_);
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
    for (int64_t k = s_.visits.first[cell]; k < s_.visits.first[cell + 1] && !s_.queue.stop; k++) {
      const Visits::Visit visit = s_.visits.visits[k];
      evaluate_site(visit.place, grid.from(centre, visit.slot), candidates);
    }
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

  // The site at p, as the candidates from the centre of its cell.
  void evaluate_site(int64_t place, Vec3 p, NeighborBuffer<Real> candidates) {
    Real* const row = static_cast<Real*>(s_.job.out) + s_.job.rows[place] * s_.job.row_stride;
    ahead_ = reinterpret_cast<const char*>(row);
    ahead_end_ = reinterpret_cast<const char*>(row + plan_.n_columns);
    const double cutoff = s_.job.grid->cutoff(), coincident = s_.job.coincident;
    const NeighborBuffer<Real> near = near_.from(0);
    int n_coincident = 0;
    for (int z = 0; z < plan_.n_species; z++) {
      const int n = select_neighbors<Real>(candidates, segment_[z], segment_[z + 1], Real(p[0]),
                                           Real(p[1]), Real(p[2]), Real(cutoff * cutoff),
                                           Real(coincident * coincident), near, n_coincident);
      tick(kNeighbors);
      add_neighbors(near, n, sums_.data + lane_ * sums_length_ + z * n_sums_);
    }
    if (n_coincident != 1) {
      std::lock_guard<std::mutex> guard(s_.lock);
      s_.job.touching = s_.job.sites[place];
      s_.queue.stop = true;
      return;
    }
    out_[lane_++] = row;
    if (lane_ == W) flush();
  }

  // Sums over the neighbours of one species, batch by batch.
  void add_neighbors(NeighborBuffer<Real> near, int n, Real* sums) {
    constexpr int V_ = Simd<Real>::width;
    const Real beyond = Real(2 * s_.job.grid->cutoff());  // E is exactly zero there
    int padded = n;
    for (; padded % V_; padded++) near.x[padded] = beyond, near.y[padded] = near.z[padded] = 0;
    auto* partial = reinterpret_cast<V<Real>*>(partial_.data);
    for (int begin = 0, size; begin < padded; begin += size) {
      size = std::min(batch_, padded - begin);
      fill({near.x + begin, near.y + begin, near.z + begin}, size);
      tick(kBasis);
      fetch_output();
      s_.projection.add({functions_.data, vector_length(), angular(), size / V_}, partial);
      tick(kProjection);
    }
    finish_sums<Real>(partial, int(n_sums_), sums);
    tick(kProjection);
  }

  // Some of the memory of the site's row comes near while the sums run.
  INLINE void fetch_output() {
    for (int line = 0; line < 48 && ahead_ < ahead_end_; line++, ahead_ += 64)
      __builtin_prefetch(ahead_, 0, 2);
  }

  int64_t vector_length() const { return n_functions_ * Simd<Real>::width; }
  int64_t angular() const { return plan_.n_radial[0] * Simd<Real>::width; }

  void fill(NeighborBuffer<Real> near, int size) {
    switch (plan_.l_max) {
      case 0: return fill<0>(near, size);
      case 1: return fill<1>(near, size);
      case 2: return fill<2>(near, size);
      case 3: return fill<3>(near, size);
      case 4: return fill<4>(near, size);
      case 5: return fill<5>(near, size);
      case 6: return fill<6>(near, size);
      case 7: return fill<7>(near, size);
      case kUnrolledL: return fill<kUnrolledL>(near, size);
      default: return fill<-1>(near, size);
    }
  }

  // E T_n(r_j) and q_lm(r_j) of a batch of neighbours.
  template <int L>
  void fill(NeighborBuffer<Real> near, int size) {
    constexpr int V_ = Simd<Real>::width;
    int j = 0;
    for (; j + 4 * V_ <= size; j += 4 * V_) fill_vectors<L, 4>(near, j);
    for (; j < size; j += V_) fill_vectors<L, 1>(near, j);
  }

  template <int L, int N>
  INLINE void fill_vectors(NeighborBuffer<Real> near, int j) {
    constexpr int V_ = Simd<Real>::width;
    Real *R = functions_.data + j * n_functions_, *Y = R + angular();
    V<Real> x[N], y[N], z[N], E[N];
    for (int k = 0; k < N; k++) {
      const int at = j + k * V_;
      x[k] = load_unaligned(near.x + at);
      y[k] = load_unaligned(near.y + at);
      z[k] = load_unaligned(near.z + at);
      V<Real> inverse_r;
      E[k] = envelope<Real>(x[k] * x[k] + (y[k] * y[k] + z[k] * z[k]), s_.radial, inverse_r);
      x[k] *= inverse_r, y[k] *= inverse_r, z[k] *= inverse_r;
    }
    radial_rows<N, Real>(E, plan_.n_radial[0], R, vector_length());
    if constexpr (L != 0)
      for (int k = 0; k < N; k++)
        harmonic_rows<L, Real>(x[k], y[k], z[k], plan_.l_max, s_.recurrence,
                               Y + k * vector_length());
  }

  // Features of the sites in the lanes.
  void flush() {
    if (lane_ == 0) return;
    start_clock();
    rows_to_lanes(sums_.data, sums_length_, component_.data(), int(component_.size()), A_.data);
    s_.invariants.evaluate(A_.data, B_.data, scratch_.data);
    tick(kInvariants);
    lanes_to_rows<Real>(B_.data, plan_.n_columns, lane_, out_);
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
  const int n_functions_, batch_;  // radial and angular ones; neighbours
  const int64_t n_sums_, sums_length_;
  Aligned<Real> functions_, partial_;  // of a batch; sums over neighbours, not yet over lanes
  Aligned<Real> sums_;                 // of each site
  Aligned<Real> A_, B_, scratch_;      // lane by lane
  std::vector<int> component_;         // of every sum of a site
  std::vector<CellGrid::Run> runs_;
  std::vector<int64_t> run_segment_, segment_;
  Separations<double> around_;  // of the cell, from its centre
  Separations<Real> around_narrow_, near_;
  Real* out_[kLanes<Real>];
  const char *ahead_ = nullptr, *ahead_end_ = nullptr;
  int lane_ = 0;
  std::array<double, kStages> seconds_{};
  Clock::time_point last_;
};

template <class Real>
void evaluate(Job& job) {
  if (job.n_sites == 0) return;
  Shared<Real> shared(job);
  run_workers<Worker<Real>>(shared, job.n_threads, shared.visits.n_cells());
}

#if defined(__x86_64__)
#define AMORPHACE_KEEP(v) "+x"(v)
#elif defined(__aarch64__)
#define AMORPHACE_KEEP(v) "+w"(v)
#else
#define AMORPHACE_KEEP(v) "+m"(v)
#endif

// Ten independent chains of multiply-adds in registers, nothing else: seconds of some rounds.
template <class Real>
double chains(int64_t rounds) {
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
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The best of many short times, between which other work may have the processor.
template <class Real>
double peak() {
  constexpr int64_t rounds = 200'000;
  double seconds = 1e30;
  for (int k = 0; k < 50; k++) seconds = std::min(seconds, chains<Real>(rounds));
  return 2.0 * 10 * Simd<Real>::width * double(rounds) / seconds * 1e-9;
}

}  // namespace

#define AMORPHACE_STRING2(x) #x
#define AMORPHACE_STRING(x) AMORPHACE_STRING2(x)
extern const Backend backend{AMORPHACE_STRING(AMORPHACE_ISA), &evaluate<double>, &evaluate<float>,
                             &peak<double>, &peak<float>};

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
