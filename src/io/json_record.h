#pragma once

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

/// Records that the program keeps as JSON objects in files: written field by field, read back with every
/// doubt named. A record says its format, and most end with a checksum.
namespace tillcast::io {

using JsonOut = rapidjson::Writer<rapidjson::StringBuffer>;
using Json = rapidjson::Value;

void write_text(JsonOut& out, std::string_view name, std::string_view text);
void write_number(JsonOut& out, std::string_view name, std::int64_t number);
void write_flag(JsonOut& out, std::string_view name, bool flag);
/// Ends the object with the field "check", the XXH3 of everything before it, so that damage is seen even
/// where the JSON stays valid. @return the file's content.
std::string finish_checked(JsonOut& out, const rapidjson::StringBuffer& buffer);

/// What a record must have to be read at all.
struct JsonRules {
  int format_known = 1;                ///< a larger one is of a newer program: kInvalidInput
  const char* format_name = "format";  ///< the field that holds it
  bool checked = true;                 ///< written by finish_checked()
};

/// Reads fields and keeps the first fault (kCorruptData); getters return defaults after one.
class JsonIn {
 public:
  /// @param name  of the file, for messages
  JsonIn(std::string_view json, std::string_view name, const JsonRules& rules);

  const Json& root() const { return document_; }
  bool ok() const { return !error_; }
  Error take_error() { return std::move(*error_); }
  void fault(const std::string& what);

  std::string text(const Json& object, const char* name);
  std::int64_t number(const Json& object, const char* name);
  double decimal(const Json& value);
  double decimal(const Json& object, const char* name);
  bool flag(const Json& object, const char* name);
  /// nullopt when the member is missing, which is no fault.
  std::optional<std::string> optional_text(const Json& object, const char* name);
  std::optional<std::int64_t> optional_number(const Json& object, const char* name);
  /// nullptr, with a fault, when the member is missing or of another kind.
  const Json* array(const Json& object, const char* name);
  const Json* object(const Json& object, const char* name);
  /// The texts of a list.
  std::vector<std::string> texts(const Json& object, const char* name);

 private:
  const Json* field(const Json& object, const char* name);
  std::string name_;
  std::optional<Error> error_;
  rapidjson::Document document_;
};

}  // namespace tillcast::io
