#include "lake/load_writer.h"

#include <algorithm>
#include <optional>
#include <set>

#include "core/crash_point.h"
#include "core/version.h"
#include "database/cancel_watch.h"
#include "lake/event_id_set.h"
#include "lake/lake_internal.h"
#include "lake/load_buffer_internal.h"

namespace tillcast::lake {
namespace {

constexpr std::string_view kRejects = "silver.rejects";

bool has_unique_events(std::string_view dataset) {
  return dataset == "silver.sale_line" || dataset == "silver.store_day";
}

Column text_column(const char* name, std::size_t rows, std::string_view value) {
  Column column;
  column.spec = {name, ColumnType::kText};
  column.text.assign(rows, value);
  return column;
}

}  // namespace

struct LoadWriter::State {
  State(std::shared_ptr<Lake::State> owner, database::Connection&& own)
      : lake(std::move(owner)), connection(std::move(own)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (!finished) remove_files();
  }

  std::shared_ptr<Lake::State> lake;
  database::Connection connection;
  LoadInfo info;
  LoadOptions options;
  Snapshot base;
  std::int64_t seq = 0;
  bool finished = false;

  std::map<std::string, DatasetBuffer, std::less<>> buffers;
  std::uint64_t buffered_bytes = 0;
  std::uint64_t rows_added = 0;  // of all datasets
  std::uint64_t rows_written = 0;
  Progress* progress = nullptr;
  std::vector<DataFile> written;
  LoadTotals totals;
  std::map<std::string, EventIdSet, std::less<>> seen;
  std::set<std::pair<std::string, int>> months_seen;  // whose visible ids are in `seen`
  std::optional<database::CancelWatch> watch;         // ends before its connection

