#include "core/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/check.h"
#include "core/toml_document.h"

namespace tillcast {
namespace {

constexpr std::string_view kEnvironmentPrefix = "TILLCAST_";

std::string place(const std::string& origin, const TomlValue& value) {
  return origin + ":" + std::to_string(value.line);
}

enum class Fractions : std::uint8_t { kRefused, kTaken };

// A scalar or list as the text that set() takes; nullopt for what no setting can be.
std::optional<std::string> as_text(const TomlValue& value, Fractions fractions = Fractions::kRefused) {
  switch (value.kind) {
    case TomlValue::Kind::kText:
      return value.text;
    case TomlValue::Kind::kInteger:
      return std::to_string(value.integer);
    case TomlValue::Kind::kBool:
      return value.flag ? "true" : "false";
    case TomlValue::Kind::kReal: {
      if (fractions == Fractions::kRefused) return std::nullopt;
      std::array<char, 32> digits;
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.real).ptr;
      return std::string(digits.data(), end);
    }
    case TomlValue::Kind::kArray:
      break;
    default:
      return std::nullopt;
  }
  std::string joined;
  for (const auto& item : value.items) {
    const auto text = as_text(item, fractions);
    if (!text) return std::nullopt;
    if (!joined.empty()) joined += ",";
    joined += *text;
  }
  return joined;
}

std::string_view type_name(SettingType type) {
  switch (type) {
    case SettingType::kText:
      return "text";
    case SettingType::kInteger:
      return "a whole number";
    case SettingType::kBool:
      return "true or false";
    case SettingType::kTextList:
      return "a list of texts";
  }
  return "";
}

bool fits(SettingType type, std::string_view value) {
  if (type == SettingType::kBool) return value == "true" || value == "false";
  if (type == SettingType::kInteger) {
    std::int64_t number = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
    return parsed.ec == std::errc{} && parsed.ptr == value.data() + value.size();
  }
  return true;
}

// The rows of [[key]] tables.
Result<std::vector<ConfigTable>> table_rows(const TomlValue& value, const std::string& key,
                                            const std::string& at) {
  std::vector<ConfigTable> rows;
  for (const auto& item : value.items) {
    ConfigTable row;
    for (const auto& [column, cell] : item.members) {
      const auto text = as_text(cell, Fractions::kTaken);
      if (!text)
        return invalid_input(at + ": '" + key + "." + column +
                             "' must be text, a number, true, false or a list");
      row[column] = *text;
    }
    rows.push_back(std::move(row));
  }
  const bool only_tables =
      std::ranges::all_of(value.items, [](const TomlValue& item) { return item.as_table() != nullptr; });
  if (value.as_array() == nullptr || !only_tables)
    return invalid_input(at + ": write '" + key + "' as [[" + key + "]] tables");
  return rows;
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    // Levenshtein distance, one row at a time.
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j < row.size(); ++j) {
        const std::size_t substituted = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

Config::Config(std::span<const SettingSpec> specs) : specs_(specs) {
  for (const auto& spec : specs_) {
    TILLCAST_CHECK(fits(spec.type, spec.default_value), "a setting's default has its type");
    values_[std::string(spec.key)] = {std::string(spec.default_value), "default"};
  }
}

const SettingSpec* Config::find(std::string_view key) const {
  const auto at = std::ranges::find(specs_, key, &SettingSpec::key);
  return at == specs_.end() ? nullptr : &*at;
}

Result<void> Config::assign(std::string_view key, std::string value, const std::string& origin) {
  const SettingSpec* const spec = find(key);
  if (spec == nullptr) {
    std::vector<std::string> known;
    for (const auto& candidate : specs_) known.emplace_back(candidate.key);
    const auto near = nearest(key, known);
    return invalid_input("unknown setting '" + std::string(key) + "'" +
                         (near ? "; did you mean '" + *near + "'?" : "; `tillcast config show` lists them"));
  }
  if (!fits(spec->type, value)) {
    return invalid_input("setting '" + std::string(key) + "' must be " + std::string(type_name(spec->type)) +
                         ", found '" + value + "'");
  }
  values_[std::string(key)] = {std::move(value), origin};
  return {};
}

Result<void> Config::load_toml(std::string_view text, const std::string& origin,
                               std::span<const std::string_view> array_tables) {
  const TomlValue root = TILLCAST_TRY_PLAIN(parse_toml(text, origin));
  // Depth first over tables; leaves are settings, arrays of tables are kept whole.
  struct Pending {
    std::string prefix;
    const TomlValue* table;
  };
  std::vector<Pending> pending = {{"", &root}};
  while (!pending.empty()) {
    const auto [prefix, table] = pending.back();
    pending.pop_back();
    for (const auto& [name, value] : table->members) {
      const std::string key = prefix + name;
      const std::string at = place(origin, value);
      if (std::ranges::find(array_tables, key) != array_tables.end()) {
        auto rows = TILLCAST_TRY_PLAIN(table_rows(value, key, at));
        std::ranges::move(rows, std::back_inserter(tables_[key]));
      } else if (value.as_table() != nullptr) {
        pending.push_back({key + ".", &value});
      } else {
        const auto setting = as_text(value);
        if (!setting)
          return invalid_input(at + ": setting '" + key +
                               "' must be text, a whole number, true, false or a list");
        if (auto assigned = assign(key, *setting, origin); !assigned)
          return std::move(assigned.error()).with_context(at);
      }
    }
  }
  return {};
}

Result<void> Config::load_environment(std::span<const std::string> environment) {
  for (const auto& variable : environment) {
    const auto equals = variable.find('=');
    const std::string name = variable.substr(0, equals);
    if (equals == std::string::npos || !name.starts_with(kEnvironmentPrefix)) continue;
    // Every key has a section, so every setting's variable has "__"; TILLCAST_DATA and the like are no
    // settings.
    if (name.find("__") == std::string::npos) continue;
    std::string key;
    for (std::size_t i = kEnvironmentPrefix.size(); i < name.size(); ++i) {
      if (name.compare(i, 2, "__") == 0) {
        key += '.';
        ++i;
      } else {
        key += static_cast<char>(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
      }
    }
    if (auto assigned = assign(key, variable.substr(equals + 1), name); !assigned) {
      return std::move(assigned.error()).with_context("environment variable " + name);
    }
  }
  return {};
}

Result<void> Config::set(std::string_view key, std::string value, const std::string& origin) {
  return assign(key, std::move(value), origin);
}

const Config::Value& Config::value(std::string_view key) const {
  const auto at = values_.find(key);
  TILLCAST_CHECK(at != values_.end(), "a setting that is read is declared");
  return at->second;
}

std::string Config::text(std::string_view key) const { return value(key).text; }
std::int64_t Config::integer(std::string_view key) const {
  return std::strtoll(value(key).text.c_str(), nullptr, 10);
}
bool Config::flag(std::string_view key) const { return value(key).text == "true"; }

std::vector<std::string> Config::list(std::string_view key) const {
  std::vector<std::string> items;
  std::istringstream stream(value(key).text);
  for (std::string item; std::getline(stream, item, ',');) {
    if (!item.empty()) items.push_back(item);
  }
  return items;
}

const std::vector<ConfigTable>& Config::tables(const std::string& name) const {
  static const std::vector<ConfigTable> kNone;
  const auto at = tables_.find(name);
  return at == tables_.end() ? kNone : at->second;
}

Result<std::string> Config::secret(std::string_view key) const {
  const std::string& text = value(key).text;
  if (text.starts_with("${env:") && text.ends_with("}")) {
    const std::string name = text.substr(6, text.size() - 7);
    const char* const found = std::getenv(name.c_str());
    if (found == nullptr)
      return not_found("setting '" + std::string(key) + "' reads the environment variable " + name +
                       ", which is not set");
    return std::string(found);
  }
  if (text.starts_with("${file:") && text.ends_with("}")) {
    const std::string path = text.substr(7, text.size() - 8);
    std::ifstream file(path);
    if (!file)
      return not_found("setting '" + std::string(key) + "' reads the file " + path +
                       ", which cannot be opened");
    std::string line;
    std::getline(file, line);
    return line;
  }
  return text;
}

std::vector<Config::Shown> Config::show() const {
  std::vector<Shown> rows;
  for (const auto& spec : specs_) {
    const Value& shown = value(spec.key);
    rows.push_back({std::string(spec.key), shown.text, shown.origin, spec.help});
  }
  return rows;
}

}  // namespace tillcast
