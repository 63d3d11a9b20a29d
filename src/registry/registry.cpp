#include "registry/registry.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <random>

#include "core/crash_point.h"
#include "io/durable_file.h"
#include "io/file_error.h"
#include "io/file_hash.h"

namespace tillcast::registry {
namespace {

constexpr const char* kVersionFile = "version.json";
constexpr const char* kAliasFile = "aliases.json";

constexpr const char* kAdvice =
    "; roll back to another version with `tillcast model rollback`, or fit again with `tillcast forecast "
    "fit`";

constexpr const char* kCrashPoints[] = {
    "registry.file.after_write",       "registry.version.before_rename",   "registry.version.after_rename",
    "registry.alias.after_write",      "registry.alias.after_rename",      "registry.garbage.after_rename",
    "registry.experiment.after_write", "registry.experiment.after_rename",
};

bool is_plain(std::string_view name, std::string_view also) {
  return !name.empty() && name[0] != '.' && std::ranges::all_of(name, [also](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           also.find(c) != std::string_view::npos;
  });
}

Result<> check_plan(const std::string& plan) {
  if (is_plain(plan, "_")) return {};
  return invalid_input("a plan's name has letters, digits and _, found '" + plan + "'");
}

// Starts with a dot: never taken for a version. Random: in a container every process has the same pid, so
// that the name which a killed one left would be the next one's.
std::string hidden_name(const char* what) {
  thread_local std::mt19937_64 random{(std::uint64_t{std::random_device()()} << 32) ^ std::random_device()()};
  return "." + std::string(what) + "-" + io::xxh3_text(std::to_string(random()));
}

/// A file or folder under a hidden name; removed again unless it was renamed.
class Hidden {
 public:
  explicit Hidden(const std::filesystem::path& folder) : path_(folder / hidden_name("new")) {}
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;
  ~Hidden() {
    std::error_code ignored;  // what stays is removed by the next writer
    if (!renamed_) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  void renamed() { renamed_ = true; }

 private:
  std::filesystem::path path_;
  bool renamed_ = false;
};

// What killed writers left. There is one writer, so nothing hidden is in use.
void remove_leftovers(const std::filesystem::path& folder) {
  std::error_code failed;
  std::vector<std::filesystem::path> leftovers;
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->path().filename().string().starts_with(".")) leftovers.push_back(at->path());
  }
  for (const auto& path : leftovers) {
    std::error_code kept;  // what cannot be removed now is tried again next time
    std::filesystem::remove_all(path, kept);
  }
}

std::string folder_name(int number) {
  char text[16];
  std::snprintf(text, sizeof(text), "%06d", number);
  return text;
}

void note_change(Aliases& aliases, const AliasSwitch& change, const char* alias, int& value, int to) {
  if (value == to) return;
  aliases.changes.push_back({change.at, alias, value, to, change.by, change.reason, change.forced});
  value = to;
}

}  // namespace

std::span<const char* const> crash_points() { return kCrashPoints; }

Result<> replace_file(const std::filesystem::path& path, std::string_view content, const char* after_write,
                      const char* after_rename) {
  Hidden temporary(path.parent_path());
  TILLCAST_TRY_PLAIN(io::write_new_file(temporary.path(), content));
  crash_point(after_write);
  TILLCAST_TRY_PLAIN(io::rename_file(temporary.path(), path));
  temporary.renamed();
  crash_point(after_rename);
  return io::sync_directory(path.parent_path());
}

std::filesystem::path Registry::folder(const std::string& plan, int number) const {
  return root_ / plan / folder_name(number);
}

Result<std::vector<int>> Registry::numbers(const std::string& plan) const {
  TILLCAST_TRY_PLAIN(check_plan(plan));
  std::vector<int> found;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(root_ / plan, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    int number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size() && number > 0 &&
        name == folder_name(number))
      found.push_back(number);
  }
  if (failed && failed != std::errc::no_such_file_or_directory)
    return io::file_error("list", root_ / plan, failed.value());
  std::ranges::sort(found);
  return found;
}

