#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "forecast/backtest.h"
#include "forecast/intervals.h"
#include "forecast/model.h"
#include "forecast/series.h"

namespace tillcast::forecast {

/// How the quantiles of a class are made; found in the back-test.
struct PredictiveRecipe {
  double residual_weight = 1;  ///< of the residuals' quantiles; the rest is the history's
  std::size_t half_life = 0;   ///< which of kHalfLives of the history's quantiles
  double shift = 0.5;          ///< see HistoryQuantiles::moved
  double gain = 0;             ///< share of the pinball loss of residuals alone that the recipe removes
};

/// Quantiles of the demand ahead of every series: averages (Vincent 1912; Lichtendahl, Grushka-Cockayne &
/// Winkler 2013, Manage. Sci. 59(7)) of two sources that fail differently. IntervalCalibrator: errors of the
/// chosen models in the back-test, pooled. HistoryQuantiles: what the series itself sold lately. How much of
/// each, how fast the history is forgotten and how far it follows the forecast is found for each class by
/// pinball loss in the back-test, where the residuals of the origin that is judged are left out. Where the
/// history is of whole numbers so are the quantiles. Nothing is ever Normal.
class PredictiveDistributions {
 public:
  /// Learns from the origins [first_origin, all) of the back-tests with the chosen model of each series
  /// (nullopt = takes no part). Pure; borrows nothing. When progress asked to stop it ends early and is not
  /// to be used.
  PredictiveDistributions(std::span<const Series> series, std::span<const SeriesBacktest> tests,
                          std::span<const std::optional<std::size_t>> chosen, std::size_t first_origin,
                          const BacktestOptions& options, const Progress& progress);

  /// Quantiles of each step after the gap, [step][share]; all 0 on closed steps. Without any residual of the
  /// run they come from the spread of the series' own history; see informed().
  /// @param history   of series `at`, at the origin of the forecast
  /// @param forecast  one value per step after the gap
  /// @param shares    increasing, in (0, 1)
  void quantiles(const History& history, std::size_t at, DemandClass demand_class,
                 std::span<const double> forecast, std::span<const double> shares,
                 std::span<double> out) const;

  const PredictiveRecipe& recipe(DemandClass demand_class) const {
    return recipes_[static_cast<std::size_t>(demand_class)];
  }
  /// Whether anything tells how far off a forecast may be: residuals of the run, or values of the history
  /// that differ. If not, all quantiles are the forecast itself, which says nothing.
  bool informed(const History& history) const;
  std::size_t residuals() const { return calibrator_.residuals(); }
  bool thin(DemandClass demand_class) const { return calibrator_.thin(demand_class); }

 private:
  void find_recipes(std::span<const Series> series, std::span<const SeriesBacktest> tests,
                    std::span<const std::optional<std::size_t>> chosen, std::size_t first_origin,
                    const Progress& progress);

  BacktestOptions options_;
  IntervalCalibrator calibrator_;
  std::array<PredictiveRecipe, kDemandClassCount> recipes_{};
};

/// Mean size of what was observed in the last year of periods, for the floor of intervals and for scaling.
double recent_level(const History& history);

/// The interval that quantiles at 2.5, 10, 90 and 97.5 % make: nested and holding the forecast.
Interval interval_of(std::span<const double> bounds, double forecast);

}  // namespace tillcast::forecast
