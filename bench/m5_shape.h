#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "forecast/series.h"

namespace tillcast::bench {

/// Demand in the shape of M5 (Makridakis, Spiliotis & Assimakopoulos 2022): items x 10 stores of three states
/// by day, mostly intermittent counts (gamma-Poisson), launches, weekdays, a season, trends, levels that
/// wander, prices with promotion weeks, events, days out of stock. Made from a formula and a seed, series by
/// series.
struct M5Shape {
  std::size_t series = 30'490;
  std::size_t days = 1'913;
  std::size_t ahead = 28;  ///< days after them: drivers known, sales kept as the truth
};

struct M5Demand {
  std::vector<forecast::Series> series;  ///< as build_series makes them from long rows
  std::vector<forecast::AttributeColumn> attributes;
  std::vector<float> truth;  ///< [series][day ahead]
};

/// Series number `i` is the same whatever the number of series. Rows are built and freed a thousand series at
/// a time. Ends the process on an error of build_series.
M5Demand make_m5_shape(const M5Shape& shape);

}  // namespace tillcast::bench
