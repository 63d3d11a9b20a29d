#include "warehouse/node_config.h"

#include <algorithm>

namespace tillcast::warehouse {
namespace {

Error wrong(std::string_view key, std::string_view expected, const Value& found) {
  return invalid_input("config " + std::string(key) + " must be " + std::string(expected) + ", found " +
                       to_repr(found));
}

Result<std::vector<std::string>> text_list(std::string_view key, const Value& value) {
  std::vector<std::string> texts;
  if (value.is_none()) return texts;
  if (value.is_text()) {
    texts.push_back(value.as_text());
    return texts;
  }
  if (!value.is_list()) return wrong(key, "text or a list of texts", value);
  for (const Value& item : value.as_list()) {
    const Value* sql =
        item.is_dict() ? item.member("sql") : &item;  // hooks may be {sql: ..., transaction: ...}
    if (sql == nullptr || !sql->is_text()) return wrong(key, "text or a list of texts", value);
    texts.push_back(sql->as_text());
  }
  return texts;
}

Result<std::string> text_of(std::string_view key, const Value& value) {
  if (value.is_none()) return std::string();
  if (!value.is_text()) return wrong(key, "text", value);
  return value.as_text();
}

Result<bool> bool_of(std::string_view key, const Value& value) {
  if (!value.is_bool()) return wrong(key, "true or false", value);
  return value.as_bool();
}

void add_unique(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const std::string& text : from)
    if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
}

Result<Materialization> materialization_of(const Value& value) {
  for (const auto m : {Materialization::kView, Materialization::kTable, Materialization::kIncremental,
                       Materialization::kEphemeral})
    if (value.is_text() && value.as_text() == materialization_name(m)) return m;
  return wrong("materialized", "view, table, incremental or ephemeral", value);
}

Result<> set_typed(std::string_view key, const Value& value, NodeConfig& config) {
  if (key == "materialized") {
    // Seeds and tests carry their own word in dbt; it says nothing new.
    if (value == Value("seed") || value == Value("test")) return {};
    config.materialized = TILLCAST_TRY_PLAIN(materialization_of(value));
  } else if (key == "enabled") {
    config.enabled = TILLCAST_TRY_PLAIN(bool_of(key, value));
  } else if (key == "full_refresh") {
    config.full_refresh.reset();
    if (!value.is_none()) config.full_refresh = TILLCAST_TRY_PLAIN(bool_of(key, value));
  } else if (key == "incremental_strategy") {
    if (value == Value("append")) {
      config.incremental_strategy = IncrementalStrategy::kAppend;
    } else if (value == Value("delete+insert")) {
      config.incremental_strategy = IncrementalStrategy::kDeleteInsert;
    } else {
      return wrong(key, "append or delete+insert", value);
    }
  } else if (key == "unique_key") {
    config.unique_key = TILLCAST_TRY_PLAIN(text_list(key, value));
  } else if (key == "tags") {
    add_unique(config.tags, TILLCAST_TRY_PLAIN(text_list(key, value)));
  } else if (key == "pre_hook") {
    add_unique(config.pre_hooks, TILLCAST_TRY_PLAIN(text_list(key, value)));
  } else if (key == "post_hook") {
    add_unique(config.post_hooks, TILLCAST_TRY_PLAIN(text_list(key, value)));
  } else if (key == "schema") {
    config.schema = TILLCAST_TRY_PLAIN(text_of(key, value));
  } else if (key == "alias") {
    config.alias = TILLCAST_TRY_PLAIN(text_of(key, value));
  } else if (key == "where") {
    config.where = TILLCAST_TRY_PLAIN(text_of(key, value));
  } else if (key == "fail_calc") {
    config.fail_calc = TILLCAST_TRY_PLAIN(text_of(key, value));
  } else if (key == "warn_if") {
    config.warn_if = TILLCAST_TRY_PLAIN(text_of(key, value));
  } else if (key == "error_if") {
    config.error_if = TILLCAST_TRY_PLAIN(text_of(key, value));
  } else if (key == "severity") {
    std::string word = TILLCAST_TRY_PLAIN(text_of(key, value));
    for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    if (word != "warn" && word != "error") return wrong(key, "warn or error", value);
    config.severity = word == "warn" ? Severity::kWarn : Severity::kError;
  } else if (key == "limit") {
    config.limit.reset();
    if (value.is_none()) return {};
    if (!value.is_int() || value.as_int() < 1) return wrong(key, "a whole number above 0", value);
    config.limit = value.as_int();
  } else if (key == "delimiter") {
    if (!value.is_text() || value.as_text().size() != 1) return wrong(key, "one character", value);
    config.delimiter = value.as_text().front();
  } else if (key == "column_types") {
    if (!value.is_dict()) return wrong(key, "a map of column to type", value);
    for (const auto& [column, type] : value.as_dict()) {
      if (!type.is_text()) return wrong(key, "a map of column to type", value);
      std::erase_if(config.column_types, [&](const auto& entry) { return entry.first == column; });
      config.column_types.emplace_back(column, type.as_text());
    }
  }
  return {};
}

}  // namespace

