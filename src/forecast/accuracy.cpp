#include "forecast/accuracy.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace tillcast::forecast {
namespace {

constexpr std::array<std::pair<Metric, std::string_view>, 6> kMetricNames = {
    {{Metric::kAuto, "auto"},
     {Metric::kWape, "wape"},
     {Metric::kWapeBias, "wape_bias"},
     {Metric::kRmse, "rmse"},
     {Metric::kRmspe, "rmspe"},
     {Metric::kMase, "mase"}}};

double ratio(double sum, double by) { return by > 0 ? sum / by : std::numeric_limits<double>::quiet_NaN(); }
double ratio(double sum, std::size_t by) { return ratio(sum, static_cast<double>(by)); }

}  // namespace

std::string_view metric_name(Metric metric) { return kMetricNames[static_cast<std::size_t>(metric)].second; }

std::optional<Metric> find_metric(std::string_view name) {
  for (const auto& [metric, metric_text] : kMetricNames)
    if (metric_text == name) return metric;
  return std::nullopt;
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
  }
  const double both = std::abs(actual) + std::abs(forecast);
  if (both > 0) symmetric_error += 2 * std::abs(e) / both;
  if (scale > 0) {
    ++scaled;
    scaled_error += std::abs(e) / scale;
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
}

double Accuracy::wape() const { return ratio(absolute_error, absolute_actual); }
double Accuracy::mae() const { return ratio(absolute_error, count); }
double Accuracy::rmse() const { return std::sqrt(ratio(squared_error, count)); }
double Accuracy::rmspe() const { return std::sqrt(ratio(squared_relative_error, nonzero)); }
double Accuracy::mase() const { return ratio(scaled_error, scaled); }
double Accuracy::smape() const { return ratio(symmetric_error, count); }
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
  }
  return wape();
}

double value_added(const Accuracy& forecast, const Accuracy& benchmark, Metric metric) {
  return 1 - ratio(forecast.value(metric), benchmark.value(metric));
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
