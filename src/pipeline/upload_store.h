#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/civil_time.h"
#include "core/result.h"
#include "io/durable_file.h"
#include "io/file_hash.h"

namespace tillcast::pipeline {

/// A sales file that was received whole, checked and stored.
struct Upload {
  std::string id;       ///< SHA-256 of the file, 64 hex digits
  std::string name;     ///< what the client called it: a label, never a path
  std::string format;   ///< csv or xlsx, by content
  std::string mapping;  ///< the column mapping that fits its header
  std::int64_t bytes = 0;
  Timestamp received_at;
  std::string job_id;  ///< of the newest job for it; empty only between the two commits
  int jobs = 0;        ///< how many were started: 1, more after replays
};

/// A file on its way in: appended to on any one thread at a time, hashed on the way, removed unless accepted.
class IncomingUpload {
 public:
  /// kDiskFull when there is no space left.
  Result<> write(std::string_view bytes);
  ~IncomingUpload() { --*open_; }

 private:
  friend class UploadStore;
  IncomingUpload(std::unique_ptr<io::GrowingFile> file, std::filesystem::path path,
                 std::shared_ptr<std::atomic<int>> open)
      : file_(std::move(file)), path_(std::move(path)), open_(std::move(open)) {}
  std::unique_ptr<io::GrowingFile> file_;
  std::filesystem::path path_;
  std::shared_ptr<std::atomic<int>> open_;
  io::RunningSha256 hash_;
  std::uint64_t next_look_ = 0;  ///< at the disk's free space
};

/// The folder `uploads/` of a data directory: `<sha256>.csv|xlsx`, its record `<sha256>.json`, and what is on
/// its way in `incoming/`. The record is the commit: a file without one is removed at the next start. It is
/// also the event that its job is started from, exactly once. Thread-safe.
class UploadStore {
 public:
  static constexpr int kIncomingMax = 4;  ///< files received at the same time

  /// Reads the records, removes what a crash left half-received.
  static Result<std::unique_ptr<UploadStore>> open(const std::filesystem::path& data_directory,
                                                   const Clock& clock);

  /// @param bytes_expected  when the client says so. kDiskFull when they do not fit, kUnavailable when
  /// kIncomingMax are on their way.
  Result<std::unique_ptr<IncomingUpload>> begin(std::optional<std::uint64_t> bytes_expected);

  struct Accepted {
    Upload upload;
    bool existing = false;  ///< the same bytes were accepted before: nothing was stored
  };
  /// Checks the file and stores it durably. @param name  what the client calls it, any text. @param mapping a
  /// preset's name; empty = picked by header. kInvalidInput says what is wrong with the file: no csv or xlsx,
  /// no known header, or no readable row at its beginning.
  Result<Accepted> accept(std::unique_ptr<IncomingUpload> incoming, const std::string& name,
                          const std::string& mapping);

  /// What the client calls a file that it sends again.
  Result<> set_name(const std::string& id, const std::string& name);

  /// Removes an upload that no job was started for.
  void forget(const std::string& id);

  /// Notes the job that was started for an upload: in memory even when the record cannot be written.
  Result<> set_job(const std::string& id, const std::string& job_id, int jobs);

  std::optional<Upload> find(const std::string& id) const;
  /// Newest first. @param cursor  id of the first to show, empty = newest; kInvalidInput for another text.
  Result<std::pair<std::vector<Upload>, std::string>> page(const std::string& cursor,
                                                           std::size_t limit) const;
  std::vector<Upload> all() const;
  std::filesystem::path path_of(const Upload& upload) const;

 private:
  UploadStore(std::filesystem::path folder, const Clock& clock) : folder_(std::move(folder)), clock_(clock) {}
  Result<> write(const Upload& upload) const;
  Result<> change(const std::string& id, const std::function<void(Upload&)>& how);
  void remove_files(const Upload& upload) const;
  const std::filesystem::path folder_;
  const Clock& clock_;
  std::shared_ptr<std::atomic<int>> open_ = std::make_shared<std::atomic<int>>(0);
  std::atomic<std::int64_t> next_incoming_{1};
  mutable std::mutex mutex_;
  std::map<std::string, Upload> uploads_;
};

/// What to show of a client's file name: its last segment, printable UTF-8, at most 200 bytes; "upload" when
/// nothing is left. Pure.
std::string file_label(std::string_view name);

}  // namespace tillcast::pipeline
