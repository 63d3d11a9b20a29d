#include "pipeline/forecast_reader.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "core/log.h"
#include "forecast/forecast.h"
#include "pipeline/forecasts.h"
#include "pipeline/plan_series.h"
#include "pipeline/settings.h"

namespace tillcast::pipeline {
namespace {

/// The periods that a request asks for, counted from the end of the data.
struct Wanted {
  std::size_t periods = 0;
  std::vector<std::size_t> places;  ///< one per date asked for; none when all periods are
};

Result<Wanted> wanted_of(const SeriesInfo& info, const ForecastRequest& request) {
  const auto grain = info.frequency == "weekly"    ? forecast::Grain::kWeekly
                     : info.frequency == "monthly" ? forecast::Grain::kMonthly
                                                   : forecast::Grain::kDaily;
  Wanted wanted;
  wanted.periods = request.horizon ? static_cast<std::size_t>(*request.horizon) : 0;
  wanted.places.reserve(request.dates.size());
  for (const Date date : request.dates) {
    const auto ahead = forecast::periods_between(info.last, date, grain);
    if (ahead < 1 || ahead > kPeriodsAheadMax) {
      return invalid_input(format_date(date) + " is not within the 366 periods after " +
                           format_date(info.last) + ", the last period of " + info.id);
    }
    wanted.places.push_back(static_cast<std::size_t>(ahead) - 1);
    wanted.periods = std::max(wanted.periods, static_cast<std::size_t>(ahead));
  }
  return wanted;
}

SeriesForecast pick(const Wanted& wanted, SeriesForecast answer) {
  answer.points.resize(wanted.periods);
  if (wanted.places.empty()) return answer;
  std::vector<ForecastPoint> picked;
  picked.reserve(wanted.places.size());
  for (const std::size_t place : wanted.places) picked.push_back(answer.points[place]);
  answer.points = std::move(picked);
  return answer;
}

/// The points of all answers to a request.
std::size_t points_of(const SeriesCatalog& catalog, const ForecastRequest& request) {
  if (request.horizon) return request.items.size() * static_cast<std::size_t>(*request.horizon);
  if (!request.dates.empty()) return request.items.size() * request.dates.size();
  std::size_t points = 0;
  for (const auto& item : request.items)
    if (const auto* const stored = catalog.find(item.series_id)) points += stored->points.size();
  return points;
}

}  // namespace

/// What one request has computed beyond what is stored: each series once, so many periods in all.
class ForecastReader::Computing {
 public:
  Computing(ServedForecasts& served, std::size_t periods_max) : served_(served), periods_max_(periods_max) {}

  // A stored series, so many periods ahead.
  Result<SeriesForecast> longer(const SeriesForecast& stored, std::size_t periods) {
    if (periods <= stored.points.size()) return stored;
    const auto known = made_.find({&stored, periods});
    if (known != made_.end()) return known->second;
    const std::size_t cost = served_.cost(stored, periods);
    TILLCAST_TRY_PLAIN(take(cost));
    auto answer = served_.extend(stored, periods);
    if (answer && answer->extension->refitted) taken_ += std::max(kRefitFactor * periods, cost) - cost;
    return made_.emplace(std::pair(&stored, periods), std::move(answer)).first->second;
  }
  // Whether the request has asked for too much: an error of the whole, not of an item.
  const std::optional<Error>& refusal() const { return refusal_; }

 private:
  Result<> take(std::size_t periods) {
    taken_ += periods;
    if (taken_ <= periods_max_) return {};
    refusal_ = invalid_input("beyond what is stored, one request may have " + std::to_string(periods_max_) +
                             " periods of its series computed (" + std::to_string(kRefitFactor) +
                             " times as many count for a series that has to be fitted anew); ask for fewer "
                             "series or periods at a time");
    return *refusal_;
  }