Result<VersionInfo> Registry::add(VersionInfo info, std::span<const NewFile> files) {
  const auto known = TILLCAST_TRY_PLAIN(numbers(info.plan));
  const Aliases history = TILLCAST_TRY_PLAIN(aliases(info.plan));
  info.number = known.empty() ? 1 : known.back() + 1;
  // A deleted number that the history names is not given again.
  for (const auto& change : history.changes) info.number = std::max(info.number, change.to + 1);
  info.files.clear();
  const auto plan_folder = root_ / info.plan;
  TILLCAST_TRY_PLAIN(io::make_directories(plan_folder));
  remove_leftovers(plan_folder);
  Hidden temporary(plan_folder);
  TILLCAST_TRY_PLAIN(io::make_directories(temporary.path()));
  for (const auto& file : files) {
    if (!is_plain(file.name, "_.-") || file.name == kVersionFile)
      return invalid_input("a version cannot hold a file named '" + file.name + "'");
    TILLCAST_TRY_PLAIN(io::write_new_file(temporary.path() / file.name, file.content));
    crash_point("registry.file.after_write");
    info.files.push_back(
        {file.name, static_cast<std::int64_t>(file.content.size()), io::sha256_text(file.content)});
  }
  TILLCAST_TRY_PLAIN(io::write_new_file(temporary.path() / kVersionFile, format_version(info)));
  TILLCAST_TRY_PLAIN(io::sync_directory(temporary.path()));
  crash_point("registry.version.before_rename");
  TILLCAST_TRY_PLAIN(io::rename_exclusively(temporary.path(), folder(info.plan, info.number)));
  temporary.renamed();
  crash_point("registry.version.after_rename");
  TILLCAST_TRY_PLAIN(io::sync_directory(plan_folder));
  return info;
}

Result<std::vector<std::string>> Registry::plans() const {
  std::vector<std::string> names;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(root_, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::string name = at->path().filename().string();
    if (!is_plain(name, "_")) continue;
    const auto known = TILLCAST_TRY_PLAIN(numbers(name));
    if (!known.empty()) names.push_back(std::move(name));
  }
  if (failed && failed != std::errc::no_such_file_or_directory)
    return io::file_error("list", root_, failed.value());
  std::ranges::sort(names);
  return names;
}

Result<std::vector<VersionInfo>> Registry::versions(const std::string& plan,
                                                    std::vector<Finding>* damaged) const {
  // A version that is gone since it was listed was deleted, after newer ones had come: a slow reader would
  // find few, or none, so it looks again. Versions come and go with fits; so many in a row is no race.
  constexpr int kLooks = 100;
  std::vector<VersionInfo> found;
  for (int look = 0; look < kLooks; ++look) {
    found.clear();
    std::vector<Finding> unreadable;
    bool gone = false;
    for (const int number : TILLCAST_TRY_PLAIN(numbers(plan))) {
      const auto path = folder(plan, number) / kVersionFile;
      const auto read = [&path]() -> Result<VersionInfo> {
        const std::string text = TILLCAST_TRY_PLAIN(io::read_file(path));
        return parse_version(text, path.string());
      };
      auto info = read();
      std::error_code ignored;
      if (info) {
        found.push_back(std::move(*info));
      } else if (info.error().code == ErrorCode::kUnavailable) {
        return std::move(info.error());  // too many open files: nothing is wrong with it
      } else if (std::filesystem::exists(path.parent_path(), ignored)) {
        unreadable.push_back(
            {plan, number,
             info.error().message +
                 "; the version is left out until that is done or its folder is moved away"});
      } else {
        gone = true;
      }
    }
    if (gone) continue;
    if (damaged != nullptr) std::ranges::move(unreadable, std::back_inserter(*damaged));
    break;
  }
  return found;
}

Result<VersionInfo> Registry::version(const std::string& plan, int number) const {
  const auto known = TILLCAST_TRY_PLAIN(numbers(plan));
  if (std::ranges::find(known, number) == known.end()) {
    if (known.empty())
      return not_found("plan '" + plan + "' has no model versions; `tillcast forecast fit` makes one");
    std::string list;
    for (const int one : known) list += (list.empty() ? "" : ", ") + std::to_string(one);
    return not_found("plan '" + plan + "' has no version " + std::to_string(number) + "; there are: " + list);
  }
  const auto path = folder(plan, number) / kVersionFile;
  const std::string text = TILLCAST_TRY_PLAIN(io::read_file(path));
  return parse_version(text, path.string());
}

Result<std::string> Registry::read_file(const VersionInfo& info, const std::string& name) const {
  const auto listed = std::ranges::find(info.files, name, &VersionFile::name);
  if (listed == info.files.end())
    return not_found("version " + std::to_string(info.number) + " of plan '" + info.plan + "' has no file " +
                     name);
  const auto path = folder(info.plan, info.number) / name;
  std::string content = TILLCAST_TRY_PLAIN(io::read_file(path, std::uint64_t{4} << 30));
  if (static_cast<std::int64_t>(content.size()) != listed->bytes ||
      io::sha256_text(content) != listed->sha256) {
    return corrupt_data(path.string() + " is not what was stored (its checksum differs)" + kAdvice);
  }
  return content;
}

