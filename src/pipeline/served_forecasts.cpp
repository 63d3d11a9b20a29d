#include "pipeline/served_forecasts.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>

#include "forecast/forecast.h"
#include "forecast/global_blend.h"
#include "forecast/global_monthly.h"
#include "pipeline/forecasts.h"
#include "pipeline/models.h"
#include "pipeline/plan_attributes.h"
#include "pipeline/plan_levels.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {
namespace {

constexpr std::size_t kPlanPeriodBytes = 40;  // a value with its mask and a few drivers

/// How far the bounds of some stored periods lie from the mean, as shares of it.
struct Spread {
  double below = 0;
  double above = 0;
};

Spread spread_of(std::span<const ForecastPoint> points, std::size_t interval) {
  double mean = 0;
  double below = 0;
  double above = 0;
  for (const auto& point : points) {
    if (interval >= point.intervals.size()) continue;
    mean += point.mean;
    below += point.mean - point.intervals[interval].low;
    above += point.intervals[interval].high - point.mean;
  }
  return mean > 0 ? Spread{below / mean, above / mean} : Spread{};
}

/// The power of the lead time with which intervals grow from the first to the second half of the stored
/// periods: 0 for demand around a level, 1/2 for a random walk.
double growth_of(std::span<const ForecastPoint> stored) {
  const std::size_t half = stored.size() / 2;
  if (half == 0) return 0;
  const Spread early = spread_of(stored.first(half), 1);
  const Spread late = spread_of(stored.last(half), 1);
  const double ratio = (late.below + late.above) / std::max(early.below + early.above, 1e-12);
  // The middles of the halves lie at one and three quarters of the way.
  return std::clamp(std::log(ratio) / std::log(3.0), 0.0, 0.5);
}

// Beyond the stored periods: the relative width of the last season, growing as it did so far.
void add_intervals(std::span<const ForecastPoint> stored, std::size_t season,
                   std::span<ForecastPoint> beyond) {
  // Nothing tells how far off the stored points may be, nor these.
  if (std::ranges::any_of(stored, [](const ForecastPoint& one) { return one.intervals.empty(); })) return;
  const double power = growth_of(stored);
  const auto last = stored.last(std::min(season, stored.size()));
  const double last_lead = static_cast<double>(stored.size()) - static_cast<double>(last.size()) / 2;
  const Spread narrow = spread_of(last, 0);
  const Spread wide = spread_of(last, 1);
  for (std::size_t i = 0; i < beyond.size(); ++i) {
    const double lead = static_cast<double>(stored.size() + i + 1);
    const double grown = std::max(1.0, std::pow(lead / std::max(last_lead, 1.0), power));
    const auto bounds = [&](int level, const Spread& spread) {
      return Interval{level, std::max(0.0, beyond[i].mean * (1 - spread.below * grown)),
                      beyond[i].mean * (1 + spread.above * grown)};
    };
    beyond[i].intervals = {bounds(80, narrow), bounds(95, wide)};
  }
}

// Intervals of a series fitted by itself come from its own residuals, not those of a whole class: at least as
// wide as the last stored ones.
void widen(std::span<const ForecastPoint> stored, std::size_t season, std::span<ForecastPoint> beyond) {
  std::vector<ForecastPoint> least(beyond.begin(), beyond.end());
  add_intervals(stored, season, least);
  for (std::size_t i = 0; i < beyond.size(); ++i) {
    if (beyond[i].intervals.empty()) beyond[i].intervals = least[i].intervals;
    for (std::size_t interval = 0; interval < least[i].intervals.size(); ++interval) {
      auto& bounds = beyond[i].intervals[interval];
      bounds.low = std::min(bounds.low, least[i].intervals[interval].low);
      bounds.high = std::max(bounds.high, least[i].intervals[interval].high);
    }
  }
}

std::vector<forecast::PanelCandidate> known_panels() {
  return {{std::make_shared<forecast::GlobalMonthly>(), nullptr},
          {std::make_shared<forecast::GlobalModel>(forecast::GlobalModelOptions{}), nullptr},
          {std::make_shared<forecast::GlobalBlend>(std::vector<forecast::GlobalModelOptions>{}), nullptr}};
}

std::vector<double> weighted_sum(std::span<const forecast::MemberForecast> members, std::size_t periods) {
  std::vector<double> sum(periods, 0.0);
  for (const auto& member : members)
    for (std::size_t step = 0; step < periods; ++step) sum[step] += member.weight * member.steps[step];
  return sum;
}

std::vector<ExplanationPart> parts_for_people(const forecast::ForecastParts& parts) {
  std::vector<ExplanationPart> out;
  for (const auto& part : parts) out.push_back({part.name, part.value});
  // The level leads; what moves most comes next.
  const auto is_level = [](const ExplanationPart& one) { return one.name == "level" || one.name == "base"; };
  std::ranges::stable_sort(out, [&](const ExplanationPart& a, const ExplanationPart& b) {
    if (is_level(a) != is_level(b)) return is_level(a);
    return std::abs(a.value) > std::abs(b.value);
  });
  return out;
}

// The stored mean is what is explained: what scaling to the total and the sums of a hierarchy made of the
// models' forecast is a part of its own; and so is what older sales that were corrected since then did.
void explain_rest(double mean, bool sums_agree, forecast::ForecastParts& parts) {
  double sum = 0;
  for (const auto& part : parts) sum += part.value;
  if (std::abs(mean - sum) > 1e-9 * std::max(1.0, std::abs(mean)))
    parts.push_back({sums_agree ? "adjustment to sums" : "sales changed since", mean - sum});
}

}  // namespace

