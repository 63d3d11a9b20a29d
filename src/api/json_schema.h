#pragma once

#include <rapidjson/fwd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tillcast::api {

class JsonWriter;

/// One finding about a request, in the shape FastAPI users know: where, what, which kind.
struct FieldError {
  std::vector<std::string> loc;  ///< {"query", "limit"}, {"body", "series", "3", "series_id"}
  std::string msg;               ///< what was expected and found
  std::string type;              ///< machine-readable: missing, int_parsing, less_than_equal, ...
};

/// The part of JSON Schema 2020-12 that our requests and answers need. One value serves the check of
/// requests, the check of answers in tests, and the OpenAPI document. A value type: copy and change it
/// freely.
struct Schema {
  enum class Type : std::uint8_t { kAny, kString, kInteger, kNumber, kBoolean, kObject, kArray };
  struct Property;

  Type type = Type::kAny;
  std::string name;  ///< set: goes to components/schemas and is referred to by $ref
  std::string description;
  std::string format;   ///< "date" is checked, others are documentation
  std::string pattern;  ///< documentation only: express what must hold by other means too
  std::string example_json;
  std::string default_json;
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::optional<std::size_t> length_min;  ///< characters of a string, items of an array
  std::optional<std::size_t> length_max;
  std::vector<std::string> one_of_texts;  ///< enum of strings
  bool nullable = false;
  bool open = false;  ///< objects: members beyond `properties` are allowed
  std::vector<Property> properties;
  std::vector<std::string> exactly_one_of;  ///< exactly one of these members must be there
  std::vector<Schema> items;                ///< arrays: the one schema of every item
  std::vector<Schema> others;               ///< open objects: the one schema of further members; none = any

  Schema with_name(std::string value) const;
  Schema with_format(std::string value) const;
  Schema with_example(std::string json) const;
  Schema with_default(std::string json) const;
  Schema with_range(double low, double high) const;
  Schema with_length(std::size_t low, std::size_t high) const;
  Schema or_null() const;
};

struct Schema::Property {
  std::string name;
  Schema schema;
  bool required = true;
};

Schema string_schema(std::string description);
Schema date_schema(std::string description);
Schema integer_schema(std::string description);
Schema number_schema(std::string description);
Schema boolean_schema(std::string description);
Schema enum_schema(std::vector<std::string> texts, std::string description);
Schema array_schema(Schema item, std::string description);
/// All listed members are required unless they say otherwise; others are refused.
Schema object_schema(std::vector<Schema::Property> properties, std::string description);

/// An object of members that we do not name, all of one schema.
Schema map_schema(Schema value, std::string description);

/// Appends what is wrong with `value`, each with `loc` in front. Stops after 20 findings. Pure.
void check_value(const Schema& schema, const rapidjson::Value& value, std::vector<std::string>& loc,
                 std::vector<FieldError>& errors);

/// Writes the schema as JSON Schema; named ones inside become references. `expand` writes the outermost in
/// full.
void write_schema(JsonWriter& out, const Schema& schema, bool expand = false);

/// Appends every named schema inside `schema`, itself included, once per name.
void collect_named(const Schema& schema, std::vector<const Schema*>& named);

}  // namespace tillcast::api
