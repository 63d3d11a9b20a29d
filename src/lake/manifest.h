#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/column_batch.h"
#include "core/result.h"
#include "lake/object_store.h"

/// The ordered commit log that says which data files are visible. Format: docs/formats/manifest.md.
namespace tillcast::lake {

constexpr int kManifestFormat = 1;

/// One visible Parquet file.
struct DataFile {
  std::string dataset;  ///< "bronze.online_retail", "silver.sale_line"
  std::string path;     ///< key in the object store
  std::int64_t rows = 0;
  std::uint64_t bytes = 0;
  std::string month;             ///< "2011-11", or "none"
  std::optional<Date> date_min;  ///< of the partition column
  std::optional<Date> date_max;
  std::string checksum;                                   ///< XXH3-64 of the file, 16 hex digits
  std::shared_ptr<const std::vector<ColumnSpec>> schema;  ///< shared by files that have the same columns
};

/// A range of a topic-partition that a streaming commit covers; start inclusive, end exclusive.
struct OffsetRange {
  std::string topic;
  int partition = 0;
  std::int64_t start = 0;
  std::int64_t end = 0;
};

enum class EntryKind : std::uint8_t {
  kLoad,     ///< brings new rows
  kReplace,  ///< the same rows in other files (compaction)
  kDrop,     ///< takes rows away (a load undone)
};

/// rows_in = silver + rejected + duplicates, always.
struct LoadTotals {
  std::int64_t rows_in = 0;
  std::int64_t silver = 0;
  std::int64_t rejected = 0;
  std::int64_t duplicates = 0;
};

/// One commit.
struct ManifestEntry {
  std::int64_t seq = 0;
  EntryKind kind = EntryKind::kLoad;
  std::string key;     ///< SHA-256 of the source file; empty for streams and replaces
  std::string file;    ///< its name, for people
  std::string source;  ///< the mapping's source name
  std::string topic;
  LoadTotals totals;
  std::vector<OffsetRange> offsets;
  std::vector<DataFile> files;       ///< visible from this commit on
  std::vector<std::string> removes;  ///< paths no longer visible
  Timestamp created_at;
  std::string tool_version;
};

/// A file that was loaded.
struct LoadRecord {
  std::int64_t seq = 0;
  std::string key;
  std::string file;
  std::string source;
  std::string topic;
  LoadTotals totals;
  Timestamp created_at;
};

/// What is visible after commit `seq`. A value: later commits do not change it.
struct Snapshot {
  std::int64_t seq = 0;                                ///< 0 = nothing committed yet
  std::map<std::string, std::vector<DataFile>> files;  ///< by dataset, in order of commit
  std::vector<LoadRecord> loads;                       ///< in order of commit
  std::map<std::string, std::int64_t> offsets;         ///< "topic/partition" -> next offset
  std::map<std::string, Timestamp> removed;  ///< path -> when it was replaced; forgotten after a week
  std::int64_t last_drop = 0;                ///< the newest commit that took a load out; 0 = none

  const std::vector<DataFile>& dataset(std::string_view name) const;
  const LoadRecord* find_load(std::string_view key) const;
  std::int64_t rows(std::string_view name) const;
};

/// "topic/partition", the key of Snapshot::offsets.
std::string offset_key(const OffsetRange& range);

/// JSON of one entry, and back. kCorruptData names what is wrong; an entry of a newer format says to update
/// tillcast.
std::string format_entry(const ManifestEntry& entry);
Result<ManifestEntry> parse_entry(std::string_view json, std::string_view name);
std::string format_checkpoint(const Snapshot& snapshot);
Result<Snapshot> parse_checkpoint(std::string_view json, std::string_view name);

/// Adds an entry to a snapshot; refuses (kConflict) a gap in the sequence, a key loaded twice, offsets that
/// overlap, removal of a file or a load that is not visible, a path that is visible already.
Result<> apply_entry(Snapshot& snapshot, const ManifestEntry& entry);

/// Reads and extends the log. Thread-safe as the store is; two writers race safely.
class Manifest {
 public:
  explicit Manifest(ObjectStore& store) : store_(&store) {}

  /// The newest checkpoint and all entries after it.
  Result<Snapshot> read() const;
  /// Brings a snapshot up to date by reading only entries that are new.
  Result<> refresh(Snapshot& snapshot) const;
  /// Creates the entry `entry.seq`, which is the commit. kConflict when another writer took that number.
  Result<> commit(const ManifestEntry& entry) const;
  /// Folds everything up to the snapshot into a checkpoint, so that readers start there. Idempotent.
  Result<> write_checkpoint(const Snapshot& snapshot) const;
  /// All entries still stored, in order (for `lake ls` and verify).
  Result<std::vector<ManifestEntry>> entries() const;

  static std::string entry_key(std::int64_t seq);
  static std::string checkpoint_key(std::int64_t seq);

 private:
  ObjectStore* store_;
};

}  // namespace tillcast::lake