ServedForecasts::ServedForecasts(Workspace& workspace, std::shared_ptr<const SeriesCatalog> catalog,
                                 SeriesShelf& shelf, std::size_t bytes_max)
    : workspace_(workspace), catalog_(std::move(catalog)), shelf_(shelf), bytes_max_(bytes_max) {}

// The plan's series with the drivers that its run had, as far ahead as they are known. nullptr when they do
// not fit.
Result<std::shared_ptr<const forecast::PlanInput>> ServedForecasts::input_of(
    const ForecastPlan& stored_plan) {
  const auto found = inputs_.find(stored_plan.name);
  if (found != inputs_.end()) return found->second;
  std::shared_ptr<forecast::PlanInput> input;
  if (catalog_->periods(stored_plan.name) * kPlanPeriodBytes <= bytes_max_) {
    ForecastPlan plan = stored_plan;
    for (const auto& one : TILLCAST_TRY_PLAIN(plans_of(workspace_)))
      if (one.name == plan.name) plan = one;
    auto data = TILLCAST_TRY_PLAIN(
        load_plan_series(workspace_, plan, {.only_id = {}, .drivers = true, .ahead = kPeriodsAheadMax}));
    input = std::make_shared<forecast::PlanInput>();
    input->ids = ids_of(data);
    input->series = std::move(data.series);
    input->attributes = std::move(data.attributes);
    for (std::size_t i = 0; i < input->ids.size(); ++i)
      if (const auto* const one = catalog_->find(input->ids[i])) cut_at(input->series[i], one->info.last);
  }
  inputs_[stored_plan.name] = input;
  return std::shared_ptr<const forecast::PlanInput>(std::move(input));
}

// Why a version has no models of a series.
Result<> ServedForecasts::of_version(const SeriesForecast& stored) const {
  const ForecastPlan& plan = *catalog_->plan(stored.info.plan);
  if (is_level_id(plan, stored.info.id))
    return invalid_input("a group of a level is the sum of its series and has no models in the version");
  if (stored.model_version == 0) return invalid_input("the stored forecast is of no version");
  if (stored.model == forecast::model(forecast::ModelId::kColdStart).name)
    return invalid_input("the series is too new for models of its own and takes after series alike");
  return {};
}

Result<ServedForecasts::Source> ServedForecasts::source_of(const SeriesForecast& stored) {
  TILLCAST_TRY_PLAIN(of_version(stored));
  const ForecastPlan& plan = *catalog_->plan(stored.info.plan);
  const std::lock_guard lock(mutex_);
  Source source;
  source.input = TILLCAST_TRY_PLAIN(input_of(plan));
  auto& model = models_[{plan.name, stored.model_version}];
  if (model == nullptr) {
    const auto loaded = TILLCAST_TRY_PLAIN(load_model(workspace_, plan.name, stored.model_version));
    const auto panels = known_panels();
    model = TILLCAST_TRY_PLAIN(forecast::ServedModel::create(loaded->fitted, panels, source.input));
  }
  source.model = model;
  return source;
}

Result<std::shared_ptr<const forecast::Series>> ServedForecasts::series_of(const SeriesForecast& stored,
                                                                           const Source& source) {
  if (source.input != nullptr) {
    if (const auto place = source.model->place(stored.info.id))
      return std::shared_ptr<const forecast::Series>(source.input, &source.input->series[*place]);
  }
  return shelf_.find(stored);
}

