#include "pipeline/reports.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "pipeline/small_shop.h"
#include "support/result_matchers.h"

namespace tillcast::pipeline {
namespace {

double net_of(const KpiReport& report) {
  for (const auto& kpi : report.kpis)
    if (kpi.name == "net_sales") return std::stod(kpi.value);
  return -1;
}

TEST(Kpis, AnAnswerWhileABuildCommitsIsOfTheOldGoldOrTheNewAlone) {
  test::SmallShop shop;
  std::atomic<bool> done = false;
  std::atomic<int> answers = 0;
  const double before = net_of(*shop.engine->kpis({}));
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        const auto report = shop.engine->kpis({});
        ASSERT_OK(report);
        double months = 0;
        for (const auto& month : report->by_month) months += std::stod(month.revenue);
        double countries = 0;
        for (const auto& country : report->by_country) countries += std::stod(country.revenue);
        ASSERT_NEAR(months, net_of(*report), 0.005);
        ASSERT_NEAR(countries, net_of(*report), 0.005);
        ++answers;
      }
    });
  }
  StageObserver observer;
  for (int i = 0; i < 4; ++i) {
    // More sales on the days there are, so that every figure moves.
    std::string text = test::sales(0, 0);
    for (int day = 0; day < 180; ++day)
      text += "2,Milk,1.50,1,Shop 1," + std::to_string(100 + i) + "," +
              format_date(Date{test::kFirst.days + day}) + "\n";
    RunOptions options;
    options.inputs = {shop.folder.write("more" + std::to_string(i) + ".csv", text)};
    options.forecast = false;
    shop.run(options, observer);
  }
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_GT(answers, 8);
  EXPECT_GT(net_of(*shop.engine->kpis({})), before + 4 * 180 * 150);
}

TEST(Kpis, TheVersionMovesWithGoldAndNotOnlyWithTheForecasts) {
  test::SmallShop shop;
  shop.ask("stores/1", 1);
  struct Watch : StageObserver {
    explicit Watch(Engine& of) : engine(of), version(of.data_version()), figure(net_of(*of.kpis({}))) {}
    void stage_finished(const StageReport& report) override {
      if (!report.name.starts_with("build")) return;
      EXPECT_NE(net_of(*engine.kpis({})), figure);
      EXPECT_NE(engine.data_version(), version);
      ++builds;
    }
    Engine& engine;
    std::string version;
    double figure;
    int builds = 0;
  } watch(*shop.engine);
  shop.run("more.csv", 180, 185, watch);
  EXPECT_EQ(watch.builds, 1);
}

TEST(Kpis, TheCurrencyIsReadFromGoldAndNamedWhenThereIsOne) {
  test::SmallShop shop;
  const auto unit = [&shop] { return shop.engine->kpis({})->kpis.at(0).unit; };
  EXPECT_EQ(unit(), "money") << "none is stated";
  const auto load = [&shop](const std::string& currency) {
    RunOptions options;
    options.inputs = {shop.folder.write(currency + ".csv",
                                        "order_id,product_id,quantity,ordered_at,unit_price,currency\n"
                                        "o1,9,1,2023-03-01T10:00:00Z,2.00," +
                                            currency + "\n")};
    options.ingest.mapping = "tillcast";
    options.forecast = false;
    StageObserver observer;
    shop.run(options, observer);
  };
  load("EUR");
  EXPECT_EQ(unit(), "EUR");
  for (const auto& file : std::filesystem::recursive_directory_iterator(shop.folder.file("shop/lake/silver")))
    if (file.is_regular_file()) std::filesystem::rename(file.path(), file.path().string() + ".away");
  EXPECT_TRUE(shop.engine->kpis({}).has_value()) << "silver is not read";
  for (const auto& file : std::filesystem::recursive_directory_iterator(shop.folder.file("shop/lake/silver")))
    if (auto name = file.path().string(); name.ends_with(".away"))
      std::filesystem::rename(name, name.substr(0, name.size() - 5));
  load("GBP");
  EXPECT_EQ(unit(), "money") << "there are two";
}

TEST(Kpis, WhatFailsIsSaidAndIsNotTakenForGoldThatWasNeverBuilt) {
  test::SmallShop shop;
  shop.engine.reset();
  const auto folder = shop.folder.file("shop");
  auto config = load_settings(folder, {}, {});
  ASSERT_OK(config);
  std::string note;
  ASSERT_OK_AND_ASSIGN(const auto workspace, open_workspace(folder, std::move(*config), note));
  ASSERT_OK_AND_ASSIGN(auto connection, workspace->database.connect());
  ASSERT_OK(kpi_report(*workspace, {}));
  ASSERT_OK(connection.execute("DROP TABLE kpi_daily"));
  EXPECT_ERROR(kpi_report(*workspace, {}), ErrorCode::kInvalidInput, "kpi_daily");
  ASSERT_OK(connection.execute("DROP TABLE sales_daily"));
  EXPECT_ERROR(kpi_report(*workspace, {}), ErrorCode::kNotFound, "no gold tables yet");
}

}  // namespace
}  // namespace tillcast::pipeline
