// What the module asks of the code for one kind of processor.
#pragma once
#include <array>
#include <cstdint>

#include "cells.hpp"
#include "plan.hpp"

namespace amorphace {

enum Stage { kNeighbors, kBasis, kProjection, kInvariants, kOutput, kStages };

struct Job {
  const Plan* plan;
  const CellGrid* grid;
  int64_t n_sites;
  const int64_t* sites;  // particles
  const int64_t* rows;   // the row of the output that each site fills
  void* out;             // float or double
  int64_t row_stride;    // in elements
  int n_threads;
  double coincident;
  bool measure;                             // fill `seconds`
  std::array<double, kStages> seconds{};    // over all threads
  int64_t touching = -1;                    // a site with a particle on top of it
};

struct Backend {
  const char* name;
  void (*evaluate64)(Job&);
  void (*evaluate32)(Job&);
  double (*peak64)();  // multiply-adds of one thread, in 1e9 operations a second
  double (*peak32)();
};

}  // namespace amorphace
