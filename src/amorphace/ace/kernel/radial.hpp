// Radial functions of a batch of neighbours.
#pragma once
#include "plan.hpp"
#include "simd.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {

template <class Real>
struct RadialConstants {
  Real inverse_cutoff, inverse_scale, a, y_cut, inverse_drop;
  explicit RadialConstants(const Plan& plan)
      : inverse_cutoff(Real(1 / plan.cutoff)),
        inverse_scale(Real(1 / plan.scale)),
        a(Real(plan.a)),
        y_cut(Real(plan.y_cut)),
        inverse_drop(Real(1 / (1 - plan.y_cut))) {}
};

// E(r) = x - 1 = -(Y(r) - Y(r_cut)) / (1 - Y(r_cut)) (1 - (r / r_cut)^4); zero from r_cut on.
// Also gives 1 / r.
template <class Real>
INLINE V<Real> envelope(V<Real> square, const RadialConstants<Real>& c, V<Real>& inverse_r) {
  const V<Real> one = broadcast(Real(1));
  V<Real> r;
  if constexpr (kNewton) inverse_r = inverse_sqrt<Real>(square), r = square * inverse_r;
  else r = sqrt<Real>(square);
  V<Real> s = r * c.inverse_cutoff;
  s = s < one ? s : one;
  const V<Real> s2 = s * s, y = r * c.inverse_scale, y3 = y * y * y;
  const V<Real> numerator = one + y3, denominator = numerator + c.a * (y3 * y);
  V<Real> ratio;
  if constexpr (kNewton) {
    ratio = numerator * inverse<Real>(denominator);
  } else {
    const V<Real> both = one / (r * denominator);  // one division serves two quotients
    inverse_r = both * denominator;
    ratio = numerator * (both * r);
  }
  return (ratio - c.y_cut) * c.inverse_drop * (s2 * s2 - one);
}

// E T_n(t), n = 0, 1, ..., side by side, t = 2x - 1 = 2E + 1, by T_n = 2t T_n-1 - T_n-2. Each step waits for
// the one before; N vectors of neighbours at once keep the processor busy meanwhile.
template <int N, class Real>
INLINE void radial_rows(const V<Real>* E, int n_radial, Real* rows, int64_t length) {
  constexpr int W = Simd<Real>::width;
  V<Real> t2[N], before[N], now[N];
#pragma GCC unroll 4
  for (int k = 0; k < N; k++) {
    t2[k] = Real(4) * E[k] + Real(2);
    before[k] = E[k];
    now[k] = E[k] * (Real(0.5) * t2[k]);
    store(rows + k * length, before[k]);
    if (n_radial > 1) store(rows + k * length + W, now[k]);
  }
  for (int n = 2; n < n_radial; n += 2) {
    Real* out = rows + n * W;
#pragma GCC unroll 4
    for (int k = 0; k < N; k++) {
      before[k] = t2[k] * now[k] - before[k];
      store(out + k * length, before[k]);
    }
    if (n + 1 == n_radial) break;
#pragma GCC unroll 4
    for (int k = 0; k < N; k++) {
      now[k] = t2[k] * before[k] - now[k];
      store(out + k * length + W, now[k]);
    }
  }
}

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
