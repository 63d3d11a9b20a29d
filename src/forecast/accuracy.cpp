#include "forecast/accuracy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace tillcast::forecast {
namespace {

constexpr std::array<std::pair<Metric, std::string_view>, 10> kMetricNames = {
    {{Metric::kAuto, "auto"},
     {Metric::kWape, "wape"},
     {Metric::kWapeBias, "wape_bias"},
     {Metric::kRmse, "rmse"},
     {Metric::kRmspe, "rmspe"},
     {Metric::kMase, "mase"},
     {Metric::kMae, "mae"},
     {Metric::kMape, "mape"},
     {Metric::kSmape, "smape"},
     {Metric::kRmsse, "rmsse"}}};

double ratio(double sum, double by) { return by > 0 ? sum / by : std::numeric_limits<double>::quiet_NaN(); }
double ratio(double sum, std::size_t by) { return ratio(sum, static_cast<double>(by)); }

template <class Number>
double median_size(std::span<Number> errors) {
  if (errors.empty()) return std::numeric_limits<double>::quiet_NaN();
  for (Number& error : errors) error = std::abs(error);
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::nth_element(errors.begin(), middle, errors.end());
  const auto upper = static_cast<double>(*middle);
  if (errors.size() % 2 == 1) return upper;
  return (upper + static_cast<double>(*std::max_element(errors.begin(), middle))) / 2;
}

}  // namespace

std::string_view metric_name(Metric metric) { return kMetricNames[static_cast<std::size_t>(metric)].second; }

std::optional<Metric> find_metric(std::string_view name) {
  for (const auto& [metric, metric_text] : kMetricNames)
    if (metric_text == name) return metric;
  return std::nullopt;
}

ErrorScale error_scale(std::span<const double> values, std::span<const std::uint8_t> masked,
                       std::size_t season) {
  std::size_t first = 0;
  while (first < values.size() && (masked[first] != 0 || values[first] == 0)) ++first;
  const auto mean_difference = [&](std::size_t lag, auto measure) {
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t i = first + lag; i < values.size(); ++i) {
      if (masked[i] != 0 || masked[i - lag] != 0) continue;
      sum += measure(values[i] - values[i - lag]);
      ++count;
    }
    return count > 0 ? sum / static_cast<double>(count) : 0.0;
  };
  const auto absolute = [](double difference) { return std::abs(difference); };
  ErrorScale scale;
  scale.absolute = mean_difference(1, absolute);
  scale.squared = mean_difference(1, [](double difference) { return difference * difference; });
  scale.seasonal = mean_difference(season, absolute);
  if (first + season >= values.size()) scale.seasonal = scale.absolute;
  return scale;
}

void Accuracy::add(double actual, double forecast, double scale) {
  const double e = forecast - actual;
  ++count;
  absolute_error += std::abs(e);
  error += e;
  squared_error += e * e;
  absolute_actual += std::abs(actual);
  if (actual != 0) {
    ++nonzero;
    squared_relative_error += (e / actual) * (e / actual);
    relative_error += std::abs(e / actual);
  }
  const double both = std::abs(actual) + std::abs(forecast);
  if (both > 0) symmetric_error += 2 * std::abs(e) / both;
  if (scale > 0) {
    ++scaled;
    scaled_error += std::abs(e) / scale;
  }
}

void Accuracy::add(double actual, double forecast, const ErrorScale& scale) {
  add(actual, forecast, scale.seasonal);
  if (scale.squared > 0) {
    const double e = forecast - actual;
    ++square_scaled;
    square_scaled_error += e * e / scale.squared;
  }
}

void Accuracy::merge(const Accuracy& other) {
  count += other.count;
  absolute_error += other.absolute_error;
  error += other.error;
  squared_error += other.squared_error;
  absolute_actual += other.absolute_actual;
  nonzero += other.nonzero;
  squared_relative_error += other.squared_relative_error;
  symmetric_error += other.symmetric_error;
  scaled += other.scaled;
  scaled_error += other.scaled_error;
  relative_error += other.relative_error;
  square_scaled += other.square_scaled;
  square_scaled_error += other.square_scaled_error;
}

double Accuracy::wape() const { return ratio(absolute_error, absolute_actual); }
double Accuracy::mae() const { return ratio(absolute_error, count); }
double Accuracy::rmse() const { return std::sqrt(ratio(squared_error, count)); }
double Accuracy::rmspe() const { return std::sqrt(ratio(squared_relative_error, nonzero)); }
double Accuracy::mase() const { return ratio(scaled_error, scaled); }
double Accuracy::smape() const { return ratio(symmetric_error, count); }
double Accuracy::mape() const { return ratio(relative_error, nonzero); }
double Accuracy::rmsse() const { return std::sqrt(ratio(square_scaled_error, square_scaled)); }
double Accuracy::bias() const { return ratio(error, absolute_actual); }

