#include "cli/accuracy_report.h"

#include <gtest/gtest.h>

#include "database/database.h"
#include "support/result_matchers.h"

namespace tillcast::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

AccuracyTables tables_of_one_plan() {
  auto database = database::Database::open_in_memory();
  auto connection = database->connect();
  const auto ask = [&connection](const std::string& sql) {
    auto result = connection->query(sql);
    EXPECT_OK(result);
    return std::move(result).value();
  };
  AccuracyTables tables;
  tables.runs =
      ask("SELECT 'p<1>' AS plan, 'r' AS run_id, 'units' AS measure, 'store' AS by_columns, 'daily' AS "
          "frequency, 14 AS "
          "horizon, DATE '2024-05-01' AS data_until, 2 AS series, 0 AS fallbacks, 1 AS failed, 0.25 AS wape, "
          "0.5 AS "
          "wape_seasonal_naive, 0.3 AS rmspe, NULL::DOUBLE AS bias, 0.79 AS coverage80, 0.96 AS coverage95");
  tables.models = ask(
      "SELECT 'p<1>' AS plan, model, 'all' AS demand_class, level, steps, first AS first_step, DATE "
      "'2024-04-17' AS origin, is_newest, 2 AS series, 28 AS points, wape, 0.5 AS wape_seasonal_naive, 1 - "
      "wape / 0.5 "
      "AS value_added, CASE WHEN model = 'chosen' AND level = 'all' AND steps = 'all' THEN 0.777 END AS "
      "wrmsse FROM (VALUES ('chosen', 'all', 'all', 1, true, 0.25), ('chosen', 'all', '1-7', 1, "
      "true, 0.2), "
      "('chosen', 'all', "
      "'8-14', 8, true, 0.3), ('chosen', 'country', 'all', 1, true, 0.1234), ('ets & co', 'all', 'all', 1, "
      "true, "
      "0.4), ('ets & co', 'all', 'all', 1, false, 0.45)) AS t(model, level, "
      "steps, first, is_newest, wape)");
  tables.intervals =
      ask("SELECT 'p<1>' AS plan, 'all' AS demand_class, 'all' AS steps, percent, 28 AS points, cover AS "
          "coverage FROM "
          "(VALUES (80, 0.79), (95, 0.96)) AS t(percent, cover)");
  tables.series =
      ask("SELECT 'p<1>' AS plan, 'p/7' AS series_id, '<script>alert(1)</script>' AS label, 'ets' AS model, "
          "'smooth' AS "
          "demand_class, 0.75 AS error_share, 0.25 AS wape");
  return tables;
}

TEST(AccuracyHtml, ShowsPlotsAndTablesAndEscapesWhatCameFromData) {
  const std::string html = accuracy_html(tables_of_one_plan());
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(html, HasSubstr("p&lt;1&gt;"));
  EXPECT_THAT(html, HasSubstr("ets &amp; co"));
  EXPECT_THAT(html, Not(HasSubstr("http"))) << "nothing from the network";
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
  for (const char* plot : {"WAPE of each model", "WAPE along the horizon", "Coverage of the intervals"})
    EXPECT_THAT(html, HasSubstr(std::string("aria-label=\"") + plot)) << plot;
  EXPECT_THAT(html, HasSubstr("<b>50.0 %</b><span>value added")) << "1 - 0.25 / 0.5";
  EXPECT_THAT(html, HasSubstr("<b>–</b><span>bias")) << "unknown is no number";
  const auto levels = html.find("By level");
  ASSERT_NE(levels, std::string::npos);
  EXPECT_LT(levels, html.find("<td>country</td>"));
  EXPECT_NE(html.find("0.123"), std::string::npos);
  EXPECT_THAT(html, HasSubstr("WRMSSE 0.777"));
  EXPECT_THAT(html, HasSubstr("75.00 %")) << "share of the worst series";
}

TEST(AccuracyHtml, SaysWhenThereWasNoBacktest) {
  AccuracyTables tables = tables_of_one_plan();
  tables.models.batch.rows = 0;
  EXPECT_THAT(accuracy_html(tables), HasSubstr("No back-test"));
}

TEST(AccuracyJson, HoldsTheFourTables) {
  ASSERT_OK_AND_ASSIGN(const std::string json, accuracy_json(tables_of_one_plan()));
  for (const char* part : {"\"runs\": [", "\"models\": [", "\"intervals\": [", "\"series\": ["})
    EXPECT_THAT(json, HasSubstr(part));
  EXPECT_THAT(json, HasSubstr("\"bias\":null"));
}

}  // namespace
}  // namespace tillcast::cli
