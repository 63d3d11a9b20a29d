#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "forecast/accuracy_report.h"
#include "forecast/forecast.h"

namespace tillcast::forecast {

/// Shares of the quantiles that a run was asked for, together with the four bounds of the intervals.
struct RunShares {
  std::vector<double> all;           ///< increasing
  std::vector<std::size_t> asked;    ///< places in `all`
  std::array<std::size_t, 4> bound;  ///< places of 2.5, 10, 90 and 97.5 %

  explicit RunShares(std::span<const double> quantile_shares);
  /// The interval among the quantiles at `all`.
  Interval interval(std::span<const double> quantiles, double forecast) const;
};

/// Coverage at the newest origin: all, by class, by level, and by class within each level; tells the report.
/// Asked to stop, it returns less: the caller asks as well.
std::vector<CoverageRow> measure_coverage(std::span<const Series> series,
                                          std::span<const SeriesBacktest> tests,
                                          std::span<const std::optional<std::size_t>> chosen,
                                          const PredictiveDistributions& distributions,
                                          const RunShares& shares, const ForecastOptions& options,
                                          AccuracyReportBuilder& report, const Progress& progress);

/// Errors of the chosen model at each origin (newest first) and step: actual minus forecast, NaN where
/// nothing was observed.
std::vector<float> errors_of(const Series& series, const SeriesBacktest& test, std::size_t chosen);

/// Puts the quantiles and intervals beside the forecast of the series `at`.
void add_quantiles(const History& history, std::size_t at, const PredictiveDistributions& distributions,
                   const RunShares& shares, SeriesForecast& result);

}  // namespace tillcast::forecast
