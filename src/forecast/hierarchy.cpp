#include "forecast/hierarchy.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/check.h"

namespace tillcast::forecast {

std::size_t Hierarchy::upper_nodes() const {
  return levels.empty() ? 0 : levels.back().first_node + levels.back().groups();
}

Result<Hierarchy> make_hierarchy(std::span<const LevelLabels> levels, std::size_t leaves) {
  if (leaves == 0) return invalid_input("a hierarchy needs at least one leaf");
  Hierarchy result;
  result.leaves = leaves;
  std::size_t next_node = 0;
  for (const LevelLabels& given : levels) {
    if (given.label.size() != leaves)
      return invalid_input("level " + given.name + " has " + std::to_string(given.label.size()) +
                           " labels for " + std::to_string(leaves) + " leaves");
    HierarchyLevel& level = result.levels.emplace_back();
    level.name = given.name;
    level.first_node = next_node;
    std::unordered_map<std::string, std::int32_t> numbers;
    for (const std::string& label : given.label) {
      const auto [at, added] = numbers.try_emplace(label, static_cast<std::int32_t>(level.label.size()));
      if (added) level.label.push_back(label);
      level.group.push_back(at->second);
    }
    next_node += level.groups();
  }
  return result;
}

std::vector<double> aggregate(const Hierarchy& hierarchy, std::span<const double> leaves, std::size_t steps) {
  TILLCAST_CHECK(leaves.size() == hierarchy.leaves * steps, "one value per leaf and step");
  std::vector<double> nodes(hierarchy.nodes() * steps, 0.0);
  for (const HierarchyLevel& level : hierarchy.levels)
    for (std::size_t leaf = 0; leaf < hierarchy.leaves; ++leaf) {
      const std::size_t node = level.first_node + static_cast<std::size_t>(level.group[leaf]);
      for (std::size_t step = 0; step < steps; ++step)
        nodes[node * steps + step] += leaves[leaf * steps + step];
    }
  std::ranges::copy(leaves, nodes.begin() + static_cast<std::ptrdiff_t>(hierarchy.upper_nodes() * steps));
  return nodes;
}

double incoherence(const Hierarchy& hierarchy, std::span<const double> nodes, std::size_t steps) {
  TILLCAST_CHECK(nodes.size() == hierarchy.nodes() * steps, "one value per node and step");
  const std::vector<double> sums =
      aggregate(hierarchy, nodes.subspan(hierarchy.upper_nodes() * steps), steps);
  double worst = 0;
  for (std::size_t i = 0; i < sums.size(); ++i)
    worst = std::max(worst, std::abs(nodes[i] - sums[i]) / std::max(1.0, std::abs(sums[i])));
  return worst;
}

}  // namespace tillcast::forecast
