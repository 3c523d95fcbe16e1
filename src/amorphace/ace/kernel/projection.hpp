// A_nlm += sum_j R_n(r_j) q_lm(r_j): the density projected on the one-particle basis (eq. 4).
#pragma once
#include <utility>

#include "plan.hpp"
#include "simd.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {

// A batch of neighbours: vectors of them one after the other, `length` apart; in each the radial
// functions and, from `angular` on, the angular functions lie side by side.
template <class Real>
struct Batch {
  const Real* rows;
  int64_t length, angular;
  int n_vectors;
};

// TN radial times TM angular functions at once, so that every loaded value is used several times;
// total[n * TM + m] stays in a register, one partial sum a lane.
template <class Real, int TN, int TM>
void project_tile(const Batch<Real>& batch, int n_first, int m_first, V<Real>* out) {
  constexpr int W = Simd<Real>::width;
  V<Real> total[TN * TM];
#pragma GCC unroll 32
  for (int k = 0; k < TN * TM; k++) total[k] = out[k];
  const Real *R = batch.rows + n_first * W, *Y = batch.rows + batch.angular + m_first * W;
  for (int j = 0; j < batch.n_vectors; j++, R += batch.length, Y += batch.length) {
    V<Real> r[TN];
#pragma GCC unroll 16
    for (int n = 0; n < TN; n++) r[n] = in_register<Real>(load(R + n * W));
#pragma GCC unroll 16
    for (int m = 0; m < TM; m++) {
      const V<Real> q = in_register<Real>(load(Y + m * W));
#pragma GCC unroll 16
      for (int n = 0; n < TN; n++) total[n * TM + m] += r[n] * q;
    }
  }
#pragma GCC unroll 32
  for (int k = 0; k < TN * TM; k++) out[k] = total[k];
}

// l = 0: the angular function is constant.
template <class Real, int TN>
void project_constant(const Batch<Real>& batch, int n_first, int, V<Real>* out) {
  constexpr int W = Simd<Real>::width;
  V<Real> total[TN];
#pragma GCC unroll 16
  for (int n = 0; n < TN; n++) total[n] = out[n];
  const Real* R = batch.rows + n_first * W;
  for (int j = 0; j < batch.n_vectors; j++, R += batch.length)
#pragma GCC unroll 16
    for (int n = 0; n < TN; n++) total[n] += load(R + n * W);
#pragma GCC unroll 16
  for (int n = 0; n < TN; n++) out[n] = total[n];
}

constexpr int kTileSide = 7;

template <class Real>
using Tile = void (*)(const Batch<Real>&, int, int, V<Real>*);

template <class Real>
Tile<Real> constant_tile(int n) {
  static constexpr Tile<Real> table[] = {
      &project_constant<Real, 1>, &project_constant<Real, 2>, &project_constant<Real, 3>,
      &project_constant<Real, 4>, &project_constant<Real, 5>, &project_constant<Real, 6>,
      &project_constant<Real, 7>, &project_constant<Real, 8>};
  return table[n - 1];
}

template <class Real, int K>
constexpr Tile<Real> tile_number() {
  constexpr int n = K / kTileSide + 1, m = K % kTileSide + 1;
  if constexpr (n * m <= kAccumulators) return &project_tile<Real, n, m>;
  else return nullptr;
}

template <class Real, int... K>
Tile<Real> tile_of(int n, int m, std::integer_sequence<int, K...>) {
  static constexpr Tile<Real> table[] = {tile_number<Real, K>()...};
  return table[(n - 1) * kTileSide + m - 1];
}

template <class Real>
Tile<Real> tile_of(int n, int m) {
  return tile_of<Real>(n, m, std::make_integer_sequence<int, kTileSide * kTileSide>());
}

// How the functions of each l are cut into tiles: made once a plan. The sums of one site and species
// lie tile after tile; component[k] says which component of A the sum k belongs to.
template <class Real>
struct Projection {
  struct Step {
    Tile<Real> tile;
    int n, m_row, sum;  // first radial function, first angular function, first sum
  };
  std::vector<Step> steps;
  std::vector<int> component;

  explicit Projection(const Plan& plan) {
    for (int n = 0; n < plan.n_radial[0]; n += 8) {
      const int tn = std::min(8, plan.n_radial[0] - n);
      steps.push_back({constant_tile<Real>(tn), n, 0, n});
      for (int t = 0; t < tn; t++) component.push_back(n + t);
    }
    for (int l = 1; l <= plan.l_max; l++) cut(l, plan.n_radial[l], plan.offset(0, l));
  }
  int n_sums() const { return int(component.size()); }

  // The cut that takes the fewest loads and multiplications.
  void cut(int l, int n_radial, int first) {
    const int M = 2 * l + 1;
    double best = 1e30;
    int best_m = 1, best_n = 1;
    for (int m_parts = 1; m_parts <= M; m_parts++) {
      const int tm = (M + m_parts - 1) / m_parts;
      if (tm > kTileSide) continue;
      const int tn_most = std::min(kTileSide, kAccumulators / tm);
      if (tn_most < 1) continue;
      const int n_parts = (n_radial + tn_most - 1) / tn_most;
      const double loads = double(n_parts) * M + double(m_parts) * n_radial;
      const double products = double(M) * n_radial;
      const double fill = std::max(products, 8.0 * m_parts * n_parts);  // latency of short tiles
      const double cost = std::max(loads, fill) + 0.25 * loads;
      if (cost < best) best = cost, best_m = m_parts, best_n = n_parts;
    }
    for (int i = 0, m = 0; i < best_m; i++) {
      const int tm = (M - m + best_m - i - 1) / (best_m - i);
      for (int k = 0, n = 0; k < best_n; k++) {
        const int tn = (n_radial - n + best_n - k - 1) / (best_n - k);
        steps.push_back({tile_of<Real>(tn, tm), n, l * l + m, n_sums()});
        for (int t = 0; t < tn * tm; t++)
          component.push_back(first + (n + t / tm) * M + m + t % tm);
        n += tn;
      }
      m += tm;
    }
  }

  // Adds neighbours to the sums of one site and species.
  INLINE void add(const Batch<Real>& batch, V<Real>* sums) const {
    for (const Step& s : steps) s.tile(batch, s.n, s.m_row, sums + s.sum);
  }
};

// out[k] = sum of the lanes of sums[k], which are zero afterwards; n is a multiple of 16.
template <class Real>
void finish_sums(V<Real>* sums, int n, Real* out) {
  constexpr int step = 16;
  for (int k = 0; k < n; k += step) {
    add_lanes<step, Real>(sums + k, out + k);
    for (int i = 0; i < step; i++) sums[k + i] = broadcast(Real(0));
  }
}

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
