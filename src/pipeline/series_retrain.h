#pragma once

#include <string>

#include "pipeline/engine.h"
#include "pipeline/settings.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// Fits one series of a plan anew with the models of its own (those that learn from all series need a fit of
/// the plan). The result is a version: the champion with that one series exchanged (docs/formats/models.md),
/// judged by the gate on that series, promoted, listed and rolled back like any other. The same data of the
/// same series on the same full fit makes no second version. Then the plan's forecasts are stored as the
/// champion has them.
/// @return kNotFound without such a series or without a champion; kConflict when the plan's definition is no
/// longer that of the champion; kInvalidInput for a group of a level
Result<PlanReport> retrain_series(Workspace& workspace, const ForecastPlan& plan,
                                  const std::string& series_id, StageObserver& observer);

/// Whether a version is a champion with one series exchanged; the full fit behind it keeps the plan's dates.
bool is_one_series_fit(const registry::VersionInfo& info);

}  // namespace tillcast::pipeline
