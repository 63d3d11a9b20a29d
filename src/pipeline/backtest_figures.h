#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "forecast/forecast.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {

/// What the back-test of a fit measured, as the forecast tables show it; kept with the model version, so that
/// an older version is shown with its own figures. Only finite numbers.
struct BacktestFigures {
  /// On the newest origin: wape, wape_seasonal_naive, rmspe, rmspe_seasonal_naive, bias, coverage80,
  /// coverage95, width80, width95.
  std::map<std::string, double> run;
  struct ModelRow {
    std::string model;         ///< "chosen" = all chosen models together
    std::string demand_class;  ///< "all" = every class
    std::int64_t points = 0;
    std::map<std::string, double> measures;  ///< by column of forecast_accuracy
  };
  std::vector<ModelRow> models;
  struct SeriesRow {
    double wape = -1;  ///< of the chosen model over all origins; < 0 = unknown
    double wape_seasonal_naive = -1;
  };
  std::map<std::string, SeriesRow> series;  ///< by series id

  /// A number of `run`; `otherwise` where it is unknown.
  double of(const std::string& name, double otherwise = -1) const;
};

BacktestFigures figures_of(const forecast::ForecastRun& run, const PlanSeries& data);

/// Text of the figures, one row a line, and back to the same bits; kCorruptData for anything else.
std::string format_figures(const BacktestFigures& figures);
Result<BacktestFigures> parse_figures(std::string_view text);

}  // namespace tillcast::pipeline
