#include <fstream>

#include "lake_builders.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::lake {
namespace {

using test::contents;
using test::load_file;
using ::tillcast::test::TempDir;

const Date kStart = date_from_civil(2011, 3, 25);

class FixedClock final : public Clock {
 public:
  Timestamp at = SystemClock().now();
  Timestamp now() const override { return at; }
};

class LakeVerify : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(load_file(lake, "a.csv", 200, kStart, "a"));
    ASSERT_OK(load_file(lake, "b.csv", 200, kStart, "b"));
  }
  std::filesystem::path some_file() const {
    return lake.directory() / lake.snapshot()->dataset("silver.sale_line")[0].path;
  }
  std::vector<std::string> kinds() const {
    NoProgress progress;
    std::vector<std::string> found;
    const auto findings = lake.verify(progress).value();
    for (const Finding& finding : findings) found.push_back(finding.kind);
    return found;
  }
  TempDir dir;
  FixedClock clock;
  LakeOptions options = [this] {
    LakeOptions made;
    made.clock = &clock;
    return made;
  }();
  Lake lake = Lake::open(dir.path() / "lake", options).value();
};

TEST_F(LakeVerify, HealthyLakeIsClean) { EXPECT_THAT(kinds(), ::testing::IsEmpty()); }

TEST_F(LakeVerify, FindsAMissingFile) {
  std::filesystem::remove(some_file());
  EXPECT_THAT(kinds(), ::testing::ElementsAre("missing_file"));
}

TEST_F(LakeVerify, FindsATruncatedFile) {
  std::filesystem::resize_file(some_file(), std::filesystem::file_size(some_file()) - 1);
  EXPECT_THAT(kinds(), ::testing::ElementsAre("wrong_size"));
}

TEST_F(LakeVerify, FindsOneFlippedBit) {
  std::fstream file(some_file(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(100);
  const char byte = static_cast<char>(file.get() ^ 4);
  file.seekp(100);
  file.put(byte);
  file.close();
  EXPECT_THAT(kinds(), ::testing::ElementsAre("wrong_checksum"));
}

TEST_F(LakeVerify, FindsAGapInTheLogEvenBehindACheckpoint) {
  const Snapshot snapshot = lake.snapshot().value();
  LocalObjectStore store = LocalObjectStore::open(lake.directory()).value();
  ASSERT_OK(Manifest(store).write_checkpoint(snapshot));
  std::filesystem::remove(lake.directory() / Manifest::entry_key(1));
  EXPECT_THAT(kinds(), ::testing::Contains("gap"));
}

TEST_F(LakeVerify, FindsADamagedEntry) {
  const auto path = lake.directory() / Manifest::entry_key(2);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(50);
  file.put('#');
  file.close();
  EXPECT_THAT(kinds(), ::testing::Contains("bad_entry"));
  EXPECT_ERROR(Lake::open(lake.directory()), ErrorCode::kCorruptData, "00000000000000000002.json");
}

TEST_F(LakeVerify, OrphansAreRemarksUntilTheGraceTimeIsOver) {
  const auto orphan =
      lake.directory() / "silver" / "sale_line" / "event_month=2011-04" / "0000000009-dead.parquet";
  std::ofstream(orphan) << "half a file";
  std::ofstream(lake.directory() / "tmp" / "123-4") << "x";
  EXPECT_THAT(kinds(), ::testing::ElementsAre("orphan", "orphan"));
  EXPECT_TRUE(lake.collect_garbage()->empty()) << "too young";
  clock.at.micros += 2 * 3600 * kMicrosPerSecond;
  ASSERT_OK_AND_ASSIGN(const auto deleted, lake.collect_garbage());
  EXPECT_EQ(deleted.size(), 2U);
  EXPECT_THAT(kinds(), ::testing::IsEmpty());
}

TEST_F(LakeVerify, CompactionKeepsEveryRowAndOldFilesForReaders) {
  const std::string before = contents(lake).value();
  const Snapshot old = lake.snapshot().value();
  ASSERT_OK_AND_ASSIGN(const CompactionReport report, lake.compact(""));
  EXPECT_EQ(report.files_before, 10);
  EXPECT_EQ(report.files_after, 5);
  EXPECT_EQ(contents(lake).value(), before);
  EXPECT_EQ(lake.snapshot()->loads.size(), 2U);
  // A reader that began before still finds its files.
  auto database = database::Database::open_in_memory().value();
  auto connection = database.connect().value();
  ASSERT_OK(lake.attach_views(connection, old));
  EXPECT_EQ(connection.query("SELECT count(*) FROM silver.sale_line")->integer(0, 0), 400);
  EXPECT_THAT(kinds(), ::testing::Each("orphan"));
  clock.at.micros += 2 * 3600 * kMicrosPerSecond;
  EXPECT_EQ(lake.collect_garbage()->size(), 10U);
  EXPECT_THAT(kinds(), ::testing::IsEmpty());
  EXPECT_EQ(contents(lake).value(), before);
}

TEST_F(LakeVerify, CompactionKeepsTheOrderOfArrival) {
  ASSERT_OK(lake.compact("silver.sale_line"));
  auto database =
      database::Database::open_in_memory({.threads = 1, .preserve_insertion_order = true}).value();
  auto connection = database.connect().value();
  ASSERT_OK(lake.attach_views(connection, lake.snapshot().value()));
  ASSERT_OK_AND_ASSIGN(
      const auto rows,
      connection.query(
          "SELECT load_seq, source_row FROM silver.sale_line WHERE business_date < DATE '2011-04-01'"));
  for (std::size_t row = 1; row < rows.rows(); ++row) {
    ASSERT_LT(std::pair(rows.integer(row - 1, 0), rows.integer(row - 1, 1)),
              std::pair(rows.integer(row, 0), rows.integer(row, 1)));
  }
}

TEST_F(LakeVerify, CompactionOfASecondTimeDoesNothing) {
  ASSERT_OK(lake.compact(""));
  const std::int64_t seq = lake.snapshot()->seq;
  ASSERT_OK_AND_ASSIGN(const CompactionReport report, lake.compact(""));
  EXPECT_EQ(report.files_before, 0);
  EXPECT_EQ(lake.snapshot()->seq, seq);
}

TEST_F(LakeVerify, CompactionOfAnUnknownDatasetIsNotFound) {
  EXPECT_ERROR(lake.compact("bronze.nothing"), ErrorCode::kNotFound, "bronze.nothing");
}

TEST_F(LakeVerify, DuplicatesAreFoundAfterCompactionToo) {
  ASSERT_OK(lake.compact(""));
  ASSERT_OK_AND_ASSIGN(LoadWriter writer, lake.begin_load(test::load_info("again.csv")));
  ASSERT_OK_AND_ASSIGN(
      const AddResult added,
      writer.add("silver.sale_line", test::sale_lines(200, kStart, "a0-"), test::silver_options()));
  EXPECT_EQ(added.duplicates, 200U);
  ASSERT_OK(writer.commit(200));
}

TEST_F(LakeVerify, ListsDatasets) {
  ASSERT_OK_AND_ASSIGN(const auto all, lake.list());
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].name, "silver.sale_line");
  EXPECT_EQ(all[2].rows, 400);
  EXPECT_EQ(all[2].date_min, kStart);
}

}  // namespace
}  // namespace tillcast::lake
