#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace tillcast {

// Text as ASCII, whatever the locale; bytes of UTF-8 beyond ASCII pass unchanged.

constexpr bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

/// Blank, tab, line feed, vertical tab, form feed, carriage return: `isspace` of the C locale.
constexpr bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

constexpr std::string ascii_lower(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) c = ascii_lower(c);
  return folded;
}

/// `items` in their order with `separator` between them.
template <class Items>
constexpr std::string join(const Items& items, std::string_view separator) {
  std::string text;
  bool first = true;
  for (const auto& item : items) {
    if (!first) text += separator;
    text += item;
    first = false;
  }
  return text;
}

/// Length of the well-formed UTF-8 sequence (RFC 3629) that begins at `at`, 0 when there is none.
std::size_t utf8_length(std::string_view text, std::size_t at);
bool is_valid_utf8(std::string_view text);
/// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string repaired_utf8(std::string_view text);

/// How many characters (code points) well-formed UTF-8 has.
std::size_t characters(std::string_view utf8);

/// Without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);

/// Adds one cell of csv (RFC 4180): in quotes where it has to be.
void append_csv_cell(std::string& out, std::string_view text);

/// Adds the shortest text that reads back as exactly `value`.
void append_number(std::string& out, double value);

/// As printf's %.*f: `digits` after the point, rounded.
inline std::string fixed(double value, int digits) {
  std::array<char, 352> text{};  // the largest double has 309 digits before the point
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

/// FNV-1a of 64 bits (Fowler, Noll & Vo 1991): finds damage and names content, guards against nobody.
constexpr std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

}  // namespace tillcast
