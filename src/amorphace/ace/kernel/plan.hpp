// The plan that Python makes (plan.py says what every array means), read-only for the kernel.
#pragma once
#include <cstdint>
#include <vector>

namespace amorphace {

struct Plan {
  int n_species = 1, n_columns = 0, n_values = 0, n_slots = 0, l_max = 0;
  std::vector<int32_t> n_radial;
  std::vector<double> legendre, harmonic_norm;
  std::vector<int32_t> order1, order2;
  std::vector<int32_t> program_start, program_dim, program_count, program_term;
  std::vector<double> program_coefficient;
  std::vector<int32_t> pairs, pair_dot_start, pair_dots;
  std::vector<int32_t> tree_start, trees, order4;
  std::vector<double> tree_weight;
  std::vector<int32_t> moment_start, moment_index;
  std::vector<int32_t> correction_value, correction_start, correction_index;
  std::vector<double> moment_weight, correction_weight;

  // E(r) = -(Y(r) - Y(r_cut)) / (1 - Y(r_cut)) (1 - (r / r_cut)^4), Y(r) = y(r / scale)
  double cutoff = 0, scale = 0, a = 0, y_cut = 0;

  // Number of components of A, and where those of one species and one l begin.
  int n_components() const { return n_species * components_per_species(); }
  int components_per_species() const {
    int n = 0;
    for (int l = 0; l <= l_max; l++) n += n_radial[l] * (2 * l + 1);
    return n;
  }
  int offset(int z, int l) const {
    int n = z * components_per_species();
    for (int k = 0; k < l; k++) n += n_radial[k] * (2 * k + 1);
    return n;
  }
};

}  // namespace amorphace
