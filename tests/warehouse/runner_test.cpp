#include "warehouse/runner.h"

#include <atomic>

#include "shop_fixture.h"

namespace tillcast::warehouse {
namespace {

using ::testing::HasSubstr;
using Runner = ShopTest;

/// Runs a project made of a few files.
class SmallProject : public ShopTest {
 protected:
  void SetUp() override {
    ShopTest::SetUp();
    folder_.write("dbt_project.yml", "name: small\n");
  }
  Result<RunResults> run_small(const RunOptions& options = {}) {
    const Project project = TILLCAST_TRY_PLAIN(load_project(folder_.path()));
    return run(project, *connection_, options);
  }
  test::TempDir folder_;
};

TEST_F(Runner, BuildsEveryKindOfNodeAndTestsThem) {
  ASSERT_OK_AND_ASSIGN(const RunResults results, run_shop());
  EXPECT_TRUE(results.ok()) << results.summary();
  EXPECT_TRUE(results.committed);
  EXPECT_EQ(rows("SELECT * FROM daily ORDER BY day"), "2024-03-01|15.00|2 2024-03-02|7.00|1");
  EXPECT_EQ(rows("SELECT * FROM by_region ORDER BY region"), "North|17.00|hello South|5.00|hello");
  EXPECT_EQ(rows("SELECT * FROM main_audit.lines ORDER BY id"), "1 2 3");
  EXPECT_EQ(rows("SELECT name FROM hooks.calls"), "lines");
  EXPECT_EQ(rows("SELECT minimum FROM hooks.last_run"), "1");
  EXPECT_EQ(rows("SELECT table_type FROM information_schema.tables WHERE table_name = 'stg_sales'"), "VIEW");
  EXPECT_EQ(rows("SELECT count(*) FROM information_schema.tables WHERE table_name = 'eph_regions'"), "0");
  ASSERT_NE(find(results, "daily"), nullptr);
  EXPECT_EQ(find(results, "daily")->rows, 2);
  EXPECT_EQ(find(results, "amounts_are_large")->status, NodeStatus::kWarn);
  EXPECT_EQ(find(results, "amounts_are_large")->failures, 2);
  EXPECT_THAT(find(results, "amounts_are_large")->message,
              HasSubstr("Got 2 results, configured to warn if != 0\n  amount="));
}

TEST_F(Runner, SkipsWhatIsUnchangedAndRebuildsWhatIsNot) {
  RunOptions options;
  options.lake_version = "7";
  ASSERT_OK(run_shop(options));
  ASSERT_OK_AND_ASSIGN(const RunResults again, run_shop(options));
  EXPECT_EQ(again.count(NodeStatus::kSuccess), 0U) << again.summary();
  EXPECT_EQ(again.count(NodeStatus::kUnchanged), 5U);
  EXPECT_THAT(again.summary(), HasSubstr("built 0, unchanged 5"));

  LoadOptions other;
  other.vars.emplace_back("greeting", Value("servus"));
  ASSERT_OK_AND_ASSIGN(const RunResults changed, run_shop(options, other));
  EXPECT_EQ(changed.count(NodeStatus::kSuccess), 1U) << "only by_region uses the greeting";
  EXPECT_EQ(find(changed, "by_region")->status, NodeStatus::kSuccess);

  options.lake_version = "8";
  ASSERT_OK_AND_ASSIGN(const RunResults newer, run_shop(options, other));
  EXPECT_EQ(find(newer, "regions")->status, NodeStatus::kUnchanged) << "a seed reads nothing from the lake";
  EXPECT_EQ(find(newer, "daily")->status, NodeStatus::kSuccess);

  execute("DROP TABLE by_region");
  ASSERT_OK_AND_ASSIGN(const RunResults repaired, run_shop(options, other));
  EXPECT_EQ(repaired.count(NodeStatus::kSuccess), 1U) << "a table that is gone is built again";

  options.lake_version.reset();
  ASSERT_OK_AND_ASSIGN(const RunResults unknown, run_shop(options, other));
  EXPECT_EQ(find(unknown, "daily")->status, NodeStatus::kSuccess)
      << "without a version nothing is taken for unchanged";
}

TEST_F(Runner, IncrementalModelsTakeNewRowsAndReplaceByKey) {
  ASSERT_OK(run_shop());
  execute(
      "DELETE FROM raw.sales WHERE id = 1;"  // an old day: not looked at again
      "INSERT INTO raw.sales VALUES (5, '2024-03-02', '01', 3), (6, '2024-03-03', '02', 4)");
  RunOptions options;
  options.select = "stg_sales daily log_lines";
  options.tests = false;
  ASSERT_OK(run_shop(options));
  EXPECT_EQ(rows("SELECT * FROM daily ORDER BY day"),
            "2024-03-01|15.00|2 2024-03-02|10.00|2 2024-03-03|4.00|1");
  EXPECT_EQ(rows("SELECT * FROM main_audit.lines ORDER BY id"), "1 2 3 5 6") << "append keeps what is there";
  options.full_refresh = true;
  ASSERT_OK(run_shop(options));
  EXPECT_EQ(rows("SELECT * FROM daily ORDER BY day"),
            "2024-03-01|5.00|1 2024-03-02|10.00|2 2024-03-03|4.00|1");
}

TEST_F(Runner, IncrementalModelsStartAnewOnceWhenRowsWentFromTheSources) {
  RunOptions options;
  options.select = "stg_sales log_lines";
  options.tests = false;
  options.lake_version = "1";
  ASSERT_OK(run_shop(options));
  execute("DELETE FROM raw.sales WHERE id = 1; INSERT INTO raw.sales VALUES (5, '2024-03-02', '01', 3)");
  options.lake_version = "2";
  options.rows_went = "commit 7";
  ASSERT_OK(run_shop(options));
  EXPECT_EQ(rows("SELECT * FROM main_audit.lines ORDER BY id"), "2 3 5");
  execute("DELETE FROM raw.sales WHERE id = 2; INSERT INTO raw.sales VALUES (6, '2024-03-02', '01', 3)");
  options.lake_version = "3";
  ASSERT_OK(run_shop(options));
  EXPECT_EQ(rows("SELECT * FROM main_audit.lines ORDER BY id"), "2 3 5 6") << "appended to from then on";
}

TEST_F(Runner, FailedTestRollsEverythingBack) {
  ASSERT_OK(run_shop());
  const std::string before = rows("SELECT * FROM daily ORDER BY day");
  execute("INSERT INTO raw.sales VALUES (9, '2024-03-09', '04', 100)");  // a region that by_region drops
  ASSERT_OK_AND_ASSIGN(const RunResults results, run_shop());
  EXPECT_FALSE(results.committed);
  EXPECT_EQ(find(results, "assert_total_kept")->status, NodeStatus::kFail);
  EXPECT_THAT(find(results, "assert_total_kept")->message, HasSubstr("a=122.00, b=22.00"));
  EXPECT_EQ(rows("SELECT * FROM daily ORDER BY day"), before);
  EXPECT_THAT(results.summary(), HasSubstr("rolled back"));

  RunOptions each;
  each.atomic = false;
  ASSERT_OK_AND_ASSIGN(const RunResults kept, run_shop(each));
  EXPECT_TRUE(kept.committed);
  EXPECT_THAT(rows("SELECT * FROM daily ORDER BY day"), HasSubstr("2024-03-09")) << "per-model commits stay";
  ASSERT_OK_AND_ASSIGN(const RunResults retried, run_shop(each));
  EXPECT_EQ(find(retried, "assert_total_kept")->status, NodeStatus::kFail)
      << "a failed test is never taken for unchanged";
}

TEST_F(SmallProject, ErrorSkipsWhatDependsOnItAndTheRestGoesOn) {
  folder_.write("models/bad.sql", "select nothing from {{ source('raw', 'sales') }}");
  folder_.write("models/below.sql", "select * from {{ ref('bad') }}");
  folder_.write("models/good.sql", "select 1 as one");
  folder_.write("models/m.yml",
                "sources: [{name: raw, tables: [{name: sales}]}]\nmodels: [{name: below, columns: [{name: x, "
                "tests: [unique]}]}]");
  for (const bool atomic : {true, false}) {
    RunOptions options;
    options.atomic = atomic;
    ASSERT_OK_AND_ASSIGN(const RunResults results, run_small(options));
    EXPECT_EQ(find(results, "bad")->status, NodeStatus::kError);
    EXPECT_THAT(find(results, "bad")->message, HasSubstr("models/bad.sql: "));
    EXPECT_EQ(find(results, "below")->status, NodeStatus::kSkipped);
    EXPECT_EQ(find(results, "below")->message, "not run: bad failed");
    EXPECT_EQ(find(results, "unique_below_x")->message, "not run: below was not run");
    EXPECT_EQ(find(results, "good")->status, NodeStatus::kSuccess);
    EXPECT_EQ(results.committed, !atomic);
    EXPECT_EQ(rows("SELECT count(*) FROM information_schema.tables WHERE table_name = 'good'"),
              atomic ? "0" : "1");
  }
}

TEST_F(SmallProject, ErrorThatEndsTheTransactionIsToldApart) {
  folder_.write(
      "models/a_bad.sql",
      "{{ config(materialized='table') }} select cast(x as integer) as x from (values ('no')) t(x)");
  folder_.write("models/good.sql", "select 1 as one");
  ASSERT_OK_AND_ASSIGN(const RunResults results, run_small());
  EXPECT_EQ(find(results, "a_bad")->status, NodeStatus::kError);
  EXPECT_FALSE(results.committed);
  ASSERT_OK(connection_->query("SELECT 1"));  // the connection is usable again
  RunOptions each;
  each.atomic = false;
  ASSERT_OK_AND_ASSIGN(const RunResults others, run_small(each));
  EXPECT_EQ(find(others, "good")->status, NodeStatus::kSuccess);
}

TEST_F(SmallProject, TestsRunBeforeWhatIsBuiltOnTheirTable) {
  folder_.write("models/a.sql", "select unnest([1, 1]) as id");
  folder_.write("models/b.sql", "select * from {{ ref('a') }}");
  folder_.write("models/m.yml", "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]");
  ASSERT_OK_AND_ASSIGN(const RunResults results, run_small());
  EXPECT_EQ(find(results, "unique_a_id")->status, NodeStatus::kFail);
  EXPECT_THAT(find(results, "unique_a_id")->message,
              HasSubstr("Got 1 result, configured to fail if != 0\n  unique_field=1, n_records=2"));
  EXPECT_EQ(find(results, "b")->status, NodeStatus::kSkipped);
}

TEST_F(SmallProject, ViewsAndTablesReplaceEachOtherAndChangedCodeRebuilds) {
  folder_.write("models/m.sql", "{{ config(materialized='view') }} select 1 as a");
  ASSERT_OK(run_small());
  folder_.write("models/s.yml", "sources: [{name: raw, tables: [{name: sales}]}]");
  folder_.write("models/m.sql",
                "{{ config(materialized='incremental') }} select 2 as a from {{ source('raw', 'sales') }} "
                "where id = 1");
  ASSERT_OK(run_small());
  EXPECT_EQ(rows("SELECT * FROM m"), "2");
  ASSERT_OK(run_small());
  EXPECT_EQ(rows("SELECT * FROM m"), "2 2");
  folder_.write("models/m.sql", "{{ config(materialized='incremental') }} select 3 as a, 4 as b");
  ASSERT_OK(run_small());
  EXPECT_EQ(rows("SELECT * FROM m"), "3|4") << "new SQL never goes on with the old table";
  folder_.write("models/m.sql", "select 5 as a");
  ASSERT_OK(run_small());
  EXPECT_EQ(rows("SELECT * FROM m"), "5");
}

TEST_F(SmallProject, TrailingSemicolonsAndCommentsDoNotBreakModels) {
  folder_.write("models/m.sql", "select 1 as a; -- done");
  folder_.write("tests/t.sql", "select * from {{ ref('m') }} where a > 1 -- none;");
  ASSERT_OK_AND_ASSIGN(const RunResults results, run_small());
  EXPECT_TRUE(results.ok()) << find(results, "m")->message;
}

TEST_F(Runner, StopsBetweenNodesOnRequest) {
  class StopAtThird : public RunObserver {
   public:
    void on_start(const Node&, std::size_t number, std::size_t total) override {
      started_ = number;
      total_ = total;
    }
    bool cancelled() const override { return started_ == 3; }
    std::atomic<std::size_t> started_ = 0;
    std::size_t total_ = 0;
  } observer;
  ASSERT_OK_AND_ASSIGN(const Project project, load_project(shop_directory()));
  EXPECT_ERROR(run(project, *connection_, {}, observer), ErrorCode::kCancelled, "the run was stopped");
  EXPECT_GT(observer.total_, 10U);
  EXPECT_EQ(rows("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'main'"), "0");
}

TEST_F(SmallProject, StopsALongStatementOnRequestAndLeavesTheWarehouseAsItWas) {
  folder_.write("models/a.sql", "{{ config(materialized='table') }}\nselect 1 as x");
  ASSERT_OK(run_small());
  folder_.write("models/a.sql", "{{ config(materialized='table') }}\nselect 2 as x");
  // Hours of work, in the last node.
  folder_.write(
      "models/b.sql",
      "{{ config(materialized='table') }}\nselect count(*) as n, (select max(x) from {{ ref('a') }}) as "
      "x from range(10000000) p, range(10000000) q where p.range * q.range % 7 = 3");
  class StopSoon : public RunObserver {
   public:
    void on_start(const Node& node, std::size_t, std::size_t) override { in_b_ = node.name == "b"; }
    bool cancelled() const override { return in_b_; }
    std::atomic<bool> in_b_ = false;
  };
  for (const bool atomic : {true, false}) {
    StopSoon observer;
    RunOptions options;
    options.atomic = atomic;
    ASSERT_OK_AND_ASSIGN(const Project project, load_project(folder_.path()));
    EXPECT_ERROR(run(project, *connection_, options, observer), ErrorCode::kCancelled, "stopped in b");
    EXPECT_EQ(rows("SELECT x FROM a"), atomic ? "1" : "2");
    EXPECT_EQ(rows("SELECT count(*) FROM information_schema.tables WHERE table_name = 'b'"), "0");
  }
}

}  // namespace
}  // namespace tillcast::warehouse
