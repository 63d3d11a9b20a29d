#include "database/duck_internal.h"

namespace tillcast::database {
namespace {

ErrorCode code_of(duckdb_error_type type) {
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT:
      return ErrorCode::kCancelled;
    case DUCKDB_ERROR_IO:
      return ErrorCode::kIo;
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_SERIALIZATION:
      return ErrorCode::kCorruptData;
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return ErrorCode::kUnavailable;
    case DUCKDB_ERROR_TRANSACTION:
      return ErrorCode::kConflict;
    default:
      return ErrorCode::kInvalidInput;
  }
}

}  // namespace

Error query_error(duckdb_error_type type, const char* message) {
  std::string text = message != nullptr ? message : "DuckDB failed without a message";
  return {code_of(type), std::move(text)};
}

Error prepare_error(duckdb_prepared_statement prepared) {
  return query_error(DUCKDB_ERROR_INVALID, duckdb_prepare_error(prepared));
}

Error result_error(duckdb_result& result) {
  return query_error(duckdb_result_error_type(&result), duckdb_result_error(&result));
}

}  // namespace tillcast::database
