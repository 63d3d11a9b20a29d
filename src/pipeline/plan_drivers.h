#pragma once

#include <optional>
#include <span>
#include <string>

#include "database/database.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {

/// Whether models that learn from all series at once take part in a plan: "auto" wants panels that are large
/// enough to teach them something and small enough to learn from by the way.
bool learns_from_all(const ForecastPlan& plan, std::span<const forecast::Series> series);

/// Gives the series of a plan what moves their sales: the loaded plans of the days ahead (plan_daily), the
/// files of [[forecast.drivers]], holidays of the store's country, and what follows from a store's
/// attributes; masks the days out of stock; then keeps what is known for all periods ahead.
///
/// A plan that lists its drivers gets exactly those: a series for which one of them is unknown ahead is
/// refused with the days that are missing, and the plan itself when that is every series; but only for
/// drivers that a model of the plan reads. data.notes names the others: without trees that is all but
/// promotion. Without a list, drivers that are known ahead for at least half of the series are kept (the
/// others get what most have), and data.notes names those that are left out. Series of daily plans know the
/// holidays of their place by name (closed_days.h), whether holidays are a driver or not. All series end with
/// the same drivers in the same order.
///
/// @param ahead  periods for which their values are filled, where known; at least the plan's horizon
/// @return kInvalidInput for a driver that does not exist, and for what the files are refused for
Result<void> add_drivers(Workspace& workspace, database::Connection& connection, const ForecastPlan& plan,
                         int ahead, PlanSeries& data);

}  // namespace tillcast::pipeline
