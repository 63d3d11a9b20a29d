#include "forecast/global_monthly.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "forecast/parallel_internal.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kMonthsPerYear = 12;
constexpr double kTiny = 1e-9;

double whole_years(std::size_t months) {
  const std::size_t years = months / kMonthsPerYear;
  return static_cast<double>(years);
}

/// Value per day of each month of a member, NaN where it says nothing; the last one is the month before the
/// cut.
struct MonthlyMember {
  std::vector<double> per_day;
  std::size_t series = 0;
};

double days_in(Date month) { return advance_period(month, Grain::kMonthly, 1).days - month.days; }
std::size_t month_of(Date month) { return static_cast<std::size_t>(civil_from_date(month).month - 1); }

/// The months of members up to `back` months before the panel's cut.
std::vector<MonthlyMember> members_at(const Panel& panel, std::size_t back) {
  std::vector<MonthlyMember> members;
  members.reserve(panel.members.size());
  for (const PanelMember& from : panel.members) {
    MonthlyMember& to = members.emplace_back();
    to.series = from.series;
    const History& history = from.history;
    for (std::size_t i = 0; i + back < history.size(); ++i) {
      const Date month = advance_period(history.start, Grain::kMonthly, static_cast<std::int64_t>(i));
      to.per_day.push_back(history.masked[i] != 0 ? std::nan("")
                                                  : std::max(history.value[i], 0.0) / days_in(month));
    }
  }
  return members;
}

/// Sum over the year that ends `back` months before the end; nullopt when it is not complete.
std::optional<double> year_sum(const MonthlyMember& member, std::size_t back) {
  const std::size_t size = member.per_day.size();
  if (size < back + kMonthsPerYear) return std::nullopt;
  double sum = 0;
  for (std::size_t i = size - back - kMonthsPerYear; i < size - back; ++i) {
    if (std::isnan(member.per_day[i])) return std::nullopt;
    sum += member.per_day[i];
  }
  return sum;
}

/// Logarithms of growth from year to year, newest first, over the members that were there in both years.
std::vector<double> yearly_growth(std::span<const MonthlyMember> members) {
  std::vector<double> growth;
  for (std::size_t year = 0; year < 20; ++year) {
    double now = 0;
    double before = 0;
    for (const MonthlyMember& member : members) {
      const auto last = year_sum(member, year * kMonthsPerYear);
      const auto previous = year_sum(member, (year + 1) * kMonthsPerYear);
      if (!last || !previous) continue;
      now += *last;
      before += *previous;
    }
    if (now <= 0 || before <= 0) break;
    growth.push_back(std::log(now / before));
  }
  return growth;
}

