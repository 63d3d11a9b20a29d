#include <cctype>
#include <condition_variable>
#include <thread>

#include "database/duck_internal.h"

namespace tillcast::database {
namespace {

duckdb_hugeint to_hugeint(std::int64_t value) {
  return {static_cast<std::uint64_t>(value), value < 0 ? -1 : 0};
}

struct Bind {
  duckdb_prepared_statement prepared;
  idx_t index;
  duckdb_state operator()(std::monostate) const { return duckdb_bind_null(prepared, index); }
  duckdb_state operator()(const std::string& text) const {
    return duckdb_bind_varchar_length(prepared, index, text.data(), text.size());
  }
  duckdb_state operator()(std::int64_t number) const { return duckdb_bind_int64(prepared, index, number); }
  duckdb_state operator()(double number) const { return duckdb_bind_double(prepared, index, number); }
  duckdb_state operator()(bool flag) const { return duckdb_bind_boolean(prepared, index, flag); }
  duckdb_state operator()(DecimalValue value) const {
    return duckdb_bind_decimal(prepared, index,
                               {18, static_cast<std::uint8_t>(value.scale), to_hugeint(value.units)});
  }
  duckdb_state operator()(Date date) const { return duckdb_bind_date(prepared, index, {date.days}); }
  duckdb_state operator()(Timestamp at) const {
    return duckdb_bind_timestamp_tz(prepared, index, {at.micros});
  }
};

Result<> bind_all(duckdb_prepared_statement prepared, std::span<const Value> parameters) {
  const idx_t wanted = duckdb_nparams(prepared);
  if (wanted != parameters.size()) {
    return invalid_input("the statement has " + std::to_string(wanted) + " parameters, " +
                         std::to_string(parameters.size()) + " were given");
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (std::visit(Bind{prepared, i + 1}, parameters[i]) == DuckDBError) {
      return invalid_input("parameter " + std::to_string(i + 1) +
                           " does not fit: " + duckdb_prepare_error(prepared));
    }
  }
  return {};
}

// Stops a statement that runs too long, from a thread of its own.
class Watchdog {
 public:
  Watchdog(duckdb_connection connection, std::chrono::milliseconds time_max)
      : thread_([this, connection, time_max](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          if (wake_.wait_for(lock, stop, time_max, [] { return false; }) || stop.stop_requested()) return;
          expired_ = true;
          duckdb_interrupt(connection);
        }) {}
  bool expired() const { return expired_; }

 private:
  std::atomic<bool> expired_{false};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: joined before the rest goes
};

void skip_blanks(std::string_view& sql) {
  for (;;) {
    while (!sql.empty() && std::isspace(static_cast<unsigned char>(sql.front()))) sql.remove_prefix(1);
    if (sql.starts_with("--")) {
      const auto end = sql.find('\n');
      sql.remove_prefix(end == std::string_view::npos ? sql.size() : end);
    } else if (sql.starts_with("/*")) {
      const auto end = sql.find("*/", 2);
      sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 2);
    } else {
      return;
    }
  }
}

bool skip_word(std::string_view& sql, std::string_view word) {
  if (sql.size() < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(sql[i])) != word[i]) return false;
  }
  if (sql.size() > word.size() &&
      (std::isalnum(static_cast<unsigned char>(sql[word.size()])) || sql[word.size()] == '_')) {
    return false;
  }
  sql.remove_prefix(word.size());
  skip_blanks(sql);
  return true;
}

// EXPLAIN ANALYZE runs what it explains, so that must be read-only as well.
std::string_view explained(std::string_view sql) {
  skip_blanks(sql);
  if (!skip_word(sql, "EXPLAIN")) return {};
  if (sql.starts_with('(')) {
    const auto end = sql.find(')');
    sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 1);
    skip_blanks(sql);
  }
  skip_word(sql, "ANALYZE");
  return sql;
}

Result<PreparedHandle> prepare_read_only(duckdb_connection connection, std::string_view sql,
                                         std::span<const Value> parameters) {
  ExtractedHandle extracted;
  const std::string text(sql);
  const idx_t count = duckdb_extract_statements(connection, text.c_str(), extracted.out());
  if (count == 0) {
    const char* const message = duckdb_extract_statements_error(extracted.get());
    return invalid_input(message != nullptr && *message != 0 ? message : "there is no statement");
  }
  if (count > 1) return invalid_input("one statement at a time: " + std::to_string(count) + " were given");
  PreparedHandle prepared;
  if (duckdb_prepare_extracted_statement(connection, extracted.get(), 0, prepared.out()) == DuckDBError) {
    return prepare_error(prepared.get());
  }
  const duckdb_statement_type type = duckdb_prepared_statement_type(prepared.get());
  if (type == DUCKDB_STATEMENT_TYPE_EXPLAIN) {
    auto inner = prepare_read_only(connection, explained(sql), parameters);
    if (!inner) return std::move(inner.error());
  } else if (type != DUCKDB_STATEMENT_TYPE_SELECT) {
    return invalid_input(
        "only statements that read are allowed here (SELECT, EXPLAIN, DESCRIBE, SHOW, SUMMARIZE)");
  }
  TILLCAST_TRY_PLAIN(bind_all(prepared.get(), parameters));
  return prepared;
}

