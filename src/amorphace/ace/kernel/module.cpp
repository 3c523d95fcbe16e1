// The Python module: plans as objects, and the choice of the processor's code.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <string>

#include "arrays.hpp"
#include "job.hpp"

namespace amorphace {

#define AMORPHACE_DECLARE(isa) \
  namespace isa {              \
  extern const Backend backend; \
  }
#if defined(AMORPHACE_X86)
AMORPHACE_DECLARE(x86_64_v2)
AMORPHACE_DECLARE(x86_64_v3)
AMORPHACE_DECLARE(x86_64_v4)
#endif
AMORPHACE_DECLARE(portable)

namespace {

// The backends that this processor can run, best first.
std::vector<const Backend*> runnable() {
  std::vector<const Backend*> out;
#if defined(AMORPHACE_X86)
  __builtin_cpu_init();
  const bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
  const bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (v4) out.push_back(&x86_64_v4::backend);
  if (v3) out.push_back(&x86_64_v3::backend);
  if (v2) out.push_back(&x86_64_v2::backend);
#endif
  out.push_back(&portable::backend);
  return out;
}

const Backend& backend(const std::string& name) {
  for (const Backend* b : runnable())
    if (name.empty() || name == b->name) return *b;
  throw std::invalid_argument("this processor cannot run the kernel '" + name + "'");
}

template <class T>
using Array = nb::ndarray<const T, nb::numpy, nb::c_contig, nb::device::cpu>;

template <class T>
std::vector<T> copy(const nb::dict& arrays, const char* name) {
  const auto a = nb::cast<Array<T>>(arrays[name]);
  return std::vector<T>(a.data(), a.data() + a.size());
}

Plan make_plan(const nb::dict& d, int n_species, int n_columns, int n_values, int n_slots,
               double cutoff, double scale, double a, double y_cut) {
  Plan p;
  p.n_species = n_species, p.n_columns = n_columns, p.n_values = n_values, p.n_slots = n_slots;
  p.cutoff = cutoff, p.scale = scale, p.a = a, p.y_cut = y_cut;
  p.n_radial = copy<int32_t>(d, "n_radial");
  p.l_max = int(p.n_radial.size()) - 1;
  p.legendre = copy<double>(d, "legendre");
  p.harmonic_norm = copy<double>(d, "harmonic_norm");
  p.order1 = copy<int32_t>(d, "order1");
  p.order2 = copy<int32_t>(d, "order2");
  p.program_start = copy<int32_t>(d, "program_start");
  p.program_dim = copy<int32_t>(d, "program_dim");
  p.program_count = copy<int32_t>(d, "program_count");
  p.program_term = copy<int32_t>(d, "program_term");
  p.program_coefficient = copy<double>(d, "program_coefficient");
  p.pairs = copy<int32_t>(d, "pairs");
  p.pair_dot_start = copy<int32_t>(d, "pair_dot_start");
  p.pair_dots = copy<int32_t>(d, "pair_dots");
  p.tree_start = copy<int32_t>(d, "tree_start");
  p.trees = copy<int32_t>(d, "trees");
  p.tree_weight = copy<double>(d, "tree_weight");
  p.order4 = copy<int32_t>(d, "order4");
  p.moment_start = copy<int32_t>(d, "moment_start");
  p.moment_index = copy<int32_t>(d, "moment_index");
  p.moment_weight = copy<double>(d, "moment_weight");
  p.correction_value = copy<int32_t>(d, "correction_value");
  p.correction_start = copy<int32_t>(d, "correction_start");
  p.correction_index = copy<int32_t>(d, "correction_index");
  p.correction_weight = copy<double>(d, "correction_weight");
  return p;
}

template <class Real>
nb::tuple evaluate(const Plan& plan, const CellGrid& grid,
                   Indices sites, Indices rows,
                   nb::ndarray<Real, nb::ndim<2>, nb::c_contig, nb::device::cpu> out,
                   int n_threads, double coincident, const std::string& name, bool measure) {
  if (rows.shape(0) != sites.shape(0) || int(out.shape(1)) != plan.n_columns)
    throw std::invalid_argument("one row a site, of n_columns");
  for (size_t k = 0; k < rows.shape(0); k++)
    if (rows.data()[k] < 0 || rows.data()[k] >= int64_t(out.shape(0)))
      throw std::invalid_argument("a row lies outside the output");
  check_sites(grid, sites);
  Job job;
  job.plan = &plan, job.grid = &grid;
  job.n_sites = int64_t(sites.shape(0)), job.sites = sites.data(), job.rows = rows.data();
  job.out = out.data(), job.row_stride = int64_t(out.shape(1));
  job.n_threads = n_threads, job.coincident = coincident, job.measure = measure;
  const Backend& b = backend(name);
  {
    nb::gil_scoped_release release;
    if constexpr (sizeof(Real) == 8) b.evaluate64(job);
    else b.evaluate32(job);
  }
  nb::list seconds;
  for (double s : job.seconds) seconds.append(s);
  return nb::make_tuple(job.touching, seconds);
}

}  // namespace
}  // namespace amorphace

NB_MODULE(_kernel, m) {
  using namespace amorphace;
  m.doc() = "The C++ evaluation of the cluster expansion; evaluator.py is its Python face.";

  nb::class_<Plan>(m, "Plan").def("__init__", [](Plan* self, const nb::dict& arrays, int n_species,
                                                  int n_columns, int n_values, int n_slots,
                                                  double cutoff, double scale, double a,
                                                  double y_cut) {
    new (self) Plan(make_plan(arrays, n_species, n_columns, n_values, n_slots, cutoff, scale, a,
                              y_cut));
  });

  m.def("evaluate64", &evaluate<double>);
  m.def("evaluate32", &evaluate<float>);
  m.def("peak", [](const std::string& name, bool wide) {
    nb::gil_scoped_release release;
    return wide ? backend(name).peak64() : backend(name).peak32();
  });
  m.def("backends", [] {
    std::vector<std::string> names;
    for (const Backend* b : runnable()) names.emplace_back(b->name);
    return names;
  });
  m.attr("compiler") = __VERSION__;
  m.attr("stages") = nb::make_tuple("neighbours", "R and Y", "projection", "invariants", "output");
}
