#include "warehouse/project.h"

#include "shop_fixture.h"
#include "warehouse/compiler.h"
#include "warehouse/graph.h"
#include "warehouse/md5.h"
#include "warehouse/yaml_reader.h"

namespace tillcast::warehouse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ProjectLoader : public ::testing::Test {
 protected:
  void SetUp() override { folder_.write("dbt_project.yml", "name: small\nvars: {limit: 5}\n"); }
  Result<Project> load(const LoadOptions& options = {}) { return load_project(folder_.path(), options); }
  Result<std::string> compile(const std::string& name, CompileMode mode = CompileMode::kFull,
                              const LoadOptions& options = {}) {
    const Project project = TILLCAST_TRY_PLAIN(load(options));
    return compile_node(project, *project.find_by_name(name), mode);
  }
  test::TempDir folder_;
};

TEST_F(ProjectLoader, ReadsTheWholeShopProject) {
  ASSERT_OK_AND_ASSIGN(const Project project, load_project(shop_directory()));
  EXPECT_EQ(project.name, "shop");
  EXPECT_THAT(project.warnings, ::testing::IsEmpty());
  const Node* daily = project.find("model.shop.daily");
  ASSERT_NE(daily, nullptr);
  EXPECT_EQ(daily->config.materialized, Materialization::kIncremental);
  EXPECT_EQ(daily->config.incremental_strategy, IncrementalStrategy::kDeleteInsert);
  EXPECT_THAT(daily->config.tags, ElementsAre("nightly", "daily"));
  EXPECT_THAT(daily->fqn, ElementsAre("shop", "marts", "daily"));
  EXPECT_THAT(daily->depends_on, ElementsAre("model.shop.stg_sales"));
  EXPECT_EQ(daily->columns.at(0).data_type, "date");
  EXPECT_EQ(project.find("model.shop.log_lines")->relation, "\"main_audit\".\"lines\"");
}

// The ids that dbt 1.11.16 gives the same project.
TEST_F(ProjectLoader, GivesNodesTheIdsOfDbt) {
  ASSERT_OK_AND_ASSIGN(const Project project, load_project(shop_directory()));
  for (const char* id :
       {"model.shop.by_region", "model.shop.eph_regions", "seed.shop.regions", "source.shop.raw.sales",
        "test.shop.accepted_values_by_region_region__North__South__West.1d01809be9",
        "test.shop.amounts_are_large.5639711af4", "test.shop.assert_total_kept",
        "test.shop.dbt_like_pair_by_region_region__greeting.931ec1cd74",
        "test.shop.not_null_daily_day.d1ea8e67eb", "test.shop.positive_daily_1__amount.351e3edfb9",
        "test.shop.relationships_by_region_region__name__ref_regions_.b38ad2d97c",
        "test.shop.source_unique_raw_sales_id.855e842867", "test.shop.unique_daily_day.a5b5177e69"})
    EXPECT_NE(project.find(id), nullptr) << id;
  EXPECT_EQ(project.nodes.size(), 16U);
}

TEST_F(ProjectLoader, ReadsEmbeddedFilesTheSameWay) {
  const EmbeddedFile files[] = {{"dbt_project.yml", "name: built_in"},
                                {"models/a.sql", "select 1 as x"},
                                {"models/b.sql", "select * from {{ ref('a') }}"}};
  ASSERT_OK_AND_ASSIGN(const Project project, load_project(std::span<const EmbeddedFile>(files)));
  ASSERT_OK_AND_ASSIGN(const std::string sql, compile_node(project, *project.find_by_name("b")));
  EXPECT_EQ(sql, "select * from \"main\".\"a\"");
}

TEST_F(ProjectLoader, CompilesEphemeralModelsIntoCtes) {
  folder_.write("models/e1.sql", "{{ config(materialized='ephemeral') }}select 1 as x");
  folder_.write("models/e2.sql", "{{ config(materialized='ephemeral') }}select x from {{ ref('e1') }}");
  folder_.write("models/plain.sql", "select * from {{ ref('e2') }}");
  folder_.write("models/has_with.sql",
                "/* note */ WITH RECURSIVE a as (select 1) select * from a, {{ ref('e1') }}");
  ASSERT_OK_AND_ASSIGN(const std::string plain, compile("plain"));
  EXPECT_EQ(plain,
            "with __dbt__cte__e1 as (\nselect 1 as x\n), __dbt__cte__e2 as (\nselect x from "
            "__dbt__cte__e1\n)\nselect * from __dbt__cte__e2");
  ASSERT_OK_AND_ASSIGN(const std::string with, compile("has_with"));
  EXPECT_EQ(with,
            "/* note */ WITH RECURSIVE __dbt__cte__e1 as (\nselect 1 as x\n), a as (select 1) select * from "
            "a, __dbt__cte__e1");
}

