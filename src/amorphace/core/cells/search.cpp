#include "search.hpp"

#include <algorithm>
#include <utility>

namespace amorphace {

Visits::Visits(const CellGrid& grid, const int64_t* sites, int64_t n) {
  std::vector<int64_t> order(n);
  grid.sort_by_cell(sites, n, order.data());
  visits.reserve(n);
  for (int64_t k : order) {
    const int64_t cell = grid.cell_of(sites[k]);
    if (cells.empty() || cell != cells.back()) {
      first.push_back(int64_t(visits.size()));
      cells.push_back(cell);
    }
    visits.push_back({k, grid.slot_of(sites[k])});
  }
  first.push_back(n);
}

void Near::reserve(int64_t n) {
  if (n + 4 <= int64_t(slot.size())) return;
  for (auto* row : {&x, &y, &z}) row->resize(2 * n + 4);
  slot.resize(2 * n + 4);
}

Search::Search(const CellGrid& grid, double coincident)
    : grid_(grid),
      far2_(grid.cutoff() * grid.cutoff()),
      near2_(coincident < 0 ? -1.0 : coincident * coincident) {}

// Every candidate is written and the next one takes its place unless it is kept: no branches.
void Search::enter(int64_t cell) {
  centre_ = grid_.centre(cell);
  grid_.candidates(cell, runs_, segment_);
  int64_t room = 0;
  for (const CellGrid::Run& run : runs_) room += run.last - run.first;
  around_.reserve(room);
  near.reserve(room);
  const double *from_x = grid_.coordinate(0), *from_y = grid_.coordinate(1),
               *from_z = grid_.coordinate(2), reach2 = grid_.reach() * grid_.reach();
  double *x = around_.x.data(), *y = around_.y.data(), *z = around_.z.data();
  int64_t* slot = around_.slot.data();
  int64_t n = 0;
  for (const CellGrid::Run& run : runs_)
    for (int64_t k = run.first; k < run.last; k++) {
      const double a = from_x[k] + run.shift[0], b = from_y[k] + run.shift[1],
                   c = from_z[k] + run.shift[2];
      x[n] = a, y[n] = b, z[n] = c, slot[n] = k;
      n += a * a + (b * b + c * c) < reach2;
    }
  n_around_ = n;
}

void Search::sort_by_particle() {
  std::vector<std::pair<int64_t, int64_t>> order(n_around_);  // particle, place in `around_`
  for (int64_t k = 0; k < n_around_; k++) order[k] = {grid_.particle_in(around_.slot[k]), k};
  std::sort(order.begin(), order.end());
  sorted_.reserve(n_around_);
  for (int64_t k = 0; k < n_around_; k++) {
    const int64_t from = order[k].second;
    sorted_.x[k] = around_.x[from], sorted_.y[k] = around_.y[from];
    sorted_.z[k] = around_.z[from], sorted_.slot[k] = around_.slot[from];
  }
  std::swap(around_, sorted_);
}

int64_t Search::find(int64_t of) {
  const Vec3 p = grid_.from(centre_, of);
  const double *from_x = around_.x.data(), *from_y = around_.y.data(), *from_z = around_.z.data();
  const int64_t* from_slot = around_.slot.data();
  double *x = near.x.data(), *y = near.y.data(), *z = near.z.data();
  int64_t* slot = near.slot.data();
  const double far2 = far2_, near2 = near2_;
  int64_t n = 0, touching = 0;
  for (int64_t k = 0; k < n_around_; k++) {
    const double a = from_x[k] - p[0], b = from_y[k] - p[1], c = from_z[k] - p[2];
    const double q = a * a + (b * b + c * c);
    x[n] = a, y[n] = b, z[n] = c, slot[n] = from_slot[k];
    touching += q <= near2;
    n += (q < far2) & (q > near2);
  }
  n_coincident_ = touching;
  return n;
}

}  // namespace amorphace
