#pragma once

#include <vector>

#include "database/database.h"
#include "forecast/series.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {

/// What is known of the stores and products of a plan and does not change: type, assortment, distance of the
/// competition, category ...; only columns that some member has. One value per member; categories are coded
/// by alphabet.
Result<std::vector<forecast::AttributeColumn>> load_attributes(database::Connection& connection,
                                                               const ForecastPlan& plan,
                                                               const PlanSeries& data);

/// Fills the keys of stores and products of members that have ids alone; 0 for an id that gold does not know.
Result<void> find_member_keys(database::Connection& connection, PlanSeries& data);

}  // namespace tillcast::pipeline
