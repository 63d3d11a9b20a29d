#include "pipeline/workspace.h"

#include <thread>

#include "database/cancel_watch.h"
#include "pipeline/settings.h"

namespace tillcast::pipeline {
namespace {

constexpr std::uint64_t kBytesPerMegabyte = 1 << 20;
// Below this, a second thread makes DuckDB's small queries use half as much CPU again and saves a tenth of
// the time.
constexpr std::int64_t kRowsForThreads = 5'000'000;

// Threads of the warehouse, which are set once, when it is opened.
int warehouse_threads(const Config& config, const lake::Snapshot& snapshot) {
  const auto wanted = config.integer("warehouse.threads");
  if (wanted > 0) return static_cast<int>(wanted);
  if (snapshot.rows("silver.sale_line") + snapshot.rows("silver.store_day") < kRowsForThreads) return 1;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

int Workspace::threads(std::string_view key) const {
  const auto wanted = config.integer(key);
  if (wanted > 0) return static_cast<int>(wanted);
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Result<std::unique_ptr<Workspace>> open_workspace(const std::filesystem::path& directory, Config config,
                                                  std::string& note) {
  std::error_code ignored;
  if (!std::filesystem::exists(directory / kSettingsFile, ignored)) {
    return not_found(directory.string() + " is no tillcast data directory (it has no " +
                     std::string(kSettingsFile) +
                     "); make one with `tillcast init`, or name one with --data DIR");
  }
  auto lock = TILLCAST_TRY_PLAIN(io::DirectoryLock::acquire(directory));
  auto lake = TILLCAST_TRY(lake::Lake::open(directory / "lake"), "open the lake");

  database::DatabaseOptions options;
  options.threads = warehouse_threads(config, TILLCAST_TRY(lake.snapshot(), "read the manifest"));
  options.memory_limit_bytes =
      static_cast<std::uint64_t>(config.integer("warehouse.memory_limit_mb")) * kBytesPerMegabyte;
  options.temp_directory = directory / "tmp";
  std::optional<std::filesystem::path> set_aside;
  auto database =
      TILLCAST_TRY(database::Database::open_or_set_aside(directory / "warehouse.duckdb", options, set_aside),
                   "open the warehouse");
  if (set_aside) {
    note = "the warehouse file was damaged and is now " + set_aside->string() +
           "; gold is rebuilt from the lake by the next `tillcast run`";
  }
  auto workspace = std::make_unique<Workspace>(directory, std::move(config), std::move(lock), std::move(lake),
                                               std::move(database));
  TILLCAST_TRY_PLAIN(refresh_views(*workspace));
  // From here on SQL reaches no file but the lake's, whoever sends it.
  database::LockDownOptions lock_down;
  lock_down.allowed_directories = {workspace->lake.directory()};
  if (auto locked = workspace->database.lock_down(lock_down); !locked) return std::move(locked.error());
  return workspace;
}

Result<void> require_gold(Workspace& workspace) {
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const auto tables =
      TILLCAST_TRY_PLAIN(connection.query("SELECT count(*) FROM information_schema.tables WHERE table_name "
                                          "IN ('sales_daily', 'dim_date', 'dim_store')"));
  if (tables.integer(0, 0).value_or(0) < 3) {
    return not_found(
        "there are no gold tables yet; load a file and build them with `tillcast run --input FILE`");
  }
  return {};
}

Result<void> stoppable_transaction(database::Connection& connection, const Progress& observer,
                                   const std::function<Result<void>(database::Connection&)>& work) {
  return connection.transaction([&](database::Connection& inside) -> Result<void> {
    const database::CancelWatch watch(inside, [&observer] { return observer.cancelled(); });
    auto done = work(inside);
    if (watch.fired() || observer.cancelled()) return cancelled("stopped on request; nothing was stored");
    return done;
  });
}

Result<lake::Snapshot> refresh_views(Workspace& workspace) {
  auto snapshot = TILLCAST_TRY(workspace.lake.snapshot(), "read the manifest");
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  if (auto attached = workspace.lake.attach_views(connection, snapshot); !attached)
    return std::move(attached.error());
  return snapshot;
}

}  // namespace tillcast::pipeline
