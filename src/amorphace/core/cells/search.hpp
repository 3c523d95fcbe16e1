// Neighbours of one particle after another, cell by cell.
#pragma once
#include <cstdint>
#include <vector>

#include "cells.hpp"

namespace amorphace {

// Sites in the order of their cells.
struct Visits {
  struct Visit {
    int64_t place, slot;  // in the list of sites; in the grid
  };
  std::vector<Visit> visits;
  std::vector<int64_t> cells;  // those that hold sites
  std::vector<int64_t> first;  // where each of them begins in `visits`
  Visits(const CellGrid& grid, const int64_t* sites, int64_t n);
  int64_t n_cells() const { return int64_t(cells.size()); }
};

// Separations and slots of some particles; four more may be read and written than are wanted.
struct Near {
  std::vector<double> x, y, z;
  std::vector<int64_t> slot;
  void reserve(int64_t n);
};

class Search {
 public:
  // Particles as close as `coincident` or closer are no neighbours; below zero the particle itself
  // is one, and all that lie on top of it.
  Search(const CellGrid& grid, double coincident);
  // Turns to the particles of a cell.
  void enter(int64_t cell);
  // Neighbours in this cell are then found in ascending order of particle index.
  void sort_by_particle();
  // How many neighbours the particle in a slot of this cell has; they stand in `near`.
  int64_t find(int64_t slot);
  // How many particles were too close to be neighbours: one, the particle itself, if all is well.
  int64_t n_coincident() const { return n_coincident_; }

  Near near;

 private:
  const CellGrid& grid_;
  double far2_, near2_;
  Vec3 centre_{};
  std::vector<CellGrid::Run> runs_;
  std::vector<int64_t> segment_;
  Near around_, sorted_;
  int64_t n_around_ = 0, n_coincident_ = 0;
};

}  // namespace amorphace
