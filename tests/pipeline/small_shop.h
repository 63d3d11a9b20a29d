#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/opened_shop.h"
#include "support/temp_dir.h"

namespace tillcast::test {

inline constexpr Date kFirst = date_from_civil(2023, 1, 2);  // a Monday

inline bool sunday(Date day) { return (day.days - kFirst.days) % 7 == 6; }

inline std::string sales(int from, int to, int stores = 3) {
  std::string text = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
  for (int i = from; i < to; ++i) {
    const Date day{kFirst.days + i};
    if (sunday(day)) continue;
    for (int store = 1; store <= stores; ++store) {
      const int quantity = 20 * store + 3 * (i % 7) + (i * 7919 + store * 104729) % 5;
      text += "1,Tea,2.50," + std::to_string(store) + ",Shop " + std::to_string(store) + "," +
              std::to_string(quantity) + "," + format_date(day) + "\n";
    }
  }
  return text;
}

/// Stores that trade from Monday to Saturday, with a week and some noise, forecast for 14 days.
struct SmallShop {
  explicit SmallShop(int store_count = 3) : stores(store_count) {
    const auto data = folder.file("shop");
    EXPECT_TRUE(pipeline::Engine::init(data, false).has_value());
    folder.write(
        "shop/tillcast.toml",
        "[serve]\nhistory_mb = 1\n[[forecast.plan]]\nname = \"stores\"\nmeasure = \"units\"\nby = "
        "[\"store\"]\nhorizon = 14\n[[forecast.plan]]\nname = \"all\"\nmeasure = \"units\"\nby = []\n"
        "horizon = 14\n");
    engine = open_shop(data);
    run("first.csv", 0, 180);
  }
  void run(const std::string& name, int from, int to) {
    pipeline::StageObserver observer;
    run(name, from, to, observer);
  }
  void run(const std::string& name, int from, int to, pipeline::StageObserver& observer) {
    pipeline::RunOptions options;
    options.inputs = {folder.write(name, sales(from, to, stores))};
    run(options, observer);
  }
  void run(const pipeline::RunOptions& options, pipeline::StageObserver& observer) {
    const auto report = engine->run(options, observer);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    ASSERT_FALSE(report->checks_failed());
  }
  pipeline::SeriesForecast ask(const std::string& id, std::optional<int> horizon,
                               std::vector<Date> dates = {}) {
    const auto answers = engine->forecast({{{id}}, horizon, std::move(dates)});
    EXPECT_TRUE(answers.has_value());
    const auto& answer = answers->front();
    EXPECT_TRUE(answer.has_value()) << answer.error().message;
    return answer ? *answer : pipeline::SeriesForecast{};
  }

  int stores;
  TempDir folder;
  std::unique_ptr<pipeline::Engine> engine;
};

}  // namespace tillcast::test
