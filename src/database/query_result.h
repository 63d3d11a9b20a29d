#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/column_batch.h"

namespace tillcast::database {

struct ResultColumn {
  std::string name;
  std::string sql_type;  ///< as DuckDB writes it: "DECIMAL(38,4)", "BIGINT[]"
};

/// Rows of one result, or of one piece of a streamed result.
///
/// `batch` holds the values: small integers and INTEGER as kInt32, BIGINT and UINTEGER as kInt64, FLOAT and
/// DOUBLE as kDouble, TIMESTAMP and TIMESTAMPTZ as kTimestamp, DECIMAL(w<=18, 3 or 4) as decimals, BOOLEAN,
/// DATE, VARCHAR as themselves. Every other type (HUGEINT, DECIMAL(38,s), TIME, lists, ...) is kText with
/// DuckDB's own text.
struct QueryResult {
  std::vector<ResultColumn> columns;
  ColumnBatch batch;
  std::int64_t rows_changed = 0;  ///< by INSERT, UPDATE, DELETE, COPY
  bool truncated = false;         ///< a row limit cut the result

  std::size_t rows() const { return batch.rows; }
  bool is_null(std::size_t row, std::size_t column) const { return batch.columns[column].is_null(row); }
  /// The value as DuckDB casts it to VARCHAR; "" for null.
  std::string text(std::size_t row, std::size_t column) const;
  /// Any integer or boolean column, or text that holds an integer; nullopt for null or anything else.
  std::optional<std::int64_t> integer(std::size_t row, std::size_t column) const;
  /// A DATE; nullopt for null or another type.
  std::optional<Date> date(std::size_t row, std::size_t column) const;
  /// Any numeric column (decimals and HUGEINT included) as double; nullopt for null or not a number.
  std::optional<double> number(std::size_t row, std::size_t column) const;
  /// A numeric column as units of 10^-scale, exactly; nullopt for null, not a number or beyond 18 digits.
  std::optional<std::int64_t> decimal(std::size_t row, std::size_t column, int scale) const;
  /// Index of a column by name, or -1.
  int find(std::string_view name) const { return batch.find(name); }
};

}  // namespace tillcast::database
