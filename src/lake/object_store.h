#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/result.h"

namespace tillcast::lake {

struct ObjectInfo {
  std::string key;  ///< relative to the store, with forward slashes
  std::uint64_t bytes = 0;
  Timestamp modified;
};

/// Where a lake's files live: a folder now, S3 later. Keys are relative paths with forward slashes.
/// Thread-safe.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// Creates an object that must not exist yet (kConflict); durable and whole when this returns.
  virtual Result<> put_exclusive(const std::string& key, std::string_view content) = 0;
  /// Moves a finished local file to its key; durable when this returns.
  virtual Result<> publish(const std::filesystem::path& local_file, const std::string& key) = 0;
  virtual Result<std::string> get(const std::string& key) = 0;
  /// All objects whose key starts with `prefix`, in order of key.
  virtual Result<std::vector<ObjectInfo>> list(const std::string& prefix) = 0;
  /// Removing what is gone already is fine.
  virtual Result<> remove(const std::string& key) = 0;
  /// Where SQL reads the object: a path or URL.
  virtual std::string location(const std::string& key) const = 0;
  /// A fresh local path to write a file to before publish().
  virtual Result<std::filesystem::path> temporary_file() = 0;
};

/// A folder on a local file system. Publishing flushes the file, renames it and flushes the folder.
class LocalObjectStore final : public ObjectStore {
 public:
  static Result<LocalObjectStore> open(const std::filesystem::path& root);
  Result<> put_exclusive(const std::string& key, std::string_view content) override;
  Result<> publish(const std::filesystem::path& local_file, const std::string& key) override;
  Result<std::string> get(const std::string& key) override;
  Result<std::vector<ObjectInfo>> list(const std::string& prefix) override;
  Result<> remove(const std::string& key) override;
  std::string location(const std::string& key) const override;
  Result<std::filesystem::path> temporary_file() override;

 private:
  explicit LocalObjectStore(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

}  // namespace tillcast::lake
