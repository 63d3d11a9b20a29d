#include "pipeline/job_runner.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "core/crash_point.h"
#include "core/log.h"
#include "io/durable_file.h"
#include "pipeline/job_store.h"
#include "pipeline/retrain_schedule.h"
#include "pipeline/series_catalog.h"
#include "pipeline/time_left.h"

namespace tillcast::pipeline {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::milliseconds(500);
constexpr int kNiceness = 10;
constexpr std::int64_t kRejectExamples = 10;

// Threads that the caller starts inherit it: forecasts are trained on what the requests leave over.
void lower_priority() {
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  if (::setpriority(PRIO_PROCESS, thread, kNiceness) != 0)
    log(LogLevel::kWarning, "the jobs' thread keeps its priority");
}

/// Passes a job's progress on to the store, and a wish to cancel back.
class JobObserver final : public StageObserver {
 public:
  JobObserver(JobStore& store, std::string id, const std::atomic<bool>& stopping)
      : store_(store), id_(std::move(id)), stopping_(stopping) {}

  void stage_started(const std::string& name, std::string_view unit) override {
    progress_ = {name, "", std::string(unit), 0, 0, -1};
    left_ = {};
    store_.set_progress(id_, progress_);
  }
  void step(std::string_view name) override {
    progress_.step = name;
    store_.set_progress(id_, progress_);
  }
  void update(std::uint64_t done, std::uint64_t total) override {
    progress_.done = static_cast<std::int64_t>(done);
    progress_.total = static_cast<std::int64_t>(total);
    progress_.eta_seconds = left_.after(done, total, SteadyClock::now()).value_or(-1);
    store_.set_progress(id_, progress_);
    // Once per job, for tests that kill the server in the middle of its work.
    if (!half_way_ && 2 * done >= total && total > 0 && progress_.stage.starts_with("forecast")) {
      half_way_ = true;
      crash_point("jobs.half_trained");
    }
  }
  bool cancelled() const override { return stopping_ || store_.cancel_requested(id_); }
  void turn_refused() override { refused_ = true; }
  /// Whether the attempt that just ended got no write turn.
  bool take_refusal() { return std::exchange(refused_, false); }

 private:
  JobStore& store_;
  std::string id_;
  const std::atomic<bool>& stopping_;
  JobProgress progress_;
  TimeLeft left_;
  bool half_way_ = false;
  bool refused_ = false;
};

void add_runs(const std::vector<PlanReport>& plans, JobResult& result) {
  for (const auto& plan : plans)
    result.runs.push_back({plan.plan, plan.run_id, plan.series, plan.fallbacks + plan.failed, plan.unchanged,
                           plan.fitted_version, plan.verdict});
}

class UploadSinkFile final : public UploadSink {
 public:
  explicit UploadSinkFile(std::unique_ptr<IncomingUpload> upload) : incoming(std::move(upload)) {}
  Result<> write(std::string_view bytes) override { return incoming->write(bytes); }
  std::unique_ptr<IncomingUpload> incoming;
};

class EngineJobRunner final : public JobRunner {
 public:
  EngineJobRunner(Engine& engine, const Clock& clock, std::unique_ptr<JobStore> store,
                  std::unique_ptr<UploadStore> uploads, const RetrainSchedule& schedule)
      : engine_(engine),
        clock_(clock),
        store_(std::move(store)),
        uploads_(std::move(uploads)),
        schedule_(schedule) {}
  ~EngineJobRunner() override { stop(); }

  Result<> take_up() {
    TILLCAST_TRY_PLAIN(store_->recover());
    // An upload whose record is there and whose job is not: the server ended between the two.
    for (const auto& upload : uploads_->all()) {
      if (!upload.job_id.empty()) continue;
      TILLCAST_TRY_PLAIN(start_upload_job(upload));
    }
    worker_ = std::thread([this] { work(); });
    if (schedule_.enabled()) timer_ = std::thread([this] { keep_time(); });
    return {};
  }

  Result<Started> train(const TrainRequest& request) override {
    if (auto known = check_target(request); !known) return std::move(known.error());
    auto submitted = TILLCAST_TRY_PLAIN(
        store_->submit(JobKind::kTrain, {request.plan, request.series_id, "", "request"},
                       request.idempotency_key.empty() ? "" : "client:" + request.idempotency_key));
    return Started{std::move(submitted.job), submitted.existing};
  }

