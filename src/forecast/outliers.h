#pragma once

#include <vector>

#include "forecast/model.h"

namespace tillcast::forecast {

struct OutlierOptions {
  bool enabled = true;
  double spreads =
      6;  ///< a value further than this many robust standard deviations from its median is capped
  int neighbours = 4;  ///< how many seasons to each side form the local median
  int count_min = 7;   ///< fewer comparable values than this: nothing is capped
};

struct CappedValues {
  std::vector<double> value;  ///< as the history's, outliers moved to the limit
  std::size_t capped = 0;
};

/// Moves outliers to a limit before a model learns from them, so that one order of thousands does not become
/// a level. Smooth and erratic demand: each value against the median of the same position in the seasons
/// around it with the same promotion flag, plus or minus `spreads` robust standard deviations: 1.4826 times
/// the median absolute deviation of the whole series from such medians, as a share of the median, at least 5
/// %. Intermittent and lumpy demand: sizes are capped from above only, on a log scale, zeros are left alone.
/// Sees nothing but the given history, so each origin of a back-test caps for itself.
CappedValues cap_outliers(const History& history, DemandClass demand_class, const OutlierOptions& options);

}  // namespace tillcast::forecast