double mean_of(std::span<const double> values) {
  return values.empty()
             ? 0
             : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// How much of the mean growth so far went on in the year after, over the years there are; the prior counts
/// as one more year with the usual growth.
double fit_damping(std::span<const double> growth, double prior) {
  double product = 0;
  double square = 0;
  for (std::size_t year = 0; year + 1 < growth.size(); ++year) {
    const double before = mean_of(growth.subspan(year + 1));
    product += before * growth[year];
    square += before * before;
  }
  const double weight = growth.size() > 1 ? square / static_cast<double>(growth.size() - 1) : 1;
  const double damping = (product + prior * weight) / (square + weight + kTiny);
  return std::clamp(damping, 0.0, 1.0);
}

std::array<double, kMonthsPerYear> panel_season(std::span<const MonthlyMember> members, Date end) {
  std::array<double, kMonthsPerYear> share{};
  double years = 0;
  for (std::size_t year = 0; year < 5; ++year) {
    std::array<double, kMonthsPerYear> month{};
    double total = 0;
    for (const MonthlyMember& member : members) {
      if (!year_sum(member, year * kMonthsPerYear)) continue;
      for (std::size_t i = 0; i < kMonthsPerYear; ++i) {
        const std::size_t back = year * kMonthsPerYear + i + 1;
        const double value = member.per_day[member.per_day.size() - back];
        month[month_of(advance_period(end, Grain::kMonthly, -static_cast<std::int64_t>(back)))] += value;
        total += value;
      }
    }
    if (total <= 0) break;
    years += 1;
    for (std::size_t i = 0; i < kMonthsPerYear; ++i)
      share[i] += month[i] / total * static_cast<double>(kMonthsPerYear);
  }
  for (double& one : share) one = years > 0 ? std::max(one / years, 1e-3) : 1;
  return share;
}

/// What all members say at a cut, without trees.
struct MonthlyBase {
  Date end;
  std::array<double, kMonthsPerYear> season{};
  double past_growth = 0;
  double damping = 0;
  double growth() const { return past_growth * damping; }
};

MonthlyBase base_of(std::span<const MonthlyMember> members, Date end, double prior) {
  MonthlyBase base;
  base.end = end;
  const std::vector<double> growth = yearly_growth(members);
  base.season = panel_season(members, end);
  base.past_growth = mean_of(growth);
  base.damping = growth.empty() ? 0 : fit_damping(growth, prior);
  return base;
}

/// Logarithm of a member's value per day in the middle of its last year; months further back weigh half per
/// year and are brought forward by the growth of the panel. `prior` (weighing three months) is what the
/// attributes say.
double level_of(const MonthlyMember& member, const MonthlyBase& base, double prior) {
  const std::size_t size = member.per_day.size();
  double sum = 0;
  double weights = 0;
  for (std::size_t back = 1; back <= std::min<std::size_t>(size, 48); ++back) {
    const double value = member.per_day[size - back];
    if (std::isnan(value)) continue;
    const auto age = whole_years(back - 1);
    const double weight = std::exp2(-age);
    const Date month = advance_period(base.end, Grain::kMonthly, -static_cast<std::int64_t>(back));
    sum += weight * value / base.season[month_of(month)] * std::exp(age * base.past_growth);
    weights += weight;
  }
  if (size < kMonthsPerYear) {
    constexpr double kPriorMonths = 3;
    sum += kPriorMonths * std::exp(prior);
    weights += kPriorMonths;
  }
  return std::log(std::max(weights > 0 ? sum / weights : std::exp(prior), 1e-6));
}

/// Level, season and growth of a month: parts of its logarithm per day. A year's growth lies between a month
/// and the same month of the last year; a short series' level is that of its few months.
double growth_part(const MonthlyBase& base, std::size_t step) {
  return base.growth() * (1 + whole_years(step));
}

constexpr std::size_t kFeatures = 10;
void feature_row(const MonthlyMember& member, const MonthlyBase& base, double level, std::size_t step,
                 std::span<const AttributeColumn> attributes, std::vector<float>& out) {
  const std::size_t size = member.per_day.size();
  const Date month = advance_period(base.end, Grain::kMonthly, static_cast<std::int64_t>(step));
  // Logarithm of a past month over what level, season and growth make of it.
  const auto residual = [&](std::size_t back) {
    if (back > size || std::isnan(member.per_day[size - back])) return std::nan("");
    const Date then = advance_period(base.end, Grain::kMonthly, -static_cast<std::int64_t>(back));
    const double years = whole_years(back - 1);
    const double expected = std::exp(level - years * base.past_growth) * base.season[month_of(then)];
    return std::log((member.per_day[size - back] + 0.05 * expected) / (1.05 * expected));
  };
  const auto mean_residual = [&](std::size_t first, std::size_t last, std::size_t stride) {
    double sum = 0;
    double count = 0;
    for (std::size_t back = first; back <= last; back += stride)
      if (const double one = residual(back); !std::isnan(one)) sum += one, count += 1;
    return static_cast<float>(count > 0 ? sum / count : std::nan(""));
  };
  const std::size_t same = kMonthsPerYear - step % kMonthsPerYear;  // the same month of the last year
  out.push_back(static_cast<float>(month_of(month)));
  out.push_back(static_cast<float>(step));
  out.push_back(static_cast<float>(days_in(month)));
  out.push_back(mean_residual(same, same, 1));
  out.push_back(mean_residual(same, same + 4 * kMonthsPerYear, kMonthsPerYear));
  out.push_back(mean_residual(1, 3, 1));
  out.push_back(mean_residual(1, 6, 1));
  out.push_back(mean_residual(1, kMonthsPerYear, 1));
  out.push_back(mean_residual(kMonthsPerYear + 1, 2 * kMonthsPerYear, 1));
  out.push_back(static_cast<float>(level));
  for (const AttributeColumn& attribute : attributes) out.push_back(attribute.value[member.series]);
}

BoosterColumns column_names(std::span<const AttributeColumn> attributes) {
  BoosterColumns columns;
  columns.names = {"month",  "step",   "days",    "same_month",  "same_months",
                   "last_3", "last_6", "last_12", "year_before", "level"};
  columns.category.assign(kFeatures, 0);
  for (std::size_t a = 0; a < attributes.size(); ++a) {
    columns.names.push_back("attribute_" + std::to_string(a));
    columns.category.push_back(attributes[a].is_category ? 1 : 0);
  }
  return columns;
}

std::vector<FittedMonthly::Effects> attribute_effects(std::span<const MonthlyMember> members,
                                                      const MonthlyBase& base,
                                                      std::span<const AttributeColumn> attributes,
                                                      double& mean_level) {
  std::vector<double> level(members.size());
  double sum = 0;
  double count = 0;
  for (std::size_t m = 0; m < members.size(); ++m) {
    level[m] = members[m].per_day.empty() ? std::nan("") : level_of(members[m], base, 0);
    if (members[m].per_day.size() < kMonthsPerYear) level[m] = std::nan("");
    if (std::isnan(level[m])) continue;
    sum += level[m];
    count += 1;
  }
  mean_level = count > 0 ? sum / count : 0;
  std::vector<FittedMonthly::Effects> effects;
  for (const AttributeColumn& attribute : attributes) {
    FittedMonthly::Effects& own = effects.emplace_back();
    own.name = attribute.name;
    if (!attribute.is_category) continue;
    std::vector<double> sums;
    std::vector<double> counts;
    for (std::size_t m = 0; m < members.size(); ++m) {
      const float code = attribute.value[members[m].series];
      if (!(code >= 0) || code > 1e6F || std::isnan(level[m])) continue;
      const auto at = static_cast<std::size_t>(code);
      if (at >= sums.size()) sums.resize(at + 1), counts.resize(at + 1);
      sums[at] += level[m] - mean_level;
      counts[at] += 1;
    }
    for (std::size_t code = 0; code < sums.size(); ++code)
      own.by_code.push_back(sums[code] / (counts[code] + 1));
  }
  return effects;
}

double level_by_attributes(const std::vector<FittedMonthly::Effects>& effects, std::span<const float> values,
                           double mean_level) {
  double level = mean_level;
  for (std::size_t a = 0; a < std::min(effects.size(), values.size()); ++a)
    if (values[a] >= 0 && values[a] < static_cast<float>(effects[a].by_code.size()))
      level += effects[a].by_code[static_cast<std::size_t>(values[a])];
  return level;
}

std::vector<float> values_of(std::span<const AttributeColumn> attributes, std::size_t series) {
  std::vector<float> values;
  values.reserve(attributes.size());
  for (const AttributeColumn& attribute : attributes) values.push_back(attribute.value[series]);
  return values;
}

/// Rows of one past cut: what departed from the base in the twelve months after it.
struct Snapshot {
  std::vector<float> rows;
  std::vector<float> labels;
};

Snapshot snapshot_at(const Panel& panel, std::size_t back, std::size_t horizon, double prior) {
  Snapshot snapshot;
  const Date end = advance_period(panel.end, Grain::kMonthly, -static_cast<std::int64_t>(back));
  const std::vector<MonthlyMember> members = members_at(panel, back);
  const std::vector<MonthlyMember> complete = members_at(panel, 0);
  const MonthlyBase base = base_of(members, end, prior);
  double sum = 0;
  for (std::size_t m = 0; m < members.size(); ++m) {
    if (members[m].per_day.size() < kMonthsPerYear) continue;
    const double level = level_of(members[m], base, 0);
    for (std::size_t step = 0; step < std::min(horizon, back); ++step) {
      const double actual = complete[m].per_day[members[m].per_day.size() + step];
      if (!(actual > 0)) continue;
      const Date month = advance_period(end, Grain::kMonthly, static_cast<std::int64_t>(step));
      const double expected = level + std::log(base.season[month_of(month)]) + growth_part(base, step);
      feature_row(members[m], base, level, step, panel.attributes, snapshot.rows);
      snapshot.labels.push_back(static_cast<float>(std::clamp(std::log(actual) - expected, -2.0, 2.0)));
      sum += static_cast<double>(snapshot.labels.back());
    }
  }
  // What all series of a year have in common is its growth, which no tree can know of another year.
  const auto mean =
      static_cast<float>(sum / static_cast<double>(std::max<std::size_t>(snapshot.labels.size(), 1)));
  for (float& label : snapshot.labels) label -= mean;
  return snapshot;
}

double squared_error(std::span<const float> labels) {
  double sum = 0;
  for (const float label : labels) sum += static_cast<double>(label * label);
  return sum / static_cast<double>(std::max<std::size_t>(labels.size(), 1));
}

Result<BoosterData> data_of(const BoosterColumns& columns, std::span<const float> rows,
                            std::span<const float> labels) {
  auto data = BoosterData::create(columns, rows, labels.size());
  if (!data) return data;
  if (auto pushed = data->push(rows); !pushed) return pushed.error();
  if (auto labelled = data->set_labels(labels, {}, {}); !labelled) return labelled.error();
  return data;
}

}  // namespace

