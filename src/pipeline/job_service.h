#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "pipeline/job.h"
#include "pipeline/upload_store.h"

namespace tillcast::pipeline {

/// Which forecasts to train. Neither field: every plan.
struct TrainRequest {
  std::string plan;
  std::string series_id;
  std::string idempotency_key;  ///< empty = none
};

struct JobPage {
  std::vector<Job> jobs;    ///< newest first
  std::string next_cursor;  ///< empty on the last page
};

/// An upload with what became of it.
struct UploadStatus {
  Upload upload;
  std::optional<Job> job;  ///< the newest one
  /// queued, running, ... as the job; dead_letter when its job failed for good.
  std::string state() const;
  /// Why it is a dead letter; empty otherwise.
  std::string reason() const;
};

struct UploadPage {
  std::vector<UploadStatus> uploads;  ///< newest first
  std::string next_cursor;            ///< empty on the last page
};

/// Takes a body piece by piece on its way in; destroyed early, nothing of it stays.
class UploadSink {
 public:
  virtual ~UploadSink() = default;
  virtual Result<> write(std::string_view bytes) = 0;
};

/// What the API and the CLI ask about work that takes longer than a request. All calls are thread-safe.
class JobService {
 public:
  virtual ~JobService() = default;

  struct Started {
    Job job;
    bool existing = false;  ///< the idempotency key was used before
  };
  /// Queues a training. kNotFound for an unknown plan or series, or when there is no data yet.
  virtual Result<Started> train(const TrainRequest& request) = 0;
  /// kInvalidInput for a cursor that is none.
  virtual Result<JobPage> jobs(std::optional<JobState> state, const std::string& cursor, int limit) = 0;
  /// kNotFound for an unknown id.
  virtual Result<Job> job(const std::string& id) = 0;
  /// See JobStore::cancel.
  virtual Result<Job> cancel_job(const std::string& id) = 0;

  /// A place for a body of so many bytes (when known). kDiskFull, kUnavailable: see UploadStore::begin.
  virtual Result<std::unique_ptr<UploadSink>> begin_upload(std::optional<std::uint64_t> bytes) = 0;
  struct AcceptedUpload {
    UploadStatus status;
    bool existing = false;  ///< the same file was accepted before; nothing new was started
  };
  /// Checks and keeps what the sink received, and starts its job. See UploadStore::accept.
  virtual Result<AcceptedUpload> accept_upload(std::unique_ptr<UploadSink> sink, const std::string& name,
                                               const std::string& mapping) = 0;
  virtual Result<UploadPage> uploads(const std::string& cursor, int limit) = 0;
  /// kNotFound for an unknown id.
  virtual Result<UploadStatus> upload(const std::string& id) = 0;
  /// Starts the job of a dead-lettered or cancelled upload again. kConflict in any other state.
  virtual Result<UploadStatus> replay_upload(const std::string& id) = 0;
};

}  // namespace tillcast::pipeline
