#include "pipeline/forecast_reader.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "core/log.h"
#include "forecast/forecast.h"
#include "pipeline/forecasts.h"
#include "pipeline/plan_series.h"
#include "pipeline/settings.h"

namespace tillcast::pipeline {
namespace {

/// How far the bounds of the last stored periods lie from the mean, as shares of it.
struct Spread {
  double below = 0;
  double above = 0;
};

Spread last_spread(std::span<const ForecastPoint> points, std::size_t interval, std::size_t periods) {
  double mean = 0;
  double below = 0;
  double above = 0;
  for (const auto& point : points.last(std::min(periods, points.size()))) {
    if (interval >= point.intervals.size()) continue;
    mean += point.mean;
    below += point.mean - point.intervals[interval].low;
    above += point.intervals[interval].high - point.mean;
  }
  return mean > 0 ? Spread{below / mean, above / mean} : Spread{};
}

// What lies further ahead is never surer than what lies nearer: intervals beyond the stored ones, which come
// from the residuals of one series instead of a whole class, are at least as wide as the last stored ones.
void widen(std::span<const ForecastPoint> stored, std::size_t season, std::span<ForecastPoint> beyond) {
  for (std::size_t interval = 0; interval < 2; ++interval) {
    const Spread spread = last_spread(stored, interval, season);
    for (auto& point : beyond) {
      auto& bounds = point.intervals[interval];
      bounds.low = std::max(0.0, std::min(bounds.low, point.mean * (1 - spread.below)));
      bounds.high = std::max(bounds.high, point.mean * (1 + spread.above));
    }
  }
}

std::vector<ForecastPoint> points_of(const forecast::SeriesForecast& made) {
  std::vector<ForecastPoint> points;
  points.reserve(made.points.size());
  for (const auto& point : made.points) {
    points.push_back({point.date, point.mean, {{80, point.lo80, point.hi80}, {95, point.lo95, point.hi95}}});
  }
  return points;
}

}  // namespace

Error unknown_series(const std::string& series_id) {
  return not_found("there is no series '" + series_id +
                   "'; `tillcast forecast predict --list` or GET /api/v1/series lists them");
}

std::int64_t ForecastReader::version() const {
  const auto snapshot = snapshot_.load();
  return snapshot == nullptr ? workspace_.version.load() : snapshot->version;
}

Result<std::shared_ptr<const ForecastReader::Snapshot>> ForecastReader::load() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->version =
      workspace_.version.load();  // before the data: too old at worst, then it is loaded again
  snapshot->catalog = TILLCAST_TRY(SeriesCatalog::load(workspace_), "read the stored forecasts");
  const auto megabytes = std::max<std::int64_t>(1, workspace_.config.integer("serve.history_mb"));
  snapshot->shelf =
      std::make_unique<SeriesShelf>(workspace_, snapshot->catalog, static_cast<std::size_t>(megabytes) << 20);
  snapshot->quantiles = std::make_unique<QuantileAnswers>(snapshot->catalog);
  snapshot_.store(snapshot);
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

// Only the very first readers wait. Later ones that find the data changed (a write is under way) load it when
// nobody else does, and else read on in what there is.
Result<std::shared_ptr<const ForecastReader::Snapshot>> ForecastReader::current() {
  auto snapshot = snapshot_.load();
  if (snapshot != nullptr && snapshot->version == workspace_.version.load()) return snapshot;
  std::unique_lock lock(loading_, std::defer_lock);
  if (snapshot == nullptr) {
    lock.lock();
  } else if (!lock.try_lock()) {
    return snapshot;
  }
  snapshot = snapshot_.load();
  if (snapshot != nullptr && snapshot->version == workspace_.version.load()) return snapshot;
  return load();
}

void ForecastReader::refresh() {
  const std::lock_guard lock(loading_);
  const auto snapshot = snapshot_.load();
  if (snapshot == nullptr || snapshot->version == workspace_.version.load()) return;
  if (auto loaded = load(); !loaded)
    log(LogLevel::kWarning, "readers keep the forecasts they had",
        {{"error.message", loaded.error().message}});
}

Result<std::shared_ptr<const SeriesCatalog>> ForecastReader::catalog() {
  return TILLCAST_TRY_PLAIN(current())->catalog;
}

Result<SeriesForecast> ForecastReader::series(const std::string& series_id,
                                              std::vector<HistoryPoint>& history) {
  const auto snapshot = TILLCAST_TRY_PLAIN(current());
  const auto* const found = snapshot->catalog->find(series_id);
  if (found == nullptr) return unknown_series(series_id);
  const auto series = TILLCAST_TRY_PLAIN(snapshot->shelf->find(*found));
  history.clear();
  history.reserve(series->size());
  for (std::size_t i = 0; i < series->size(); ++i) history.push_back({series->date_at(i), series->value[i]});
  return *found;
}

Result<std::vector<Result<SeriesForecast>>> ForecastReader::forecast(const ForecastRequest& request) {
  if (request.items.empty() || request.items.size() > kForecastItemsMax) {
    return invalid_input("items must hold 1 to 1000 series, found " + std::to_string(request.items.size()));
  }
  if (request.horizon && (*request.horizon < 1 || *request.horizon > kPeriodsAheadMax)) {
    return invalid_input("horizon must be 1 to 366 periods, found " + std::to_string(*request.horizon));
  }
  if (asks_quantiles(request)) TILLCAST_TRY_PLAIN(check_quantiles(request));
  const auto snapshot = TILLCAST_TRY_PLAIN(current());
  std::vector<Result<SeriesForecast>> answers;
  answers.reserve(request.items.size());
  for (const auto& item : request.items) answers.push_back(forecast_one(*snapshot, item.series_id, request));
  return answers;
}

Result<SeriesForecast> ForecastReader::forecast_one(const Snapshot& snapshot, const std::string& id,
                                                    const ForecastRequest& request) {
  const auto* const stored = snapshot.catalog->find(id);
  if (stored == nullptr) return unknown_series(id);
  const bool as_stored = !request.horizon && request.dates.empty();
  if (as_stored && !asks_quantiles(request)) return *stored;

  const auto grain = grain_of(*snapshot.catalog->plan(stored->info.plan));
  std::size_t periods = as_stored         ? stored->points.size()
                        : request.horizon ? static_cast<std::size_t>(*request.horizon)
                                          : 0;
  std::vector<std::size_t> places;
  places.reserve(request.dates.size());
  for (const Date date : request.dates) {
    const auto ahead = forecast::periods_between(stored->info.last, date, grain);
    if (ahead < 1 || ahead > kPeriodsAheadMax) {
      return invalid_input(format_date(date) + " is not within the 366 periods after " +
                           format_date(stored->info.last) + ", the last period of " + id);
    }
    places.push_back(static_cast<std::size_t>(ahead) - 1);
    periods = std::max(periods, static_cast<std::size_t>(ahead));
  }
  SeriesForecast answer = *stored;
  if (periods > answer.points.size()) {
    if (auto extended = extend(snapshot, *stored, periods, answer); !extended)
      return std::move(extended.error());
  }
  answer.points.resize(periods);
  if (!request.dates.empty()) {
    std::vector<ForecastPoint> picked;
    picked.reserve(places.size());
    for (const std::size_t place : places) picked.push_back(answer.points[place]);
    answer.points = std::move(picked);
  }
  if (asks_quantiles(request)) {
    if (request.dates.empty()) {
      places.resize(periods);
      std::iota(places.begin(), places.end(), std::size_t{0});
    }
    if (auto added = snapshot.quantiles->add(*stored, request, places, answer); !added)
      return std::move(added.error());
  }
  return answer;
}

Result<void> ForecastReader::extend(const Snapshot& snapshot, const SeriesForecast& stored,
                                    std::size_t periods, SeriesForecast& answer) {
  const ForecastPlan& plan = *snapshot.catalog->plan(stored.info.plan);
  const auto series = TILLCAST_TRY_PLAIN(snapshot.shelf->find(stored));
  auto options = forecast_options(workspace_, plan);
  options.backtest.horizon = periods;
  options.threads = 1;
  // The model of the stored points, unless it needs all series; should it not reach so far, the best of the
  // others.
  const auto* const model = forecast::find_model(stored.model);
  if (model != nullptr && !forecast::is_panel_model(model->id)) options.models = {model->id};
  NoProgress progress;
  const std::span<const forecast::Series> one(series.get(), 1);
  auto run = TILLCAST_TRY_PLAIN(forecast::forecast_all(one, options, progress));
  if (run.series[0].status == forecast::SeriesStatus::kFallback && !options.models.empty()) {
    options.models.clear();
    run = TILLCAST_TRY_PLAIN(forecast::forecast_all(one, options, progress));
  }
  const auto& made = run.series[0];
  if (made.points.size() != periods) {
    return invalid_input("series '" + stored.info.id + "' cannot be forecast " + std::to_string(periods) +
                         " periods ahead: " + made.reason);
  }
  auto points = points_of(made);
  const std::size_t known = stored.points.size();
  const auto season = static_cast<std::size_t>(forecast::season_length(grain_of(plan)));
  widen(stored.points, season, std::span(points).subspan(known));
  std::ranges::copy(stored.points, points.begin());
  answer.points = std::move(points);
  answer.extension = Extension{answer.points[known].date, std::string(forecast::model(made.model).name)};
  return {};
}

}  // namespace tillcast::pipeline
