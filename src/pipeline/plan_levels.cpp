#include "pipeline/plan_levels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "forecast/reconcile.h"

namespace tillcast::pipeline {
namespace {

using forecast::Series;

Result<std::map<std::int64_t, std::string>> words_of(database::Connection& connection,
                                                     const std::string& sql) {
  const auto rows = TILLCAST_TRY_PLAIN(connection.query(sql));
  std::map<std::int64_t, std::string> words;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::string word = rows.text(i, 1);
    words[rows.integer(i, 0).value_or(0)] = word.empty() ? "unknown" : word;
  }
  return words;
}

std::string label_of(const std::string& level, const std::string& label) {
  return level == "total" ? "All stores and products" : level + " " + label;
}

std::string decimal_text(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.2f", value);
  return text.data();
}

/// Moves a forecast of a series to its reconciled mean, and what is around it in proportion.
void move_to(double mean, forecast::SeriesForecast& series, std::size_t step, std::size_t shares) {
  forecast::ForecastPoint& point = series.points[step];
  const double factor = point.mean > 1e-9 ? mean / point.mean : 1;
  const double shift = point.mean > 1e-9 ? 0 : mean;
  const auto moved = [&](double value) { return value * factor + shift; };
  point.lo80 = std::min(moved(point.lo80), mean);
  point.lo95 = std::min(moved(point.lo95), mean);
  point.hi80 = std::max(moved(point.hi80), mean);
  point.hi95 = std::max(moved(point.hi95), mean);
  point.mean = mean;
  if (series.quantiles.size() != series.points.size() * shares) return;
  for (float& one : std::span(series.quantiles).subspan(step * shares, shares))
    one = static_cast<float>(moved(static_cast<double>(one)));
}

/// Errors of one node as a row of equal length, `count` of `all`, evenly: what is missing is made up for, so
/// that a node with a short history is not taken for one that hardly errs.
void add_errors(const forecast::SeriesForecast& series, std::size_t all, std::size_t count,
                std::vector<double>& errors) {
  const std::size_t begin = errors.size();
  errors.resize(begin + count, 0.0);
  std::size_t known = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t from = k * all / count;
    if (from >= series.errors.size() || std::isnan(series.errors[from])) continue;
    errors[begin + k] = static_cast<double>(series.errors[from]);
    ++known;
  }
  if (known > 0) {
    const double factor = std::sqrt(static_cast<double>(count) / static_cast<double>(known));
    for (std::size_t k = 0; k < count; ++k) errors[begin + k] *= factor;
    return;
  }
  double mean = 0;
  for (const auto& point : series.points) mean += point.mean / static_cast<double>(series.points.size());
  for (std::size_t k = 0; k < count; ++k) errors[begin + k] = k % 2 == 0 ? mean : -mean;
}

/// Replaces the forecasts of leaves and groups by coherent ones.
Result<void> make_coherent(const ForecastPlan& plan, const forecast::Hierarchy& hierarchy,
                           std::size_t horizon, std::size_t origins, forecast::ForecastRun& leaves,
                           forecast::ForecastRun& groups, Progress& progress) {
  const std::size_t upper = hierarchy.upper_nodes();
  const auto node = [&](std::size_t at) -> forecast::SeriesForecast& {
    return at < upper ? groups.series[at] : leaves.series[at - upper];
  };
  std::vector<double> base(hierarchy.nodes() * horizon, 0.0);
  // Shrunk covariances need no more, and cost nodes x errors^2.
  constexpr std::size_t kErrorsMax = 300;
  const std::size_t error_count = std::min(origins * horizon, kErrorsMax);
  std::vector<double> errors;
  errors.reserve(hierarchy.nodes() * error_count);
  std::vector<std::uint8_t> closed(hierarchy.leaves * horizon, 0);
  for (std::size_t at = 0; at < hierarchy.nodes(); ++at) {
    const auto& points = node(at).points;  // none when refused: such a leaf stays at 0
    for (std::size_t step = 0; step < horizon; ++step) {
      if (step < points.size()) base[at * horizon + step] = points[step].mean;
      if (at >= upper && (step >= points.size() || points[step].closed))
        closed[(at - upper) * horizon + step] = 1;
    }
    add_errors(node(at), origins * horizon, error_count, errors);
  }
  const auto method = forecast::find_reconcile_method(plan.reconcile);
  if (!method) return invalid_input("reconcile: there is no way named '" + plan.reconcile + "'");
  const auto reconciled = TILLCAST_TRY_PLAIN(forecast::reconcile(
      hierarchy, {base, horizon, errors, error_count, closed}, {.method = *method, .progress = &progress}));
  for (std::size_t at = 0; at < hierarchy.nodes(); ++at)
    for (std::size_t step = 0; step < node(at).points.size(); ++step)
      move_to(reconciled.forecast[at * horizon + step], node(at), step, leaves.quantile_shares.size());
  return {};
}

}  // namespace

