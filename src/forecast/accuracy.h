#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tillcast::forecast {

/// What the choice of a model minimises.
enum class Metric : std::uint8_t {
  kAuto,      ///< kWapeBias for smooth and erratic demand, kRmse for intermittent and lumpy
  kWape,      ///< sum |error| / sum |actual|
  kWapeBias,  ///< (sum |error| + |sum error|) / sum |actual|: a low WAPE bought with bias ruins stock
  kRmse,      ///< root mean squared error
  kRmspe,     ///< root mean squared relative error, zero actuals ignored
  kMase,      ///< mean |error| over the mean |seasonal difference| of the history (Hyndman & Koehler 2006)
};
std::string_view metric_name(Metric metric);
/// nullopt for a name that is none of "auto", "wape", "wape_bias", "rmse", "rmspe", "mase".
std::optional<Metric> find_metric(std::string_view name);

/// Sums from which all measures follow, so that series, origins and models add up exactly. Measures without
/// data are NaN. Errors are forecast minus actual: a positive bias means too high.
struct Accuracy {
  std::size_t count = 0;
  double absolute_error = 0;
  double error = 0;
  double squared_error = 0;
  double absolute_actual = 0;
  std::size_t nonzero = 0;
  double squared_relative_error = 0;  ///< over non-zero actuals
  double symmetric_error = 0;         ///< sum of 2|e| / (|a| + |f|), 0 when both are 0
  std::size_t scaled = 0;
  double scaled_error = 0;  ///< sum of |e| / scale of the series

  /// `scale` is the mean absolute seasonal difference of the series' history; <= 0 leaves MASE out.
  void add(double actual, double forecast, double scale);
  void merge(const Accuracy& other);

  double wape() const;
  double mae() const;
  double rmse() const;
  double rmspe() const;
  double mase() const;
  double smape() const;  ///< 0 .. 2
  double bias() const;   ///< sum error / sum |actual|
  double value(Metric metric) const;
};

/// 1 - error / error of the benchmark: how much of the benchmark's error the forecast removes.
double value_added(const Accuracy& forecast, const Accuracy& benchmark, Metric metric);

/// How often intervals held the actual value, and how wide they were.
struct Coverage {
  std::size_t count = 0;
  std::size_t inside80 = 0;
  std::size_t inside95 = 0;
  double width80 = 0;  ///< sum of widths
  double width95 = 0;
  double absolute_actual = 0;

  void add(double actual, double lo80, double hi80, double lo95, double hi95);
  void merge(const Coverage& other);
  double share80() const;
  double share95() const;
  double mean_width80() const;  ///< over the mean actual
  double mean_width95() const;
};

}  // namespace tillcast::forecast
