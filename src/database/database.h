#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/column_batch.h"
#include "core/result.h"
#include "database/query_result.h"
#include "database/value.h"

/// DuckDB behind one wrapper. Declare the database before its connections. UTC everywhere; extensions are
/// never fetched or loaded by themselves. Errors carry DuckDB's own message.
namespace tillcast::database {

struct DatabaseOptions {
  int threads = 2;
  std::uint64_t memory_limit_bytes = 0;    ///< 0 = DuckDB's default, 80 % of the machine
  std::filesystem::path temp_directory{};  ///< where big sorts spill; empty = beside the database
  bool read_only = false;
  bool preserve_insertion_order = false;  ///< true: a query without ORDER BY keeps the order of its input
};

/// What stays possible after Database::lock_down.
struct LockDownOptions {
  std::vector<std::filesystem::path>
      allowed_directories{};             ///< may be read (and written) by SQL: the lake's folder
  std::uint64_t memory_limit_bytes = 0;  ///< 0 = as before
};

struct QueryLimits {
  std::size_t rows_max = 10'000;  ///< further rows are dropped, QueryResult::truncated tells
  std::chrono::milliseconds time_max{30'000};
};

/// One piece of memory for the table function that reads column batches: all rows, or those named in `rows`.
struct BatchRows {
  std::shared_ptr<const ColumnBatch> batch;
  std::vector<std::uint32_t> rows{};  ///< empty = all rows, in order
};

class Connection;
class ResultStream;
class BatchScan;

/// A database file or an in-memory database. Copies share it; thread-safe.
class Database {
 public:
  struct State;  ///< opaque
  /// kNotFound for a missing file with read_only, kCorruptData when the file or its WAL will not open,
  /// kUnavailable when another process has it open.
  static Result<Database> open(const std::filesystem::path& path, const DatabaseOptions& options = {});
  static Result<Database> open_in_memory(const DatabaseOptions& options = {});

  /// As open; a database whose file or WAL is damaged is moved aside ("<name>.damaged-<UTC time>") and a
  /// fresh one opened. `set_aside` receives the new place of the old file: the caller rebuilds from the lake.
  static Result<Database> open_or_set_aside(const std::filesystem::path& path, const DatabaseOptions& options,
                                            std::optional<std::filesystem::path>& set_aside);

  Result<Connection> connect() const;

  /// From now on SQL in this database touches no file outside the allowed directories, loads no extension,
  /// and no setting can be changed any more. Cannot be undone.
  Result<> lock_down(const LockDownOptions& options) const;

  /// Lets SQL read batches in place: "SELECT * FROM " + scan.sql(). All pieces must have the columns of the
  /// first. Text must be valid UTF-8. Nothing is copied; the scan must outlive the statements that use it.
  Result<BatchScan> scan(std::vector<BatchRows> pieces) const;
  Result<BatchScan> scan(ColumnBatch batch) const;

 private:
  friend class Connection;
  explicit Database(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// One connection: one statement at a time, from one thread at a time; interrupt() and progress() from any
/// thread.
class Connection {
 public:
  struct State;  ///< opaque
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  /// Runs one or more statements without parameters, drops their rows; returns the last one's changed rows.
  Result<std::int64_t> execute(std::string_view sql);
  /// Runs one statement; parameters are ?, $1, $2 in order. All rows in memory.
  Result<QueryResult> query(std::string_view sql, std::span<const Value> parameters = {});
  Result<QueryResult> query(std::string_view sql, std::initializer_list<Value> parameters);

  /// Runs one statement of somebody who may only look: SELECT, FROM, VALUES, WITH, EXPLAIN, DESCRIBE, SHOW,
  /// SUMMARIZE. Anything that writes is kInvalidInput; over the time limit kCancelled. No file is protected
  /// by this alone: lock the database down first.
  Result<QueryResult> query_read_only(std::string_view sql, const QueryLimits& limits,
                                      std::span<const Value> parameters = {});

  /// Rows piece by piece on a connection of its own, so this one stays usable.
  Result<ResultStream> stream(std::string_view sql, std::span<const Value> parameters = {});

  /// Appends a batch to a table whose columns have the batch's names in any order; missing ones get their
  /// default.
  Result<> append(std::string_view table, const ColumnBatch& batch);

  /// BEGIN; then COMMIT, or ROLLBACK when `work` fails.
  Result<> transaction(const std::function<Result<>(Connection&)>& work);

  /// Stops the running statement (kCancelled). From any thread.
  void interrupt() const;
  /// Percent of the running statement, or -1 when unknown. From any thread.
  double progress() const;

  /// Names and types of the columns that a query would return, without running it.
  Result<std::vector<ResultColumn>> describe(std::string_view sql);

  Database database() const;

 private:
  friend class CancelWatch;
  friend class Database;
  friend class ResultStream;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Rows of a running query, a few thousand at a time, in constant memory.
class ResultStream {
 public:
  struct State;  ///< opaque
  ResultStream(ResultStream&&) noexcept;
  ResultStream& operator=(ResultStream&&) noexcept;
  ~ResultStream();

  const std::vector<ResultColumn>& columns() const;
  /// The next rows, or nullopt at the end.
  Result<std::optional<QueryResult>> next();
  /// Stops the query. From any thread.
  void interrupt() const;

 private:
  friend class Connection;
  explicit ResultStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Batches readable from SQL while this lives.
class BatchScan {
 public:
  struct State;  ///< opaque
  BatchScan(BatchScan&&) noexcept;
  BatchScan& operator=(BatchScan&&) noexcept;
  ~BatchScan();
  /// The table expression for a FROM clause.
  const std::string& sql() const;

 private:
  friend class Database;
  explicit BatchScan(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The version of the DuckDB library in use: "v1.5.6".
std::string duckdb_version();

}  // namespace tillcast::database