Result<std::vector<forecast::LevelLabels>> load_levels(database::Connection& connection,
                                                       const ForecastPlan& plan, const PlanSeries& data,
                                                       std::vector<std::string>* unknown) {
  const auto wanted = [&plan](std::string_view level) {
    return plan.levels.empty() || std::ranges::find(plan.levels, level) != plan.levels.end();
  };
  std::vector<forecast::LevelLabels> levels;
  const auto add = [&](const std::string& name, const auto& label) {
    forecast::LevelLabels level{name, {}};
    for (const auto& member : data.members) level.label.push_back(label(member));
    std::vector<std::string> distinct = level.label;
    std::ranges::sort(distinct);
    if ((name == "country" || name == "category") && !distinct.empty() && distinct.front() == "unknown" &&
        distinct.back() == "unknown") {
      if (unknown != nullptr) unknown->push_back(name);
      return;
    }
    const auto groups = static_cast<std::size_t>(std::ranges::unique(distinct).begin() - distinct.begin());
    if (name == "total" || groups < data.members.size()) levels.push_back(std::move(level));
  };
  if (plan.by.empty()) return levels;
  if (wanted("total")) add("total", [](const PlanMember&) { return std::string("total"); });
  if (wanted("country") && plan.groups_by("store")) {
    const auto country = TILLCAST_TRY_PLAIN(
        words_of(connection, "SELECT CAST(store_key AS BIGINT), coalesce(country, '') FROM dim_store"));
    add("country", [&](const PlanMember& member) {
      const auto at = country.find(member.store_key);
      return at == country.end() ? std::string("unknown") : at->second;
    });
  }
  if (wanted("store") && plan.groups_by("store"))
    add("store", [](const PlanMember& member) { return member.store_id; });
  if (wanted("category") && plan.groups_by("product")) {
    const auto category = TILLCAST_TRY_PLAIN(
        words_of(connection, "SELECT CAST(product_key AS BIGINT), coalesce(category, '') FROM dim_product"));
    add("category", [&](const PlanMember& member) {
      const auto at = category.find(member.product_key);
      return at == category.end() ? std::string("unknown") : at->second;
    });
  }
  if (wanted("product") && plan.groups_by("product"))
    add("product", [](const PlanMember& member) { return member.product_id; });
  return levels;
}

std::string level_id(const ForecastPlan& plan, const std::string& level, const std::string& label) {
  return plan.name + "/@" + level + (level == "total" ? "" : ":" + label);
}

bool is_level_id(const ForecastPlan& plan, const std::string& id) { return id.starts_with(plan.name + "/@"); }

forecast::Series sum_series(std::span<const Series* const> parts) {
  Series sum;
  std::size_t longest = 0;
  std::size_t ahead = 0;
  for (const Series* part : parts) {
    if (!part->refused.empty()) continue;
    sum.grain = part->grain;
    if (part->size() >= longest) {
      longest = part->size();
      sum.start = part->start;
      sum.named_days = part->named_days;
    }
    if (part->open.size() > part->size()) ahead = std::max(ahead, part->open.size() - part->size());
  }
  sum.value.assign(longest, 0.0);
  sum.masked.assign(longest, 1);
  std::vector<std::int8_t> open(longest + ahead, std::int8_t{-1});
  bool any_open = false;
  for (const Series* part : parts) {
    if (!part->refused.empty()) continue;
    const std::size_t from = longest - part->size();
    for (std::size_t t = 0; t < part->size(); ++t) {
      if (part->masked[t] != 0) continue;
      sum.value[from + t] += part->value[t];
      sum.masked[from + t] = 0;
    }
    for (std::size_t t = 0; t < part->open.size() && from + t < open.size(); ++t) {
      any_open = true;
      open[from + t] = std::max(open[from + t], part->open[t]);
    }
  }
  // One part whose opening is unknown leaves the sum's unknown, unless another one is open.
  for (const Series* part : parts) {
    for (std::size_t t = 0; t < open.size(); ++t) {
      const std::size_t from = longest - std::min(longest, part->size());
      if (t >= from && open[t] == 0 && (t - from >= part->open.size() || part->open[t - from] < 0))
        open[t] = -1;
    }
  }
  if (any_open) sum.open = std::move(open);
  return sum;
}

