#include "forecast/accuracy_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace tillcast::forecast {
namespace {

constexpr int kAll = -1;
constexpr int kChosenModel = -1;

}  // namespace

/// Sums by group, in the order of the report: everything first, chosen first.
class AccuracyReportBuilder::Groups {
 public:
  /// level, class, part, origin, model.
  using Key = std::tuple<std::string, int, int, std::size_t, int>;

  Sums& at(const Key& key) { return sums_[key]; }
  std::map<Key, Sums>& all() { return sums_; }

 private:
  std::map<Key, Sums> sums_;
};

std::vector<HorizonPart> horizon_parts(std::size_t horizon, Grain grain) {
  constexpr std::size_t kPartsMax = 8;
  const std::size_t unit = grain == Grain::kDaily ? 7 : 1;
  const std::size_t units = (horizon + unit - 1) / unit;
  const std::size_t count = std::min(units, kPartsMax);
  std::vector<HorizonPart> parts;
  for (std::size_t part = 0; part < count; ++part) {
    const std::size_t first = part * units / count * unit + 1;
    const std::size_t last = std::min((part + 1) * units / count * unit, horizon);
    parts.push_back({first, last});
  }
  return parts;
}

double IntervalReportRow::scaled_pinball() const {
  double sum = 0;
  for (const QuantileAccuracy& one : quantiles) sum += one.scaled_pinball();
  return sum / static_cast<double>(quantiles.size());
}

AccuracyReportBuilder::AccuracyReportBuilder(std::span<const Series> series,
                                             std::span<const SeriesBacktest> tests,
                                             std::span<const std::optional<std::size_t>> chosen,
                                             std::span<const LevelLabels> levels)
    : series_(series), tests_(tests), chosen_(chosen), levels_(levels) {
  std::size_t horizon = 0;
  Grain grain = Grain::kDaily;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const SeriesBacktest& test = tests[i];
    if (test.ends.empty()) continue;
    horizon = test.horizon;
    grain = series[i].grain;
    // Series may end on different days: the latest of them names the origin.
    for (std::size_t origin = 0; origin < test.ends.size(); ++origin) {
      const Date known = {series[i].date_at(test.ends[origin]).days - 1};
      if (origin >= report_.origins.size()) report_.origins.push_back(known);
      report_.origins[origin] = std::max(report_.origins[origin], known);
    }
  }
  report_.parts = horizon_parts(horizon, grain);
}

std::size_t AccuracyReportBuilder::part_of(std::size_t step) const {
  std::size_t part = 0;
  while (part + 1 < report_.parts.size() && step + 1 > report_.parts[part].last) ++part;
  return part;
}

void AccuracyReportBuilder::add_interval(std::size_t series, std::size_t step, double actual,
                                         const Interval& interval) {
  const SeriesBacktest& test = tests_[series];
  auto& rows = intervals_[static_cast<std::size_t>(test.demand_class)];
  rows.resize(report_.parts.size());
  IntervalReportRow& row = rows[part_of(step)];
  row.inside80.add(actual, interval.lo80, interval.hi80);
  row.inside95.add(actual, interval.lo95, interval.hi95);
  const std::array bounds = {interval.lo95, interval.lo80, interval.hi80, interval.hi95};
  for (std::size_t q = 0; q < bounds.size(); ++q)
    row.quantiles[q].add(actual, bounds[q], IntervalReportRow::kQuantiles[q], test.scales);
}

