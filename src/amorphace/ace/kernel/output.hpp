// Lanes back to rows: features of each site, one after the other in memory.
#pragma once
#include "invariants.hpp"
#include "simd.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {

// rows[lane][column] = B[column][lane] for the first n_rows lanes.
template <class Real>
void write_rows(const Real* B, int n_columns, int n_rows, Real* const* rows) {
  constexpr int W = kLanes<Real>;
  int lane = 0;
#if defined(__AVX2__)
  if constexpr (sizeof(Real) == 8) {  // 4 x 4 blocks
    for (; lane + 4 <= n_rows; lane += 4) {
      int column = 0;
      for (; column + 4 <= n_columns; column += 4) {
        const Real* p = B + int64_t(column) * W + lane;
        const __m256d a = _mm256_load_pd(p), b = _mm256_load_pd(p + W);
        const __m256d c = _mm256_load_pd(p + 2 * W), d = _mm256_load_pd(p + 3 * W);
        const __m256d ab0 = _mm256_unpacklo_pd(a, b), ab1 = _mm256_unpackhi_pd(a, b);
        const __m256d cd0 = _mm256_unpacklo_pd(c, d), cd1 = _mm256_unpackhi_pd(c, d);
        _mm256_storeu_pd(rows[lane] + column, _mm256_permute2f128_pd(ab0, cd0, 0x20));
        _mm256_storeu_pd(rows[lane + 1] + column, _mm256_permute2f128_pd(ab1, cd1, 0x20));
        _mm256_storeu_pd(rows[lane + 2] + column, _mm256_permute2f128_pd(ab0, cd0, 0x31));
        _mm256_storeu_pd(rows[lane + 3] + column, _mm256_permute2f128_pd(ab1, cd1, 0x31));
      }
      for (; column < n_columns; column++)
        for (int k = 0; k < 4; k++) rows[lane + k][column] = B[int64_t(column) * W + lane + k];
    }
  }
#endif
  for (int column = 0; column < n_columns; column++)
    for (int k = lane; k < n_rows; k++) rows[k][column] = B[int64_t(column) * W + k];
}

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
