#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "warehouse/project.h"

namespace tillcast::warehouse {

/// Who depends on whom, by index into the nodes.
struct Graph {
  std::vector<std::vector<std::size_t>> parents;
  std::vector<std::vector<std::size_t>> children;
};

Graph make_graph(const std::vector<Node>& nodes);

/// Sorts nodes so that each comes after its parents; among those free to run, tests first (a bad model is
/// seen before more is built on it), then by unique id.
/// @return kInvalidInput naming the members of a cycle in order, with their files.
Result<> sort_nodes(std::vector<Node>& nodes);

/// The order of a build: as the nodes stand, but every test comes before the models that only build on what
/// it tests (dbt build does the same), so that a failed test keeps its dependents from being built.
struct BuildOrder {
  std::vector<std::size_t> order;
  std::vector<std::vector<std::size_t>>
      blockers;  ///< per node: its parents, and the tests that must pass first
};
BuildOrder build_order(const std::vector<Node>& nodes);

}  // namespace tillcast::warehouse
