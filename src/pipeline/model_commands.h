#pragma once

#include <span>
#include <string>
#include <vector>

#include "pipeline/engine.h"
#include "pipeline/settings.h"
#include "pipeline/workspace.h"

/// What people do with model versions; the Engine's methods of the same names say more. Calls that change
/// something are made under the write lock, and store the forecasts that follow from it.
namespace tillcast::pipeline {

Result<std::vector<PlanModels>> list_models(const Workspace& workspace);
/// kNotFound for a plan without versions; the message names those that have.
Result<PlanModels> show_models(const Workspace& workspace, const std::string& plan, int version);

Result<PlanReport> promote_version(Workspace& workspace, const ForecastPlan& plan,
                                   const PromoteRequest& request, StageObserver& observer);
Result<PlanReport> roll_back(Workspace& workspace, const ForecastPlan& plan, const RollbackRequest& request,
                             StageObserver& observer);

Result<PlanReport> create_experiment(Workspace& workspace, const ForecastPlan& plan,
                                     const ExperimentRequest& request, StageObserver& observer);
Result<std::vector<ExperimentReport>> experiment_reports(Workspace& workspace, const std::string& plan);
/// Ends the plan's running experiment. @param winner  "champion" or "challenger" becomes (or stays) champion;
/// "auto" takes the measured winner (kConflict while undecided); empty leaves the champion as it was.
Result<PlanReport> end_experiment(Workspace& workspace, const ForecastPlan& plan, const std::string& winner,
                                  const std::string& by, StageObserver& observer);

}  // namespace tillcast::pipeline