  Result<JobPage> jobs(std::optional<JobState> state, const std::string& cursor, int limit) override {
    auto page = TILLCAST_TRY_PLAIN(store_->page(state, cursor, static_cast<std::size_t>(limit)));
    return JobPage{std::move(page.jobs), std::move(page.next_cursor)};
  }

  Result<Job> job(const std::string& id) override {
    if (auto found = store_->find(id)) return *found;
    return not_found("there is no job '" + id.substr(0, 60) +
                     "'; `tillcast jobs ls` or GET /api/v1/jobs lists them");
  }

  Result<Job> cancel_job(const std::string& id) override { return store_->cancel(id); }

  Result<std::unique_ptr<UploadSink>> begin_upload(std::optional<std::uint64_t> bytes) override {
    auto incoming = TILLCAST_TRY_PLAIN(uploads_->begin(bytes));
    return std::unique_ptr<UploadSink>(std::make_unique<UploadSinkFile>(std::move(incoming)));
  }

  Result<AcceptedUpload> accept_upload(std::unique_ptr<UploadSink> sink, const std::string& name,
                                       const std::string& mapping) override {
    auto& file = static_cast<UploadSinkFile&>(*sink);
    const auto accepted = TILLCAST_TRY_PLAIN(uploads_->accept(std::move(file.incoming), name, mapping));
    bool existing = accepted.existing;
    if (accepted.upload.job_id.empty()) {
      TILLCAST_TRY_PLAIN(start_first_job(accepted.upload.id));
    } else if (const auto state = TILLCAST_TRY_PLAIN(upload(accepted.upload.id)).state();
               state == "dead_letter") {
      TILLCAST_TRY_PLAIN(uploads_->set_name(accepted.upload.id, name));  // a replay loads it by this name
    } else if (state == "succeeded" && was_taken_out(accepted.upload.id)) {
      TILLCAST_TRY_PLAIN(uploads_->set_name(accepted.upload.id, name));
      TILLCAST_TRY_PLAIN(start_upload_job(accepted.upload));
      existing = false;
    }
    return AcceptedUpload{TILLCAST_TRY_PLAIN(upload(accepted.upload.id)), existing};
  }

  Result<UploadPage> uploads(const std::string& cursor, int limit) override {
    auto [found, next] = TILLCAST_TRY_PLAIN(uploads_->page(cursor, static_cast<std::size_t>(limit)));
    UploadPage page;
    for (auto& one : found) page.uploads.push_back({one, store_->find(one.job_id)});
    page.next_cursor = next;
    return page;
  }

  Result<UploadStatus> upload(const std::string& id) override {
    const auto found = uploads_->find(id);
    if (!found)
      return not_found("there is no upload '" + id.substr(0, 80) + "'; GET /api/v1/uploads lists them");
    return UploadStatus{*found, store_->find(found->job_id)};
  }

  Result<UploadStatus> replay_upload(const std::string& id) override {
    const auto status = TILLCAST_TRY_PLAIN(upload(id));
    const bool ended =
        !status.job || status.job->state == JobState::kFailed || status.job->state == JobState::kCancelled;
    if (!ended)
      return conflict("the upload is " + status.state() +
                      "; only a dead-lettered or cancelled one can be started again");
    TILLCAST_TRY_PLAIN(start_upload_job(status.upload));
    return upload(id);
  }

  Result<> tick() override {
    if (!schedule_.enabled()) return {};
    const std::lock_guard lock(schedule_mutex_);
    const Timestamp now = clock_.now();
    if (!last_due_) {
      last_due_ = TILLCAST_TRY_PLAIN(read_last_due());
      // The first server with this schedule: nothing was missed.
      if (!last_due_) return note_due(now);
    }
    const Timestamp due = schedule_.newest_due(*last_due_, now);
    if (due <= *last_due_) return {};
    if (engine_.readiness().ready) {
      const auto submitted =
          store_->submit(JobKind::kTrain, {"", "", "", "schedule"}, "schedule:" + format_timestamp(due));
      if (!submitted && submitted.error().code != ErrorCode::kUnavailable) return submitted.error();
      if (!submitted)
        log(LogLevel::kWarning, "a scheduled training is left out",
            {{"error.message", submitted.error().message}});
    } else {
      log(LogLevel::kWarning, "a scheduled training is left out: there is no data yet");
    }
    return note_due(due);
  }

