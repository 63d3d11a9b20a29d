#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pipeline/engine.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// Looks for settings of the trees of a daily plan, by random search on its newest horizon (global_search.h).
/// Reads alone: nothing is stored, nothing is fitted for use.
/// @return kInvalidInput for a plan that is not daily or too small to learn from; kCancelled when the
/// observer asked to stop before the first trial, later what was tried so far
Result<TuneReport> tune_trees(Workspace& workspace, const ForecastPlan& plan, const TuneRequest& request,
                              StageObserver& observer);

}  // namespace tillcast::pipeline
