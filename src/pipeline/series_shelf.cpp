#include "pipeline/series_shelf.h"

#include <algorithm>

#include "pipeline/plan_levels.h"
#include "pipeline/plan_series.h"
#include "pipeline/settings.h"

namespace tillcast::pipeline {
namespace {

// A value with its mask, promotion, open and price.
constexpr std::size_t kPeriodBytes = 19;

std::size_t bytes_of(const forecast::Series& series) {
  std::size_t bytes = 256 + series.value.capacity() * sizeof(double) + series.masked.capacity() +
                      series.promotion.capacity() + series.open.capacity() +
                      series.price.capacity() * sizeof(double);
  for (const auto& driver : series.drivers)
    bytes += 64 + driver.name.size() + driver.value.capacity() * sizeof(float);
  return bytes;
}

// Drivers that are unknown by now may refuse a plan; its values can be had all the same.
Result<PlanSeries> read_plan(Workspace& workspace, const ForecastPlan& plan, LoadOptions load) {
  load.ahead = kPeriodsAheadMax;
  auto data = load_plan_series(workspace, plan, load);
  load.drivers = false;
  if (!data && data.error().code == ErrorCode::kInvalidInput) return load_plan_series(workspace, plan, load);
  return data;
}

}  // namespace

SeriesShelf::SeriesShelf(Workspace& workspace, std::shared_ptr<const SeriesCatalog> catalog,
                         std::size_t bytes_max)
    : workspace_(workspace), catalog_(std::move(catalog)), bytes_max_(bytes_max) {}

SeriesShelf::Series SeriesShelf::kept(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->series;
}

void SeriesShelf::keep(const std::string& id, forecast::Series series) {
  const std::size_t bytes = bytes_of(series) + id.size();
  auto shared = std::make_shared<const forecast::Series>(std::move(series));
  const std::lock_guard lock(mutex_);
  if (by_id_.contains(id)) return;
  order_.push_front({id, std::move(shared), bytes});
  by_id_.emplace(order_.front().id, order_.begin());
  bytes_ += bytes;
  while (bytes_ > bytes_max_ && order_.size() > 1) {
    bytes_ -= order_.back().bytes;
    by_id_.erase(order_.back().id);
    order_.pop_back();
  }
}

Result<void> SeriesShelf::load(const SeriesForecast& stored) {
  const std::string& name = stored.info.plan;
  const ForecastPlan& plan = *catalog_->plan(name);
  // A group of a level is no member of the plan: it is added up by itself.
  const bool whole = !is_level_id(plan, stored.info.id) && !plans_loaded_.contains(name) &&
                     catalog_->periods(name) * kPeriodBytes <= bytes_max_ / 2;
  LoadOptions load;
  if (!whole) load.only_id = stored.info.id;
  load.is_member = [this](const std::string& id) { return catalog_->find(id) != nullptr; };
  auto data = TILLCAST_TRY_PLAIN(read_plan(workspace_, plan, std::move(load)));
  if (whole) plans_loaded_.insert(name);
  for (std::size_t i = 0; i < data.members.size(); ++i) {
    const auto* const one = catalog_->find(data.members[i].id);
    if (one == nullptr) continue;
    cut_at(data.series[i], one->info.last);
    keep(one->info.id, std::move(data.series[i]));
  }
  return {};
}

Result<std::shared_ptr<const forecast::Series>> SeriesShelf::find(const SeriesForecast& stored) {
  if (auto found = kept(stored.info.id)) return found;
  const std::lock_guard lock(loading_);
  if (auto found = kept(stored.info.id)) return found;
  if (auto loaded = load(stored); !loaded) return std::move(loaded.error());
  if (auto found = kept(stored.info.id)) return found;
  return not_found("the history of '" + stored.info.id +
                   "' is gone; `tillcast run` makes the forecasts anew");
}

}  // namespace tillcast::pipeline