Result<std::vector<ForecastPoint>> ServedForecasts::served_points(const SeriesForecast& stored,
                                                                  std::size_t periods) {
  const auto source = TILLCAST_TRY_PLAIN(source_of(stored));
  const auto series = TILLCAST_TRY_PLAIN(series_of(stored, source));
  const auto members = TILLCAST_TRY_PLAIN(source.model->members(stored.info.id, *series, periods, nullptr));
  const auto sum = weighted_sum(members, periods);
  const std::size_t known = stored.points.size();
  // What scaling and reconciliation made of the stored periods as a whole they would make of those beyond.
  double factor = 1;
  const ForecastPlan& plan = *catalog_->plan(stored.info.plan);
  if (source.model->total_share() > 0 || catalog_->has_levels(plan.name)) {
    double own = 0;
    double served = 0;
    for (std::size_t step = 0; step < known; ++step) own += sum[step], served += stored.points[step].mean;
    if (own > 0 && served > 0) factor = served / own;
  }
  std::vector<ForecastPoint> points = stored.points;
  for (std::size_t step = known; step < periods; ++step)
    points.push_back({series->date_at(series->size() + step), factor * sum[step], {}});
  const auto season = static_cast<std::size_t>(forecast::season_length(series->grain));
  add_intervals(stored.points, season, std::span(points).subspan(known));
  return points;
}

// The series that a group adds up, by what gold says of stores and products now.
Result<ServedForecasts::Members> ServedForecasts::members_of(const SeriesForecast& group) {
  const ForecastPlan& plan = *catalog_->plan(group.info.plan);
  const std::lock_guard lock(mutex_);
  auto& groups = groups_[plan.name];
  if (groups.empty()) {
    PlanSeries leaves;
    Members members;
    for (const SeriesForecast* one : catalog_->series_of(plan.name)) {
      if (is_level_id(plan, one->info.id)) continue;
      PlanMember member;
      member.store_id = one->info.store_id;
      member.product_id = one->info.product_id;
      leaves.members.push_back(std::move(member));
      members.push_back(one);
    }
    auto connection = TILLCAST_TRY_PLAIN(workspace_.database.connect());
    if (auto found = find_member_keys(connection, leaves); !found) return std::move(found.error());
    for (const auto& level : TILLCAST_TRY_PLAIN(load_levels(connection, plan, leaves)))
      for (std::size_t i = 0; i < members.size(); ++i)
        groups[level_id(plan, level.name, level.label[i])].push_back(members[i]);
  }
  const auto found = groups.find(group.info.id);
  if (found == groups.end()) return invalid_input("its series are not those that it was made of");
  return found->second;
}

std::size_t ServedForecasts::cost_of(const Members& members, std::size_t periods) const {
  std::size_t sum = 0;
  for (const SeriesForecast* one : members) sum += of_version(*one) ? periods : kRefitFactor * periods;
  return sum;
}

std::size_t ServedForecasts::cost(const SeriesForecast& stored, std::size_t periods) {
  if (is_level_id(*catalog_->plan(stored.info.plan), stored.info.id)) {
    const auto members = members_of(stored);
    if (members && cost_of(*members, periods) <= kComputedPeriodsMax) return cost_of(*members, periods);
  }
  return of_version(stored) ? periods : kRefitFactor * periods;
}

Result<std::vector<ForecastPoint>> ServedForecasts::summed_points(const SeriesForecast& group,
                                                                  std::size_t periods) {
  const auto members = TILLCAST_TRY_PLAIN(members_of(group));
  if (cost_of(members, periods) > kComputedPeriodsMax)
    return invalid_input("its " + std::to_string(members.size()) +
                         " series are too many to be forecast so far in one answer");
  const std::size_t known = group.points.size();
  std::vector<ForecastPoint> points = group.points;
  points.resize(periods);
  for (const SeriesForecast* one : members) {
    if (one->points.empty()) continue;  // refused: it is not in the stored sums either
    const auto longer = TILLCAST_TRY(extend(*one, periods), one->info.id);
    for (std::size_t step = known; step < periods; ++step) {
      points[step].date = longer.points[step].date;
      points[step].mean += longer.points[step].mean;
    }
  }
  const auto grain = grain_of(*catalog_->plan(group.info.plan));
  add_intervals(group.points, static_cast<std::size_t>(forecast::season_length(grain)),
                std::span(points).subspan(known));
  return points;
}

Result<SeriesForecast> ServedForecasts::extend(const SeriesForecast& stored, std::size_t periods) {
  const bool group = is_level_id(*catalog_->plan(stored.info.plan), stored.info.id);
  auto points = group ? summed_points(stored, periods) : served_points(stored, periods);
  if (!points) return refit(stored, periods, points.error().message);
  SeriesForecast answer = stored;
  answer.extension = Extension{(*points)[stored.points.size()].date, group ? "bottom_up" : stored.model};
  answer.points = std::move(*points);
  return answer;
}

