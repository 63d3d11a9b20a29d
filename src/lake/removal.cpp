#include <algorithm>
#include <charconv>

#include "core/crash_point.h"
#include "core/version.h"
#include "lake/lake_internal.h"

namespace tillcast::lake {
namespace {

constexpr std::size_t kKeyDigitsMin = 8;

std::string load_name(const LoadRecord& load) {
  return "commit " + std::to_string(load.seq) + " (" + load.file + ")";
}

std::string number_column(std::string_view dataset) {
  return dataset.starts_with("bronze.") ? "_load_seq" : "load_seq";
}

Result<LoadRecord> find(const Snapshot& snapshot, std::string_view wanted) {
  std::int64_t seq = 0;
  const auto number = std::from_chars(wanted.data(), wanted.data() + wanted.size(), seq);
  const bool is_number = number.ec == std::errc{} && number.ptr == wanted.data() + wanted.size();
  const LoadRecord* found = nullptr;
  for (const LoadRecord& load : snapshot.loads) {
    if (is_number && load.seq == seq) return load;
    if (wanted.size() < kKeyDigitsMin || !load.key.starts_with(wanted)) continue;
    if (found != nullptr)
      return invalid_input("\"" + std::string(wanted) + "\" may be " + load_name(*found) + " or " +
                           load_name(load) + "; give more digits");
    found = &load;
  }
  if (found != nullptr) return *found;
  return not_found("there is no load \"" + std::string(wanted) +
                   "\"; give the commit number, or 8 or more digits of the file's SHA-256: `tillcast lake ls "
                   "--loads` lists them");
}

class Removal {
 public:
  Removal(Lake::State& lake, database::Connection&& connection, Snapshot&& snapshot, LoadRecord&& load)
      : lake_(lake),
        connection_(std::move(connection)),
        snapshot_(std::move(snapshot)),
        load_(std::move(load)) {}

  Result<RemovedLoad> run() {
    TILLCAST_TRY_PLAIN(check_later_loads());
    entry_.seq = snapshot_.seq + 1;
    entry_.kind = EntryKind::kDrop;
    entry_.key = load_.key;
    entry_.file = load_.file;
    entry_.source = load_.source;
    entry_.topic = load_.topic;
    entry_.totals = load_.totals;
    entry_.tool_version = "tillcast " + std::string(kVersion);
    auto done = choose_files();
    if (done) done = commit();
    if (!done) {
      remove_unless_visible(lake_, entry_.files);
      return std::move(done.error());
    }
    return RemovedLoad{load_, entry_.seq, entry_.created_at};
  }

 private:
  // Lines that a later load passed over because they were here would be nowhere.
  Result<> check_later_loads() {
    const bool any = std::ranges::any_of(snapshot_.loads, [this](const LoadRecord& other) {
      return other.seq > load_.seq && other.totals.duplicates > 0;
    });
    if (!any) return {};
    const std::string seq = std::to_string(load_.seq);
    std::string events;
    for (const char* const dataset : {"silver.sale_line", "silver.store_day"}) {
      if (snapshot_.dataset(dataset).empty()) continue;
      events += (events.empty() ? "" : " UNION ALL ") +
                ("SELECT event_id FROM " + parquet_source(lake_, snapshot_.dataset(dataset))) +
                " WHERE load_seq = " + seq;
    }
    const auto& rejects = snapshot_.dataset("silver.rejects");
    if (events.empty() || rejects.empty()) return {};
    const auto found =
        TILLCAST_TRY(connection_.query("SELECT load_seq, count(*) FROM " + parquet_source(lake_, rejects) +
                                       " WHERE load_seq > " + seq +
                                       " AND reason = " + database::sql_quote(kDuplicateReason) +
                                       " AND message IN (SELECT " + database::sql_quote(kDuplicatePrefix) +
                                       " || event_id || " + database::sql_quote(kDuplicateSuffix) +
                                       " FROM (" + events + ")) GROUP BY load_seq ORDER BY load_seq DESC"),
                     "look for the lines in later loads");
    if (found.rows() == 0) return {};
    const auto later = std::ranges::find(snapshot_.loads, found.integer(0, 0).value_or(0), &LoadRecord::seq);
    const std::string name = later == snapshot_.loads.end() ? "a later load" : load_name(*later);
    return conflict(name + " passed over " + found.text(0, 1) + " lines because they are in " +
                    load_name(load_) + ": take it out first, and load it again afterwards");
  }

