#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
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
  kMae,       ///< mean |error|
  kMape,      ///< mean |error / actual|, zero actuals ignored
  kSmape,     ///< mean of 2 |error| / (|actual| + |forecast|), 0 .. 2 (Makridakis & Hibon 2000)
  kRmsse,     ///< root of mean squared error over mean squared difference (M5: Makridakis et al. 2022)
};
std::string_view metric_name(Metric metric);
/// nullopt for a name that is none of "auto", "wape", "wape_bias", "rmse", "rmspe", "mase", "mae", "mape",
/// "smape", "rmsse".
std::optional<Metric> find_metric(std::string_view name);

/// What errors of a series are measured in: figures of its history alone, before the forecast. <= 0 leaves a
/// measure out for the series.
struct ErrorScale {
  double seasonal = 0;  ///< MASE: mean |y(t) - y(t - season)|
  double absolute = 0;  ///< scaled pinball loss (M5 uncertainty): mean |y(t) - y(t - 1)|
  double squared = 0;   ///< RMSSE (M5 accuracy): mean (y(t) - y(t - 1))^2
};
/// Differences are taken from the first non-zero value on and between unmasked periods only; a history
/// shorter than a season takes neighbours for MASE as well.
/// @param values, masked  one per period, oldest first; @param season  periods in a season, >= 1
ErrorScale error_scale(std::span<const double> values, std::span<const std::uint8_t> masked,
                       std::size_t season);

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
  double scaled_error = 0;    ///< sum of |e| / scale of the series
  double relative_error = 0;  ///< sum of |e / a| over non-zero actuals
  std::size_t square_scaled = 0;
  double square_scaled_error = 0;  ///< sum of e^2 / squared scale of the series

  /// `scale` is the mean absolute seasonal difference of the series' history; <= 0 leaves MASE out.
  void add(double actual, double forecast, double scale);
  void add(double actual, double forecast, const ErrorScale& scale);
  void merge(const Accuracy& other);

  double wape() const;
  double mae() const;
  double rmse() const;
  double rmspe() const;
  double mase() const;
  double mape() const;
  double rmsse() const;  ///< of one series the M5's; over several the root of the mean square
  double smape() const;  ///< 0 .. 2
  double bias() const;   ///< sum error / sum |actual|
  double value(Metric metric) const;
};

/// Weighted RMSSE of the nodes of one level: sum of w_i RMSSE_i over the sum of w_i, where w_i is what node i
/// sold in the last 28 days before the forecast, in the plan's measure (revenue or units). Nodes without a
/// scale or a weight are left out.
struct WeightedRmsse {
  double weight = 0;
  double weighted = 0;

  void add(double rmsse, double weight_of_node);
  double value() const;  ///< NaN without any node
};

/// WRMSSE, the measure of the M5 (Makridakis, Spiliotis & Assimakopoulos 2022, Int. J. Forecasting 38(4)):
/// each level of the hierarchy weighs the same, its nodes by their sales; so the mean over levels of
/// their weighted RMSSE. Levels without a value are left out; NaN without any.
double wrmsse(std::span<const WeightedRmsse> levels);

/// 1 - error / error of the benchmark: how much of the benchmark's error the forecast removes.
double value_added(const Accuracy& forecast, const Accuracy& benchmark, Metric metric);

/// Median of |errors|: the size of a usual error, whatever the worst ones do. Reorders `errors`; NaN for
/// none.
double median_absolute_error(std::span<double> errors);
double median_absolute_error(std::span<float> errors);

/// Pinball or quantile loss (Koenker & Bassett 1978, Econometrica 46(1)): level * (actual - forecast) when
/// the actual is above, (1 - level) * (forecast - actual) when it is below. Half the absolute error at 0.5.
double pinball(double actual, double forecast, double level);

/// Sums over forecasts of one quantile.
struct QuantileAccuracy {
  std::size_t count = 0;
  std::size_t below = 0;  ///< actuals at or below the forecast
  double loss = 0;        ///< sum of pinball losses
  double absolute_actual = 0;
  std::size_t scaled = 0;
  double scaled_loss = 0;  ///< sum of losses over the series' ErrorScale::absolute

  void add(double actual, double forecast, double level, const ErrorScale& scale);
  void merge(const QuantileAccuracy& other);
  double mean_pinball() const;
  double scaled_pinball() const;  ///< the M5 uncertainty track's SPL
  double share_below() const;     ///< should be the level
};

/// Sums over intervals of one level.
struct IntervalAccuracy {
  std::size_t count = 0;
  std::size_t inside = 0;  ///< actuals within, bounds included
  double width = 0;        ///< sum of widths
  double penalty = 0;      ///< sum of distances of actuals outside
  double absolute_actual = 0;

  void add(double actual, double low, double high);
  void merge(const IntervalAccuracy& other);
  double coverage() const;
  double mean_width() const;      ///< in units
  double relative_width() const;  ///< over the mean actual
  /// Interval score (Gneiting & Raftery 2007, J. Am. Stat. Assoc. 102(477)) over the mean actual: width plus
  /// 2 / (1 - level) times the distance of what fell outside. Lower is better; width and coverage in one.
  double score(double level) const;
};

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