void AccuracyReportBuilder::add_series(std::size_t series, Groups& groups) {
  const SeriesBacktest& test = tests_[series];
  const auto demand_class = static_cast<int>(test.demand_class);
  const auto naive =
      static_cast<std::size_t>(std::ranges::find(test.models, ModelId::kSeasonalNaive) - test.models.begin());
  const bool has_naive = naive < test.models.size() && test.refused[naive].empty();

  const auto add = [&](std::size_t model_at, std::size_t origin, int model) {
    std::vector<Sums*> whole = {&groups.at({"", kAll, kAll, origin, model})};
    if (origin == 0) whole.push_back(&groups.at({"", demand_class, kAll, origin, model}));
    std::vector<Sums*> parts;
    for (std::size_t part = 0; part < report_.parts.size() && origin == 0; ++part)
      parts.push_back(&groups.at({"", kAll, static_cast<int>(part), origin, model}));
    const std::span<const float> forecast = test.forecast(model_at, origin);
    const auto add_step = [&](Sums& to, std::size_t step, double actual) {
      const auto value = static_cast<double>(forecast[step]);
      to.accuracy.add(actual, value, test.scales);
      if (origin == 0) to.errors.push_back(static_cast<float>(value - actual));
      if (has_naive)
        to.benchmark.add(actual, static_cast<double>(test.forecast(naive, origin)[step]), test.scales);
    };
    for (std::size_t step = 0; step < test.horizon; ++step) {
      const std::size_t at = test.period(origin, step);
      if (!is_scored(series_[series], at, static_cast<double>(forecast[step]))) continue;
      for (Sums* to : whole) add_step(*to, step, series_[series].value[at]);
      if (!parts.empty()) add_step(*parts[part_of(step)], step, series_[series].value[at]);
    }
    for (Sums* to : whole) ++to->series;
    for (Sums* to : parts) ++to->series;
  };
  for (std::size_t m = 0; m < test.models.size(); ++m) {
    if (!test.refused[m].empty()) continue;
    for (std::size_t origin = 0; origin < test.ends.size(); ++origin)
      add(m, origin, static_cast<int>(test.models[m]));
  }
  if (!chosen_[series]) return;
  const std::size_t model_at = *chosen_[series];
  add(model_at, 0, kChosenModel);
  SeriesReportRow row;
  row.series = series;
  row.model = test.models[model_at];
  row.demand_class = test.demand_class;
  row.accuracy = test.accuracy(series_[series], model_at, 0, 1);
  if (has_naive) row.benchmark = test.accuracy(series_[series], naive, 0, 1);
  std::vector<double> errors;
  for (std::size_t step = 0; step < test.horizon; ++step) {
    const std::size_t at = test.period(0, step);
    const auto forecast = static_cast<double>(test.forecast(model_at, 0)[step]);
    if (is_scored(series_[series], at, forecast)) errors.push_back(forecast - series_[series].value[at]);
  }
  row.median_error = median_absolute_error(errors);
  report_.series.push_back(row);
}

/// A group of series, or one of them: their forecasts of the newest origin added up beside what came, and
/// what they sold before.
class AccuracyReportBuilder::Node {
 public:
  void add(const Series& series, const SeriesBacktest& test, std::size_t model_at) {
    grain_ = series.grain;
    steps_.resize(test.horizon);
    const auto naive = static_cast<std::size_t>(std::ranges::find(test.models, ModelId::kSeasonalNaive) -
                                                test.models.begin());
    if (naive == test.models.size() || !test.refused[naive].empty()) has_naive_ = false;
    for (std::size_t step = 0; step < test.horizon; ++step) {
      const std::size_t at = test.period(0, step);
      const auto forecast = static_cast<double>(test.forecast(model_at, 0)[step]);
      if (!is_scored(series, at, forecast)) continue;
      Step& sum = steps_[step];
      sum.known = true;
      sum.actual += series.value[at];
      sum.forecast += forecast;
      if (has_naive_) sum.naive += static_cast<double>(test.forecast(naive, 0)[step]);
    }
    const std::size_t known = test.ends[0];
    if (known > value_.size()) {
      value_.insert(value_.begin(), known - value_.size(), 0.0);
      masked_.insert(masked_.begin(), known - masked_.size(), 1);
    }
    const std::size_t from = value_.size() - known;
    for (std::size_t t = 0; t < known; ++t) {
      if (series.masked[t] != 0) continue;
      value_[from + t] += series.value[t];
      masked_[from + t] = 0;
    }
  }
  void add_to(Sums& to) const {
    constexpr double kNoScale = 0;
    for (const Step& step : steps_) {
      if (!step.known) continue;
      to.accuracy.add(step.actual, step.forecast, kNoScale);
      to.errors.push_back(static_cast<float>(step.forecast - step.actual));
      if (has_naive_) to.benchmark.add(step.actual, step.naive, kNoScale);
    }
    ++to.series;
  }
  void add_to(LevelRmsse& level) const {
    const ErrorScale scale = {0, 0, error_scale(value_, masked_, 1).squared};
    const std::size_t recent = grain_ == Grain::kDaily ? 28 : grain_ == Grain::kWeekly ? 4 : 1;
    double weight = 0;
    for (std::size_t back = 1; back <= std::min(recent, value_.size()); ++back)
      weight += value_[value_.size() - back];
    Accuracy chosen;
    Accuracy naive;
    for (const Step& step : steps_) {
      if (!step.known) continue;
      chosen.add(step.actual, step.forecast, scale);
      if (has_naive_) naive.add(step.actual, step.naive, scale);
    }
    level.chosen.add(chosen.rmsse(), weight);
    level.naive.add(naive.rmsse(), weight);
  }

 private:
  struct Step {
    double actual = 0;
    double forecast = 0;
    double naive = 0;
    bool known = false;
  };
  Grain grain_ = Grain::kDaily;
  std::vector<Step> steps_;
  bool has_naive_ = true;
  std::vector<double> value_;  ///< up to the newest origin
  std::vector<std::uint8_t> masked_;
};

