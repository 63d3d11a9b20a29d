#include "core/column_batch.h"

namespace tillcast {

std::string_view sql_name(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "VARCHAR";
    case ColumnType::kBool:
      return "BOOLEAN";
    case ColumnType::kInt32:
      return "INTEGER";
    case ColumnType::kInt64:
      return "BIGINT";
    case ColumnType::kDouble:
      return "DOUBLE";
    case ColumnType::kDate:
      return "DATE";
    case ColumnType::kTimestamp:
      return "TIMESTAMP WITH TIME ZONE";
    case ColumnType::kDecimal3:
      return "DECIMAL(18,3)";
    case ColumnType::kDecimal4:
      return "DECIMAL(18,4)";
  }
  return "";
}

int ColumnBatch::find(std::string_view name) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].spec.name == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace tillcast
