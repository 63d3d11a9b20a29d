#include "lake/load_writer.h"

#include <atomic>
#include <random>
#include <thread>

#include "lake_builders.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::lake {
namespace {

using test::bronze_options;
using test::bronze_rows;
using test::contents;
using test::load_file;
using test::load_info;
using test::sale_lines;
using test::silver_options;
using ::tillcast::test::TempDir;

const Date kStart = date_from_civil(2010, 12, 20);

class LoadWriterTest : public ::testing::Test {
 protected:
  TempDir dir;
  Lake lake = Lake::open(dir.path() / "lake").value();

  database::QueryResult sql(const std::string& query) {
    auto connection = database.connect().value();
    const auto attached = lake.attach_views(connection, lake.snapshot().value());
    EXPECT_TRUE(attached.has_value()) << (attached ? "" : attached.error().message);
    auto rows = connection.query(query);
    EXPECT_TRUE(rows.has_value()) << (rows ? "" : rows.error().message);
    return rows ? std::move(*rows) : database::QueryResult{};
  }
  database::Database database = database::Database::open_in_memory().value();
};

TEST_F(LoadWriterTest, WhatWasAddedIsReadBackByMonth) {
  ASSERT_OK_AND_ASSIGN(const ManifestEntry entry, load_file(lake, "a.csv", 500, kStart, "a"));
  EXPECT_EQ(entry.seq, 1);
  EXPECT_EQ(entry.totals.silver, 500);
  EXPECT_EQ(entry.totals.rejected, 2);
  EXPECT_EQ(entry.files.size(), 3U + 3U + 1U) << "bronze and silver of three months, rejects";
  const auto rows =
      sql("SELECT count(*), count(DISTINCT event_id), min(load_seq), min(source), min(business_date), "
          "sum(amount), typeof(any_value(line_no)) FROM silver.sale_line");
  EXPECT_EQ(rows.integer(0, 0), 500);
  EXPECT_EQ(rows.integer(0, 1), 500);
  EXPECT_EQ(rows.integer(0, 2), 1);
  EXPECT_EQ(rows.text(0, 3), "shop");
  EXPECT_EQ(rows.text(0, 4), "2010-12-20");
  EXPECT_EQ(rows.text(0, 6), "INTEGER");
  const auto types =
      sql("SELECT typeof(source), typeof(event_id), (SELECT any_value(typeof(_file)) FROM bronze.till) FROM "
          "silver.sale_line LIMIT 1");
  EXPECT_EQ(types.text(0, 0), "VARCHAR");
  EXPECT_EQ(types.text(0, 1), "VARCHAR");
  EXPECT_EQ(types.text(0, 2), "VARCHAR");
  const auto bronze =
      sql("SELECT count(*), min(_file), min(_file_sha256), max(_row), min(\"Description\") FROM bronze.till");
  EXPECT_EQ(bronze.integer(0, 0), 500);
  EXPECT_EQ(bronze.text(0, 1), "a.csv");
  EXPECT_EQ(bronze.text(0, 2), load_info("a.csv").key);
  EXPECT_EQ(bronze.integer(0, 3), 500);
  EXPECT_EQ(bronze.text(0, 4), "said \"it's\", number 0");
  for (const DataFile& file : entry.files) {
    EXPECT_TRUE(file.dataset == "silver.rejects"
                    ? file.month == "none"
                    : file.path.find("event_month=" + file.month) != std::string::npos);
    EXPECT_TRUE(file.month == "none" || format_date(*file.date_min).starts_with(file.month)) << file.path;
  }
}

TEST_F(LoadWriterTest, RowsKeepTheOrderInWhichTheyCame) {
  ASSERT_OK(load_file(lake, "a.csv", 900, kStart, "a"));
  ASSERT_OK_AND_ASSIGN(const auto ordered,
                       database::Database::open_in_memory({.threads = 1, .preserve_insertion_order = true}));
  ASSERT_OK_AND_ASSIGN(auto connection, ordered.connect());
  ASSERT_OK(lake.attach_views(connection, lake.snapshot().value()));
  ASSERT_OK_AND_ASSIGN(const auto rows, connection.query("SELECT source_row FROM silver.sale_line"));
  ASSERT_EQ(rows.rows(), 900U);
  for (std::size_t row = 0; row < 900; ++row)
    ASSERT_EQ(rows.integer(row, 0), static_cast<std::int64_t>(row + 1));
}

TEST_F(LoadWriterTest, NothingIsVisibleBeforeTheCommitOrAfterAnAbort) {
  {
    ASSERT_OK_AND_ASSIGN(LoadWriter writer, lake.begin_load(load_info("a.csv"), {.buffer_bytes_max = 1}));
    ASSERT_OK(writer.add("silver.sale_line", sale_lines(100, kStart, "a"), silver_options()));
    EXPECT_TRUE(lake.snapshot()->files.empty());
  }
  std::size_t left = 0;
  for (const auto& at : std::filesystem::recursive_directory_iterator(dir.path()))
    left += at.is_regular_file() ? 1U : 0U;
  EXPECT_EQ(left, 0U) << "an abandoned load removes its files";
}

TEST_F(LoadWriterTest, AStopWhileFilesAreWrittenLeavesNothingAndALoadAfterwardsWorks) {
  class Stopped final : public Progress {
   public:
    void update(std::uint64_t, std::uint64_t) override {}
    bool cancelled() const override { return stop; }
    std::atomic<bool> stop = false;
  } progress;
  {
    LoadOptions options;
    options.progress = &progress;
    ASSERT_OK_AND_ASSIGN(LoadWriter writer, lake.begin_load(load_info("a.csv"), options));
    ASSERT_OK(writer.add("silver.sale_line", sale_lines(2'000, kStart, "a"), silver_options()));
    progress.stop = true;
    EXPECT_ERROR(writer.commit(2'000), ErrorCode::kCancelled, "");
  }
  EXPECT_TRUE(lake.snapshot()->files.empty());
  for (const auto& at : std::filesystem::recursive_directory_iterator(dir.path()))
    EXPECT_FALSE(at.is_regular_file()) << at.path();
  ASSERT_OK(load_file(lake, "a.csv", 2'000, kStart, "a"));
}

TEST_F(LoadWriterTest, LoadingTheSameFileTwiceIsAConflictThatNamesTheFirst) {
  ASSERT_OK(load_file(lake, "a.csv", 50, kStart, "a"));
  EXPECT_ERROR(lake.begin_load(load_info("a.csv")), ErrorCode::kConflict, "loaded already, as commit 1");
  ASSERT_OK_AND_ASSIGN(const auto found, lake.find_load(load_info("a.csv").key));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->totals.rows_in, 52);
  EXPECT_FALSE(lake.find_load(load_info("b.csv").key)->has_value());
}

TEST_F(LoadWriterTest, TotalsThatDoNotReconcileAreRefused) {
  ASSERT_OK_AND_ASSIGN(LoadWriter writer, lake.begin_load(load_info("a.csv")));
  ASSERT_OK(writer.add("silver.sale_line", sale_lines(10, kStart, "a"), silver_options()));
  EXPECT_ERROR(writer.commit(11), ErrorCode::kInvalidInput, "11 rows in, but 10 silver + 0 rejected");
}

TEST_F(LoadWriterTest, EventsThatAreThereAlreadyBecomeRejectsWithTheirRawText) {
  ASSERT_OK_AND_ASSIGN(LoadWriter first, lake.begin_load(load_info("a.csv")));
  ASSERT_OK(first.add("silver.sale_line", sale_lines(300, kStart, "a"), silver_options()));
  ASSERT_OK(first.commit(300));
  // The second file has the same 300 events, then 100 of its own, then 50 of these once more.
  ASSERT_OK_AND_ASSIGN(LoadWriter second, lake.begin_load(load_info("b.csv")));
  ASSERT_OK_AND_ASSIGN(const AddResult same,
                       second.add("silver.sale_line", sale_lines(300, kStart, "a"), silver_options()));
  EXPECT_EQ(same.stored, 0U);
  EXPECT_EQ(same.duplicates, 300U);
  ASSERT_OK_AND_ASSIGN(const AddResult own,
                       second.add("silver.sale_line", sale_lines(100, kStart, "b", 301), silver_options()));
  EXPECT_EQ(own.stored, 100U);
  ASSERT_OK_AND_ASSIGN(const AddResult twice,
                       second.add("silver.sale_line", sale_lines(50, kStart, "b", 401), silver_options()));
  EXPECT_EQ(twice.duplicates, 50U);
  ASSERT_OK_AND_ASSIGN(const ManifestEntry entry, second.commit(450));
  EXPECT_EQ(entry.totals.silver, 100);
  EXPECT_EQ(entry.totals.duplicates, 350);
  const auto counts =
      sql("SELECT (SELECT count(*) FROM silver.sale_line), (SELECT count(*) FROM silver.rejects), "
          "(SELECT count(DISTINCT event_id) FROM silver.sale_line)");
  EXPECT_EQ(counts.integer(0, 0), 400);
  EXPECT_EQ(counts.integer(0, 1), 350);
  EXPECT_EQ(counts.integer(0, 2), 400);
  const auto reject =
      sql("SELECT source, dataset, file, file_sha256, source_row, column_name, reason, raw, load_seq FROM "
          "silver.rejects WHERE source_row = 17");
  ASSERT_EQ(reject.rows(), 1U);
  EXPECT_EQ(reject.text(0, 0), "shop");
  EXPECT_EQ(reject.text(0, 1), "sale_line");
  EXPECT_EQ(reject.text(0, 2), "b.csv");
  EXPECT_EQ(reject.text(0, 3), load_info("b.csv").key);
  EXPECT_TRUE(reject.is_null(0, 5));
  EXPECT_EQ(reject.text(0, 6), "duplicate_event");
  EXPECT_EQ(reject.text(0, 7), "raw 16");
  EXPECT_EQ(reject.integer(0, 8), 2);
}

// Whatever the batches, the buffer and the overlap: silver holds each event once, and rows in = silver +
// rejects.
TEST_F(LoadWriterTest, EachEventIsStoredOnceWhateverTheBatches) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::int64_t rows_in = 0;
  for (int file = 0; file < 4; ++file) {
    LoadOptions options;
    options.buffer_bytes_max = random() % 2 == 0 ? 50'000 : 50'000'000;
    ASSERT_OK_AND_ASSIGN(LoadWriter writer, lake.begin_load(load_info("f" + std::to_string(file)), options));
    std::int64_t rows = 0;
    for (auto batches = 1 + random() % 5; batches > 0; --batches) {
      const std::size_t count = 1 + random() % 400;
      const std::string tag =
          "t" + std::to_string(random() % 3);  // few tags: many collisions, always on the same days
      ASSERT_OK(writer.add("silver.sale_line", sale_lines(count, kStart, tag, rows + 1), silver_options()));
      rows += static_cast<std::int64_t>(count);
    }
    ASSERT_OK(writer.commit(rows));
    rows_in += rows;
  }
  const auto rows =
      sql("SELECT count(*), count(DISTINCT event_id), (SELECT count(*) FROM silver.rejects) FROM "
          "silver.sale_line");
  EXPECT_EQ(rows.integer(0, 0), rows.integer(0, 1));
  EXPECT_EQ(*rows.integer(0, 0) + *rows.integer(0, 2), rows_in);
}

TEST_F(LoadWriterTest, SmallBufferWritesMoreFilesButTheSameRows) {
  ASSERT_OK(load_file(lake, "a.csv", 2'000, kStart, "a"));
  TempDir other_dir;
  const Lake other = Lake::open(other_dir.path()).value();
  ASSERT_OK(load_file(other, "a.csv", 2'000, kStart, "a", {.buffer_bytes_max = 100'000}));
  EXPECT_GT(other.snapshot()->dataset("silver.sale_line").size(),
            lake.snapshot()->dataset("silver.sale_line").size());
  EXPECT_EQ(contents(lake).value(), contents(other).value());
}

TEST_F(LoadWriterTest, LoadThatLosesTheRaceTakesTheNextNumberEverywhere) {
  ASSERT_OK_AND_ASSIGN(LoadWriter slow, lake.begin_load(load_info("slow.csv")));
  ASSERT_OK(slow.add("silver.sale_line", sale_lines(200, kStart, "slow"), silver_options()));
  ASSERT_OK(slow.add("bronze.till", bronze_rows(200, kStart), bronze_options()));
  ASSERT_OK(load_file(lake, "fast.csv", 100, kStart, "fast"));
  ASSERT_OK_AND_ASSIGN(const ManifestEntry entry, slow.commit(200));
  EXPECT_EQ(entry.seq, 2);
  const auto rows = sql("SELECT load_seq, count(*) FROM silver.sale_line GROUP BY ALL ORDER BY ALL");
  ASSERT_EQ(rows.rows(), 2U);
  EXPECT_EQ(rows.integer(1, 0), 2);
  EXPECT_EQ(rows.integer(1, 1), 200);
  EXPECT_EQ(sql("SELECT count(*) FROM bronze.till WHERE _load_seq = 2").integer(0, 0), 200);
  NoProgress progress;
  EXPECT_TRUE(lake.verify(progress)->empty());
}

TEST_F(LoadWriterTest, RacingLoadOfTheSameFileOrTheSameEventsIsAConflict) {
  ASSERT_OK_AND_ASSIGN(LoadWriter same_file, lake.begin_load(load_info("a.csv")));
  ASSERT_OK(same_file.add("silver.sale_line", sale_lines(100, kStart, "x"), silver_options()));
  ASSERT_OK_AND_ASSIGN(LoadWriter same_events, lake.begin_load(load_info("b.csv")));
  ASSERT_OK(same_events.add("silver.sale_line", sale_lines(100, kStart, "a"), silver_options()));
  ASSERT_OK_AND_ASSIGN(LoadWriter winner, lake.begin_load(load_info("a.csv")));
  ASSERT_OK(winner.add("silver.sale_line", sale_lines(100, kStart, "a"), silver_options()));
  ASSERT_OK(winner.commit(100));
  EXPECT_ERROR(same_file.commit(100), ErrorCode::kConflict, "loaded meanwhile, as commit 1");
  EXPECT_ERROR(same_events.commit(100), ErrorCode::kConflict, "repeat the load");
  EXPECT_EQ(sql("SELECT count(*) FROM silver.sale_line").integer(0, 0), 100);
}

TEST_F(LoadWriterTest, ManyWritersAtOnceAllCommit) {
  std::vector<std::jthread> writers;
  std::atomic<int> committed{0};
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&, i] {
      const std::string name = "w" + std::to_string(i);
      committed += load_file(lake, name, 60, kStart, name) ? 1 : 0;
    });
  }
  writers.clear();
  EXPECT_EQ(committed, 4);
  const auto rows = sql("SELECT count(*), count(DISTINCT load_seq), max(load_seq) FROM silver.sale_line");
  EXPECT_EQ(rows.integer(0, 0), 240);
  EXPECT_EQ(rows.integer(0, 1), 4);
  EXPECT_EQ(rows.integer(0, 2), 4);
}

TEST_F(LoadWriterTest, WrongColumnsAreNamed) {
  ASSERT_OK_AND_ASSIGN(LoadWriter writer, lake.begin_load(load_info("a.csv")));
  ColumnBatch missing = sale_lines(1, kStart, "a");
  std::erase_if(missing.columns, [](const Column& column) { return column.spec.name == "product_id"; });
  EXPECT_ERROR(writer.add("silver.sale_line", std::move(missing), silver_options()), ErrorCode::kInvalidInput,
               "column product_id is missing");
  ColumnBatch wrong = sale_lines(1, kStart, "a");
  wrong.columns[8].spec.type = ColumnType::kDecimal4;
  EXPECT_ERROR(writer.add("silver.sale_line", std::move(wrong), silver_options()), ErrorCode::kInvalidInput,
               "quantity is DECIMAL(18,4), expected DECIMAL(18,3)");
  EXPECT_ERROR(writer.add("silver.nothing", sale_lines(1, kStart, "a")), ErrorCode::kInvalidInput,
               "no dataset silver.nothing");
  EXPECT_ERROR(writer.add("bronze.other", bronze_rows(1, kStart)), ErrorCode::kInvalidInput,
               "no dataset bronze.other");
  EXPECT_ERROR(writer.add("bronze.till", bronze_rows(1, kStart), {.partition_column = "nope"}),
               ErrorCode::kInvalidInput, "nope");
}

TEST_F(LoadWriterTest, BadKeysAndTopicsAreRefused) {
  LoadInfo info = load_info("a.csv");
  info.key = "short";
  EXPECT_ERROR(lake.begin_load(info), ErrorCode::kInvalidInput, "SHA-256");
  info = load_info("a.csv");
  info.topic = "../x";
  EXPECT_ERROR(lake.begin_load(info), ErrorCode::kInvalidInput, "topic");
}

TEST_F(LoadWriterTest, RowsWithoutADateGoToTheirOwnFolder) {
  ColumnBatch batch = bronze_rows(10, kStart);
  batch.columns[3].valid = {1, 1, 1, 1, 1, 1, 1, 0, 0, 0};
  ASSERT_OK_AND_ASSIGN(LoadWriter writer, lake.begin_load(load_info("a.csv")));
  ASSERT_OK(writer.add("bronze.till", std::move(batch), bronze_options()));
  ASSERT_OK_AND_ASSIGN(const ManifestEntry entry, writer.commit(0));
  ASSERT_EQ(entry.files.size(), 2U);
  EXPECT_EQ(entry.files[0].month, "none");
  EXPECT_EQ(entry.files[0].rows, 3);
  EXPECT_FALSE(entry.files[0].date_min.has_value());
}

TEST_F(LoadWriterTest, ViewsOfAnEmptyLakeHaveTheContractsColumns) {
  for (const std::string_view dataset : silver_datasets()) {
    const auto rows = sql("SELECT * FROM " + std::string(dataset));
    const auto schema = silver_schema(dataset);
    ASSERT_EQ(rows.columns.size(), schema.size());
    EXPECT_EQ(rows.rows(), 0U);
    for (std::size_t i = 0; i < schema.size(); ++i) {
      EXPECT_EQ(rows.columns[i].name, schema[i].name);
      EXPECT_EQ(rows.columns[i].sql_type, sql_name(schema[i].type)) << schema[i].name;
    }
  }
}

TEST_F(LoadWriterTest, ViewsWorkInALockedDownDatabase) {
  ASSERT_OK(load_file(lake, "a.csv", 50, kStart, "a"));
  auto connection = database.connect().value();
  ASSERT_OK(database.lock_down({.allowed_directories = {lake.directory()}}));
  ASSERT_OK(lake.attach_views(connection, lake.snapshot().value()));
  ASSERT_OK_AND_ASSIGN(const auto rows,
                       connection.query_read_only("SELECT count(*) FROM silver.sale_line", {}));
  EXPECT_EQ(rows.integer(0, 0), 50);
}

TEST_F(LoadWriterTest, SnapshotKeepsItsRowsWhileOthersCommit) {
  ASSERT_OK(load_file(lake, "a.csv", 50, kStart, "a"));
  const Snapshot old = lake.snapshot().value();
  ASSERT_OK(load_file(lake, "b.csv", 50, kStart, "b"));
  auto connection = database.connect().value();
  ASSERT_OK(lake.attach_views(connection, old));
  EXPECT_EQ(connection.query("SELECT count(*) FROM silver.sale_line")->integer(0, 0), 50);
}

}  // namespace
}  // namespace tillcast::lake
