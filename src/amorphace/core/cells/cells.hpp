// A periodic grid of cells: which particles can be neighbours of the particles in one cell.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

namespace amorphace {

using Vec3 = std::array<double, 3>;

class CellGrid {
 public:
  // positions (n, 3) row by row; species (n) below n_species; cell rows a b c.
  CellGrid(int64_t n, const double* positions, const int32_t* species, int n_species,
           const double* cell, double cutoff);

  // Particles of one species in a row of cells: slots first to last, moved by `shift` into the
  // frame of the home cell's centre.
  struct Run {
    int64_t first, last;
    Vec3 shift;
  };
  // The runs that hold every neighbour of the particles in `home`; those of species z are
  // segment[z] to segment[z + 1].
  void candidates(int64_t home, std::vector<Run>& runs, std::vector<int64_t>& segment) const;

  // The order of the sites by cell; those in one cell stay in the order in which they come.
  void sort_by_cell(const int64_t* sites, int64_t n, int64_t* order) const;

  int64_t size() const { return int64_t(cell_of_.size()); }
  int64_t cell_of(int64_t particle) const { return cell_of_[particle]; }
  int64_t slot_of(int64_t particle) const { return slot_of_[particle]; }
  int64_t particle_in(int64_t slot) const { return particle_in_[slot]; }
  Vec3 centre(int64_t cell) const;
  // Wrapped position of the particle in a slot relative to the centre of its cell.
  Vec3 from(const Vec3& centre, int64_t slot) const {
    return {wrapped_[0][slot] - centre[0], wrapped_[1][slot] - centre[1],
            wrapped_[2][slot] - centre[2]};
  }
  double cutoff() const { return cutoff_; }
  // Neighbours of particles in a cell lie closer than this to the cell's centre.
  double reach() const { return reach_; }
  // Wrapped coordinates by slot: slots are sorted by species, then cell.
  const double* coordinate(int d) const { return wrapped_[d].data(); }

 private:
  // Cells first to last along a, at k1 along b and k2 along c, counted from the home cell.
  struct Row {
    int k1, k2, first, last;
  };
  void index_of(int64_t home, int64_t index[3]) const;
  void build_stencil();

  int n_species_;
  double cutoff_, reach_ = 0;
  double cell_[3][3], inverse_[3][3];
  int64_t n_cells_[3];
  int64_t total_cells_ = 1;
  std::vector<int64_t> start_;              // (species, cell) -> first slot
  std::vector<int64_t> cell_of_, slot_of_;  // by particle
  std::vector<int64_t> particle_in_;        // by slot
  std::vector<double> wrapped_[3];          // by slot
  std::vector<Row> stencil_;
};

}  // namespace amorphace