std::string GlobalMonthly::refuses(const Panel& panel, const PanelTask&) const {
  if (panel.grain != Grain::kMonthly) return "works by month alone";
  for (const PanelMember& member : panel.members)
    if (member.history.size() >= kMonthsPerYear) return {};
  return "needs a series with twelve months of history";
}

Result<std::shared_ptr<const FittedPanel>> GlobalMonthly::fit(const Panel& panel, const PanelTask& task,
                                                              Progress& progress) const {
  if (const std::string reason = refuses(panel, task); !reason.empty()) return invalid_input(reason);
  auto fitted = std::make_shared<FittedMonthly>();
  const std::vector<MonthlyMember> members = members_at(panel, 0);
  const MonthlyBase base = base_of(members, panel.end, options_.damping);
  fitted->season = base.season;
  fitted->past_growth = base.past_growth;
  fitted->damping = base.damping;
  fitted->codes = AttributeCodes(panel.attributes);
  fitted->effects = attribute_effects(members, base, panel.attributes, fitted->mean_level);

  // Past cuts a year apart, newest first; each needs two years before it.
  std::vector<Snapshot> snapshots;
  std::size_t longest = 0;
  for (const MonthlyMember& member : members) longest = std::max(longest, member.per_day.size());
  for (std::size_t back = kMonthsPerYear; back + 2 * kMonthsPerYear <= longest && snapshots.size() < 6;
       back += kMonthsPerYear)
    snapshots.push_back(snapshot_at(panel, back, std::min(task.steps(), kMonthsPerYear), options_.damping));
  std::erase_if(snapshots, [](const Snapshot& one) { return one.labels.empty(); });
  if (snapshots.size() < 2) return fitted;
  const BoosterColumns columns = column_names(panel.attributes);
  std::vector<float> rows;
  std::vector<float> labels;
  for (std::size_t i = 1; i < snapshots.size(); ++i) {
    rows.insert(rows.end(), snapshots[i].rows.begin(), snapshots[i].rows.end());
    labels.insert(labels.end(), snapshots[i].labels.begin(), snapshots[i].labels.end());
  }
  // The newest year says how many trees help; all years then grow so many.
  auto older = data_of(columns, rows, labels);
  if (!older) return older.error();
  auto newest = BoosterData::create_like(*older, snapshots[0].labels.size());
  if (!newest) return newest.error();
  if (auto pushed = newest->push(snapshots[0].rows); !pushed) return pushed.error();
  if (auto labelled = newest->set_labels(snapshots[0].labels, {}, {}); !labelled) return labelled.error();
  ProgressPart trial_part(progress, 0, 0.5);
  auto trial = Booster::train(*older, &*newest, options_.booster, trial_part);
  if (!trial) return trial.error();
  if (!(trial->validation_error() < 0.995 * squared_error(snapshots[0].labels))) return fitted;
  BoosterOptions all_options = options_.booster;
  all_options.rounds = trial->rounds();
  all_options.early_stopping_rounds = 0;
  rows.insert(rows.end(), snapshots[0].rows.begin(), snapshots[0].rows.end());
  labels.insert(labels.end(), snapshots[0].labels.begin(), snapshots[0].labels.end());
  auto all = data_of(columns, rows, labels);
  if (!all) return all.error();
  ProgressPart all_part(progress, 0.5, 1);
  auto booster = Booster::train(*all, nullptr, all_options, all_part);
  if (!booster) return booster.error();
  fitted->booster = std::move(*booster);
  return fitted;
}

