#include "pipeline/file_checkpoint.h"

#include <vector>

#include "core/crash_point.h"
#include "core/text.h"
#include "io/durable_file.h"
#include "io/file_hash.h"
#include "registry/code_revision.h"

namespace tillcast::pipeline {
namespace {

constexpr std::uint64_t kBytesReserved = 256 << 20;  // for the version, the lake and the warehouse

// What fit_id does not tell apart: what drivers and attributes mean, and another program of the same version.
std::string key_of(const std::string& fit_id, const PlanSeries& data) {
  std::string seen = fit_id + "\n";
  for (const auto& column : data.attributes) {
    seen += column.name + (column.is_category ? ":category" : ":number");
    for (const auto& word : column.words) seen += "\t" + word;
    seen += "\n";
  }
  for (const auto& series : data.series) {
    for (const auto& driver : series.drivers)
      seen += std::to_string(static_cast<int>(driver.kind)) + driver.name + "\t";
    seen += "\n";
  }
  const auto program = io::xxh3_file("/proc/self/exe");
  return io::xxh3_text(seen + (program ? *program : std::string(registry::code_revision())));
}

template <class Test>
void remove_from(const std::filesystem::path& folder, const Test& goes) {
  std::error_code failed;
  std::vector<std::filesystem::path> left;
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (goes(at->path().filename().string())) left.push_back(at->path());
  }
  for (const auto& path : left) {
    std::error_code kept;  // what cannot be removed now is tried again next time
    std::filesystem::remove_all(path, kept);
  }
}

}  // namespace

std::filesystem::path checkpoint_folder(const Workspace& workspace) {
  return workspace.runs_directory() / "checkpoints";
}

FileCheckpoint::FileCheckpoint(const std::filesystem::path& folder, std::string plan, std::string fit_id,
                               const PlanSeries& data, StageObserver& observer)
    : plan_folder_(folder / plan),
      plan_(std::move(plan)),
      fit_id_(std::move(fit_id)),
      data_(data),
      observer_(observer) {}

void FileCheckpoint::begin() {
  if (!steps_.empty()) return;
  const std::string key = key_of(fit_id_, data_);
  steps_ = plan_folder_ / key;
  remove_from(plan_folder_, [&key](const std::string& name) { return name != key; });
  // Half-written files of a killed writer, whose name may be one of ours: in a container all have one pid.
  remove_from(steps_, [](const std::string& name) { return name.starts_with("."); });
}

std::optional<std::string> FileCheckpoint::find(const std::string& step) {
  begin();
  auto bytes = io::read_file(steps_ / step);
  return bytes ? std::optional(std::move(*bytes)) : std::nullopt;
}

void FileCheckpoint::keep(const std::string& step, std::string_view bytes) {
  begin();
  if (gave_up_) return;
  const auto write = [&]() -> Result<> {
    TILLCAST_TRY_PLAIN(io::make_directories(steps_));
    const auto available = TILLCAST_TRY_PLAIN(io::free_bytes(steps_));
    if (available < kBytesReserved + bytes.size())
      return disk_full("the disk is nearly full: " + std::to_string(available) + " bytes are left");
    return io::write_file_atomically(steps_ / step, bytes);
  };
  const auto written = write();
  crash_point("checkpoint.kept");
  if (written) return;
  gave_up_ = true;
  observer_.note(plan_ +
                 ": what is trained cannot be kept, so that a training which is stopped begins again: " +
                 written.error().message);
}

void FileCheckpoint::resumed(std::size_t found, std::size_t series) {
  observer_.note(plan_ + ": resumed: " + std::to_string(found) + " of " + std::to_string(series) +
                 " series were back-tested before the last training was stopped");
}

void FileCheckpoint::remove() const {
  std::error_code kept;  // what stays is removed by the next training of the plan
  std::filesystem::remove_all(plan_folder_, kept);
}

}  // namespace tillcast::pipeline
