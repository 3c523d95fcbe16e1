// Sites from rows to lanes, where the invariants are computed, and back to rows.
#pragma once
#include "invariants.hpp"
#include "simd.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {

// A[component[k]][lane] = rows[lane][k] for a whole number of vectors of k.
template <class Real>
void rows_to_lanes(const Real* rows, int64_t row_length, const int* component, int n, Real* A) {
  constexpr int W = kLanes<Real>, V_ = Simd<Real>::width;
  for (int lane = 0; lane < W; lane += V_)
    for (int k = 0; k < n; k += V_) {
      V<Real> v[V_];
      for (int i = 0; i < V_; i++) v[i] = load(rows + (lane + i) * row_length + k);
      transpose<Real>(v);
      for (int i = 0; i < V_; i++) store(A + int64_t(component[k + i]) * W + lane, v[i]);
    }
}

// rows[lane][column] = B[column][lane] for the first n_rows lanes.
template <class Real>
void lanes_to_rows(const Real* B, int n_columns, int n_rows, Real* const* rows) {
  constexpr int W = kLanes<Real>, V_ = Simd<Real>::width;
  for (int lane = 0; lane < n_rows; lane += V_) {
    const int n = n_rows - lane < V_ ? n_rows - lane : V_;
    int column = 0;
    for (; column + V_ <= n_columns; column += V_) {
      V<Real> v[V_];
      for (int i = 0; i < V_; i++) v[i] = load(B + int64_t(column + i) * W + lane);
      transpose<Real>(v);
      if (n == V_)
        for (int i = 0; i < V_; i++) store_unaligned(rows[lane + i] + column, v[i]);
      else
        for (int i = 0; i < n; i++) store_unaligned(rows[lane + i] + column, v[i]);
    }
    for (; column < n_columns; column++)
      for (int i = 0; i < n; i++) rows[lane + i][column] = B[int64_t(column) * W + lane + i];
  }
}

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
