#include <random>

#include "database/database.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::database {
namespace {

ColumnBatch every_type(std::size_t rows, unsigned seed) {
  std::mt19937 random(seed);
  ColumnBatch batch;
  batch.rows = rows;
  auto arena = std::make_shared<TextArena>();
  const auto add = [&](const char* name, ColumnType type) -> Column& {
    batch.columns.emplace_back();
    batch.columns.back().spec = {name, type};
    return batch.columns.back();
  };
  Column text;
  text.spec = {"text", ColumnType::kText};
  for (std::size_t i = 0; i < rows; ++i)
    text.text.push_back(arena->add(std::string(random() % 30, 'a') + std::to_string(random() % 100)));
  batch.columns.push_back(std::move(text));
  for (const auto& [name, type, modulus] : {std::tuple{"flag", ColumnType::kBool, 2},
                                            {"small", ColumnType::kInt32, 1000},
                                            {"big", ColumnType::kInt64, 1 << 30},
                                            {"day", ColumnType::kDate, 20000},
                                            {"moment", ColumnType::kTimestamp, 1 << 30},
                                            {"quantity", ColumnType::kDecimal3, 5000},
                                            {"price", ColumnType::kDecimal4, 90000}}) {
    Column& column = add(name, type);
    for (std::size_t i = 0; i < rows; ++i)
      column.ints.push_back(static_cast<std::int64_t>(random() % static_cast<unsigned>(modulus)));
  }
  Column& number = add("number", ColumnType::kDouble);
  for (std::size_t i = 0; i < rows; ++i) number.doubles.push_back(static_cast<double>(random()) / 7);
  for (Column& column : batch.columns) {
    for (std::size_t i = 0; i < rows; ++i) column.valid.push_back(random() % 10 == 0 ? 0 : 1);
  }
  batch.owners.push_back(arena);
  return batch;
}

class BatchScanTest : public ::testing::Test {
 protected:
  Database database = Database::open_in_memory({.threads = 1, .preserve_insertion_order = true}).value();
  Connection connection = database.connect().value();
};

void expect_same(const QueryResult& got, const ColumnBatch& batch, std::size_t offset = 0) {
  for (std::size_t c = 0; c < batch.columns.size(); ++c) {
    const Column& wanted = batch.columns[c];
    for (std::size_t row = 0; row < got.rows(); ++row) {
      const std::size_t from = row + offset;
      ASSERT_EQ(got.is_null(row, c), wanted.is_null(from)) << wanted.spec.name << " row " << row;
      if (wanted.is_null(from)) continue;
      const Column& have = got.batch.columns[c];
      if (wanted.spec.type == ColumnType::kText) {
        ASSERT_EQ(have.text[row], wanted.text[from]);
      } else if (wanted.spec.type == ColumnType::kDouble) {
        ASSERT_EQ(have.doubles[row], wanted.doubles[from]);
      } else {
        ASSERT_EQ(have.ints[row], wanted.ints[from]) << wanted.spec.name;
      }
    }
  }
}

TEST_F(BatchScanTest, ReadsEveryTypeWithNullsInOrder) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const ColumnBatch batch = every_type(10'007, seed);
  ASSERT_OK_AND_ASSIGN(const BatchScan scan, database.scan(batch));
  ASSERT_OK_AND_ASSIGN(const QueryResult rows, connection.query("SELECT * FROM " + scan.sql()));
  ASSERT_EQ(rows.rows(), batch.rows);
  expect_same(rows, batch);
}

TEST_F(BatchScanTest, PicksRowsByIndex) {
  auto batch = std::make_shared<const ColumnBatch>(every_type(5'000, 7));
  std::vector<BatchRows> pieces = {{batch, {4999, 3, 3, 17}}, {batch, {10, 11, 12}}};
  ASSERT_OK_AND_ASSIGN(const BatchScan scan, database.scan(pieces));
  ASSERT_OK_AND_ASSIGN(const QueryResult rows, connection.query("SELECT big FROM " + scan.sql()));
  std::vector<std::uint32_t> wanted = {4999, 3, 3, 17, 10, 11, 12};
  ASSERT_EQ(rows.rows(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_EQ(rows.is_null(i, 0), batch->columns[3].is_null(wanted[i]));
    if (!rows.is_null(i, 0)) {
      EXPECT_EQ(rows.integer(i, 0), batch->columns[3].ints[wanted[i]]);
    }
  }
}

TEST_F(BatchScanTest, CountsAndProjectsAndFilters) {
  ASSERT_OK_AND_ASSIGN(const BatchScan scan, database.scan(every_type(9'000, 3)));
  ASSERT_OK_AND_ASSIGN(const QueryResult count, connection.query("SELECT count(*) FROM " + scan.sql()));
  EXPECT_EQ(count.integer(0, 0), 9'000);
  ASSERT_OK_AND_ASSIGN(const QueryResult some,
                       connection.query("SELECT price, text FROM " + scan.sql() + " WHERE flag"));
  EXPECT_GT(some.rows(), 3'000U);
  EXPECT_EQ(some.columns[0].sql_type, "DECIMAL(18,4)");
}

TEST_F(BatchScanTest, GroupsShortAndLongTextsCorrectly) {
  // 12 bytes is where DuckDB's inlined strings end; equal strings must be equal however they were built.
  ColumnBatch batch;
  batch.rows = 4'000;
  auto arena = std::make_shared<TextArena>();
  Column text;
  text.spec = {"t", ColumnType::kText};
  for (std::size_t i = 0; i < batch.rows; ++i) text.text.push_back(arena->add(std::string(i % 40, 'x')));
  batch.columns.push_back(std::move(text));
  batch.owners.push_back(arena);
  ASSERT_OK_AND_ASSIGN(const BatchScan scan, database.scan(std::move(batch)));
  ASSERT_OK_AND_ASSIGN(
      const QueryResult rows,
      connection.query("SELECT count(DISTINCT t), min(len), max(len) FROM (SELECT t, length(t) AS len FROM " +
                       scan.sql() + ")"));
  EXPECT_EQ(rows.integer(0, 0), 40);
  EXPECT_EQ(rows.integer(0, 2), 39);
}

TEST_F(BatchScanTest, ScanThatHasEndedIsAnError) {
  std::string sql;
  {
    ASSERT_OK_AND_ASSIGN(const BatchScan scan, database.scan(every_type(1, 1)));
    sql = scan.sql();
  }
  EXPECT_ERROR(connection.query("SELECT * FROM " + sql), ErrorCode::kInvalidInput, "has ended");
}

TEST_F(BatchScanTest, DifferentColumnsInOneScanAreRefused) {
  auto one = std::make_shared<const ColumnBatch>(every_type(1, 1));
  ColumnBatch other = every_type(1, 1);
  other.columns.pop_back();
  EXPECT_ERROR(database.scan({{one, {}}, {std::make_shared<const ColumnBatch>(std::move(other)), {}}}),
               ErrorCode::kInvalidInput, "different columns");
}

TEST_F(BatchScanTest, WritesParquetWithConstantsThatReadsBackEqual) {
  const test::TempDir dir;
  const ColumnBatch batch = every_type(4'000, 11);
  ASSERT_OK_AND_ASSIGN(const BatchScan scan, database.scan(batch));
  const std::string path = dir.file("a.parquet").string();
  ASSERT_OK_AND_ASSIGN(const std::int64_t written,
                       connection.execute("COPY (SELECT *, 5::BIGINT AS load_seq FROM " + scan.sql() +
                                          ") TO " + sql_quote(path) + " (FORMAT parquet, COMPRESSION zstd)"));
  EXPECT_EQ(written, 4'000);
  ASSERT_OK_AND_ASSIGN(const QueryResult rows,
                       connection.query("SELECT * FROM read_parquet(" + sql_quote(path) + ")"));
  expect_same(rows, batch);
  EXPECT_EQ(rows.integer(3'999, static_cast<std::size_t>(rows.find("load_seq"))), 5);
}

TEST_F(BatchScanTest, AppendMatchesColumnsByName) {
  ASSERT_OK(
      connection.execute("CREATE TABLE t (price DECIMAL(18,4), extra INTEGER DEFAULT 9, text VARCHAR, flag "
                         "BOOLEAN, small INTEGER, big BIGINT, "
                         "day DATE, moment TIMESTAMPTZ, quantity DECIMAL(18,3), number DOUBLE)"));
  const ColumnBatch batch = every_type(3'000, 5);
  ASSERT_OK(connection.append("t", batch));
  ASSERT_OK_AND_ASSIGN(
      const QueryResult rows,
      connection.query("SELECT text, flag, small, big, day, moment, quantity, price, number, extra FROM t"));
  ASSERT_EQ(rows.rows(), 3'000U);
  ColumnBatch first = batch;
  expect_same(rows, first);
  EXPECT_EQ(rows.integer(0, 9), 9);
}

TEST_F(BatchScanTest, AppendToAMissingTableNamesIt) {
  EXPECT_ERROR(connection.append("nowhere", every_type(1, 1)), ErrorCode::kInvalidInput, "nowhere");
}

}  // namespace
}  // namespace tillcast::database
