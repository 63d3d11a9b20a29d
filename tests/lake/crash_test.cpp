// Kills a child at every named step of a load, a compaction, a removal and a checkpoint, repeats the work as
// a user would, and compares what is visible with a lake that was never disturbed.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <random>
#include <set>

#include "lake_builders.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::lake {
namespace {

using test::contents;
using test::load_file;
using ::tillcast::test::TempDir;

const Date kStart = date_from_civil(2011, 1, 25);

LakeOptions eager() {
  LakeOptions options;
  options.checkpoint_interval = 2;
  options.orphan_grace = std::chrono::seconds(0);  // so that compaction deletes within the test
  return options;
}

// Loads four files, compacts and takes the last one out again; what is done already is skipped, as `tillcast
// ingest` does.
Result<> work(const std::filesystem::path& directory) {
  const Lake lake = TILLCAST_TRY_PLAIN(Lake::open(directory, eager()));
  const std::string mistaken = test::load_info("d.csv").key;
  for (const std::string name : {"a.csv", "b.csv", "c.csv", "d.csv"}) {
    if (TILLCAST_TRY_PLAIN(lake.find_load(test::load_info(name).key))) continue;
    TILLCAST_TRY_PLAIN(load_file(lake, name, 150, kStart, name, {.buffer_bytes_max = 60'000}));
  }
  TILLCAST_TRY_PLAIN(lake.compact(""));
  TILLCAST_TRY_PLAIN(lake.remove_load(mistaken));
  TILLCAST_TRY_PLAIN(lake.collect_garbage());
  return {};
}

// The exit status of a child that works with this crash point; a fresh program, as the variable is read once.
int run_child(const std::filesystem::path& directory, const std::string& crash_at,
              const char* child_test = "LakeCrash.ChildWorks") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TILLCAST_CRASH_AT", crash_at.c_str(), 1);
    ::setenv("TILLCAST_CRASH_TEST_DIR", directory.c_str(), 1);
    ::execl("/proc/self/exe", "lake_test", ("--gtest_filter=" + std::string(child_test)).c_str(),
            "--gtest_brief=1", static_cast<char*>(nullptr));
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(LakeCrash, ChildWorks) {
  const char* const directory = std::getenv("TILLCAST_CRASH_TEST_DIR");
  if (directory == nullptr)
    return;  // the work of a child process that KilledAtEveryPointThenRepeatedEqualsUndisturbed starts
  ASSERT_OK(work(directory));
}

TEST(LakeCrash, ChildRemovesALoad) {
  const char* const directory = std::getenv("TILLCAST_CRASH_TEST_DIR");
  if (directory == nullptr) return;  // the work of a child process
  ASSERT_OK_AND_ASSIGN(const Lake lake, Lake::open(directory, eager()));
  ASSERT_OK(lake.remove_load("2"));
}

std::vector<std::string> error_findings(const Lake& lake) {
  NoProgress progress;
  std::vector<std::string> errors;
  const auto findings = lake.verify(progress);
  if (!findings) return {findings.error().message};
  for (const Finding& finding : *findings) {
    if (finding.severity == Finding::Severity::kError)
      errors.push_back(finding.kind + " " + finding.path + " " + finding.message);
  }
  return errors;
}

TEST(LakeCrash, KilledAtEveryPointThenRepeatedEqualsUndisturbed) {
  const TempDir undisturbed;
  ASSERT_OK(work(undisturbed.path()));
  ASSERT_OK_AND_ASSIGN(const Lake whole, Lake::open(undisturbed.path()));
  ASSERT_OK_AND_ASSIGN(const std::string wanted, contents(whole));
  ASSERT_GT(wanted.size(), 10'000U);

  for (const char* const point : crash_points()) {
    for (const int nth : {1, 3}) {
      const std::string crash_at = std::string(point) + ":" + std::to_string(nth);
      SCOPED_TRACE(crash_at);
      const TempDir dir;
      const int status = run_child(dir.path(), crash_at);
      const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
      if (nth == 1) {
        EXPECT_TRUE(killed) << "the point was never reached";
      }
      {
        ASSERT_OK_AND_ASSIGN(const Lake after, Lake::open(dir.path(), eager()));
        EXPECT_THAT(error_findings(after), ::testing::IsEmpty()) << "after the kill";
        const auto snapshot = after.snapshot().value();
        for (const LoadRecord& load : snapshot.loads)
          EXPECT_EQ(load.totals.rows_in, 152) << "half a load is visible";
      }
      ASSERT_OK(work(dir.path()));
      ASSERT_OK_AND_ASSIGN(const Lake repeated, Lake::open(dir.path(), eager()));
      EXPECT_EQ(contents(repeated).value(), wanted);
      EXPECT_THAT(error_findings(repeated), ::testing::IsEmpty());
      ASSERT_OK(repeated.collect_garbage());
      NoProgress progress;
      EXPECT_TRUE(repeated.verify(progress)->empty()) << "orphans are collected";
    }
  }
}

TEST(LakeCrash, KilledInARemovalLeavesTheWholeLoadOrNothingOfIt) {
  const TempDir dirs;
  const auto made = [&](const std::string& name) {
    const auto directory = dirs.path() / name;
    const Lake lake = Lake::open(directory, eager()).value();
    for (const std::string file : {"a.csv", "d.csv"})
      EXPECT_OK(load_file(lake, file, 150, kStart, file, {.buffer_bytes_max = 60'000}));
    EXPECT_OK(lake.compact(""));
    return directory;
  };
  const Lake undisturbed = Lake::open(made("undisturbed"), eager()).value();
  const std::string before = contents(undisturbed).value();
  ASSERT_OK(undisturbed.remove_load("2"));
  const std::string after = contents(undisturbed).value();
  ASSERT_NE(before, after);
  int killed = 0;
  std::set<std::string> seen;
  for (const char* const point : crash_points()) {
    SCOPED_TRACE(point);
    const auto directory = made("shop");
    const int status = run_child(directory, point, "LakeCrash.ChildRemovesALoad");
    killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 1 : 0;
    const Lake lake = Lake::open(directory, eager()).value();
    EXPECT_THAT(error_findings(lake), ::testing::IsEmpty());
    const std::string now = contents(lake).value();
    EXPECT_TRUE(now == before || now == after) << "half a load is visible";
    seen.insert(now);
    if (now == before) EXPECT_OK(lake.remove_load("2"));
    EXPECT_EQ(contents(lake).value(), after);
    std::filesystem::remove_all(directory);
  }
  EXPECT_GE(killed, 8);
  EXPECT_EQ(seen.size(), 2U) << "killed before the commit and after it";
}

TEST(LakeCrash, KilledAtRandomMomentsThenRepeatedEqualsUndisturbed) {
  const TempDir undisturbed;
  const auto started = std::chrono::steady_clock::now();
  ASSERT_OK(work(undisturbed.path()));
  // Moments are drawn from the time that the work takes here and now. A child that is done before its moment
  // (other work on the machine has ended, say) leaves nothing to kill: the next one begins anew, with earlier
  // moments.
  auto work_us = static_cast<unsigned>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started)
          .count());
  const std::string wanted = contents(Lake::open(undisturbed.path()).value()).value();
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto dir = std::make_unique<TempDir>();
  constexpr int kKills = 8;
  int kills = 0;
  for (int round = 0; round < 60 && kills < kKills; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("TILLCAST_CRASH_TEST_DIR", dir->path().c_str(), 1);
      ::execl("/proc/self/exe", "lake_test", "--gtest_filter=LakeCrash.ChildWorks", "--gtest_brief=1",
              static_cast<char*>(nullptr));
      ::_exit(99);
    }
    ::usleep(static_cast<useconds_t>(random() % (work_us + 1)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSIGNALED(status)) {
      dir = std::make_unique<TempDir>();
      work_us = work_us / 4 * 3 + 1;
      continue;
    }
    ++kills;
    ASSERT_OK_AND_ASSIGN(const Lake after, Lake::open(dir->path(), eager()));
    ASSERT_THAT(error_findings(after), ::testing::IsEmpty());
  }
  EXPECT_EQ(kills, kKills);
  ASSERT_OK(work(dir->path()));
  EXPECT_EQ(contents(Lake::open(dir->path()).value(), false).value(),
            contents(Lake::open(undisturbed.path()).value(), false).value());
  EXPECT_EQ(contents(Lake::open(dir->path()).value()).value(), wanted);
}

}  // namespace
}  // namespace tillcast::lake
