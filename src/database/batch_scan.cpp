#include <algorithm>
#include <cstring>

#include "database/duck_internal.h"

namespace tillcast::database {

// --- registry ---

std::int64_t ScanRegistry::add(std::shared_ptr<const ScanData> data) {
  const std::lock_guard lock(mutex_);
  scans_.emplace(next_, std::move(data));
  return next_++;
}

std::shared_ptr<const ScanData> ScanRegistry::find(std::int64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto at = scans_.find(id);
  return at == scans_.end() ? nullptr : at->second;
}

void ScanRegistry::remove(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  scans_.erase(id);
}

namespace {

// --- filling vectors ---

// The rows [first, first + count) of a piece: either consecutive or picked by index.
struct RowRange {
  const std::uint32_t* picked = nullptr;  // nullptr: consecutive from `first`
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t at(std::size_t i) const { return picked != nullptr ? picked[i] : first + i; }
};

void fill_validity(duckdb_vector vector, const Column& column, const RowRange& range) {
  duckdb_vector_ensure_validity_writable(vector);
  std::uint64_t* const words = duckdb_vector_get_validity(vector);
  for (std::size_t i = 0; i < range.count; i += 64) {
    std::uint64_t word = 0;
    const std::size_t bits = std::min<std::size_t>(64, range.count - i);
    for (std::size_t bit = 0; bit < bits; ++bit) {
      word |= static_cast<std::uint64_t>(column.valid[range.at(i + bit)] != 0) << bit;
    }
    words[i / 64] = word;
  }
}

void fill_text(duckdb_vector vector, const Column& column, const RowRange& range) {
  auto* const out = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  constexpr std::size_t kInlinedMax = 12;
  for (std::size_t i = 0; i < range.count; ++i) {
    const std::string_view text = column.text[range.at(i)];
    duckdb_string_t& to = out[i];
    if (text.size() <= kInlinedMax) {
      // The unused bytes must be zero: DuckDB compares all of them.
      std::memset(&to, 0, sizeof to);
      to.value.inlined.length = static_cast<std::uint32_t>(text.size());
      text.copy(to.value.inlined.inlined,
                kInlinedMax);  // unlike memcpy it takes the null pointer of an empty view
    } else {
      to.value.pointer.length = static_cast<std::uint32_t>(text.size());
      std::memcpy(to.value.pointer.prefix, text.data(), sizeof to.value.pointer.prefix);
      to.value.pointer.ptr = const_cast<char*>(text.data());
    }
  }
}

template <class To, class From>
void fill_numbers(duckdb_vector vector, const std::vector<From>& values, const RowRange& range) {
  auto* const out = static_cast<To*>(duckdb_vector_get_data(vector));
  if (range.picked == nullptr) {
    const From* const from = values.data() + range.first;
    for (std::size_t i = 0; i < range.count; ++i) out[i] = static_cast<To>(from[i]);
  } else {
    for (std::size_t i = 0; i < range.count; ++i) out[i] = static_cast<To>(values[range.picked[i]]);
  }
}

void fill(duckdb_vector vector, const Column& column, const RowRange& range) {
  switch (column.spec.type) {
    case ColumnType::kText:
      fill_text(vector, column, range);
      break;
    case ColumnType::kBool:
      fill_numbers<bool>(vector, column.ints, range);
      break;
    case ColumnType::kInt32:
    case ColumnType::kDate:
      fill_numbers<std::int32_t>(vector, column.ints, range);
      break;
    case ColumnType::kInt64:
    case ColumnType::kTimestamp:
    case ColumnType::kDecimal3:
    case ColumnType::kDecimal4:
      fill_numbers<std::int64_t>(vector, column.ints, range);
      break;
    case ColumnType::kDouble:
      fill_numbers<double>(vector, column.doubles, range);
      break;
  }
  if (!column.valid.empty()) fill_validity(vector, column, range);
}

TypeHandle logical_type(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return TypeHandle(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
    case ColumnType::kBool:
      return TypeHandle(duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN));
    case ColumnType::kInt32:
      return TypeHandle(duckdb_create_logical_type(DUCKDB_TYPE_INTEGER));
    case ColumnType::kInt64:
      return TypeHandle(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
    case ColumnType::kDouble:
      return TypeHandle(duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE));
    case ColumnType::kDate:
      return TypeHandle(duckdb_create_logical_type(DUCKDB_TYPE_DATE));
    case ColumnType::kTimestamp:
      return TypeHandle(duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP_TZ));
    case ColumnType::kDecimal3:
      return TypeHandle(duckdb_create_decimal_type(18, 3));
    case ColumnType::kDecimal4:
      return TypeHandle(duckdb_create_decimal_type(18, 4));
  }
  return {};
}

// --- the table function's callbacks; they run inside DuckDB and must not throw ---

using BindData = std::shared_ptr<const ScanData>;

struct ScanState {
  std::vector<std::size_t> columns;  // wanted ones, in output order
  std::atomic<std::size_t> next_piece{0};
};

struct ThreadState {
  const BatchRows* piece = nullptr;
  std::size_t done = 0;
};

template <class T>
void destroy(void* state) {
  delete static_cast<T*>(state);
}

void bind(duckdb_bind_info info) {
  const auto* const registry = static_cast<const ScanRegistry*>(duckdb_bind_get_extra_info(info));
  const ValueHandle id(duckdb_bind_get_parameter(info, 0));
  BindData data = registry->find(duckdb_get_int64(id.get()));
  if (!data) {
    duckdb_bind_set_error(info, "this batch scan has ended");
    return;
  }
  for (const Column& column : data->pieces.front().batch->columns) {
    duckdb_bind_add_result_column(info, column.spec.name.c_str(), logical_type(column.spec.type).get());
  }
  duckdb_bind_set_cardinality(info, data->rows, true);
  duckdb_bind_set_bind_data(info, new BindData(std::move(data)), destroy<BindData>);
}