double Accuracy::value(Metric metric) const {
  switch (metric) {
    case Metric::kAuto:
    case Metric::kWapeBias:
      return ratio(absolute_error + std::abs(error), absolute_actual);
    case Metric::kWape:
      return wape();
    case Metric::kRmse:
      return rmse();
    case Metric::kRmspe:
      return rmspe();
    case Metric::kMase:
      return mase();
    case Metric::kMae:
      return mae();
    case Metric::kMape:
      return mape();
    case Metric::kSmape:
      return smape();
    case Metric::kRmsse:
      return rmsse();
  }
  return wape();
}

void WeightedRmsse::add(double rmsse, double weight_of_node) {
  if (!std::isfinite(rmsse) || !(weight_of_node > 0)) return;
  weight += weight_of_node;
  weighted += weight_of_node * rmsse;
}

double WeightedRmsse::value() const { return ratio(weighted, weight); }

double wrmsse(std::span<const WeightedRmsse> levels) {
  double sum = 0;
  std::size_t count = 0;
  for (const WeightedRmsse& level : levels) {
    if (!(level.weight > 0)) continue;
    sum += level.value();
    ++count;
  }
  return ratio(sum, count);
}

double value_added(const Accuracy& forecast, const Accuracy& benchmark, Metric metric) {
  return 1 - ratio(forecast.value(metric), benchmark.value(metric));
}

double median_absolute_error(std::span<double> errors) { return median_size(errors); }
double median_absolute_error(std::span<float> errors) { return median_size(errors); }

double pinball(double actual, double forecast, double level) {
  return actual >= forecast ? level * (actual - forecast) : (1 - level) * (forecast - actual);
}

void QuantileAccuracy::add(double actual, double forecast, double level, const ErrorScale& scale) {
  const double own = pinball(actual, forecast, level);
  ++count;
  below += actual <= forecast ? 1 : 0;
  loss += own;
  absolute_actual += std::abs(actual);
  if (scale.absolute > 0) {
    ++scaled;
    scaled_loss += own / scale.absolute;
  }
}

void QuantileAccuracy::merge(const QuantileAccuracy& other) {
  count += other.count;
  below += other.below;
  loss += other.loss;
  absolute_actual += other.absolute_actual;
  scaled += other.scaled;
  scaled_loss += other.scaled_loss;
}

double QuantileAccuracy::mean_pinball() const { return ratio(loss, count); }
double QuantileAccuracy::scaled_pinball() const { return ratio(scaled_loss, scaled); }
double QuantileAccuracy::share_below() const { return ratio(static_cast<double>(below), count); }

void IntervalAccuracy::add(double actual, double low, double high) {
  ++count;
  inside += actual >= low && actual <= high ? 1 : 0;
  width += high - low;
  penalty += std::max(low - actual, 0.0) + std::max(actual - high, 0.0);
  absolute_actual += std::abs(actual);
}

void IntervalAccuracy::merge(const IntervalAccuracy& other) {
  count += other.count;
  inside += other.inside;
  width += other.width;
  penalty += other.penalty;
  absolute_actual += other.absolute_actual;
}

double IntervalAccuracy::coverage() const { return ratio(static_cast<double>(inside), count); }
double IntervalAccuracy::mean_width() const { return ratio(width, count); }
double IntervalAccuracy::relative_width() const { return ratio(width, absolute_actual); }
double IntervalAccuracy::score(double level) const {
  return ratio(width + 2 / (1 - level) * penalty, absolute_actual);
}

void Coverage::add(double actual, double lo80, double hi80, double lo95, double hi95) {
  ++count;
  inside80 += actual >= lo80 && actual <= hi80 ? 1 : 0;
  inside95 += actual >= lo95 && actual <= hi95 ? 1 : 0;
  width80 += hi80 - lo80;
  width95 += hi95 - lo95;
  absolute_actual += std::abs(actual);
}

void Coverage::merge(const Coverage& other) {
  count += other.count;
  inside80 += other.inside80;
  inside95 += other.inside95;
  width80 += other.width80;
  width95 += other.width95;
  absolute_actual += other.absolute_actual;
}

double Coverage::share80() const { return ratio(static_cast<double>(inside80), count); }
double Coverage::share95() const { return ratio(static_cast<double>(inside95), count); }
double Coverage::mean_width80() const { return ratio(width80, absolute_actual); }
double Coverage::mean_width95() const { return ratio(width95, absolute_actual); }

}  // namespace tillcast::forecast
