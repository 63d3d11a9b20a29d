#include "forecast/run_quantiles_internal.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

namespace tillcast::forecast {

RunShares::RunShares(std::span<const double> quantile_shares)
    : all(quantile_shares.begin(), quantile_shares.end()), bound{} {
  constexpr std::array<double, 4> kBounds = {0.025, 0.1, 0.9, 0.975};
  all.insert(all.end(), kBounds.begin(), kBounds.end());
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  const auto place = [this](double share) {
    return static_cast<std::size_t>(std::ranges::lower_bound(all, share) - all.begin());
  };
  for (const double share : quantile_shares) asked.push_back(place(share));
  for (std::size_t i = 0; i < kBounds.size(); ++i) bound[i] = place(kBounds[i]);
}

Interval RunShares::interval(std::span<const double> quantiles, double forecast) const {
  std::array<double, 4> bounds{};
  for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = quantiles[bound[i]];
  return interval_of(bounds, forecast);
}

std::vector<CoverageRow> measure_coverage(std::span<const Series> series,
                                          std::span<const SeriesBacktest> tests,
                                          std::span<const std::optional<std::size_t>> chosen,
                                          const PredictiveDistributions& distributions,
                                          const RunShares& shares, const ForecastOptions& options,
                                          AccuracyReportBuilder& report, const Progress& progress) {
  const BacktestOptions& test_options = options.backtest;
  using Key = std::pair<std::string, std::size_t>;  // level, class; kDemandClassCount = all classes
  std::map<Key, CoverageRow> table;
  std::vector<double> quantiles(test_options.horizon * shares.all.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (progress.cancelled()) break;
    const SeriesBacktest& test = tests[i];
    if (!chosen[i] || test.ends.size() < 2) continue;
    const History history = history_at(series[i], test.ends[0], test_options);
    const std::span<const float> steps = test.forecast(*chosen[i], 0);
    const std::vector<double> forecast(steps.begin(), steps.end());
    // A day thought closed that was open is a miss: its quantiles are all 0.
    distributions.quantiles(history, i, test.demand_class, forecast, shares.all, quantiles);
    CoverageRow own;
    own.quantiles.resize(shares.asked.size());
    for (std::size_t step = 0; step < test_options.horizon; ++step) {
      const std::size_t at = test.period(0, step);
      if (!is_scored(series[i], at, forecast[step])) continue;
      const double actual = series[i].value[at];
      const auto of_step = std::span(quantiles).subspan(step * shares.all.size(), shares.all.size());
      const Interval interval = shares.interval(of_step, forecast[step]);
      report.add_interval(i, step, actual, interval);
      own.coverage.add(actual, interval.lo80, interval.hi80, interval.lo95, interval.hi95);
      for (std::size_t q = 0; q < shares.asked.size(); ++q)
        own.quantiles[q].add(actual, of_step[shares.asked[q]], shares.all[shares.asked[q]], ErrorScale{});
    }
    if (own.coverage.count == 0) continue;
    std::vector<std::string> levels = {""};
    if (!options.levels.empty()) levels.push_back(options.levels[i]);
    for (const std::string& level : levels) {
      for (const std::size_t of_class : {static_cast<std::size_t>(test.demand_class), kDemandClassCount}) {
        CoverageRow& row = table[{level, of_class}];
        row.level = level;
        if (of_class < kDemandClassCount) row.demand_class = static_cast<DemandClass>(of_class);
        row.quantiles.resize(shares.asked.size());
        row.coverage.merge(own.coverage);
        for (std::size_t q = 0; q < row.quantiles.size(); ++q) row.quantiles[q].merge(own.quantiles[q]);
      }
    }
  }
  std::vector<CoverageRow> rows;
  for (const bool all_classes : {true, false})
    for (const auto& [key, row] : table)
      if ((key.second == kDemandClassCount) == all_classes) rows.push_back(row);
  return rows;
}

std::vector<float> errors_of(const Series& series, const SeriesBacktest& test, std::size_t chosen) {
  std::vector<float> errors;
  errors.reserve(test.ends.size() * test.horizon);
  for (std::size_t origin = 0; origin < test.ends.size(); ++origin) {
    const std::span<const float> steps = test.forecast(chosen, origin);
    for (std::size_t step = 0; step < test.horizon; ++step) {
      const std::size_t at = test.period(origin, step);
      errors.push_back(series.masked[at] != 0 ? NAN : static_cast<float>(series.value[at]) - steps[step]);
    }
  }
  return errors;
}

void add_quantiles(const History& history, std::size_t at, const PredictiveDistributions& distributions,
                   const RunShares& shares, SeriesForecast& result) {
  std::vector<double> forecast;
  forecast.reserve(result.points.size());
  for (const ForecastPoint& point : result.points) forecast.push_back(point.mean);
  std::vector<double> quantiles(forecast.size() * shares.all.size());
  distributions.quantiles(history, at, result.demand_class, forecast, shares.all, quantiles);
  result.no_intervals = !distributions.informed(history);
  for (std::size_t step = 0; step < result.points.size(); ++step) {
    ForecastPoint& point = result.points[step];
    const auto of_step = std::span(quantiles).subspan(step * shares.all.size(), shares.all.size());
    for (const std::size_t place : shares.asked)
      result.quantiles.push_back(static_cast<float>(of_step[place]));
    if (point.closed) continue;
    const Interval interval = shares.interval(of_step, point.mean);
    point.lo80 = interval.lo80;
    point.hi80 = interval.hi80;
    point.lo95 = interval.lo95;
    point.hi95 = interval.hi95;
  }
}

}  // namespace tillcast::forecast
