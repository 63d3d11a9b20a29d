#include "pipeline/job_store.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "core/crash_point.h"
#include "core/log.h"
#include "io/durable_file.h"

namespace tillcast::pipeline {
namespace {

constexpr std::uint64_t kJobBytesMax = 1 << 20;
constexpr std::string_view kPrefix = "job-";

std::string id_of(std::int64_t number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "job-%06lld", static_cast<long long>(number));
  return text.data();
}

// The number of an id as id_of() writes it; nullopt for any other text.
std::optional<std::int64_t> number_of(std::string_view id) {
  if (!id.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = id.substr(kPrefix.size());
  std::int64_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || id_of(number) != id)
    return std::nullopt;
  return number;
}

Error unknown_job(const std::string& id) {
  return not_found("there is no job '" + id.substr(0, 60) +
                   "'; `tillcast jobs ls` or GET /api/v1/jobs lists them");
}

}  // namespace

Result<std::unique_ptr<JobStore>> JobStore::open(const std::filesystem::path& data_directory,
                                                 const Clock& clock) {
  std::unique_ptr<JobStore> store(new JobStore(data_directory / "runs" / "jobs", clock));
  if (auto made = io::make_directories(store->folder_); !made) return std::move(made.error());
  std::error_code listed;
  for (const auto& entry : std::filesystem::directory_iterator(store->folder_, listed)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) {  // left by a crash while a file was written
      std::error_code ignored;
      std::filesystem::remove(entry.path(), ignored);
      continue;
    }
    const auto number = name.ends_with(".json") ? number_of(name.substr(0, name.size() - 5)) : std::nullopt;
    if (!number) continue;
    const auto text = TILLCAST_TRY_PLAIN(io::read_file(entry.path(), kJobBytesMax));
    auto job = TILLCAST_TRY_PLAIN(job_from_json(text, entry.path().string()));
    store->next_number_ = std::max(store->next_number_, *number + 1);
    if (!job.idempotency_key.empty()) store->by_key_[job.idempotency_key] = job.id;
    std::string id = job.id;
    store->jobs_.emplace(std::move(id), std::move(job));
  }
  if (listed) return io_error("cannot list " + store->folder_.string() + ": " + listed.message());
  return store;
}

Result<> JobStore::write(const Job& job) const {
  return io::write_file_atomically(folder_ / (job.id + ".json"), job_to_json(job));
}

Result<JobStore::Submitted> JobStore::submit(JobKind kind, const JobArguments& arguments,
                                             const std::string& idempotency_key) {
  const std::lock_guard lock(mutex_);
  if (const auto known = by_key_.find(idempotency_key); !idempotency_key.empty() && known != by_key_.end()) {
    const Job& job = jobs_.at(known->second);
    if (job.kind != kind || job.arguments != arguments)
      return invalid_input("the idempotency key '" + idempotency_key + "' belongs to " + job.id +
                           ", which was asked for something else; use a new key for a new request");
    return Submitted{job, true};
  }
  const auto waits = [](const auto& one) {
    return one.second.kind == JobKind::kTrain && is_waiting(one.second.state);
  };
  if (kind == JobKind::kTrain &&
      static_cast<std::size_t>(std::ranges::count_if(jobs_, waits)) >= kTrainJobsWaiting) {
    return unavailable(
        std::to_string(kTrainJobsWaiting) +
        " trainings wait already; ask again when some are done, or cancel some with `tillcast jobs "
        "cancel` or POST /api/v1/jobs/{id}/cancel");
  }
  Job job;
  job.id = id_of(next_number_);
  job.kind = kind;
  job.arguments = arguments;
  job.idempotency_key = idempotency_key;
  job.created_at = clock_.now();
  if (auto written = write(job); !written) return std::move(written.error()).with_context("queue a job");
  ++next_number_;
  crash_point("jobs.submitted");
  if (!idempotency_key.empty()) by_key_[idempotency_key] = job.id;
  jobs_.emplace(job.id, job);
  prune();
  woken_ = true;
  work_.notify_all();
  return Submitted{job, false};
}

// Jobs of uploads stay: an upload's state is that of its job.
void JobStore::prune() {
  std::vector<std::string> finished;
  for (const auto& [id, job] : jobs_) {
    if (job.kind == JobKind::kTrain && is_finished(job.state)) finished.push_back(id);
  }
  for (std::size_t i = 0; finished.size() > kTrainJobsKept && i < finished.size() - kTrainJobsKept; ++i) {
    if (auto removed = io::remove_file(folder_ / (finished[i] + ".json")); !removed) continue;
    by_key_.erase(jobs_.at(finished[i]).idempotency_key);
    jobs_.erase(finished[i]);
  }
}

std::optional<Job> JobStore::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(id);
  return at == jobs_.end() ? std::nullopt : std::optional(at->second);
}

