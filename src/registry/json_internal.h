#pragma once

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tillcast::registry {

using JsonOut = rapidjson::Writer<rapidjson::StringBuffer>;
using Json = rapidjson::Value;

void write_text(JsonOut& out, std::string_view name, std::string_view text);
void write_number(JsonOut& out, std::string_view name, std::int64_t number);
/// Ends the object with the field "check", the XXH3 of everything before it, so that damage is seen even
/// where the JSON stays valid. @return the file's content.
std::string finish_checked(JsonOut& out, const rapidjson::StringBuffer& buffer);

/// Reads fields and keeps the first fault; getters return defaults after one.
class JsonIn {
 public:
  /// Parses a file that finish_checked() wrote.
  JsonIn(std::string_view json, std::string_view name, int format_known);

  const Json& root() const { return document_; }
  bool ok() const { return !error_; }
  Error take_error() { return std::move(*error_); }
  void fault(const std::string& what);

  std::string text(const Json& object, const char* name);
  std::int64_t number(const Json& object, const char* name);
  double decimal(const Json& value);
  bool flag(const Json& object, const char* name);
  /// nullptr, with a fault, when the member is missing or of another kind.
  const Json* array(const Json& object, const char* name);
  const Json* object(const Json& object, const char* name);

 private:
  const Json* field(const Json& object, const char* name);
  std::string name_;
  std::optional<Error> error_;
  rapidjson::Document document_;
};

}  // namespace tillcast::registry