Result<std::vector<ExplainedStep>> FittedMonthly::explain(const Panel& panel, std::size_t member,
                                                          const PanelTask& task) const {
  const RecodedPanel known(panel, codes);
  return explain_member(known.panel, member, task);
}

Result<std::vector<ExplainedStep>> FittedMonthly::explain_member(const Panel& panel, std::size_t member,
                                                                 const PanelTask& task) const {
  if (member >= panel.members.size())
    return not_found("series " + std::to_string(member) + " of a panel of " +
                     std::to_string(panel.members.size()));
  const Panel one{panel.grain, panel.end, {panel.members[member]}, panel.attributes};
  const MonthlyMember own = members_at(one, 0).front();
  MonthlyBase base;
  base.end = panel.end;
  base.season = season;
  base.past_growth = past_growth;
  base.damping = damping;
  const double prior = level_by_attributes(effects, values_of(panel.attributes, own.series), mean_level);
  const double level = level_of(own, base, prior);
  std::vector<ExplainedStep> steps(task.steps());
  std::vector<float> rows;
  for (std::size_t step = 0; step < steps.size(); ++step)
    feature_row(own, base, level, step, panel.attributes, rows);
  std::vector<double> scores(steps.size());
  if (booster)
    if (auto predicted = booster->predict(rows, scores); !predicted) return predicted.error();
  for (std::size_t step = 0; step < steps.size(); ++step) {
    const Date month = advance_period(panel.end, Grain::kMonthly, static_cast<std::int64_t>(step));
    ExplainedStep& to = steps[step];
    to.step = step;
    to.logarithm = true;
    to.parts = {{"base", level + std::log(days_in(month))},
                {"season", std::log(season[month_of(month)])},
                {"growth", growth_part(base, step)},
                {"trees", scores[step]}};
    double sum = 0;
    for (const ExplainedStep::Part& part : to.parts) sum += part.value;
    to.forecast = std::exp(sum);
  }
  return steps;
}

