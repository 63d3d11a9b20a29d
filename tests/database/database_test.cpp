#include "database/database.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::database {
namespace {

TEST(Database, KeepsWhatWasWritten) {
  const test::TempDir dir;
  {
    ASSERT_OK_AND_ASSIGN(const Database database, Database::open(dir.file("a.duckdb")));
    ASSERT_OK_AND_ASSIGN(Connection connection, database.connect());
    ASSERT_OK(connection.execute("CREATE TABLE t AS SELECT 42 AS x"));
  }
  ASSERT_OK_AND_ASSIGN(const Database database, Database::open(dir.file("a.duckdb"), {.read_only = true}));
  ASSERT_OK_AND_ASSIGN(Connection connection, database.connect());
  ASSERT_OK_AND_ASSIGN(const QueryResult rows, connection.query("SELECT x FROM t"));
  EXPECT_EQ(rows.integer(0, 0), 42);
  EXPECT_ERROR(connection.execute("CREATE TABLE u (x INTEGER)"), ErrorCode::kInvalidInput, "read-only");
}

TEST(Database, ReadOnlyOpenOfAMissingFileIsNotFound) {
  EXPECT_ERROR(Database::open("/nonexistent/a.duckdb", {.read_only = true}), ErrorCode::kNotFound,
               "/nonexistent/a.duckdb");
}

TEST(Database, GarbageIsCorruptDataAndSaysThatItCanBeRebuilt) {
  const test::TempDir dir;
  const auto path = dir.write("a.duckdb", std::string(10'000, 'x'));
  EXPECT_ERROR(Database::open(path), ErrorCode::kCorruptData, "rebuilt from the lake");
}

TEST(Database, DamagedDatabaseAndWalAreSetAsideTogether) {
  const test::TempDir dir;
  const auto path = dir.file("a.duckdb");
  dir.write("a.duckdb", std::string(10'000, 'x'));
  dir.write("a.duckdb.wal", "y");
  std::optional<std::filesystem::path> set_aside;
  ASSERT_OK_AND_ASSIGN(const Database database, Database::open_or_set_aside(path, {}, set_aside));
  ASSERT_TRUE(set_aside.has_value());
  EXPECT_TRUE(std::filesystem::exists(*set_aside));
  EXPECT_TRUE(std::filesystem::exists(set_aside->string() + ".wal"));
  ASSERT_OK_AND_ASSIGN(Connection connection, database.connect());
  EXPECT_OK(connection.execute("CREATE TABLE t (x INTEGER)"));
}

// A process that dies after a commit leaves a WAL; its bytes are then flipped.
TEST(Database, WalThatWillNotReplayIsSetAside) {
  const test::TempDir dir;
  const auto path = dir.file("a.duckdb");
  const pid_t child = ::fork();
  if (child == 0) {
    const auto database = Database::open(path, {.threads = 1});
    auto connection = database->connect();
    const bool ok = connection->execute("CREATE TABLE t AS SELECT range AS x FROM range(1000)").has_value() &&
                    connection->execute("INSERT INTO t SELECT range FROM range(1000)").has_value();
    if (ok) ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto wal = path.string() + ".wal";
  ASSERT_TRUE(std::filesystem::exists(wal));
  {
    std::fstream file(wal, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(wal) / 2));
    file.write("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  }
  EXPECT_ERROR(Database::open(path), ErrorCode::kCorruptData, "a.duckdb");
  std::optional<std::filesystem::path> set_aside;
  ASSERT_OK_AND_ASSIGN(const Database database, Database::open_or_set_aside(path, {}, set_aside));
  EXPECT_TRUE(set_aside.has_value());
}

TEST(Database, HealthyDatabaseIsNotSetAside) {
  const test::TempDir dir;
  std::optional<std::filesystem::path> set_aside;
  ASSERT_OK(Database::open_or_set_aside(dir.file("a.duckdb"), {}, set_aside));
  EXPECT_FALSE(set_aside.has_value());
}

TEST(Database, FileHeldByAnotherProcessIsUnavailable) {
  const test::TempDir dir;
  const auto path = dir.file("a.duckdb");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto database = Database::open(path, {.threads = 1});
    [[maybe_unused]] const auto told = ::write(ready[1], database ? "y" : "n", 1);
    ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_ERROR(Database::open(path), ErrorCode::kUnavailable, "another process");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(Database, TimesAreUtcOnEveryConnection) {
  ASSERT_OK_AND_ASSIGN(const Database database, Database::open_in_memory());
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(Connection connection, database.connect());
    ASSERT_OK_AND_ASSIGN(const QueryResult rows, connection.query("SELECT current_setting('TimeZone')"));
    EXPECT_EQ(rows.text(0, 0), "UTC");
  }
}

TEST(Database, LoadsNoExtensionByItself) {
  ASSERT_OK_AND_ASSIGN(const Database database, Database::open_in_memory());
  ASSERT_OK_AND_ASSIGN(Connection connection, database.connect());
  EXPECT_ERROR(connection.query("SELECT * FROM 'https://example.invalid/a.parquet'"),
               ErrorCode::kInvalidInput, "httpfs");
}

}  // namespace
}  // namespace tillcast::database
