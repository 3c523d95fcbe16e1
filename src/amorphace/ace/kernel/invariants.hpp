// From A to the features of several sites at once: one site a lane.
#pragma once
#include <vector>

#include "plan.hpp"
#include "simd.hpp"

namespace amorphace {
namespace AMORPHACE_ISA {

// Many lanes share the reading of indices and coefficients; their values must fit the cache.
constexpr int kLaneVectors = kVectorBytes == 64 ? 2 : 4;
template <class Real>
constexpr int kLanes = kLaneVectors * Simd<Real>::width;

// One number for each lane.
template <class Real>
struct Lanes {
  V<Real> v[kLaneVectors];
  static INLINE Lanes zero() {
    Lanes r;
    for (int k = 0; k < kLaneVectors; k++) r.v[k] = broadcast(Real(0));
    return r;
  }
  static INLINE Lanes at(const Real* p) {
    Lanes r;
    for (int k = 0; k < kLaneVectors; k++) r.v[k] = load(p + k * Simd<Real>::width);
    return r;
  }
  INLINE void put(Real* p) const {
    for (int k = 0; k < kLaneVectors; k++) store(p + k * Simd<Real>::width, v[k]);
  }
  INLINE void add(Real c, const Lanes& a) {
    for (int k = 0; k < kLaneVectors; k++) v[k] += c * a.v[k];
  }
  INLINE void add(const Lanes& a, const Lanes& b) {
    for (int k = 0; k < kLaneVectors; k++) v[k] += a.v[k] * b.v[k];
  }
  INLINE void add(Real c, const Lanes& a, const Lanes& b) {
    for (int k = 0; k < kLaneVectors; k++) v[k] += c * (a.v[k] * b.v[k]);
  }
};

template <class Real>
class Invariants {
 public:
  explicit Invariants(const Plan& plan)
      : plan_(plan),
        legendre_(plan.legendre.begin(), plan.legendre.end()),
        norm_(plan.harmonic_norm.begin(), plan.harmonic_norm.end()),
        coefficient_(plan.program_coefficient.begin(), plan.program_coefficient.end()),
        tree_weight_(plan.tree_weight.begin(), plan.tree_weight.end()),
        moment_weight_(plan.moment_weight.begin(), plan.moment_weight.end()),
        correction_weight_(plan.correction_weight.begin(), plan.correction_weight.end()) {}

  // Room for pairs and moments, in lanes.
  int64_t scratch() const {
    return plan_.n_slots + 2 * plan_.l_max + 1 + int64_t(plan_.moment_start.size());
  }

  // A: components by lanes, Chebyshev sums on entry. B: values by lanes.
  void evaluate(Real* A, Real* B, Real* scratch) const {
    normalise(A);
    Real* T = scratch;
    Real* moments = scratch + (plan_.n_slots + 2 * plan_.l_max + 1) * W;
    first_order(A, B);
    second_order(A, B);
    third_order(A, T, B);
    fourth_order(T, B);
    purify(B, moments);
  }

 private:
  static constexpr int W = kLanes<Real>;
  using L = Lanes<Real>;

  // A_n = norm_lm sum_k legendre_nk A_k, for k of n's parity; downwards, so that it can be in place.
  void normalise(Real* A) const {
    const int n_all = plan_.n_radial[0];
    for (int z = 0; z < plan_.n_species; z++)
      for (int l = 0; l <= plan_.l_max; l++) {
        const int M = 2 * l + 1;
        Real* block = A + int64_t(plan_.offset(z, l)) * W;
        for (int n = plan_.n_radial[l] - 1; n >= 0; n--)
          for (int m = 0; m < M; m++) {
            L total = L::zero();
            for (int k = n; k >= 0; k -= 2)
              total.add(legendre_[n * n_all + k], L::at(block + (k * M + m) * W));
            L scaled = L::zero();
            scaled.add(norm_[l * l + m], total);
            scaled.put(block + (n * M + m) * W);
          }
      }
  }

  // B = A / Y_00 (eq. 7).
  void first_order(const Real* A, Real* B) const {
    const Real inverse_y00 = 1 / norm_[0];
    for (size_t k = 0; k < plan_.order1.size(); k += 2) {
      L b = L::zero();
      b.add(inverse_y00, L::at(A + plan_.order1[k] * W));
      b.put(B + plan_.order1[k + 1] * W);
    }
  }

