#include "pipeline/job_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "io/file_hash.h"
#include "pipeline/idle_engine.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr std::string_view kSales =
    "product_id,product_name,product_price,store_id,store_name,quantity,date\n"
    "p1,Tea,2.50,s1,North,3,2024-01-02 10:00:00\n";

class HeldClock final : public Clock {
 public:
  Timestamp now() const override {
    if (asked) asked();
    return {micros};
  }
  std::atomic<std::int64_t> micros{1'700'000'000'000'000};
  std::function<void()> asked;
};

/// Fits and loads by what the test says.
class WatchedEngine final : public test::IdleEngine {
 public:
  using IdleEngine::IdleEngine;
  Result<std::vector<PlanReport>> fit_forecasts(std::span<const std::string> plans,
                                                StageObserver& observer) override {
    ++fits;
    if (fit) {
      if (auto done = fit(observer); !done) return done.error();
    }
    PlanReport report;
    report.plan = plans.empty() ? "weekly" : plans[0];
    report.run_id = "run";
    report.series = 3;
    return std::vector<PlanReport>{report};
  }
  Result<RunReport> run(const RunOptions& options, StageObserver&) override {
    ++loads;
    label = options.ingest.label;
    if (load) {
      if (auto done = load(); !done) return done.error();
    }
    RunReport report;
    IngestReport ingest;
    ingest.totals = {5, 3, 2, 0};
    ingest.already_loaded = already_loaded;
    ingest.reject_reasons = {{"bad_number", 2}};
    ingest.reject_examples = {"row 4: quantity: many"};
    report.ingests.push_back(ingest);
    report.build.tests = 60;
    report.build.tests_failed = checks_failed;
    return report;
  }
  Result<lake::Snapshot> lake_snapshot() override {
    if (!snapshot) return IdleEngine::lake_snapshot();
    return *snapshot;
  }
  Result<RemovalReport> lake_remove(std::string_view key, StageObserver&) override {
    removed = key;
    snapshot->loads.clear();
    return RemovalReport{};
  }
  void put_sales(Timestamp loaded_at) {
    snapshot.emplace();
    snapshot->loads.push_back(
        {1, io::sha256_text(kSales), "sales.csv", "shop", "till", {5, 3, 2, 0}, loaded_at});
  }
  void set(const std::string& key, const std::string& value) { EXPECT_OK(config_.set(key, value, "test")); }

  std::atomic<int> fits{0};
  std::atomic<int> loads{0};
  std::atomic<int> checks_failed{0};
  bool already_loaded = false;
  std::optional<lake::Snapshot> snapshot;  ///< of the lake
  std::string removed;
  std::string label;
  std::function<Result<>(StageObserver&)> fit;
  std::function<Result<>()> load;
};

class JobRunnerTest : public ::testing::Test {
 protected:
  void start() {
    runner_.reset();
    auto started = JobRunner::start(engine_, clock_);
    ASSERT_OK(started);
    runner_ = std::move(*started);
  }
  Job wait_for(const std::string& id, const std::function<bool(const Job&)>& wanted) {
    for (int i = 0; i < 2000; ++i) {
      const auto job = runner_->job(id);
      if (job && wanted(*job)) return *job;
      std::this_thread::sleep_for(5ms);
    }
    ADD_FAILURE() << id << " did not come that far within 10 s";
    return {};
  }
  Job wait_until_finished(const std::string& id) {
    return wait_for(id, [](const Job& job) { return is_finished(job.state); });
  }
  Result<JobService::AcceptedUpload> upload(std::string_view content,
                                            const std::string& name = "dir/sales.csv") {
    auto sink = TILLCAST_TRY_PLAIN(runner_->begin_upload(content.size()));
    TILLCAST_TRY_PLAIN(sink->write(content));
    return runner_->accept_upload(std::move(sink), name, "");
  }

  test::TempDir folder_;
  HeldClock clock_;
  WatchedEngine engine_{folder_.path()};
  std::unique_ptr<JobRunner> runner_;  // last: stops before the engine goes
};

// Works until it is told to stop.
Result<> endless(StageObserver& observer) {
  observer.stage_started("forecast weekly", kShares);
  observer.step("back-test");
  observer.update(0, 4);
  observer.update(1, 4);
  while (!observer.cancelled()) std::this_thread::sleep_for(1ms);
  return cancelled("stopped on request");
}

TEST_F(JobRunnerTest, ATrainingRunsAndSaysWhatItDid) {
  start();
  ASSERT_OK_AND_ASSIGN(const auto started, runner_->train({"weekly", "", ""}));
  const Job job = wait_until_finished(started.job.id);
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.result.runs.at(0).series, 3);
  EXPECT_ERROR(runner_->train({"none", "", ""}), ErrorCode::kNotFound, "there are: weekly");
  EXPECT_ERROR(runner_->train({"", "weekly/2", ""}), ErrorCode::kNotFound, "weekly/2");
  EXPECT_ERROR(runner_->train({"weekly", "weekly/1", ""}), ErrorCode::kInvalidInput, "not both");
}