std::string Registry::problem_of(const VersionInfo& info, Look look) const {
  const auto version = folder(info.plan, info.number);
  for (const auto& file : info.files) {
    const auto path = version / file.name;
    std::error_code failed;
    const auto bytes = std::filesystem::file_size(path, failed);
    if (failed) {
      std::error_code ignored;
      if (!std::filesystem::exists(version, ignored)) return {};  // deleted meanwhile
      return path.string() + " cannot be read (" + failed.message() + ")" + kAdvice;
    }
    if (static_cast<std::int64_t>(bytes) != file.bytes)
      return path.string() + " is not what was stored (it has " + std::to_string(bytes) +
             " bytes, expected " + std::to_string(file.bytes) + ")" + kAdvice;
    if (look == Look::kSizes) continue;
    const auto content = read_file(info, file.name);
    if (!content && content.error().code == ErrorCode::kCorruptData) return content.error().message;
  }
  return {};
}

Result<Aliases> Registry::aliases(const std::string& plan) const {
  TILLCAST_TRY_PLAIN(check_plan(plan));
  const auto path = root_ / plan / kAliasFile;
  auto text = io::read_file(path);
  if (!text && text.error().code == ErrorCode::kNotFound) return Aliases{};
  if (!text) return std::move(text.error());
  return parse_aliases(*text, path.string());
}

Result<Aliases> Registry::switch_aliases(const std::string& plan, const AliasSwitch& change) {
  Aliases aliases = TILLCAST_TRY_PLAIN(this->aliases(plan));
  for (const auto& wanted : {change.champion, change.challenger}) {
    if (wanted.value_or(0) != 0) TILLCAST_TRY_PLAIN(version(plan, *wanted));
  }
  const std::size_t before = aliases.changes.size();
  if (change.champion) note_change(aliases, change, "champion", aliases.champion, *change.champion);
  if (change.challenger) note_change(aliases, change, "challenger", aliases.challenger, *change.challenger);
  if (aliases.changes.size() == before) return aliases;
  TILLCAST_TRY_PLAIN(replace_file(root_ / plan / kAliasFile, format_aliases(aliases),
                                  "registry.alias.after_write", "registry.alias.after_rename"));
  return aliases;
}

Result<std::vector<Finding>> Registry::verify() const {
  std::vector<Finding> findings;
  const auto names = TILLCAST_TRY_PLAIN(plans());
  for (const auto& plan : names) {
    const auto known = TILLCAST_TRY_PLAIN(numbers(plan));
    for (const int number : known) {
      const auto info = version(plan, number);
      if (!info) {
        findings.push_back({plan, number, info.error().message});
        continue;
      }
      for (const auto& file : info->files) {
        if (const auto content = read_file(*info, file.name); !content)
          findings.push_back({plan, number, content.error().message});
      }
    }
    const auto named = aliases(plan);
    if (!named) {
      findings.push_back({plan, 0, named.error().message});
      continue;
    }
    for (const int number : {named->champion, named->challenger}) {
      if (number != 0 && std::ranges::find(known, number) == known.end())
        findings.push_back({plan, number, "an alias names this version, which does not exist"});
    }
  }
  return findings;
}

Result<std::vector<int>> Registry::collect_garbage(const std::string& plan, int keep,
                                                   std::span<const int> pinned) {
  const auto known = TILLCAST_TRY_PLAIN(numbers(plan));
  const Aliases named = TILLCAST_TRY_PLAIN(aliases(plan));
  std::vector<int> deleted;
  const auto newest = static_cast<std::size_t>(std::max(keep, 1));
  for (std::size_t i = 0; i + newest < known.size(); ++i) {
    const int number = known[i];
    if (number == named.champion || number == named.challenger || number == named.before_champion() ||
        std::ranges::find(pinned, number) != pinned.end())
      continue;
    const auto away = root_ / plan / hidden_name("old");
    TILLCAST_TRY_PLAIN(io::rename_exclusively(folder(plan, number), away));
    crash_point("registry.garbage.after_rename");
    deleted.push_back(number);
  }
  remove_leftovers(root_ / plan);
  if (!deleted.empty()) TILLCAST_TRY_PLAIN(io::sync_directory(root_ / plan));
  return deleted;
}

}  // namespace tillcast::registry