  Result<DatasetBuffer*> buffer_for(std::string_view dataset, const ColumnBatch& batch,
                                    const AddOptions& add_options);
  Result<> remember_visible(std::string_view dataset, const std::vector<int>& months);
  Result<std::size_t> find_duplicates(std::string_view dataset, const ColumnBatch& batch,
                                      const std::vector<int>& months, std::vector<bool>& dropped);
  Result<> reject_duplicates(std::string_view dataset, const ColumnBatch& batch,
                             const std::vector<bool>& dropped, std::size_t count,
                             const AddOptions& add_options);
  Result<> keep(DatasetBuffer& buffer, ColumnBatch&& batch, const std::vector<int>& months,
                const std::vector<bool>& dropped);
  Result<> write(DatasetBuffer& buffer);
  Result<> write_all();
  Result<> follow_others();
  void remove_files();
};

Result<DatasetBuffer*> LoadWriter::State::buffer_for(std::string_view dataset, const ColumnBatch& batch,
                                                     const AddOptions& add_options) {
  auto fresh = TILLCAST_TRY_PLAIN(make_buffer(dataset, batch, info, add_options, seq));
  const auto at = buffers.find(dataset);
  if (at == buffers.end()) return &buffers.emplace(std::string(dataset), std::move(fresh)).first->second;
  if (at->second.select == fresh.select && at->second.batch_columns == fresh.batch_columns &&
      at->second.partition == fresh.partition) {
    return &at->second;
  }
  // Other columns or constants than before: they go to files of their own.
  TILLCAST_TRY_PLAIN(write(at->second));
  at->second = std::move(fresh);
  return &at->second;
}

// Visible events can only collide within a month, as an event never changes its date. Their ids are read once
// per month, and only where a month has files already: a first load reads nothing.
Result<> LoadWriter::State::remember_visible(std::string_view dataset, const std::vector<int>& months) {
  const auto& visible = base.dataset(dataset);
  if (visible.empty()) return {};
  std::set<int> touched(months.begin(), months.end());
  if (months.empty()) touched.insert(kNoMonth);
  std::vector<DataFile> files;
  for (const int month : touched) {
    if (!months_seen.emplace(std::string(dataset), month).second) continue;
    const std::string text = month_text(month);
    std::ranges::copy_if(visible, std::back_inserter(files),
                         [&](const DataFile& file) { return file.month == text; });
  }
  if (files.empty()) return {};
  EventIdSet& ids = seen[std::string(dataset)];
  auto stream = TILLCAST_TRY(connection.stream("SELECT event_id FROM " + parquet_source(*lake, files)),
                             "read the events that are there");
  for (;;) {
    const auto rows = TILLCAST_TRY(stream.next(), "read the events that are there");
    if (!rows) return {};
    for (std::size_t row = 0; row < rows->rows(); ++row) {
      if (!rows->is_null(row, 0)) ids.insert(rows->batch.columns[0].text[row]);
    }
  }
}

Result<std::size_t> LoadWriter::State::find_duplicates(std::string_view dataset, const ColumnBatch& batch,
                                                       const std::vector<int>& months,
                                                       std::vector<bool>& dropped) {
  const int at = batch.find("event_id");
  if (at < 0 || !has_unique_events(dataset)) return std::size_t{0};
  TILLCAST_TRY_PLAIN(remember_visible(dataset, months));
  EventIdSet& ids = seen[std::string(dataset)];
  const Column& column = batch.columns[static_cast<std::size_t>(at)];
  return ids.insert_all(column.text, dropped);  // a null's text is empty, which never counts
}

Result<> LoadWriter::State::reject_duplicates(std::string_view dataset, const ColumnBatch& batch,
                                              const std::vector<bool>& dropped, std::size_t count,
                                              const AddOptions& add_options) {
  auto arena = std::make_shared<TextArena>();
  const auto& event_ids = batch.columns[static_cast<std::size_t>(batch.find("event_id"))];
  const int source_row = batch.find("source_row");
  ColumnBatch rejects;
  rejects.rows = count;
  Column row_number;
  row_number.spec = {"source_row", ColumnType::kInt64};
  Column message = text_column("message", 0, {});
  Column raw = text_column("raw", 0, {});
  for (std::size_t row = 0; row < batch.rows; ++row) {
    if (!dropped[row]) continue;
    row_number.ints.push_back(source_row < 0 ? 0
                                             : batch.columns[static_cast<std::size_t>(source_row)].ints[row]);
    message.text.push_back(
        arena->add(kDuplicatePrefix + std::string(event_ids.text[row]) + kDuplicateSuffix));
    raw.text.push_back(add_options.raw_text ? arena->add(add_options.raw_text(row)) : std::string_view{});
  }
  if (!add_options.raw_text) raw.valid.assign(count, 0);
  Column column_name = text_column("column_name", count, {});
  column_name.valid.assign(count, 0);
  const std::string short_name(dataset.substr(dataset.find('.') + 1));
  rejects.columns.push_back(text_column("dataset", count, arena->add(short_name)));
  rejects.columns.push_back(std::move(row_number));
  rejects.columns.push_back(std::move(column_name));
  rejects.columns.push_back(text_column("reason", count, kDuplicateReason));
  rejects.columns.push_back(std::move(message));
  rejects.columns.push_back(std::move(raw));
  rejects.owners.push_back(std::move(arena));
  DatasetBuffer* const buffer = TILLCAST_TRY_PLAIN(buffer_for(kRejects, rejects, {}));
  totals.duplicates += static_cast<std::int64_t>(count);
  return keep(*buffer, std::move(rejects), {}, {});
}

Result<> LoadWriter::State::keep(DatasetBuffer& buffer, ColumnBatch&& batch, const std::vector<int>& months,
                                 const std::vector<bool>& dropped) {
  buffered_bytes += batch_bytes(batch);
  rows_added += batch.rows - static_cast<std::uint64_t>(std::ranges::count(dropped, true));
  add_rows(buffer, std::make_shared<const ColumnBatch>(std::move(batch)), months, dropped);
  // Pieces of one batch sit in several months, so only writing everything frees memory for sure.
  if (buffered_bytes > options.buffer_bytes_max) return write_all();
  return {};
}

Result<> LoadWriter::State::write(DatasetBuffer& buffer) {
  for (auto& [month, rows] : buffer.months) {
    DataFile file;
    file.dataset = buffer.name;
    file.month = month_text(month);
    if (rows.day_min <= rows.day_max) {
      file.date_min = Date{rows.day_min};
      file.date_max = Date{rows.day_max};
    }
    file.schema = buffer.schema;
    const std::int64_t wanted = rows.rows;
    const auto scan = TILLCAST_TRY_PLAIN(connection.database().scan(std::move(rows.pieces)));
    written.push_back(TILLCAST_TRY_PLAIN(write_data_file(
        *lake, connection, "SELECT " + buffer.select + " FROM " + scan.sql(), std::move(file), seq)));
    if (written.back().rows != wanted) {
      return corrupt_data(written.back().path + " got " + std::to_string(written.back().rows) +
                          " rows, expected " + std::to_string(wanted));
    }
    rows_written += static_cast<std::uint64_t>(wanted);
    if (progress != nullptr) progress->update(rows_written, rows_added);
  }
  buffer.months.clear();
  return {};
}

Result<> LoadWriter::State::write_all() {
  for (auto& [name, buffer] : buffers) TILLCAST_TRY_PLAIN(write(buffer));
  buffered_bytes = 0;
  return {};
}

// Another commit took our number: look at what it brought, then take the next number. The files hold the old
// number as load_seq and are written again; that is rare (one process owns a data directory) and keeps
// load_seq in commit order.
Result<> LoadWriter::State::follow_others() {
  const Snapshot before = std::move(base);
  base = TILLCAST_TRY_PLAIN(lake->refreshed());
  if (const LoadRecord* const other = base.find_load(info.key)) {
    return conflict(info.file + " was loaded meanwhile, as commit " + std::to_string(other->seq));
  }
  // Lines may have been passed over because they were in the load that is gone.
  if (base.last_drop > before.last_drop)
    return conflict("another load was taken out while " + info.file + " came in; repeat the load");
  for (const auto& [dataset, ids] : seen) {
    std::set<std::string_view> known;
    for (const DataFile& file : before.dataset(dataset)) known.insert(file.path);
    std::set<std::string> months;
    for (const DataFile& file : written) {
      if (file.dataset == dataset) months.insert(file.month);
    }
    std::vector<DataFile> others;
    for (const DataFile& file : base.dataset(dataset)) {
      if (!known.contains(file.path) && months.contains(file.month)) others.push_back(file);
    }
    if (others.empty()) continue;
    // Compacted files come here as well: their old events are in `seen`, so only new loads may be looked at.
    auto stream = TILLCAST_TRY_PLAIN(
        connection.stream("SELECT event_id FROM " + parquet_source(*lake, others) + " WHERE load_seq > $1",
                          std::vector<database::Value>{before.seq}));
    for (;;) {
      const auto rows = TILLCAST_TRY_PLAIN(stream.next());
      if (!rows) break;
      for (std::size_t row = 0; row < rows->rows(); ++row) {
        if (!rows->is_null(row, 0) && ids.contains(rows->batch.columns[0].text[row])) {
          return conflict("another load brought events of " + info.file + " meanwhile; repeat the load");
        }
      }
    }
  }
  seq = base.seq + 1;
  for (DataFile& file : written) {
    const std::string number = file.dataset.starts_with("bronze.") ? "_load_seq" : "load_seq";
    const std::string query = "SELECT * REPLACE (" + database::sql_literal(seq) + " AS " + number +
                              ") FROM " + parquet_source(*lake, {file});
    const std::string old = file.path;
    file = TILLCAST_TRY_PLAIN(write_data_file(*lake, connection, query, file, seq));
    TILLCAST_TRY_PLAIN(lake->store.remove(old));
  }
  return {};
}

// Best effort: what stays is an orphan, which nobody sees and the next collection deletes.
void LoadWriter::State::remove_files() {
  for (const DataFile& file : written) static_cast<void>(lake->store.remove(file.path).has_value());
  written.clear();
  buffers.clear();
  finished = true;
}

LoadWriter::LoadWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
LoadWriter::LoadWriter(LoadWriter&&) noexcept = default;
LoadWriter& LoadWriter::operator=(LoadWriter&&) noexcept = default;
LoadWriter::~LoadWriter() = default;

std::int64_t LoadWriter::load_seq() const { return state_->seq; }
void LoadWriter::abort() { state_->remove_files(); }
double LoadWriter::written_share() const {
  return state_->rows_added == 0
             ? 0
             : static_cast<double>(state_->rows_written) / static_cast<double>(state_->rows_added);
}

Result<AddResult> LoadWriter::add(std::string_view dataset, ColumnBatch&& batch, const AddOptions& options) {
  State& state = *state_;
  if (state.finished) return invalid_input("this load has ended");
  if (batch.rows == 0) return AddResult{};
  DatasetBuffer* const buffer = TILLCAST_TRY_PLAIN(state.buffer_for(dataset, batch, options));
  const std::vector<int> months = row_months(*buffer, batch);
  AddResult result;
  std::vector<bool> dropped;
  result.duplicates = TILLCAST_TRY_PLAIN(state.find_duplicates(dataset, batch, months, dropped));
  result.stored = batch.rows - result.duplicates;
  if (result.duplicates > 0)
    TILLCAST_TRY_PLAIN(state.reject_duplicates(dataset, batch, dropped, result.duplicates, options));
  if (dataset == kRejects)
    state.totals.rejected += static_cast<std::int64_t>(batch.rows);
  else if (dataset.starts_with("silver."))
    state.totals.silver += static_cast<std::int64_t>(result.stored);
  if (result.stored > 0) TILLCAST_TRY_PLAIN(state.keep(*buffer, std::move(batch), months, dropped));
  return result;
}

Result<ManifestEntry> LoadWriter::commit(std::int64_t rows_in, Progress* progress) {
  State& state = *state_;
  state.progress = progress;
  if (state.finished) return invalid_input("this load has ended");
  state.totals.rows_in = rows_in;
  if (rows_in != state.totals.silver + state.totals.rejected + state.totals.duplicates) {
    return invalid_input(state.info.file + " does not reconcile: " + std::to_string(rows_in) +
                         " rows in, but " + std::to_string(state.totals.silver) + " silver + " +
                         std::to_string(state.totals.rejected) + " rejected + " +
                         std::to_string(state.totals.duplicates) + " duplicates");
  }
  TILLCAST_TRY_PLAIN(state.write_all());
  for (;;) {
    if (state.options.progress != nullptr && state.options.progress->cancelled())
      return cancelled("stopped on request; nothing of " + state.info.file + " was loaded");
    ManifestEntry entry;
    entry.seq = state.seq;
    entry.kind = EntryKind::kLoad;
    entry.key = state.info.key;
    entry.file = state.info.file;
    entry.source = state.info.source;
    entry.topic = state.info.topic;
    entry.totals = state.totals;
    entry.offsets = state.info.offsets;
    entry.files = state.written;
    entry.created_at = state.lake->now();
    entry.tool_version = "tillcast " + std::string(kVersion);
    // The rules are checked before the entry exists, because afterwards it stands.
    Snapshot trial = state.base;
    TILLCAST_TRY_PLAIN(apply_entry(trial, entry));
    crash_point("lake.commit.before_entry");
    auto committed = state.lake->manifest.commit(entry);
    if (committed) {
      state.finished = true;
      crash_point("lake.commit.after_entry");
      state.lake->after_commit(entry.seq);
      return entry;
    }
    if (committed.error().code == ErrorCode::kCorruptData)
      state.finished = true;  // visible: its files must stay
    if (committed.error().code != ErrorCode::kConflict) return std::move(committed.error());
    TILLCAST_TRY_PLAIN(state.follow_others());
  }
}

Result<LoadWriter> Lake::begin_load(const LoadInfo& info, const LoadOptions& options) const {
  const bool hex =
      info.key.size() == 64 && info.key.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!hex && info.offsets.empty())
    return invalid_input("a load needs the SHA-256 of its file as key, or offsets; found \"" + info.key +
                         "\"");
  if (info.topic.empty() ||
      info.topic.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) {
    return invalid_input("a topic has lower-case letters, digits and _ only; found \"" + info.topic + "\"");
  }
  auto base = TILLCAST_TRY_PLAIN(state_->refreshed());
  if (const LoadRecord* const before = base.find_load(info.key)) {
    return conflict(info.file + " is loaded already, as commit " + std::to_string(before->seq) + " (" +
                    before->file + ")");
  }
  crash_point("lake.load.begin");
  auto state = std::make_unique<LoadWriter::State>(state_, TILLCAST_TRY_PLAIN(state_->connect()));
  state->info = info;
  state->options = options;
  state->seq = base.seq + 1;
  state->base = std::move(base);
  if (options.progress != nullptr)
    state->watch.emplace(state->connection, [progress = options.progress] { return progress->cancelled(); });
  return LoadWriter(std::move(state));
}

}  // namespace tillcast::lake
