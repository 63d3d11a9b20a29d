#include "runner.h"

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::sqltest {
namespace {

using ::testing::HasSubstr;

class SqlTestRunner : public ::testing::Test {
 protected:
  SqlTestRunner() {
    folder_.write("project/dbt_project.yml", "name: shop\n");
    folder_.write(
        "project/models/double.sql",
        "select 2 * n as n from {{ source('silver', 'numbers') }} where n < {{ var('below', 100) }}");
    folder_.write("project/models/m.yml",
                  "sources: [{name: silver, tables: [{name: numbers}]}]\n"
                  "models: [{name: double, columns: [{name: n, data_tests: [not_null]}]}]\n");
    folder_.write("numbers.sql",
                  "CREATE SCHEMA silver; CREATE TABLE silver.numbers AS SELECT unnest([3, 1, 2]) AS n;");
    options_.project = folder_.file("project");
    options_.root = folder_.path();
  }
  Result<Outcome> run(const std::string& text) {
    return run_test_text(text, folder_.file("sub/a.test"), options_);
  }

  test::TempDir folder_;
  Options options_;
};

TEST_F(SqlTestRunner, RunsLoadsBuildsStatementsAndQueries) {
  ASSERT_OK_AND_ASSIGN(const Outcome outcome, run("# a test\nload numbers.sql\nbuild double\ncheck double\n\n"
                                                  "query n rowsort\nSELECT n FROM double\n----\n2\n4\n6\n\n"
                                                  "query TT\nSELECT NULL, ''\n----\nNULL\t(empty)\n\n"
                                                  "statement ok\nCREATE TABLE x (i INTEGER)\n\n"
                                                  "statement error does not exist\nSELECT * FROM nothing\n"));
  EXPECT_THAT(outcome.failures, ::testing::IsEmpty());
  EXPECT_EQ(outcome.checks, 6U);
}

TEST_F(SqlTestRunner, ShowsWhichRowsDiffer) {
  ASSERT_OK_AND_ASSIGN(const Outcome outcome, run("query a\nSELECT unnest([1, 2, 4]) AS a\n----\n1\n2\n3\n"));
  ASSERT_EQ(outcome.failures.size(), 1U);
  EXPECT_THAT(outcome.failures[0],
              HasSubstr("a.test:1: the rows differ:\nSELECT unnest([1, 2, 4]) AS a\n  1\n  2\n- 3\n+ 4\n"));
}

TEST_F(SqlTestRunner, WrongNamesMissingErrorsAndBadDirectivesFail) {
  ASSERT_OK_AND_ASSIGN(const Outcome names, run("query b\nSELECT 1 AS a\n----\n1\n"));
  EXPECT_THAT(names.failures.at(0), HasSubstr("expected the columns b, found a"));
  ASSERT_OK_AND_ASSIGN(const Outcome succeeded, run("statement error x\nSELECT 1\n"));
  EXPECT_THAT(succeeded.failures.at(0), HasSubstr("expected to fail"));
  ASSERT_OK_AND_ASSIGN(const Outcome other, run("statement error divide\nSELECT * FROM nothing\n"));
  EXPECT_THAT(other.failures.at(0), HasSubstr("expected to fail with /divide/"));
  EXPECT_ERROR(run("\nqueri x\n"), ErrorCode::kInvalidInput, "a.test:2: expected load FILE");
}

TEST_F(SqlTestRunner, ChecksCanBeExpectedToFail) {
  ASSERT_OK_AND_ASSIGN(
      const Outcome outcome,
      run("load numbers.sql\nstatement ok\nINSERT INTO silver.numbers VALUES (NULL)\n\nvars "
          "below=3\nbuild\n\n"
          "check\n\nstatement ok\nDROP VIEW double; CREATE VIEW double AS SELECT n FROM silver.numbers\n\n"
          "check error not_null_double_n: Got 1 result\ndouble\n"));
  EXPECT_THAT(outcome.failures, ::testing::IsEmpty());
}

TEST_F(SqlTestRunner, UpdateRewritesOnlyTheExpectedRows) {
  const auto file = folder_.write(
      "u.test", "# note\nquery a\nSELECT unnest([1, 2]) AS a\n----\n9\n\nquery T\nSELECT 'x'\n");
  options_.update = true;
  ASSERT_OK_AND_ASSIGN(const Outcome outcome, run_test_file(file, options_));
  EXPECT_THAT(outcome.failures, ::testing::IsEmpty());
  EXPECT_EQ(outcome.content,
            "# note\nquery a\nSELECT unnest([1, 2]) AS a\n----\n1\n2\n\nquery T\nSELECT 'x'\n----\nx\n");
  options_.update = false;
  ASSERT_OK_AND_ASSIGN(const Outcome again, run_test_file(file, options_));
  EXPECT_THAT(again.failures, ::testing::IsEmpty());
}

}  // namespace
}  // namespace tillcast::sqltest
