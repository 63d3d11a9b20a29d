#include "lake/object_store.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>

#include "core/crash_point.h"
#include "io/durable_file.h"
#include "io/file_error.h"

namespace tillcast::lake {
namespace {

constexpr const char* kTemporaryFolder = "tmp";

// Unique across processes and restarts, so that a temporary never meets one of a dead process.
std::string unique_name() {
  static std::atomic<std::uint64_t> counter{std::random_device()()};
  return std::to_string(::getpid()) + "-" +
         std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()) + "-" +
         std::to_string(++counter);
}

Timestamp to_timestamp(std::filesystem::file_time_type time) {
  const auto system = std::chrono::file_clock::to_sys(time);
  return {std::chrono::duration_cast<std::chrono::microseconds>(system.time_since_epoch()).count()};
}

}  // namespace

Result<LocalObjectStore> LocalObjectStore::open(const std::filesystem::path& root) {
  TILLCAST_TRY_PLAIN(io::make_directories(root));
  TILLCAST_TRY_PLAIN(io::make_directories(root / kTemporaryFolder));
  return LocalObjectStore(root);
}

Result<std::filesystem::path> LocalObjectStore::temporary_file() {
  const auto folder = root_ / kTemporaryFolder;
  TILLCAST_TRY_PLAIN(io::make_directories(folder));
  return folder / unique_name();
}

Result<> LocalObjectStore::put_exclusive(const std::string& key, std::string_view content) {
  const auto target = root_ / key;
  TILLCAST_TRY_PLAIN(io::make_directories(target.parent_path()));
  const auto temporary = TILLCAST_TRY_PLAIN(temporary_file());
  auto written = io::write_new_file(temporary, content);
  crash_point("lake.entry.after_write");
  if (written) written = io::rename_exclusively(temporary, target);
  if (!written) {
    static_cast<void>(io::remove_file(temporary).has_value());
    return std::move(written.error()).with_context("create " + key);
  }
  crash_point("lake.entry.after_rename");
  return io::sync_directory(target.parent_path());
}

Result<> LocalObjectStore::publish(const std::filesystem::path& local_file, const std::string& key) {
  const auto target = root_ / key;
  TILLCAST_TRY_PLAIN(io::make_directories(target.parent_path()));
  TILLCAST_TRY_PLAIN(io::sync_file(local_file));
  crash_point("lake.file.after_fsync");
  TILLCAST_TRY_PLAIN(io::rename_exclusively(local_file, target));
  crash_point("lake.file.after_rename");
  TILLCAST_TRY_PLAIN(io::sync_directory(target.parent_path()));
  crash_point("lake.dir.after_fsync");
  return {};
}

Result<std::string> LocalObjectStore::get(const std::string& key) { return io::read_file(root_ / key); }

Result<std::vector<ObjectInfo>> LocalObjectStore::list(const std::string& prefix) {
  std::vector<ObjectInfo> objects;
  // A prefix may end inside a name: look through the folder above it.
  const auto slash = prefix.rfind('/');
  const auto folder = slash == std::string::npos ? root_ : root_ / prefix.substr(0, slash);
  std::error_code failed;
  if (!std::filesystem::exists(folder, failed)) return objects;
  auto at = std::filesystem::recursive_directory_iterator(folder, failed);
  for (; !failed && at != std::filesystem::recursive_directory_iterator(); at.increment(failed)) {
    std::error_code gone;  // removed while we look: not an error
    if (!at->is_regular_file(gone) || gone) continue;
    std::string key = at->path().lexically_relative(root_).generic_string();
    if (!key.starts_with(prefix)) continue;
    const auto bytes = at->file_size(gone);
    const auto modified = gone ? std::filesystem::file_time_type{} : at->last_write_time(gone);
    if (!gone) objects.push_back({std::move(key), bytes, to_timestamp(modified)});
  }
  if (failed) return io::file_error("list", folder, failed.value());
  std::ranges::sort(objects, {}, &ObjectInfo::key);
  return objects;
}

Result<> LocalObjectStore::remove(const std::string& key) { return io::remove_file(root_ / key); }

std::string LocalObjectStore::location(const std::string& key) const { return (root_ / key).string(); }

}  // namespace tillcast::lake
