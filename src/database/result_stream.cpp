// The only file that uses DuckDB's streaming functions, which its header calls deprecated.
#undef DUCKDB_API_ALLOW_DEPRECATED
#define DUCKDB_API_ALLOW_DEPRECATED 1  // see CMakeLists.txt
#include <atomic>

#include "database/duck_internal.h"

namespace tillcast::database {

Result<ResultHandle> execute_streaming(duckdb_prepared_statement prepared) {
  PendingHandle pending;
  if (duckdb_pending_prepared_streaming(prepared, pending.out()) == DuckDBError) {
    return query_error(DUCKDB_ERROR_INVALID, duckdb_pending_error(pending.get()));
  }
  ResultHandle result;
  if (duckdb_execute_pending(pending.get(), result.out()) == DuckDBError) return result_error(result.get());
  return result;
}

struct ResultStream::State {
  Connection connection;  // before what runs on it
  PreparedHandle prepared;
  ResultHandle result;
  std::optional<ResultReader> reader;
  bool at_end = false;
  std::atomic<bool> interrupted{false};
};

ResultStream::ResultStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
ResultStream::ResultStream(ResultStream&&) noexcept = default;
ResultStream& ResultStream::operator=(ResultStream&&) noexcept = default;
ResultStream::~ResultStream() = default;

const std::vector<ResultColumn>& ResultStream::columns() const { return state_->reader->columns(); }
void ResultStream::interrupt() const {
  state_->interrupted = true;
  state_->connection.interrupt();
}

namespace {

// A statement that fails in one of DuckDB's threads now and then says only that the others were interrupted.
Error reason_of(duckdb_result& result, bool interrupted) {
  Error error = result_error(result);
  if (error.code == ErrorCode::kCancelled && !interrupted) {
    return unavailable(
        "the statement failed while its rows were read, and DuckDB kept no reason; run it again");
  }
  return error;
}

}  // namespace

Result<std::optional<QueryResult>> ResultStream::next() {
  if (state_->at_end) return std::optional<QueryResult>{};
  const ChunkHandle chunk(duckdb_fetch_chunk(state_->result.get()));
  if (chunk.get() == nullptr || duckdb_data_chunk_get_size(chunk.get()) == 0) {
    state_->at_end = true;
    if (duckdb_result_error(state_->result.out()) != nullptr) {
      return reason_of(state_->result.get(), state_->interrupted);
    }
    return std::optional<QueryResult>{};
  }
  state_->reader->append(chunk.get());
  return std::optional<QueryResult>(state_->reader->take());
}

Result<ResultStream> Connection::stream(std::string_view sql, std::span<const Value> parameters) {
  Connection own = TILLCAST_TRY_PLAIN(database().connect());
  PreparedHandle prepared = TILLCAST_TRY_PLAIN(prepare(own.state_->handle.get(), sql, parameters));
  ResultHandle result = TILLCAST_TRY_PLAIN(execute_streaming(prepared.get()));
  ResultReader reader = TILLCAST_TRY_PLAIN(ResultReader::create(result.get()));
  auto state = std::unique_ptr<ResultStream::State>(
      new ResultStream::State{std::move(own), std::move(prepared), std::move(result), std::move(reader)});
  return ResultStream(std::move(state));
}

}  // namespace tillcast::database
