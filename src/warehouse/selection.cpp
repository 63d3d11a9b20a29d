#include "warehouse/selection.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "warehouse/graph.h"

namespace tillcast::warehouse {
namespace {

using Picked = std::vector<bool>;
constexpr int kUnlimited = std::numeric_limits<int>::max();

/// * and ? as in file names.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front())
    text = text.substr(1, text.size() - 2);
  return std::string(text);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    if (end > at) parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

/// "2+name+": what is named, and how many generations of ancestors and descendants come along.
struct Part {
  std::string method;  ///< empty = by name
  std::string value;
  int ancestors = 0;
  int descendants = 0;
};

Result<Part> parse_part(std::string_view text) {
  const auto bad = [&] {
    return invalid_input("cannot read the selection '" + std::string(text) +
                         "'; expected [n+]name[+n], tag:x, path:x or source:x");
  };
  Part part;
  std::string_view rest = text;
  std::size_t digits = 0;
  while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') ++digits;
  if (digits < rest.size() && rest[digits] == '+') {
    part.ancestors = kUnlimited;
    if (digits > 0) {
      const auto parsed = std::from_chars(rest.data(), rest.data() + digits, part.ancestors);
      if (parsed.ec != std::errc()) return bad();
    }
    rest.remove_prefix(digits + 1);
  }
  if (const std::size_t plus = rest.rfind('+'); plus != std::string_view::npos) {
    const std::string_view number = rest.substr(plus + 1);
    part.descendants = kUnlimited;
    if (!number.empty()) {
      const auto parsed = std::from_chars(number.data(), number.data() + number.size(), part.descendants);
      if (parsed.ec != std::errc() || parsed.ptr != number.data() + number.size()) return bad();
    }
    rest = rest.substr(0, plus);
  }
  if (rest.empty() || rest.find('+') != std::string_view::npos) return bad();
  if (rest.front() == '@')
    return invalid_input("the selection '" + std::string(text) + "': @ is not supported; use +name+");
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    part.method = std::string(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  part.value = unquoted(rest);
  if (part.value.empty()) return bad();
  return part;
}

class Selector {
 public:
  explicit Selector(const Project& project) : project_(project), graph_(make_graph(project.nodes)) {}

  /// Parts united by spaces, each an intersection of parts joined by commas.
  Result<Picked> select(std::string_view text) const {
    Picked united(project_.nodes.size(), false);
    for (const std::string& term : split(text, ' ')) {
      Picked common(project_.nodes.size(), true);
      for (const std::string& written : split(term, ',')) {
        const Part part = TILLCAST_TRY_PLAIN(parse_part(written));
        const Picked picked = TILLCAST_TRY_PLAIN(pick(part, written));
        for (std::size_t i = 0; i < common.size(); ++i) common[i] = common[i] && picked[i];
      }
      for (std::size_t i = 0; i < united.size(); ++i) united[i] = united[i] || common[i];
    }
    return united;
  }

 private:
  bool matches_part(const Node& node, const Part& part) const {
    if (part.method.empty() || part.method == "fqn") {
      if (node.kind == NodeKind::kSource) return false;
      if (matches(part.value, node.name) || part.value == node.unique_id) return true;
      // A folder, dotted: "marts" or "shop.marts.daily".
      std::string dotted;
      for (std::size_t i = 0; i < node.fqn.size(); ++i) {
        dotted += (i == 0 ? "" : ".") + node.fqn[i];
        if (part.value == dotted || (i > 0 && part.value == dotted.substr(node.fqn[0].size() + 1)))
          return true;
      }
      return false;
    }
    if (part.method == "tag")
      return std::any_of(node.config.tags.begin(), node.config.tags.end(),
                         [&](const std::string& tag) { return matches(part.value, tag); });
    if (part.method == "path" || part.method == "file") {
      if (node.kind == NodeKind::kSource) return false;
      if (part.method == "file") return matches(part.value, node.path.substr(node.path.rfind('/') + 1));
      std::string folder = part.value;
      while (folder.ends_with('/')) folder.pop_back();
      return matches(folder, node.path) || node.path.starts_with(folder + "/");
    }
    if (part.method == "source")
      return node.kind == NodeKind::kSource &&
             (matches(part.value, node.source_name) ||
              matches(part.value, node.source_name + "." + node.name) ||
              part.value == project_.name + "." + node.source_name + "." + node.name);
    if (part.method == "resource_type") return part.value == kind_name(node.kind);
    if (part.method == "package") return part.value == project_.name || part.value == "this";
    if (part.method == "config.materialized")
      return node.kind == NodeKind::kModel && part.value == materialization_name(node.config.materialized);
    if (part.method == "test_name") return node.generic && matches(part.value, node.generic->name);
    if (part.method == "test_type")
      return node.kind == NodeKind::kTest &&
             (part.value == "generic" ? node.generic.has_value() : !node.generic);
    return false;
  }

  Error names_nothing(const Part& part, const std::string& written) const {
    std::vector<std::string> known;
    for (const Node& node : project_.nodes) {
      if (part.method.empty() && node.kind != NodeKind::kSource) known.push_back(node.name);
      if (part.method == "tag") known.insert(known.end(), node.config.tags.begin(), node.config.tags.end());
      if (part.method == "source" && node.kind == NodeKind::kSource) known.push_back(node.source_name);
    }
    const std::string near = nearest_name(part.value, known);
    return invalid_input("the selection '" + written + "' names nothing in project " + project_.name +
                         (near.empty() ? "" : "; did you mean '" + near + "'?"));
  }

  void spread(Picked& picked, const std::vector<std::vector<std::size_t>>& links, int generations) const {
    std::vector<std::size_t> frontier;
    for (std::size_t i = 0; i < picked.size(); ++i)
      if (picked[i]) frontier.push_back(i);
    for (int step = 0; step < generations && !frontier.empty(); ++step) {
      std::vector<std::size_t> next;
      for (const std::size_t node : frontier) {
        for (const std::size_t link : links[node]) {
          if (picked[link]) continue;
          picked[link] = true;
          next.push_back(link);
        }
      }
      frontier = std::move(next);
    }
  }

  Result<Picked> pick(const Part& part, const std::string& written) const {
    static constexpr std::string_view kMethods[] = {"",
                                                    "fqn",
                                                    "tag",
                                                    "path",
                                                    "file",
                                                    "source",
                                                    "resource_type",
                                                    "package",
                                                    "config.materialized",
                                                    "test_name",
                                                    "test_type"};
    if (std::find(std::begin(kMethods), std::end(kMethods), part.method) == std::end(kMethods))
      return invalid_input(
          "the selection '" + written + "': unknown method '" + part.method +
          "'; expected tag, path, file, source, resource_type, config.materialized, test_name or test_type");
    Picked base(project_.nodes.size(), false);
    for (std::size_t i = 0; i < base.size(); ++i) base[i] = matches_part(project_.nodes[i], part);
    if (std::find(base.begin(), base.end(), true) == base.end()) return names_nothing(part, written);
    Picked up = base;
    Picked down = base;
    spread(up, graph_.parents, part.ancestors);
    spread(down, graph_.children, part.descendants);
    for (std::size_t i = 0; i < base.size(); ++i) base[i] = up[i] || down[i];
    // Tests come along with any of the tables they test.
    for (std::size_t i = 0; i < base.size(); ++i) {
      if (project_.nodes[i].kind != NodeKind::kTest || base[i]) continue;
      base[i] = std::any_of(graph_.parents[i].begin(), graph_.parents[i].end(),
                            [&](std::size_t p) { return base[p]; });
    }
    return base;
  }

  const Project& project_;
  Graph graph_;
};

}  // namespace

Result<std::vector<std::size_t>> select_nodes(const Project& project, std::string_view select,
                                              std::string_view exclude) {
  const Selector selector(project);
  Picked picked(project.nodes.size(), true);
  if (select.find_first_not_of(' ') != std::string_view::npos)
    picked = TILLCAST_TRY_PLAIN(selector.select(select));
  if (exclude.find_first_not_of(' ') != std::string_view::npos) {
    const Picked dropped = TILLCAST_TRY_PLAIN(selector.select(exclude));
    for (std::size_t i = 0; i < picked.size(); ++i) picked[i] = picked[i] && !dropped[i];
  }
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < picked.size(); ++i)
    if (picked[i]) indices.push_back(i);
  return indices;
}

}  // namespace tillcast::warehouse