  Result<> choose_files() {
    LoadTotals found;
    for (const auto& [dataset, files] : snapshot_.files) {
      if (dataset.starts_with("bronze.") && dataset != "bronze." + load_.topic) continue;
      for (const DataFile& file : files) {
        const std::int64_t rows = TILLCAST_TRY(take_from(file), file.path);
        if (dataset == "silver.rejects")
          found.rejected += rows;
        else if (dataset.starts_with("silver."))
          found.silver += rows;
      }
    }
    if (found.silver == load_.totals.silver &&
        found.rejected == load_.totals.rejected + load_.totals.duplicates)
      return {};
    return corrupt_data(load_name(load_) + " holds " + std::to_string(found.silver) + " silver rows and " +
                        std::to_string(found.rejected) + " rejects, expected " +
                        std::to_string(load_.totals.silver) + " and " +
                        std::to_string(load_.totals.rejected + load_.totals.duplicates) +
                        "; nothing was changed, run `tillcast lake verify`");
  }

  // A file of this load alone goes; a compacted one is written again without its rows.
  Result<std::int64_t> take_from(const DataFile& file) {
    const std::string rows_of = number_column(file.dataset) + " = " + std::to_string(load_.seq);
    const std::string source = parquet_source(lake_, {file});
    const auto counted =
        TILLCAST_TRY_PLAIN(connection_.query("SELECT count(*) FROM " + source + " WHERE " + rows_of));
    const std::int64_t rows = counted.integer(0, 0).value_or(0);
    if (rows == 0) return rows;
    entry_.removes.push_back(file.path);
    if (rows == file.rows) return rows;
    entry_.files.push_back(TILLCAST_TRY_PLAIN(write_data_file(
        lake_, connection_, "SELECT * FROM " + source + " WHERE NOT (" + rows_of + ")", file, entry_.seq)));
    if (entry_.files.back().rows != file.rows - rows)
      return corrupt_data("kept " + std::to_string(entry_.files.back().rows) + " rows, expected " +
                          std::to_string(file.rows - rows) + "; run `tillcast lake verify`");
    return rows;
  }

  // Whatever came meanwhile was not looked at, so the number is not moved as compaction moves its own.
  Result<> commit() {
    entry_.created_at = lake_.now();
    TILLCAST_TRY_PLAIN(apply_entry(snapshot_, entry_));
    crash_point("lake.remove.before_entry");
    if (auto committed = lake_.manifest.commit(entry_); !committed) {
      if (committed.error().code != ErrorCode::kConflict) return committed;
      return conflict("another command changed the lake meanwhile; repeat");
    }
    crash_point("lake.remove.after_entry");
    lake_.after_commit(entry_.seq);
    return {};
  }

  Lake::State& lake_;
  database::Connection connection_;
  Snapshot snapshot_;
  LoadRecord load_;
  ManifestEntry entry_;
};

}  // namespace

Result<RemovedLoad> Lake::remove_load(std::string_view load) const {
  auto snapshot = TILLCAST_TRY_PLAIN(state_->refreshed());
  auto found = TILLCAST_TRY_PLAIN(find(snapshot, load));
  if (found.key.empty())
    return invalid_input(load_name(found) + " is part of a stream and cannot be taken out");
  return Removal(*state_, TILLCAST_TRY_PLAIN(state_->connect()), std::move(snapshot), std::move(found)).run();
}

Result<std::vector<RemovedLoad>> Lake::removed_loads() const {
  const auto entries = TILLCAST_TRY_PLAIN(state_->manifest.entries());
  std::vector<RemovedLoad> removed;
  for (auto drop = entries.begin(); drop != entries.end(); ++drop) {
    if (drop->kind != EntryKind::kDrop) continue;
    for (auto load = drop; load != entries.begin();) {
      --load;
      if (load->kind != EntryKind::kLoad || load->key != drop->key) continue;
      removed.push_back(
          {{load->seq, load->key, load->file, load->source, load->topic, load->totals, load->created_at},
           drop->seq,
           drop->created_at});
      break;
    }
  }
  std::ranges::sort(removed, {}, [](const RemovedLoad& one) { return one.load.seq; });
  return removed;
}

}  // namespace tillcast::lake
