#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "forecast/accuracy.h"
#include "forecast/accuracy_report.h"
#include "forecast/backtest.h"
#include "forecast/checkpoint.h"
#include "forecast/choice.h"
#include "forecast/fitted_series.h"
#include "forecast/hierarchy.h"
#include "forecast/panel_model.h"
#include "forecast/predictive.h"
#include "forecast/quantiles.h"
#include "forecast/series.h"

namespace tillcast::forecast {

struct ForecastOptions {
  BacktestOptions backtest;  ///< horizon, gap, origins, step, season: the final forecast obeys them as well
  ChoiceOptions choice;      ///< metric that decides
  std::vector<ModelId> models;  ///< candidates; empty = by class (default_models)
  /// Models that learn from all series at once, further candidates of every series.
  std::vector<PanelCandidate> panel_models;
  /// What is known of the series and does not change, for the panel models: one value per series of the run.
  std::vector<AttributeColumn> attributes;
  /// Shares of the quantiles beside the mean: increasing, in (0, 1).
  std::vector<double> quantile_shares{kDefaultQuantileShares.begin(), kDefaultQuantileShares.end()};
  /// Series with too little history take after series with like attributes, if there are any: cold_start.h.
  bool cold_start = true;
  bool keep_errors = false;  ///< fills SeriesForecast::errors, for sample paths and reconciliation
  /// Names of the series' levels in a hierarchy, for the coverage by level: one per series, or none.
  std::vector<std::string> levels;
  /// Groups of the series whose sums the accuracy report judges as well.
  std::vector<LevelLabels> report_levels;
  unsigned threads = 0;  ///< 0 = one per core
  /// An update: what an earlier run learnt of each series, by position, nullptr = nothing. Nothing is
  /// back-tested, chosen or estimated again; see predict_all() in fitted_model.h. Empty = a full run.
  std::vector<const FittedSeries*> fitted;
  double fitted_share = 0;              ///< ForecastRun::total_share of that run
  std::optional<double> fitted_factor;  ///< the factor itself, where not all series are at hand
  std::size_t fitted_horizon = 0;       ///< steps of FittedSeries::forecasts; 0 = the horizon
  /// What the champion learnt of each series, by position, nullptr = nothing: it is judged on the newest
  /// origin beside this run's own choice (SeriesForecast::held_out). Empty = no champion.
  std::vector<const FittedSeries*> rival;
  /// The champion came from these very options and from older or the same data: where it knew more than the
  /// newest origin, what it would have chosen there is what this run chooses, a tie.
  bool rival_is_alike = false;
  /// Where a full run keeps its long steps: back-tests of local models and final fits by stretches of series,
  /// fits of models of all series. nullptr = nowhere.
  Checkpoint* checkpoint = nullptr;
  double checkpoint_seconds = 5;  ///< CPU seconds, as estimated: a step of less is not kept
};

enum class SeriesStatus : std::uint8_t {
  kOk,        ///< back-tested, the chosen model forecast
  kFallback,  ///< too short for a back-test, or the chosen model failed: a simpler model forecast; see reason
  kRefused,   ///< the input holds NaN or infinity: no points; see reason
};
std::string_view series_status_name(SeriesStatus status);

/// One period ahead. lo95 <= lo80 <= mean <= hi80 <= hi95; all 0 on a closed day.
struct ForecastPoint {
  Date date;  ///< first day of the period
  double mean = 0;
  double lo80 = 0;
  double hi80 = 0;
  double lo95 = 0;
  double hi95 = 0;
  bool closed = false;
};

struct ModelAccuracy {
  ModelId model = ModelId::kZero;
  Accuracy accuracy;    ///< over all origins
  std::string refused;  ///< why the model was left out; accuracy is then empty
};

/// One stretch of the newest origin, on which three forecasts of a series are held against what came.
struct HeldOut {
  Accuracy own;    ///< chosen on the older origins, parameters of the oldest one
  Accuracy rival;  ///< the champion (ForecastOptions::rival); empty without one
  Accuracy naive;  ///< the seasonal naive; empty when it was no candidate
};

struct SeriesForecast {
  std::size_t index = 0;  ///< of the series in its table
  SeriesStatus status = SeriesStatus::kOk;
  std::string reason;
  ModelId model = ModelId::kZero;
  DemandClass demand_class = DemandClass::kNone;
  std::size_t observed = 0;         ///< periods learnt from
  std::size_t outliers_capped = 0;  ///< values capped before the final fit; 0 for models that take raw values
  Date history_from;                ///< first period of the history
  Date history_until;               ///< last one; before history_from when there is none
  bool thin_intervals = false;      ///< too few residuals for an honest 95 %
  bool no_intervals = false;  ///< nothing tells how far off the forecast may be: bounds and quantiles are it
  std::vector<ForecastPoint> points;  ///< exactly the asked number, none when refused
  std::vector<float> quantiles;       ///< [point][share of ForecastRun::quantile_shares], non-crossing
  /// [origin, newest first][step]: actual minus forecast of the chosen model in the back-test, NaN where
  /// nothing was observed; empty unless ForecastOptions::keep_errors.
  std::vector<float> errors;
  std::vector<ModelAccuracy> backtest;  ///< per candidate; empty when too short
  std::vector<HeldOut>
      held_out;         ///< the newest origin in one stretch, or eight of them in a run of few series
  FittedSeries fitted;  ///< what was learnt, without an id
};

/// A row of the run's accuracy table.
struct AccuracyRow {
  std::optional<ModelId> model;             ///< nullopt = the chosen models together
  std::optional<DemandClass> demand_class;  ///< nullopt = all
  /// Sums over the newest origin. The choice behind the row "chosen" was made on the older origins alone, so
  /// it is what a user would have got.
  Accuracy newest;
  Accuracy
      newest_benchmark;  ///< the seasonal naive on the same series and periods: value added is against it
  Accuracy all;          ///< over all origins; for "chosen" the same as newest
};

/// Coverage on the newest origin of intervals and quantiles calibrated on the older ones.
struct CoverageRow {
  std::string level;                          ///< of a hierarchy; empty = the series themselves
  std::optional<DemandClass> demand_class{};  ///< nullopt = all
  Coverage coverage{};
  std::vector<QuantileAccuracy> quantiles{};  ///< by share of ForecastRun::quantile_shares
};

struct ForecastRun {
  std::vector<SeriesForecast> series;  ///< in the order given
  std::vector<PanelForecast> panels;   ///< of the panel models, with their fits for the registry
  std::vector<AccuracyRow> accuracy;
  std::vector<CoverageRow> coverage;  ///< empty with fewer than two origins
  std::vector<double> quantile_shares;
  std::array<PredictiveRecipe, kDemandClassCount> recipes{};  ///< how quantiles were made, by class
  AccuracyReport report;    ///< the same by level, class, part of the horizon, origin and series
  double total_share = 0;   ///< how far the blends are scaled to the forecast of their sum
  double total_factor = 1;  ///< of the blends, to meet the forecast of their sum; 1 = left alone
  std::size_t ok = 0;
  std::size_t fallbacks = 0;
  std::size_t refused = 0;
  double wall_seconds = 0;
  double cpu_seconds = 0;  ///< of the process, all threads
};

/// Back-tests every candidate on every series, chooses a model for each, forecasts, and puts intervals around
/// from the residuals of the back-test. A series that cannot be forecast is reported in its place and never
/// fails the run. The result does not depend on the number of threads. Memory: one float for each model,
/// origin and step of each series, and for the chosen one of each some fifty bytes of residuals, besides the
/// result. Progress tells its steps by name ("back-test",
/// "global_trees: trees") and counts in shares of the time they usually take, so that time left can be told
/// from it.
/// @return kInvalidInput for impossible options, kCancelled when progress asked to stop.
Result<ForecastRun> forecast_all(std::span<const Series> series, const ForecastOptions& options,
                                 Progress& progress);

}  // namespace tillcast::forecast
