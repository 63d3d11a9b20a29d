#pragma once

#include <span>
#include <vector>

#include "forecast/model.h"

namespace tillcast::forecast {

struct HistoryQuantileOptions {
  double half_life = 60;     ///< periods after which a value counts half
  double weight_min = 0;     ///< what the oldest values keep of their weight
  double unlike = 0.3;       ///< weight of another weekday, and of another promotion flag
  std::size_t window = 728;  ///< periods that count at all
};

/// Quantiles of demand from its own recent history: the weighted empirical distribution of the values known,
/// where recent ones and those of the same weekday and promotion flag weigh more, moved towards the
/// forecast. Kernel estimation of a conditional distribution (Hall, Wolff & Yao 1999, J. Am. Stat. Assoc.
/// 94); for unit counts it keeps what parametric forms lose: the zeros, the bursts and the long tail.
class HistoryQuantiles {
 public:
  /// Borrows the history, which must outlive this. Masked periods do not count. O(n log n).
  HistoryQuantiles(const History& history, const HistoryQuantileOptions& options);

  /// Quantiles of the period `step` periods after the history (0 = the next one), not moved to any forecast.
  /// @param shares  increasing, in (0, 1); @param out  as long, increasing
  /// @return the weighted mean of the same values, for moved()
  double quantiles(std::size_t step, std::span<const double> shares, std::span<double> out) const;
  /// A quantile moved by `move` = shift * (forecast - mean). A period without sales stays one: the forecast
  /// moves sizes, the history tells how often there are none.
  static double moved(double quantile, double move);
  /// Periods that count.
  std::size_t observed() const { return order_.size(); }
  /// True when all that was observed are whole numbers, so that quantiles should be as well.
  bool whole_numbers() const { return whole_numbers_; }
  /// Whether the values that count differ: else they say nothing of how far one may lie from a forecast.
  bool varies() const { return !order_.empty() && order_.front().value < order_.back().value; }

 private:
  struct Value {
    double value;
    double weight;  ///< by age
    int weekday;
    int promotion;  ///< -1, 0, 1
  };
  const History& history_;
  HistoryQuantileOptions options_;
  std::vector<Value> order_;  ///< by value
  bool whole_numbers_ = true;
};

}  // namespace tillcast::forecast
