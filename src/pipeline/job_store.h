#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/job.h"

namespace tillcast::pipeline {

/// The jobs of a data directory, one file each in `runs/jobs/` (docs/formats/jobs.md). Every change of state
/// is on the disk before a call returns; progress is kept in memory only. Thread-safe; one process at a time
/// (the owner of the data directory).
class JobStore {
 public:
  static constexpr int kAttemptsMax = 2;                  ///< one retry
  static constexpr std::size_t kTrainJobsWaiting = 1000;  ///< no more can be asked for
  static constexpr std::size_t kTrainJobsKept = 1000;     ///< finished train jobs; older ones are removed

  /// Reads what is stored; changes nothing. kCorruptData names a file that does not read.
  static Result<std::unique_ptr<JobStore>> open(const std::filesystem::path& data_directory,
                                                const Clock& clock);

  struct Submitted {
    Job job;
    bool existing = false;  ///< a job with this idempotency key was there
  };
  /// Queues a job. With a key that was used before, gives that job and starts nothing; kInvalidInput when
  /// that job had other arguments, kUnavailable while kTrainJobsWaiting wait (an upload's job is always
  /// taken: its file is stored already).
  Result<Submitted> submit(JobKind kind, const JobArguments& arguments, const std::string& idempotency_key);

  std::optional<Job> find(const std::string& id) const;
  struct Page {
    std::vector<Job> jobs;    ///< newest first
    std::string next_cursor;  ///< empty on the last page
  };
  /// @param cursor  next_cursor of the page before, or empty; kInvalidInput when it is neither.
  Result<Page> page(std::optional<JobState> state, const std::string& cursor, std::size_t limit) const;

  /// Waiting: cancelled at once. Running: asks the worker, which ends at its next safe point. kNotFound for
  /// an unknown id, kConflict when it is finished.
  Result<Job> cancel(const std::string& id);

  /// At the start of a server: a job that was running when the last one ended becomes interrupted and waits
  /// for its second attempt; one whose second attempt it was has failed. @return how many there were.
  Result<int> recover();

  /// The oldest waiting job, or nullopt after `patience`.
  std::optional<Job> wait_for_work(std::chrono::milliseconds patience);
  /// Wakes wait_for_work.
  void wake();
  /// Waiting -> running, one more attempt; kConflict when it was cancelled in between.
  Result<Job> start(const std::string& id);
  void set_progress(const std::string& id, const JobProgress& progress);
  bool cancel_requested(const std::string& id) const;
  /// Running -> succeeded.
  Result<> succeed(const std::string& id, JobResult result);
  /// Running -> failed with its reason, or back to waiting for the one retry when `may_retry` and it was the
  /// first attempt. `result` is what was done before. @return true when it will be tried again.
  Result<bool> fail(const std::string& id, const std::string& error, JobResult result, bool may_retry);
  /// Running -> cancelled.
  Result<> end_cancelled(const std::string& id, const std::string& error);
  /// Running -> queued, the attempt not counted: the server stops in good order.
  Result<> put_back(const std::string& id);

 private:
  JobStore(std::filesystem::path folder, const Clock& clock) : folder_(std::move(folder)), clock_(clock) {}
  Result<> write(const Job& job) const;
  /// Changes a running job, on the disk and in memory.
  template <class Change>
  Result<> finish_running(const std::string& id, const Change& change);
  void prune();

  const std::filesystem::path folder_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::map<std::string, Job> jobs_;            ///< by id: oldest first
  std::map<std::string, std::string> by_key_;  ///< idempotency key -> id
  std::int64_t next_number_ = 1;
  bool woken_ = false;
};

}  // namespace tillcast::pipeline
