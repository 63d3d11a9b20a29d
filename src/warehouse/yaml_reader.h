#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "warehouse/template_value.h"

namespace tillcast::warehouse {

/// One node of a yaml document with its place. Aliases are resolved into copies.
struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  bool quoted = false;  ///< a scalar in quotes is always text
  int line = 1;
  int column = 1;
  std::string scalar;
  std::vector<YamlNode> items;
  std::vector<std::pair<std::string, YamlNode>> members;

  // Out of line: the pairs are incomplete here.
  YamlNode();
  YamlNode(const YamlNode&);
  YamlNode(YamlNode&&) noexcept;
  YamlNode& operator=(const YamlNode&);
  YamlNode& operator=(YamlNode&&) noexcept;
  ~YamlNode();

  const YamlNode* find(std::string_view name) const;
  bool is_map() const { return kind == Kind::kMap; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  /// The scalar member's text, or `otherwise` when absent.
  std::string text(std::string_view name, std::string otherwise = {}) const;
  /// As yaml 1.1 reads plain scalars (dbt's parser): true/yes/on, numbers, null.
  Value to_value() const;
};

/// Parses one yaml document; an empty one is kNull.
/// @return kInvalidInput "file:line:column: ..." for anything that is no yaml, has a name twice in one map,
/// is nested more than 50 deep or has more than 100,000 nodes. Thread-safe.
Result<YamlNode> read_yaml(std::string_view content, std::string_view file);

/// "file:line:column: message" at a yaml node.
Error yaml_error(std::string_view file, const YamlNode& at, std::string_view message);

}  // namespace tillcast::warehouse
