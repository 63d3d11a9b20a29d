#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

namespace tillcast::forecast {

/// One level as it is given: a group label for each leaf.
struct LevelLabels {
  std::string name;                ///< "total", "country", "store", "category", "product"
  std::vector<std::string> label;  ///< one per leaf; the same label = the same group
};

/// One level: which group each leaf belongs to.
struct HierarchyLevel {
  std::string name;
  std::vector<std::int32_t> group;  ///< per leaf, 0 .. groups-1 in the order of first appearance
  std::vector<std::string> label;   ///< per group
  std::size_t first_node = 0;       ///< number of the node of group 0

  std::size_t groups() const { return label.size(); }
};

/// A summing structure: leaves, and levels of groups above them. Levels may be nested (country, store) or
/// cross one another (store, product); every leaf is in one group of each level. Nodes are numbered level by
/// level in the order given; the leaves come last, in their own order.
struct Hierarchy {
  std::vector<HierarchyLevel> levels;  ///< without the leaves
  std::size_t leaves = 0;

  std::size_t upper_nodes() const;
  std::size_t nodes() const { return upper_nodes() + leaves; }
  std::size_t leaf_node(std::size_t leaf) const { return upper_nodes() + leaf; }
};

/// @return kInvalidInput without leaves, or when a level has another number of labels than the first one.
Result<Hierarchy> make_hierarchy(std::span<const LevelLabels> levels, std::size_t leaves);

/// Sums of the leaves for every node: [node][step] from [leaf][step].
std::vector<double> aggregate(const Hierarchy& hierarchy, std::span<const double> leaves, std::size_t steps);

/// Largest difference between a node and the sum of its leaves, as a share of the larger of that sum and 1.
double incoherence(const Hierarchy& hierarchy, std::span<const double> nodes, std::size_t steps);

}  // namespace tillcast::forecast
