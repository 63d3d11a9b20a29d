#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tillcast {

enum class SettingType : std::uint8_t { kText, kInteger, kBool, kTextList };

/// One setting: the source of its default, its documentation and its parser.
struct SettingSpec {
  std::string_view key;  ///< dotted: "serve.port"
  SettingType type = SettingType::kText;
  std::string_view default_value;  ///< as it would stand in TOML, text without quotes
  std::string_view help;
};

/// A `[[forecast.plan]]`-like table of the file: text values by key; lists joined by ','.
using ConfigTable = std::map<std::string, std::string>;

/// Settings in layers: flags > environment (TILLCAST_SERVE__PORT) > tillcast.toml > defaults. Unknown keys
/// and wrong types are errors that name the place and the nearest known key. A value "${env:NAME}" or
/// "${file:/run/secrets/x}" is read from there when asked for; show() never prints what it read.
class Config {
 public:
  explicit Config(std::span<const SettingSpec> specs);

  /// Reads TOML text; `origin` is its path, for messages. Array tables named in `array_tables`
  /// ("forecast.plan") are kept for tables().
  Result<void> load_toml(std::string_view text, const std::string& origin,
                         std::span<const std::string_view> array_tables);
  /// Takes the settings out of an environment block ("NAME=value" strings): names that start with TILLCAST_
  /// and hold
  /// "__" for the key's dot. Others, like TILLCAST_DATA, are no settings and are passed over.
  Result<void> load_environment(std::span<const std::string> environment);
  /// A flag's value; `origin` names the flag.
  Result<void> set(std::string_view key, std::string value, const std::string& origin);

  std::string text(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;
  const std::vector<ConfigTable>& tables(const std::string& name) const;

  /// The value with ${env:...} and ${file:...} resolved; kNotFound names what is missing, never the value.
  Result<std::string> secret(std::string_view key) const;

  struct Shown {
    std::string key;
    std::string value;
    std::string origin;  ///< "default", "tillcast.toml", "TILLCAST_SERVE__PORT", "--port"
    std::string_view help;
  };
  std::vector<Shown> show() const;

 private:
  struct Value {
    std::string text;
    std::string origin;
  };
  const SettingSpec* find(std::string_view key) const;
  Result<void> assign(std::string_view key, std::string value, const std::string& origin);
  const Value& value(std::string_view key) const;

  std::span<const SettingSpec> specs_;
  std::map<std::string, Value, std::less<>> values_;
  std::map<std::string, std::vector<ConfigTable>> tables_;
};

/// The candidate nearest to `word` by edit distance, when it is near enough to be a typing error.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace tillcast
