// Arrays that go to Python and come from there.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "cells.hpp"

namespace amorphace {

namespace nb = nanobind;

using Indices = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rows3 = nb::ndarray<const double, nb::shape<-1, 3>, nb::c_contig, nb::device::cpu>;
using Matrix3 = nb::ndarray<const double, nb::shape<3, 3>, nb::c_contig, nb::device::cpu>;

// Memory that a NumPy array takes over.
template <class T>
class Owned {
 public:
  explicit Owned(size_t n) : data_(new T[n]) {}
  T* data() { return data_.get(); }
  T& operator[](size_t k) { return data_[k]; }
  nb::ndarray<nb::numpy, T> give(std::initializer_list<size_t> shape) {
    T* const p = data_.release();
    nb::capsule owner(p, [](void* q) noexcept { delete[] static_cast<T*>(q); });
    return nb::ndarray<nb::numpy, T>(p, shape, owner);
  }

 private:
  std::unique_ptr<T[]> data_;
};

inline void check_sites(const CellGrid& grid, const Indices& sites) {
  for (size_t k = 0; k < sites.shape(0); k++)
    if (sites.data()[k] < 0 || sites.data()[k] >= grid.size())
      throw std::out_of_range("particle index " + std::to_string(sites.data()[k]) +
                              " lies outside the configuration of " + std::to_string(grid.size()) +
                              " particles");
}

}  // namespace amorphace
