#include <fstream>

#include "database/database.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::database {
namespace {

class ReadOnlyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir.path() / "lake");
    dir.write("secret.csv", "a\n1\n");
    ASSERT_OK(connection.execute("CREATE TABLE t AS SELECT range AS x FROM range(100)"));
    ASSERT_OK(connection.execute("CREATE SEQUENCE s"));
    const std::string parquet = sql_quote((dir.path() / "lake" / "a.parquet").string());
    ASSERT_OK(connection.execute("COPY (SELECT 7 AS seven) TO " + parquet + " (FORMAT parquet)"));
    ASSERT_OK(connection.execute("CREATE VIEW v AS SELECT * FROM read_parquet(" + parquet + ")"));
    ASSERT_OK(
        database.lock_down({.allowed_directories = {dir.path() / "lake"}, .memory_limit_bytes = 256 << 20}));
  }
  Result<QueryResult> run(const std::string& sql, QueryLimits limits = {}) {
    return connection.query_read_only(sql, limits);
  }

  test::TempDir dir;
  Database database = Database::open(dir.file("w.duckdb"), {.threads = 2}).value();
  Connection connection = database.connect().value();
};

TEST_F(ReadOnlyTest, AllowsWhatReads) {
  for (const char* sql :
       {"SELECT * FROM t", "FROM t", "VALUES (1)", "WITH a AS (SELECT 1) SELECT * FROM a", "DESCRIBE t",
        "SHOW TABLES", "SUMMARIZE t", "EXPLAIN SELECT * FROM t", "EXPLAIN ANALYZE SELECT * FROM t",
        "/* c */ SELECT 1 -- end", "SELECT 1;", "SHOW ALL TABLES", "PRAGMA table_info('t')",
        "PIVOT t ON x IN (1, 2) USING count(*)"}) {
    const auto rows = run(sql);
    EXPECT_TRUE(rows.has_value()) << sql << ": " << (rows ? "" : rows.error().message);
  }
}

TEST_F(ReadOnlyTest, RefusesWhatWrites) {
  for (const char* sql : {"INSERT INTO t VALUES (1)",
                          "DELETE FROM t",
                          "UPDATE t SET x = 1",
                          "DROP TABLE t",
                          "CREATE TABLE u (x INTEGER)",
                          "CREATE TEMP TABLE u (x INTEGER)",
                          "COPY t TO 'x.csv'",
                          "ATTACH 'x.db'",
                          "INSTALL httpfs",
                          "LOAD httpfs",
                          "SET threads = 9",
                          "PRAGMA threads = 9",
                          "CALL pragma_version()",
                          "CHECKPOINT",
                          "VACUUM",
                          "BEGIN",
                          "COMMIT",
                          "EXPORT DATABASE 'x'",
                          "SELECT nextval('s')",
                          "EXPLAIN ANALYZE DELETE FROM t",
                          "EXPLAIN ANALYZE INSERT INTO t VALUES (1)",
                          "EXPLAIN (ANALYZE) DELETE FROM t",
                          "/* x */ explain -- y\n analyze DELETE FROM t",
                          "SELECT 1; DROP TABLE t",
                          "PREPARE p AS SELECT 1",
                          "CREATE OR REPLACE VIEW v AS SELECT 1",
                          "ALTER TABLE t ADD COLUMN y INTEGER",
                          "",
                          "DETACH w",
                          "USE memory",
                          "RESET threads"}) {
    EXPECT_FALSE(run(sql).has_value()) << sql;
  }
  ASSERT_OK_AND_ASSIGN(const QueryResult rows, connection.query("SELECT count(*) FROM t"));
  EXPECT_EQ(rows.integer(0, 0), 100);
}

