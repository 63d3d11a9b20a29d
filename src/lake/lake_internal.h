#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "database/database.h"
#include "lake/lake.h"
#include "lake/manifest.h"
#include "lake/object_store.h"

/// Private to this folder: what a lake, its writers and its checks share.
namespace tillcast::lake {

struct Lake::State {
  State(std::filesystem::path where, const LakeOptions& wanted, LocalObjectStore opened)
      : directory(std::move(where)), options(wanted), store(std::move(opened)), manifest(store) {}

  std::filesystem::path directory;
  LakeOptions options;
  LocalObjectStore store;
  Manifest manifest;

  Timestamp now() const { return options.clock != nullptr ? options.clock->now() : SystemClock().now(); }
  /// The newest snapshot; reads only entries that are new since the last call.
  Result<Snapshot> refreshed();
  /// A connection to the in-memory database that reads and writes Parquet; made on first use.
  Result<database::Connection> connect();
  /// After a commit: folds the log now and then. Failing to do so is no failure of the commit.
  void after_commit(std::int64_t seq);

 private:
  std::mutex mutex_;
  std::optional<Snapshot> cached_;
  std::optional<database::Database> database_;
};

/// A fresh key in the dataset's folder for one month.
std::string data_file_key(std::string_view dataset, std::string_view month, std::int64_t seq);

/// Runs `query` into a Parquet file, publishes it and completes `file` (path, rows, bytes, checksum).
Result<DataFile> write_data_file(Lake::State& lake, database::Connection& connection,
                                 const std::string& query, DataFile file, std::int64_t seq);

/// After a commit that failed: removes the files written for it, unless a commit shows them all the same.
void remove_unless_visible(Lake::State& lake, const std::vector<DataFile>& files);

/// What the reject of a line says whose event is there already: kDuplicatePrefix, its event_id,
/// kDuplicateSuffix.
constexpr const char* kDuplicateReason = "duplicate_event";
constexpr const char* kDuplicatePrefix = "the event ";
constexpr const char* kDuplicateSuffix = " is there already";

/// read_parquet over these files, as a FROM item. Not for an empty list.
std::string parquet_source(const Lake::State& lake, const std::vector<DataFile>& files);

}  // namespace tillcast::lake
