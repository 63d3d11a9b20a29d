#pragma once

#include <string>
#include <vector>

#include "forecast/hierarchy.h"

namespace tillcast::forecast::test {

/// Labels of stores x products, a store's products together: total, region (of every third store), store,
/// category (of every fifth product) and product. Some levels nest, others cross.
inline std::vector<LevelLabels> crossed_levels(std::size_t stores, std::size_t products) {
  std::vector<LevelLabels> levels = {
      {"total", {}}, {"region", {}}, {"store", {}}, {"category", {}}, {"product", {}}};
  for (std::size_t store = 0; store < stores; ++store) {
    for (std::size_t product = 0; product < products; ++product) {
      levels[0].label.emplace_back("all");
      levels[1].label.push_back(std::to_string(store % 3));
      levels[2].label.push_back(std::to_string(store));
      levels[3].label.push_back(std::to_string(product % 5));
      levels[4].label.push_back(std::to_string(product));
    }
  }
  return levels;
}

}  // namespace tillcast::forecast::test