Result<PlanSeries> load_level_series(Workspace& workspace, const ForecastPlan& plan,
                                     const LoadOptions& load) {
  const std::string& id = load.only_id;
  ForecastPlan all_levels = plan;
  all_levels.levels.clear();
  PlanSeries leaves = TILLCAST_TRY_PLAIN(load_plan_series(
      workspace, plan,
      {.only_id = {}, .drivers = false, .is_member = load.is_member, .observer = load.observer}));
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  PlanSeries found;
  found.data_until = leaves.data_until;
  const auto levels = TILLCAST_TRY_PLAIN(load_levels(connection, all_levels, leaves));
  for (const auto& level : levels) {
    std::vector<const Series*> parts;
    std::string label;
    for (std::size_t i = 0; i < leaves.series.size(); ++i) {
      if (level_id(plan, level.name, level.label[i]) != id) continue;
      parts.push_back(&leaves.series[i]);
      label = level.label[i];
    }
    if (parts.empty()) continue;
    PlanMember member;
    member.id = id;
    member.level = level.name;
    member.label = label_of(level.name, label);
    found.members.push_back(std::move(member));
    found.series.push_back(sum_series(parts));
    break;
  }
  return found;
}

Result<void> add_levels(database::Connection& connection, const ForecastPlan& plan,
                        const forecast::ForecastOptions& options, PlanSeries& data,
                        forecast::ForecastRun& run, Progress& progress) {
  if (plan.reconcile == "none" || data.members.empty()) return {};
  std::vector<std::string> unknown;
  const auto labels = TILLCAST_TRY_PLAIN(load_levels(connection, plan, data, &unknown));
  for (const auto& level : unknown)
    data.notes.push_back("level " + level + " is left out: no " + level + " is known");
  const auto hierarchy = TILLCAST_TRY_PLAIN(forecast::make_hierarchy(labels, data.members.size()));
  if (hierarchy.levels.empty()) return {};

  forecast::ForecastOptions above = options;
  above.keep_errors = true;
  above.attributes.clear();
  above.report_levels.clear();
  above.panel_models.clear();
  above.cold_start = false;
  std::vector<Series> groups;
  std::vector<PlanMember> members;
  for (const auto& level : hierarchy.levels) {
    std::vector<std::vector<const Series*>> parts(level.groups());
    std::vector<double> total(level.groups(), 0.0);
    for (std::size_t leaf = 0; leaf < hierarchy.leaves; ++leaf) {
      const auto group = static_cast<std::size_t>(level.group[leaf]);
      parts[group].push_back(&data.series[leaf]);
      for (const double value : data.series[leaf].value) total[group] += value;
    }
    for (std::size_t group = 0; group < level.groups(); ++group) {
      PlanMember member;
      member.id = level_id(plan, level.name, level.label[group]);
      member.level = level.name;
      member.label = label_of(level.name, level.label[group]);
      if (level.name == "store") member.store_id = level.label[group];
      if (level.name == "product") member.product_id = level.label[group];
      member.total = decimal_text(total[group]);
      members.push_back(std::move(member));
      groups.push_back(sum_series(parts[group]));
      groups.back().index = groups.size() - 1;
      above.levels.push_back(level.name);
    }
  }
  auto upper = TILLCAST_TRY_PLAIN(forecast::forecast_all(groups, above, progress));
  if (auto done = make_coherent(plan, hierarchy, options.backtest.horizon, options.backtest.origins, run,
                                upper, progress);
      !done)
    return std::move(done.error());
  for (auto& row : upper.coverage)
    if (!row.level.empty()) run.coverage.push_back(std::move(row));
  run.ok += upper.ok;
  run.fallbacks += upper.fallbacks;
  run.refused += upper.refused;
  std::ranges::move(upper.series, std::back_inserter(run.series));
  std::ranges::move(members, std::back_inserter(data.members));
  std::ranges::move(groups, std::back_inserter(data.series));
  return {};
}

}  // namespace tillcast::pipeline