// Series that end earlier than others, or have no back-test, are in no sum.
bool AccuracyReportBuilder::in_levels(std::size_t series) const {
  const SeriesBacktest& test = tests_[series];
  return !test.ends.empty() && chosen_[series] &&
         Date{series_[series].date_at(test.ends[0]).days - 1} == report_.origins[0];
}

AccuracyReportBuilder::LevelRmsse AccuracyReportBuilder::add_level(const LevelLabels& level, Groups& groups,
                                                                   const Progress& progress) const {
  std::map<std::string, Node> nodes;
  for (std::size_t i = 0; i < tests_.size() && !progress.cancelled(); ++i)
    if (in_levels(i)) nodes[level.label[i]].add(series_[i], tests_[i], *chosen_[i]);
  LevelRmsse rmsse;
  if (nodes.empty()) return rmsse;
  Sums& to = groups.at({level.name, kAll, kAll, 0, kChosenModel});
  for (const auto& [label, node] : nodes) {
    node.add_to(to);
    node.add_to(rmsse);
  }
  to.weighted_rmsse = rmsse.chosen.value();
  return rmsse;
}

AccuracyReportBuilder::LevelRmsse AccuracyReportBuilder::weigh_series(const Progress& progress) const {
  LevelRmsse rmsse;
  for (std::size_t i = 0; i < tests_.size() && !progress.cancelled(); ++i) {
    if (!in_levels(i)) continue;
    Node node;
    node.add(series_[i], tests_[i], *chosen_[i]);
    node.add_to(rmsse);
  }
  return rmsse;
}

AccuracyReport AccuracyReportBuilder::build(const Progress& progress) {
  Groups groups;
  for (std::size_t i = 0; i < tests_.size() && !progress.cancelled(); ++i)
    if (!tests_[i].ends.empty()) add_series(i, groups);
  std::vector<WeightedRmsse> chosen;
  std::vector<WeightedRmsse> naive;
  const auto add_rmsse = [&](const LevelRmsse& level) {
    chosen.push_back(level.chosen);
    naive.push_back(level.naive);
  };
  for (const LevelLabels& level : levels_) add_rmsse(add_level(level, groups, progress));
  if (!levels_.empty()) {
    add_rmsse(weigh_series(progress));
    groups.at({"", kAll, kAll, 0, kChosenModel}).weighted_rmsse = chosen.back().value();
    report_.wrmsse = wrmsse(chosen);
    report_.wrmsse_naive = wrmsse(naive);
  }
  for (auto& [key, sums] : groups.all()) {
    if (progress.cancelled()) break;
    if (sums.accuracy.count == 0) continue;
    const auto& [level, demand_class, part, origin, model] = key;
    ReportRow row;
    row.level = level;
    if (demand_class != kAll) row.demand_class = static_cast<DemandClass>(demand_class);
    if (part != kAll) row.part = static_cast<std::size_t>(part);
    if (model != kChosenModel) row.model = static_cast<ModelId>(model);
    row.origin = origin;
    row.series = sums.series;
    row.accuracy = sums.accuracy;
    row.benchmark = sums.benchmark;
    row.median_error = median_absolute_error(sums.errors);
    row.weighted_rmsse = sums.weighted_rmsse;
    report_.rows.push_back(std::move(row));
  }
  double total = 0;
  for (const SeriesReportRow& row : report_.series) total += row.accuracy.absolute_error;
  for (SeriesReportRow& row : report_.series)
    row.share = total > 0 ? row.accuracy.absolute_error / total : 0.0;
  std::ranges::stable_sort(report_.series, std::greater{}, &SeriesReportRow::share);

  const auto merge = [](IntervalReportRow& to, const IntervalReportRow& from) {
    to.inside80.merge(from.inside80);
    to.inside95.merge(from.inside95);
    for (std::size_t q = 0; q < to.quantiles.size(); ++q) to.quantiles[q].merge(from.quantiles[q]);
  };
  IntervalReportRow all;
  std::vector<IntervalReportRow> by_class;
  std::vector<IntervalReportRow> by_part(report_.parts.size());
  for (std::size_t c = 0; c < intervals_.size(); ++c) {
    IntervalReportRow own;
    own.demand_class = static_cast<DemandClass>(c);
    for (std::size_t part = 0; part < intervals_[c].size(); ++part) {
      by_part[part].part = part;
      for (IntervalReportRow* to : {&all, &own, &by_part[part]}) merge(*to, intervals_[c][part]);
    }
    by_class.push_back(own);
  }
  for (const auto& rows : {std::vector{all}, by_class, by_part})
    for (const IntervalReportRow& row : rows)
      if (row.inside80.count > 0) report_.intervals.push_back(row);
  return std::move(report_);
}

}  // namespace tillcast::forecast
