#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/column_batch.h"

namespace tillcast::retail {

/// The silver datasets that files can feed.
enum class Dataset : std::uint8_t { kSaleLine, kStoreDay, kStorePlan, kStore };

/// "sale_line", "store_day", "store_plan", "store".
std::string_view dataset_name(Dataset dataset);
std::optional<Dataset> parse_dataset(std::string_view name);

/// How the text of a source column becomes a value.
enum class FieldType : std::uint8_t {
  kText,       ///< trimmed; empty = null
  kId,         ///< as kText, and "17850.0" reads as "17850"
  kProductId,  ///< as kId, upper case
  kKind,       ///< sale, return, cancellation, adjustment, fee
  kDecimal3,
  kDecimal4,
  kInteger,
  kBool,  ///< 1/0, true/false, yes/no, y/n, t/f in any case
  kDate,
  kInstant,  ///< a date with or without a time of day
};

/// A column that a mapping can fill.
struct FieldSpec {
  std::string_view name;
  FieldType type;
  bool value_required;  ///< a record without it is rejected as missing_value
};

/// The columns of a dataset that a mapping can fill.
std::span<const FieldSpec> dataset_fields(Dataset dataset);

/// The columns of a converted batch, in silver's order (docs/formats/silver.md), without the constants that
/// the lake's writer adds: source, load_seq, file, file_sha256.
std::vector<ColumnSpec> typed_columns(Dataset dataset);

/// dataset, source_row, column_name, reason, message, raw.
std::vector<ColumnSpec> reject_columns();

/// The source's columns as text, then `_row` BIGINT and `_event_date` DATE.
std::vector<ColumnSpec> bronze_columns(std::span<const std::string> header);

}  // namespace tillcast::retail
