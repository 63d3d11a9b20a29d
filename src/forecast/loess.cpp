#include "forecast/loess.h"

#include <algorithm>
#include <cmath>

namespace tillcast::forecast {

bool Loess::fit_at(std::span<const double> values, std::span<const double> weights,
                   const LoessOptions& options, std::size_t x, std::size_t left, std::size_t right,
                   double& fitted) {
  const std::size_t width = right - left + 1;
  const std::size_t before = x - left;  // wraps below `left`, which makes it a key all the same
  const bool known = weights.empty() && degree_ == options.degree && window_ == options.window &&
                     width_ == width && before_ == before && count_ == values.size();
  if (!known) {
    const auto at = static_cast<double>(x);
    double reach = std::max(at - static_cast<double>(left), static_cast<double>(right) - at);
    // Whole places, as the original counts them.
    const std::size_t beyond = options.window > values.size() ? (options.window - values.size()) / 2 : 0;
    reach += static_cast<double>(beyond);
    weight_.assign(width, 0.0);
    degree_ = -1;
    double sum = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const double distance = std::abs(static_cast<double>(left + i) - at);
      if (distance > 0.999 * reach) continue;
      double weight = 1;
      if (distance > 0.001 * reach) {
        const double share = distance / reach;
        const double rest = 1 - share * share * share;
        weight = rest * rest * rest;
      }
      if (!weights.empty()) weight *= weights[left - 1 + i];
      weight_[i] = weight;
      sum += weight;
    }
    if (!(sum > 0)) return false;
    for (double& weight : weight_) weight /= sum;
    if (reach > 0 && options.degree > 0) {
      double centre = 0;
      for (std::size_t i = 0; i < width; ++i) centre += weight_[i] * static_cast<double>(left + i);
      double spread = 0;
      for (std::size_t i = 0; i < width; ++i) {
        const double off = static_cast<double>(left + i) - centre;
        spread += weight_[i] * off * off;
      }
      // Points in one place bear no line.
      if (std::sqrt(spread) > 0.001 * static_cast<double>(values.size() - 1)) {
        const double slope = (at - centre) / spread;
        for (std::size_t i = 0; i < width; ++i)
          weight_[i] *= slope * (static_cast<double>(left + i) - centre) + 1;
      }
    }
    if (weights.empty()) {
      degree_ = options.degree;
      window_ = options.window;
      width_ = width;
      before_ = before;
      count_ = values.size();
    }
  }
  const double* value = values.data() + (left - 1);
  double sums[4] = {};  // four chains of additions instead of one
  std::size_t i = 0;
  for (; i + 4 <= width; i += 4)
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += weight_[i + lane] * value[i + lane];
  for (; i < width; ++i) sums[0] += weight_[i] * value[i];
  fitted = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return true;
}

void Loess::smooth(std::span<const double> values, std::span<const double> weights,
                   const LoessOptions& options, std::span<double> out) {
  const std::size_t n = values.size();
  if (n < 2) {
    std::ranges::copy(values, out.begin());
    return;
  }
  const std::size_t jump = std::clamp<std::size_t>(options.jump, 1, n - 1);
  const std::size_t window = std::max<std::size_t>(options.window, 1);
  const std::size_t half = (window + 1) / 2;
  std::size_t left = 1;
  std::size_t right = std::min(window, n);
  const auto place = [&](std::size_t x) {
    out[x - 1] = values[x - 1];
    (void)fit_at(values, weights, options, x, left, right, out[x - 1]);
  };
  for (std::size_t x = 1; x <= n; x += jump) {
    if (window < n) {
      left = x < half ? 1 : std::min(x - half + 1, n - window + 1);
      right = left + window - 1;
    }
    place(x);
  }
  if (jump == 1) return;
  const auto line = [&](std::size_t from, std::size_t to) {
    const double step = (out[to - 1] - out[from - 1]) / static_cast<double>(to - from);
    for (std::size_t x = from + 1; x < to; ++x)
      out[x - 1] = out[from - 1] + step * static_cast<double>(x - from);
  };
  for (std::size_t x = 1; x + jump <= n; x += jump) line(x, x + jump);
  const std::size_t last = (n - 1) / jump * jump + 1;
  if (last == n) return;
  place(n);  // over the window of the last fit, as the original does
  if (last + 1 < n) line(last, n);
}

}  // namespace tillcast::forecast
