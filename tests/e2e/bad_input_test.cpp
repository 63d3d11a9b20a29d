#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "support/process.h"
#include "support/temp_dir.h"

namespace tillcast::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kGoodHeader[] = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
constexpr char kGoodRow[] = "1,Tea,2.50,7,North,3,2024-01-02\n";

/// A data directory with one good file in it, to see that bad ones leave it as it is.
class BadInput : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(tillcast({"init", shop().string()}).exit_code, 0);
    const auto good = folder_.write("good.csv", std::string(kGoodHeader) + kGoodRow);
    const auto loaded = tillcast({"ingest", "--data", shop().string(), good.string()});
    ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
  }
  std::filesystem::path shop() const { return folder_.file("shop"); }
  std::string rows() const {
    return tillcast({"sql", "--data", shop().string(), "SELECT count(*) FROM silver.sale_line"}).out;
  }

  // One line on stderr that names the file and helps; nothing loaded, nothing left behind.
  void expect_refused(const std::filesystem::path& file, const std::string& why,
                      const ProcessOptions& options = {}) {
    const auto result = tillcast({"ingest", "--quiet", "--data", shop().string(), file.string()}, options);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("tillcast: error: "), HasSubstr(file.filename().string()), HasSubstr(why)));
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_EQ(rows(), "count_star()\n1\n");
    const auto verified = tillcast({"lake", "verify", "--data", shop().string()});
    EXPECT_EQ(verified.exit_code, 0) << verified.out;
    EXPECT_THAT(verified.out, Not(HasSubstr("orphan")));
  }
  TempDir folder_;
};

TEST_F(BadInput, AMissingFileIsNamed) { expect_refused(folder_.file("none.csv"), "none.csv"); }

TEST_F(BadInput, AMissingColumnListsWhatWasExpectedAndFound) {
  const auto file = folder_.write(
      "columns.csv",
      "product_id,product_name,store_id,store_name,quantity,date\n1,Tea,7,North,3,2024-01-02\n");
  expect_refused(file, "product_price");
}

