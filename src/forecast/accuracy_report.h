#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "forecast/accuracy.h"
#include "forecast/backtest.h"
#include "forecast/hierarchy.h"
#include "forecast/intervals.h"

namespace tillcast::forecast {

/// Steps `first` to `last` of the horizon, counted from 1, both included.
struct HorizonPart {
  std::size_t first = 1;
  std::size_t last = 1;
};
/// Weeks of a daily horizon, single steps of others; at most eight parts, as even as can be.
std::vector<HorizonPart> horizon_parts(std::size_t horizon, Grain grain);

/// Accuracy of one model in one group of forecasts.
struct ReportRow {
  std::string level;             ///< sums over the groups of this level; empty = the series themselves
  std::optional<ModelId> model;  ///< nullopt = the chosen models together
  std::optional<DemandClass> demand_class;  ///< nullopt = all
  std::optional<std::size_t> part;          ///< of the horizon, an index into parts; nullopt = all
  std::size_t origin = 0;                   ///< an index into origins; 0 = the newest
  std::size_t series = 0;                   ///< that have a say; of a level: groups
  Accuracy accuracy;
  Accuracy benchmark;       ///< the seasonal naive on the same series and periods
  double median_error = 0;  ///< median |error|; NaN at older origins
  /// Of the nodes of a level, or of the series themselves, where there are levels; else NaN.
  double weighted_rmsse = std::numeric_limits<double>::quiet_NaN();
};

/// How a series' chosen model did on the newest origin.
struct SeriesReportRow {
  std::size_t series = 0;  ///< position in the run
  ModelId model = ModelId::kZero;
  DemandClass demand_class = DemandClass::kNone;
  Accuracy accuracy;
  Accuracy benchmark;
  double median_error = 0;
  double share = 0;  ///< of all absolute errors in the report: where work pays off
};

/// Intervals calibrated on the older origins against the newest one.
struct IntervalReportRow {
  static constexpr std::array<double, 4> kQuantiles = {0.025, 0.1, 0.9, 0.975};

  std::optional<DemandClass> demand_class;
  std::optional<std::size_t> part;
  IntervalAccuracy inside80;
  IntervalAccuracy inside95;
  std::array<QuantileAccuracy, 4> quantiles;  ///< the bounds as forecasts of kQuantiles

  double scaled_pinball() const;  ///< mean over the four bounds
};

/// What `tillcast forecast accuracy` shows of a run: sums, from which every measure follows.
struct AccuracyReport {
  std::vector<HorizonPart> parts;
  std::vector<Date> origins;  ///< last known day of each origin, newest first
  /// Newest origin: every model, and "chosen", for all series, by class and part; "chosen" by level too, as
  /// the forecasts of a group's series added up beside what came of them. Older origins: every model for all
  /// series; the choice needs older origins still, so "chosen" stands at the newest alone.
  std::vector<ReportRow> rows;
  std::vector<IntervalReportRow> intervals;  ///< all, by class, by part; empty without residuals
  std::vector<SeriesReportRow> series;       ///< largest share of the error first
  /// Over the levels and the series themselves, at the newest origin; NaN without levels.
  double wrmsse = std::numeric_limits<double>::quiet_NaN();
  double wrmsse_naive = std::numeric_limits<double>::quiet_NaN();  ///< of the seasonal naive
};

/// Collects a report from a run's back-tests. Borrows its arguments. One thread.
class AccuracyReportBuilder {
 public:
  /// @param chosen  per series the place of its model in SeriesBacktest::models, chosen without the newest
  /// origin; nullopt = none
  /// @param levels  of groups above the series; one label per series in each
  AccuracyReportBuilder(std::span<const Series> series, std::span<const SeriesBacktest> tests,
                        std::span<const std::optional<std::size_t>> chosen,
                        std::span<const LevelLabels> levels);
  /// Intervals of a series' chosen model at a step of the newest origin, beside what came.
  void add_interval(std::size_t series, std::size_t step, double actual, const Interval& interval);
  /// Ends early, with a report that is none, when progress asked to stop.
  AccuracyReport build(const Progress& progress);

 private:
  struct Sums {
    Accuracy accuracy;
    Accuracy benchmark;
    std::size_t series = 0;
    std::vector<float> errors;  ///< of the newest origin
    double weighted_rmsse = std::numeric_limits<double>::quiet_NaN();
  };
  class Groups;
  class Node;
  struct LevelRmsse {
    WeightedRmsse chosen;
    WeightedRmsse naive;
  };
  void add_series(std::size_t series, Groups& groups);
  bool in_levels(std::size_t series) const;
  LevelRmsse add_level(const LevelLabels& level, Groups& groups, const Progress& progress) const;
  LevelRmsse weigh_series(const Progress& progress) const;
  std::size_t part_of(std::size_t step) const;

  std::span<const Series> series_;
  std::span<const SeriesBacktest> tests_;
  std::span<const std::optional<std::size_t>> chosen_;
  std::span<const LevelLabels> levels_;
  AccuracyReport report_;
  std::array<std::vector<IntervalReportRow>, kDemandClassCount> intervals_;  ///< [class][part]
};

}  // namespace tillcast::forecast
