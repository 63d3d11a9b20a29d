#include "warehouse/artifacts.h"

#include <rapidjson/document.h>

#include "io/durable_file.h"
#include "shop_fixture.h"

namespace tillcast::warehouse {
namespace {

using Artifacts = ShopTest;

rapidjson::Document parse(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.c_str(), json.size());
  EXPECT_FALSE(document.HasParseError()) << json.substr(document.GetErrorOffset(), 80);
  return document;
}

TEST_F(Artifacts, ManifestHasTheShapeOfDbt) {
  ASSERT_OK_AND_ASSIGN(const Project project, load_project(shop_directory()));
  const auto manifest = parse(manifest_json(project, Timestamp{1'700'000'000'000'000}));
  EXPECT_STREQ(manifest["metadata"]["dbt_schema_version"].GetString(),
               "https://schemas.getdbt.com/dbt/manifest/v12.json");
  EXPECT_STREQ(manifest["metadata"]["generated_at"].GetString(), "2023-11-14T22:13:20Z");
  for (const char* key :
       {"nodes", "sources", "macros", "docs", "exposures", "metrics", "groups", "selectors", "disabled",
        "parent_map", "child_map", "group_map", "saved_queries", "semantic_models", "unit_tests"})
    EXPECT_TRUE(manifest.HasMember(key)) << key;
  const auto& daily = manifest["nodes"]["model.shop.daily"];
  EXPECT_STREQ(daily["config"]["materialized"].GetString(), "incremental");
  EXPECT_STREQ(daily["depends_on"]["nodes"][0].GetString(), "model.shop.stg_sales");
  EXPECT_STREQ(daily["checksum"]["name"].GetString(), "sha256");
  EXPECT_EQ(daily["checksum"]["checksum"].GetStringLength(), 64U);
  EXPECT_STREQ(daily["path"].GetString(), "marts/daily.sql");
  const auto& test = manifest["nodes"]["test.shop.unique_daily_day.a5b5177e69"];
  EXPECT_STREQ(test["test_metadata"]["kwargs"]["model"].GetString(),
               "{{ get_where_subquery(ref('daily')) }}");
  EXPECT_STREQ(test["attached_node"].GetString(), "model.shop.daily");
  EXPECT_STREQ(manifest["sources"]["source.shop.raw.sales"]["source_name"].GetString(), "raw");
  EXPECT_EQ(manifest["child_map"]["source.shop.raw.sales"].Size(), 2U);
  EXPECT_STREQ(manifest["parent_map"]["model.shop.stg_sales"][0].GetString(), "source.shop.raw.sales");
  EXPECT_TRUE(manifest["macros"].HasMember("macro.shop.total"));
}

TEST_F(Artifacts, RunResultsAndCompiledSqlAreWritten) {
  test::TempDir folder;
  ASSERT_OK_AND_ASSIGN(const Project project, load_project(shop_directory()));
  ASSERT_OK_AND_ASSIGN(const RunResults results, run(project, *connection_));
  ASSERT_OK(write_artifacts(project, results, folder.file("target")));
  ASSERT_OK_AND_ASSIGN(const std::string json, io::read_file(folder.file("target/run_results.json")));
  const auto written = parse(json);
  EXPECT_STREQ(written["metadata"]["dbt_schema_version"].GetString(),
               "https://schemas.getdbt.com/dbt/run-results/v6.json");
  ASSERT_EQ(written["results"].Size(), results.results.size());
  bool seen_warning = false;
  for (const auto& result : written["results"].GetArray()) {
    EXPECT_EQ(result["timing"].Size(), 2U);
    if (std::string(result["unique_id"].GetString()) != "test.shop.amounts_are_large.5639711af4") continue;
    seen_warning = true;
    EXPECT_STREQ(result["status"].GetString(), "warn");
    EXPECT_EQ(result["failures"].GetInt(), 2);
  }
  EXPECT_TRUE(seen_warning);
  ASSERT_OK_AND_ASSIGN(const std::string sql,
                       io::read_file(folder.file("target/compiled/shop/models/marts/by_region.sql")));
  EXPECT_THAT(sql, ::testing::HasSubstr("with __dbt__cte__eph_regions as ("));
  ASSERT_OK(io::read_file(folder.file("target/compiled/shop/models/marts/marts.yml/unique_daily_day.sql")));
  ASSERT_OK(io::read_file(folder.file("target/manifest.json")));
  ASSERT_OK(write_artifacts(project, results, folder.file("target")));
}

TEST_F(Artifacts, LineageHoldsNodesAndEdgesWithoutTests) {
  ASSERT_OK_AND_ASSIGN(const Project project, load_project(shop_directory()));
  const auto lineage = parse(lineage_json(project));
  EXPECT_EQ(lineage["nodes"].Size(), 7U);
  EXPECT_EQ(lineage["edges"].Size(), 6U);
}

}  // namespace
}  // namespace tillcast::warehouse
