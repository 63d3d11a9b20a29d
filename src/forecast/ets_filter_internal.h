#pragma once

#include <cstddef>
#include <cstdint>

#include "forecast/ets.h"

namespace tillcast::forecast {

/// What one pass over a history adds up.
struct FilterSums {
  double squares = 0;
  double log_means = 0;  ///< sum of log|mean|, only for multiplicative errors
};

/// One pass of exponential smoothing from the states given, which become those after the last period. Masked
/// periods move only the trend. With multiplicative errors a mean that is not positive ends the pass with
/// infinite squares: such weights cannot be. Without, it goes on, so that a fit can be carried past days that
/// its kind of error knows nothing of: an item that stopped selling, more taken back than sold.
/// @param season  shape.period values by place in the season, not read where there is none
/// @param errors  one per period, 0 where masked; nullptr = not wanted
FilterSums run_ets_filter(const EtsShape& shape, const double* value, const std::uint8_t* masked,
                          std::size_t n, const EtsWeights& weights, double& level, double& trend,
                          double* season, double* errors);

}  // namespace tillcast::forecast
