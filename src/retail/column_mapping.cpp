#include "retail/column_mapping.h"

#include <algorithm>
#include <initializer_list>

#include "core/text.h"
#include "core/time_zone.h"
#include "core/toml_document.h"
#include "retail/date_format.h"

namespace tillcast::retail {
namespace {

constexpr std::string_view kKinds[] = {"sale", "return", "cancellation", "adjustment", "fee"};

/// Walks the parsed document; the first fault is kept, with the key's path and line.
class MappingParser {
 public:
  MappingParser(const TomlValue& root, std::string_view origin) : root_(root), origin_(origin) {}

  Result<ColumnMapping> parse() {
    known_keys(root_, "",
               {"name", "title", "dataset", "source", "time_zone", "decimal", "line_numbers", "columns",
                "constants", "kinds", "wide"});
    mapping_.name = text(root_, "", "name", true);
    mapping_.title = text(root_, "", "title", false);
    mapping_.source = text(root_, "", "source", true);
    const std::string dataset = text(root_, "", "dataset", true);
    if (const auto parsed = parse_dataset(dataset)) {
      mapping_.dataset = *parsed;
    } else if (!error_) {
      fail("dataset", "'" + dataset + "' is unknown; expected sale_line, store_day, store_plan or store");
    }
    const bool plain_name = !mapping_.name.empty() && std::ranges::all_of(mapping_.name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!plain_name)
      fail("name", "'" + mapping_.name + "' may have only a-z, 0-9, - and _; it names the bronze dataset");
    if (root_.contains("time_zone")) mapping_.time_zone = text(root_, "", "time_zone", true);
    if (!error_) {
      if (auto zone = TimeZone::load(mapping_.time_zone); !zone) fail("time_zone", zone.error().message);
    }
    const std::string decimal = root_.contains("decimal") ? text(root_, "", "decimal", true) : ".";
    if (decimal != "." && decimal != ",")
      fail("decimal", "'" + decimal + "' is unknown; expected \".\" or \",\"");
    mapping_.decimal_separator = decimal.empty() ? '.' : decimal[0];
    const std::string lines =
        root_.contains("line_numbers") ? text(root_, "", "line_numbers", true) : "by_order";
    if (lines != "by_order" && lines != "by_run")
      fail("line_numbers", "'" + lines + "' is unknown; expected by_order or by_run");
    mapping_.line_numbers = lines == "by_run" ? LineNumbers::kByRun : LineNumbers::kByOrder;
    parse_columns();
    parse_constants();
    parse_kinds();
    parse_wide();
    check_required();
    if (error_) return std::move(*error_);
    return std::move(mapping_);
  }

 private:
  void fail(const std::string& key, const std::string& message) {
    if (!error_) error_ = invalid_input(std::string(origin_) + ": " + key + ": " + message);
  }
  static std::string path(std::string_view table, std::string_view key) {
    return table.empty() ? std::string(key) : std::string(table) + "." + std::string(key);
  }
  void known_keys(const TomlValue& table, std::string_view at,
                  std::initializer_list<std::string_view> known) {
    for (const auto& [key, node] : table.members) {
      if (std::ranges::find(known, key) == known.end()) {
        fail(path(at, key),
             "is unknown (line " + std::to_string(node.line) + "); expected " + join(known, ", "));
      }
    }
  }
  std::string text(const TomlValue& table, std::string_view at, std::string_view key, bool needed) {
    const TomlValue* node = table.get(key);
    if (node == nullptr) {
      if (needed) fail(path(at, key), "is missing");
      return {};
    }
    const auto value = node->as_text();
    if (!value || value->empty()) {
      fail(path(at, key), "must be a text");
      return {};
    }
    return *value;
  }
  std::vector<std::string> texts(const TomlValue& table, std::string_view at, std::string_view key) {
    const TomlValue* node = table.get(key);
    if (node == nullptr) return {};
    if (const auto one = node->as_text()) return {*one};
    std::vector<std::string> values;
    if (const TomlValue* array = node->as_array()) {
      for (const TomlValue& item : array->items) {
        if (const auto value = item.as_text()) values.push_back(*value);
      }
      if (values.size() == array->items.size() && !values.empty()) return values;
    }
    fail(path(at, key), "must be a text or a list of texts");
    return {};
  }
  bool flag(const TomlValue& table, std::string_view at, std::string_view key, bool otherwise) {
    const TomlValue* node = table.get(key);
    if (node == nullptr) return otherwise;
    const auto value = node->as_bool();
    if (!value) fail(path(at, key), "must be true or false");
    return value.value_or(otherwise);
  }
  const TomlValue* table(std::string_view key) {
    const TomlValue* node = root_.get(key);
    if (node == nullptr) return nullptr;
    const TomlValue* found = node->as_table();
    if (found == nullptr) fail(std::string(key), "must be a table: [" + std::string(key) + "]");
    return found;
  }
  const FieldSpec* field(std::string_view name, std::string_view at) {
    const auto fields = dataset_fields(mapping_.dataset);
    const auto found = std::ranges::find(fields, name, &FieldSpec::name);
    if (found != fields.end()) return &*found;
    std::vector<std::string_view> names;
    for (const FieldSpec& spec : fields) names.push_back(spec.name);
    fail(path(at, name), "is no column of " + std::string(dataset_name(mapping_.dataset)) +
                             "; expected one of " + join(names, ", "));
    return nullptr;
  }
  void check_kind(const std::string& key, const std::string& kind) {
    if (std::ranges::find(kKinds, kind) == std::end(kKinds))
      fail(key, "'" + kind + "' is unknown; expected " + join(kKinds, ", "));
  }

