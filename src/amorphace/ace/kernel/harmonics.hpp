// Real harmonics of a batch of directions, with unit leading coefficient.
#pragma once
#include "simd.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {

constexpr int kUnrolledL = 8;  // harmonics up to here are unrolled by the compiler
constexpr int kMaxL = 24;

// beta_lm = (l^2 - m^2) / (4 l^2 - 1) in Q_l+1 = z Q_l - beta_lm Q_l-1.
template <class Real>
struct LegendreRecurrence {
  Real beta[kMaxL + 1][kMaxL + 1];
  LegendreRecurrence() {
    for (int l = 0; l <= kMaxL; l++)
      for (int m = 0; m <= kMaxL; m++)
        beta[l][m] = m < l ? Real(double(l * l - m * m) / double(4 * l * l - 1)) : Real(0);
  }
};

// Row l^2 + l + m: Q_l^m(z) Re (x + iy)^m for m >= 0, Q_l^|m|(z) Im (x + iy)^|m| for m < 0.
// L < 0 takes the degree from l_max. The constant row 0 is left out.
template <int L, class Real>
INLINE void harmonic_rows(V<Real> x, V<Real> y, V<Real> z, int l_max,
                          const LegendreRecurrence<Real>& c, Real* rows) {
  constexpr int W = Simd<Real>::width;
  const int top = L < 0 ? l_max : L;
  V<Real> re = broadcast(Real(1)), im = broadcast(Real(0));
#pragma GCC unroll 9
  for (int m = 0; m <= top; m++) {
    if (m == 1) re = x, im = y;
    if (m > 1) {
      const V<Real> t = re * x - im * y;
      im = im * x + re * y;
      re = t;
    }
    V<Real> below = broadcast(Real(0)), Q = broadcast(Real(1));
#pragma GCC unroll 9
    for (int l = m; l <= top; l++) {
      if (l == m + 1) below = Q, Q = z;
      if (l > m + 1) {
        const V<Real> next = z * Q - c.beta[l - 1][m] * below;
        below = Q, Q = next;
      }
      if (m == 0) {
        if (l > 0) store(rows + (l * l + l) * W, Q);
      } else if (l == m) {
        store(rows + (l * l + l + m) * W, re);
        store(rows + (l * l + l - m) * W, im);
      } else {
        store(rows + (l * l + l + m) * W, V<Real>(Q * re));
        store(rows + (l * l + l - m) * W, V<Real>(Q * im));
      }
    }
  }
}

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
