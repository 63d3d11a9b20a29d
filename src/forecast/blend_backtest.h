#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/progress.h"
#include "forecast/choice.h"

namespace tillcast::forecast {

/// The blend of a run, for its final forecasts.
struct Blend {
  std::vector<std::vector<double>> weights;  ///< per series and column of its back-test; empty = no blend
  double share = 0;         ///< how far the forecasts are scaled to the forecast of their sum
  double share_before = 0;  ///< the same at the newest origin of the back-test
};

/// Adds ModelId::kBlend as one more column to the back-tests for which `wanted` is not 0. The weights at an
/// origin come from the scores of the origins before it alone. The oldest one has none: it borrows those of
/// the origin after it, never of the newest; with fewer than three origins the column is the median of all
/// models but the benchmarks there. Where WAPE and bias decide, the columns are scaled to a
/// forecast of the total as far as that helped at the origins before (top_level_scaling.h).
/// @return the weights and the share for the forecast after the last origin; nothing of use when progress
/// asked to stop. Deterministic.
Blend add_blend(std::span<const Series> series, std::span<const std::uint8_t> usable,
                std::span<const std::uint8_t> wanted, const ChoiceOptions& choice,
                const BacktestOptions& backtest, std::span<SeriesBacktest> tests, const Progress& progress);

}  // namespace tillcast::forecast
