#include "lake/lake.h"
#include "lake_builders.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::lake {
namespace {

using test::contents;
using test::load_file;
using test::load_info;
using test::sale_lines;
using test::silver_options;
using ::testing::HasSubstr;
using ::tillcast::test::TempDir;

const Date kStart = date_from_civil(2010, 12, 20);

class RemovalTest : public ::testing::Test {
 protected:
  TempDir dir;
  LakeOptions options{.checkpoint_interval = 3};
  Lake lake = Lake::open(dir.path() / "lake", options).value();

  // Compared with the log read anew, checkpoints included.
  std::string contents_now() { return contents(Lake::open(dir.path() / "lake", options).value()).value(); }
  void expect_clean() {
    NoProgress progress;
    ASSERT_OK_AND_ASSIGN(const auto findings, lake.verify(progress));
    for (const Finding& finding : findings)
      EXPECT_EQ(finding.severity, Finding::Severity::kRemark) << finding.path << " " << finding.message;
  }
};

TEST_F(RemovalTest, ALoadTakenOutIsAsIfItHadNeverComeAndItsFileComesInAgain) {
  ASSERT_OK(load_file(lake, "a.csv", 300, kStart, "a"));
  const std::string before = contents_now();
  ASSERT_OK(load_file(lake, "b.csv", 200, kStart, "b"));
  ASSERT_OK_AND_ASSIGN(const RemovedLoad gone, lake.remove_load("2"));
  EXPECT_EQ(gone.load.file, "b.csv");
  EXPECT_EQ(gone.load.totals.rows_in, 202);
  EXPECT_EQ(gone.removed_seq, 3);
  EXPECT_EQ(contents_now(), before);
  expect_clean();
  EXPECT_ERROR(lake.remove_load("2"), ErrorCode::kNotFound, "no load \"2\"");
  ASSERT_OK_AND_ASSIGN(const ManifestEntry again, load_file(lake, "b.csv", 200, kStart, "b"));
  EXPECT_EQ(again.totals.silver, 200) << "none of its lines counts as there already";
  expect_clean();
  ASSERT_OK_AND_ASSIGN(const auto removed, lake.removed_loads());
  ASSERT_EQ(removed.size(), 1U);
  EXPECT_EQ(removed[0].load.seq, 2);
  EXPECT_EQ(removed[0].removed_seq, 3);
  ASSERT_OK_AND_ASSIGN(const Snapshot reread, Lake::open(dir.path() / "lake", options)->snapshot());
  EXPECT_EQ(reread.last_drop, 3) << "also behind a checkpoint";
}

TEST_F(RemovalTest, CompactedFilesAreWrittenAgainWithoutItsRows) {
  ASSERT_OK(load_file(lake, "a.csv", 300, kStart, "a"));
  ASSERT_OK(load_file(lake, "b.csv", 200, kStart, "b"));
  ASSERT_OK(load_file(lake, "c.csv", 100, kStart, "c"));
  ASSERT_OK(lake.compact(""));
  ASSERT_OK(lake.remove_load(load_info("b.csv").key.substr(0, 8)));
  expect_clean();

  const TempDir other;
  ASSERT_OK_AND_ASSIGN(const Lake without, Lake::open(other.path()));
  ASSERT_OK(load_file(without, "a.csv", 300, kStart, "a"));
  ASSERT_OK(load_file(without, "c.csv", 100, kStart, "c"));
  EXPECT_EQ(contents(lake, false).value(), contents(without, false).value());
  EXPECT_EQ(lake.snapshot()->rows("silver.rejects"), 4);
}

TEST_F(RemovalTest, TheOnlyLoadLeavesAnEmptyLake) {
  ASSERT_OK(load_file(lake, "a.csv", 50, kStart, "a"));
  ASSERT_OK(lake.remove_load("1"));
  EXPECT_TRUE(lake.list()->empty());
  expect_clean();
}

TEST_F(RemovalTest, AReaderWithAnOlderSnapshotReadsOn) {
  ASSERT_OK(load_file(lake, "a.csv", 50, kStart, "a"));
  const Snapshot old = lake.snapshot().value();
  ASSERT_OK(lake.remove_load("1"));
  ASSERT_OK(lake.collect_garbage());
  auto database = database::Database::open_in_memory().value();
  auto connection = database.connect().value();
  ASSERT_OK(lake.attach_views(connection, old));
  EXPECT_EQ(connection.query("SELECT count(*) FROM silver.sale_line")->integer(0, 0), 50);
}

TEST_F(RemovalTest, LinesThatALaterLoadPassedOverAreNotLost) {
  const auto load = [&](const std::string& file, std::size_t rows) -> Result<ManifestEntry> {
    auto writer = TILLCAST_TRY_PLAIN(lake.begin_load(load_info(file)));
    TILLCAST_TRY_PLAIN(writer.add("silver.sale_line", sale_lines(rows, kStart, "same"), silver_options()));
    return writer.commit(static_cast<std::int64_t>(rows));
  };
  ASSERT_OK(load("bad.csv", 100));
  ASSERT_OK_AND_ASSIGN(const ManifestEntry good, load("good.csv", 150));
  ASSERT_EQ(good.totals.duplicates, 100);
  EXPECT_ERROR(lake.remove_load("1"), ErrorCode::kConflict,
               "commit 2 (good.csv) passed over 100 lines because they are in commit 1 (bad.csv)");
  EXPECT_EQ(lake.snapshot()->rows("silver.sale_line"), 150) << "nothing was changed";
  ASSERT_OK(lake.remove_load("2"));
  ASSERT_OK(lake.remove_load("1"));
  ASSERT_OK_AND_ASSIGN(const ManifestEntry whole, load("good.csv", 150));
  EXPECT_EQ(whole.totals.silver, 150);
  expect_clean();
}

TEST_F(RemovalTest, ALoadThatWasRunningMeanwhileIsRepeated) {
  ASSERT_OK(load_file(lake, "a.csv", 100, kStart, "a"));
  ASSERT_OK_AND_ASSIGN(LoadWriter writer, lake.begin_load(load_info("b.csv")));
  ASSERT_OK_AND_ASSIGN(const AddResult added,
                       writer.add("silver.sale_line", sale_lines(100, kStart, "a0-"), silver_options()));
  ASSERT_EQ(added.duplicates, 100U);
  ASSERT_OK(lake.remove_load("1"));
  EXPECT_ERROR(writer.commit(100), ErrorCode::kConflict, "repeat the load");
}

TEST_F(RemovalTest, WhatIsMeantMustBeClear) {
  ASSERT_OK(load_file(lake, "a.csv", 10, kStart, "a"));
  ASSERT_OK(lake.remove_load("1"));
  for (const char* const wanted : {"", "9", "a.csv", "1", "abcdef"})
    EXPECT_ERROR(lake.remove_load(wanted), ErrorCode::kNotFound, "lake ls --loads");
}

}  // namespace
}  // namespace tillcast::lake