TEST_F(BadInput, BinaryGarbageIsNoSalesFile) {
  std::string garbage(100'000, '\0');
  for (std::size_t i = 0; i < garbage.size(); ++i) garbage[i] = static_cast<char>((i * 2654435761U) >> 13);
  expect_refused(folder_.write("garbage.csv", garbage), "csv");
}

TEST_F(BadInput, AnEmptyFileIsRefused) { expect_refused(folder_.write("empty.csv", ""), "empty"); }

TEST_F(BadInput, ATruncatedWorkbookIsRefused) {
  std::string zip("PK\x03\x04", 4);
  zip += std::string(5000, 'x');
  expect_refused(folder_.write("cut.xlsx", zip), "xlsx");
}

TEST_F(BadInput, AMistypedYearIsRefusedWithItsPlaceAndANoteSaysSo) {
  const auto file =
      folder_.write("years.csv", std::string(kGoodHeader) +
                                     "2,Coffee,4.00,7,North,3,2204-01-03\n3,Milk,1.00,7,North,2,"
                                     "2024-01-04\n4,Bread,1.50,7,North,1,0213-01-04\n");
  const auto result = tillcast({"ingest", "--data", shop().string(), file.string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("3 rows in = 1 silver.sale_line + 2 rejects"),
                                HasSubstr("row 1: date: 2204-01-03 lies in the future"),
                                HasSubstr("row 3: date: 0213-01-04 is before 1900-01-01"),
                                HasSubstr("note: 1 sale later than "), HasSubstr("tillcast lake remove 2")));
  // Where it is meant it comes in, and is pointed out.
  EXPECT_EQ(tillcast({"lake", "remove", "2", "--data", shop().string()}).exit_code, 0);
  const auto meant = tillcast(
      {"ingest", "--data", shop().string(), "--set", "ingest.future_days_max=100000", file.string()});
  EXPECT_THAT(meant.err, AllOf(HasSubstr("3 rows in = 2 silver.sale_line + 1 rejects"),
                               HasSubstr("1 row is dated 2204-01-03, 179 years after all others")));
}

TEST_F(BadInput, ALoadIsTakenOutOfLakeAndGoldAndItsFileComesInAgain) {
  const auto run = [this](std::vector<std::string> words) {
    words.insert(words.end(), {"--data", shop().string()});
    return tillcast(words);
  };
  const std::string units = "SELECT sum(quantity) AS units FROM fact_sale_line";
  const auto wrong =
      folder_.write("wrong.csv", std::string(kGoodHeader) + "1,Tea,2.50,7,North,900,2024-01-03\n");
  const auto later =
      folder_.write("later.csv", std::string(kGoodHeader) + "1,Tea,2.50,7,North,4,2024-01-04\n");
  ASSERT_EQ(run({"run", "--no-forecast", "--input", wrong.string(), "--input", later.string()}).exit_code, 0);
  EXPECT_EQ(run({"sql", units}).out, "units\n907.000\n");
  const auto removed = run({"lake", "remove", "2"});
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_THAT(removed.out, HasSubstr("commit 2 (wrong.csv) is out: 1 rows and 0 rejects"));
  EXPECT_EQ(run({"sql", units}).out, "units\n7.000\n") << "gold was built without it";
  EXPECT_EQ(run({"check"}).exit_code, 0);
  EXPECT_EQ(run({"lake", "verify"}).exit_code, 0);
  EXPECT_THAT(run({"lake", "ls", "--loads"}).out, AllOf(HasSubstr("removed at"), HasSubstr("wrong.csv")));
  ASSERT_EQ(run({"run", "--no-forecast", "--input", wrong.string()}).exit_code, 0);
  EXPECT_EQ(run({"sql", units}).out, "units\n907.000\n");
  for (const char* const all : {"1", "3", "5"}) EXPECT_EQ(run({"lake", "remove", all}).exit_code, 0) << all;
  EXPECT_EQ(rows(), "count_star()\n0\n");
  EXPECT_EQ(run({"lake", "remove", "1"}).exit_code, 1);
}

TEST_F(BadInput, BadRowsAreCountedAndTheRestGoesOn) {
  const auto file =
      folder_.write("mixed.csv", std::string(kGoodHeader) +
                                     "2,Coffee,abc,7,North,3,2024-01-02\n3,Milk,1.00,7,North,2,2024-02-30\n4,"
                                     "Bread,1.50,7,North,1,2024-01-03\n5,Jam,2.00\n");
  const auto result = tillcast({"ingest", "--data", shop().string(), file.string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("4 rows in = 1 silver.sale_line + 3 rejects"));
  const auto rejects =
      tillcast({"sql", "--data", shop().string(),
                "SELECT source_row, column_name, reason, raw FROM silver.rejects ORDER BY source_row"});
  EXPECT_EQ(rejects.out,
            "source_row,column_name,reason,raw\n"
            "1,product_price,bad_number,\"2,Coffee,abc,7,North,3,2024-01-02\"\n"
            "2,date,bad_date,\"3,Milk,1.00,7,North,2,2024-02-30\"\n"
            "4,,wrong_field_count,\"5,Jam,2.00\"\n");
}

TEST_F(BadInput, AFileNameThatIsNoUtf8IsLoadedUnderARepairedOne) {
  const auto file =
      folder_.write("caf\xe9.csv", std::string(kGoodHeader) + "2,Coffee,3.00,7,North,1,2024-01-03\n");
  const auto result = tillcast({"ingest", "--data", shop().string(), file.string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(tillcast({"sql", "--data", shop().string(),
                      "SELECT DISTINCT _file FROM bronze.sales_csv WHERE _file <> 'good.csv'"})
                .out,
            "_file\ncaf\uFFFD.csv\n");
}

TEST_F(BadInput, AFullDiskLosesNothingAndSaysSo) {
  if (::geteuid() != 0) TILLCAST_SKIP_OR_FAIL("a small tmpfs needs root; run the tests as root");
  // A private mount that disappears with the shell.
  std::string big = kGoodHeader;
  for (int i = 0; i < 200'000; ++i)
    big += std::to_string(i) + ",Name " + std::to_string(i * 7919) + ",2.50,7,North,3,2024-01-02\n";
  const auto file = folder_.write("big.csv", big);
  const auto mount = folder_.file("tmpfs");
  std::filesystem::create_directories(mount);
  const std::string script =
      "mount -t tmpfs -o size=3m tmpfs " + mount.string() + " || exit 99; cd " + mount.string() +
      "; T=" + TILLCAST_BINARY + "; $T init shop 2>/dev/null || exit 98; $T ingest --quiet --data shop " +
      file.string() +
      "; echo code $?; $T lake verify --data shop; echo verify $?; mount -o remount,size=400m " +
      mount.string() + "; $T ingest --quiet --data shop " + file.string() +
      "; echo again $?; $T sql --data shop 'SELECT count(*) AS n FROM silver.sale_line'";
  const auto result = run_process({"/usr/bin/unshare", "-m", "/bin/sh", "-c", script});
  if (result.exit_code == 99 || result.err.starts_with("unshare:")) {
    TILLCAST_SKIP_OR_FAIL("no tmpfs could be mounted here: " + result.err);
  }
  EXPECT_THAT(result.out, HasSubstr("code 1\n")) << result.err;
  EXPECT_THAT(result.err, HasSubstr("disk")) << result.err;
  EXPECT_THAT(result.out, HasSubstr("verify 0\n")) << result.out;
  EXPECT_THAT(result.out, HasSubstr("again 0\n")) << result.err;
  EXPECT_THAT(result.out, HasSubstr("200000")) << result.out;
}

TEST_F(BadInput, AnUnwritableDirectoryIsNamed) {
  const auto result = tillcast({"init", "/proc/tillcast-cannot-be-here"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/proc/tillcast-cannot-be-here"));
}

TEST_F(BadInput, SqlCanOnlyLook) {
  for (const char* statement :
       {"CREATE TABLE x (a INT)", "DROP VIEW silver.sale_line",
        "COPY (SELECT 1) TO '/tmp/tillcast-escape.csv'", "ATTACH '/tmp/x.db'", "INSTALL httpfs",
        "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')",
        "SET memory_limit = '1GB'", "PRAGMA database_list; SELECT 1"}) {
    const auto result = tillcast({"sql", "--data", shop().string(), statement});
    EXPECT_EQ(result.exit_code, 1) << statement << "\n" << result.out;
    EXPECT_THAT(result.err, HasSubstr("tillcast: error: ")) << statement;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/tillcast-escape.csv"));
}

TEST_F(BadInput, ExitCodesAreAsDocumented) {
  EXPECT_EQ(tillcast({"nonsense"}).exit_code, 2);
  EXPECT_EQ(tillcast({"sql", "--nonsense"}).exit_code, 2);
  EXPECT_EQ(tillcast({"sql", "--data", shop().string(), "SELECT nothing"}).exit_code, 1);
  EXPECT_THAT(tillcast({"sql", "--data", shop().string(), "SELECT 1", "-c", "SELECT 2"}).err,
              HasSubstr("give one statement"));
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"forecast", "predict", "a/b", "--horizon", "-7"},
                                             {"forecast", "predict", "a/b", "--quantiles", "2"},
                                             {"forecast", "predict", "a/b", "--attribute", "tea"},
                                             {"forecast", "explain", "a/b", "yesterday"},
                                             {"experiment", "create", "a", "b", "--share", "0"},
                                             {"jobs", "ls", "--limit", "0"},
                                             {"jobs", "ls", "--state", "x"}}) {
    std::vector<std::string> call = words;
    call.insert(call.end(), {"--data", shop().string()});
    EXPECT_EQ(tillcast(call).exit_code, 2) << words[1] << " " << words.back();
  }
  EXPECT_EQ(tillcast({"--help"}).exit_code, 0);
  const auto elsewhere = tillcast({"run", "--data", folder_.file("nowhere").string()});
  EXPECT_EQ(elsewhere.exit_code, 1);
  EXPECT_THAT(elsewhere.err, HasSubstr("tillcast init"));
}

}  // namespace
}  // namespace tillcast::test
