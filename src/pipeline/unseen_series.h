#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/result.h"
#include "pipeline/series_catalog.h"
#include "pipeline/service.h"
#include "pipeline/workspace.h"
#include "registry/experiment.h"

namespace tillcast::pipeline {

/// Forecasts of ids that no series has: new stores and products, pairs that were never sold, from the stored
/// forecasts of one catalogue (forecast/unseen.h); in an experiment, from those of the variant that would
/// forecast the id. What is read of a plan is kept. Thread-safe.
class UnseenSeries {
 public:
  /// The forecast of a known series, so many periods ahead.
  using Extend = std::function<Result<SeriesForecast>(const SeriesForecast&, std::size_t periods)>;

  UnseenSeries(Workspace& workspace, std::shared_ptr<const SeriesCatalog> catalog);
  ~UnseenSeries();

  /// The stored number of periods, or as many as asked for when these are more (by way of `extend`).
  /// @return kNotFound for an id that can be no member of any plan, or one that is too small for its plan;
  /// kInvalidInput for attributes that the plan does not know, and for a plan with too few series
  Result<SeriesForecast> forecast(const ForecastItem& item, std::size_t periods, const Extend& extend);

 private:
  struct Plan;
  using Split = std::optional<registry::Experiment>;
  Result<Split> split_of(const ForecastPlan& plan);
  Result<std::shared_ptr<const Plan>> plan_for(const ForecastPlan& plan, const std::string& id);
  Result<std::shared_ptr<const Plan>> plan_of(const ForecastPlan& plan, const std::string& variant);
  Result<std::shared_ptr<const Plan>> load(const ForecastPlan& plan, const std::string& variant);

  Workspace& workspace_;
  std::shared_ptr<const SeriesCatalog> catalog_;
  std::mutex mutex_;
  std::map<std::string, Split> splits_;  ///< by plan: the experiment that its stored forecasts are of
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const Plan>> plans_;  ///< by plan and variant
};

}  // namespace tillcast::pipeline
