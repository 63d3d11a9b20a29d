#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/progress.h"
#include "core/result.h"
#include "database/database.h"
#include "lake/load_writer.h"
#include "lake/manifest.h"

namespace tillcast::lake {

struct LakeOptions {
  int threads = 1;  ///< for writing Parquet; more cost CPU, save little time
  std::uint64_t memory_limit_bytes = std::uint64_t{2} << 30;  ///< of the writing database
  std::chrono::seconds orphan_grace{3600};  ///< younger unnamed files may belong to a running load
  std::int64_t checkpoint_interval = 64;    ///< entries between checkpoints
  const Clock* clock = nullptr;             ///< nullptr = the machine's
};

/// One fault or remark found by verify().
struct Finding {
  enum class Severity : std::uint8_t {
    kRemark,  ///< harmless: an orphan that the next collection removes
    kError,   ///< data is missing or damaged
  };
  Severity severity = Severity::kError;
  std::string kind;  ///< missing_file, wrong_size, wrong_checksum, unreadable, wrong_rows, gap, bad_entry,
                     ///< totals, orphan
  std::string path;
  std::string message;
};

struct DatasetSummary {
  std::string name;
  std::int64_t files = 0;
  std::int64_t rows = 0;
  std::uint64_t bytes = 0;
  std::optional<Date> date_min;
  std::optional<Date> date_max;
};

struct CompactionOptions {
  std::uint64_t target_bytes = std::uint64_t{256} << 20;  ///< wanted file size
  std::size_t files_min = 2;                              ///< months with fewer small files are left alone
};

struct CompactionReport {
  std::int64_t files_before = 0;
  std::int64_t files_after = 0;
  std::int64_t rows = 0;
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
};

/// A load that was taken out again.
struct RemovedLoad {
  LoadRecord load;
  std::int64_t removed_seq = 0;  ///< the commit that took it out
  Timestamp removed_at;
};

/// The data directory's `lake/` folder: bronze and silver as Parquet, named by the manifest. Thread-safe for
/// readers; writers race safely through the manifest (src/io/directory_lock.h keeps other processes out).
class Lake {
 public:
  struct State;  ///< opaque
  /// Opens or creates. kCorruptData when the manifest does not read back, kInvalidInput when a newer tillcast
  /// wrote it.
  static Result<Lake> open(const std::filesystem::path& directory, const LakeOptions& options = {});
  Lake(Lake&&) noexcept;
  Lake& operator=(Lake&&) noexcept;
  ~Lake();

  /// What is visible now.
  Result<Snapshot> snapshot() const;
  /// The load of a file, by SHA-256; nullopt when it was not loaded.
  Result<std::optional<LoadRecord>> find_load(std::string_view key) const;

  /// kConflict when the key is loaded already.
  Result<LoadWriter> begin_load(const LoadInfo& info, const LoadOptions& options = {}) const;

  /// Takes a load out again: its rows leave bronze, silver and the rejects in one commit, and its file can be
  /// loaded anew. @param load  its commit number, or the first 8 or more digits of its file's SHA-256.
  /// kNotFound when no visible load is meant, kConflict when a later load passed over lines because they were
  /// in this one, or commits meanwhile. Safe beside readers, as compact() is.
  Result<RemovedLoad> remove_load(std::string_view load) const;
  /// The loads that were taken out, in order of their commits. Reads the whole log.
  Result<std::vector<RemovedLoad>> removed_loads() const;

  /// Creates or replaces schemas bronze and silver with one view per dataset over exactly the snapshot's
  /// files. The fixed silver datasets always exist, empty if need be.
  Result<> attach_views(database::Connection& connection, const Snapshot& snapshot) const;

  Result<std::vector<DatasetSummary>> list() const;
  /// Every named file exists with its size, checksum and rows; no gap in the log; totals reconcile. Empty =
  /// clean.
  Result<std::vector<Finding>> verify(Progress& progress) const;
  /// Joins small files of one month into larger ones; rows and their order within a file stay. Safe beside
  /// readers: old files stay until the grace time has passed. "" = all datasets.
  Result<CompactionReport> compact(std::string_view dataset, const CompactionOptions& options = {}) const;
  /// Deletes replaced files and orphans older than the grace time; returns their keys.
  Result<std::vector<std::string>> collect_garbage() const;

  /// Where the data files are, for Database::lock_down.
  const std::filesystem::path& directory() const;

 private:
  explicit Lake(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// The columns of a fixed silver dataset (docs/formats/silver.md) in order, or an empty span for other names.
std::span<const ColumnSpec> silver_schema(std::string_view dataset);
/// Names of the fixed silver datasets: silver.sale_line, silver.store_day, silver.store_plan,
/// silver.store, silver.rejects.
std::span<const std::string_view> silver_datasets();

/// Every named step at which a load, removal, compaction or checkpoint can be cut off; see
/// core/crash_point.h.
std::span<const char* const> crash_points();

}  // namespace tillcast::lake
