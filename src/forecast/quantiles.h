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

/// Makes quantiles of increasing shares non-crossing by sorting them (rearrangement, Chernozhukov,
/// Fernandez-Val & Galichon 2010, Econometrica 78(3)): never worse in pinball loss.
void rearrange(std::span<double> quantiles);

/// The value at `share` on the piecewise linear curve through quantiles of increasing shares; beyond the
/// first and the last share their values hold. @param shares  not empty, as long as `quantiles`
double interpolate_quantile(std::span<const double> shares, std::span<const float> quantiles, double share);

}  // namespace tillcast::forecast
