#pragma once

#include <span>

namespace tillcast::forecast {

/// Simple exponential smoothing, l(t+1) = l(t) + alpha (y(t) - l(t)), with the least sum of squared one-step
/// errors.
struct LevelFit {
  double alpha = 0;
  double level = 0;    ///< before the first value
  double squares = 0;  ///< sum of squared errors
};

/// Finds alpha in [lower, upper] and the first level together. Errors are linear in the first level, which is
/// solved in the pass that tries an alpha; sixteen alphas, more of them near 0, are tried in two passes, and
/// the neighbourhood of the best one is narrowed eightfold by eightfold. No allocation. Pure, thread-safe.
/// @param values  at least three, finite
/// @param start   a level near the first values, against cancellation, and the answer for values that do not
/// move
/// @param alpha   kept where no other one is better
LevelFit fit_level(std::span<const double> values, double start, double alpha, double lower, double upper);

}  // namespace tillcast::forecast