TEST_F(JobRunnerTest, ARunningJobShowsItsProgressAndCanBeCancelled) {
  engine_.fit = endless;
  start();
  const auto id = runner_->train({"", "", ""})->job.id;
  const Job running = wait_for(id, [](const Job& job) { return job.progress.done > 0; });
  EXPECT_EQ(running.progress.stage, "forecast weekly");
  EXPECT_EQ(running.progress.step, "back-test");
  EXPECT_EQ(running.progress.total, 4);
  EXPECT_GE(running.progress.eta_seconds, 0);
  const auto second = runner_->train({"", "", ""})->job.id;
  EXPECT_EQ(runner_->job(second)->state, JobState::kQueued) << "one at a time";
  EXPECT_OK(runner_->cancel_job(id));
  EXPECT_EQ(wait_until_finished(id).state, JobState::kCancelled);
  EXPECT_OK(runner_->cancel_job(second));
  EXPECT_EQ(wait_until_finished(second).state, JobState::kCancelled);
}

TEST_F(JobRunnerTest, AFailedTrainingSaysWhy) {
  engine_.fit = [](StageObserver&) -> Result<> { return corrupt_data("the table is odd"); };
  start();
  const Job job = wait_until_finished(runner_->train({"", "", ""})->job.id);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.error, "the table is odd");
  EXPECT_EQ(engine_.fits, 1);
}

TEST_F(JobRunnerTest, AnExceptionFailsItsJobAndNotTheNext) {
  engine_.fit = [this](StageObserver&) -> Result<> {
    if (engine_.fits == 1) throw std::runtime_error("boom");
    return {};
  };
  start();
  EXPECT_THAT(wait_until_finished(runner_->train({"", "", ""})->job.id).error, HasSubstr("boom"));
  EXPECT_EQ(wait_until_finished(runner_->train({"", "", ""})->job.id).state, JobState::kSucceeded);
}

TEST_F(JobRunnerTest, WhileAnotherCommandWritesAJobWaitsAndDoesNotFail) {
  engine_.fit = [this](StageObserver& observer) -> Result<> {
    if (engine_.fits == 3) return {};
    observer.turn_refused();
    return unavailable("another command is writing");
  };
  start();
  const Job job = wait_until_finished(runner_->train({"", "", ""})->job.id);
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.attempt, 1);
  EXPECT_EQ(engine_.fits, 3);
}

TEST_F(JobRunnerTest, AJobThatRunsOutOfMemoryFailsAndTheNextOneRuns) {
  engine_.fit = [this](StageObserver& observer) -> Result<> {
    if (engine_.fits == 1) {
      observer.turn_refused();
      return unavailable("another command is writing");
    }
    if (engine_.fits < 4) return unavailable("Out of Memory Error: failed to allocate");
    return {};
  };
  start();
  const auto id = runner_->train({"", "", ""})->job.id;
  EXPECT_THAT(wait_until_finished(id).error, HasSubstr("Out of Memory"));
  EXPECT_EQ(engine_.fits, 2) << "tried again only until it had the turn";
  engine_.fits = 3;
  EXPECT_EQ(wait_until_finished(runner_->train({"", "", ""})->job.id).state, JobState::kSucceeded);
}

TEST_F(JobRunnerTest, ACleanStopPutsTheRunningJobBackAndTheNextServerTakesItUp) {
  engine_.fit = endless;
  start();
  const auto id = runner_->train({"", "", ""})->job.id;
  wait_for(id, [](const Job& job) { return job.progress.done > 0; });
  runner_->stop();
  EXPECT_EQ(runner_->job(id)->state, JobState::kQueued);
  engine_.fit = nullptr;
  start();
  const Job job = wait_until_finished(id);
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.attempt, 1) << "a clean stop is no failed attempt";
}

