#include <algorithm>
#include <set>

#include "core/crash_point.h"
#include "core/version.h"
#include "lake/lake_internal.h"

namespace tillcast::lake {
namespace {

using Group = std::vector<DataFile>;

// Neighbours in commit order are joined, so that rows stay in the order in which they came.
std::vector<Group> choose_groups(const Snapshot& snapshot, std::string_view dataset,
                                 const CompactionOptions& options) {
  std::vector<Group> groups;
  for (const auto& [name, files] : snapshot.files) {
    if (!dataset.empty() && name != dataset) continue;
    std::map<std::string, Group> by_month;
    for (const DataFile& file : files) by_month[file.month].push_back(file);
    for (auto& [month, members] : by_month) {
      Group group;
      std::uint64_t bytes = 0;
      const auto close = [&] {
        if (group.size() >= std::max<std::size_t>(options.files_min, 2)) groups.push_back(std::move(group));
        group.clear();
        bytes = 0;
      };
      for (DataFile& file : members) {
        if (file.bytes * 2 > options.target_bytes) {
          close();
          continue;
        }
        if (bytes + file.bytes > options.target_bytes) close();
        bytes += file.bytes;
        group.push_back(std::move(file));
      }
      close();
    }
  }
  return groups;
}

Result<DataFile> join(Lake::State& lake, database::Connection& connection, const Group& group,
                      std::int64_t seq) {
  DataFile joined;
  joined.dataset = group.front().dataset;
  joined.month = group.front().month;
  auto columns = std::make_shared<std::vector<ColumnSpec>>();
  std::int64_t rows = 0;
  std::string select;
  for (const DataFile& file : group) {
    rows += file.rows;
    if (file.date_min && (!joined.date_min || *file.date_min < *joined.date_min))
      joined.date_min = file.date_min;
    if (file.date_max && (!joined.date_max || *file.date_max > *joined.date_max))
      joined.date_max = file.date_max;
    for (const ColumnSpec& column : *file.schema) {
      if (std::ranges::find(*columns, column.name, &ColumnSpec::name) != columns->end()) continue;
      columns->push_back(column);
      select += (select.empty() ? "" : ", ") + database::sql_identifier(column.name);
    }
  }
  joined.schema = std::move(columns);
  auto file = TILLCAST_TRY_PLAIN(write_data_file(
      lake, connection, "SELECT " + select + " FROM " + parquet_source(lake, group), std::move(joined), seq));
  if (file.rows != rows) {
    static_cast<void>(lake.store.remove(file.path).has_value());
    return corrupt_data("compaction of " + file.dataset + " " + file.month + " read " +
                        std::to_string(file.rows) + " rows, expected " + std::to_string(rows) +
                        "; run `tillcast lake verify`");
  }
  return file;
}

// The replace entry; a load that commits meanwhile only moves its number.
Result<> commit_replace(Lake::State& lake, ManifestEntry entry) {
  for (;;) {
    Snapshot trial = TILLCAST_TRY_PLAIN(lake.refreshed());
    entry.seq = trial.seq + 1;
    entry.created_at = lake.now();
    TILLCAST_TRY_PLAIN(apply_entry(trial, entry));
    crash_point("lake.compact.before_entry");
    auto committed = lake.manifest.commit(entry);
    if (committed) {
      crash_point("lake.compact.after_entry");
      lake.after_commit(entry.seq);
      return {};
    }
    if (committed.error().code != ErrorCode::kConflict) return committed;
  }
}

}  // namespace

Result<CompactionReport> Lake::compact(std::string_view dataset, const CompactionOptions& options) const {
  const auto snapshot = TILLCAST_TRY_PLAIN(state_->refreshed());
  if (!dataset.empty() && snapshot.dataset(dataset).empty() && silver_schema(dataset).empty()) {
    return not_found("there is no dataset " + std::string(dataset) + "; `tillcast lake ls` lists them");
  }
  CompactionReport report;
  const auto groups = choose_groups(snapshot, dataset, options);
  if (!groups.empty()) {
    ManifestEntry entry;
    entry.kind = EntryKind::kReplace;
    entry.tool_version = "tillcast " + std::string(kVersion);
    auto connection = TILLCAST_TRY_PLAIN(state_->connect());
    const auto done = [&]() -> Result<> {
      for (const Group& group : groups) {
        entry.files.push_back(TILLCAST_TRY(join(*state_, connection, group, snapshot.seq + 1), "compact"));
        for (const DataFile& file : group) {
          entry.removes.push_back(file.path);
          ++report.files_before;
          report.bytes_before += file.bytes;
        }
        ++report.files_after;
        report.rows += entry.files.back().rows;
        report.bytes_after += entry.files.back().bytes;
      }
      return commit_replace(*state_, entry);
    }();
    if (!done) {
      remove_unless_visible(*state_, entry.files);
      return done.error();
    }
  }
  TILLCAST_TRY_PLAIN(collect_garbage());
  return report;
}

Result<std::vector<std::string>> Lake::collect_garbage() const {
  // Listed first, compared with a newer snapshot: a file published and committed in between is named by it.
  std::vector<ObjectInfo> objects;
  for (const char* const folder : {"bronze/", "silver/", "tmp/"}) {
    auto found = TILLCAST_TRY_PLAIN(state_->store.list(folder));
    std::ranges::move(found, std::back_inserter(objects));
  }
  const auto snapshot = TILLCAST_TRY_PLAIN(state_->refreshed());
  std::set<std::string_view> named;
  for (const auto& [dataset, files] : snapshot.files) {
    for (const DataFile& file : files) named.insert(file.path);
  }
  const std::int64_t grace = std::chrono::microseconds(state_->options.orphan_grace).count();
  const std::int64_t now = state_->now().micros;
  std::vector<std::string> deleted;
  for (const ObjectInfo& object : objects) {
    if (named.contains(object.key)) continue;
    // A replaced file may still be read by a query that began before.
    const auto removed = snapshot.removed.find(object.key);
    const std::int64_t since = removed == snapshot.removed.end()
                                   ? object.modified.micros
                                   : std::max(object.modified.micros, removed->second.micros);
    if (now - since < grace) continue;
    TILLCAST_TRY_PLAIN(state_->store.remove(object.key));
    crash_point("lake.compact.after_remove");
    deleted.push_back(object.key);
  }
  return deleted;
}

}  // namespace tillcast::lake