  void stop() override {
    stopping_ = true;
    store_->wake();
    {
      const std::lock_guard lock(timer_mutex_);
      timer_stop_.notify_all();
    }
    if (worker_.joinable()) worker_.join();
    if (timer_.joinable()) timer_.join();
  }

 private:
  bool was_taken_out(const std::string& upload_id) {
    const auto snapshot = engine_.lake_snapshot();
    return snapshot && snapshot->find_load(upload_id) == nullptr;
  }

  // Whether the file came into the lake by this job, in this attempt or an earlier one.
  bool loaded_by(const Job& job) {
    const auto snapshot = engine_.lake_snapshot();
    const auto* const load = snapshot ? snapshot->find_load(job.arguments.upload_id) : nullptr;
    return load != nullptr && load->created_at >= job.created_at;
  }

  // One job for each accepted file, however often this is asked: the key is made of the file's hash. It is
  // under way when it is submitted: a record that does not say so yet is put right when this is asked again.
  Result<> start_upload_job(const Upload& upload) {
    const auto submitted =
        TILLCAST_TRY_PLAIN(store_->submit(JobKind::kIngestUpload, {"", "", upload.id, "upload"},
                                          "upload:" + upload.id + ":" + std::to_string(upload.jobs)));
    crash_point("uploads.job_submitted");
    if (const auto noted = uploads_->set_job(upload.id, submitted.job.id, upload.jobs + 1); !noted)
      log(LogLevel::kWarning, "the record of an upload does not name its job yet",
          {{"job.id", submitted.job.id}, {"error.message", noted.error().message}});
    return {};
  }

  // A file whose job cannot be started is not kept: its client hears that it failed.
  Result<> start_first_job(const std::string& id) {
    const std::lock_guard lock(starting_mutex_);
    const auto upload = uploads_->find(id);
    if (!upload) return unavailable("the same file was sent twice and could not be kept; send it again");
    if (!upload->job_id.empty()) return {};
    auto started = start_upload_job(*upload);
    if (!started) uploads_->forget(id);
    return started;
  }

  Result<> check_target(const TrainRequest& request) {
    if (!request.plan.empty() && !request.series_id.empty())
      return invalid_input("give a plan or a series, not both");
    if (const auto ready = engine_.readiness(); !ready.ready) return not_found(ready.detail);
    if (!request.plan.empty()) {
      const auto names = TILLCAST_TRY_PLAIN(engine_.plan_names());
      if (std::ranges::find(names, request.plan) == names.end()) return unknown_plan(request.plan, names);
    }
    if (!request.series_id.empty()) {
      ForecastRequest look;
      look.items.push_back({request.series_id});
      look.strict = true;
      const auto found = TILLCAST_TRY_PLAIN(engine_.forecast(look));
      if (!found[0]) return found[0].error();
    }
    return {};
  }

  void work() {
    lower_priority();
    while (!stopping_) {
      const auto waiting = store_->wait_for_work(kPatience);
      if (!waiting || stopping_) continue;
      auto started = store_->start(waiting->id);
      if (!started) {
        if (started.error().code == ErrorCode::kConflict) continue;  // cancelled in between
        log(LogLevel::kError, "a job cannot be started", {{"error.message", started.error().message}});
        pause();
        continue;
      }
      crash_point("jobs.started");
      run(*started);
    }
  }

  void run(const Job& job) {
    log(LogLevel::kInfo, "job started",
        {{"job.id", job.id},
         {"job.kind", std::string(job_kind_name(job.kind))},
         {"job.attempt", std::to_string(job.attempt)}});
    const auto begun = SteadyClock::now();
    JobObserver observer(*store_, job.id, stopping_);
    JobResult result;
    Result<> done = attempt(job, observer, result);
    // Another command writes: the job has not begun, so it waits its turn.
    // Whatever else is unavailable (memory) ends it: the jobs behind it must not wait for ever.
    while (!done && observer.take_refusal() && !observer.cancelled()) {
      pause();
      result = {};
      done = attempt(job, observer, result);
    }
    result.seconds = std::chrono::duration<double>(SteadyClock::now() - begun).count();
    crash_point("jobs.work_done");
    note_end(job, done, std::move(result));
    crash_point("jobs.finished");
  }

