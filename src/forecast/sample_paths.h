#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "forecast/path_ranks.h"

namespace tillcast::forecast {

struct ForecastRun;

/// Possible futures of one series, [path][step].
struct SamplePaths {
  std::size_t steps = 0;
  std::vector<float> value;

  std::size_t count() const { return steps > 0 ? value.size() / steps : 0; }
  std::span<const float> path(std::size_t at) const { return std::span(value).subspan(at * steps, steps); }
};

/// Paths whose values at each step have the given quantiles as their distribution, and whose dependence from
/// step to step is that of the errors of a back-test, see PathRanks. Where all quantiles are whole numbers so
/// are the paths. Deterministic for a seed. Pure, thread-safe.
/// @param shares     of the quantiles, increasing
/// @param quantiles  [step][share], non-crossing
/// @param errors     [window][step]: actual minus forecast over whole horizons, of one size (see
///                   scale_windows); windows with NaN are left out of the shuffle
/// @return kInvalidInput when sizes do not match or shares are impossible.
Result<SamplePaths> sample_paths(std::span<const double> shares, std::span<const float> quantiles,
                                 std::span<const float> errors, const SamplePathOptions& options);

/// Paths of one series of a run made with ForecastOptions::keep_errors: its own errors, and those of other
/// series of its class at the same origins. @return kInvalidInput when the run kept none for the series.
Result<SamplePaths> sample_paths(const ForecastRun& run, std::size_t series,
                                 const SamplePathOptions& options);

/// Quantiles of the sum over the steps [first, last] of the paths: demand over a lead time.
/// @return one per share; kInvalidInput for steps outside the paths.
Result<std::vector<double>> sum_quantiles(const SamplePaths& paths, std::size_t first, std::size_t last,
                                          std::span<const double> shares);

}  // namespace tillcast::forecast
