#pragma once

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace tillcast::bench {

/// A whole file, empty when it cannot be read.
inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

inline std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

/// A field as a number, -1 when it holds none.
template <class T>
T number(std::string_view text) {
  T value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Calls take(fields) for each line after the first until it returns false; fields may hold commas in quotes,
/// which are taken off, but no line ends.
/// @return false when the first column has another name or `take` returned false
template <class Take>
bool each_line(std::string_view text, std::string_view first_column, const Take& take) {
  if (unquoted(text.substr(0, text.find(','))) != first_column) return false;
  std::vector<std::string_view> fields;
  std::size_t at = text.find('\n');
  while (at != std::string_view::npos && at + 1 < text.size()) {
    const std::size_t end = std::min(text.find('\n', at + 1), text.size());
    std::string_view line = text.substr(at + 1, end - at - 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    fields.clear();
    std::size_t begin = 0;
    bool quoted = false;
    for (std::size_t i = 0; i <= line.size(); ++i) {
      if (i < line.size() && line[i] == '"') quoted = !quoted;
      if (i < line.size() && (quoted || line[i] != ',')) continue;
      fields.push_back(unquoted(line.substr(begin, i - begin)));
      begin = i + 1;
    }
    if (!take(fields)) return false;
    at = end;
  }
  return true;
}

}  // namespace tillcast::bench