  void parse_columns() {
    const TomlValue* columns = table("columns");
    if (columns == nullptr)
      return fail("columns", "is missing: a table [columns] says which header column fills which field");
    for (const auto& [key, node] : columns->members) {
      const std::string at = path("columns", key);
      const FieldSpec* spec = field(key, "columns");
      if (spec == nullptr) return;
      ColumnSource source;
      source.field = key;
      if (const auto name = node.as_text()) {
        source.from = {*name};
      } else if (const TomlValue* details = node.as_table()) {
        known_keys(*details, at,
                   {"from", "required", "trim_decimal", "formats", "null_values", "year", "month", "week"});
        source.from = texts(*details, at, "from");
        source.formats = texts(*details, at, "formats");
        source.null_values = texts(*details, at, "null_values");
        source.required = flag(*details, at, "required", true);
        source.trim_decimal = flag(*details, at, "trim_decimal", true);
        source.year = text(*details, at, "year", false);
        source.month = text(*details, at, "month", false);
        source.week = text(*details, at, "week", false);
      } else {
        fail(at, "must be a header name or { from = \"header name\", … }");
      }
      check_source(*spec, source, at);
      mapping_.columns.push_back(std::move(source));
    }
    // The order of the dataset, not of the file's keys, decides which fault of a row is reported.
    const auto order = [this](const ColumnSource& source) {
      const auto fields = dataset_fields(mapping_.dataset);
      return std::ranges::find(fields, source.field, &FieldSpec::name) - fields.begin();
    };
    std::ranges::sort(mapping_.columns, {}, order);
  }

  void check_source(const FieldSpec& spec, const ColumnSource& source, const std::string& at) {
    const bool date = spec.type == FieldType::kDate || spec.type == FieldType::kInstant;
    const bool parts = !source.year.empty() || !source.month.empty() || !source.week.empty();
    if (parts && (spec.type != FieldType::kDate || source.year.empty() ||
                  source.month.empty() == source.week.empty())) {
      fail(at, "year with either month or week makes a date; nothing else takes them");
    }
    if (parts == !source.from.empty()) fail(at, "needs either from or year with month or week");
    if (!source.formats.empty() && !date) fail(at + ".formats", "only dates have formats");
    for (const std::string& format : source.formats) {
      if (auto parsed = DateFormat::parse(format); !parsed) fail(at + ".formats", parsed.error().message);
    }
  }

  void parse_constants() {
    const TomlValue* constants = table("constants");
    if (constants == nullptr) return;
    for (const auto& [key, node] : constants->members) {
      const std::string at = path("constants", key);
      const FieldSpec* spec = field(key, "constants");
      if (spec == nullptr) return;
      const auto value = node.as_text();
      if (!value || value->empty()) fail(at, "must be a text");
      const ColumnSource* source = mapping_.find(key);
      if (source != nullptr && source->required)
        fail(at, "is also in [columns]; only a column with required = false has a constant to fall back on");
      const bool constant = spec->type == FieldType::kText || spec->type == FieldType::kId ||
                            spec->type == FieldType::kProductId || spec->type == FieldType::kKind;
      if (!constant || spec->name == "event_id" || spec->name == "order_id") fail(at, "cannot be a constant");
      if (spec->type == FieldType::kKind) check_kind(at, value.value_or(""));
      mapping_.constants.emplace_back(key, value.value_or(""));
    }
  }

