#include "sources/sheet_scanner.h"

#include <immintrin.h>

#include <cstring>

namespace tillcast::sources {
namespace {

using retail::CellFlag;

constexpr std::size_t kColumnsMax = 1 << 20;  // beyond any sheet; keeps "ZZZZZZ1" from overflowing

/// The first `c` in [at, end), or end. May read 31 bytes beyond.
const char* find_char(const char* at, const char* end, char c) {
  const __m256i wanted = _mm256_set1_epi8(c);
  for (; at < end; at += 32) {
    const __m256i chunk = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    const auto mask = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(chunk, wanted)));
    if (mask != 0) {
      const char* found = at + __builtin_ctz(mask);
      return found < end ? found : end;
    }
  }
  return end;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool ends_name(char c) { return c == '>' || c == '/' || is_space(c); }

/// One attribute; `at` stands on its first character. Returns the position behind it, or nullptr.
const char* read_attribute(const char* at, const char* end, std::string_view& name, std::string_view& value) {
  const char* const name_begin = at;
  while (at < end && *at != '=' && *at != '>' && !is_space(*at)) ++at;
  name = {name_begin, static_cast<std::size_t>(at - name_begin)};
  while (at < end && is_space(*at)) ++at;
  if (at >= end || *at != '=') return nullptr;
  ++at;
  while (at < end && is_space(*at)) ++at;
  if (at >= end || (*at != '"' && *at != '\'')) return nullptr;
  const char* const close = find_char(at + 1, end, *at);
  if (close >= end) return nullptr;
  value = {at + 1, static_cast<std::size_t>(close - at - 1)};
  return close + 1;
}

std::uint64_t read_number(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (!is_digit(c) || value > 1'000'000'000'000) break;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

/// Column index of a cell reference such as "AB12".
std::size_t read_column(std::string_view reference) {
  std::size_t column = 0;
  for (const char c : reference) {
    const char upper = static_cast<char>(c & ~0x20);
    if (upper < 'A' || upper > 'Z' || column > kColumnsMax) break;
    column = column * 26 + static_cast<std::size_t>(upper - 'A' + 1);
  }
  return column - 1;
}

}  // namespace

void SheetScanner::read_prefix(std::string_view start) {
  const std::size_t root = start.find("worksheet");
  if (root == std::string_view::npos) return;
  const std::size_t open = start.rfind('<', root);
  if (open == std::string_view::npos || root - open > 32) return;
  prefix_ = start.substr(open + 1, root - open - 1);
  if (!prefix_.empty() && prefix_.back() != ':') prefix_.clear();
  row_tag_ = "<" + prefix_ + "row";
}

std::size_t SheetScanner::whole_rows(std::string_view chunk) const {
  // Rows do not nest: whatever lies before the last one's start is complete, and all of it once the data
  // ends.
  std::size_t last = chunk.rfind(row_tag_);
  while (last != std::string_view::npos && last + row_tag_.size() < chunk.size() &&
         !ends_name(chunk[last + row_tag_.size()])) {
    last = last == 0 ? std::string_view::npos : chunk.rfind(row_tag_, last - 1);
  }
  const bool none = last == std::string_view::npos;
  const std::size_t from = none ? 0 : last;
  const std::string end_tag = "</" + prefix_ + "sheetData";
  const std::size_t end = chunk.find(end_tag, from);
  const bool data_ends = (end != std::string_view::npos && end + end_tag.size() < chunk.size()) ||
                         (none && chunk.find("<" + prefix_ + "sheetData/>") != std::string_view::npos);
  return data_ends ? chunk.size() : from;
}

bool SheetScanner::starts_element(const char* at, const char* end, std::string_view name) const {
  // `at` is on '<'.
  const std::size_t length = 1 + prefix_.size() + name.size();
  return static_cast<std::size_t>(end - at) > length &&
         std::memcmp(at + 1, prefix_.data(), prefix_.size()) == 0 &&
         std::memcmp(at + 1 + prefix_.size(), name.data(), name.size()) == 0 && ends_name(at[length]);
}

bool SheetScanner::ends_element(const char* at, const char* end, std::string_view name) const {
  return static_cast<std::size_t>(end - at) > 2 && at[1] == '/' && starts_element(at + 1, end, name);
}

Result<bool> SheetScanner::next_row(std::string_view chunk, std::size_t& at, const SheetTarget& target,
                                    std::size_t row_index, SheetRow& row) {
  const char* const end = chunk.data() + chunk.size();
  const char* p = chunk.data() + at;
  while (!finished_) {
    p = find_char(p, end, '<');
    if (p >= end) break;
    if (starts_element(p, end, "row")) {
      row = {};
      row.begin = p;
      p = scan_row(p + row_tag_.size(), end, target, row_index, row);
      if (p == nullptr) {
        return invalid_input("the sheet's XML cannot be read near row " + std::to_string(last_row_) +
                             (fault_.empty() ? "" : ": " + fault_));
      }
      row.end = p;
      at = static_cast<std::size_t>(p - chunk.data());
      return true;
    }
    if (ends_element(p, end, "sheetData")) {
      finished_ = true;
      break;
    }
    if (end - p >= 4 && std::memcmp(p, "<!--", 4) == 0) {
      const std::size_t close = chunk.find("-->", static_cast<std::size_t>(p - chunk.data()));
      p = close == std::string_view::npos ? end : chunk.data() + close + 3;
      continue;
    }
    const char* const close = find_char(p, end, '>');
    if (close < end && close[-1] == '/' && starts_element(p, end, "sheetData")) finished_ = true;
    p = close;
  }
  at = chunk.size();
  return false;
}

/// `at` is behind "<row". Returns the position behind the row's end, or nullptr.
const char* SheetScanner::scan_row(const char* at, const char* end, const SheetTarget& target,
                                   std::size_t row_index, SheetRow& row) {
  row.number = last_row_ + 1;
  for (;;) {
    while (at < end && is_space(*at)) ++at;
    if (at >= end) return nullptr;
    if (*at == '>') break;
    if (*at == '/') {
      last_row_ = row.number;
      return at + 1 < end && at[1] == '>' ? at + 2 : nullptr;
    }
    std::string_view name;
    std::string_view value;
    at = read_attribute(at, end, name, value);
    if (at == nullptr) return nullptr;
    if (name == "r") {
      const auto number = static_cast<std::int64_t>(read_number(value));
      if (number > last_row_) row.number = number;
    }
  }
  last_row_ = row.number;
  ++at;
  std::size_t column = 0;
  for (;;) {
    if (at < end && *at != '<') at = find_char(at, end, '<');
    if (at >= end) return nullptr;
    if (starts_element(at, end, "c")) {
      at = scan_cell(at + 2 + prefix_.size(), end, target, row_index, column, row);
      if (at == nullptr) return nullptr;
      ++column;
    } else if (ends_element(at, end, "row")) {
      const char* const close = find_char(at, end, '>');
      return close < end ? close + 1 : nullptr;
    } else {
      at = find_char(at, end, '>');
    }
  }
}

/// `at` is behind "<c". `column` is the expected place and becomes the cell's. Returns the position behind
/// the cell.
const char* SheetScanner::scan_cell(const char* at, const char* end, const SheetTarget& target,
                                    std::size_t row_index, std::size_t& column, SheetRow& row) {
  std::size_t style = 0;
  std::string_view type;
  for (;;) {
    // The usual form, ` r="A2" s="1" t="s"`, without a general attribute parser.
    if (*at == ' ' && at[2] == '=' && at[3] == '"') {
      const char name = at[1];
      at += 4;
      if (name == 'r') {
        if (at[0] >= 'A' && at[0] <= 'Z' && is_digit(at[1])) {
          column = static_cast<std::size_t>(at[0] - 'A');
          at += 2;
          while (is_digit(*at)) ++at;
        } else {
          column = read_column({at, static_cast<std::size_t>(end > at ? end - at : 0)});
          at = find_char(at, end, '"');
        }
      } else if (name == 's') {
        style = 0;
        while (is_digit(*at) && style < 1'000'000) style = style * 10 + static_cast<std::size_t>(*at++ - '0');
      } else {
        const char* const close = find_char(at, end, '"');
        if (name == 't') type = {at, static_cast<std::size_t>(close - at)};
        at = close;
      }
      if (at >= end || *at != '"') return nullptr;
      ++at;
      continue;
    }
    if (at >= end) return nullptr;
    if (*at == '>') break;
    if (*at == '/') return at + 1 < end && at[1] == '>' ? at + 2 : nullptr;
    if (!is_space(*at)) return nullptr;
    while (at < end && is_space(*at)) ++at;
    if (at < end && *at != '>' && *at != '/') {
      std::string_view name;
      std::string_view value;
      at = read_attribute(at, end, name, value);
      if (at == nullptr) return nullptr;
      if (name == "r") column = read_column(value);
      if (name == "s") style = static_cast<std::size_t>(read_number(value));
      if (name == "t") type = value;
    }
  }
  ++at;
  if (column > kColumnsMax) return nullptr;

  std::string_view value;
  bool inline_string = false;
  if (prefix_.empty() && std::memcmp(at, "<v>", 3) == 0) {
    const char* const close = find_char(at + 3, end, '<');
    if (end - close < 8) return nullptr;
    value = {at + 3, static_cast<std::size_t>(close - at - 3)};
    at = std::memcmp(close, "</v></c>", 8) == 0
             ? close + 8
             : scan_content(close, end, value, inline_string, *target.arena);
  } else {
    at = scan_content(at, end, value, inline_string, *target.arena);
  }
  if (at == nullptr) return nullptr;

  CellFlag flag = CellFlag::kPlain;
  if (type.empty() || type == "n") {
    if (style < date_styles_.size() && date_styles_[style] != 0) flag = date_flag_;
  } else if (type == "s") {
    const std::uint64_t index = read_number(value);
    if (value.empty()) return at;
    if (!is_digit(value[0]) || index >= strings_->size()) {
      fault_ = "shared text " + std::string(value.substr(0, 20)) + " does not exist";
      return nullptr;
    }
    value = (*strings_)[index];
  } else if (type == "b") {
    value = value == "1" ? "TRUE" : value == "0" ? "FALSE" : value;
  } else if (type == "e") {
    flag = CellFlag::kError;
  } else if (!inline_string) {
    value = decode_xml_text(value, *target.arena);  // str, d
  }
  if (value.empty()) return at;
  if (column >= target.columns.size()) {
    if (row.beyond == 0) row.beyond = column;
    return at;
  }
  row.has_value = true;
  target.columns[column][row_index] = value;
  if (flag != CellFlag::kPlain && target.flags != nullptr) {
    auto& flags = (*target.flags)[column];
    if (flags.empty()) flags.resize(target.rows_max);
    flags[row_index] = flag;
  }
  return at;
}

/// The elements of a cell up to and with its end tag. `at` may stand behind a value, on its end tag.
const char* SheetScanner::scan_content(const char* at, const char* end, std::string_view& value,
                                       bool& inline_string, TextArena& arena) {
  for (;;) {
    at = find_char(at, end, '<');
    if (at >= end) return nullptr;
    const char* const tag_end = find_char(at, end, '>');
    if (tag_end >= end) return nullptr;
    if (ends_element(at, end, "c")) return tag_end + 1;
    const bool empty_element = tag_end[-1] == '/';
    const std::size_t left = static_cast<std::size_t>(end - tag_end - 1);
    const std::string_view rest(tag_end + 1, left);
    if (starts_element(at, end, "v") && !empty_element) {
      const std::size_t close = rest.find("</" + prefix_ + "v");
      if (close == std::string_view::npos) return nullptr;
      value = rest.substr(0, close);
      at = rest.data() + close;
    } else if (starts_element(at, end, "is") && !empty_element) {
      const std::size_t close = rest.find("</" + prefix_ + "is");
      if (close == std::string_view::npos) return nullptr;
      value = rich_text(rest.substr(0, close), prefix_, arena);
      inline_string = true;
      at = rest.data() + close;
    } else if (starts_element(at, end, "f") && !empty_element) {
      const std::size_t close = rest.find("</" + prefix_ + "f");
      if (close == std::string_view::npos) return nullptr;
      at = rest.data() + close + 1;
    } else {
      at = tag_end;
    }
    if (at < end && *at == '<') {
      at = find_char(at, end, '>');
    }
  }
}

}  // namespace tillcast::sources
