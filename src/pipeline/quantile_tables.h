#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/column_batch.h"
#include "database/database.h"
#include "forecast/error_windows.h"
#include "forecast/forecast.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {

/// Quantiles of stored forecasts (docs/forecasting.md, "Quantiles"). Each row of forecast_point has them as a
/// list, `quantiles`, by the shares of its row of forecast_series, `quantile_shares`; view forecast_quantile
/// has one row for each. Table forecast_error_window has the back-test errors that sums over days need.

constexpr const char* kErrorWindowTable = "forecast_error_window";

/// Adds columns, table and view to the forecast tables.
Result<> create_quantile_tables(database::Connection& connection);

/// Appends rows to forecast_series, all with these shares.
Result<> append_series(database::Connection& connection, const ColumnBatch& series,
                       std::span<const double> shares);

/// Further columns of the rows that append_points takes, one for each share.
std::vector<ColumnSpec> quantile_columns(std::size_t shares);

/// Appends rows to forecast_point; their quantile_columns become its list.
Result<> append_points(database::Connection& connection, const ColumnBatch& points, std::size_t shares);

/// Appends the error windows of a run, by level and class; at most 500 of each.
Result<> store_error_windows(database::Connection& connection, const std::string& plan,
                             const std::string& run_id, const PlanSeries& data,
                             const forecast::ForecastRun& run);

/// The quantiles of one stored series.
struct StoredQuantiles {
  std::string level;                                  ///< of a hierarchy; empty = a series of the plan itself
  std::shared_ptr<const std::vector<double>> shares;  ///< increasing; nullptr = none are stored
  std::vector<float> values;                          ///< [point][share], in the order of the dates
};

/// Level and shares of every stored series by id, without values; empty for the warehouse of an older
/// program.
Result<std::unordered_map<std::string, StoredQuantiles>> load_shares(database::Connection& inside);

/// ", quantiles[1], ..." for a query of forecast_point: so many columns of numbers.
std::string select_quantiles(std::size_t shares);

/// The error windows of every plan; ask only where load_shares() found something.
Result<std::map<std::string, std::vector<forecast::ErrorWindows>>> load_error_windows(
    database::Connection& inside);

}  // namespace tillcast::pipeline
