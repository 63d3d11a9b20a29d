#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "registry/aliases.h"
#include "registry/version.h"

namespace tillcast::registry {

/// A file to store in a version.
struct NewFile {
  std::string name;  ///< letters, digits, _ . -; not version.json
  std::string content;
};

/// What to change of a plan's aliases; an alias that is not named stays.
struct AliasSwitch {
  std::optional<int> champion;
  std::optional<int> challenger;  ///< 0 takes it away
  std::string at;                 ///< ISO 8601 in UTC
  std::string by;
  std::string reason;
  bool forced = false;
};

/// What verify() found.
struct Finding {
  std::string plan;
  int version = 0;  ///< 0 = of the plan itself
  std::string message;
};

/// Names of the steps at which tests kill the process, in the order of their way.
std::span<const char* const> crash_points();

/// The versions of all plans in one folder. Reading is thread-safe beside one writer: a version appears by
/// the rename of its folder, aliases change by the rename of their file, and neither is ever half there.
/// Writers go one at a time (the engine's write lock).
class Registry {
 public:
  /// @param root  `<data>/models`; made when the first version is added
  explicit Registry(std::filesystem::path root) : root_(std::move(root)) {}

  /// Stores a version: `info` without number and files, which are filled in. Durable when it returns; a crash
  /// before that leaves nothing visible, and a failure nothing at all. What killed writers left is removed.
  /// @return what was stored
  Result<VersionInfo> add(VersionInfo info, std::span<const NewFile> files);

  /// Names of the plans that have versions, sorted.
  Result<std::vector<std::string>> plans() const;
  /// Those that read, oldest first; empty for a plan without versions. One that is deleted meanwhile is left
  /// out; so is a damaged one, which `damaged` receives: it must not stop the others.
  Result<std::vector<VersionInfo>> versions(const std::string& plan,
                                            std::vector<Finding>* damaged = nullptr) const;
  /// kNotFound lists the versions there are.
  Result<VersionInfo> version(const std::string& plan, int number) const;
  /// A file of a version; kCorruptData when it is not what was stored.
  Result<std::string> read_file(const VersionInfo& info, const std::string& name) const;
  /// kSizes: the files are there and as long as they were. kContent: read and compared as well.
  enum class Look : std::uint8_t { kSizes, kContent };
  /// Which file of a version is damaged and what to do, for people; empty when none is.
  std::string problem_of(const VersionInfo& info, Look look) const;

  /// No alias and no change for a plan without any.
  Result<Aliases> aliases(const std::string& plan) const;
  /// Switches in one step; an alias that would not change adds nothing to the history. kNotFound for a
  /// version that does not exist.
  Result<Aliases> switch_aliases(const std::string& plan, const AliasSwitch& change);

  /// Compares every file of every version with its checksum.
  Result<std::vector<Finding>> verify() const;
  /// Deletes versions except the newest `keep` (at least 1), those with an alias, the one a roll-back would
  /// take and `pinned`; and what crashed writers left. @return the numbers deleted
  Result<std::vector<int>> collect_garbage(const std::string& plan, int keep, std::span<const int> pinned);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path folder(const std::string& plan) const { return root_ / plan; }

 private:
  std::filesystem::path folder(const std::string& plan, int number) const;
  Result<std::vector<int>> numbers(const std::string& plan) const;
  std::filesystem::path root_;
};

/// Replaces a small file by a rename, with the crash points `<point>.after_write` and `<point>.after_rename`.
Result<> replace_file(const std::filesystem::path& path, std::string_view content, const char* after_write,
                      const char* after_rename);

}  // namespace tillcast::registry
