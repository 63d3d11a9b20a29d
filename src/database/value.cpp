#include "database/value.h"

#include <charconv>
#include <cmath>

#include "core/decimal.h"

namespace tillcast::database {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out += quote;
}

std::string double_literal(double value) {
  if (std::isnan(value)) return "'nan'::DOUBLE";
  if (std::isinf(value)) return value > 0 ? "'inf'::DOUBLE" : "'-inf'::DOUBLE";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return "'" + std::string(text, end) + "'::DOUBLE";
}

struct Literal {
  std::string operator()(std::monostate) const { return "NULL"; }
  std::string operator()(const std::string& text) const { return sql_quote(text); }
  // Written as a cast of text: -9223372036854775808 is no literal of its own.
  std::string operator()(std::int64_t number) const { return "'" + std::to_string(number) + "'::BIGINT"; }
  std::string operator()(double number) const { return double_literal(number); }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(DecimalValue decimal) const {
    return "'" + format_decimal(decimal.units, decimal.scale) + "'::DECIMAL(18," +
           std::to_string(decimal.scale) + ")";
  }
  std::string operator()(Date date) const { return "DATE '" + format_date(date) + "'"; }
  std::string operator()(Timestamp timestamp) const {
    return "TIMESTAMPTZ '" + format_timestamp(timestamp) + "'";
  }
};

}  // namespace

std::string sql_literal(const Value& value) { return std::visit(Literal{}, value); }
std::string sql_quote(std::string_view text) { return quoted(text, '\''); }
std::string sql_identifier(std::string_view name) { return quoted(name, '"'); }

}  // namespace tillcast::database
