#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/civil_time.h"

namespace tillcast::api {

/// True for exactly one number of the JSON grammar (RFC 8259 §6): "-12.50", "0", "1e3"; not "+1", "01", "1.",
/// "NaN".
bool is_json_number(std::string_view text);

/// Writes one JSON text, and refuses what JSON cannot say: a NaN or a malformed decimal sets `broken()`
/// instead of producing an invalid document; bytes that are no UTF-8 become U+FFFD (RFC 8259 §8.1). Appends
/// by hand: RapidJSON's writer, which checks every character of every key, took a third of the time of a
/// forecast answer. Not thread-safe.
class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  /// A member's name from our own code: plain letters that need no escape. Other names: text_key().
  void key(std::string_view name) {
    if (comma_) out_.push_back(',');
    out_.push_back('"');
    out_.append(name);
    out_.append("\":");
    comma_ = false;
  }
  void text_key(std::string_view name) {
    text(name);
    out_.push_back(':');
    comma_ = false;
  }

  void text(std::string_view value);
  void integer(std::int64_t value);
  void boolean(bool value) { literal(value ? "true" : "false"); }
  void null() { literal("null"); }
  void date(Date value);
  /// The shortest text that reads back as the same double.
  void number(double value);
  /// An exact decimal given as text, written digit for digit as a JSON number ("1325346.20" keeps its zero).
  void decimal(std::string_view digits);
  /// JSON made elsewhere, trusted to be well-formed.
  void raw(std::string_view json) { literal(json); }

  void field(std::string_view name, std::string_view value) { key(name), text(value); }
  void field(std::string_view name, const char* value) { key(name), text(value); }
  void field(std::string_view name, std::int64_t value) { key(name), integer(value); }
  void field(std::string_view name, int value) { key(name), integer(value); }
  void field(std::string_view name, double value) { key(name), number(value); }
  void field(std::string_view name, bool value) { key(name), boolean(value); }
  void field(std::string_view name, Date value) { key(name), date(value); }
  /// Null where the text is empty.
  void field_or_null(std::string_view name, std::string_view value) {
    key(name);
    value.empty() ? null() : text(value);
  }
  void decimal_field(std::string_view name, std::string_view value) { key(name), decimal(value); }
  void number_or_null(std::string_view name, std::optional<double> value) {
    key(name);
    value ? number(*value) : null();
  }
  void integer_or_null(std::string_view name, std::optional<std::int64_t> value) {
    key(name);
    value ? integer(*value) : null();
  }

  /// Empty, or what could not be written; the text is then not to be sent.
  const std::string& broken() const { return broken_; }
  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  /// The text; the writer is empty afterwards.
  std::string take() { return std::move(out_); }

 private:
  void open(char bracket) {
    if (comma_) out_.push_back(',');
    out_.push_back(bracket);
    comma_ = false;
  }
  void close(char bracket) {
    out_.push_back(bracket);
    comma_ = true;
  }
  void literal(std::string_view json) {
    if (comma_) out_.push_back(',');
    out_.append(json);
    comma_ = true;
  }
  void fail(std::string what);

  std::string out_;
  bool comma_ = false;  // the next value or key follows another
  std::string broken_;
};

}  // namespace tillcast::api
