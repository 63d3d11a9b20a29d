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
  explicit State(Connection own) : connection(std::move(own)) {}
  Connection connection;  // before what runs on it
  PreparedHandle prepared;
  ResultHandle result;
  std::optional<ResultReader> reader;
  std::shared_ptr<WatchedConnections> watched;  ///< of the connection that made the stream; may be null
  bool at_end = false;
  std::atomic<bool> interrupted{false};

  ~State() {
    if (watched) watched->remove(connection.state_->handle.get());
  }
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
      const bool asked_for = state_->interrupted || (state_->watched && state_->watched->fired());
      return reason_of(state_->result.get(), asked_for);
    }
    return std::optional<QueryResult>{};
  }
  state_->reader->append(chunk.get());
  return std::optional<QueryResult>(state_->reader->take());
}

Result<ResultStream> Connection::stream(std::string_view sql, std::span<const Value> parameters) {
  auto state = std::make_unique<ResultStream::State>(TILLCAST_TRY_PLAIN(database().connect()));
  const auto handle = state->connection.state_->handle.get();
  if (state_->watched) {
    // Before it runs: the first rows of a sort come when all of it is done.
    state_->watched->add(handle);
    state->watched = state_->watched;
  }
  state->prepared = TILLCAST_TRY_PLAIN(prepare(handle, sql, parameters));
  state->result = TILLCAST_TRY_PLAIN(execute_streaming(state->prepared.get()));
  state->reader = TILLCAST_TRY_PLAIN(ResultReader::create(state->result.get()));
  return ResultStream(std::move(state));
}

}  // namespace tillcast::database
