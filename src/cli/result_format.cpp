#include "cli/result_format.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>

#include "core/text.h"

namespace tillcast::cli {
namespace {

// Control characters would break the table's lines.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

// Cut in the middle: names often differ at their end alone.
std::string cut_to(const std::string& text, std::size_t width) {
  const std::size_t length = characters(text);
  if (length <= width) return text;
  const std::size_t tail = (width - 1) / 2;
  const std::size_t head = width - 1 - tail;
  std::string kept;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++column) {
    std::size_t next = i + 1;
    while (next < text.size() && (text[next] & 0xC0) == 0x80) ++next;
    if (column == head) kept += "…";
    if (column < head || column >= length - tail) kept.append(text, i, next - i);
    i = next;
  }
  return kept;
}

bool is_number(const database::ResultColumn& column) {
  const std::string_view type = column.sql_type;
  for (const std::string_view name : {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
                                      "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE"}) {
    if (type == name) return true;
  }
  return type.starts_with("DECIMAL(") && !type.ends_with("]");
}

std::string box(const database::QueryResult& result, int width) {
  const std::size_t columns = result.columns.size();
  if (columns == 0) return "";
  std::vector<std::size_t> widths(columns);
  std::vector<std::size_t> least(columns, 8);  // digits are never cut
  std::vector<std::vector<std::string>> cells(result.rows(), std::vector<std::string>(columns));
  for (std::size_t c = 0; c < columns; ++c) {
    widths[c] = characters(result.columns[c].name);
    for (std::size_t r = 0; r < result.rows(); ++r) {
      cells[r][c] = result.is_null(r, c) ? "NULL" : one_line(result.text(r, c));
      widths[c] = std::max(widths[c], characters(cells[r][c]));
      if (is_number(result.columns[c])) least[c] = std::max(least[c], characters(cells[r][c]));
    }
  }
  // The widest text gives way until the table fits; then the names of columns do.
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.end(), std::size_t{1}) + 3 * columns;
  };
  for (const bool names : {false, true}) {
    while (total() > static_cast<std::size_t>(width)) {
      std::size_t widest = columns;
      for (std::size_t c = 0; c < columns; ++c) {
        const std::size_t floor = names ? least[c] : std::max(least[c], characters(result.columns[c].name));
        if (widths[c] > floor && (widest == columns || widths[c] > widths[widest])) widest = c;
      }
      if (widest == columns) break;
      --widths[widest];
    }
  }
  const auto rule = [&](const char* left, const char* middle, const char* right) {
    std::string line = left;
    for (std::size_t c = 0; c < columns; ++c) {
      for (std::size_t i = 0; i < widths[c] + 2; ++i) line += "─";
      line += c + 1 == columns ? right : middle;
    }
    return line + "\n";
  };
  const auto put = [](std::string& line, const std::string& cell, std::size_t cell_width, bool to_right) {
    const std::string shown = cut_to(cell, cell_width);
    const std::string padding(cell_width - characters(shown), ' ');
    line += " " + (to_right ? padding + shown : shown + padding) + " │";
  };
  std::string text = rule("┌", "┬", "┐");
  std::string line = "│";
  for (std::size_t c = 0; c < columns; ++c)
    put(line, result.columns[c].name, widths[c], is_number(result.columns[c]));
  text += line + "\n" + rule("├", "┼", "┤");
  for (const auto& row : cells) {
    line = "│";
    for (std::size_t c = 0; c < columns; ++c) put(line, row[c], widths[c], is_number(result.columns[c]));
    text += line + "\n";
  }
  text += rule("└", "┴", "┘");
  text += with_thousands(static_cast<std::int64_t>(result.rows())) + (result.rows() == 1 ? " row" : " rows");
  return text + "\n";
}

std::string csv(const database::QueryResult& result) {
  std::string text;
  for (std::size_t c = 0; c < result.columns.size(); ++c) {
    if (c > 0) text += ",";
    append_csv_cell(text, result.columns[c].name);
  }
  text += "\n";
  for (std::size_t r = 0; r < result.rows(); ++r) {
    for (std::size_t c = 0; c < result.columns.size(); ++c) {
      if (c > 0) text += ",";
      if (!result.is_null(r, c)) append_csv_cell(text, result.text(r, c));
    }
    text += "\n";
  }
  return text;
}

