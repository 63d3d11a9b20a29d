#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tillcast::forecast {

/// About `most` of the numbers 0 .. members - 1, in order, all where there are no more. By a mix of the
/// number, not by every so manyth: members often lie in an order with a period, such as ten stores of each
/// item.
inline std::vector<std::size_t> sample_members(std::size_t members, std::size_t most) {
  std::vector<std::size_t> sample;
  for (std::size_t m = 0; m < members; ++m) {
    const std::uint64_t mixed = ((m + 1) * 0x9E3779B97F4A7C15U) >> 32;  // the golden ratio's sequence: even
    if (members <= most || mixed * members < most * (std::uint64_t{1} << 32)) sample.push_back(m);
  }
  return sample;
}

}  // namespace tillcast::forecast
