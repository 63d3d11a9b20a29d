#include "database/query_result.h"

#include <charconv>
#include <cmath>

#include "core/decimal.h"
#include "database/duck_internal.h"

namespace tillcast::database {
namespace {

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::string QueryResult::text(std::size_t row, std::size_t column) const {
  const Column& from = batch.columns[column];
  if (from.is_null(row)) return {};
  switch (from.spec.type) {
    case ColumnType::kText:
      return std::string(from.text[row]);
    case ColumnType::kBool:
      return from.ints[row] != 0 ? "true" : "false";
    case ColumnType::kInt32:
    case ColumnType::kInt64:
      return std::to_string(from.ints[row]);
    case ColumnType::kDecimal3:
      return format_decimal(from.ints[row], 3);
    case ColumnType::kDecimal4:
      return format_decimal(from.ints[row], 4);
    case ColumnType::kDouble:
      if (columns[column].sql_type == "FLOAT") {
        return text_of(ValueHandle(duckdb_create_float(static_cast<float>(from.doubles[row]))).get());
      }
      return text_of(ValueHandle(duckdb_create_double(from.doubles[row])).get());
    case ColumnType::kDate:
      return text_of(ValueHandle(duckdb_create_date({static_cast<std::int32_t>(from.ints[row])})).get());
    case ColumnType::kTimestamp:
      if (columns[column].sql_type == "TIMESTAMP") {
        return text_of(ValueHandle(duckdb_create_timestamp({from.ints[row]})).get());
      }
      return text_of(ValueHandle(duckdb_create_timestamp_tz({from.ints[row]})).get());
  }
  return {};
}

std::optional<std::int64_t> QueryResult::integer(std::size_t row, std::size_t column) const {
  const Column& from = batch.columns[column];
  if (from.is_null(row)) return std::nullopt;
  switch (from.spec.type) {
    case ColumnType::kBool:
    case ColumnType::kInt32:
    case ColumnType::kInt64:
      return from.ints[row];
    case ColumnType::kText:
      return whole_number<std::int64_t>(from.text[row]);
    default:
      return std::nullopt;
  }
}

std::optional<Date> QueryResult::date(std::size_t row, std::size_t column) const {
  const Column& values = batch.columns[column];
  if (values.spec.type != ColumnType::kDate || values.is_null(row)) return std::nullopt;
  return Date{static_cast<std::int32_t>(values.ints[row])};
}

std::optional<double> QueryResult::number(std::size_t row, std::size_t column) const {
  const Column& from = batch.columns[column];
  if (from.is_null(row)) return std::nullopt;
  switch (from.spec.type) {
    case ColumnType::kDouble:
      return from.doubles[row];
    case ColumnType::kDecimal3:
      return static_cast<double>(from.ints[row]) / 1e3;
    case ColumnType::kDecimal4:
      return static_cast<double>(from.ints[row]) / 1e4;
    case ColumnType::kText:
      return whole_number<double>(from.text[row]);
    default:
      break;
  }
  const auto whole = integer(row, column);
  if (!whole) return std::nullopt;
  return static_cast<double>(*whole);
}

std::optional<std::int64_t> QueryResult::decimal(std::size_t row, std::size_t column, int scale) const {
  const Column& from = batch.columns[column];
  if (from.is_null(row) || from.spec.type == ColumnType::kDate || from.spec.type == ColumnType::kTimestamp)
    return std::nullopt;
  if (from.spec.type == ColumnType::kBool) return std::nullopt;
  return parse_decimal(text(row, column), scale);
}

}  // namespace tillcast::database
