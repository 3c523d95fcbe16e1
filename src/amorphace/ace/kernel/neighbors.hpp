// From runs of particles to the candidates of a cell, and to the neighbours of one site.
#pragma once
#include <vector>

#include "cells.hpp"
#include "simd.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {

template <class Real>
struct NeighborBuffer {
  Real *x, *y, *z;  // separation from the site
};

// Lanes to the front where a mask is set, for 4 doubles: permutations of 8 half-lanes.
#if defined(__AVX2__) && !defined(__AVX512F__)
struct CompressTable {
  alignas(32) int32_t wide[16][8];
  alignas(32) int32_t narrow[256][8];
  CompressTable() {
    for (int mask = 0; mask < 256; mask++) {
      int n = 0, m = 0;
      for (int k = 0; k < 8; k++) narrow[mask][k] = 0;
      for (int k = 0; k < 8; k++)
        if (mask >> k & 1) narrow[mask][n++] = k;
      if (mask < 16) {
        for (int k = 0; k < 8; k++) wide[mask][k] = 0;
        for (int k = 0; k < 4; k++)
          if (mask >> k & 1) wide[mask][m++] = 2 * k, wide[mask][m++] = 2 * k + 1;
      }
    }
  }
};
inline const CompressTable compress_table;
#endif

// Keeps those lanes of a separation whose squared length is below `far` and above `near`.
// Buffers hold a vector more than they will keep; returns how many are kept.
template <class Real>
INLINE int keep_lanes(V<Real> a, V<Real> b, V<Real> c, Real far, Real near,
                      NeighborBuffer<Real> out, int64_t n, int& n_near) {
  const V<Real> q = a * a + (b * b + c * c);
#if defined(__AVX512F__)
  if constexpr (sizeof(Real) == 8) {
    const __mmask8 touching = _mm512_cmp_pd_mask((__m512d)q, _mm512_set1_pd(near), _CMP_LE_OQ);
    const __mmask8 keep =
        _mm512_cmp_pd_mask((__m512d)q, _mm512_set1_pd(far), _CMP_LT_OQ) & ~touching;
    const auto front = [keep](V<Real> v) {
      return (V<Real>)_mm512_maskz_compress_pd(keep, (__m512d)v);
    };
    store_unaligned<Real>(out.x + n, front(a)), store_unaligned<Real>(out.y + n, front(b));
    store_unaligned<Real>(out.z + n, front(c));
    n_near += __builtin_popcount(touching);
    return __builtin_popcount(keep);
  } else {
    const __mmask16 touching = _mm512_cmp_ps_mask((__m512)q, _mm512_set1_ps(near), _CMP_LE_OQ);
    const __mmask16 keep =
        _mm512_cmp_ps_mask((__m512)q, _mm512_set1_ps(far), _CMP_LT_OQ) & ~touching;
    const auto front = [keep](V<Real> v) {
      return (V<Real>)_mm512_maskz_compress_ps(keep, (__m512)v);
    };
    store_unaligned<Real>(out.x + n, front(a)), store_unaligned<Real>(out.y + n, front(b));
    store_unaligned<Real>(out.z + n, front(c));
    n_near += __builtin_popcount(touching);
    return __builtin_popcount(keep);
  }
#elif defined(__AVX2__)
  unsigned touching, keep;
  __m256i order;
  if constexpr (sizeof(Real) == 8) {
    touching = unsigned(_mm256_movemask_pd((__m256d)(q <= near)));
    keep = unsigned(_mm256_movemask_pd((__m256d)(q < far))) & ~touching;
    order = _mm256_load_si256((const __m256i*)compress_table.wide[keep]);
  } else {
    touching = unsigned(_mm256_movemask_ps((__m256)(q <= near)));
    keep = unsigned(_mm256_movemask_ps((__m256)(q < far))) & ~touching;
    order = _mm256_load_si256((const __m256i*)compress_table.narrow[keep]);
  }
  const auto front = [order](V<Real> v) {
    return (V<Real>)_mm256_permutevar8x32_epi32((__m256i)v, order);
  };
  store_unaligned<Real>(out.x + n, front(a)), store_unaligned<Real>(out.y + n, front(b));
  store_unaligned<Real>(out.z + n, front(c));
  n_near += __builtin_popcount(touching);
  return __builtin_popcount(keep);
#else
  int kept = 0;
  for (int k = 0; k < Simd<Real>::width; k++) {
    const int64_t to = n + kept;
    out.x[to] = a[k], out.y[to] = b[k], out.z[to] = c[k];
    n_near += q[k] <= near;
    kept += (q[k] < far) & (q[k] > near);
  }
  return kept;
#endif
}

constexpr double kNowhere = 1e15;  // a coordinate that is never near

// The particles of some runs that lie within `reach` of the home cell's centre, padded with
// particles that are nowhere to a whole number of vectors.
INLINE int64_t gather(const CellGrid& grid, const CellGrid::Run* run, const CellGrid::Run* end,
                      NeighborBuffer<double> out) {
  constexpr int W = Simd<double>::width;
  const double *x = grid.coordinate(0), *y = grid.coordinate(1), *z = grid.coordinate(2);
  const double far = grid.reach() * grid.reach();
  int64_t n = 0;
  int ignored = 0;
  for (; run != end; run++)
    for (int64_t k = run->first; k < run->last; k += W) {
      V<double> a = load_unaligned(x + k) + run->shift[0];
      const V<double> b = load_unaligned(y + k) + run->shift[1],
                      c = load_unaligned(z + k) + run->shift[2];
      if (k + W > run->last)
        for (int64_t lane = run->last - k; lane < W; lane++) a[lane] = kNowhere;
      n += keep_lanes<double>(a, b, c, far, -1.0, out, n, ignored);
    }
  constexpr int widest = 64 / int(sizeof(float));
  for (int64_t k = n; k < n + widest; k++) out.x[k] = kNowhere, out.y[k] = out.z[k] = 0;
  return (n + widest - 1) / widest * widest;
}

// Keeps the candidates first..last, a whole number of vectors, with 0 < r < r_cut; counts those
// closer than `near`, of which the site itself is one.
template <class Real>
INLINE int select_neighbors(NeighborBuffer<Real> candidates, int64_t first, int64_t last, Real x,
                            Real y, Real z, Real far, Real near, NeighborBuffer<Real> out,
                            int& n_near) {
  int64_t n = 0;
  for (int64_t j = first; j < last; j += Simd<Real>::width)
    n += keep_lanes<Real>(load(candidates.x + j) - x, load(candidates.y + j) - y,
                          load(candidates.z + j) - z, far, near, out, n, n_near);
  return int(n);
}

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
