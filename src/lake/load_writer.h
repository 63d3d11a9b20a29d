#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/column_batch.h"
#include "core/progress.h"
#include "core/result.h"
#include "database/value.h"
#include "lake/manifest.h"

namespace tillcast::lake {

/// What is being loaded.
struct LoadInfo {
  std::string key{};                   ///< SHA-256 of the file, 64 hex digits
  std::string file{};                  ///< file name without folders
  std::string source{};                ///< the mapping's source name, silver.*.source
  std::string topic{};                 ///< bronze dataset without "bronze.", e.g. "online_retail"
  std::vector<OffsetRange> offsets{};  ///< streams only
};

struct LoadOptions {
  std::uint64_t buffer_bytes_max = std::uint64_t{192}
                                   << 20;  ///< rows held in memory before files are written
  /// Asked from a thread of the load's own, also while files are written: once it wants to stop, add() and
  /// commit() end with kCancelled, until the load is visible. Must outlive the writer. Null: never.
  const Progress* progress = nullptr;
};

/// How the rows of one add() are stored.
struct AddOptions {
  /// DATE or TIMESTAMPTZ column by whose month the files are split; "" = everything under event_month=none.
  std::string partition_column{};
  /// false: the partition column only decides the folder and is not written (bronze keeps text only).
  bool store_partition_column = true;
  /// Further columns with one value in every row. The load's own columns (bronze: _file, _file_sha256,
  /// _load_seq; silver: source, load_seq; rejects also file, file_sha256) are added by themselves.
  std::vector<std::pair<std::string, database::Value>> constants{};
  /// For silver.sale_line and silver.store_day: the text of a source row as received, for the reject that a
  /// duplicate event becomes. Called during add() with the row's index in the batch. Not set: raw is null.
  std::function<std::string(std::size_t row)> raw_text{};
};

struct AddResult {
  std::size_t stored = 0;
  std::size_t duplicates = 0;  ///< moved to silver.rejects, reason duplicate_event
};

/// Writes one load: data files first, then the manifest entry that makes all of them visible at once. Until
/// commit() returns nothing can be seen, and abort() or the destructor removes what was written. One thread
/// at a time.
class LoadWriter {
 public:
  struct State;  ///< opaque
  LoadWriter(LoadWriter&&) noexcept;
  LoadWriter& operator=(LoadWriter&&) noexcept;
  ~LoadWriter();

  /// Adds rows to "bronze.<topic>", "silver.sale_line", "silver.store_day", "silver.store_plan",
  /// "silver.store" or "silver.rejects". Batches of one dataset must have the same columns. Text must be
  /// valid UTF-8. The batch is kept, not copied, until its files are written. Silver rows with an event_id
  /// that is visible already, or was added before, become rejects.
  Result<AddResult> add(std::string_view dataset, ColumnBatch&& batch, const AddOptions& options = {});

  /// Number that this load's commit will have if no other comes first.
  std::int64_t load_seq() const;

  /// Makes the load visible. `rows_in` must equal the silver rows plus rejects that were added
  /// (kInvalidInput). kConflict when another writer loaded the same file or the same events meanwhile:
  /// nothing is visible, repeat. `progress` hears of rows written, of all that were added.
  Result<ManifestEntry> commit(std::int64_t rows_in, Progress* progress = nullptr);
  /// Share of the rows added that are in files already, 0 to 1.
  double written_share() const;
  /// Removes everything written so far.
  void abort();

 private:
  friend class Lake;
  explicit LoadWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tillcast::lake
