#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/civil_time.h"

namespace tillcast::api {

/// True for exactly one number of the JSON grammar (RFC 8259 §6): "-12.50", "0", "1e3"; not "+1", "01", "1.",
/// "NaN".
bool is_json_number(std::string_view text);

/// `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD. JSON must be UTF-8 (RFC 8259
/// §8.1).
std::string repaired_utf8(std::string_view text);
bool is_valid_utf8(std::string_view text);

/// Writes one JSON text. A thin face of RapidJSON's writer that knows our types and refuses what JSON cannot
/// say: a NaN or a malformed decimal sets `broken()` instead of producing an invalid document. Not
/// thread-safe.
class JsonWriter {
 public:
  void begin_object() { writer_.StartObject(); }
  void end_object() { writer_.EndObject(); }
  void begin_array() { writer_.StartArray(); }
  void end_array() { writer_.EndArray(); }
  void key(std::string_view name) { writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }

  void text(std::string_view value) {
    if (is_valid_utf8(value)) {
      writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    } else {
      const std::string repaired = repaired_utf8(value);
      writer_.String(repaired.data(), static_cast<rapidjson::SizeType>(repaired.size()));
    }
  }
  void integer(std::int64_t value) { writer_.Int64(value); }
  void boolean(bool value) { writer_.Bool(value); }
  void null() { writer_.Null(); }
  void date(Date value) {
    const std::string day = format_date(value);
    writer_.String(day.data(), static_cast<rapidjson::SizeType>(day.size()));
  }
  /// The shortest text that reads back as the same double.
  void number(double value) {
    if (!std::isfinite(value)) {
      fail("a number that is not finite");
      return;
    }
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    writer_.RawValue(digits, static_cast<std::size_t>(end - digits), rapidjson::kNumberType);
  }
  /// An exact decimal given as text, written digit for digit as a JSON number ("1325346.20" keeps its zero).
  void decimal(std::string_view digits) {
    if (!is_json_number(digits)) {
      fail("'" + std::string(digits) + "' where a decimal was expected");
      return;
    }
    writer_.RawValue(digits.data(), digits.size(), rapidjson::kNumberType);
  }
  /// JSON made elsewhere, trusted to be well-formed.
  void raw(std::string_view json) { writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType); }

  void field(std::string_view name, std::string_view value) { key(name), text(value); }
  void field(std::string_view name, const char* value) { key(name), text(value); }
  void field(std::string_view name, std::int64_t value) { key(name), integer(value); }
  void field(std::string_view name, int value) { key(name), integer(value); }
  void field(std::string_view name, double value) { key(name), number(value); }
  void field(std::string_view name, bool value) { key(name), boolean(value); }
  void field(std::string_view name, Date value) { key(name), date(value); }
  void decimal_field(std::string_view name, std::string_view value) { key(name), decimal(value); }

  /// Empty, or what could not be written; the text is then not to be sent.
  const std::string& broken() const { return broken_; }
  std::string take() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  void fail(std::string what) {
    if (broken_.empty()) broken_ = std::move(what);
    writer_.Null();
  }
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
  std::string broken_;
};

}  // namespace tillcast::api