  Result<> attempt(const Job& job, StageObserver& observer, JobResult& result) {
    try {
      return job.kind == JobKind::kTrain ? train_now(job.arguments, observer, result)
                                         : ingest_now(job, observer, result);
    } catch (const std::exception& fault) {
      return io_error(std::string("internal error: ") + fault.what());
    }
  }

  void note_end(const Job& job, const Result<>& done, JobResult result) {
    Result<> noted;
    std::string outcome = "succeeded";
    if (done) {
      noted = store_->succeed(job.id, std::move(result));
    } else if (stopping_ && !store_->cancel_requested(job.id)) {
      outcome = "put back: the server stops";
      noted = store_->put_back(job.id);
    } else if (store_->cancel_requested(job.id)) {
      outcome = "cancelled";
      noted = store_->end_cancelled(job.id, done.error().message);
    } else {
      // An upload is tried once more before it is a dead letter, unless its data are at fault; a training
      // that was asked for says at once why it failed.
      const bool may_retry = job.kind == JobKind::kIngestUpload && result.checks_failed == 0;
      const auto again = store_->fail(job.id, done.error().message, std::move(result), may_retry);
      outcome = again && *again ? "failed, once more" : "failed";
      if (!again) noted = again.error();
    }
    if (done)
      log(LogLevel::kInfo, "job " + outcome, {{"job.id", job.id}});
    else
      log(LogLevel::kWarning, "job " + outcome,
          {{"job.id", job.id}, {"error.message", done.error().message}});
    if (!noted)
      log(LogLevel::kError, "a job's end cannot be noted", {{"error.message", noted.error().message}});
  }

  Result<> train_now(const JobArguments& arguments, StageObserver& observer, JobResult& result) {
    std::vector<PlanReport> plans;
    if (!arguments.series_id.empty()) {
      plans.push_back(TILLCAST_TRY_PLAIN(engine_.refit_series(arguments.series_id, observer)));
    } else {
      std::vector<std::string> names;
      if (!arguments.plan.empty()) names.push_back(arguments.plan);
      plans = TILLCAST_TRY_PLAIN(engine_.fit_forecasts(names, observer));
    }
    add_runs(plans, result);
    return {};
  }

  Result<> ingest_now(const Job& job, StageObserver& observer, JobResult& result) {
    const auto upload = uploads_->find(job.arguments.upload_id);
    if (!upload) return not_found("the record of upload " + job.arguments.upload_id + " is gone");
    RunOptions options;
    options.inputs = {uploads_->path_of(*upload)};
    options.ingest.mapping = upload->mapping;
    options.ingest.label = upload->name;
    options.ingest.rejects_shown = kRejectExamples;
    options.forecast = engine_.config().flag("forecast.enabled");
    const auto report = TILLCAST_TRY_PLAIN(engine_.run(options, observer));
    for (const auto& ingest : report.ingests) {
      result.already_loaded = ingest.already_loaded && !loaded_by(job);
      result.rows_in += ingest.totals.rows_in;
      (result.already_loaded ? result.rows_known : result.rows_loaded) += ingest.totals.silver;
      result.rows_rejected += ingest.totals.rejected;
      result.rows_known += ingest.totals.duplicates;
      result.notes.insert(result.notes.end(), ingest.notes.begin(), ingest.notes.end());
      for (const auto& [reason, rows] : ingest.reject_reasons) result.rejects.push_back({reason, rows});
      result.reject_examples.insert(result.reject_examples.end(), ingest.reject_examples.begin(),
                                    ingest.reject_examples.end());
      if (ingest.already_loaded && ingest.totals.rows_in > ingest.totals.silver)
        stored_rejects(*upload, result);
    }
    result.checks = report.build.tests;
    result.checks_failed = report.build.tests_failed;
    add_runs(report.plans, result);
    if (report.checks_failed()) {
      std::string first = report.build.failures.empty() ? "" : ": " + report.build.failures.front();
      first.insert(0, std::to_string(report.build.tests_failed) +
                          " data checks failed, readers keep the tables they had");
      return corrupt_data(first + TILLCAST_TRY_PLAIN(undo(job, observer)));
    }
    return {};
  }

