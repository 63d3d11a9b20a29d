#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/progress.h"
#include "forecast/series.h"
#include "pipeline/settings.h"
#include "pipeline/workspace.h"

namespace tillcast::pipeline {

/// One member of a plan, as people and URLs name it.
struct PlanMember {
  std::string id;  ///< "<plan>/<store>|<product>"
  std::string label;
  std::string store_id;
  std::string product_id;
  std::string total;             ///< exact decimal
  std::int64_t store_key = 0;    ///< 0 = all
  std::int64_t product_key = 0;  ///< 0 = all
  std::string level = {};        ///< of a group above the plan's series (plan_levels.h); else empty
};

/// The series of a plan, ready for the models.
struct PlanSeries {
  std::vector<PlanMember> members;       ///< largest total first
  std::vector<forecast::Series> series;  ///< by member
  std::string data_hash;                 ///< of everything the models see
  std::size_t promotions_inferred = 0;   ///< series whose promotions ahead are carried on by their rhythm
  std::size_t stock_outs = 0;            ///< periods masked because goods were out of stock
  std::vector<forecast::AttributeColumn> attributes;  ///< by member; what does not change
  std::vector<std::string> notes;  ///< what people should know of the drivers, one line each
  Date data_until;
};

/// The plans of tillcast.toml, or, without any, what the data suggests: stores by day where a source states
/// daily sales or there are several stores, the total by day, and the 500 products that sell most by week.
Result<std::vector<ForecastPlan>> plans_of(Workspace& workspace);

/// The length of a plan's periods.
forecast::Grain grain_of(const ForecastPlan& plan);

/// What load_plan_series() reads.
struct LoadOptions {
  std::string only_id = {};  ///< when not empty, this member, or this group of a level, alone
  bool drivers = true;       ///< false: values alone, for showing
  int ahead = 0;             ///< periods for which drivers are wanted; which ones are used is decided by the
                             ///< plan's horizon all the same. 0 = the horizon
  /// When set, the members it knows alone: those of a stored run, whatever sells most by now.
  std::function<bool(const std::string& id)> is_member = {};
  const Progress* observer = nullptr;  ///< when set, it can stop the reading: kCancelled
};

/// Leaves out what came after a period: gold may have gone on since a forecast was made.
void cut_at(forecast::Series& series, Date last);

/// Of a plan without any series: kInvalidInput that names the first day of the data where there are some
/// after the cut.
Result<void> check_cut(Workspace& workspace, const ForecastPlan& plan);

/// Reads the series of a plan from gold, with drivers and attributes. Sales after the cut (the plan's, else
/// that of forecast.cut) are not read, nor what sale lines tell of them; what a plan of the days ahead states
/// is.
/// @return kInvalidInput for drivers that are refused (plan_drivers.h)
Result<PlanSeries> load_plan_series(Workspace& workspace, const ForecastPlan& plan,
                                    const LoadOptions& load = {});

}  // namespace tillcast::pipeline
