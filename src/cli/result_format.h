#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "database/query_result.h"

namespace tillcast::cli {

/// Formats a result can be printed in.
const std::vector<std::string>& result_formats();  // table, csv, json, jsonl, md

/// A query result as text. `table` draws a box no wider than `width` if it can, cutting long text, then the
/// names of columns, in the middle with "…", and no digits.
/// csv is RFC 4180 with a header; json is one array of objects, jsonl one object per line: numbers and
/// decimals as JSON numbers with all their digits, null as null.
Result<std::string> format_result(const database::QueryResult& result, const std::string& format, int width);

/// A small table of text for reports: first row is the header, numbers (columns named in `right`) to the
/// right.
std::string text_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right);

/// The same rows as one of row_formats(): csv, or json as one array of objects in which an empty cell is
/// null.
std::string format_rows(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& numbers,
                        const std::string& format);
const std::vector<std::string>& row_formats();  // table, csv, json

/// 541909 -> "541,909".
std::string with_thousands(std::int64_t number);
/// 0.0421 -> "0.04 s", 93 -> "1 min 33 s".
std::string format_seconds(double seconds);
std::string format_bytes(std::uint64_t bytes);

}  // namespace tillcast::cli
