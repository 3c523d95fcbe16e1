// Vectors of the processor, by the compiler's vector extension; the few operations that it lacks.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE inline __attribute__((always_inline))

namespace amorphace {
namespace AMORPHACE_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64, kAccumulators = 28;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32, kAccumulators = 12;
#else
constexpr int kVectorBytes = 16, kAccumulators = 12;
#endif

template <class Real>
struct Simd {
  typedef Real V __attribute__((vector_size(kVectorBytes)));
  static constexpr int width = kVectorBytes / int(sizeof(Real));
};
template <class Real>
using V = typename Simd<Real>::V;

template <class Real>
INLINE V<Real> broadcast(Real x) {
  return x - V<Real>{};
}
template <class Real>
INLINE V<Real> load(const Real* p) {
  return *reinterpret_cast<const V<Real>*>(p);
}
template <class Real>
INLINE void store(Real* p, V<Real> v) {
  *reinterpret_cast<V<Real>*>(p) = v;
}
template <class Real>
INLINE V<Real> load_unaligned(const Real* p) {
  V<Real> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class Real>
INLINE void store_unaligned(Real* p, V<Real> v) {
  std::memcpy(p, &v, sizeof v);
}

// A loaded value that is used several times: read once, not again by each instruction.
template <class Real>
INLINE V<Real> in_register(V<Real> v) {
#if defined(__AVX512F__)
  __asm__("" : "+v"(v));
#endif
  return v;
}

template <class Real>
INLINE V<Real> sqrt(V<Real> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Real) == 8) return (V<Real>)_mm512_sqrt_pd((__m512d)v);
  else return (V<Real>)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
  if constexpr (sizeof(Real) == 8) return (V<Real>)_mm256_sqrt_pd((__m256d)v);
  else return (V<Real>)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
  if constexpr (sizeof(Real) == 8) return (V<Real>)_mm_sqrt_pd((__m128d)v);
  else return (V<Real>)_mm_sqrt_ps((__m128)v);
#else
  V<Real> r;
  for (int k = 0; k < Simd<Real>::width; k++) r[k] = std::sqrt(v[k]);
  return r;
#endif
}

// Whether 1 / v and 1 / sqrt(v) come by Newton steps from an estimate of 14 bits, each of which
// doubles the bits: divisions and roots keep the processor waiting.
#if defined(__AVX512F__)
constexpr bool kNewton = true;
#else
constexpr bool kNewton = false;
#endif
template <class Real>
constexpr int kNewtonSteps = sizeof(Real) == 8 ? 2 : 1;

template <class Real>
INLINE V<Real> inverse(V<Real> v) {
#if defined(__AVX512F__)
  V<Real> y;
  if constexpr (sizeof(Real) == 8) y = (V<Real>)_mm512_rcp14_pd((__m512d)v);
  else y = (V<Real>)_mm512_rcp14_ps((__m512)v);
  for (int step = 0; step < kNewtonSteps<Real>; step++) y += y * (Real(1) - v * y);
  return y;
#else
  return Real(1) / v;
#endif
}

template <class Real>
INLINE V<Real> inverse_sqrt(V<Real> v) {
#if defined(__AVX512F__)
  V<Real> y;
  if constexpr (sizeof(Real) == 8) y = (V<Real>)_mm512_rsqrt14_pd((__m512d)v);
  else y = (V<Real>)_mm512_rsqrt14_ps((__m512)v);
  for (int step = 0; step < kNewtonSteps<Real>; step++)
    y += (Real(0.5) * y) * (Real(1) - v * y * y);
  return y;
#else
  return Real(1) / sqrt<Real>(v);
#endif
}

template <class Real>
INLINE Real sum(V<Real> v) {
  Real s = v[0];
  for (int k = 1; k < Simd<Real>::width; k++) s += v[k];
  return s;
}

// Lanes of the lower halves of two vectors in turn, and of the upper halves.
template <class Real, int... K>
INLINE void riffle(V<Real> a, V<Real> b, V<Real>& low, V<Real>& high,
                   std::integer_sequence<int, K...>) {
  constexpr int W = Simd<Real>::width;
  low = __builtin_shufflevector(a, b, (K / 2 + K % 2 * W)...);
  high = __builtin_shufflevector(a, b, (W / 2 + K / 2 + K % 2 * W)...);
}

// v[i][k] becomes v[k][i], for `width` vectors: a riffle moves the top bit of i to the bottom of k
// and the top bit of k to the bottom of i, so log2(width) of them exchange i and k.
template <class Real>
INLINE void transpose(V<Real>* v) {
  constexpr int W = Simd<Real>::width;
#pragma GCC unroll 4
  for (int step = 1; step < W; step *= 2) {
    V<Real> next[W];
#pragma GCC unroll 8
    for (int i = 0; i < W / 2; i++)
      riffle<Real>(v[i], v[i + W / 2], next[2 * i], next[2 * i + 1],
                   std::make_integer_sequence<int, W>());
#pragma GCC unroll 16
    for (int i = 0; i < W; i++) v[i] = next[i];
  }
}

// out[i] = sum of the lanes of v[i].
template <int N, class Real>
INLINE void add_lanes(const V<Real>* v, Real* out) {
  int i = 0;
#if defined(__AVX512F__)
  if constexpr (sizeof(Real) == 8) {
    for (; i + 8 <= N; i += 8) {
      __m512d u[4], w[2];
      for (int k = 0; k < 4; k++) {
        const __m512d p = (__m512d)v[i + 2 * k], q = (__m512d)v[i + 2 * k + 1];
        u[k] = _mm512_add_pd(_mm512_unpacklo_pd(p, q), _mm512_unpackhi_pd(p, q));
      }
      for (int k = 0; k < 2; k++)
        w[k] = _mm512_add_pd(_mm512_shuffle_f64x2(u[2 * k], u[2 * k + 1], 0x88),
                             _mm512_shuffle_f64x2(u[2 * k], u[2 * k + 1], 0xdd));
      _mm512_storeu_pd(out + i, _mm512_add_pd(_mm512_shuffle_f64x2(w[0], w[1], 0x88),
                                              _mm512_shuffle_f64x2(w[0], w[1], 0xdd)));
    }
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Real) == 8) {
    for (; i + 4 <= N; i += 4) {
      const __m256d p = _mm256_hadd_pd((__m256d)v[i], (__m256d)v[i + 1]);
      const __m256d q = _mm256_hadd_pd((__m256d)v[i + 2], (__m256d)v[i + 3]);
      _mm256_storeu_pd(out + i, _mm256_add_pd(_mm256_permute2f128_pd(p, q, 0x20),
                                              _mm256_permute2f128_pd(p, q, 0x31)));
    }
  } else {
    for (; i + 8 <= N; i += 8) {
      __m256 u[4];
      for (int k = 0; k < 4; k++)
        u[k] = _mm256_hadd_ps((__m256)v[i + 2 * k], (__m256)v[i + 2 * k + 1]);
      const __m256 p = _mm256_hadd_ps(u[0], u[1]), q = _mm256_hadd_ps(u[2], u[3]);
      _mm256_storeu_ps(out + i, _mm256_add_ps(_mm256_permute2f128_ps(p, q, 0x20),
                                              _mm256_permute2f128_ps(p, q, 0x31)));
    }
  }
#endif
  for (; i < N; i++) out[i] = sum<Real>(v[i]);
}

}  // namespace AMORPHACE_ISA
}  // namespace amorphace
