#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>

#include "cli/commands/commands.h"
#include "cli/dispatch.h"
#include "cli/result_format.h"
#include "core/civil_time.h"
#include "core/time_zone.h"
#include "core/version.h"
#include "database/database.h"
#include "pipeline/engine.h"
#include "pipeline/settings.h"

namespace tillcast::cli {
namespace {

constexpr std::uint64_t kFreeBytesWanted = std::uint64_t{1} << 30;

/// Collects findings, one line each.
class Checklist {
 public:
  explicit Checklist(Terminal& terminal) : terminal_(terminal) {}
  void ok(const std::string& what) { terminal_.out("ok       " + what + "\n"); }
  void warn(const std::string& what) { terminal_.out("warning  " + what + "\n"); }
  void fail(const std::string& what) {
    ++failures_;
    terminal_.out("problem  " + what + "\n");
  }
  int failures() const { return failures_; }

 private:
  Terminal& terminal_;
  int failures_ = 0;
};

void check_disk(const std::filesystem::path& folder, Checklist& list) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0)
    return list.fail("no such folder: " + folder.string() + "; make it with `tillcast init`");
  const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const std::string text = format_bytes(free) + " free in " + folder.string();
  if (free < kFreeBytesWanted)
    list.warn(text + "; loads need about the size of their file");
  else
    list.ok(text);
  if (::access(folder.c_str(), W_OK) != 0)
    list.fail(folder.string() + " is not writable by this user; change its owner or choose another --data");
  else
    list.ok(folder.string() + " is writable");
}

void check_memory(std::int64_t limit_mb, Checklist& list) {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  std::int64_t kilobytes = 0;
  std::string unit;
  while (meminfo >> name >> kilobytes >> unit) {
    if (name != "MemAvailable:") continue;
    const std::string text = format_bytes(static_cast<std::uint64_t>(kilobytes) * 1024) +
                             " memory available, warehouse.memory_limit_mb is " + std::to_string(limit_mb);
    if (kilobytes / 1024 < limit_mb)
      list.warn(text + "; lower it, or free memory");
    else
      list.ok(text);
    return;
  }
}

/// The files that the settings name beside the data.
void check_driver_files(const std::filesystem::path& folder, const Config& config, Checklist& list) {
  std::vector<std::filesystem::path> files;
  if (const auto holidays = config.text("forecast.holidays"); !holidays.empty()) files.emplace_back(holidays);
  if (const auto drivers = pipeline::configured_driver_files(config)) {
    for (const auto& one : *drivers) files.push_back(one.file);
  }
  for (const auto& file : files) {
    const auto path = file.is_absolute() ? file : folder / file;
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored))
      list.ok("drivers of the forecasts in " + path.string());
    else
      list.fail("there is no " + path.string() + ", which the settings name for the forecasts");
  }
}

}  // namespace

CommandSpec doctor_command() {
  CommandSpec command;
  command.name = "doctor";
  command.summary = "check this machine and the data directory";
  command.examples = "  tillcast doctor\n";
  command.access = Access::kNone;
  command.run = [](CommandContext& context) -> Result<int> {
    Checklist list(context.terminal);
    list.ok("tillcast " + std::string(kVersion) + ", DuckDB " + database::duckdb_version());
    const auto zone = TimeZone::load("Europe/London");
    if (zone)
      list.ok("time zone data is installed");
    else
      list.fail("time zone data is missing: " + zone.error().message + "; on Debian: apt-get install tzdata");
    check_disk(context.data_directory, list);
    auto config = settings_of(context);
    if (!config) {
      list.fail(config.error().message);
      return kExitFailed;
    }
    check_memory(config->integer("warehouse.memory_limit_mb"), list);
    check_driver_files(context.data_directory, *config, list);
    std::error_code ignored;
    if (!std::filesystem::exists(context.data_directory / pipeline::kSettingsFile, ignored)) {
      list.warn(context.data_directory.string() + " is no data directory yet; `tillcast init` makes one");
      return list.failures() == 0 ? kExitOk : kExitFailed;
    }
    auto engine = pipeline::Engine::open(context.data_directory, std::move(*config));
    if (!engine && engine.error().code == ErrorCode::kUnavailable) {
      list.ok("in use by a running process: " + engine.error().message);
    } else if (!engine) {
      list.fail(engine.error().message);
    } else {
      const auto snapshot = (*engine)->lake_snapshot();
      if (!snapshot)
        list.fail(snapshot.error().message);
      else
        list.ok("lake at commit " + std::to_string(snapshot->seq) + " with " +
                std::to_string(snapshot->loads.size()) + " loaded files");
      const auto ready = (*engine)->readiness();
      if (ready.ready)
        list.ok("gold and forecasts are built: " + ready.detail);
      else
        list.warn(ready.detail);
    }
    return list.failures() == 0 ? kExitOk : kExitFailed;
  };
  return command;
}

}  // namespace tillcast::cli