Result<std::vector<double>> FittedMonthly::predict(const Panel& panel, const PanelTask& task) const {
  const std::size_t count = panel.members.size();
  std::vector<double> out(count * task.steps());
  const RecodedPanel known(panel, codes);
  NoProgress silent;
  Progress& progress = task.progress != nullptr ? *task.progress : silent;
  std::vector<Result<>> results(count);
  const bool finished = for_each_index(count, task.threads, progress, 0, count, [&](std::size_t m) {
    const auto steps = explain_member(known.panel, m, task);
    if (!steps) {
      results[m] = steps.error();
      return;
    }
    for (std::size_t step = 0; step < task.steps(); ++step)
      out[m * task.steps() + step] = (*steps)[step].forecast;
  });
  if (!finished) return cancelled("forecast by months stopped on request");
  for (const Result<>& result : results)
    if (!result) return result.error();
  return out;
}

std::string FittedMonthly::save() const {
  std::string attributes;
  codes.save(attributes);
  std::ostringstream text;
  text << "tillcast global monthly 2\n" << attributes << std::hexfloat;
  for (const double one : season) text << one << ' ';
  text << past_growth << ' ' << damping << ' ' << mean_level << ' ' << effects.size() << '\n';
  for (const Effects& one : effects) {
    text << one.name << '\n' << one.by_code.size();
    for (const double value : one.by_code) text << ' ' << value;
    text << '\n';
  }
  text << (booster ? booster->save() : "");
  return text.str();
}

Result<std::shared_ptr<const FittedPanel>> GlobalMonthly::load(std::string_view text) const {
  auto fitted = std::make_shared<FittedMonthly>();
  const auto broken = [] {
    return corrupt_data("global monthly model does not read back: it is cut off or damaged");
  };
  constexpr std::string_view kHead = "tillcast global monthly 2\n";
  if (!text.starts_with(kHead)) return broken();
  text.remove_prefix(kHead.size());
  auto attributes = AttributeCodes::load(text);
  if (!attributes) return attributes.error();
  fitted->codes = std::move(*attributes);
  std::istringstream in{std::string(text)};
  std::string line;
  // istream does not read hexadecimal fractions, strtod does.
  const auto number = [&](double& value) {
    std::string word;
    if (!(in >> word)) return false;
    char* stop = nullptr;
    value = std::strtod(word.c_str(), &stop);
    return stop == word.c_str() + word.size() && std::isfinite(value);
  };
  for (double& one : fitted->season)
    if (!number(one)) return broken();
  double count = 0;
  if (!number(fitted->past_growth) || !number(fitted->damping) || !number(fitted->mean_level) ||
      !number(count) || count > 1000)
    return broken();
  std::getline(in, line);
  for (int i = 0; i < static_cast<int>(count); ++i) {
    FittedMonthly::Effects& own = fitted->effects.emplace_back();
    double codes = 0;
    if (!std::getline(in, own.name) || !number(codes) || codes < 0 || codes > 1e6) return broken();
    own.by_code.resize(static_cast<std::size_t>(codes));
    for (double& value : own.by_code)
      if (!number(value)) return broken();
    std::getline(in, line);
  }
  const auto at = in.tellg();
  if (at < 0) return broken();
  if (const std::string_view rest = text.substr(std::min(static_cast<std::size_t>(at), text.size()));
      !rest.empty()) {
    auto booster = Booster::load(rest);
    if (!booster) return booster.error();
    if (booster->columns() != kFeatures + fitted->codes.size()) return broken();
    fitted->booster = std::move(*booster);
  }
  return fitted;
}

}  // namespace tillcast::forecast
