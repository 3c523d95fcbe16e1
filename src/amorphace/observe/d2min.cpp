// D2min of the sites of one configuration; d2min.py is its Python face and says what is computed.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "arrays.hpp"
#include "search.hpp"
#include "threads.hpp"

namespace amorphace {
namespace {

using Matrix = std::array<Vec3, 3>;

// A direction counts as not spanned by the neighbours when their squared extent along it is below
// this share of the largest one.
constexpr double kFlat = 1e-12;
// Determinant of M over that of a sphere: above this, M is far from singular.
constexpr double kRound = 1e-3;
// Squared lengths that differ by this fraction count as equal, so that rounding decides nothing.
constexpr double kRounding = 1e-12;

// Two doubles, wherever they lie.
typedef double Pair __attribute__((vector_size(16), aligned(8), may_alias));
inline Pair load(const double* p) { return *reinterpret_cast<const Pair*>(p); }
inline double sum(Pair v) { return v[0] + v[1]; }

Matrix matrix(const double* p) {
  Matrix m;
  std::memcpy(m.data(), p, sizeof m);
  return m;
}

Matrix times(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 3; k++) c[i][j] += a[i][k] * b[k][j];
  return c;
}

// Shortest images in a lattice given by a Minkowski-reduced cell (see nearest_image in
// displacements.py). Vectors shorter than `safe` are their own.
struct Lattice {
  Matrix h, inverse;
  double safe2;

  Vec3 nearest(Vec3 v) const {
    Vec3 n{};
    for (int d = 0; d < 3; d++)
      n[d] = std::nearbyint(v[0] * inverse[0][d] + v[1] * inverse[1][d] + v[2] * inverse[2][d]);
    for (int d = 0; d < 3; d++) v[d] -= n[0] * h[0][d] + n[1] * h[1][d] + n[2] * h[2][d];
    for (double here = square(v); here >= safe2; here = square(v)) {
      Vec3 best = v;
      for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
          for (int k = -1; k <= 1; k++) {
            Vec3 t;
            for (int d = 0; d < 3; d++) t[d] = v[d] + (i * h[0][d] + j * h[1][d] + k * h[2][d]);
            if (square(t) < square(best)) best = t;
          }
      if (!(square(best) < (1 - kRounding) * here)) break;
      v = best;
    }
    return v;
  }
  static double square(const Vec3& v) { return v[0] * v[0] + v[1] * v[1] + v[2] * v[2]; }
};

// Eigenvalues and vectors (columns) of a symmetric matrix, by Jacobi rotations.
void eigen(Matrix m, Vec3& values, Matrix& vectors) {
  vectors = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  const double size = std::abs(m[0][0]) + std::abs(m[1][1]) + std::abs(m[2][2]);
  for (int sweep = 0; sweep < 30; sweep++) {
    if (std::abs(m[0][1]) + std::abs(m[0][2]) + std::abs(m[1][2]) <= 1e-18 * size) break;
    for (int p = 0; p < 2; p++)
      for (int q = p + 1; q < 3; q++) {
        if (m[p][q] == 0) continue;
        const double theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
        const double t = std::copysign(1 / (std::abs(theta) + std::hypot(theta, 1.0)), theta);
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (int k = 0; k < 3; k++) {
          const double a = m[k][p], b = m[k][q];
          m[k][p] = c * a - s * b, m[k][q] = s * a + c * b;
        }
        for (int k = 0; k < 3; k++) {
          const double a = m[p][k], b = m[q][k];
          m[p][k] = c * a - s * b, m[q][k] = s * a + c * b;
        }
        for (int k = 0; k < 3; k++) {
          const double a = vectors[k][p], b = vectors[k][q];
          vectors[k][p] = c * a - s * b, vectors[k][q] = s * a + c * b;
        }
      }
  }
  values = {m[0][0], m[1][1], m[2][2]};
}

// Pseudo-inverse of M, symmetric and not negative, and the projector on what it spans.
void pseudo_inverse(const Matrix& m, Matrix& inverse, Matrix& span) {
  Matrix cofactor;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) {
      const int a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
      cofactor[j][i] = m[a][c] * m[b][d] - m[a][d] * m[b][c];
    }
  const double det =
      m[0][0] * cofactor[0][0] + m[0][1] * cofactor[1][0] + m[0][2] * cofactor[2][0];
  const double mean = (m[0][0] + m[1][1] + m[2][2]) / 3;
  if (det > kRound * mean * mean * mean) {
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) inverse[i][j] = cofactor[i][j] / det, span[i][j] = i == j;
    return;
  }
  Vec3 extent;
  Matrix axes;
  eigen(m, extent, axes);
  const double largest = std::max({extent[0], extent[1], extent[2]});
  inverse = span = {};
  for (int k = 0; k < 3; k++) {
    if (!(extent[k] > kFlat * largest)) continue;
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) {
        span[i][j] += axes[i][k] * axes[j][k];
        inverse[i][j] += axes[i][k] * axes[j][k] / extent[k];
      }
  }
}

// What all threads share.
struct Shared {
  const CellGrid& grid;
  const Visits visits;
  const Matrix F;
  const Lattice lattice;
  const double coincident;
  const bool normalize;
  double *residual, *map;
  std::vector<double> u[3];  // by slot
  std::atomic<int64_t> touching{-1};
  Queue queue;
};

class Worker {
 public:
  explicit Worker(Shared& shared) : s_(shared), search_(shared.grid, shared.coincident) {}

