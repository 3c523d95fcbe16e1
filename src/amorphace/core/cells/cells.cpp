#include "cells.hpp"

#include <algorithm>
#include <cmath>

namespace amorphace {
namespace {

// Cells per cutoff: smaller cells give fewer candidates, and fewer sites to share them.
constexpr double kCellsPerCutoff = 2.0;

double dot(const double* a, const double* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

int64_t floor_divide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

}  // namespace

CellGrid::CellGrid(int64_t n, const double* positions, const int32_t* species, int n_species,
                   const double* cell, double cutoff)
    : n_species_(n_species), cutoff_(cutoff) {
  for (int d = 0; d < 3; d++)
    for (int e = 0; e < 3; e++) cell_[d][e] = cell[3 * d + e];
  double normal[3][3];  // b x c, c x a, a x b
  for (int d = 0; d < 3; d++) {
    const double *p = cell_[(d + 1) % 3], *q = cell_[(d + 2) % 3];
    for (int e = 0; e < 3; e++)
      normal[d][e] = p[(e + 1) % 3] * q[(e + 2) % 3] - p[(e + 2) % 3] * q[(e + 1) % 3];
  }
  const double volume = dot(cell_[0], normal[0]);
  for (int d = 0; d < 3; d++) {
    for (int e = 0; e < 3; e++) inverse_[e][d] = normal[d][e] / volume;
    const double height = std::abs(volume) / std::sqrt(dot(normal[d], normal[d]));
    n_cells_[d] = std::max<int64_t>(1, int64_t(height * kCellsPerCutoff / cutoff));
    // no more cells than particles: a nearly empty box needs no fine grid
    n_cells_[d] = std::min(n_cells_[d], std::max<int64_t>(1, int64_t(std::cbrt(4.0 * n)) + 1));
    total_cells_ *= n_cells_[d];
  }
  std::vector<double> wrapped(3 * n);
  start_.assign(total_cells_ * n_species + 1, 0);
  cell_of_.resize(n);
  slot_of_.resize(n);
  particle_in_.resize(n);
  for (int64_t i = 0; i < n; i++) {
    int64_t index[3];
    double s[3];
    for (int d = 0; d < 3; d++) {
      s[d] = 0;
      for (int e = 0; e < 3; e++) s[d] += positions[3 * i + e] * inverse_[e][d];
      s[d] -= std::floor(s[d]);
      index[d] = std::min(n_cells_[d] - 1, int64_t(s[d] * double(n_cells_[d])));
    }
    for (int e = 0; e < 3; e++)
      wrapped[3 * i + e] = s[0] * cell_[0][e] + s[1] * cell_[1][e] + s[2] * cell_[2][e];
    cell_of_[i] = (index[2] * n_cells_[1] + index[1]) * n_cells_[0] + index[0];
    start_[species[i] * total_cells_ + cell_of_[i] + 1]++;
  }
  for (size_t k = 1; k < start_.size(); k++) start_[k] += start_[k - 1];
  std::vector<int64_t> next(start_.begin(), start_.end() - 1);
  for (auto& coordinate : wrapped_) coordinate.resize(n + 8);  // room to load a whole vector
  for (int64_t i = 0; i < n; i++) {
    const int64_t slot = next[species[i] * total_cells_ + cell_of_[i]]++;
    slot_of_[i] = slot;
    particle_in_[slot] = i;
    for (int d = 0; d < 3; d++) wrapped_[d][slot] = wrapped[3 * i + d];
  }
  build_stencil();
}

void CellGrid::sort_by_cell(const int64_t* sites, int64_t n, int64_t* order) const {
  std::vector<int64_t> cell(n);
  for (int64_t k = 0; k < n; k++) cell[k] = cell_of_[sites[k]];
  if (total_cells_ > 4 * n) {  // counting all cells would take longer
    for (int64_t k = 0; k < n; k++) order[k] = k;
    std::stable_sort(order, order + n, [&](int64_t a, int64_t b) { return cell[a] < cell[b]; });
    return;
  }
  std::vector<int64_t> next(total_cells_ + 1, 0);
  for (int64_t k = 0; k < n; k++) next[cell[k] + 1]++;
  for (int64_t c = 0; c < total_cells_; c++) next[c + 1] += next[c];
  for (int64_t k = 0; k < n; k++) order[next[cell[k]]++] = k;
}

// Offsets of the cells that may hold a neighbour of a particle in the home cell. Two cells whose
// centres are |c| apart hold no pair closer than |c| less the diameter of a cell.
void CellGrid::build_stencil() {
  double step[3][3], corner = 0;
  for (int d = 0; d < 3; d++)
    for (int e = 0; e < 3; e++) step[d][e] = cell_[d][e] / double(n_cells_[d]);
  for (int k = 0; k < 4; k++) {  // half the longest diagonal
    double v[3];
    for (int e = 0; e < 3; e++)
      v[e] = 0.5 * (step[0][e] + (k & 1 ? -1 : 1) * step[1][e] + (k & 2 ? -1 : 1) * step[2][e]);
    corner = std::max(corner, std::sqrt(dot(v, v)));
  }
  reach_ = (cutoff_ + corner) * (1 + 1e-9);
  const double limit = reach_ + corner;
  int range[3];
  for (int d = 0; d < 3; d++) {
    const double inverse_height =
        std::sqrt(inverse_[0][d] * inverse_[0][d] + inverse_[1][d] * inverse_[1][d] +
                  inverse_[2][d] * inverse_[2][d]);
    range[d] = 1 + int(cutoff_ * inverse_height * double(n_cells_[d]));
  }
  for (int k2 = -range[2]; k2 <= range[2]; k2++)
    for (int k1 = -range[1]; k1 <= range[1]; k1++) {
      Row row{k1, k2, 1, 0};
      for (int k0 = -range[0]; k0 <= range[0]; k0++) {
        double v[3];
        for (int e = 0; e < 3; e++) v[e] = k0 * step[0][e] + k1 * step[1][e] + k2 * step[2][e];
        if (dot(v, v) >= limit * limit) continue;
        if (row.last < row.first) row.first = k0;
        row.last = k0;
      }
      if (row.first <= row.last) stencil_.push_back(row);
    }
}

void CellGrid::index_of(int64_t home, int64_t index[3]) const {
  index[0] = home % n_cells_[0];
  index[1] = home / n_cells_[0] % n_cells_[1];
  index[2] = home / (n_cells_[0] * n_cells_[1]);
}

Vec3 CellGrid::centre(int64_t cell) const {
  int64_t index[3];
  index_of(cell, index);
  Vec3 c{};
  for (int d = 0; d < 3; d++)
    for (int e = 0; e < 3; e++)
      c[e] += (double(index[d]) + 0.5) / double(n_cells_[d]) * cell_[d][e];
  return c;
}

void CellGrid::candidates(int64_t home, std::vector<Run>& runs,
                          std::vector<int64_t>& segment) const {
  int64_t index[3];
  index_of(home, index);
  const Vec3 c = centre(home);
  runs.clear();
  segment.assign(1, 0);
  for (int z = 0; z < n_species_; z++) {
    const int64_t* start = start_.data() + z * total_cells_;
    for (const Row& row : stencil_) {
      const int64_t k1 = index[1] + row.k1, k2 = index[2] + row.k2;
      const int64_t wraps1 = floor_divide(k1, n_cells_[1]), wraps2 = floor_divide(k2, n_cells_[2]);
      const int64_t line = ((k2 - wraps2 * n_cells_[2]) * n_cells_[1] + k1 - wraps1 * n_cells_[1]) *
                           n_cells_[0];
      // the row leaves the box and enters it again, as often as it takes
      int64_t k0 = index[0] + row.first;
      const int64_t end = index[0] + row.last + 1;
      while (k0 < end) {
        const int64_t wraps0 = floor_divide(k0, n_cells_[0]), origin = wraps0 * n_cells_[0];
        const int64_t stop = std::min(end, origin + n_cells_[0]);
        const int64_t first = start[line + k0 - origin], last = start[line + stop - origin];
        if (first < last) {
          Run run{first, last, {}};
          for (int e = 0; e < 3; e++)  // without wraps this is -c, as in `from`: to the last bit
            run.shift[e] = double(wraps0) * cell_[0][e] + double(wraps1) * cell_[1][e] +
                           double(wraps2) * cell_[2][e] - c[e];
          runs.push_back(run);
        }
        k0 = stop;
      }
    }
    segment.push_back(int64_t(runs.size()));
  }
}

}  // namespace amorphace
