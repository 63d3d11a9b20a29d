#include "forecast/explain.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tillcast::forecast {
namespace {

// (a - b) / (ln a - ln b), and a where they are equal.
double logarithmic_mean(double a, double b) {
  const double gap = std::log(a / b);
  return std::abs(gap) < 1e-9 ? (a + b) / 2 : (a - b) / gap;
}

/// Periods of a decomposition as amounts, in one order.
class DecompositionParts {
 public:
  explicit DecompositionParts(const Decomposition& found) : found_(found) {}

  /// @param level  in place of the trend of this period
  ForecastParts at(std::size_t period, double level) const {
    const Decomposition& d = found_;
    const double moved =
        d.multiplicative ? (level > 0 ? d.trend[period] / level : 1) : d.trend[period] - level;
    ForecastParts parts = {{"level", level}};
    parts.push_back({"weekday", d.weekday[period]});
    parts.push_back({"season of the year", d.year[period]});
    parts.push_back({"promotion", d.promotion[period]});
    for (const NamedEffect& day : d.days) parts.push_back({day.name, day.effect[period]});
    parts.push_back({"rest", d.multiplicative ? d.remainder[period] * moved : d.remainder[period] + moved});
    if (d.multiplicative) parts = parts_of_product(parts);
    // What never happened to this series needs no line.
    std::erase_if(parts, [](const ForecastPart& one) { return one.value == 0 && one.name != "level"; });
    return parts;
  }

 private:
  const Decomposition& found_;
};

}  // namespace

ForecastParts parts_of_product(std::span<const ForecastPart> factors) {
  ForecastParts parts(factors.begin(), factors.end());
  double value = parts[0].value;
  bool positive = value > 0;
  for (const ForecastPart& factor : factors.subspan(1)) {
    positive = positive && factor.value > 0;
    value *= factor.value;
  }
  const double level = parts[0].value;
  double so_far = level;
  const double mean = positive ? logarithmic_mean(value, level) : 0;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const double factor = factors[i].value;
    parts[i].value = positive ? mean * std::log(factor) : so_far * (factor - 1);
    so_far *= factor;
  }
  return parts;
}

ForecastParts parts_of(const ExplainedStep& step) {
  ForecastParts parts;
  for (const ExplainedStep::Part& part : step.parts)
    parts.push_back({part.name, step.logarithm ? std::exp(part.value) : part.value});
  return step.logarithm && !parts.empty() ? parts_of_product(parts) : parts;
}

std::vector<ForecastParts> explain_history(const Series& series, std::size_t periods,
                                           const BacktestOptions& options) {
  const History history = history_at(series, series.size(), options);
  const Decomposition found = decompose(history, series.drivers);
  const DecompositionParts parts(found);
  std::vector<ForecastParts> explained;
  for (std::size_t i = series.size() - std::min(periods, series.size()); i < series.size(); ++i)
    explained.push_back(parts.at(i, found.trend[i]));
  return explained;
}

std::vector<ForecastParts> explain_by_history(const Series& series, std::span<const double> steps,
                                              const BacktestOptions& options) {
  const std::size_t known = series.size();
  const std::size_t all = known + steps.size();
  const History history = history_at(series, known, options);
  const std::vector<std::uint8_t> closed = closed_steps(history, options.gap + steps.size());

  // The history with the forecast at its end, from which nothing is learnt.
  Series longer;
  longer.grain = series.grain;
  longer.start = series.start;
  longer.value = series.value;
  longer.value.insert(longer.value.end(), steps.begin(), steps.end());
  longer.masked = series.masked;
  longer.masked.resize(all, 1);
  if (!series.promotion.empty()) {
    longer.promotion = series.promotion;
    longer.promotion.resize(all, -1);
  }
  for (const Driver& driver : series.drivers) {
    longer.drivers.push_back(driver);
    longer.drivers.back().value.resize(all, std::numeric_limits<float>::quiet_NaN());
  }
  BacktestOptions whole = options;
  whole.gap = 0;
  whole.horizon = 1;
  const Decomposition found = decompose(history_at(longer, all, whole), longer.drivers);
  const DecompositionParts parts(found);
  const double level = known > 0 ? found.trend[known - 1] : 0;
  std::vector<ForecastParts> explained;
  for (std::size_t step = 0; step < steps.size(); ++step) {
    if (closed[options.gap + step] != 0 && steps[step] == 0)
      explained.push_back({{"closed", 0}});
    else
      explained.push_back(parts.at(known + step, level));
  }
  return explained;
}

void add_parts(const ForecastParts& from, double weight, ForecastParts& to) {
  for (const ForecastPart& part : from) {
    const auto known = std::ranges::find(to, part.name, &ForecastPart::name);
    if (known == to.end())
      to.push_back({part.name, weight * part.value});
    else
      known->value += weight * part.value;
  }
}

}  // namespace tillcast::forecast
