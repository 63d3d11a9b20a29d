#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace tillcast::forecast {

struct ActualAndExpected {
  double actual = 0;
  double expected = 0;
};

/// Growth as a logarithm per year, within 0.5 either way: the slope of log(actual / expected) over blocks of
/// time of `block_years` each, newest first, by least squares. nullopt where fewer than `blocks_min` blocks
/// have sales and expectations.
std::optional<double> log_growth(std::span<const ActualAndExpected> blocks, double block_years,
                                 std::size_t blocks_min);

}  // namespace tillcast::forecast
