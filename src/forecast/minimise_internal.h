#pragma once

#include <cstddef>
#include <span>

namespace tillcast::forecast {

struct MinimiseOptions {
  int evaluations_max = 200;
  double step = 0.1;  ///< first step as a share of each variable's range
  double tolerance =
      1e-5;  ///< stops when all variables move less than this, and the value by its square root's share
};

namespace internal {
using RawObjective = double (*)(const double* x, void* context);
double minimise_raw(std::span<double> x, std::span<const double> lower, std::span<const double> upper,
                    const MinimiseOptions& options, RawObjective objective, void* context);
}  // namespace internal

/// Minimises objective(span x) inside a box without derivatives: NLopt's BOBYQA (Powell 2009, DAMTP
/// 2009/NA06) from two variables on, which needs a third of the evaluations of Nelder-Mead on smooth sums of
/// squares; a grid and golden sections for one. `x` holds the start and receives the best point.
/// Deterministic, thread-safe.
/// @return the best value.
template <class Objective>
double minimise(std::span<double> x, std::span<const double> lower, std::span<const double> upper,
                const MinimiseOptions& options, Objective&& objective) {
  struct Call {
    Objective& objective;
    std::size_t size;
  } call{objective, x.size()};
  return internal::minimise_raw(
      x, lower, upper, options,
      [](const double* at, void* context) {
        Call& self = *static_cast<Call*>(context);
        return static_cast<double>(self.objective(std::span<const double>(at, self.size)));
      },
      &call);
}

}  // namespace tillcast::forecast