TEST_F(ReadOnlyTest, RefusesFilesOutsideTheLakeButLakeViewsWork) {
  const std::string outside = dir.file("secret.csv").string();
  const std::string climbing = (dir.path() / "lake" / ".." / "secret.csv").string();
  for (const std::string& sql : std::initializer_list<std::string>{
           "SELECT * FROM read_csv('" + outside + "')", "SELECT * FROM '" + outside + "'",
           "SELECT * FROM read_text('" + outside + "')", "SELECT * FROM read_blob('/etc/passwd')",
           "SELECT * FROM glob('/etc/*')", "SELECT * FROM read_csv('" + climbing + "')",
           "SELECT * FROM read_parquet('https://example.invalid/x.parquet')"}) {
    EXPECT_FALSE(run(sql).has_value()) << sql;
  }
  ASSERT_OK_AND_ASSIGN(const QueryResult rows, run("SELECT seven FROM v"));
  EXPECT_EQ(rows.integer(0, 0), 7);
}

TEST_F(ReadOnlyTest, SettingsCannotBeTurnedBack) {
  EXPECT_FALSE(connection.execute("SET enable_external_access = true").has_value());
  EXPECT_FALSE(connection.execute("SET memory_limit = '10GB'").has_value());
  EXPECT_FALSE(connection.execute("INSTALL httpfs").has_value());
}

TEST_F(ReadOnlyTest, CutsAtTheRowLimitAndSaysSo) {
  ASSERT_OK_AND_ASSIGN(const QueryResult cut, run("SELECT * FROM range(1000000)", {.rows_max = 5'000}));
  EXPECT_EQ(cut.rows(), 5'000U);
  EXPECT_TRUE(cut.truncated);
  ASSERT_OK_AND_ASSIGN(const QueryResult whole, run("SELECT * FROM t", {.rows_max = 100}));
  EXPECT_EQ(whole.rows(), 100U);
  EXPECT_FALSE(whole.truncated);
}

TEST_F(ReadOnlyTest, StopsAtTheTimeLimitAndStaysUsable) {
  EXPECT_ERROR(run("SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 5",
                   {.time_max = std::chrono::milliseconds(150)}),
               ErrorCode::kCancelled, "150 ms");
  EXPECT_OK(run("SELECT 1"));
}

TEST_F(ReadOnlyTest, ReportsWhyAStatementFailedInTheMiddle) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_ERROR(run("SELECT CASE WHEN range = 250000 THEN error('late') ELSE range END FROM range(300000)",
                     {.rows_max = 300'000}),
                 ErrorCode::kInvalidInput, "late");
  }
}

TEST_F(ReadOnlyTest, MemoryLimitStopsAHungryQuery) {
  EXPECT_ERROR(run("SELECT list(range) FROM range(200000000)"), ErrorCode::kUnavailable, "memory");
  EXPECT_OK(run("SELECT 1"));
}

// The temporary folder is no allowed directory, but DuckDB's own spill files must still work there.
TEST_F(ReadOnlyTest, BigSortsSpillToTheTemporaryFolder) {
  test::TempDir spill;
  ASSERT_OK_AND_ASSIGN(const Database other, Database::open(dir.file("other.duckdb"),
                                                            {.threads = 1, .temp_directory = spill.path()}));
  ASSERT_OK(other.lock_down({.allowed_directories = {dir.path() / "lake"}, .memory_limit_bytes = 64 << 20}));
  ASSERT_OK_AND_ASSIGN(Connection inside, other.connect());
  ASSERT_OK_AND_ASSIGN(
      const QueryResult rows,
      inside.query_read_only("SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY hash(range)) AS n, "
                             "repeat('x', 60) || range AS wide FROM range(400000))",
                             {}));
  EXPECT_EQ(rows.integer(0, 0), 400'000);
  // With the columns kept, more than 64 MB of rows do not fit the memory.
  ASSERT_OK_AND_ASSIGN(
      const QueryResult sorted,
      inside.query_read_only(
          "SELECT range, repeat('x', 60) || range AS wide FROM range(700000) ORDER BY hash(range)",
          {.rows_max = 5}));
  EXPECT_EQ(sorted.rows(), 5U);
}

TEST_F(ReadOnlyTest, BindsParameters) {
  const Value values[] = {std::int64_t{3}};
  ASSERT_OK_AND_ASSIGN(const QueryResult rows,
                       connection.query_read_only("SELECT count(*) FROM t WHERE x < $1", {}, values));
  EXPECT_EQ(rows.integer(0, 0), 3);
}

}  // namespace
}  // namespace tillcast::database
