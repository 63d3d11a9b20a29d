#include "pipeline/job_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class HeldClock final : public Clock {
 public:
  Timestamp now() const override { return {micros}; }
  std::int64_t micros = 1'700'000'000'000'000;
};

class JobStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }
  // What the next process finds on the disk.
  void reopen() {
    store_.reset();
    auto opened = JobStore::open(folder_.path(), clock_);
    ASSERT_OK(opened);
    store_ = std::move(*opened);
  }
  std::string train(const std::string& plan = "", const std::string& key = "") {
    const auto submitted = store_->submit(JobKind::kTrain, {plan, "", "", "request"}, key);
    EXPECT_OK(submitted);
    return submitted->job.id;
  }
  std::string upload() {
    return store_->submit(JobKind::kIngestUpload, {"", "", "abc", "upload"}, "")->job.id;
  }
  JobState state(const std::string& id) { return store_->find(id)->state; }

  test::TempDir folder_;
  HeldClock clock_;
  std::unique_ptr<JobStore> store_;
};

TEST_F(JobStoreTest, AJobSurvivesTheProcessWithAllItSays) {
  const std::string id = train("weekly", "key-1");
  ASSERT_OK(store_->start(id));
  JobResult result;
  result.runs = {{"weekly", "0123", 7, 1, false, 3, "wins"}};
  result.rows_in = 10;
  result.rows_loaded = 6;
  result.rows_rejected = 3;
  result.rows_known = 1;
  result.rejects = {{"bad_number", 3}};
  result.reject_examples = {"row 17: quantity: \"zwölf\""};
  result.seconds = 1.5;
  clock_.micros += 2'000'000;
  ASSERT_OK(store_->succeed(id, result));
  reopen();
  const auto job = store_->find(id);
  ASSERT_TRUE(job);
  EXPECT_EQ(job->state, JobState::kSucceeded);
  EXPECT_EQ(job->attempt, 1);
  EXPECT_EQ(job->arguments.plan, "weekly");
  EXPECT_EQ(job->finished_at->micros - job->created_at.micros, 2'000'000);
  EXPECT_EQ(job->result.runs.at(0).run_id, "0123");
  EXPECT_EQ(job->result.runs.at(0).fitted_version, 3);
  EXPECT_EQ(job->result.runs.at(0).verdict, "wins");
  EXPECT_EQ(job->result.rejects.at(0).rows, 3);
  EXPECT_EQ(job->result.reject_examples.at(0), "row 17: quantity: \"zwölf\"");
  EXPECT_EQ(train(), "job-000002") << "numbers go on";
}

TEST_F(JobStoreTest, TheSameIdempotencyKeyIsTheSameJobAlsoAfterARestart) {
  const std::string id = train("weekly", "key-1");
  EXPECT_EQ(train("weekly", "key-1"), id);
  reopen();
  EXPECT_EQ(train("weekly", "key-1"), id);
  EXPECT_NE(train("weekly", "key-2"), id);
  EXPECT_NE(train("weekly"), train("weekly")) << "no key, no memory";
  EXPECT_ERROR(store_->submit(JobKind::kTrain, {"daily", "", "", "request"}, "key-1"),
               ErrorCode::kInvalidInput, "asked for something else");
}

TEST_F(JobStoreTest, SoManyTrainingsMayWaitAndNoMore) {
  const std::string first = train("weekly", "key-1");
  for (std::size_t i = 1; i < JobStore::kTrainJobsWaiting; ++i) train();
  EXPECT_ERROR(store_->submit(JobKind::kTrain, {"", "", "", "request"}, ""), ErrorCode::kUnavailable,
               "jobs cancel");
  EXPECT_EQ(train("weekly", "key-1"), first) << "one that waits is still found";
  EXPECT_EQ(state(upload()), JobState::kQueued) << "an accepted file is always loaded";
  ASSERT_OK(store_->cancel(first));
  train();
  EXPECT_ERROR(store_->submit(JobKind::kTrain, {"", "", "", "request"}, ""), ErrorCode::kUnavailable, "wait");
  ASSERT_OK(store_->start(store_->wait_for_work(0ms)->id));
  train();
}

TEST_F(JobStoreTest, JobsRunOldestFirst) {
  const std::string first = train();
  const std::string second = train();
  EXPECT_EQ(store_->wait_for_work(0ms)->id, first);
  ASSERT_OK(store_->start(first));
  EXPECT_EQ(store_->wait_for_work(0ms)->id, second);
  ASSERT_OK(store_->start(second));
  EXPECT_FALSE(store_->wait_for_work(1ms));
}

