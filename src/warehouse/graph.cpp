#include "warehouse/graph.h"

#include <algorithm>
#include <queue>
#include <unordered_map>

namespace tillcast::warehouse {
namespace {

using Links = std::vector<std::vector<std::size_t>>;

/// Kahn's algorithm; of the nodes that are free the smallest by `before` goes first. Shorter than n on a
/// cycle.
template <class Before>
std::vector<std::size_t> topological_order(const Links& parents, const Links& children, Before before) {
  const auto later = [&](std::size_t a, std::size_t b) { return before(b, a); };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> ready(later);
  std::vector<std::size_t> waiting(parents.size());
  for (std::size_t i = 0; i < parents.size(); ++i) {
    waiting[i] = parents[i].size();
    if (waiting[i] == 0) ready.push(i);
  }
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const std::size_t node = ready.top();
    ready.pop();
    order.push_back(node);
    for (const std::size_t child : children[node])
      if (--waiting[child] == 0) ready.push(child);
  }
  return order;
}

/// A cycle among the nodes that no order could place: walk parents until one comes again.
std::vector<std::size_t> find_cycle(const Links& parents, const std::vector<std::size_t>& placed) {
  std::vector<bool> done(parents.size(), false);
  for (const std::size_t node : placed) done[node] = true;
  std::size_t at = static_cast<std::size_t>(std::find(done.begin(), done.end(), false) - done.begin());
  std::vector<std::size_t> path;
  while (std::find(path.begin(), path.end(), at) == path.end()) {
    path.push_back(at);
    at = *std::find_if(parents[at].begin(), parents[at].end(), [&](std::size_t p) { return !done[p]; });
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), at));
  return path;
}

}  // namespace

Graph make_graph(const std::vector<Node>& nodes) {
  std::unordered_map<std::string_view, std::size_t> by_id;
  for (std::size_t i = 0; i < nodes.size(); ++i) by_id.emplace(nodes[i].unique_id, i);
  Graph graph{Links(nodes.size()), Links(nodes.size())};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string& parent : nodes[i].depends_on) {
      const auto at = by_id.find(parent);
      if (at == by_id.end()) continue;
      graph.parents[i].push_back(at->second);
      graph.children[at->second].push_back(i);
    }
  }
  return graph;
}

Result<> sort_nodes(std::vector<Node>& nodes) {
  const Graph graph = make_graph(nodes);
  const auto before = [&](std::size_t a, std::size_t b) {
    const bool a_is_test = nodes[a].kind == NodeKind::kTest;
    if (a_is_test != (nodes[b].kind == NodeKind::kTest)) return a_is_test;
    return nodes[a].unique_id < nodes[b].unique_id;
  };
  const std::vector<std::size_t> order = topological_order(graph.parents, graph.children, before);
  if (order.size() < nodes.size()) {
    const std::vector<std::size_t> cycle = find_cycle(graph.parents, order);
    std::string message = "the models depend on each other in a circle: ";
    for (const std::size_t node : cycle) message += nodes[node].name + " (" + nodes[node].path + ") needs ";
    return invalid_input(message + nodes[cycle.front()].name + "; break one of these ref()s");
  }
  std::vector<Node> sorted;
  sorted.reserve(nodes.size());
  for (const std::size_t node : order) sorted.push_back(std::move(nodes[node]));
  nodes = std::move(sorted);
  return {};
}

BuildOrder build_order(const std::vector<Node>& nodes) {
  const Graph graph = make_graph(nodes);
  const std::size_t count = nodes.size();
  // Ancestors as bit sets; nodes are sorted, so parents are complete before their children.
  std::vector<std::vector<bool>> ancestors(count, std::vector<bool>(count, false));
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::size_t parent : graph.parents[i]) {
      ancestors[i][parent] = true;
      for (std::size_t k = 0; k < count; ++k)
        if (ancestors[parent][k]) ancestors[i][k] = true;
    }
  }
  BuildOrder build;
  build.blockers = graph.parents;
  for (std::size_t test = 0; test < count; ++test) {
    if (nodes[test].kind != NodeKind::kTest || graph.parents[test].empty()) continue;
    for (std::size_t node = 0; node < count; ++node) {
      if (nodes[node].kind == NodeKind::kTest || nodes[node].kind == NodeKind::kSource) continue;
      const bool below = std::all_of(graph.parents[test].begin(), graph.parents[test].end(),
                                     [&](std::size_t tested) { return ancestors[node][tested]; });
      if (below) build.blockers[node].push_back(test);
    }
  }
  Links children(count);
  for (std::size_t node = 0; node < count; ++node)
    for (const std::size_t blocker : build.blockers[node]) children[blocker].push_back(node);
  build.order = topological_order(build.blockers, children, std::less<>());
  return build;
}

}  // namespace tillcast::warehouse