  void parse_kinds() {
    const TomlValue* kinds = table("kinds");
    if (kinds == nullptr) return;
    known_keys(*kinds, "kinds", {"order_prefix", "negative", "negative_unpriced"});
    if (mapping_.dataset != Dataset::kSaleLine) fail("kinds", "only sale_line has kinds");
    if (kinds->contains("negative")) mapping_.kinds.negative = text(*kinds, "kinds", "negative", true);
    mapping_.kinds.negative_unpriced = text(*kinds, "kinds", "negative_unpriced", false);
    check_kind("kinds.negative", mapping_.kinds.negative);
    if (!mapping_.kinds.negative_unpriced.empty())
      check_kind("kinds.negative_unpriced", mapping_.kinds.negative_unpriced);
    if (const TomlValue* node = kinds->get("order_prefix")) {
      const TomlValue* prefixes = node->as_table();
      if (prefixes == nullptr)
        return fail("kinds.order_prefix", "must be a table such as { C = \"cancellation\" }");
      for (const auto& [prefix, kind] : prefixes->members) {
        const std::string at = path("kinds.order_prefix", prefix);
        const std::string value = text(*prefixes, "kinds.order_prefix", prefix, true);
        if (prefix.empty()) fail(at, "an empty prefix would fit every order");
        check_kind(at, value);
        mapping_.kinds.order_prefixes.emplace_back(std::string(prefix), value);
      }
    }
  }

  void parse_wide() {
    const TomlValue* wide = table("wide");
    if (wide == nullptr) return;
    known_keys(*wide, "wide", {"prefix", "first_date"});
    WideDays days;
    days.prefix = text(*wide, "wide", "prefix", true);
    const TomlValue* node = wide->get("first_date");
    std::optional<Date> first;
    if (node != nullptr) {
      if (node->kind == TomlValue::Kind::kDate) {
        first = node->date;
      } else if (const auto written = node->as_text()) {
        first = parse_date(*written);
      }
    }
    if (!first) fail("wide.first_date", "must be the date of column " + days.prefix + "1, as YYYY-MM-DD");
    days.first_date = first.value_or(Date{});
    if (mapping_.dataset != Dataset::kSaleLine) fail("wide", "only sale_line can be wide");
    if (mapping_.find("quantity") != nullptr || mapping_.find("ordered_at") != nullptr) {
      fail("wide", "the day columns give quantity and ordered_at; take them out of [columns]");
    }
    mapping_.wide = std::move(days);
  }

  void check_required() {
    for (const FieldSpec& spec : dataset_fields(mapping_.dataset)) {
      const bool from_days = mapping_.wide && (spec.name == "quantity" || spec.name == "ordered_at");
      const bool constant =
          std::ranges::any_of(mapping_.constants, [&](const auto& pair) { return pair.first == spec.name; });
      const ColumnSource* source = mapping_.find(spec.name);
      if (!spec.value_required || from_days || constant || (source != nullptr && source->required)) continue;
      if (source != nullptr) {
        fail("columns." + std::string(spec.name), "may not be required = false without a constant; " +
                                                      std::string(dataset_name(mapping_.dataset)) +
                                                      " needs it");
        continue;
      }
      fail("columns", std::string(spec.name) + " is missing; " + std::string(dataset_name(mapping_.dataset)) +
                          " needs it as a column" + (spec.type == FieldType::kId ? " or a constant" : ""));
    }
  }

  const TomlValue& root_;
  std::string_view origin_;
  ColumnMapping mapping_;
  std::optional<Error> error_;
};

}  // namespace

const ColumnSource* ColumnMapping::find(std::string_view field) const {
  const auto found = std::ranges::find(columns, field, &ColumnSource::field);
  return found == columns.end() ? nullptr : &*found;
}

std::string ColumnMapping::topic() const {
  std::string topic = name;
  std::ranges::replace(topic, '-', '_');
  return topic;
}

Result<ColumnMapping> parse_mapping(std::string_view toml, std::string_view origin) {
  const TomlValue root = TILLCAST_TRY_PLAIN(parse_toml(toml, origin));
  return MappingParser(root, origin).parse();
}

}  // namespace tillcast::retail
