#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"

namespace tillcast::forecast {

struct SamplePathOptions {
  std::size_t paths = 1000;
  std::uint64_t seed = 1;
  std::size_t windows = 500;  ///< at most so many error vectors of series alike
};

/// How possible futures hang together over the steps, without their values: which place each path has at each
/// step. The Schaake shuffle (Clark et al. 2004, J. Hydrometeorol. 5(1)): the places are those of the errors
/// of a back-test, an empirical copula. Fewer than 30 error vectors say little about single pairs of steps:
/// then a Gaussian copula has their mean correlation at lag 1 and at long lags, as an autoregression beside a
/// common part. One value serves all series alike. Deterministic for a seed. Immutable, thread-safe.
class PathRanks {
 public:
  PathRanks() = default;
  /// @param errors        [window][step]: actual minus forecast, of one size (see scale_windows); windows
  ///                      with NaN are left out of the shuffle. Empty = nothing is known: all steps go wrong
  ///                      together, which makes sums as wide as they can be.
  /// @param window_steps  steps of a window, >= 1; fewer or more than `steps`: the Gaussian copula
  PathRanks(std::span<const float> errors, std::size_t window_steps, std::size_t steps,
            const SamplePathOptions& options);

  std::size_t steps() const { return steps_; }
  std::size_t paths() const { return paths_; }
  /// The paths of a step in increasing order of their values.
  std::span<const std::uint32_t> order(std::size_t step) const {
    return std::span(order_).subspan(step * paths_, paths_);
  }
  std::size_t bytes() const { return order_.size() * sizeof(std::uint32_t); }

 private:
  std::size_t steps_ = 0;
  std::size_t paths_ = 0;
  std::vector<std::uint32_t> order_;  ///< [step][place] -> path
};

/// Divides errors by their root mean square, so that windows of several series can be ranked together.
void scale_windows(std::span<float> errors);

/// Quantiles of the sum of the demand at some steps, a lead time, by paths that have the given quantiles at
/// each step. Sums must be taken on paths: quantiles of single days added up are too wide. Where all
/// quantiles are whole numbers so are the paths. Cost: steps * paths additions, and one sort of the paths.
/// @param shares     of the quantiles, increasing
/// @param quantiles  [place][share], non-crossing
/// @param places     the steps to add up, each of them a step of `ranks`
/// @param asked      shares of the sum's quantiles, increasing
/// @return one per asked share; kInvalidInput when sizes do not match or shares are impossible.
Result<std::vector<double>> sum_quantiles(const PathRanks& ranks, std::span<const double> shares,
                                          std::span<const float> quantiles,
                                          std::span<const std::size_t> places, std::span<const double> asked);

/// The values of `sorted` at shares, by linear interpolation between the places (i + 0.5) / n.
std::vector<double> quantiles_of_sorted(std::span<const double> sorted, std::span<const double> shares);

/// Writes the values of `count` paths at one step, in increasing order, to `out`.
void path_values(std::span<const double> shares, std::span<const float> of_step, bool whole,
                 std::span<double> out);

/// Whether all of these are whole numbers.
bool all_whole(std::span<const float> quantiles);

}  // namespace tillcast::forecast