void init(duckdb_init_info info) {
  const auto& data = *static_cast<BindData*>(duckdb_init_get_bind_data(info));
  auto state = std::make_unique<ScanState>();
  const idx_t count = duckdb_init_get_column_count(info);
  for (idx_t i = 0; i < count; ++i) state->columns.push_back(duckdb_init_get_column_index(info, i));
  duckdb_init_set_max_threads(info, data->pieces.size());
  duckdb_init_set_init_data(info, state.release(), destroy<ScanState>);
}

void init_thread(duckdb_init_info info) {
  duckdb_init_set_init_data(info, new ThreadState(), destroy<ThreadState>);
}

void scan(duckdb_function_info info, duckdb_data_chunk output) {
  const ScanData& data = **static_cast<BindData*>(duckdb_function_get_bind_data(info));
  auto& state = *static_cast<ScanState*>(duckdb_function_get_init_data(info));
  auto& thread = *static_cast<ThreadState*>(duckdb_function_get_local_init_data(info));
  const auto rows_of = [](const BatchRows& piece) {
    return piece.rows.empty() ? piece.batch->rows : piece.rows.size();
  };
  while (thread.piece == nullptr || thread.done == rows_of(*thread.piece)) {
    const std::size_t next = state.next_piece.fetch_add(1);
    if (next >= data.pieces.size()) {
      duckdb_data_chunk_set_size(output, 0);
      return;
    }
    thread = {&data.pieces[next], 0};
  }
  const BatchRows& piece = *thread.piece;
  RowRange range;
  range.count = std::min<std::size_t>(duckdb_vector_size(), rows_of(piece) - thread.done);
  if (piece.rows.empty()) {
    range.first = thread.done;
  } else if (const std::uint32_t* const picked = piece.rows.data() + thread.done;
             picked[range.count - 1] - picked[0] == range.count - 1 &&
             std::is_sorted(picked, picked + range.count)) {
    range.first = picked[0];  // consecutive after all: copies instead of gathers
  } else {
    range.picked = picked;
  }
  const auto& columns = piece.batch->columns;
  for (std::size_t i = 0; i < state.columns.size(); ++i) {
    // count(*) asks for a row number column that does not exist here; its values are never looked at.
    if (state.columns[i] >= columns.size()) continue;
    fill(duckdb_data_chunk_get_vector(output, i), columns[state.columns[i]], range);
  }
  thread.done += range.count;
  duckdb_data_chunk_set_size(output, range.count);
}

using FunctionHandle = DuckHandle<duckdb_table_function, duckdb_destroy_table_function>;

}  // namespace

Result<> register_batch_scan(duckdb_connection connection, ScanRegistry& registry) {
  const FunctionHandle function(duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), "tillcast_batches");
  const TypeHandle bigint(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(function.get(), bigint.get());
  duckdb_table_function_set_extra_info(function.get(), &registry, nullptr);
  duckdb_table_function_set_bind(function.get(), bind);
  duckdb_table_function_set_init(function.get(), init);
  duckdb_table_function_set_local_init(function.get(), init_thread);
  duckdb_table_function_set_function(function.get(), scan);
  duckdb_table_function_supports_projection_pushdown(function.get(), true);
  if (duckdb_register_table_function(connection, function.get()) == DuckDBError) {
    return io_error("DuckDB refused the table function tillcast_batches");
  }
  return {};
}

// --- the public side ---

struct BatchScan::State {
  std::shared_ptr<Database::State> database;
  std::int64_t id = 0;
  std::string sql;
  ~State() { database->scans.remove(id); }
};

BatchScan::BatchScan(std::unique_ptr<State> state) : state_(std::move(state)) {}
BatchScan::BatchScan(BatchScan&&) noexcept = default;
BatchScan& BatchScan::operator=(BatchScan&&) noexcept = default;
BatchScan::~BatchScan() = default;
const std::string& BatchScan::sql() const { return state_->sql; }

Result<BatchScan> Database::scan(std::vector<BatchRows> pieces) const {
  if (pieces.empty() || pieces.front().batch->columns.empty())
    return invalid_input("a batch scan needs at least one column");
  auto data = std::make_shared<ScanData>();
  const auto& wanted = pieces.front().batch->columns;
  for (const BatchRows& piece : pieces) {
    const auto& columns = piece.batch->columns;
    if (!std::equal(columns.begin(), columns.end(), wanted.begin(), wanted.end(),
                    [](const Column& a, const Column& b) { return a.spec == b.spec; })) {
      return invalid_input("the batches of one scan have different columns");
    }
    data->rows += piece.rows.empty() ? piece.batch->rows : piece.rows.size();
  }
  data->pieces = std::move(pieces);
  auto state = std::make_unique<BatchScan::State>();
  state->database = state_;
  state->id = state_->scans.add(std::move(data));
  state->sql = "tillcast_batches(" + std::to_string(state->id) + ")";
  return BatchScan(std::move(state));
}

Result<BatchScan> Database::scan(ColumnBatch batch) const {
  std::vector<BatchRows> pieces;
  pieces.push_back({std::make_shared<const ColumnBatch>(std::move(batch)), {}});
  return scan(std::move(pieces));
}

}  // namespace tillcast::database
