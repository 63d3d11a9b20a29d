#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/config.h"
#include "core/progress.h"
#include "core/result.h"
#include "database/database.h"
#include "io/directory_lock.h"
#include "lake/lake.h"

namespace tillcast::pipeline {

/// The opened parts of one data directory, shared by the stages. Made and owned by the Engine.
struct Workspace {
  std::filesystem::path directory;
  Config config;
  io::DirectoryLock lock;
  lake::Lake lake;
  database::Database database;  ///< warehouse.duckdb: gold, forecasts, and views on the lake

  std::mutex writing;                    ///< held by the one writing call
  std::atomic<std::int64_t> version{0};  ///< counts what readers could notice: loads, builds, fits

  std::filesystem::path runs_directory() const { return directory / "runs"; }
  int threads(std::string_view key) const;
};

/// Takes the data directory's lock and opens lake and warehouse; a damaged warehouse is set aside (it can be
/// rebuilt) and `note` says so.
Result<std::unique_ptr<Workspace>> open_workspace(const std::filesystem::path& directory, Config config,
                                                  std::string& note);

/// kNotFound, saying what to run, while the gold tables were never built.
Result<void> require_gold(Workspace& workspace);

/// As Connection::transaction, ended with kCancelled and rolled back when the observer asks for it.
Result<void> stoppable_transaction(database::Connection& connection, const Progress& observer,
                                   const std::function<Result<void>(database::Connection&)>& work);

/// Points the views bronze.* and silver.* at what the lake shows now.
Result<lake::Snapshot> refresh_views(Workspace& workspace);

}  // namespace tillcast::pipeline
