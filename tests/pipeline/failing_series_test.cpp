// One bad series among hundreds is reported and falls back; the batch succeeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/engine.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

constexpr Date kFirst = date_from_civil(2023, 1, 2);
constexpr int kStores = 20;
constexpr int kProducts = 12;
constexpr int kDays = 60;

TEST(FailingSeries, CorruptAndTooShortOnesAreReportedAndTheBatchSucceeds) {
  test::TempDir folder;
  ASSERT_OK(Engine::init(folder.file("shop"), false));
  folder.write("shop/tillcast.toml",
               "[forecast]\norigins = 2\n[[forecast.plan]]\nname = \"pairs\"\nmeasure = \"units\"\nby = "
               "[\"store\", \"product\"]\nhorizon = 7\nglobal = \"off\"\n");
  std::string text = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
  for (int day = 0; day < kDays; ++day) {
    for (int store = 1; store <= kStores; ++store) {
      for (int product = 1; product <= kProducts; ++product) {
        const bool corrupt = store == 7 && product == 3 && day < kDays - 4;  // four whole days are left
        text += std::to_string(product) + ",P,2.50," + std::to_string(store) + ",S," +
                (corrupt ? std::string("n/a") : std::to_string(store + product + (day + product) % 5)) + "," +
                format_date(Date{kFirst.days + day}) + "\n";
      }
    }
  }
  auto config = load_settings(folder.file("shop"), {}, {});
  ASSERT_OK(config);
  ASSERT_OK_AND_ASSIGN(const auto engine, Engine::open(folder.file("shop"), std::move(*config)));
  RunOptions options;
  options.inputs = {folder.write("lines.csv", text)};
  StageObserver silent;
  ASSERT_OK_AND_ASSIGN(const RunReport report, engine->run(options, silent));
  ASSERT_EQ(report.plans.size(), 1U);
  EXPECT_EQ(report.plans[0].series, kStores * kProducts);
  EXPECT_EQ(report.plans[0].fallbacks, 1);
  EXPECT_EQ(report.plans[0].failed, 0);
  const auto ask = [&](const std::string& sql) {
    const auto found = engine->sql(sql, 0);
    EXPECT_OK(found);
    std::string row;
    for (std::size_t i = 0; i < found->rows(); ++i)
      for (std::size_t c = 0; c < found->columns.size(); ++c) row += found->text(i, c) + " ";
    return row;
  };
  EXPECT_EQ(ask("SELECT status, count(*) FROM forecast_series GROUP BY 1 ORDER BY 1"), "fallback 1 ok 239 ");
  EXPECT_THAT(ask("SELECT series_id, reason FROM forecast_series WHERE status = 'fallback'"),
              ::testing::StartsWith("pairs/7|3 cold_start: 4 periods known; from 20 series alike"));
  EXPECT_EQ(ask("SELECT count(*), min(mean) > 0 FROM forecast_point WHERE series_id = 'pairs/7|3'"),
            "7 true ");
}

}  // namespace
}  // namespace tillcast::pipeline