Result<SeriesForecast> ServedForecasts::refit(const SeriesForecast& stored, std::size_t periods,
                                              const std::string& reason) {
  const ForecastPlan& plan = *catalog_->plan(stored.info.plan);
  const auto series = TILLCAST_TRY_PLAIN(shelf_.find(stored));
  auto options = forecast_options(workspace_, plan);
  options.backtest.horizon = periods;
  options.threads = 1;
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
  SeriesForecast answer = stored;
  for (const auto& point : std::span(made.points).subspan(stored.points.size())) {
    answer.points.push_back({point.date, point.mean, {}});
    if (point.closed || !made.no_intervals)
      answer.points.back().intervals = {{80, point.lo80, point.hi80}, {95, point.lo95, point.hi95}};
  }
  const std::size_t known = stored.points.size();
  widen(stored.points, static_cast<std::size_t>(forecast::season_length(series->grain)),
        std::span(answer.points).subspan(known));
  answer.extension =
      Extension{answer.points[known].date, std::string(forecast::model(made.model).name), true, reason};
  return answer;
}

Result<SeriesExplanation> ServedForecasts::explain(const SeriesForecast& stored,
                                                   const ExplainRequest& request) {
  const ForecastPlan& plan = *catalog_->plan(stored.info.plan);
  std::size_t first = 0;
  std::size_t last = stored.points.size();
  if (request.date) {
    const auto ahead = forecast::periods_between(stored.info.last, *request.date, grain_of(plan));
    if (ahead < 1 || ahead > static_cast<std::int64_t>(stored.points.size())) {
      return invalid_input(format_date(*request.date) + " is not within the " +
                           std::to_string(stored.points.size()) + " stored periods after " +
                           format_date(stored.info.last) + ", the last period of " + stored.info.id);
    }
    first = static_cast<std::size_t>(ahead) - 1;
    last = first + 1;
  }
  std::shared_ptr<const forecast::Series> series;
  std::vector<forecast::MemberForecast> members;
  std::string note;
  auto source = source_of(stored);
  if (source) {
    series = TILLCAST_TRY_PLAIN(series_of(stored, *source));
  } else {
    note = source.error().message;
    series = TILLCAST_TRY_PLAIN(shelf_.find(stored));
  }
  const forecast::HistoryExplanation by_history(*series, stored.points.size(),
                                                forecast_options(workspace_, plan).backtest);
  if (source) {
    auto asked = source->model->members(stored.info.id, *series, stored.points.size(), &by_history);
    if (asked)
      members = std::move(*asked);
    else
      note = asked.error().message;
  }
  if (members.empty()) {
    // The forecast itself by the history alone.
    forecast::MemberForecast whole{forecast::ModelId::kZero, 1, {}, {}};
    for (const auto& point : stored.points) whole.steps.push_back(point.mean);
    whole.explained = by_history.of(whole.steps);
    members.push_back(std::move(whole));
  }
  const bool sums_agree = catalog_->has_levels(plan.name) || (source && source->model->total_share() > 0);
  SeriesExplanation answer;
  answer.forecast = stored;
  answer.forecast.points.clear();
  answer.note = note;
  for (std::size_t step = first; step < last; ++step) {
    forecast::ForecastParts parts;
    for (const auto& member : members) forecast::add_parts(member.explained[step], member.weight, parts);
    if (parts.size() > 1) std::erase_if(parts, [](const auto& one) { return one.name == "closed"; });
    explain_rest(stored.points[step].mean, sums_agree, parts);
    answer.points.push_back({stored.points[step].date, stored.points[step].mean, parts_for_people(parts)});
  }
  for (const auto& member : members) {
    ExplainedModel one;
    one.model = note.empty() ? std::string(forecast::model(member.model).name) : stored.model;
    one.weight = member.weight;
    for (std::size_t step = first; step < last; ++step)
      one.points.push_back(
          {stored.points[step].date, member.steps[step], parts_for_people(member.explained[step])});
    answer.models.push_back(std::move(one));
  }
  const auto periods = std::min(static_cast<std::size_t>(std::max(request.history, 0)), series->size());
  const auto past = by_history.past(periods);
  for (std::size_t i = 0; i < past.size(); ++i) {
    const std::size_t period = series->size() - past.size() + i;
    answer.history.push_back({series->date_at(period), series->value[period], parts_for_people(past[i])});
  }
  return answer;
}

}  // namespace tillcast::pipeline
