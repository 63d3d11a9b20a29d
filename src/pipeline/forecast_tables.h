#pragma once

#include <optional>
#include <span>
#include <string>

#include "database/database.h"
#include "forecast/forecast.h"
#include "pipeline/engine.h"
#include "pipeline/models.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {

/// Makes the (empty) forecast tables, and removes the runs of plans that are gone.
Result<void> prepare_forecast_tables(Workspace& workspace, std::span<const ForecastPlan> plans);

/// The figures of a run that is stored already; nullopt when it is not.
Result<std::optional<PlanReport>> stored_report(database::Connection& connection, const ForecastPlan& plan,
                                                const std::string& run_id);

/// The report of what is served: counts, accuracy of the champion's back-test, coverage of its intervals.
PlanReport report_of(const ForecastPlan& plan, const std::string& run_id, const Served& served);

/// Puts what is served in the place of the plan's older forecasts, in one transaction: forecast_run,
/// forecast_series, forecast_point and forecast_accuracy. kCancelled, and the older ones stay, when the
/// observer asks for it.
Result<void> store_forecasts(database::Connection& connection, const ForecastPlan& plan,
                             const PlanSeries& data, const Served& served, const PlanReport& report,
                             const Progress& observer);

}  // namespace tillcast::pipeline