  ServedForecasts& served_;
  std::size_t periods_max_;
  std::size_t taken_ = 0;
  std::map<std::pair<const SeriesForecast*, std::size_t>, Result<SeriesForecast>> made_;
  std::optional<Error> refusal_;
};

Error unknown_series(const std::string& series_id) {
  return not_found("there is no series '" + series_id +
                   "'; `tillcast forecast predict --list` or GET /api/v1/series lists them");
}

std::int64_t ForecastReader::version() const {
  const auto snapshot = snapshot_.load();
  return snapshot == nullptr ? published_.load() : snapshot->version;
}

Result<std::shared_ptr<const ForecastReader::Snapshot>> ForecastReader::load() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->version = published_.load();  // before the data: too old at worst, then it is loaded again
  snapshot->catalog = TILLCAST_TRY(SeriesCatalog::load(workspace_), "read the stored forecasts");
  const auto megabytes = std::max<std::int64_t>(1, workspace_.config.integer("serve.history_mb"));
  const std::size_t bytes_max = static_cast<std::size_t>(megabytes) << 20;
  snapshot->shelf = std::make_unique<SeriesShelf>(workspace_, snapshot->catalog, bytes_max);
  snapshot->served =
      std::make_unique<ServedForecasts>(workspace_, snapshot->catalog, *snapshot->shelf, bytes_max);
  snapshot->unseen = std::make_unique<UnseenSeries>(workspace_, snapshot->catalog);
  snapshot->quantiles = std::make_unique<QuantileAnswers>(snapshot->catalog);
  snapshot_.store(snapshot);
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

// Only the very first readers wait. Later ones look for new data only after a write that could not load it
// itself: in the middle of a write, one plan's forecasts are new and the next one's old.
Result<std::shared_ptr<const ForecastReader::Snapshot>> ForecastReader::current() {
  auto snapshot = snapshot_.load();
  if (snapshot != nullptr && snapshot->version == published_.load()) return snapshot;
  std::unique_lock lock(loading_, std::defer_lock);
  if (snapshot == nullptr) {
    lock.lock();
  } else if (!lock.try_lock()) {
    return snapshot;
  }
  snapshot = snapshot_.load();
  if (snapshot != nullptr && snapshot->version == published_.load()) return snapshot;
  return load();
}

void ForecastReader::refresh() {
  published_ = workspace_.version.load();
  const std::lock_guard lock(loading_);
  const auto snapshot = snapshot_.load();
  if (snapshot == nullptr || snapshot->version == published_.load()) return;
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
  const auto snapshot = TILLCAST_TRY_PLAIN(current());
  if (asks_quantiles(request))
    TILLCAST_TRY_PLAIN(check_quantiles(request, points_of(*snapshot->catalog, request)));
  Computing computing(*snapshot->served, computed_max_);
  const auto& items = request.items;
  const auto before = [&items](std::size_t a, std::size_t b) {
    return std::tie(items[a].series_id, items[a].attributes) <
           std::tie(items[b].series_id, items[b].attributes);
  };
  std::set<std::size_t, decltype(before)> seen(before);
  std::vector<Result<SeriesForecast>> answers;
  answers.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto [first, fresh] = seen.insert(i);
    answers.push_back(fresh ? forecast_one(*snapshot, items[i], request, computing) : answers[*first]);
    if (computing.refusal()) return *computing.refusal();
  }
  return answers;
}

Result<SeriesForecast> ForecastReader::forecast_one(const Snapshot& snapshot, const ForecastItem& item,
                                                    const ForecastRequest& request, Computing& computing) {
  const auto longer = [&computing](const SeriesForecast& one, std::size_t periods) {
    return computing.longer(one, periods);
  };
  const auto* const stored = snapshot.catalog->find(item.series_id);
  if (stored != nullptr) {
    const bool as_stored = !request.horizon && request.dates.empty();
    if (as_stored && !asks_quantiles(request)) return *stored;
    Wanted wanted = TILLCAST_TRY_PLAIN(wanted_of(stored->info, request));
    if (as_stored) wanted.periods = stored->points.size();
    SeriesForecast answer = pick(wanted, TILLCAST_TRY_PLAIN(longer(*stored, wanted.periods)));
    if (!asks_quantiles(request)) return answer;
    if (request.dates.empty()) {
      wanted.places.resize(wanted.periods);
      std::iota(wanted.places.begin(), wanted.places.end(), std::size_t{0});
    }
    if (auto added = snapshot.quantiles->add(*stored, request, wanted.places, answer); !added)
      return std::move(added.error());
    return answer;
  }
  if (asks_quantiles(request) && !request.strict)
    return invalid_input("'" + item.series_id +
                         "' was never seen: quantiles and sums are of stored series only");
  if (request.strict) return unknown_series(item.series_id);
  // The end of the data is known with the plan's series: first what is stored, then what was asked for.
  auto answer = TILLCAST_TRY_PLAIN(snapshot.unseen->forecast(item, 0, longer));
  if (!request.horizon && request.dates.empty()) return answer;
  const Wanted wanted = TILLCAST_TRY_PLAIN(wanted_of(answer.info, request));
  if (wanted.periods > answer.points.size())
    answer = TILLCAST_TRY_PLAIN(snapshot.unseen->forecast(item, wanted.periods, longer));
  return pick(wanted, std::move(answer));
}

Result<SeriesExplanation> ForecastReader::explain(const ExplainRequest& request) {
  const auto snapshot = TILLCAST_TRY_PLAIN(current());
  const auto* const stored = snapshot->catalog->find(request.series_id);
  if (stored == nullptr) return unknown_series(request.series_id);
  return snapshot->served->explain(*stored, request);
}

}  // namespace tillcast::pipeline