std::string json(const database::QueryResult& result, bool lines) {
  rapidjson::StringBuffer buffer;
  std::string text = lines ? "" : "[";
  for (std::size_t r = 0; r < result.rows(); ++r) {
    buffer.Clear();
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    writer.StartObject();
    for (std::size_t c = 0; c < result.columns.size(); ++c) {
      writer.Key(result.columns[c].name.c_str());
      const std::string value = result.is_null(r, c) ? "" : result.text(r, c);
      if (result.is_null(r, c)) {
        writer.Null();
      } else if (result.columns[c].sql_type == "BOOLEAN") {
        writer.Bool(value == "true");
      } else if (is_number(result.columns[c]) &&
                 value.find_first_of("ni") == std::string::npos) {  // not nan, inf
        writer.RawValue(value.c_str(), value.size(), rapidjson::kNumberType);
      } else {
        writer.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
      }
    }
    writer.EndObject();
    if (!lines) text += r == 0 ? "\n " : ",\n ";
    text.append(buffer.GetString(), buffer.GetSize());
    if (lines) text += "\n";
  }
  return lines ? text : text + (result.rows() == 0 ? "]\n" : "\n]\n");
}

std::string markdown(const database::QueryResult& result) {
  std::string text = "|";
  std::string rule = "|";
  for (const auto& column : result.columns) {
    text += " " + column.name + " |";
    rule += is_number(column) ? " ---: |" : " --- |";
  }
  text += "\n" + rule + "\n";
  for (std::size_t r = 0; r < result.rows(); ++r) {
    text += "|";
    for (std::size_t c = 0; c < result.columns.size(); ++c) {
      std::string cell = result.is_null(r, c) ? "" : one_line(result.text(r, c));
      for (std::size_t at = 0; (at = cell.find('|', at)) != std::string::npos; at += 2) cell.insert(at, "\\");
      text += " " + cell + " |";
    }
    text += "\n";
  }
  return text;
}

}  // namespace

const std::vector<std::string>& result_formats() {
  static const std::vector<std::string> kFormats = {"table", "csv", "json", "jsonl", "md"};
  return kFormats;
}

Result<std::string> format_result(const database::QueryResult& result, const std::string& format, int width) {
  if (format == "table") return box(result, width);
  if (format == "csv") return csv(result);
  if (format == "json") return json(result, false);
  if (format == "jsonl") return json(result, true);
  if (format == "md") return markdown(result);
  return invalid_input("--format must be one of table, csv, json, jsonl, md; found '" + format + "'");
}

std::string text_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right) {
  std::vector<std::size_t> widths(right.size());
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], characters(row[c]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - characters(row[c]), ' ');
      if (c > 0) line += "  ";
      line += right[c] ? padding + row[c] : row[c] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

const std::vector<std::string>& row_formats() {
  static const std::vector<std::string> kFormats = {"table", "csv", "json"};
  return kFormats;
}

std::string format_rows(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& numbers,
                        const std::string& format) {
  if (format == "table") return text_table(rows, numbers);
  std::string text;
  if (format == "csv") {
    for (const auto& row : rows) {
      for (std::size_t c = 0; c < row.size(); ++c) {
        if (c > 0) text += ",";
        append_csv_cell(text, row[c]);
      }
      text += "\n";
    }
    return text;
  }
  rapidjson::StringBuffer buffer;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    buffer.Clear();
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    writer.StartObject();
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      const std::string& value = rows[r][c];
      writer.Key(rows[0][c].c_str());
      if (value.empty()) {
        writer.Null();
      } else if (numbers[c]) {
        writer.RawValue(value.c_str(), value.size(), rapidjson::kNumberType);
      } else {
        writer.String(value.c_str(), static_cast<rapidjson::SizeType>(value.size()));
      }
    }
    writer.EndObject();
    text += (r == 1 ? "[\n " : ",\n ") + std::string(buffer.GetString(), buffer.GetSize());
  }
  return rows.size() > 1 ? text + "\n]\n" : "[]\n";
}

std::string with_thousands(std::int64_t number) {
  std::string digits = std::to_string(number < 0 ? -number : number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return number < 0 ? "-" + digits : digits;
}

std::string format_seconds(double seconds) {
  std::array<char, 48> text{};
  if (seconds < 10) {
    std::snprintf(text.data(), text.size(), "%.2f s", seconds);
  } else if (seconds < 90) {
    std::snprintf(text.data(), text.size(), "%.0f s", seconds);
  } else {
    const auto whole = std::lround(seconds);
    std::snprintf(text.data(), text.size(), "%ld min %02ld s", whole / 60, whole % 60);
  }
  return text.data();
}

std::string format_bytes(std::uint64_t bytes) {
  std::array<char, 32> text{};
  const auto value = static_cast<double>(bytes);
  if (bytes < 1024) {
    std::snprintf(text.data(), text.size(), "%llu B", static_cast<unsigned long long>(bytes));
  } else if (bytes < (1U << 20)) {
    std::snprintf(text.data(), text.size(), "%.1f KB", value / 1024);
  } else if (bytes < (1ULL << 30)) {
    std::snprintf(text.data(), text.size(), "%.1f MB", value / (1 << 20));
  } else {
    std::snprintf(text.data(), text.size(), "%.2f GB", value / (1 << 30));
  }
  return text.data();
}

}  // namespace tillcast::cli
