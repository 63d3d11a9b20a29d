#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "pipeline/job_service.h"

namespace tillcast::test {

/// A JobService in memory: jobs stay queued until a test changes `all`; uploads are counted, kept as text and
/// named by their size. `fault` fails the writes of a sink; `delay` holds each write up.
class MemoryJobs final : public pipeline::JobService {
 public:
  Result<Started> train(const pipeline::TrainRequest& request) override {
    const std::lock_guard lock(mutex);
    if (request.plan == "none" || request.series_id == "none") return not_found("there is no plan 'none'");
    for (const auto& job : all) {
      if (!request.idempotency_key.empty() && job.idempotency_key == request.idempotency_key)
        return Started{job, true};
    }
    pipeline::Job job;
    job.id = "job-" + std::to_string(100000 + all.size());
    job.arguments.plan = request.plan;
    job.arguments.series_id = request.series_id;
    job.idempotency_key = request.idempotency_key;
    job.created_at = {1'700'000'000'000'000};
    all.push_back(job);
    return Started{job, false};
  }

  Result<pipeline::JobPage> jobs(std::optional<pipeline::JobState> state, const std::string& cursor,
                                 int limit) override {
    const std::lock_guard lock(mutex);
    if (cursor.size() > 6 || cursor.find_first_not_of("0123456789") != std::string::npos)
      return invalid_input("cursor '" + cursor + "' is none of ours");
    pipeline::JobPage page;
    for (std::size_t i = cursor.empty() ? 0 : std::stoul(cursor); i < all.size(); ++i) {
      const auto& job = all[all.size() - 1 - i];
      if (state && job.state != *state) continue;
      if (page.jobs.size() == static_cast<std::size_t>(limit)) {
        page.next_cursor = std::to_string(i);
        break;
      }
      page.jobs.push_back(job);
    }
    return page;
  }

  Result<pipeline::Job> job(const std::string& id) override {
    const std::lock_guard lock(mutex);
    const auto at = std::ranges::find(all, id, &pipeline::Job::id);
    if (at == all.end()) return not_found("there is no job '" + id + "'");
    return *at;
  }

  Result<pipeline::Job> cancel_job(const std::string& id) override {
    const std::lock_guard lock(mutex);
    const auto at = std::ranges::find(all, id, &pipeline::Job::id);
    if (at == all.end()) return not_found("there is no job '" + id + "'");
    if (is_finished(at->state)) return conflict(id + " is finished");
    at->cancel_requested = true;
    if (at->state == pipeline::JobState::kQueued) at->state = pipeline::JobState::kCancelled;
    return *at;
  }

  Result<std::unique_ptr<pipeline::UploadSink>> begin_upload(std::optional<std::uint64_t> bytes) override {
    if (bytes && *bytes > bytes_free) return disk_full("the disk is full");
    ++open_sinks;
    return std::unique_ptr<pipeline::UploadSink>(std::make_unique<Sink>(*this));
  }

  Result<AcceptedUpload> accept_upload(std::unique_ptr<pipeline::UploadSink> sink, const std::string& name,
                                       const std::string& mapping) override {
    auto& received = static_cast<Sink&>(*sink);
    if (received.first.empty()) return invalid_input(name + ": is empty; expected a csv or xlsx file");
    if (received.first.find(',') == std::string::npos) return invalid_input(name + ": no known header");
    const std::lock_guard lock(mutex);
    last_bytes = received.bytes;
    const std::string id = std::to_string(received.bytes);
    if (const auto known = files.find(id); known != files.end()) return AcceptedUpload{known->second, true};
    pipeline::UploadStatus status;
    status.upload = {id,
                     name,
                     "csv",
                     mapping.empty() ? "sales_csv" : mapping,
                     static_cast<std::int64_t>(received.bytes),
                     {1'700'000'000'000'000},
                     "",
                     1};
    files[id] = status;
    return AcceptedUpload{status, false};
  }

  Result<pipeline::UploadPage> uploads(const std::string& cursor, int) override {
    if (!cursor.empty()) return invalid_input("cursor '" + cursor + "' is none of ours");
    const std::lock_guard lock(mutex);
    pipeline::UploadPage page;
    for (const auto& [id, status] : files) page.uploads.push_back(status);
    return page;
  }
  Result<pipeline::UploadStatus> upload(const std::string& id) override {
    const std::lock_guard lock(mutex);
    if (const auto at = files.find(id); at != files.end()) return at->second;
    return not_found("there is no upload '" + id + "'");
  }
  Result<pipeline::UploadStatus> replay_upload(const std::string& id) override {
    const auto found = upload(id);
    if (!found) return found.error();
    return conflict("the upload is queued");
  }

  std::mutex mutex;
  std::vector<pipeline::Job> all;
  std::map<std::string, pipeline::UploadStatus> files;
  std::atomic<std::uint64_t> bytes_free{1ULL << 40};
  std::atomic<int> open_sinks{0};  ///< begun and neither accepted nor dropped
  std::atomic<std::uint64_t> largest_piece{0};
  std::atomic<std::uint64_t> written{0};  ///< by all sinks
  std::uint64_t last_bytes = 0;
  std::function<Result<>(std::uint64_t)> fault;  ///< asked at each write with the bytes before it

 private:
  struct Sink final : pipeline::UploadSink {
    explicit Sink(MemoryJobs& jobs) : owner(jobs) {}
    ~Sink() override { --owner.open_sinks; }
    Result<> write(std::string_view piece) override {
      if (owner.fault) {
        if (auto failed = owner.fault(bytes); !failed) return failed;
      }
      if (first.size() < 100) first += piece.substr(0, 100);
      bytes += piece.size();
      owner.written += piece.size();
      owner.largest_piece = std::max<std::uint64_t>(owner.largest_piece, piece.size());
      return {};
    }
    MemoryJobs& owner;
    std::string first;
    std::uint64_t bytes = 0;
  };
};

}  // namespace tillcast::test
