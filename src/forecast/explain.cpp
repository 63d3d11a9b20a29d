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

HistoryExplanation::HistoryExplanation(const Series& series, std::size_t ahead,
                                       const BacktestOptions& options)
    : known_(series.size()) {
  const std::size_t all = known_ + ahead;
  closed_ = closed_steps(history_at(series, known_, options), options.gap + ahead);
  closed_.erase(closed_.begin(), closed_.begin() + static_cast<std::ptrdiff_t>(options.gap));

  // The history with the steps at its end, masked: nothing is learnt from them.
  Series longer;
  longer.grain = series.grain;
  longer.start = series.start;
  longer.value = series.value;
  longer.value.resize(all, 0);
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
  found_ = decompose(history_at(longer, all, whole), longer.drivers);
}

ForecastParts HistoryExplanation::parts_at(std::size_t period, double level, double rest) const {
  ForecastParts parts = {{"level", level}};
  parts.push_back({"weekday", found_.weekday[period]});
  parts.push_back({"season of the year", found_.year[period]});
  parts.push_back({"promotion", found_.promotion[period]});
  for (const NamedEffect& day : found_.days) parts.push_back({day.name, day.effect[period]});
  parts.push_back({"rest", rest});
  if (found_.multiplicative) parts = parts_of_product(parts);
  // What never happened to this series needs no line.
  std::erase_if(parts, [](const ForecastPart& one) { return one.value == 0 && one.name != "level"; });
  return parts;
}

std::vector<ForecastParts> HistoryExplanation::past(std::size_t periods) const {
  std::vector<ForecastParts> explained;
  for (std::size_t i = known_ - std::min(periods, known_); i < known_; ++i)
    explained.push_back(parts_at(i, found_.trend[i], found_.remainder[i]));
  return explained;
}

std::vector<ForecastParts> HistoryExplanation::of(std::span<const double> steps) const {
  const double level = known_ > 0 ? found_.trend[known_ - 1] : 0;
  std::vector<ForecastParts> explained;
  for (std::size_t step = 0; step < steps.size(); ++step) {
    if (closed_[step] != 0 && steps[step] == 0) {
      explained.push_back({{"closed", 0}});
      continue;
    }
    // What is left between the forecast and the parts.
    const std::size_t period = known_ + step;
    double expected = level;
    const auto take_in = [&](double part) {
      expected = found_.multiplicative ? expected * part : expected + part;
    };
    take_in(found_.weekday[period]);
    take_in(found_.year[period]);
    take_in(found_.promotion[period]);
    for (const NamedEffect& day : found_.days) take_in(day.effect[period]);
    explained.push_back(
        parts_at(period, level, found_.multiplicative ? steps[step] / expected : steps[step] - expected));
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