  // sum_m a_m b_m
  static INLINE L dot(const Real* a, const Real* b, int M) {
    L total = L::zero();
#pragma GCC unroll 11
    for (int m = 0; m < M; m++) total.add(L::at(a + m * W), L::at(b + m * W));
    return total;
  }

  // B = sum_m A_m A_m (eq. 8, real harmonics).
  void second_order(const Real* A, Real* B) const {
    for (size_t k = 0; k < plan_.order2.size(); k += 4) {
      const int32_t* row = plan_.order2.data() + k;
      dot(A + row[0] * W, A + row[1] * W, row[2]).put(B + row[3] * W);
    }
  }

  // T_M = sum_m1,m2 3j(m1 m2 M) A_m1 A_m2 for every pair; B = sum_M T_M A_M (eq. 9).
  void third_order(const Real* A, Real* T, Real* B) const {
    const int n_pairs = int(plan_.pairs.size() / 4);
    for (int p = 0; p < n_pairs; p++) {
      const int32_t* pair = plan_.pairs.data() + 4 * p;
      Real* out = T + (pair[3] < 0 ? plan_.n_slots : pair[3]) * W;
      couple(A + pair[0] * W, A + pair[1] * W, pair[2], out);
      switch (plan_.program_dim[pair[2]]) {
        case 1: close<1>(p, out, A, B); break;
        case 3: close<3>(p, out, A, B); break;
        case 5: close<5>(p, out, A, B); break;
        case 7: close<7>(p, out, A, B); break;
        case 9: close<9>(p, out, A, B); break;
        case 11: close<11>(p, out, A, B); break;
        default: close<0>(p, out, A, B);
      }
    }
  }

  // B = sum_M T_M A_M for all features of a pair; D is the number of M where the compiler knows it.
  template <int D>
  INLINE void close(int pair, const Real* T, const Real* A, Real* B) const {
    const int M = D ? D : plan_.program_dim[plan_.pairs[4 * pair + 2]];
    for (int k = plan_.pair_dot_start[pair]; k < plan_.pair_dot_start[pair + 1]; k++)
      dot(T, A + plan_.pair_dots[2 * k] * W, M).put(B + plan_.pair_dots[2 * k + 1] * W);
  }

  INLINE void couple(const Real* a, const Real* b, int program, Real* out) const {
    int sum = plan_.program_start[2 * program], term = plan_.program_start[2 * program + 1];
    for (int M = 0; M < plan_.program_dim[program]; M++, sum++) {
      L total = L::zero();
      for (int end = term + plan_.program_count[sum]; term < end; term++)
        total.add(coefficient_[term], L::at(a + plan_.program_term[2 * term] * W),
                  L::at(b + plan_.program_term[2 * term + 1] * W));
      total.put(out + M * W);
    }
  }

  // B = sum over trees of weight (T . T)
  void fourth_order(const Real* T, Real* B) const {
    for (size_t k = 0; k < plan_.order4.size(); k++) {
      L total = L::zero();
      for (int t = plan_.tree_start[k]; t < plan_.tree_start[k + 1]; t++) {
        const int32_t* tree = plan_.trees.data() + 3 * t;
        total.add(tree_weight_[t], dot(T + tree[0] * W, T + tree[1] * W, tree[2]));
      }
      total.put(B + plan_.order4[k] * W);
    }
  }

  // B += P Q B (eq. 13): moments of the unpurified features first, then the corrections.
  void purify(Real* B, Real* moments) const {
    const int n_moments = int(plan_.moment_start.size()) - 1;
    for (int s = 0; s < n_moments; s++) {
      L total = L::zero();
      for (int k = plan_.moment_start[s]; k < plan_.moment_start[s + 1]; k++)
        total.add(moment_weight_[k], L::at(B + plan_.moment_index[k] * W));
      total.put(moments + s * W);
    }
    for (size_t row = 0; row < plan_.correction_value.size(); row++) {
      Real* b = B + int64_t(plan_.correction_value[row]) * W;
      L total = L::at(b);
      for (int k = plan_.correction_start[row]; k < plan_.correction_start[row + 1]; k++)
        total.add(correction_weight_[k], L::at(moments + plan_.correction_index[k] * W));
      total.put(b);
    }
  }

  const Plan& plan_;
  std::vector<Real> legendre_, norm_, coefficient_, tree_weight_, moment_weight_,
      correction_weight_;
};

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
