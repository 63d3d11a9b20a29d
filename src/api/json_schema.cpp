#include "api/json_schema.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <cmath>

#include "api/json_writer.h"
#include "core/civil_time.h"
#include "core/text.h"

namespace tillcast::api {
namespace {

constexpr std::size_t kFindingsMax = 20;

std::string_view type_name(Schema::Type type) {
  switch (type) {
    case Schema::Type::kAny:
      return "";
    case Schema::Type::kString:
      return "string";
    case Schema::Type::kInteger:
      return "integer";
    case Schema::Type::kNumber:
      return "number";
    case Schema::Type::kBoolean:
      return "boolean";
    case Schema::Type::kObject:
      return "object";
    case Schema::Type::kArray:
      return "array";
  }
  return "";
}

// 5.0 is an integer to JSON Schema; RapidJSON keeps it as a double.
bool is_whole(const rapidjson::Value& value) {
  return value.IsInt64() || value.IsUint64() ||
         (value.IsDouble() && std::floor(value.GetDouble()) == value.GetDouble());
}

bool has_type(Schema::Type type, const rapidjson::Value& value) {
  switch (type) {
    case Schema::Type::kAny:
      return true;
    case Schema::Type::kString:
      return value.IsString();
    case Schema::Type::kInteger:
      return value.IsNumber() && is_whole(value);
    case Schema::Type::kNumber:
      return value.IsNumber();
    case Schema::Type::kBoolean:
      return value.IsBool();
    case Schema::Type::kObject:
      return value.IsObject();
    case Schema::Type::kArray:
      return value.IsArray();
  }
  return false;
}

std::string plain(double number) {
  return std::floor(number) == number && std::fabs(number) < 1e15
             ? std::to_string(static_cast<std::int64_t>(number))
             : std::to_string(number);
}

void check_string(const Schema& schema, std::string_view text, const std::vector<std::string>& loc,
                  std::vector<FieldError>& errors) {
  const std::size_t length = characters(text);
  if (schema.length_min && length < *schema.length_min) {
    errors.push_back(
        {loc, "expected at least " + std::to_string(*schema.length_min) + " characters", "string_too_short"});
  }
  if (schema.length_max && length > *schema.length_max) {
    errors.push_back(
        {loc, "expected at most " + std::to_string(*schema.length_max) + " characters", "string_too_long"});
  }
  if (schema.format == "date" && !parse_date(text)) {
    errors.push_back({loc, "expected a calendar day as YYYY-MM-DD", "date_parsing"});
  }
  if (!schema.one_of_texts.empty() &&
      std::find(schema.one_of_texts.begin(), schema.one_of_texts.end(), text) == schema.one_of_texts.end()) {
    std::string known;
    for (const auto& choice : schema.one_of_texts) known += (known.empty() ? "'" : ", '") + choice + "'";
    errors.push_back({loc, "expected one of " + known, "enum"});
  }
}

void check_object(const Schema& schema, const rapidjson::Value& value, std::vector<std::string>& loc,
                  std::vector<FieldError>& errors) {
  for (const auto& property : schema.properties) {
    const auto member = value.FindMember(property.name.c_str());
    loc.push_back(property.name);
    if (member != value.MemberEnd()) {
      check_value(property.schema, member->value, loc, errors);
    } else if (property.required) {
      errors.push_back({loc, "required", "missing"});
    }
    loc.pop_back();
  }
  std::vector<std::string_view> seen;
  for (const auto& member : value.GetObject()) {
    const std::string_view name{member.name.GetString(), member.name.GetStringLength()};
    const bool known = std::any_of(schema.properties.begin(), schema.properties.end(),
                                   [name](const auto& property) { return property.name == name; });
    loc.emplace_back(name);
    if (!known && !schema.open) {
      errors.push_back({loc, "not a member of this object", "extra_forbidden"});
    } else if (known && std::find(seen.begin(), seen.end(), name) != seen.end()) {
      errors.push_back({loc, "given twice", "duplicate"});
    } else if (!known && !schema.others.empty()) {
      check_value(schema.others[0], member.value, loc, errors);
    }
    loc.pop_back();
    if (known) seen.push_back(name);
    if (errors.size() >= kFindingsMax) return;
  }
  if (!schema.exactly_one_of.empty()) {
    const auto present = std::count_if(schema.exactly_one_of.begin(), schema.exactly_one_of.end(),
                                       [&](const auto& name) { return value.HasMember(name.c_str()); });
    if (present != 1) {
      std::string names;
      for (const auto& name : schema.exactly_one_of) names += (names.empty() ? "'" : "' or '") + name;
      errors.push_back(
          {loc, "expected exactly one of " + names + "', found " + std::to_string(present), "one_of"});
    }
  }
}

}  // namespace

Schema Schema::with_name(std::string value) const {
  Schema copy = *this;
  copy.name = std::move(value);
  return copy;
}
Schema Schema::with_format(std::string value) const {
  Schema copy = *this;
  copy.format = std::move(value);
  return copy;
}
Schema Schema::with_example(std::string json) const {
  Schema copy = *this;
  copy.example_json = std::move(json);
  return copy;
}
Schema Schema::with_default(std::string json) const {
  Schema copy = *this;
  copy.default_json = std::move(json);
  return copy;
}
Schema Schema::or_null() const {
  Schema copy = *this;
  copy.nullable = true;
  return copy;
}
Schema Schema::with_range(double low, double high) const {
  Schema copy = *this;
  copy.minimum = low;
  copy.maximum = high;
  return copy;
}
Schema Schema::with_length(std::size_t low, std::size_t high) const {
  Schema copy = *this;
  copy.length_min = low;
  copy.length_max = high;
  return copy;
}

namespace {
Schema typed(Schema::Type type, std::string description) {
  Schema schema;
  schema.type = type;
  schema.description = std::move(description);
  return schema;
}
}  // namespace

Schema string_schema(std::string description) { return typed(Schema::Type::kString, std::move(description)); }
Schema date_schema(std::string description) {
  return string_schema(std::move(description)).with_format("date");
}
Schema integer_schema(std::string description) {
  return typed(Schema::Type::kInteger, std::move(description));
}
Schema number_schema(std::string description) { return typed(Schema::Type::kNumber, std::move(description)); }
Schema boolean_schema(std::string description) {
  return typed(Schema::Type::kBoolean, std::move(description));
}
Schema enum_schema(std::vector<std::string> texts, std::string description) {
  Schema schema = string_schema(std::move(description));
  schema.one_of_texts = std::move(texts);
  return schema;
}
Schema array_schema(Schema item, std::string description) {
  Schema schema = typed(Schema::Type::kArray, std::move(description));
  schema.items.push_back(std::move(item));
  return schema;
}
Schema object_schema(std::vector<Schema::Property> properties, std::string description) {
  Schema schema = typed(Schema::Type::kObject, std::move(description));
  schema.properties = std::move(properties);
  return schema;
}

Schema map_schema(Schema value, std::string description) {
  Schema schema = typed(Schema::Type::kObject, std::move(description));
  schema.open = true;
  schema.others.push_back(std::move(value));
  return schema;
}

void check_value(const Schema& schema, const rapidjson::Value& value, std::vector<std::string>& loc,
                 std::vector<FieldError>& errors) {
  if (errors.size() >= kFindingsMax) return;
  if (value.IsNull() && schema.nullable) return;
  if (!has_type(schema.type, value)) {
    errors.push_back({loc, "expected a JSON " + std::string(type_name(schema.type)),
                      std::string(type_name(schema.type)) + "_type"});
    return;
  }
  if (value.IsNumber()) {
    const double number = value.GetDouble();
    if (schema.minimum && number < *schema.minimum) {
      errors.push_back({loc, "expected at least " + plain(*schema.minimum), "greater_than_equal"});
    }
    if (schema.maximum && number > *schema.maximum) {
      errors.push_back({loc, "expected at most " + plain(*schema.maximum), "less_than_equal"});
    }
  }
  if (value.IsString() && schema.type == Schema::Type::kString) {
    check_string(schema, {value.GetString(), value.GetStringLength()}, loc, errors);
  }
  if (value.IsArray() && !schema.items.empty()) {
    if (schema.length_min && value.Size() < *schema.length_min) {
      errors.push_back(
          {loc, "expected at least " + std::to_string(*schema.length_min) + " items", "too_short"});
    }
    if (schema.length_max && value.Size() > *schema.length_max) {
      errors.push_back({loc,
                        "expected at most " + std::to_string(*schema.length_max) + " items, found " +
                            std::to_string(value.Size()),
                        "too_long"});
      return;
    }
    for (rapidjson::SizeType i = 0; i < value.Size() && errors.size() < kFindingsMax; ++i) {
      loc.push_back(std::to_string(i));
      check_value(schema.items[0], value[i], loc, errors);
      loc.pop_back();
    }
  }
  if (value.IsObject() && schema.type == Schema::Type::kObject) check_object(schema, value, loc, errors);
}

void write_schema(JsonWriter& out, const Schema& schema, bool expand) {
  out.begin_object();
  if (!schema.name.empty() && !expand) {
    out.field("$ref", "#/components/schemas/" + schema.name);
    out.end_object();
    return;
  }
  if (schema.type != Schema::Type::kAny) {
    out.key("type");
    if (schema.nullable) {
      out.begin_array();
      out.text(type_name(schema.type));
      out.text("null");
      out.end_array();
    } else {
      out.text(type_name(schema.type));
    }
  }
  if (!schema.description.empty()) out.field("description", schema.description);
  if (!schema.format.empty()) out.field("format", schema.format);
  if (!schema.pattern.empty()) out.field("pattern", schema.pattern);
  if (schema.minimum) out.key("minimum"), out.raw(plain(*schema.minimum));
  if (schema.maximum) out.key("maximum"), out.raw(plain(*schema.maximum));
  const bool array = schema.type == Schema::Type::kArray;
  if (schema.length_min)
    out.field(array ? "minItems" : "minLength", static_cast<std::int64_t>(*schema.length_min));
  if (schema.length_max)
    out.field(array ? "maxItems" : "maxLength", static_cast<std::int64_t>(*schema.length_max));
  if (!schema.one_of_texts.empty()) {
    out.key("enum");
    out.begin_array();
    for (const auto& text : schema.one_of_texts) out.text(text);
    out.end_array();
  }
  if (!schema.default_json.empty()) out.key("default"), out.raw(schema.default_json);
  if (!schema.example_json.empty()) {
    out.key("examples");
    out.begin_array();
    out.raw(schema.example_json);
    out.end_array();
  }
  if (!schema.items.empty()) out.key("items"), write_schema(out, schema.items[0]);
  if (schema.type == Schema::Type::kObject) {
    out.key("properties");
    out.begin_object();
    for (const auto& property : schema.properties) out.key(property.name), write_schema(out, property.schema);
    out.end_object();
    if (std::any_of(schema.properties.begin(), schema.properties.end(),
                    [](const auto& p) { return p.required; })) {
      out.key("required");
      out.begin_array();
      for (const auto& property : schema.properties) {
        if (property.required) out.text(property.name);
      }
      out.end_array();
    }
    if (schema.others.empty()) {
      out.field("additionalProperties", schema.open);
    } else {
      out.key("additionalProperties"), write_schema(out, schema.others[0]);
    }
    if (!schema.exactly_one_of.empty()) {
      out.key("oneOf");
      out.begin_array();
      for (const auto& name : schema.exactly_one_of) {
        out.begin_object();
        out.key("required");
        out.begin_array();
        out.text(name);
        out.end_array();
        out.end_object();
      }
      out.end_array();
    }
  }
  out.end_object();
}

void collect_named(const Schema& schema, std::vector<const Schema*>& named) {
  if (!schema.name.empty()) {
    for (const Schema* known : named) {
      if (known->name == schema.name) return;
    }
    named.push_back(&schema);
  }
  for (const auto& item : schema.items) collect_named(item, named);
  for (const auto& other : schema.others) collect_named(other, named);
  for (const auto& property : schema.properties) collect_named(property.schema, named);
}

}  // namespace tillcast::api
