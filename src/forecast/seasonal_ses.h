#pragma once

#include <span>
#include <vector>

#include "forecast/model.h"

namespace tillcast::forecast {

/// Seasonal exponential smoothing: each position of the season (each weekday) is a series of its own under
/// simple exponential smoothing (Brown 1956) that starts at its first value, its weight by least squares in
/// [0.01, 0.99], as statsforecast's SeasonalExponentialSmoothingOptimized does it. A season that drifts
/// slowly, without a trend. Masked periods are left out. Pure, thread-safe.
/// @return one weight per position; the first belongs to the first period of the history.
std::vector<double> seasonal_ses_fit(const History& history);

/// Positions never observed get the mean of the others' forecasts; 0 when nothing was observed.
void seasonal_ses_forecast(const History& history, std::span<const double> weights, std::span<double> out);

}  // namespace tillcast::forecast