  void run() {
    s_.queue.take(s_.visits.n_cells(), [this](int64_t c) {
      search_.enter(s_.visits.cells[c]);
      for (auto& row : w_) row.resize(search_.near.slot.size());
      for (int64_t k = s_.visits.first[c]; k < s_.visits.first[c + 1]; k++)
        fit(s_.visits.visits[k].place, s_.visits.visits[k].slot);
    });
  }

 private:
  // min over G of sum_j |w_j - G d0_j|^2 with w_j = u_j - u_i: G = (sum w d0^T) M^-1.
  void fit(int64_t place, int64_t slot) {
    const int64_t n = search_.find(slot);
    if (search_.n_coincident() != 1) {
      s_.touching = slot;
      s_.queue.stop = true;
      return;
    }
    relative_displacements(slot, n);
    Near& near = search_.near;
    double *x = near.x.data(), *y = near.y.data(), *z = near.z.data();
    double *wx = w_[0].data(), *wy = w_[1].data(), *wz = w_[2].data();
    if (n % 2) x[n] = y[n] = z[n] = wx[n] = wy[n] = wz[n] = 0;
    Matrix M, inverse, span;
    {
      Pair xx{}, xy{}, xz{}, yy{}, yz{}, zz{};
      for (int64_t k = 0; k < n; k += 2) {
        const Pair a = load(x + k), b = load(y + k), c = load(z + k);
        xx += a * a, xy += a * b, xz += a * c, yy += b * b, yz += b * c, zz += c * c;
      }
      M = {{{sum(xx), sum(xy), sum(xz)}, {sum(xy), sum(yy), sum(yz)}, {sum(xz), sum(yz), sum(zz)}}};
    }
    pseudo_inverse(M, inverse, span);
    Pair W[3][3] = {};
    for (int64_t k = 0; k < n; k += 2) {
      const Pair d[3] = {load(x + k), load(y + k), load(z + k)};
      const Pair w[3] = {load(wx + k), load(wy + k), load(wz + k)};
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) W[i][j] += w[i] * d[j];
    }
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) M[i][j] = sum(W[i][j]);
    const Matrix G = times(M, inverse);
    Pair rest{};
    for (int64_t k = 0; k < n; k += 2) {
      const Pair a = load(x + k), b = load(y + k), c = load(z + k);
      const Pair p = load(wx + k) - (G[0][0] * a + G[0][1] * b + G[0][2] * c),
                 q = load(wy + k) - (G[1][0] * a + G[1][1] * b + G[1][2] * c),
                 r = load(wz + k) - (G[2][0] * a + G[2][1] * b + G[2][2] * c);
      rest += p * p + q * q + r * r;
    }
    s_.residual[place] = sum(rest) / (s_.normalize ? double(std::max<int64_t>(n, 1)) : 1.0);
    const Matrix J = times(s_.F, span);
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 3; j++) s_.map[9 * place + 3 * i + j] = J[i][j] + G[i][j];
  }

  void relative_displacements(int64_t slot, int64_t n) {
    const int64_t* other = search_.near.slot.data();
    const double *ux = s_.u[0].data(), *uy = s_.u[1].data(), *uz = s_.u[2].data();
    const Vec3 own{ux[slot], uy[slot], uz[slot]};
    double *wx = w_[0].data(), *wy = w_[1].data(), *wz = w_[2].data();
    for (int64_t k = 0; k < n; k++) {
      const int64_t j = other[k];
      Vec3 w{ux[j] - own[0], uy[j] - own[1], uz[j] - own[2]};
      if (Lattice::square(w) >= s_.lattice.safe2) w = s_.lattice.nearest(w);
      wx[k] = w[0], wy[k] = w[1], wz[k] = w[2];
    }
  }

  Shared& s_;
  Search search_;
  std::vector<double> w_[3];
};

// (residual, J, touching); u is every particle's displacement that does not follow the cell, F the
// map of the cell, d1 = F d0; touching is a site with another particle on top of it, or -1.
nb::tuple d2min(const CellGrid& grid, Indices sites, Rows3 u, Matrix3 F, Matrix3 reduced_cell,
                Matrix3 inverse, double safe, double coincident, bool normalize, int n_threads) {
  check_sites(grid, sites);
  if (int64_t(u.shape(0)) != grid.size()) throw std::invalid_argument("one displacement a particle");
  const size_t n = sites.shape(0);
  Owned<double> residual(n), map(9 * n);
  int64_t touching = -1;
  {
    nb::gil_scoped_release release;
    Shared shared{grid,
                  Visits(grid, sites.data(), int64_t(n)),
                  matrix(F.data()),
                  {matrix(reduced_cell.data()), matrix(inverse.data()), safe * safe},
                  coincident,
                  normalize,
                  residual.data(),
                  map.data(),
                  {}};
    for (int d = 0; d < 3; d++) {
      shared.u[d].resize(grid.size());
      for (int64_t i = 0; i < grid.size(); i++) shared.u[d][grid.slot_of(i)] = u.data()[3 * i + d];
    }
    run_workers<Worker>(shared, n_threads, shared.visits.n_cells());
    if (shared.touching >= 0) touching = grid.particle_in(shared.touching);
  }
  return nb::make_tuple(residual.give({n}), map.give({n, 3, 3}), touching);
}

}  // namespace
}  // namespace amorphace

NB_MODULE(_d2min, m) {
  m.doc() = "The C++ evaluation of D2min; d2min.py is its Python face.";
  m.def("d2min", &amorphace::d2min);
}
