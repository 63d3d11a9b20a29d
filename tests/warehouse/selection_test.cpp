#include "warehouse/selection.h"

#include <algorithm>

#include "shop_fixture.h"

namespace tillcast::warehouse {
namespace {

class Selection : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = load_project(shop_directory());
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
    project_ = *std::move(loaded);
  }
  /// The names of what is selected, sorted; tests only when asked for.
  std::string names(std::string_view select, std::string_view exclude = {}, bool tests = false) {
    const auto selected = select_nodes(project_, select, exclude);
    if (!selected) return selected.error().message;
    std::vector<std::string> found;
    for (const std::size_t index : *selected)
      if (tests == (project_.nodes[index].kind == NodeKind::kTest))
        found.push_back(project_.nodes[index].name);
    std::sort(found.begin(), found.end());
    std::string text;
    for (const std::string& name : found) text += (text.empty() ? "" : " ") + name;
    return text;
  }
  Project project_;
};

TEST_F(Selection, PicksNodesAsDbtDoes) {
  EXPECT_EQ(names(""), "by_region daily eph_regions log_lines regions sales stg_sales");
  EXPECT_EQ(names("daily"), "daily");
  EXPECT_EQ(names("+daily"), "daily sales stg_sales");
  EXPECT_EQ(names("1+daily"), "daily stg_sales");
  EXPECT_EQ(names("stg_sales+"), "by_region daily log_lines stg_sales");
  EXPECT_EQ(names("regions+1"), "eph_regions regions");
  EXPECT_EQ(names("tag:staging"), "eph_regions stg_sales");
  EXPECT_EQ(names("tag:daily"), "daily");
  EXPECT_EQ(names("path:models/marts"), "by_region daily log_lines");
  EXPECT_EQ(names("path:models/marts/daily.sql"), "daily");
  EXPECT_EQ(names("source:raw+"), "by_region daily log_lines sales stg_sales");
  EXPECT_EQ(names("source:raw.sales"), "sales");
  EXPECT_EQ(names("config.materialized:incremental"), "daily log_lines");
  EXPECT_EQ(names("marts"), "by_region daily log_lines");
  EXPECT_EQ(names("daily regions"), "daily regions");
  EXPECT_EQ(names("path:models/marts,tag:regional"), "by_region");
  EXPECT_EQ(names("*_sales"), "stg_sales");
  EXPECT_EQ(names("+daily", "stg_sales"), "daily sales");
  EXPECT_EQ(names("", "tag:nightly"), "eph_regions regions sales stg_sales");
}

TEST_F(Selection, TestsComeWithTheirTables) {
  EXPECT_EQ(
      names("daily", {}, true),
      "amounts_are_large assert_total_kept not_null_daily_day positive_daily_1__amount unique_daily_day");
  EXPECT_EQ(names("source:raw", {}, true), "source_unique_raw_sales_id");
  EXPECT_EQ(names("test_name:positive", {}, true), "amounts_are_large positive_daily_1__amount");
  EXPECT_EQ(names("resource_type:test,unique_daily_day", {}, true), "unique_daily_day");
}

TEST_F(Selection, UnknownPartsAreRefused) {
  EXPECT_EQ(names("daly"), "the selection 'daly' names nothing in project shop; did you mean 'daily'?");
  EXPECT_THAT(names("colour:red"), ::testing::HasSubstr("unknown method 'colour'"));
  EXPECT_THAT(names("@daily"), ::testing::HasSubstr("@ is not supported"));
  EXPECT_THAT(names("a+b+c"), ::testing::HasSubstr("cannot read the selection"));
}

}  // namespace
}  // namespace tillcast::warehouse