TEST_F(JobRunnerTest, AnAcceptedFileStartsExactlyOneJobHoweverOftenItIsSent) {
  start();
  ASSERT_OK_AND_ASSIGN(const auto first, upload(kSales));
  ASSERT_OK_AND_ASSIGN(const auto again, upload(kSales));
  EXPECT_FALSE(first.existing);
  EXPECT_TRUE(again.existing);
  EXPECT_EQ(first.status.upload.job_id, again.status.upload.job_id);
  const Job job = wait_until_finished(first.status.upload.job_id);
  EXPECT_EQ(job.state, JobState::kSucceeded);
  EXPECT_EQ(job.result.rows_rejected, 2);
  EXPECT_EQ(job.result.reject_examples.at(0), "row 4: quantity: many");
  EXPECT_EQ(engine_.label, "sales.csv") << "people see their own name for the file";
  start();
  EXPECT_EQ(upload(kSales)->status.state(), "succeeded");
  EXPECT_EQ(engine_.loads, 1);
}

TEST_F(JobRunnerTest, AnUploadWhoseRecordWasWrittenAndWhoseJobWasNotGetsItsJobAtTheNextStart) {
  {
    auto store = UploadStore::open(folder_.path(), clock_);
    ASSERT_OK(store);
    auto incoming = (*store)->begin(std::nullopt);
    ASSERT_OK(incoming);
    ASSERT_OK((*incoming)->write(kSales));
    ASSERT_OK((*store)->accept(std::move(*incoming), "sales.csv", ""));
  }
  start();
  ASSERT_OK_AND_ASSIGN(const auto page, runner_->uploads("", 10));
  ASSERT_EQ(page.uploads.size(), 1U);
  wait_until_finished(page.uploads[0].upload.job_id);
  EXPECT_EQ(engine_.loads, 1);
}

TEST_F(JobRunnerTest, AnUploadWhoseJobCouldNotBeWrittenIsNotKept) {
  start();
  const auto jobs = folder_.file("runs/jobs");
  std::filesystem::rename(jobs, folder_.file("runs/away"));  // as a disk that is full just then
  EXPECT_FALSE(upload(kSales).has_value());
  EXPECT_TRUE(runner_->uploads("", 10).value().uploads.empty());
  std::filesystem::rename(folder_.file("runs/away"), jobs);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.file("uploads")))
    EXPECT_EQ(entry.path().filename(), "incoming");
  start();
  ASSERT_OK_AND_ASSIGN(const auto again, upload(kSales));
  EXPECT_FALSE(again.existing);
  EXPECT_EQ(wait_until_finished(again.status.upload.job_id).state, JobState::kSucceeded);
  EXPECT_EQ(engine_.loads, 1);
}

// The disk fills between the job and the record that names it: the job is under way, and so says the answer.
TEST_F(JobRunnerTest, AnUploadWhoseRecordCannotNameItsJobIsAccepted) {
  start();
  const auto uploads = folder_.file("uploads");
  int times = 0;  // when the file was received, when the job was created
  clock_.asked = [&] {
    if (++times == 2) std::filesystem::rename(uploads, folder_.file("away"));
  };
  ASSERT_OK_AND_ASSIGN(const auto accepted, upload(kSales));
  std::filesystem::rename(folder_.file("away"), uploads);
  EXPECT_NE(accepted.status.upload.job_id, "");
  EXPECT_EQ(wait_until_finished(accepted.status.upload.job_id).state, JobState::kSucceeded);
  start();
  EXPECT_EQ(upload(kSales)->status.upload.job_id, accepted.status.upload.job_id);
  EXPECT_EQ(engine_.loads, 1);
}

TEST_F(JobRunnerTest, AFileWhoseJobFailsTwiceIsADeadLetterUntilItIsReplayed) {
  engine_.load = []() -> Result<> { return invalid_input("row 9: the file is cut off"); };
  start();
  ASSERT_OK_AND_ASSIGN(const auto accepted, upload(kSales));
  const Job job = wait_until_finished(accepted.status.upload.job_id);
  EXPECT_EQ(job.attempt, 2);
  EXPECT_EQ(engine_.loads, 2);
  ASSERT_OK_AND_ASSIGN(const auto dead, runner_->upload(accepted.status.upload.id));
  EXPECT_EQ(dead.state(), "dead_letter");
  EXPECT_EQ(dead.reason(), "row 9: the file is cut off");
  EXPECT_EQ(upload(kSales, "again.csv")->status.state(), "dead_letter") << "sending it again starts nothing";
  engine_.load = nullptr;
  ASSERT_OK_AND_ASSIGN(const auto replayed, runner_->replay_upload(accepted.status.upload.id));
  EXPECT_NE(replayed.upload.job_id, job.id);
  EXPECT_EQ(wait_until_finished(replayed.upload.job_id).state, JobState::kSucceeded);
  EXPECT_EQ(engine_.label, "again.csv") << "the name that it was sent by last";
  EXPECT_EQ(upload(kSales, "third.csv")->status.upload.name, "again.csv");
  EXPECT_ERROR(runner_->replay_upload(accepted.status.upload.id), ErrorCode::kConflict, "is succeeded");
}

