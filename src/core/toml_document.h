#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/result.h"

namespace tillcast {

/// One value of a TOML document. toml++ stays in one file: it is slow to compile, and two copies of it with
/// different settings in one program are undefined.
struct TomlValue {
  enum class Kind : std::uint8_t { kText, kInteger, kReal, kBool, kDate, kOther, kArray, kTable };
  Kind kind = Kind::kTable;
  int line = 0;  ///< where it begins, 1 = first
  std::string text;
  std::int64_t integer = 0;
  double real = 0;
  bool flag = false;
  std::optional<Date> date;  ///< kDate; nullopt for a day that does not exist
  std::vector<TomlValue> items;
  std::map<std::string, TomlValue, std::less<>> members;

  /// A table's member, or nullptr.
  const TomlValue* get(std::string_view key) const {
    const auto at = members.find(key);
    return at == members.end() ? nullptr : &at->second;
  }
  bool contains(std::string_view key) const { return get(key) != nullptr; }
  /// The text of a kText value.
  std::optional<std::string> as_text() const {
    return kind == Kind::kText ? std::optional(text) : std::nullopt;
  }
  std::optional<bool> as_bool() const { return kind == Kind::kBool ? std::optional(flag) : std::nullopt; }
  const TomlValue* as_table() const { return kind == Kind::kTable ? this : nullptr; }
  const TomlValue* as_array() const { return kind == Kind::kArray ? this : nullptr; }
};

/// Parses TOML 1.0. @param origin  names the text in messages.
/// @return kInvalidInput "origin:line: not valid TOML: ..."; the root is a table. Pure, thread-safe.
Result<TomlValue> parse_toml(std::string_view text, std::string_view origin);

}  // namespace tillcast