TEST_F(ProjectLoader, VariablesComeFromOptionsThenProjectThenDefault) {
  folder_.write("models/v.sql", "select {{ var('limit') }}, {{ var('none_such', 7) }}");
  ASSERT_OK_AND_ASSIGN(const std::string own, compile("v"));
  EXPECT_EQ(own, "select 5, 7");
  LoadOptions options;
  options.vars = {{"limit", Value(9)}};
  ASSERT_OK_AND_ASSIGN(const std::string given, compile("v", CompileMode::kFull, options));
  EXPECT_EQ(given, "select 9, 7");
}

TEST_F(ProjectLoader, SourcesCanBeReplacedBySql) {
  folder_.write("models/s.yml",
                "sources: [{name: silver, schema: \"{{ var('none', 'other') }}\", tables: [{name: t, "
                "identifier: u}]}]");
  folder_.write("models/m.sql", "select * from {{ source('silver', 't') }}");
  ASSERT_OK_AND_ASSIGN(const std::string own, compile("m"));
  EXPECT_EQ(own, "select * from \"other\".\"u\"");
  LoadOptions options;
  options.source_relations["silver.t"] = "read_parquet('x')";
  ASSERT_OK_AND_ASSIGN(const std::string replaced, compile("m", CompileMode::kFull, options));
  EXPECT_EQ(replaced, "select * from read_parquet('x')");
}

TEST_F(ProjectLoader, EnvironmentIsLimitedAndSecretsAreRefused) {
  LoadOptions options;
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    return "value of " + name;
  };
  folder_.write("models/m.sql", "select '{{ env_var('TILLCAST_PLACE') }}'");
  ASSERT_OK_AND_ASSIGN(const std::string sql, compile("m", CompileMode::kFull, options));
  EXPECT_EQ(sql, "select 'value of TILLCAST_PLACE'");
  for (const char* name : {"HOME", "PATH", "DBT_ENV_SECRET_X", "TILLCAST_API_KEY", "DBT_PASSWORD"}) {
    folder_.write("models/m.sql", std::string("select '{{ env_var('") + name + "', 'd') }}'");
    const auto refused = load(options);
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_THAT(refused.error().message, HasSubstr("is refused"));
    EXPECT_THAT(refused.error().message, ::testing::Not(HasSubstr("value of")));
  }
}

TEST_F(ProjectLoader, DisabledModelsAndTheirTestsAreLeftOut) {
  folder_.write("models/off.sql", "{{ config(enabled=false) }} select * from {{ ref('gone') }}");
  folder_.write("models/m.yml",
                "models: [{name: off, columns: [{name: x, data_tests: [unique]}]}, {name: missing}]");
  ASSERT_OK_AND_ASSIGN(const Project project, load());
  EXPECT_TRUE(project.nodes.empty());
  EXPECT_THAT(project.warnings, ElementsAre(HasSubstr("models/m.yml:1:67: there is no model 'missing'")));
  folder_.write("models/uses.sql", "select * from {{ ref('off') }}");
  EXPECT_ERROR(load(), ErrorCode::kInvalidInput, "models/uses.sql:1:21: ref('off'): that model is disabled");
}

TEST_F(ProjectLoader, LogAndRaisedErrorsReachTheUser) {
  folder_.write("models/m.sql",
                "{{ log('building ' ~ this.identifier, info=true) }}select 1{% if execute and var('limit') "
                "== 6 %}{{ exceptions.raise_compiler_error('six!') }}{% endif %}");
  LoadOptions options;
  std::string said;
  options.log = [&](std::string_view text) { said += text; };
  ASSERT_OK(compile("m", CompileMode::kFull, options));
  EXPECT_EQ(said, "building m");
  options.vars = {{"limit", Value(6)}};
  EXPECT_ERROR(compile("m", CompileMode::kFull, options), ErrorCode::kInvalidInput, "models/m.sql:1:");
}

struct BadFile {
  const char* path;
  const char* content;
  const char* message;
};

