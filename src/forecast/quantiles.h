#pragma once

#include <array>
#include <span>
#include <vector>

namespace tillcast::forecast {

/// Shares at which a run gives quantiles unless asked for others: those of the M5 uncertainty competition
/// (Makridakis et al. 2022, Int. J. Forecasting 38(4)) and the bounds of the 80 % interval.
constexpr std::array<double, 11> kDefaultQuantileShares = {0.005, 0.025, 0.1, 0.165, 0.25, 0.5,
                                                           0.75,  0.835, 0.9, 0.975, 0.995};

/// Empty when `shares` are strictly increasing and inside (0, 1), else what is wrong with them.
const char* find_share_fault(std::span<const double> shares);

/// Pinball loss of a quantile at `share` (Koenker & Bassett 1978, Econometrica 46(1)): 0 or more, in units of
/// the demand.
double pinball_loss(double actual, double quantile, double share);

/// Makes quantiles of increasing shares non-crossing by sorting them (rearrangement, Chernozhukov,
/// Fernandez-Val & Galichon 2010, Econometrica 78(3)): never worse in pinball loss.
void rearrange(std::span<double> quantiles);

/// The value at `share` on the piecewise linear curve through quantiles of increasing shares; beyond the
/// first and the last share their values hold. @param shares  not empty, as long as `quantiles`
double interpolate_quantile(std::span<const double> shares, std::span<const float> quantiles, double share);

/// How often the actual value was at or below a quantile, and what the quantiles cost. For counts the share
/// at or below is above the asked one wherever many values are equal: `below` is the other side of it.
struct QuantileScore {
  std::size_t count = 0;
  std::size_t at_or_below = 0;
  std::size_t below = 0;
  double pinball = 0;  ///< sum of losses

  void add(double actual, double quantile, double share);
  void merge(const QuantileScore& other);
  double share_at_or_below() const;
  double share_below() const;
  double mean_pinball() const;
};

}  // namespace tillcast::forecast