TEST_F(JobStoreTest, AWaitingJobIsCancelledAtOnceAndARunningOneIsAsked) {
  const std::string waiting = train();
  EXPECT_EQ(store_->cancel(waiting)->state, JobState::kCancelled);
  EXPECT_FALSE(store_->wait_for_work(0ms));
  EXPECT_ERROR(store_->start(waiting), ErrorCode::kConflict, "");
  EXPECT_ERROR(store_->cancel(waiting), ErrorCode::kConflict, "is finished (cancelled)");
  const std::string running = train();
  ASSERT_OK(store_->start(running));
  EXPECT_EQ(store_->cancel(running)->state, JobState::kRunning);
  EXPECT_TRUE(store_->cancel_requested(running));
  ASSERT_OK(store_->end_cancelled(running, "stopped"));
  EXPECT_EQ(state(running), JobState::kCancelled);
  EXPECT_ERROR(store_->cancel("job-000099"), ErrorCode::kNotFound, "jobs ls");
}

TEST_F(JobStoreTest, AKilledServersJobIsRetriedExactlyOnceThenFailed) {
  const std::string id = train();
  const std::string queued = train();
  ASSERT_OK(store_->start(id));
  reopen();  // killed
  EXPECT_EQ(state(id), JobState::kRunning) << "opening alone changes nothing";
  EXPECT_EQ(store_->recover().value(), 1);
  EXPECT_EQ(state(id), JobState::kInterrupted);
  EXPECT_EQ(state(queued), JobState::kQueued);
  EXPECT_EQ(store_->wait_for_work(0ms)->id, id);
  EXPECT_EQ(store_->start(id)->attempt, 2);
  reopen();  // killed again
  EXPECT_EQ(store_->recover().value(), 1);
  EXPECT_EQ(state(id), JobState::kFailed);
  EXPECT_THAT(store_->find(id)->error, HasSubstr("both attempts"));
  EXPECT_TRUE(store_->find(id)->finished_at);
  EXPECT_EQ(store_->wait_for_work(0ms)->id, queued) << "the queue goes on";
  reopen();
  EXPECT_EQ(store_->recover().value(), 0);
}

TEST_F(JobStoreTest, AFailedUploadIsTriedOnceMoreAndATrainingIsNot) {
  const std::string id = upload();
  ASSERT_OK(store_->start(id));
  EXPECT_TRUE(store_->fail(id, "bad file", {}, true).value());
  EXPECT_EQ(state(id), JobState::kQueued);
  ASSERT_OK(store_->start(id));
  EXPECT_FALSE(store_->fail(id, "bad file", {}, true).value());
  EXPECT_EQ(state(id), JobState::kFailed);
  const std::string training = train();
  ASSERT_OK(store_->start(training));
  EXPECT_FALSE(store_->fail(training, "no data", {}, false).value());
  EXPECT_EQ(store_->find(training)->error, "no data");
}

TEST_F(JobStoreTest, AJobPutBackByACleanStopKeepsItsAttempt) {
  const std::string id = train();
  ASSERT_OK(store_->start(id));
  ASSERT_OK(store_->put_back(id));
  reopen();
  EXPECT_EQ(store_->recover().value(), 0);
  EXPECT_EQ(store_->start(id)->attempt, 1);
}

TEST_F(JobStoreTest, PagesGoFromTheNewestWithoutGapsOrRepeats) {
  for (int i = 0; i < 7; ++i) train();
  ASSERT_OK(store_->cancel("job-000003"));
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page = store_->page(std::nullopt, cursor, 3);
    ASSERT_OK(page);
    for (const auto& job : page->jobs) seen.push_back(job.id.substr(9));
    cursor = page->next_cursor;
  } while (!cursor.empty());
  EXPECT_THAT(seen, ::testing::ElementsAre("7", "6", "5", "4", "3", "2", "1"));
  EXPECT_EQ(store_->page(JobState::kCancelled, "", 10)->jobs.size(), 1U);
  EXPECT_ERROR(store_->page(std::nullopt, "../etc", 3), ErrorCode::kInvalidInput, "cursor");
}

TEST_F(JobStoreTest, ADamagedFileIsNamedAndAHalfWrittenOneIsDropped) {
  train();
  folder_.write("runs/jobs/.job-000001.json.77-1.tmp", "{\"id\"");
  reopen();
  EXPECT_FALSE(std::filesystem::exists(folder_.file("runs/jobs/.job-000001.json.77-1.tmp")));
  folder_.write("runs/jobs/job-000001.json", "{\"id\":");
  EXPECT_ERROR(JobStore::open(folder_.path(), clock_), ErrorCode::kCorruptData, "job-000001.json");
}

TEST_F(JobStoreTest, OldFinishedTrainingsAreForgottenAndUploadsAreNot) {
  const std::string kept = upload();
  ASSERT_OK(store_->cancel(kept));
  const std::string first = train("", "old");
  ASSERT_OK(store_->cancel(first));
  Job many = *store_->find(first);
  for (std::size_t i = 0; i < JobStore::kTrainJobsKept; ++i) {
    many.id = "job-00" + std::to_string(1000 + i);
    many.idempotency_key.clear();
    folder_.write("runs/jobs/" + many.id + ".json", job_to_json(many));
  }
  reopen();
  train();
  EXPECT_FALSE(store_->find(first));
  EXPECT_TRUE(store_->find(kept));
  EXPECT_NE(train("", "old"), first) << "its key is forgotten with it";
}

}  // namespace
}  // namespace tillcast::pipeline