TEST_F(ProjectLoader, WrongInputsNameFileLineAndRemedy) {
  folder_.write("models/good.sql", "select 1 as x");
  for (const BadFile& bad : std::initializer_list<BadFile>{
           {"models/b.sql", "select *\nfrom {{ ref('god') }}",
            "models/b.sql:2:12: ref('god'): there is no model or seed of that name; did you mean 'good'?"},
           {"models/b.sql", "{{ source('raw', 't') }}",
            "models/b.sql:1:10: source('raw', 't'): no yaml file declares that table"},
           {"models/b.sql", "{{ ref('other', 'good') }}", "other packages are not supported"},
           {"models/b.sql", "select 1\n{% if %}", "models/b.sql:2:7: expected an expression"},
           {"models/b.sql", "{{ config(materialized='tabel') }}",
            "models/b.sql:1:10: config materialized must be view, table, incremental or ephemeral, found "
            "'tabel'"},
           {"models/b.sql", "{{ config(severity='loud') }}", "config severity must be warn or error"},
           {"models/b.sql", "{{ var('limt') }}",
            "var('limt') has no value: set it under vars in dbt_project.yml or give a default; did you mean "
            "'limit'?"},
           {"models/b.sql", "{{ run_query('select 1') }}", "run_query() is not supported"},
           {"models/b.yml", "models:\n  - name: good\n   columns: []", "models/b.yml:3:"},
           {"models/b.yml", "models:\n  - nam: good", "models/b.yml:2:5: an entry of models needs a name"},
           {"models/b.yml", "models: {name: good}", "models/b.yml:1:9: 'models' must be a list"},
           {"models/b.yml", "a: 1\na: 2", "models/b.yml:2:1: the key 'a' appears twice"},
           {"models/b.yml", "models:\n  - name: good\n    columns:\n      - name: x\n        tests: [uniqe]",
            "models/b.yml:5:17: there is no generic test 'uniqe'; did you mean 'unique'?"},
           {"models/b.yml",
            "models:\n  - name: good\n    columns:\n      - name: x\n        tests: [unique, unique]",
            "models/b.yml:5:25: the test 'unique_good_x' is declared twice"},
           {"models/b.yml", "models:\n  - name: good\n    config: {limit: some}",
            "models/b.yml:3:13: config limit must be a whole number"},
           {"models/b.yml",
            "models:\n  - name: good\n    columns:\n      - name: x\n        tests:\n          - "
            "relationships: {to: ref('nix'), field: y}",
            "ref('nix'): there is no model"},
           {"models/b.yml",
            "models:\n  - name: good\n    columns:\n      - name: x\n        tests:\n          - "
            "accepted_values: {vals: [1]}",
            "macro test_accepted_values has no parameter 'vals'"},
           {"models/deep/good.sql", "select 2", "there are two of the name 'good'"},
           {"macros/b.sql", "{% macro m() %}", "macros/b.sql:1:1: this macro is not ended"}}) {
    folder_.write(bad.path, bad.content);
    const auto loaded = load();
    ASSERT_FALSE(loaded.has_value()) << bad.path << ": " << bad.content;
    EXPECT_THAT(loaded.error().message, HasSubstr(bad.message));
    std::filesystem::remove(folder_.file(bad.path));
  }
  ASSERT_OK(load());
  folder_.write("dbt_project.yml", "name: 'not good'");
  EXPECT_ERROR(load(), ErrorCode::kInvalidInput, "dbt_project.yml:1:7: name must be letters");
  EXPECT_ERROR(load_project(folder_.file("nowhere")), ErrorCode::kNotFound, "is no dbt project");
}

TEST_F(ProjectLoader, CyclesAreNamed) {
  folder_.write("models/a.sql", "select * from {{ ref('c') }}");
  folder_.write("models/b.sql", "select * from {{ ref('a') }}");
  folder_.write("models/c.sql", "select * from {{ ref('b') }}");
  folder_.write("models/d.sql", "select * from {{ ref('a') }}");
  EXPECT_ERROR(
      load(), ErrorCode::kInvalidInput,
      "a (models/a.sql) needs c (models/c.sql) needs b (models/b.sql) needs a; break one of these ref()s");
}

TEST_F(ProjectLoader, NodesComeAfterTheirParents) {
  ASSERT_OK_AND_ASSIGN(const Project project, load_project(shop_directory()));
  const Graph graph = make_graph(project.nodes);
  for (std::size_t i = 0; i < project.nodes.size(); ++i)
    for (const std::size_t parent : graph.parents[i]) EXPECT_LT(parent, i) << project.nodes[i].name;
}

TEST(Yaml, RefusesBombs) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int k = 0; k < 9; ++k) bomb += ", " + below;
    bomb += "]\n";
  }
  EXPECT_ERROR(read_yaml(bomb, "b.yml"), ErrorCode::kInvalidInput, "more than 100,000 nodes");
  EXPECT_ERROR(read_yaml("a: [1, 2\nb: 3", "b.yml"), ErrorCode::kInvalidInput, "b.yml:2:");
}

// The test suite of RFC 1321.
TEST(Md5, AgreesWithRfc1321) {
  EXPECT_EQ(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5_hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(md5_hex("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a");
}

}  // namespace
}  // namespace tillcast::warehouse
