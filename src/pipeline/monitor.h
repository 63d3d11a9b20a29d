#pragma once

#include "database/database.h"
#include "forecast/forecast.h"
#include "pipeline/model_service.h"
#include "pipeline/models.h"
#include "pipeline/plan_series.h"
#include "pipeline/settings.h"
#include "pipeline/workspace.h"

/// Forecasts against what came: docs/forecasting.md. Tables forecast_snapshot (forecasts whose days have not
/// come), forecast_outcome (those whose days have), forecast_monitor (rolling accuracy), forecast_alert.
namespace tillcast::pipeline {

/// Makes the tables where they are missing, and removes the rows of plans that are gone.
/// @param names  the plans there are, quoted for SQL and separated by commas
Result<> prepare_monitor_tables(database::Connection& connection, const std::string& names);

/// Keeps the forecasts that are about to be served, once every quarter of the horizon, so that forecasts of
/// all leads are judged later although each update replaces them. Inside the transaction that stores them.
Result<> keep_snapshot(database::Connection& inside, const ForecastPlan& plan, const PlanSeries& data,
                       const Served& served);

/// What measure_forecasts() found.
struct MonitorReport {
  std::int64_t outcomes = 0;  ///< forecasts whose day came since the last call
  std::int64_t opened = 0;    ///< alerts
  std::int64_t closed = 0;
};

/// Compares kept forecasts with the actuals that came since, computes the rolling accuracy of plan and series
/// anew, opens alerts where it degraded and closes those that recovered. One transaction; nothing to do when
/// no period came. kCancelled, and nothing changed, when the observer asks for it.
Result<MonitorReport> measure_forecasts(Workspace& workspace, database::Connection& connection,
                                        const ForecastPlan& plan, const PlanSeries& data,
                                        const Progress& observer);

/// The alerts, open ones first, of whole plans before those of single series, newest first.
Result<std::vector<ForecastAlert>> list_alerts(database::Connection& connection, const AlertRequest& request);

/// What the monitor found, by plan, newest version first, short window first.
Result<std::vector<MonitorFigures>> list_figures(database::Connection& connection,
                                                 const MonitorRequest& request);

/// The reason of an open alert of the whole plan that is younger than `since` (ISO 8601); empty without one.
Result<std::string> plan_alert_since(database::Connection& connection, const std::string& plan,
                                     const std::string& since);

}  // namespace tillcast::pipeline