TEST_F(JobRunnerTest, AFileThatBreaksTheDataChecksIsNoSuccess) {
  engine_.checks_failed = 2;
  start();
  const Job job = wait_until_finished(upload(kSales)->status.upload.job_id);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_THAT(job.error, HasSubstr("2 data checks failed"));
  EXPECT_EQ(job.result.checks_failed, 2);
  EXPECT_EQ(engine_.removed, "") << "nothing of it is in the lake";
}

TEST_F(JobRunnerTest, AFileThatBreaksTheDataChecksIsTakenOutAgain) {
  engine_.checks_failed = 2;
  engine_.put_sales({clock_.micros + 1});
  start();
  const Job job = wait_until_finished(upload(kSales)->status.upload.job_id);
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_EQ(job.attempt, 1) << "the same data would break the same checks";
  EXPECT_EQ(engine_.removed, io::sha256_text(kSales));
  EXPECT_THAT(job.error, HasSubstr("taken out again, the shop is as before"));
}

TEST_F(JobRunnerTest, AFileThatWasThereBeforeItsJobStaysAndIsNoNews) {
  engine_.checks_failed = 2;
  engine_.already_loaded = true;
  engine_.put_sales({clock_.micros - 1});
  start();
  const Job job = wait_until_finished(upload(kSales)->status.upload.job_id);
  EXPECT_EQ(engine_.removed, "");
  EXPECT_TRUE(job.result.already_loaded);
  EXPECT_EQ(job.result.rows_in, 5);
  EXPECT_EQ(job.result.rows_loaded, 0);
  EXPECT_EQ(job.result.rows_rejected, 2);
  EXPECT_EQ(job.result.rows_known, 3);
}

TEST_F(JobRunnerTest, AFileWhoseLoadWasTakenOutIsLoadedWhenItIsSentAgain) {
  engine_.load = [this]() -> Result<> {
    engine_.put_sales(clock_.now());
    return {};
  };
  start();
  ASSERT_OK_AND_ASSIGN(const auto first, upload(kSales));
  wait_until_finished(first.status.upload.job_id);
  ASSERT_OK_AND_ASSIGN(const auto same, upload(kSales));
  EXPECT_TRUE(same.existing);
  engine_.snapshot->loads.clear();
  ASSERT_OK_AND_ASSIGN(const auto again, upload(kSales, "again.csv"));
  EXPECT_FALSE(again.existing);
  EXPECT_NE(again.status.upload.job_id, first.status.upload.job_id);
  EXPECT_EQ(wait_until_finished(again.status.upload.job_id).state, JobState::kSucceeded);
  EXPECT_EQ(engine_.loads, 2);
}

TEST_F(JobRunnerTest, TheScheduleFiresWhenDueAndMakesUpForMissedOnesOnce) {
  engine_.set("forecast.retrain", "every 24h");
  start();
  ASSERT_OK(runner_->tick());
  EXPECT_TRUE(runner_->jobs(std::nullopt, "", 10)->jobs.empty()) << "the first start misses nothing";
  clock_.micros += kMicrosPerDay - 1;
  ASSERT_OK(runner_->tick());
  EXPECT_TRUE(runner_->jobs(std::nullopt, "", 10)->jobs.empty());
  clock_.micros += 1;
  ASSERT_OK(runner_->tick());
  ASSERT_OK(runner_->tick());
  ASSERT_OK_AND_ASSIGN(const auto once, runner_->jobs(std::nullopt, "", 10));
  ASSERT_EQ(once.jobs.size(), 1U);
  EXPECT_EQ(once.jobs[0].arguments.trigger, "schedule");
  wait_until_finished(once.jobs[0].id);
  runner_->stop();
  clock_.micros += 5 * kMicrosPerDay;  // down meanwhile
  start();
  ASSERT_OK(runner_->tick());
  EXPECT_EQ(runner_->jobs(std::nullopt, "", 10)->jobs.size(), 2U);
}

}  // namespace
}  // namespace tillcast::pipeline
