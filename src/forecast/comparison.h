#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "forecast/accuracy.h"

namespace tillcast::forecast {

/// Two forecasts of the same periods of one unit (a series, or a stretch of one).
struct PairedAccuracy {
  Accuracy own;
  Accuracy other;
};

/// How one forecast stands against another on the same units.
struct Comparison {
  std::size_t units = 0;  ///< those where both were measured
  double own = 0;         ///< error over all units; NaN without any
  double other = 0;
  double ratio = 1;  ///< own / other; 1 when neither errs
  double low = 1;    ///< 90 % bootstrap interval of the ratio
  double high = 1;
  double better = 0.5;  ///< share of the resamples in which own errs less
};

/// Paired bootstrap over units (Efron & Tibshirani 1993, ch. 16): units are drawn with replacement, both
/// errors are computed from the same draw. kAuto compares by WAPE plus |bias|. Deterministic; 1,000
/// resamples.
Comparison compare_accuracy(std::span<const PairedAccuracy> units, Metric metric);

/// A measure over units with its 90 % bootstrap interval.
struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
};
enum class Measure : std::uint8_t { kWape, kBias };
/// @return NaN without any actual demand. Deterministic; 1,000 resamples.
Estimate estimate_accuracy(std::span<const Accuracy> units, Measure measure);

}  // namespace tillcast::forecast
