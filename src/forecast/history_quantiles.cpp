#include "forecast/history_quantiles.h"

#include <algorithm>
#include <cmath>

namespace tillcast::forecast {
namespace {

/// Place in the week of the period `at`; weeks and months have none.
int weekday_of(const History& history, std::size_t at) {
  return history.grain == Grain::kDaily ? static_cast<int>(at % 7) : 0;
}

int promotion_of(const History& history, std::size_t at) {
  return at < history.promotion.size() ? history.promotion[at] : -1;
}

}  // namespace

HistoryQuantiles::HistoryQuantiles(const History& history, const HistoryQuantileOptions& options)
    : history_(history), options_(options) {
  const std::size_t n = history.size();
  const std::size_t from = n > options.window ? n - options.window : 0;
  order_.reserve(n - from);
  for (std::size_t at = from; at < n; ++at) {
    if (history.masked[at] != 0) continue;
    const double value = history.value[at];
    whole_numbers_ = whole_numbers_ && value == std::floor(value);
    const double age = static_cast<double>(n - 1 - at);
    order_.push_back({value, std::exp2(-age / options.half_life) + options.weight_min,
                      weekday_of(history, at), promotion_of(history, at)});
  }
  std::ranges::stable_sort(order_, {}, &Value::value);
}

double HistoryQuantiles::moved(double quantile, double move) {
  return quantile <= 0 ? quantile : std::max(quantile + move, 0.0);
}

double HistoryQuantiles::quantiles(std::size_t step, std::span<const double> shares,
                                   std::span<double> out) const {
  if (order_.empty()) {
    std::ranges::fill(out, 0.0);
    return 0;
  }
  const int weekday = weekday_of(history_, history_.size() + step);
  const int promotion = promotion_of(history_, history_.size() + step);
  const auto weight = [&](const Value& one) {
    double w = one.weight;
    if (one.weekday != weekday) w *= options_.unlike;
    if (promotion >= 0 && one.promotion >= 0 && one.promotion != promotion) w *= options_.unlike;
    return w;
  };
  double total = 0;
  double sum = 0;
  for (const Value& one : order_) {
    const double w = weight(one);
    total += w;
    sum += w * one.value;
  }
  double below = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    while (at + 1 < order_.size()) {
      const double with = below + weight(order_[at]);
      if (with >= shares[i] * total) break;
      below = with;
      ++at;
    }
    out[i] = order_[at].value;
  }
  return sum / total;
}

}  // namespace tillcast::forecast
