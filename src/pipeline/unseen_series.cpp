#include "pipeline/unseen_series.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "core/text.h"
#include "forecast/unseen.h"
#include "pipeline/forecast_reader.h"
#include "pipeline/models.h"
#include "pipeline/plan_attributes.h"
#include "pipeline/plan_levels.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {
namespace {

constexpr std::size_t kKeyBytesMax = 200;
constexpr std::size_t kAlikeMin = 3;      // so many stores or products alike are asked, where there are
constexpr std::size_t kExtendedMax = 12;  // series whose longer forecasts give the course beyond the stored
constexpr std::array<const char*, 2> kPartNames = {"store", "product"};

using Key = std::array<std::string, 2>;

/// Codes of the words of one part of the keys.
struct Words {
  std::map<std::string, int, std::less<>> code;

  int add(const std::string& word) { return code.emplace(word, static_cast<int>(code.size())).first->second; }
  std::optional<int> find(const std::string& word) const {
    const auto at = code.find(word);
    return at == code.end() ? std::nullopt : std::optional(at->second);
  }
};

/// What is known of the stores or of the products: one value for each code.
struct PartAttribute {
  std::string name;
  bool is_category = false;
  std::vector<std::string> words;  ///< of a category, by value
  std::vector<float> value;
  double range = 0;
};

std::optional<float> number_of(const PartAttribute& attribute, const std::string& text) {
  if (attribute.is_category) {
    const auto at = std::ranges::find(attribute.words, text);
    return at == attribute.words.end() ? std::nullopt
                                       : std::optional(static_cast<float>(at - attribute.words.begin()));
  }
  if (const auto day = parse_date(text)) return static_cast<float>(day->days);
  float number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::string expected_of(const PartAttribute& attribute) {
  if (!attribute.is_category) return "a number or a day as YYYY-MM-DD";
  constexpr std::size_t kShown = 20;
  const auto shown = std::span(attribute.words).first(std::min(kShown, attribute.words.size()));
  return "one of " + join(shown, ", ") + (attribute.words.size() > kShown ? ", ..." : "");
}

std::string form_of(const ForecastPlan& plan) {
  if (plan.by.empty()) return plan.name + "/total";
  return plan.name + "/" + (plan.groups_by("store") ? "<store>" : "") + (plan.by.size() > 1 ? "|" : "") +
         (plan.groups_by("product") ? "<product>" : "");
}

bool is_key_part(const std::string& text) {
  return !text.empty() && text.size() <= kKeyBytesMax && text.front() != '@' &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// Sums of the longer forecasts of a few series, by period.
struct LongerSums {
  explicit LongerSums(std::size_t periods)
      : date(periods), mean(periods), below{mean, mean}, above{mean, mean} {}

  void add(const SeriesForecast& one) {
    for (std::size_t step = 0; step < mean.size(); ++step) {
      const auto& point = one.points[step];
      date[step] = point.date;
      mean[step] += point.mean;
      for (std::size_t k = 0; k < 2; ++k) {
        below[k][step] += point.mean - point.intervals[k].low;
        above[k][step] += point.intervals[k].high - point.mean;
      }
    }
  }
  /// How much wider, for its mean, a period is than the season before `stored`; at least 1.
  double growth(const std::vector<double>& width, std::size_t stored, std::size_t season,
                std::size_t step) const {
    double sum = 0;
    double of = 0;
    for (std::size_t i = stored - season; i < stored; ++i) sum += width[i], of += mean[i];
    return sum > 0 && mean[step] > 0 ? std::max(1.0, width[step] / mean[step] * of / sum) : 1.0;
  }

  std::vector<Date> date;
  std::vector<double> mean;
  std::array<std::vector<double>, 2> below;
  std::array<std::vector<double>, 2> above;
};

// Periods beyond the stored ones: the course of a few series that are forecast so far, at this one's size;
// the intervals of its last season, stretched as theirs are.
void add_beyond(const LongerSums& sums, std::size_t season, SeriesForecast& answer) {
  const std::size_t stored = answer.points.size();
  season = std::min(season, stored);
  double own = 0;
  double size = 0;
  for (std::size_t step = 0; step < stored; ++step) own += answer.points[step].mean, size += sums.mean[step];
  std::array<double, 2> below{};
  std::array<double, 2> above{};
  double mean = 0;
  for (const auto& point : std::span(answer.points).last(season)) {
    mean += point.mean;
    for (std::size_t k = 0; k < 2; ++k) {
      below[k] += point.mean - point.intervals[k].low;
      above[k] += point.intervals[k].high - point.mean;
    }
  }
  answer.extension = Extension{sums.date[stored], "cold_start"};
  for (std::size_t step = stored; step < sums.mean.size(); ++step) {
    ForecastPoint point{
        sums.date[step], size > 0 ? sums.mean[step] * own / size : 0, {{80, 0, 0}, {95, 0, 0}}};
    for (std::size_t k = 0; k < 2 && mean > 0; ++k) {
      const double down = below[k] / mean * sums.growth(sums.below[k], stored, season, step);
      const double up = above[k] / mean * sums.growth(sums.above[k], stored, season, step);
      point.intervals[k].low = std::max(0.0, point.mean * (1 - down));
      point.intervals[k].high = point.mean * (1 + up);
    }
    point.intervals[1].low = std::min(point.intervals[0].low, point.intervals[1].low);
    point.intervals[1].high = std::max(point.intervals[0].high, point.intervals[1].high);
    answer.points.push_back(std::move(point));
  }
}

// An answer without points for an id, of the run and version of a known series.
SeriesForecast blank_answer(const std::string& id, const Key& key, const SeriesForecast& like, Date first) {
  SeriesForecast answer;
  answer.info = like.info;
  answer.info.id = id;
  answer.info.label = "new: " + key[0] + (key[0].empty() || key[1].empty() ? "" : " ") + key[1];
  answer.info.store_id = key[0];
  answer.info.product_id = key[1];
  answer.info.first = first;
  answer.info.periods = 0;
  answer.info.total = "0";
  answer.info.model = answer.model = "cold_start";
  answer.info.demand_class.clear();
  answer.info.status = "fallback";
  answer.run_id = like.run_id;
  answer.model_version = like.model_version;
  answer.variant = like.variant;
  answer.data_until = like.data_until;
  return answer;
}

Result<std::int64_t> sales_rows(Workspace& workspace, const ForecastPlan& plan, const Key& key) {
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  std::string where;
  std::vector<database::Value> values;
  for (std::size_t part = 0; part < 2; ++part) {
    if (!plan.groups_by(kPartNames[part])) continue;
    const std::string name = kPartNames[part];
    where += (where.empty() ? "" : " AND ") + name + "_key IN (SELECT " + name + "_key FROM dim_" + name +
             " WHERE " + name + "_id = ?)";
    values.emplace_back(key[part]);
  }
  const auto rows = TILLCAST_TRY_PLAIN(
      connection.query(std::string("SELECT count(*) FROM ") +
                           (plan.measure == "sales" ? "sales_daily" : "demand_daily") + " WHERE " + where,
                       values));
  return rows.integer(0, 0).value_or(0);
}

}  // namespace

/// What forecasts of one plan's unseen ids need.
struct UnseenSeries::Plan {
  ForecastPlan plan;
  int top = 0;  ///< only so many of the largest series are forecast
  std::vector<const SeriesForecast*> series;
  std::array<Words, 2> words;  ///< of stores, of products
  std::array<std::vector<PartAttribute>, 2> attributes;
  std::vector<std::string> attribute_names;
  std::optional<forecast::UnseenPool> pool;
  std::string too_few;  ///< why there is no pool

  std::optional<Key> key_of(const std::string& id) const;
  Result<std::vector<int>> alike(std::size_t part, const std::map<std::string, std::string>& asked) const;
};

// The parts of an id; none when it can be no member of the plan.
std::optional<Key> UnseenSeries::Plan::key_of(const std::string& id) const {
  const std::string text = id.substr(plan.name.size() + 1);
  Key key;
  if (plan.by.size() == 1) {
    key[plan.groups_by("store") ? 0 : 1] = text;
  } else if (plan.by.size() == 2) {
    // A store's own id may have a bar: the first one unless the words before a later one are a store.
    auto bar = text.find('|');
    for (auto next = bar; next != std::string::npos; next = text.find('|', next + 1))
      if (words[0].find(text.substr(0, next))) bar = next;
    if (bar == std::string::npos) return std::nullopt;
    key = {text.substr(0, bar), text.substr(bar + 1)};
  } else {
    return std::nullopt;
  }
  for (std::size_t part = 0; part < 2; ++part)
    if (plan.groups_by(kPartNames[part]) && !is_key_part(key[part])) return std::nullopt;
  return key;
}

// Codes of the stores or products nearest by Gower's distance over the attributes that were named; empty when
// none of this part was named.
Result<std::vector<int>> UnseenSeries::Plan::alike(std::size_t part,
                                                   const std::map<std::string, std::string>& asked) const {
  std::vector<std::pair<double, int>> near(words[part].code.size());
  for (std::size_t code = 0; code < near.size(); ++code) near[code].second = static_cast<int>(code);
  bool any = false;
  for (const auto& attribute : attributes[part]) {
    const auto at = asked.find(attribute.name);
    if (at == asked.end()) continue;
    const auto value = number_of(attribute, at->second);
    if (!value)
      return invalid_input("attribute " + attribute.name + " of plan '" + plan.name + "': expected " +
                           expected_of(attribute) + ", found '" + at->second.substr(0, 80) + "'");
    any = true;
    for (auto& [distance, code] : near) {
      const float own = attribute.value[static_cast<std::size_t>(code)];
      if (std::isnan(own))
        distance += 0.5;
      else if (attribute.is_category)
        distance += own == *value ? 0 : 1;
      else if (attribute.range > 0)
        distance += std::min(1.0, std::abs(static_cast<double>(own - *value)) / attribute.range);
    }
  }
  if (!any || near.empty()) return std::vector<int>{};
  std::ranges::sort(near);
  const double reach = near[std::min(kAlikeMin, near.size()) - 1].first;
  std::vector<int> codes;
  for (const auto& [distance, code] : near)
    if (distance <= reach) codes.push_back(code);
  return codes;
}

UnseenSeries::UnseenSeries(Workspace& workspace, std::shared_ptr<const SeriesCatalog> catalog)
    : workspace_(workspace), catalog_(std::move(catalog)) {}
UnseenSeries::~UnseenSeries() = default;

// Under the lock.
Result<UnseenSeries::Split> UnseenSeries::split_of(const ForecastPlan& plan) {
  const auto found = splits_.find(plan.name);
  if (found != splits_.end()) return found->second;
  Split split;
  const auto stored = catalog_->series_of(plan.name);
  if (std::ranges::any_of(stored, [](const auto* one) { return one->variant == "challenger"; })) {
    const auto folder = registry_of(workspace_).folder(plan.name);
    const auto all = TILLCAST_TRY_PLAIN(registry::read_experiments(folder));
    // The newest one, running or just ended: it made what is stored.
    if (!all.empty()) split = all.back();
  }
  splits_[plan.name] = split;
  return split;
}

// Of two versions only one forecasts an id, as it does the known ones: a mean of both is nobody's forecast.
Result<std::shared_ptr<const UnseenSeries::Plan>> UnseenSeries::plan_for(const ForecastPlan& plan,
                                                                         const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto split = TILLCAST_TRY_PLAIN(split_of(plan));
  if (!split) return plan_of(plan, "");
  const bool challenged = registry::in_challenger_share(*split, id);
  auto found = TILLCAST_TRY_PLAIN(plan_of(plan, challenged ? "challenger" : "champion"));
  if (found->pool) return found;
  // A small share has too few series to say anything.
  return plan_of(plan, challenged ? "champion" : "challenger");
}

Result<std::shared_ptr<const UnseenSeries::Plan>> UnseenSeries::plan_of(const ForecastPlan& plan,
                                                                        const std::string& variant) {
  const auto found = plans_.find({plan.name, variant});
  if (found != plans_.end()) return found->second;
  auto loaded = TILLCAST_TRY_PLAIN(load(plan, variant));
  plans_[{plan.name, variant}] = loaded;
  return loaded;
}

Result<std::shared_ptr<const UnseenSeries::Plan>> UnseenSeries::load(const ForecastPlan& plan,
                                                                     const std::string& variant) {
  auto loaded = std::make_shared<Plan>();
  loaded->plan = plan;
  for (const auto& one : TILLCAST_TRY_PLAIN(plans_of(workspace_)))
    if (one.name == plan.name) loaded->top = one.top;
  std::vector<forecast::KnownSeries> known;
  PlanSeries members;
  for (const SeriesForecast* one : catalog_->series_of(plan.name)) {
    if (one->points.size() != static_cast<std::size_t>(plan.horizon) || is_level_id(plan, one->info.id))
      continue;
    if (!variant.empty() && one->variant != variant) continue;
    if (std::ranges::any_of(one->points, [](const ForecastPoint& at) { return at.intervals.empty(); }))
      continue;
    forecast::KnownSeries series{
        {loaded->words[0].add(one->info.store_id), loaded->words[1].add(one->info.product_id)}, {}};
    for (const auto& point : one->points) {
      const auto& narrow = point.intervals[0];
      const auto& wide = point.intervals[1];
      series.points.push_back({point.date, point.mean, narrow.low, narrow.high, wide.low, wide.high});
    }
    known.push_back(std::move(series));
    loaded->series.push_back(one);
    PlanMember member;
    member.store_id = one->info.store_id;
    member.product_id = one->info.product_id;
    members.members.push_back(std::move(member));
  }
  auto connection = TILLCAST_TRY_PLAIN(workspace_.database.connect());
  TILLCAST_TRY_PLAIN(find_member_keys(connection, members));
  for (auto& column : TILLCAST_TRY_PLAIN(load_attributes(connection, plan, members))) {
    if (column.name == "store" || column.name == "product") continue;  // the id itself says so
    const std::size_t part = column.name == "category" ? 1 : 0;
    PartAttribute attribute{column.name, column.is_category, std::move(column.words), {}, 0};
    attribute.value.assign(loaded->words[part].code.size(), NAN);
    double low = INFINITY;
    double high = -INFINITY;
    for (std::size_t i = 0; i < known.size(); ++i) {
      const float value = column.value[i];
      attribute.value[static_cast<std::size_t>(known[i].key[part])] = value;
      if (std::isnan(value)) continue;
      low = std::min(low, static_cast<double>(value));
      high = std::max(high, static_cast<double>(value));
    }
    attribute.range = high > low ? high - low : 0;
    loaded->attribute_names.push_back(attribute.name);
    loaded->attributes[part].push_back(std::move(attribute));
  }
  auto pool = forecast::UnseenPool::create(std::move(known));
  if (pool)
    loaded->pool.emplace(std::move(*pool));
  else
    loaded->too_few = pool.error().message;
  return std::shared_ptr<const Plan>(std::move(loaded));
}

Result<SeriesForecast> UnseenSeries::forecast(const ForecastItem& item, std::size_t periods,
                                              const Extend& extend) {
  const std::string& id = item.series_id;
  const ForecastPlan* const found = catalog_->plan(id.substr(0, id.find('/')));
  if (found == nullptr || found->by.empty() || id.size() <= found->name.size() || is_level_id(*found, id))
    return unknown_series(id);
  const auto plan = TILLCAST_TRY_PLAIN(plan_for(*found, id));
  const auto key = plan->key_of(id);
  if (!key)
    return not_found("there is no series '" + id + "', and an id that was never seen has the form " +
                     form_of(*found));
  for (const auto& [name, value] : item.attributes) {
    if (std::ranges::find(plan->attribute_names, name) != plan->attribute_names.end()) continue;
    return invalid_input("plan '" + found->name + "' knows no attribute '" + name.substr(0, 80) +
                         "'; it knows " +
                         (plan->attribute_names.empty() ? "none" : join(plan->attribute_names, ", ")));
  }
  if (!plan->pool)
    return not_found("there is no series '" + id + "', and plan '" + found->name +
                     "' is too small to say anything of new ones: " + plan->too_few);
  if (plan->top > 0) {
    if (TILLCAST_TRY_PLAIN(sales_rows(workspace_, *found, *key)) > 0)
      return not_found("series '" + id + "' has sales but is none of the " + std::to_string(plan->top) +
                       " largest, which are all that plan '" + found->name + "' forecasts (its top)");
  }

  forecast::UnseenKey asked;
  ColdStart start;
  std::string known;
  std::string fresh;
  for (std::size_t part = 0; part < 2; ++part) {
    if (!found->groups_by(kPartNames[part])) {
      asked.known[part] = 0;
      continue;
    }
    asked.known[part] = plan->words[part].find((*key)[part]);
    const std::string name = std::string(kPartNames[part]) + " " + (*key)[part];
    if (asked.known[part]) {
      start.known.emplace_back(kPartNames[part]);
      known += (known.empty() ? "" : " and ") + name;
      continue;
    }
    asked.alike[part] = TILLCAST_TRY_PLAIN(plan->alike(part, item.attributes));
    fresh += (fresh.empty() ? "" : " and ") + name +
             (asked.alike[part].empty()
                  ? ""
                  : " (as " + std::to_string(asked.alike[part].size()) + " " + kPartNames[part] + "s alike)");
  }
  const auto made = plan->pool->forecast(asked);
  start.series = static_cast<std::int64_t>(made.examples);
  start.basis = (known.empty() ? "" : known + " known") + (known.empty() || fresh.empty() ? "" : ", ") +
                (fresh.empty() ? ", the two together new" : fresh + " new") + "; pooled over " +
                std::to_string(plan->series.size()) + " series, errors of " + std::to_string(made.examples);

  SeriesForecast answer = blank_answer(id, *key, *plan->series.front(), made.points.front().date);
  answer.info.reason = "cold_start: " + start.basis;
  answer.cold_start = std::move(start);
  for (const auto& point : made.points)
    answer.points.push_back(
        {point.date, point.mean, {{80, point.lo80, point.hi80}, {95, point.lo95, point.hi95}}});
  if (periods <= answer.points.size()) return answer;
  LongerSums sums(periods);
  for (const std::size_t at : plan->pool->nearest(asked, kExtendedMax))
    sums.add(TILLCAST_TRY_PLAIN(extend(*plan->series[at], periods)));
  add_beyond(sums, static_cast<std::size_t>(forecast::season_length(grain_of(*found))), answer);
  return answer;
}

}  // namespace tillcast::pipeline
