#pragma once

#include <duckdb.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "database/database.h"

/// Private to this folder: holders for DuckDB's handles.
namespace tillcast::database {

/// Owns a handle whose destroy function takes its address; null is a no-op there.
template <class T, auto kDestroy>
class DuckHandle {
 public:
  DuckHandle() = default;
  explicit DuckHandle(T raw) : raw_(raw) {}
  DuckHandle(DuckHandle&& other) noexcept : raw_(std::exchange(other.raw_, T{})) {}
  DuckHandle& operator=(DuckHandle&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~DuckHandle() { kDestroy(&raw_); }
  T* out() { return &raw_; }
  T get() const { return raw_; }

 private:
  T raw_{};
};

using DatabaseHandle = DuckHandle<duckdb_database, duckdb_close>;
using ConnectionHandle = DuckHandle<duckdb_connection, duckdb_disconnect>;
using ConfigHandle = DuckHandle<duckdb_config, duckdb_destroy_config>;
using PreparedHandle = DuckHandle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using ExtractedHandle = DuckHandle<duckdb_extracted_statements, duckdb_destroy_extracted>;
using PendingHandle = DuckHandle<duckdb_pending_result, duckdb_destroy_pending>;
using ChunkHandle = DuckHandle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using TypeHandle = DuckHandle<duckdb_logical_type, duckdb_destroy_logical_type>;
using ValueHandle = DuckHandle<duckdb_value, duckdb_destroy_value>;

/// A result must be destroyed even after failure: its error text lives in it.
class ResultHandle {
 public:
  ResultHandle() = default;
  ResultHandle(ResultHandle&& other) noexcept : raw_(std::exchange(other.raw_, duckdb_result{})) {}
  ResultHandle& operator=(ResultHandle&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~ResultHandle() { duckdb_destroy_result(&raw_); }
  duckdb_result* out() { return &raw_; }
  duckdb_result& get() { return raw_; }

 private:
  duckdb_result raw_{};
};

/// What a scan reads; shared by the BatchScan and by statements that were bound to it.
struct ScanData {
  std::vector<BatchRows> pieces;
  std::size_t rows = 0;
};

/// Live scans by number. Outlives the database handle whose table function points here.
class ScanRegistry {
 public:
  std::int64_t add(std::shared_ptr<const ScanData> data);
  std::shared_ptr<const ScanData> find(std::int64_t id) const;
  void remove(std::int64_t id);

 private:
  mutable std::mutex mutex_;
  std::map<std::int64_t, std::shared_ptr<const ScanData>> scans_;
  std::int64_t next_ = 1;
};

/// Adds the table function tillcast_batches(id) to a database.
Result<> register_batch_scan(duckdb_connection connection, ScanRegistry& registry);

struct Database::State {
  ScanRegistry scans;  // before the handle: destroyed after it
  DatabaseHandle handle;
  std::string path;
};

/// What a CancelWatch stops: a connection, and those of the streams that were made by it meanwhile.
class WatchedConnections {
 public:
  void add(duckdb_connection connection);
  void remove(duckdb_connection connection);
  void interrupt();
  bool fired() const { return fired_; }

 private:
  std::atomic<bool> fired_{false};
  std::mutex mutex_;
  std::vector<duckdb_connection> connections_;
};

struct Connection::State {
  std::shared_ptr<Database::State> database;
  ConnectionHandle handle;
  std::shared_ptr<WatchedConnections> watched;  ///< while a CancelWatch lives
};

/// The error of a failed statement, by DuckDB's own classes.
Error query_error(duckdb_error_type type, const char* message);
Error prepare_error(duckdb_prepared_statement prepared);
Error result_error(duckdb_result& result);

/// DuckDB's name of a type: "DECIMAL(18,3)", "STRUCT(a INTEGER)[]".
std::string type_name(duckdb_logical_type type);

/// Turns chunks into a QueryResult, column by column.
class ResultReader {
 public:
  /// kInvalidInput when a column's type has no representation here (VARIANT, GEOMETRY): cast it in SQL.
  static Result<ResultReader> create(duckdb_result& result);
  /// Appends the chunk's rows, at most `rows_max`.
  void append(duckdb_data_chunk chunk, std::size_t rows_max = SIZE_MAX);
  /// Hands over what was read since the last call.
  QueryResult take();
  std::size_t rows() const { return rows_; }
  const std::vector<ResultColumn>& columns() const { return columns_; }

 private:
  struct Source {
    TypeHandle type;
    duckdb_type id = DUCKDB_TYPE_INVALID;
    ColumnType as = ColumnType::kText;
    int decimal_scale = 0;
    duckdb_type decimal_storage = DUCKDB_TYPE_INVALID;
  };
  void append_column(Column& to, const Source& source, duckdb_vector vector, std::size_t rows);
  QueryResult fresh() const;

  std::vector<ResultColumn> columns_;
  std::vector<Source> sources_;
  QueryResult current_;
  std::shared_ptr<TextArena> arena_;
  std::size_t rows_ = 0;
};

/// Prepares one statement and binds parameters.
Result<PreparedHandle> prepare(duckdb_connection connection, std::string_view sql,
                               std::span<const Value> parameters);

/// Starts a prepared statement so that its rows come while it runs.
Result<ResultHandle> execute_streaming(duckdb_prepared_statement prepared);

/// DuckDB's text of a value made by one of its create functions.
std::string text_of(duckdb_value value);

}  // namespace tillcast::database
