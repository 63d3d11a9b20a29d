#pragma once

#include <span>

#include "forecast/series.h"

namespace tillcast::forecast {

/// Marks the days on which nothing was sold anywhere as closed, where the data say that they were: a source
/// of single lines has no opening days, and a Saturday without a line is no Saturday of low demand.
///
/// A weekday is closed when at most 5 in 100 of its last 26 occurrences traded. Other days without trade
/// (holidays) are closed when the open weekdays traded on at least 95 of 100 days; else the shop simply sells
/// little, and nothing but the closed weekdays is marked. Daily series only; closed days are masked and, by
/// their weekday, forecast as 0.
/// @param traded  days with at least one sale anywhere, ascending
void mark_closed_days(std::span<Series> series, std::span<const Date> traded);

}  // namespace tillcast::forecast
