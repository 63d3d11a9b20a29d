#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/civil_time.h"
#include "forecast/model.h"

namespace tillcast::forecast {

/// A model of a series with what it learnt. Models of all series have their numbers in FittedRun::panels.
struct FittedMember {
  ModelId model = ModelId::kZero;
  double weight = 1;
  Parameters parameters;
};

/// What a run learnt of one series, enough to forecast it again, now or from newer actuals, without a fit.
struct FittedSeries {
  std::string id;       ///< as the caller names the series
  bool usable = false;  ///< false: the input was refused, there is nothing to forecast with
  bool fallback = false;
  std::string reason;  ///< why it is a fallback
  ModelId model = ModelId::kZero;
  DemandClass demand_class = DemandClass::kNone;
  Date start;                         ///< first period; parameters belong to a history that starts here
  std::size_t known = 0;              ///< periods learnt from
  std::vector<FittedMember> members;  ///< the model itself, or those that a blend weighs, in their order
  /// The model's forecasts in the back-test, from which the intervals are calibrated: periods known at each
  /// origin, newest first, and [origin][step] after the gap. Empty for a fallback.
  std::vector<std::size_t> ends;
  std::vector<float> forecasts;
};

}  // namespace tillcast::forecast
