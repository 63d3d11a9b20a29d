#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "forecast/forecast.h"

namespace tillcast::forecast {

/// A panel model's fit, as text that its PanelModel::load reads.
struct FittedPanelText {
  std::string name;  ///< of the model
  std::string text;
};

/// Everything a run learnt: enough to forecast again without a fit. A plain value.
struct FittedRun {
  BacktestOptions options;  ///< horizon, gap, season, outliers of the run
  Grain grain = Grain::kDaily;
  double total_share = 0;  ///< how far blends are scaled to the forecast of their sum
  std::vector<FittedSeries> series;
  std::vector<FittedPanelText> panels;

  /// What is known of each of these ids, by position; nullptr where nothing is. Points into this run.
  std::vector<const FittedSeries*> of(std::span<const std::string> ids) const;
};

/// A fit and the forecasts made in the same run.
struct FitResult {
  FittedRun fitted;
  ForecastRun run;
};

/// forecast_all(), keeping what was learnt. @param ids  one per series, unique
/// @return kInvalidInput when there is not one id per series, else as forecast_all()
Result<FitResult> fit_all(std::span<const Series> series, std::span<const std::string> ids,
                          const ForecastOptions& options, Progress& progress);

/// Forecasts with what `fitted` learnt: the series may have newer periods, which are filtered in; nothing is
/// back-tested, chosen or estimated. With the same series the forecasts equal those of the run bit for bit.
/// A series that `fitted` does not know, or that starts at another period now, takes the default model of its
/// class and says so. Cost: one filter pass per series.
/// @param options  horizon (may differ), threads, attributes, fitted_factor and panel_models (whose `fitted`
/// is loaded here; the pooled ones need not be named)
Result<ForecastRun> predict_all(const FittedRun& fitted, std::span<const Series> series,
                                std::span<const std::string> ids, const ForecastOptions& options,
                                Progress& progress);

/// Text of a fitted run, and back to the same bits (docs/formats/models.md). kCorruptData names the line.
std::string format_fitted(const FittedRun& fitted);
Result<FittedRun> parse_fitted(std::string_view text);

}  // namespace tillcast::forecast