  // A file that breaks the checks would make every later load fail as well: what this job brought goes again.
  // @return what became of it, for people; kUnavailable while another command writes.
  Result<std::string> undo(const Job& job, StageObserver& observer) {
    if (!loaded_by(job)) return std::string();
    const auto done = engine_.lake_remove(job.arguments.upload_id, observer);
    if (!done) {
      if (done.error().code == ErrorCode::kUnavailable) return done.error();
      return "\nits rows could not be taken out again: " + done.error().message;
    }
    if (done->build && done->build->tests_failed > 0) {
      return std::string(
          "\nits rows were taken out again, but checks fail without them too: a load before it is at "
          "fault, see `tillcast lake ls --loads` and `tillcast lake remove`");
    }
    return std::string("\nits rows were taken out again, the shop is as before");
  }

  // What an attempt before this one rejected: the file is not read again.
  void stored_rejects(const Upload& upload, JobResult& result) {
    const std::string of_file = " FROM silver.rejects WHERE file_sha256 = '" + upload.id + "'";
    const auto reasons = engine_.sql(
        "SELECT reason, count(*) AS rows" + of_file + " GROUP BY reason ORDER BY rows DESC, reason", 0);
    const auto examples = engine_.sql(
        "SELECT 'row ' || source_row || ': ' || coalesce(column_name || ': ', '') || message" + of_file +
            " AND reason <> 'duplicate_event' ORDER BY source_row LIMIT " + std::to_string(kRejectExamples),
        0);
    if (!reasons || !examples) return;  // the counts are known all the same
    for (std::size_t i = 0; i < reasons->rows(); ++i)
      result.rejects.push_back({reasons->text(i, 0), reasons->integer(i, 1).value_or(0)});
    for (std::size_t i = 0; i < examples->rows(); ++i) result.reject_examples.push_back(examples->text(i, 0));
  }

  void pause() {
    std::unique_lock lock(timer_mutex_);
    timer_stop_.wait_for(lock, std::chrono::milliseconds(200), [this] { return stopping_.load(); });
  }

  void keep_time() {
    while (!stopping_) {
      if (auto ticked = tick(); !ticked)
        log(LogLevel::kError, "the training schedule", {{"error.message", ticked.error().message}});
      std::unique_lock lock(timer_mutex_);
      timer_stop_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_.load(); });
    }
  }

  std::filesystem::path schedule_file() const { return engine_.data_directory() / "runs" / "retrain_due"; }

  Result<std::optional<Timestamp>> read_last_due() {
    const auto text = io::read_file(schedule_file(), 64);
    if (!text) {
      if (text.error().code == ErrorCode::kNotFound) return std::optional<Timestamp>{};
      return text.error();
    }
    Timestamp due;
    const auto parsed = std::from_chars(text->data(), text->data() + text->size(), due.micros);
    if (parsed.ec != std::errc{}) return std::optional<Timestamp>{};
    return std::optional(due);
  }
  Result<> note_due(Timestamp due) {
    if (auto written = io::write_file_atomically(schedule_file(), std::to_string(due.micros)); !written)
      return written;
    last_due_ = due;
    return {};
  }

  Engine& engine_;
  const Clock& clock_;
  const std::unique_ptr<JobStore> store_;
  const std::unique_ptr<UploadStore> uploads_;
  const RetrainSchedule schedule_;
  std::mutex starting_mutex_;
  std::mutex schedule_mutex_;
  std::optional<Timestamp> last_due_;
  std::mutex timer_mutex_;
  std::condition_variable timer_stop_;
  std::atomic<bool> stopping_{false};
  std::thread worker_;
  std::thread timer_;
};

}  // namespace

std::string UploadStatus::state() const {
  if (!job) return "queued";
  return job->state == JobState::kFailed ? "dead_letter" : std::string(job_state_name(job->state));
}
std::string UploadStatus::reason() const { return job && job->state == JobState::kFailed ? job->error : ""; }

Result<std::unique_ptr<JobRunner>> JobRunner::start(Engine& engine, const Clock& clock) {
  const auto schedule = TILLCAST_TRY_PLAIN(RetrainSchedule::parse(engine.config().text("forecast.retrain")));
  auto store = TILLCAST_TRY(JobStore::open(engine.data_directory(), clock), "open the jobs");
  auto uploads = TILLCAST_TRY(UploadStore::open(engine.data_directory(), clock), "open the uploads");
  auto runner =
      std::make_unique<EngineJobRunner>(engine, clock, std::move(store), std::move(uploads), schedule);
  if (auto taken = runner->take_up(); !taken) return std::move(taken.error());
  return std::unique_ptr<JobRunner>(std::move(runner));
}

}  // namespace tillcast::pipeline
