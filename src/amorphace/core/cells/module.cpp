// The Python module: grids, and the neighbours of some of their particles as arrays.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "arrays.hpp"
#include "search.hpp"

namespace amorphace {
namespace {

struct Pair {
  int64_t index;
  double q;  // squared distance
  Vec3 d;
  bool operator<(const Pair& other) const {
    return std::tie(index, q, d) < std::tie(other.index, other.q, other.d);
  }
};

// (first, index, vectors, distances, touching): the neighbours of sites[k] are first[k] to
// first[k + 1], by index, images of one particle by distance; touching is a site with another
// particle on top of it, or -1.
nb::tuple pairs(const CellGrid& grid, Indices sites, double coincident) {
  check_sites(grid, sites);
  const size_t n = sites.shape(0);
  int64_t touching = -1;
  const Visits visits(grid, sites.data(), int64_t(n));
  Search search(grid, coincident);
  // calls `use` with the place of each site and how many neighbours `search` has found
  const auto each = [&](bool sorted, const auto& use) {
    nb::gil_scoped_release release;
    for (int64_t c = 0; c < visits.n_cells(); c++) {
      search.enter(visits.cells[c]);
      if (sorted) search.sort_by_particle();  // once for all sites of the cell
      for (int64_t v = visits.first[c]; v < visits.first[c + 1]; v++)
        use(visits.visits[v].place, search.find(visits.visits[v].slot));
    }
  };
  Owned<int64_t> first(n + 1);
  first[0] = 0;
  each(false, [&](int64_t place, int64_t found) {
    if (coincident >= 0 && search.n_coincident() != 1) touching = sites.data()[place];
    first[place + 1] = found;
  });
  for (size_t k = 0; k < n; k++) first[k + 1] += first[k];
  const size_t n_pairs = first[n];
  Owned<int64_t> index(n_pairs);
  Owned<double> vectors(3 * n_pairs), distances(n_pairs);
  std::vector<Pair> own;
  each(true, [&](int64_t place, int64_t found) {
    const Near& near = search.near;
    own.clear();
    for (int64_t k = 0; k < found; k++) {
      const Vec3 d{near.x[k], near.y[k], near.z[k]};
      own.push_back(
          {grid.particle_in(near.slot[k]), d[0] * d[0] + (d[1] * d[1] + d[2] * d[2]), d});
    }
    if (!std::is_sorted(own.begin(), own.end())) std::sort(own.begin(), own.end());  // images
    int64_t to = first[place];
    for (const Pair& pair : own) {
      index[to] = pair.index;
      distances[to] = std::sqrt(pair.q);
      std::copy_n(pair.d.begin(), 3, vectors.data() + 3 * to++);
    }
  });
  return nb::make_tuple(first.give({n + 1}), index.give({n_pairs}), vectors.give({n_pairs, 3}),
                        distances.give({n_pairs}), touching);
}

}  // namespace
}  // namespace amorphace

NB_MODULE(_cells, m) {
  using namespace amorphace;
  m.doc() = "The list of cells; neighbors.py is its Python face.";

  nb::class_<CellGrid>(m, "CellGrid")
      .def("__init__",
           [](CellGrid* self, Rows3 positions,
              nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> species,
              int n_species, Matrix3 cell, double cutoff) {
             if (species.shape(0) != positions.shape(0))
               throw std::invalid_argument("one species index a particle");
             for (size_t k = 0; k < species.shape(0); k++)
               if (species.data()[k] < 0 || species.data()[k] >= n_species)
                 throw std::invalid_argument("a species index lies outside the plan");
             new (self) CellGrid(int64_t(positions.shape(0)), positions.data(), species.data(),
                                 n_species, cell.data(), cutoff);
           })
      .def("by_cell",
           [](const CellGrid& grid, Indices sites) {
             check_sites(grid, sites);
             Owned<int64_t> order(sites.shape(0));
             grid.sort_by_cell(sites.data(), int64_t(sites.shape(0)), order.data());
             return order.give({sites.shape(0)});
           })
      .def("pairs", &pairs);
}
