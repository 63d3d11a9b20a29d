#pragma once

#include <string>
#include <vector>

#include "database/database.h"
#include "forecast/forecast.h"
#include "forecast/hierarchy.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {

/// The levels above the series of a plan: those of plan.levels, without any all that its `by` allows; in the
/// order total, country, store, category, product. A level with a group for each series is the series
/// themselves and left out. Stores without a country and products without a category form the group
/// "unknown"; where all are in it the level says what the total says and is left out.
/// @param unknown  gets the names of levels that were left out for that
Result<std::vector<forecast::LevelLabels>> load_levels(database::Connection& connection,
                                                       const ForecastPlan& plan, const PlanSeries& data,
                                                       std::vector<std::string>* unknown = nullptr);

/// The id of a group: "<plan>/@total", "<plan>/@country:Germany".
std::string level_id(const ForecastPlan& plan, const std::string& level, const std::string& label);

/// Whether an id is that of a group of a level.
bool is_level_id(const ForecastPlan& plan, const std::string& id);

/// The history of the group load.only_id, added up over its members, as a series without drivers; empty when
/// there is no such group.
Result<PlanSeries> load_level_series(Workspace& workspace, const ForecastPlan& plan, const LoadOptions& load);

/// The sum of series that end with the same period: closed only when all are.
forecast::Series sum_series(std::span<const forecast::Series* const> parts);

/// With plan.reconcile: forecasts the groups of all levels and makes everything add up
/// (forecast/reconcile.h). Means are replaced, intervals and quantiles moved with them in proportion. The
/// groups are appended to `data` and to `run`, after the plan's own series, and their coverage by level.
/// Levels that are left out go into the notes of `data`.
/// @param run  of the plan's series, made with ForecastOptions::keep_errors
Result<void> add_levels(database::Connection& connection, const ForecastPlan& plan,
                        const forecast::ForecastOptions& options, PlanSeries& data,
                        forecast::ForecastRun& run, Progress& progress);

}  // namespace tillcast::pipeline