Result<JobStore::Page> JobStore::page(std::optional<JobState> state, const std::string& cursor,
                                      std::size_t limit) const {
  if (!cursor.empty() && !number_of(cursor))
    return invalid_input("cursor must be the next_cursor of an earlier page, found '" + cursor.substr(0, 60) +
                         "'");
  const std::lock_guard lock(mutex_);
  Page page;
  auto at = cursor.empty() ? jobs_.end() : jobs_.upper_bound(cursor);
  while (at != jobs_.begin()) {
    --at;
    if (state && at->second.state != *state) continue;
    if (page.jobs.size() == limit) {
      page.next_cursor = at->first;
      break;
    }
    page.jobs.push_back(at->second);
  }
  return page;
}

Result<Job> JobStore::cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return unknown_job(id);
  Job job = at->second;
  if (is_finished(job.state))
    return conflict(id + " is finished (" + std::string(job_state_name(job.state)) +
                    "); only a job that waits or runs can be cancelled");
  job.cancel_requested = true;
  if (is_waiting(job.state)) {
    job.state = JobState::kCancelled;
    job.finished_at = clock_.now();
  }
  if (auto written = write(job); !written) return std::move(written.error()).with_context("cancel " + id);
  at->second = job;
  return job;
}

Result<int> JobStore::recover() {
  const std::lock_guard lock(mutex_);
  int found = 0;
  for (auto& [id, stored] : jobs_) {
    if (stored.state != JobState::kRunning) continue;
    ++found;
    Job job = stored;
    if (job.cancel_requested) {
      job.state = JobState::kCancelled;
      job.finished_at = clock_.now();
      job.error = "the server ended before the job did, which was to be cancelled";
    } else if (job.attempt < kAttemptsMax) {
      job.state = JobState::kInterrupted;
      job.error = "the server ended while the job ran; it is tried once more";
    } else {
      job.state = JobState::kFailed;
      job.finished_at = clock_.now();
      job.error = "the server ended while the job ran, in both attempts; see the server's log";
    }
    TILLCAST_TRY_PLAIN(write(job));
    stored = job;
    log(LogLevel::kWarning, "a job was running when the last server ended",
        {{"job.id", id}, {"job.state", std::string(job_state_name(job.state))}});
  }
  return found;
}

std::optional<Job> JobStore::wait_for_work(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto oldest = [this]() -> const Job* {
    for (const auto& [id, job] : jobs_) {
      if (is_waiting(job.state)) return &job;
    }
    return nullptr;
  };
  const Job* job = oldest();
  if (job == nullptr) {
    work_.wait_for(lock, patience, [this] { return woken_; });
    woken_ = false;
    job = oldest();
  }
  return job == nullptr ? std::nullopt : std::optional(*job);
}

void JobStore::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  work_.notify_all();
}

Result<Job> JobStore::start(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return unknown_job(id);
  if (!is_waiting(at->second.state)) return conflict(id + " does not wait any more");
  Job job = at->second;
  job.state = JobState::kRunning;
  ++job.attempt;
  job.started_at = clock_.now();
  if (auto written = write(job); !written) return std::move(written.error()).with_context("start " + id);
  at->second = job;
  return job;
}

void JobStore::set_progress(const std::string& id, const JobProgress& progress) {
  const std::lock_guard lock(mutex_);
  if (const auto at = jobs_.find(id); at != jobs_.end()) at->second.progress = progress;
}

bool JobStore::cancel_requested(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(id);
  return at != jobs_.end() && at->second.cancel_requested;
}

// Memory first follows the disk; when the disk refuses, memory is right all the same, and a restart finds the
// job running and tries it again.
template <class Change>
Result<> JobStore::finish_running(const std::string& id, const Change& change) {
  const std::lock_guard lock(mutex_);
  const auto at = jobs_.find(id);
  if (at == jobs_.end()) return unknown_job(id);
  Job& job = at->second;
  change(job);
  job.progress = {};
  if (is_finished(job.state)) job.finished_at = clock_.now();
  if (is_waiting(job.state)) {
    woken_ = true;
    work_.notify_all();
  }
  auto written = write(job);
  if (!written) return std::move(written.error()).with_context("note the end of " + id);
  return {};
}

Result<> JobStore::succeed(const std::string& id, JobResult result) {
  return finish_running(id, [&result](Job& job) {
    job.state = JobState::kSucceeded;
    job.error.clear();
    job.result = std::move(result);
  });
}

Result<bool> JobStore::fail(const std::string& id, const std::string& error, JobResult result,
                            bool may_retry) {
  bool again = false;
  auto ended = finish_running(id, [&](Job& job) {
    again = may_retry && job.attempt < kAttemptsMax && !job.cancel_requested;
    job.state = again ? JobState::kQueued : JobState::kFailed;
    job.error = error;
    job.result = std::move(result);
  });
  if (!ended) return std::move(ended.error());
  return again;
}

Result<> JobStore::end_cancelled(const std::string& id, const std::string& error) {
  return finish_running(id, [&error](Job& job) {
    job.state = JobState::kCancelled;
    job.error = error;
  });
}

Result<> JobStore::put_back(const std::string& id) {
  return finish_running(id, [](Job& job) {
    job.state = JobState::kQueued;
    --job.attempt;
    job.started_at.reset();
  });
}

}  // namespace tillcast::pipeline
