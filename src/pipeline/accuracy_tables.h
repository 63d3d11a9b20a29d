#pragma once

#include <string>

#include "database/database.h"
#include "forecast/forecast.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {

/// The tables behind `tillcast forecast accuracy`, one set of rows for each plan's newest run:
/// - forecast_accuracy_detail: a model (or "chosen") by demand class, level, steps of the horizon, or origin;
///   the groups are exclusive, "all" stands for the rest; with levels also their weighted RMSSE, and in the
///   row of all chosen models the WRMSSE
/// - forecast_interval_accuracy: coverage, width, interval score and pinball loss by class or steps
/// - forecast_series_accuracy: each series' chosen model on the newest origin, and its share of all errors
Result<void> create_accuracy_tables(database::Connection& connection);

/// Deletes rows of these tables; `where` is " WHERE ..." on the column plan.
Result<void> remove_accuracy(database::Connection& connection, const std::string& where);

/// Puts run.report in the place of the plan's older rows. Inside the caller's transaction.
Result<void> store_accuracy_report(database::Connection& connection, const ForecastPlan& plan,
                                   const PlanSeries& data, const forecast::ForecastRun& run,
                                   const std::string& run_id);

}  // namespace tillcast::pipeline
