#pragma once

#include <cstdint>

#include "forecast/forecast.h"
#include "forecast/global_model.h"
#include "pipeline/engine.h"
#include "pipeline/plan_series.h"
#include "pipeline/settings.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// Options that a plan's forecasts are made with.
forecast::ForecastOptions forecast_options(const Workspace& workspace, const ForecastPlan& plan);

/// Settings of the trees of a daily plan.
forecast::GlobalModelOptions tree_options(const ForecastPlan& plan);

/// How a plan's forecasts are brought up to date.
enum class FitMode : std::uint8_t {
  kFit,     ///< a new model version, unless there is one of the same data
  kUpdate,  ///< the champion forecasts from newer actuals; never a fit
  kAuto,    ///< kUpdate while the newest version is young and fits the plan (needs_refit), else kFit
};

/// Brings one plan up to date: fits a version where the mode asks for one, measures older forecasts against
/// what came, and stores the champion's forecasts. Whatever a crashed call left undone is finished first. The
/// same data makes no new version and no new forecasts.
Result<PlanReport> fit_plan(Workspace& workspace, const ForecastPlan& plan, FitMode mode,
                            StageObserver& observer);

}  // namespace tillcast::pipeline
