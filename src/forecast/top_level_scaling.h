#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "forecast/backtest.h"
#include "forecast/series.h"

namespace tillcast::forecast {

/// One origin of a back-test of all series: what was forecast, what came, and what a forecast of the sum of
/// all series said beforehand.
struct ScalingTrial {
  std::vector<double> actual;    ///< of all series and steps that were observed, in one row
  std::vector<double> forecast;  ///< of the same, by the series' own models
  double total = 0;              ///< forecast of the sum over the row; <= 0 or NaN: there is none
};

/// The factor that takes forecasts adding up to `sum` a share of the way (0..1, on a log scale) to `total`,
/// within 0.5 to 2; 1 when either is not positive.
double scaling_factor(double sum, double total, double share);

/// How far forecasts should be scaled to the forecast of their sum (top-level scaling; the winning entries of
/// VN1, 2024; Gross & Sohl 1990, J. Forecasting 9(3), for top-down methods): robust models of single series
/// are low where demand is skewed, the sum is not. A few trials say little about the best share, but they show
/// when the forecast of the sum is poor: the largest of the shares 0, 1/4, .. 1 whose loss, sum |error| + |sum
/// error| over sum |actual|, averaged over the trials, is within a tenth of the best one's. 0 without trials.
/// Pure.
double learn_scaling_share(std::span<const ScalingTrial> trials);

/// Forecast of the sum of the usable series over options.horizon steps after the gap, as known `back` periods
/// before their end: from two years on the product of calendar factors (season_product.h), before that the
/// moving average with half of the trend (as Theta does, Assimakopoulos & Nikolopoulos 2000), the slope being
/// Theil's. Series that end before the others are left out. 0 when there is no history. Pure.
double forecast_total(std::span<const Series> series, std::span<const std::uint8_t> usable, std::size_t back,
                      const BacktestOptions& options);

}  // namespace tillcast::forecast
