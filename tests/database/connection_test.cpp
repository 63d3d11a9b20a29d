#include <atomic>
#include <chrono>
#include <thread>

#include "database/cancel_watch.h"
#include "database/database.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::database {
namespace {

class ConnectionTest : public ::testing::Test {
 protected:
  Database database = Database::open_in_memory({.threads = 2}).value();
  Connection connection = database.connect().value();
};

TEST_F(ConnectionTest, BindsEveryKindOfValue) {
  const Value values[] = {
      std::monostate{},       std::string("O'Brien"),       std::int64_t{-7},    2.5, true,
      DecimalValue{-1250, 2}, date_from_civil(2024, 2, 29), Timestamp{1'000'000}};
  ASSERT_OK_AND_ASSIGN(
      const QueryResult rows,
      connection.query("SELECT $1::VARCHAR, $2, $3, $4, $5, $6::DECIMAL(18,2), $7, $8", values));
  ASSERT_EQ(rows.rows(), 1U);
  EXPECT_TRUE(rows.is_null(0, 0));
  EXPECT_EQ(rows.text(0, 1), "O'Brien");
  EXPECT_EQ(rows.integer(0, 2), -7);
  EXPECT_EQ(rows.number(0, 3), 2.5);
  EXPECT_EQ(rows.text(0, 4), "true");
  EXPECT_EQ(rows.text(0, 5), "-12.50");
  EXPECT_EQ(rows.text(0, 6), "2024-02-29");
  EXPECT_EQ(rows.text(0, 7), "1970-01-01 00:00:01+00");
}

TEST_F(ConnectionTest, LiteralsMeanTheSameAsParameters) {
  const Value values[] = {std::string("a'b"),
                          std::int64_t{INT64_MIN},
                          1e-300,
                          false,
                          DecimalValue{5, 3},
                          date_from_civil(1999, 12, 31),
                          Timestamp{1'234'567}};
  for (const Value& value : values) {
    const Value one[] = {value};
    ASSERT_OK_AND_ASSIGN(const QueryResult bound, connection.query("SELECT $1::VARCHAR", one));
    ASSERT_OK_AND_ASSIGN(const QueryResult written,
                         connection.query("SELECT (" + sql_literal(value) + ")::VARCHAR"));
    EXPECT_EQ(bound.text(0, 0), written.text(0, 0));
  }
}

TEST_F(ConnectionTest, WrongParameterCountIsRefused) {
  EXPECT_ERROR(connection.query("SELECT $1, $2", {std::int64_t{1}}), ErrorCode::kInvalidInput,
               "2 parameters, 1 were given");
}

TEST_F(ConnectionTest, ErrorsCarryDuckDbsMessage) {
  EXPECT_ERROR(connection.query("SELECT * FROM nowhere"), ErrorCode::kInvalidInput, "nowhere does not exist");
  EXPECT_ERROR(connection.execute("SELEC 1"), ErrorCode::kInvalidInput, "syntax error");
  EXPECT_ERROR(connection.query("SELECT 'x'::INTEGER"), ErrorCode::kInvalidInput, "Could not convert");
}

TEST_F(ConnectionTest, CountsChangedRows) {
  ASSERT_OK(connection.execute("CREATE TABLE t (x INTEGER)"));
  ASSERT_OK_AND_ASSIGN(const std::int64_t changed,
                       connection.execute("INSERT INTO t SELECT range FROM range(17)"));
  EXPECT_EQ(changed, 17);
  ASSERT_OK_AND_ASSIGN(const QueryResult deleted, connection.query("DELETE FROM t WHERE x < 5"));
  EXPECT_EQ(deleted.rows_changed, 5);
}

TEST_F(ConnectionTest, FailedTransactionLeavesNothing) {
  ASSERT_OK(connection.execute("CREATE TABLE t (x INTEGER)"));
  const auto failed = connection.transaction([](Connection& inside) -> Result<> {
    TILLCAST_TRY_PLAIN(inside.execute("INSERT INTO t VALUES (1)"));
    return invalid_input("changed my mind");
  });
  EXPECT_ERROR(failed, ErrorCode::kInvalidInput, "changed my mind");
  ASSERT_OK(connection.transaction([](Connection& inside) -> Result<> {
    TILLCAST_TRY_PLAIN(inside.execute("INSERT INTO t VALUES (2)"));
    return {};
  }));
  ASSERT_OK_AND_ASSIGN(const QueryResult rows, connection.query("SELECT sum(x) FROM t"));
  EXPECT_EQ(rows.integer(0, 0), 2);
}

TEST_F(ConnectionTest, InterruptFromAnotherThreadCancelsAndTheConnectionStaysUsable) {
  std::jthread other([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    connection.interrupt();
  });
  EXPECT_ERROR(connection.query(
                   "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 7"),
               ErrorCode::kCancelled, "Interrupted");
  EXPECT_OK(connection.query("SELECT 1"));
}

constexpr const char* kHours =
    "SELECT a.range AS x FROM range(10000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3 ORDER BY "
    "a.range + b.range";

TEST_F(ConnectionTest, AWatchStopsStatementsAndStreamsAndEndsItself) {
  std::atomic<bool> stop = false;
  const auto begun = std::chrono::steady_clock::now();
  {
    const CancelWatch watch(connection, [&stop] { return stop.load(); });
    EXPECT_OK(connection.query("SELECT 1"));
    EXPECT_FALSE(watch.fired());
    std::jthread other([&stop] {
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      stop = true;
    });
    EXPECT_ERROR(connection.query(kHours), ErrorCode::kCancelled, "Interrupted");
    EXPECT_ERROR(connection.execute(std::string("CREATE TABLE t AS ") + kHours), ErrorCode::kCancelled, "");
    // Its sort is done before the first row comes, within stream().
    EXPECT_ERROR(connection.stream(kHours), ErrorCode::kCancelled, "");
    EXPECT_TRUE(watch.fired());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_OK(connection.query("SELECT sum(range) FROM range(1000000)"));
}

TEST_F(ConnectionTest, AWatchStopsAStreamInTheMiddleOfItsRows) {
  std::atomic<bool> stop = false;
  const CancelWatch watch(connection, [&stop] { return stop.load(); });
  ASSERT_OK_AND_ASSIGN(ResultStream stream, connection.stream("SELECT range FROM range(10000000000)"));
  ASSERT_OK(stream.next());
  stop = true;
  for (;;) {
    const auto piece = stream.next();
    if (piece) continue;
    EXPECT_EQ(piece.error().code, ErrorCode::kCancelled) << piece.error().message;
    break;
  }
}

TEST_F(ConnectionTest, StreamsManyRowsOnItsOwnConnection) {
  ASSERT_OK(connection.execute("CREATE TABLE t AS SELECT range AS x FROM range(300000)"));
  ASSERT_OK_AND_ASSIGN(ResultStream stream,
                       connection.stream("SELECT x, 'row ' || x AS name FROM t WHERE x >= $1",
                                         std::vector<Value>{std::int64_t{10}}));
  EXPECT_EQ(stream.columns()[0].sql_type, "BIGINT");
  std::size_t rows = 0;
  std::int64_t sum = 0;
  for (;;) {
    ASSERT_OK_AND_ASSIGN(const auto piece, stream.next());
    if (!piece) break;
    rows += piece->rows();
    for (const std::int64_t x : piece->batch.columns[0].ints) sum += x;
    ASSERT_OK(connection.query("SELECT 1"));
  }
  EXPECT_EQ(rows, 299'990U);
  EXPECT_EQ(sum, 299'999LL * 300'000 / 2 - 45);
}

TEST_F(ConnectionTest, StreamReportsAnErrorInTheMiddle) {
  ASSERT_OK_AND_ASSIGN(
      ResultStream stream,
      connection.stream(
          "SELECT CASE WHEN range = 250000 THEN error('late') ELSE range END FROM range(300000)"));
  for (;;) {
    auto piece = stream.next();
    if (!piece) {
      // DuckDB now and then loses the reason to its own interruption of the other threads.
      EXPECT_THAT(piece.error().message,
                  ::testing::AnyOf(::testing::HasSubstr("late"), ::testing::HasSubstr("kept no reason")));
      return;
    }
    ASSERT_TRUE(piece->has_value()) << "the error was lost";
  }
}

TEST_F(ConnectionTest, DescribesWithoutRunning) {
  ASSERT_OK_AND_ASSIGN(const auto columns,
                       connection.describe("SELECT 1::DECIMAL(10,2) AS a, [1] AS b, error('never') AS c"));
  ASSERT_EQ(columns.size(), 3U);
  EXPECT_EQ(columns[0].name, "a");
  EXPECT_EQ(columns[0].sql_type, "DECIMAL(10,2)");
  EXPECT_EQ(columns[1].sql_type, "INTEGER[]");
}

}  // namespace
}  // namespace tillcast::database
