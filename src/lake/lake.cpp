#include "lake/lake.h"

#include <algorithm>
#include <set>

#include "lake/lake_internal.h"

namespace tillcast::lake {
namespace {

using database::sql_identifier;

// The files' own columns, first seen first.
std::vector<ColumnSpec> union_of_columns(const std::vector<DataFile>& files) {
  std::vector<ColumnSpec> columns;
  std::set<std::string_view> known;
  const std::vector<ColumnSpec>* previous = nullptr;
  for (const DataFile& file : files) {
    if (file.schema.get() == previous) continue;
    previous = file.schema.get();
    for (const ColumnSpec& column : *file.schema) {
      if (known.insert(column.name).second) columns.push_back(column);
    }
  }
  return columns;
}

// Every column of the contract, null where no file has it yet.
std::string view_query(const Lake::State& lake, const std::vector<DataFile>& files,
                       std::span<const ColumnSpec> contract) {
  const auto stored = union_of_columns(files);
  std::string columns;
  for (const ColumnSpec& column : contract.empty() ? std::span<const ColumnSpec>(stored) : contract) {
    const bool there = std::ranges::find(stored, column.name, &ColumnSpec::name) != stored.end();
    columns += columns.empty() ? "" : ", ";
    columns +=
        there ? sql_identifier(column.name)
              : "CAST(NULL AS " + std::string(sql_name(column.type)) + ") AS " + sql_identifier(column.name);
  }
  if (files.empty()) return "SELECT " + columns + " WHERE false";
  return "SELECT " + columns + " FROM " + parquet_source(lake, files);
}

Result<> replace_view(database::Connection& connection, const Lake::State& lake, const std::string& dataset,
                      const std::vector<DataFile>& files) {
  const auto dot = dataset.find('.');
  const std::string name =
      sql_identifier(dataset.substr(0, dot)) + "." + sql_identifier(dataset.substr(dot + 1));
  TILLCAST_TRY(connection.execute("CREATE OR REPLACE VIEW " + name + " AS " +
                                  view_query(lake, files, silver_schema(dataset))),
               "view " + dataset);
  return {};
}

}  // namespace

Result<Snapshot> Lake::State::refreshed() {
  const std::lock_guard lock(mutex_);
  if (!cached_) cached_ = TILLCAST_TRY_PLAIN(manifest.read());
  TILLCAST_TRY_PLAIN(manifest.refresh(*cached_));
  return *cached_;
}

Result<database::Connection> Lake::State::connect() {
  const std::lock_guard lock(mutex_);
  if (!database_) {
    database::DatabaseOptions wanted;
    wanted.threads = options.threads;
    wanted.memory_limit_bytes = options.memory_limit_bytes;
    wanted.preserve_insertion_order = true;  // rows stay in the order of arrival, also through compaction
    wanted.temp_directory = directory / "tmp";
    database_ = TILLCAST_TRY_PLAIN(database::Database::open_in_memory(wanted));
  }
  return database_->connect();
}

void Lake::State::after_commit(std::int64_t seq) {
  if (seq % options.checkpoint_interval != 0) return;
  const auto snapshot = refreshed();
  if (snapshot && snapshot->seq >= seq) static_cast<void>(manifest.write_checkpoint(*snapshot).has_value());
}

void remove_unless_visible(Lake::State& lake, const std::vector<DataFile>& files) {
  // kCorruptData from the commit itself means that the entry may be visible: its files must stay.
  const auto now = lake.refreshed();
  for (const DataFile& file : files) {
    const bool visible = !now || std::ranges::find(now->dataset(file.dataset), file.path, &DataFile::path) !=
                                     now->dataset(file.dataset).end();
    if (!visible) static_cast<void>(lake.store.remove(file.path).has_value());
  }
}

Lake::Lake(std::shared_ptr<State> state) : state_(std::move(state)) {}
Lake::Lake(Lake&&) noexcept = default;
Lake& Lake::operator=(Lake&&) noexcept = default;
Lake::~Lake() = default;

Result<Lake> Lake::open(const std::filesystem::path& directory, const LakeOptions& options) {
  std::error_code failed;
  auto whole = std::filesystem::absolute(directory, failed).lexically_normal();
  if (failed) return io_error("cannot resolve " + directory.string() + ": " + failed.message());
  auto store = TILLCAST_TRY_PLAIN(LocalObjectStore::open(whole));
  Lake lake(std::make_shared<State>(std::move(whole), options, std::move(store)));
  if (auto readable = lake.state_->refreshed(); !readable) return std::move(readable.error());
  return lake;
}

Result<Snapshot> Lake::snapshot() const { return state_->refreshed(); }

Result<std::optional<LoadRecord>> Lake::find_load(std::string_view key) const {
  const auto snapshot = TILLCAST_TRY_PLAIN(state_->refreshed());
  const LoadRecord* const load = snapshot.find_load(key);
  return load == nullptr ? std::optional<LoadRecord>{} : std::optional<LoadRecord>{*load};
}

const std::filesystem::path& Lake::directory() const { return state_->directory; }

Result<std::vector<DatasetSummary>> Lake::list() const {
  const auto snapshot = TILLCAST_TRY_PLAIN(state_->refreshed());
  std::vector<DatasetSummary> all;
  for (const auto& [name, files] : snapshot.files) {
    DatasetSummary summary;
    summary.name = name;
    for (const DataFile& file : files) {
      ++summary.files;
      summary.rows += file.rows;
      summary.bytes += file.bytes;
      if (file.date_min && (!summary.date_min || *file.date_min < *summary.date_min))
        summary.date_min = file.date_min;
      if (file.date_max && (!summary.date_max || *file.date_max > *summary.date_max))
        summary.date_max = file.date_max;
    }
    if (summary.files > 0) all.push_back(std::move(summary));
  }
  return all;
}

Result<> Lake::attach_views(database::Connection& connection, const Snapshot& snapshot) const {
  return connection.transaction([&](database::Connection& inside) -> Result<> {
    TILLCAST_TRY_PLAIN(
        inside.execute("CREATE SCHEMA IF NOT EXISTS bronze; CREATE SCHEMA IF NOT EXISTS silver"));
    for (const std::string_view dataset : silver_datasets()) {
      TILLCAST_TRY_PLAIN(replace_view(inside, *state_, std::string(dataset), snapshot.dataset(dataset)));
    }
    const auto views =
        TILLCAST_TRY_PLAIN(inside.query("SELECT view_name FROM duckdb_views() WHERE schema_name = 'bronze' "
                                        "AND database_name = current_database()"));
    for (std::size_t row = 0; row < views.rows(); ++row) {
      if (!snapshot.dataset("bronze." + views.text(row, 0)).empty()) continue;
      TILLCAST_TRY_PLAIN(inside.execute("DROP VIEW bronze." + sql_identifier(views.text(row, 0))));
    }
    for (const auto& [dataset, files] : snapshot.files) {
      if (!dataset.starts_with("bronze.") || files.empty()) continue;
      TILLCAST_TRY_PLAIN(replace_view(inside, *state_, dataset, files));
    }
    return {};
  });
}

}  // namespace tillcast::lake
