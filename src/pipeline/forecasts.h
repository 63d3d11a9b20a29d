#pragma once

#include <span>
#include <string>
#include <vector>

#include "forecast/forecast.h"
#include "forecast/series.h"
#include "pipeline/engine.h"
#include "pipeline/settings.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// One member of a plan, as people and URLs name it.
struct PlanMember {
  std::string id;  ///< "<plan>/<store>|<product>"
  std::string label;
  std::string store_id;
  std::string product_id;
  std::string total;  ///< exact decimal
};

/// The series of a plan, ready for the models.
struct PlanSeries {
  std::vector<PlanMember> members;       ///< largest total first
  std::vector<forecast::Series> series;  ///< by member
  std::string data_hash;                 ///< of everything the models see
  std::size_t promotions_inferred = 0;   ///< series whose promotions ahead are carried on by their rhythm
  Date data_until;
};

/// The plans of tillcast.toml, or, without any, what the data suggests: stores by day where a source states
/// daily sales or there are several stores, the total by day, and the 500 products that sell most by week.
Result<std::vector<ForecastPlan>> plans_of(Workspace& workspace);

/// Reads the series of a plan from gold. @param only_id  when not empty, this member alone.
Result<PlanSeries> load_plan_series(Workspace& workspace, const ForecastPlan& plan,
                                    const std::string& only_id = "");

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

/// Makes the (empty) forecast tables, and removes the runs of plans that are gone.
Result<void> prepare_forecast_tables(Workspace& workspace, std::span<const ForecastPlan> plans);

}  // namespace tillcast::pipeline
