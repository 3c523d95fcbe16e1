// A_nlm += sum_j R_n(r_j) q_lm(r_j): the density projected on the one-particle basis (eq. 4).
#pragma once
#include <utility>

#include "plan.hpp"
#include "simd.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {

// TN radial times TM angular rows at once, so that every loaded value is used several times; the
// sums stay in registers. out[n * n_stride + m * m_stride] receives them.
template <class Real, int TN, int TM>
void project_tile(const Real* R, const Real* Y, int64_t row_length, int n_neighbors, Real* out,
                  int64_t n_stride, int64_t m_stride) {
  V<Real> total[TN * TM];
  for (int k = 0; k < TN * TM; k++) total[k] = broadcast(Real(0));
  for (int j = 0; j < n_neighbors; j += Simd<Real>::width) {
    V<Real> r[TN];
#pragma GCC unroll 16
    for (int n = 0; n < TN; n++) r[n] = load(R + n * row_length + j);
#pragma GCC unroll 16
    for (int m = 0; m < TM; m++) {
      const V<Real> q = load(Y + m * row_length + j);
#pragma GCC unroll 16
      for (int n = 0; n < TN; n++) total[n * TM + m] += r[n] * q;
    }
  }
  Real s[TN * TM + 16];
  sums<TN * TM, Real>(total, s);
  for (int n = 0; n < TN; n++)
    for (int m = 0; m < TM; m++) out[n * n_stride + m * m_stride] += s[n * TM + m];
}

// l = 0: the angular function is constant.
template <class Real>
void project_constant(const Real* R, int64_t row_length, int n_radial, int n_neighbors, Real* out,
                      int64_t n_stride) {
  constexpr int W = Simd<Real>::width;
  for (int n = 0; n < n_radial; n += 4) {
    const int rows = n + 4 <= n_radial ? 4 : n_radial - n;
    V<Real> total[4];
    for (int k = 0; k < 4; k++) total[k] = broadcast(Real(0));
    if (rows == 4) {
      for (int j = 0; j < n_neighbors; j += W)
        for (int k = 0; k < 4; k++) total[k] += load(R + (n + k) * row_length + j);
    } else {
      for (int k = 0; k < rows; k++)
        for (int j = 0; j < n_neighbors; j += W) total[k] += load(R + (n + k) * row_length + j);
    }
    for (int k = 0; k < rows; k++) out[(n + k) * n_stride] += sum<Real>(total[k]);
  }
}

constexpr int kTileSide = 7;

template <class Real>
using Tile = void (*)(const Real*, const Real*, int64_t, int, Real*, int64_t, int64_t);

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

// How the rows of each l are cut into tiles: made once a plan.
template <class Real>
struct Projection {
  struct Step {
    Tile<Real> tile;
    int n, m_row, component;  // first radial row, first angular row, first component
    int n_stride;
  };
  std::vector<Step> steps;
  int n_constant;

  explicit Projection(const Plan& plan) : n_constant(plan.n_radial[0]) {
    int component = n_constant;
    for (int l = 1; l <= plan.l_max; l++) {
      cut(l, plan.n_radial[l], component);
      component += plan.n_radial[l] * (2 * l + 1);
    }
  }

  // The cut that takes the fewest loads and multiplications.
  void cut(int l, int n_radial, int component) {
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
        steps.push_back({tile_of<Real>(tn, tm), n, l * l + m, component + n * M + m, M});
        n += tn;
      }
      m += tm;
    }
  }

  // Adds the neighbours to the components of one species; components of a site are `stride` apart.
  INLINE void add(const Real* R, const Real* Y, int64_t row_length, int n_neighbors, Real* A,
                  int64_t stride) const {
    project_constant<Real>(R, row_length, n_constant, n_neighbors, A, stride);
    for (const Step& s : steps)
      s.tile(R + s.n * row_length, Y + s.m_row * row_length, row_length, n_neighbors,
             A + s.component * stride, s.n_stride * stride, stride);
  }
};

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
