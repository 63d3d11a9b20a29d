#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/result.h"

namespace tillcast::pipeline {

enum class JobKind : std::uint8_t {
  kTrain,         ///< fit plans, or one series, on the gold tables as they are
  kIngestUpload,  ///< load an uploaded file, build gold, check, fit every plan
};

enum class JobState : std::uint8_t {
  kQueued,
  kRunning,
  kSucceeded,
  kFailed,
  kCancelled,
  kInterrupted,  ///< the server ended while it ran; runs once more
};

std::string_view job_kind_name(JobKind kind);     ///< "train", "ingest_upload"
std::string_view job_state_name(JobState state);  ///< "queued", "running", ...
std::optional<JobState> find_job_state(std::string_view name);
/// succeeded, failed or cancelled: nothing will change any more.
bool is_finished(JobState state);
/// Waits for the worker: queued or interrupted.
bool is_waiting(JobState state);

/// What a job works on. Only the fields of its kind are set.
struct JobArguments {
  std::string plan;                 ///< train: this plan alone; empty = all
  std::string series_id;            ///< train: this series alone; empty = whole plans
  std::string upload_id;            ///< ingest_upload: SHA-256 of the file
  std::string trigger = "request";  ///< request, upload, schedule
  bool operator==(const JobArguments&) const = default;
};

/// How far the running step is. Not stored: after a restart it begins again.
struct JobProgress {
  std::string stage;  ///< "ingest sales.csv", "forecast store_daily"
  std::string step;   ///< within the stage: "back-test", "global_trees: features"; may be empty
  std::string unit;   ///< bytes, steps, shares (of the time that the stage usually takes)
  std::int64_t done = 0;
  std::int64_t total = 0;   ///< 0 = unknown
  double eta_seconds = -1;  ///< time left of this step at its rate so far; < 0 = unknown
};

struct JobRejectReason {
  std::string reason;  ///< stable word: "bad_number"
  std::int64_t rows = 0;
};

struct JobRun {
  std::string plan;
  std::string run_id;  ///< as forecasts name it
  std::int64_t series = 0;
  std::int64_t fallbacks = 0;       ///< series forecast by a simpler model, or not at all
  bool unchanged = false;           ///< same data and plan as before: the stored run was kept
  std::int64_t fitted_version = 0;  ///< model version that was made; 0 = none
  std::string verdict;              ///< what the gate said of it
};

/// What a job did. rows_in = rows_loaded + rows_rejected + rows_known.
struct JobResult {
  std::vector<JobRun> runs;
  std::int64_t rows_in = 0;
  std::int64_t rows_loaded = 0;
  std::int64_t rows_rejected = 0;
  std::int64_t rows_known = 0;  ///< in the lake already
  bool already_loaded = false;  ///< the very same file was loaded before
  std::vector<JobRejectReason> rejects;
  std::vector<std::string> reject_examples;  ///< "row 17: quantity: ..."
  std::vector<std::string> notes;            ///< what looks odd in what was loaded
  std::int64_t checks = 0;
  std::int64_t checks_failed = 0;
  double seconds = 0;
};

/// Work that outlives the request that asked for it. docs/formats/jobs.md is its stored form.
struct Job {
  std::string id;  ///< "job-000042": the number grows, so ids sort by age
  JobKind kind = JobKind::kTrain;
  JobArguments arguments;
  std::string idempotency_key;  ///< empty = none
  JobState state = JobState::kQueued;
  int attempt = 0;  ///< 0 until it starts; 1, then 2 for the one retry
  bool cancel_requested = false;
  Timestamp created_at;
  std::optional<Timestamp> started_at;   ///< of the newest attempt
  std::optional<Timestamp> finished_at;  ///< set when finished
  std::string error;                     ///< of the newest failed or interrupted attempt; empty = none
  JobProgress progress;                  ///< only while running
  JobResult result;                      ///< set when succeeded
};

/// The stored form of a job: one JSON object, without its progress. Pure.
std::string job_to_json(const Job& job);
/// kCorruptData naming `origin` when the text is no stored job. Pure.
Result<Job> job_from_json(const std::string& text, const std::string& origin);

}  // namespace tillcast::pipeline