Result<QueryResult> read_all(duckdb_result& result, std::size_t rows_max) {
  ResultReader reader = TILLCAST_TRY_PLAIN(ResultReader::create(result));
  bool truncated = false;
  for (;;) {
    const ChunkHandle chunk(duckdb_fetch_chunk(result));
    if (chunk.get() == nullptr || duckdb_data_chunk_get_size(chunk.get()) == 0) break;
    const std::size_t room = rows_max - reader.rows();
    truncated = duckdb_data_chunk_get_size(chunk.get()) > room;
    reader.append(chunk.get(), room);
    if (truncated) break;
  }
  if (!truncated && duckdb_result_error(&result) != nullptr) return result_error(result);
  QueryResult rows = reader.take();
  rows.truncated = truncated;
  return rows;
}

}  // namespace

Result<PreparedHandle> prepare(duckdb_connection connection, std::string_view sql,
                               std::span<const Value> parameters) {
  PreparedHandle prepared;
  const std::string text(sql);
  if (duckdb_prepare(connection, text.c_str(), prepared.out()) == DuckDBError)
    return prepare_error(prepared.get());
  TILLCAST_TRY_PLAIN(bind_all(prepared.get(), parameters));
  return prepared;
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Database Connection::database() const { return Database(state_->database); }

Result<std::int64_t> Connection::execute(std::string_view sql) {
  ResultHandle result;
  const std::string text(sql);
  if (duckdb_query(state_->handle.get(), text.c_str(), result.out()) == DuckDBError)
    return result_error(result.get());
  return static_cast<std::int64_t>(duckdb_rows_changed(result.out()));
}

Result<QueryResult> Connection::query(std::string_view sql, std::span<const Value> parameters) {
  const PreparedHandle prepared = TILLCAST_TRY_PLAIN(prepare(state_->handle.get(), sql, parameters));
  ResultHandle result;
  if (duckdb_execute_prepared(prepared.get(), result.out()) == DuckDBError) return result_error(result.get());
  const auto changed = static_cast<std::int64_t>(duckdb_rows_changed(result.out()));
  auto rows = read_all(result.get(), SIZE_MAX);
  if (rows) rows->rows_changed = changed;
  return rows;
}

Result<QueryResult> Connection::query(std::string_view sql, std::initializer_list<Value> parameters) {
  return query(sql, std::span<const Value>(parameters.begin(), parameters.size()));
}

Result<QueryResult> Connection::query_read_only(std::string_view sql, const QueryLimits& limits,
                                                std::span<const Value> parameters) {
  // The statement's type keeps writers out; the transaction also stops what a SELECT could change
  // (sequences).
  TILLCAST_TRY_PLAIN(execute("BEGIN TRANSACTION READ ONLY"));
  Watchdog watchdog(state_->handle.get(), limits.time_max);
  const auto run = [&]() -> Result<QueryResult> {
    const PreparedHandle prepared =
        TILLCAST_TRY_PLAIN(prepare_read_only(state_->handle.get(), sql, parameters));
    ResultHandle result = TILLCAST_TRY_PLAIN(execute_streaming(prepared.get()));
    return read_all(result.get(), limits.rows_max);
  };
  auto rows = run();
  // A statement that fails in one of DuckDB's threads now and then says only that the others were
  // interrupted.
  if (!rows && rows.error().code == ErrorCode::kCancelled && !watchdog.expired()) {
    TILLCAST_TRY_PLAIN(execute("ROLLBACK"));
    TILLCAST_TRY_PLAIN(execute("BEGIN TRANSACTION READ ONLY"));
    rows = run();
  }
  auto ended = execute("ROLLBACK");
  if (!rows && watchdog.expired()) {
    return cancelled("the query ran longer than " + std::to_string(limits.time_max.count()) +
                     " ms and was stopped; narrow it or raise the limit");
  }
  if (rows && !ended) return std::move(ended.error());
  return rows;
}

Result<> Connection::append(std::string_view table, const ColumnBatch& batch) {
  if (batch.rows == 0) return {};
  // The scan borrows the batch for the length of this call.
  std::vector<BatchRows> pieces;
  pieces.push_back({std::shared_ptr<const ColumnBatch>(std::shared_ptr<void>(), &batch), {}});
  const BatchScan scan = TILLCAST_TRY_PLAIN(database().scan(std::move(pieces)));
  TILLCAST_TRY(execute("INSERT INTO " + std::string(table) + " BY NAME SELECT * FROM " + scan.sql()),
               "append to " + std::string(table));
  return {};
}

Result<> Connection::transaction(const std::function<Result<>(Connection&)>& work) {
  TILLCAST_TRY_PLAIN(execute("BEGIN"));
  auto done = work(*this);
  if (done) {
    if (auto committed = execute("COMMIT"); !committed) done = std::move(committed.error());
  }
  // After a failed COMMIT the transaction is gone already and this fails in silence.
  if (!done) static_cast<void>(execute("ROLLBACK").has_value());
  return done;
}

void Connection::interrupt() const { duckdb_interrupt(state_->handle.get()); }

double Connection::progress() const { return duckdb_query_progress(state_->handle.get()).percentage; }

Result<std::vector<ResultColumn>> Connection::describe(std::string_view sql) {
  PreparedHandle prepared;
  const std::string text(sql);
  if (duckdb_prepare(state_->handle.get(), text.c_str(), prepared.out()) == DuckDBError) {
    return prepare_error(prepared.get());
  }
  std::vector<ResultColumn> columns;
  const idx_t count = duckdb_prepared_statement_column_count(prepared.get());
  for (idx_t i = 0; i < count; ++i) {
    const char* const name = duckdb_prepared_statement_column_name(prepared.get(), i);
    const TypeHandle type(duckdb_prepared_statement_column_logical_type(prepared.get(), i));
    columns.push_back({name, type_name(type.get())});
    duckdb_free(const_cast<char*>(name));
  }
  return columns;
}

}  // namespace tillcast::database
