#include "api/json_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/text.h"

namespace tillcast::api {
namespace {

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && text[at + count] >= '0' && text[at + count] <= '9') ++count;
  return count;
}

}  // namespace

bool is_json_number(std::string_view text) {
  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  const std::size_t whole = digits_at(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits_at(text, ++at);
    if (fraction == 0) return false;
    at += fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = digits_at(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

void JsonWriter::fail(std::string what) {
  if (broken_.empty()) broken_ = std::move(what);
  null();
}

void JsonWriter::text(std::string_view value) {
  if (comma_) out_.push_back(',');
  comma_ = true;
  out_.push_back('"');
  const auto plain = [](char c) {
    return c >= 0x20 && c != '"' && c != '\\';
  };  // char is signed: beyond ASCII is < 0
  if (std::all_of(value.begin(), value.end(), plain)) {
    out_.append(value);
  } else {
    const std::string repaired = is_valid_utf8(value) ? std::string() : repaired_utf8(value);
    for (const char c : repaired.empty() ? value : std::string_view(repaired)) {
      constexpr std::string_view kHex = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out_.push_back('\\');
        out_.push_back(c);
      } else if (byte < 0x20) {
        out_.append(byte < 0x10 ? "\\u000" : "\\u001");
        out_.push_back(kHex[byte & 15]);
      } else {
        out_.push_back(c);
      }
    }
  }
  out_.push_back('"');
}

void JsonWriter::integer(std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  literal({digits.data(), end});
}

void JsonWriter::date(Date value) {
  const CivilDate civil = civil_from_date(value);
  if (civil.year < 0 || civil.year > 9999) {
    text(format_date(value));
    return;
  }
  const auto digit = [](int number) { return static_cast<char>('0' + number % 10); };
  const std::array<char, 12> day = {'"',
                                    digit(civil.year / 1000),
                                    digit(civil.year / 100),
                                    digit(civil.year / 10),
                                    digit(civil.year),
                                    '-',
                                    digit(civil.month / 10),
                                    digit(civil.month),
                                    '-',
                                    digit(civil.day / 10),
                                    digit(civil.day),
                                    '"'};
  literal({day.data(), day.size()});
}

void JsonWriter::number(double value) {
  if (!std::isfinite(value)) {
    fail("a number that is not finite");
    return;
  }
  if (comma_) out_.push_back(',');
  comma_ = true;
  append_number(out_, value);
}

void JsonWriter::decimal(std::string_view digits) {
  if (!is_json_number(digits)) {
    fail("'" + std::string(digits) + "' where a decimal was expected");
    return;
  }
  literal(digits);
}

}  // namespace tillcast::api
