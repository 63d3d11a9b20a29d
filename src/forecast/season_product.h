#pragma once

#include <span>

#include "forecast/model.h"

namespace tillcast::forecast {

/// Level x weekday x month x growth, all multiplicative: what sales look like where nothing but the calendar
/// drives them. Weekday (daily series only) and month factors are ratios of sums, found by turns (iterative
/// proportional fitting; Deming & Stephan 1940, Ann. Math. Stat. 11(4)); growth is the log-linear trend of
/// the quarters, once there are a year and a half. The level is that of the last two years. Sensible from a
/// full year of history on. Pure, thread-safe.
void season_product(const History& history, std::span<double> out);

}  // namespace tillcast::forecast
