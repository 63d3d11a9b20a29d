#pragma once

#include "forecast/forecast.h"
#include "pipeline/engine.h"
#include "pipeline/plan_series.h"
#include "pipeline/settings.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// Options that a plan's forecasts are made with.
forecast::ForecastOptions forecast_options(const Workspace& workspace, const ForecastPlan& plan);

/// Back-tests, forecasts and stores one plan in forecast_run, forecast_series, forecast_point,
/// forecast_accuracy. The run id is a hash of plan, data and program version: the same run is not repeated.
Result<PlanReport> fit_plan(Workspace& workspace, const ForecastPlan& plan, StageObserver& observer);

/// Back-tests, forecasts and stores one series in place of its stored forecast; the plan's other series and
/// its figures stay. Its run id is of its own and new each time. kNotFound for a series that the data has
/// not.
Result<PlanReport> fit_one_series(Workspace& workspace, const ForecastPlan& plan,
                                  const std::string& series_id, StageObserver& observer);

}  // namespace tillcast::pipeline
