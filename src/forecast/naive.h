#pragma once

#include <span>

#include "forecast/model.h"

namespace tillcast::forecast {

/// The benchmarks every forecast must beat (Hyndman & Athanasopoulos, Forecasting: Principles and Practice,
/// 3rd ed., 5.2). Masked periods are skipped: "last" means the last one that was open. All write every period
/// of `out`, 0 when nothing was ever observed. Pure, thread-safe.

/// The last observed value, for ever.
void naive(const History& history, std::span<double> out);
/// The last observed value of the same position in a season of `season` periods (>= 1); positions never
/// observed get the mean of the last season that was.
void seasonal_naive(const History& history, int season, std::span<double> out);
/// The window of the benchmark `moving_average`: 28 days, 8 weeks or 3 months.
int average_window(Grain grain);
/// The mean of the last `window` observed values (>= 1).
void moving_average(const History& history, int window, std::span<double> out);
/// The mean of the last `window` observed values (>= 1) of the same position in a season of `season` periods;
/// positions never observed as in seasonal_naive().
void seasonal_average(const History& history, int season, int window, std::span<double> out);
/// The mean of everything observed.
void historical_mean(const History& history, std::span<double> out);

}  // namespace tillcast::forecast