std::string_view kind_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::kModel:
      return "model";
    case NodeKind::kSeed:
      return "seed";
    case NodeKind::kTest:
      return "test";
    case NodeKind::kSource:
      return "source";
  }
  return "";
}

std::string_view materialization_name(Materialization materialization) {
  switch (materialization) {
    case Materialization::kView:
      return "view";
    case Materialization::kTable:
      return "table";
    case Materialization::kIncremental:
      return "incremental";
    case Materialization::kEphemeral:
      return "ephemeral";
  }
  return "";
}

bool is_config_key(std::string_view key) {
  if (key.starts_with('+')) return true;
  static constexpr std::string_view kKnown[] = {"access",
                                                "alias",
                                                "column_types",
                                                "contract",
                                                "delimiter",
                                                "docs",
                                                "enabled",
                                                "error_if",
                                                "fail_calc",
                                                "full_refresh",
                                                "grants",
                                                "group",
                                                "limit",
                                                "materialized",
                                                "meta",
                                                "on_schema_change",
                                                "incremental_strategy",
                                                "persist_docs",
                                                "post-hook",
                                                "post_hook",
                                                "pre-hook",
                                                "pre_hook",
                                                "quote_columns",
                                                "schema",
                                                "severity",
                                                "store_failures",
                                                "tags",
                                                "unique_key",
                                                "warn_if",
                                                "where"};
  return std::find(std::begin(kKnown), std::end(kKnown), key) != std::end(kKnown);
}

Result<> apply_config(const Dict& entries, NodeConfig& config) {
  for (const auto& [written, value] : entries) {
    std::string key = written.starts_with('+') ? written.substr(1) : written;
    std::replace(key.begin(), key.end(), '-', '_');
    TILLCAST_TRY_PLAIN(set_typed(key, value, config));
    // append is dbt's default without a unique key, delete+insert with one.
    if (key == "unique_key" && !config.unique_key.empty() &&
        std::none_of(config.raw.begin(), config.raw.end(),
                     [](const auto& e) { return e.first == "incremental_strategy"; }))
      config.incremental_strategy = IncrementalStrategy::kDeleteInsert;
    Value kept = value;
    if (key == "tags") {
      List tags;
      for (const std::string& tag : config.tags) tags.emplace_back(tag);
      kept = Value::list(std::move(tags));
    }
    const auto at =
        std::find_if(config.raw.begin(), config.raw.end(), [&](const auto& e) { return e.first == key; });
    if (at != config.raw.end()) {
      at->second = std::move(kept);
    } else {
      config.raw.emplace_back(key, std::move(kept));
    }
  }
  return {};
}

}  // namespace tillcast::warehouse
