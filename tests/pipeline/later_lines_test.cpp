// Sale lines after the cut, changed or taken away, change no forecast of any plan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>

#include "pipeline/engine.h"
#include "pipeline/plan_series.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr Date kFirst = date_from_civil(2024, 1, 1);  // a Monday
constexpr int kDays = 190;
constexpr int kCut = 160;
constexpr int kStores = 3;
constexpr int kProducts = 4;

struct Line {
  int units = 0;  ///< 0 = no line
  double price = 0;
  bool promotion = false;
};

/// Three stores that sell four products, each of them on promotion every fifth week.
class LaterLines : public ::testing::Test {
 protected:
  using Seller = std::function<Line(int store, int product, int day)>;

  static Line usual(int store, int product, int day) {
    const bool promoted = (day / 7 + product) % 5 == 0;
    const int noise = (day * 7919 + store * 104729 + product * 31) % 7;
    if (product == 4 && noise > 1) return {};
    return {(product == 4 ? 1 : 2 + product * store + noise) * (promoted ? 2 : 1), promoted ? 1.5 : 2.0,
            promoted};
  }
  static std::string lines(const Seller& seller) {
    std::string text =
        "order_id,line_no,kind,ordered_at,store_id,product_id,product_name,quantity,unit_price,amount,"
        "currency,customer_id,country,channel,promotion\n";
    for (int day = 0; day < kDays; ++day) {
      for (int store = 1; store <= kStores; ++store) {
        for (int product = 1; product <= kProducts; ++product) {
          const Line line = seller(store, product, day);
          if (line.units == 0) continue;
          std::array<char, 64> amounts{};
          std::snprintf(amounts.data(), amounts.size(), "%d,%.2f,%.2f", line.units, line.price,
                        line.units * line.price);
          text += "T" + std::to_string(day) + "-" + std::to_string(store) + "-" + std::to_string(product) +
                  ",1,sale," + format_date(Date{kFirst.days + day}) + "T10:00:00Z,S" + std::to_string(store) +
                  ",P" + std::to_string(product) + ",Thing," + amounts.data() + ",EUR,,Germany,store," +
                  (line.promotion ? "true" : "false") + "\n";
        }
      }
    }
    return text;
  }
  std::filesystem::path fresh_shop(const std::string& name, const std::string& settings) {
    EXPECT_OK(Engine::init(folder_.file(name), false));
    folder_.write(name + "/tillcast.toml", settings);
    return folder_.file(name);
  }
  static std::string plan(const std::string& name, const std::string& rest) {
    return "[[forecast.plan]]\nname = \"" + name + "\"\n" + rest;
  }

  test::TempDir folder_;
};

class Stages final : public StageObserver {
 public:
  void stage_finished(const StageReport& report) override {
    details.push_back(report.name + ": " + report.detail);
  }
  std::vector<std::string> details;
};

TEST_F(LaterLines, ChangeNoForecastOfAnyPlan) {
  const std::string trees = "global = \"on\"\ntrees = \"rounds=8 leaves=6 leaf=5\"\nhorizon = 7\n";
  const std::string settings =
      "[forecast]\nthreads = 1\norigins = 2\ncut = \"" + format_date(Date{kFirst.days + kCut - 1}) + "\"\n" +
      plan("weeks", "measure = \"units\"\nby = [\"product\"]\nfrequency = \"weekly\"\nhorizon = 4\n") +
      plan("products", "measure = \"revenue\"\nby = [\"product\"]\n" + trees) +
      plan("pairs", "measure = \"units\"\nby = [\"store\", \"product\"]\n" + trees) +
      plan("stores", "measure = \"revenue\"\nby = [\"store\"]\nhorizon = 7\n") +
      plan("total", "measure = \"units\"\nby = []\nhorizon = 7\n");
  const auto forecasts_with = [&](const std::string& name, const Seller& seller) {
    const auto shop = fresh_shop(name, settings);
    auto config = load_settings(shop, {}, {});
    EXPECT_OK(config);
    auto engine = Engine::open(shop, std::move(*config));
    EXPECT_OK(engine);
    RunOptions options;
    options.inputs = {folder_.write(name + ".csv", lines(seller))};
    Stages stages;
    EXPECT_OK((*engine)->run(options, stages));
    for (const char* one : {"forecast products: ", "forecast pairs: "})
      EXPECT_THAT(stages.details,
                  Contains(AllOf(HasSubstr(one), HasSubstr("global_trees among the models"))));
    const auto found = (*engine)->sql(
        "SELECT plan, run_id, (SELECT sum(hash(series_id, business_date, mean, lo80, hi95, quantiles)) FROM "
        "forecast_point p WHERE p.plan = r.plan), (SELECT sum(hash(model, demand_class, wape, rmse)) FROM "
        "forecast_accuracy a WHERE a.plan = r.plan) FROM forecast_run r ORDER BY plan",
        0);
    EXPECT_OK(found);
    std::string text;
    for (std::size_t row = 0; row < found->rows(); ++row) {
      for (std::size_t c = 0; c < found->columns.size(); ++c) text += found->text(row, c) + " ";
      text += "\n";
    }
    return text;
  };
  const std::string before = forecasts_with("usual", usual);
  EXPECT_EQ(std::ranges::count(before, '\n'), 5);
  EXPECT_EQ(
      forecasts_with("removed", [](int store, int product,
                                   int day) { return day < kCut ? usual(store, product, day) : Line{}; }),
      before);
  EXPECT_EQ(forecasts_with("changed",
                           [](int store, int product, int day) {
                             if (day < kCut) return usual(store, product, day);
                             return Line{(day + product) % 3 * 40 * store, 9.0 + day % 5,
                                         (day + store) % 2 == 0};
                           }),
            before);
}

TEST_F(LaterLines, TellNothingAheadUnlessAPlanDoes) {
  const std::string cut = "cut = \"" + format_date(Date{kFirst.days + kCut - 1}) + "\"\n";
  const std::string settings =
      plan("products", "measure = \"units\"\nby = [\"product\"]\nhorizon = 7\n" + cut);
  const auto shop = fresh_shop("shop", settings);
  const auto load = [&](const std::string& more) {
    folder_.write("shop/tillcast.toml", settings + more);
    std::string note;
    auto config = load_settings(shop, {}, {});
    auto workspace = open_workspace(shop, std::move(*config), note);
    EXPECT_OK(workspace);
    const auto plans = plans_of(**workspace);
    return load_plan_series(**workspace, plans->at(0)).value();
  };
  {
    auto config = load_settings(shop, {}, {});
    auto engine = Engine::open(shop, std::move(*config));
    ASSERT_OK(engine);
    RunOptions options;
    options.inputs = {folder_.write("lines.csv", lines(usual))};
    options.forecast = false;
    StageObserver silent;
    ASSERT_OK((*engine)->run(options, silent));
  }
  const auto of = [](const PlanSeries& data, const std::string& product) {
    for (std::size_t i = 0; i < data.members.size(); ++i)
      if (data.members[i].product_id == product) return data.series[i];
    return forecast::Series{};
  };
  const PlanSeries alone = load("");
  EXPECT_EQ(alone.promotions_inferred, 0U);
  for (const auto& one : alone.series) {
    EXPECT_EQ(one.promotion.size(), one.size());
    EXPECT_TRUE(one.price.empty()) << "known for no day ahead";
  }
  std::string promotions = "date,product_id,promotion,price\n";
  for (int day = kCut - 30; day < kCut + 7; ++day)
    promotions +=
        format_date(Date{kFirst.days + day}) + ",P4," + (day == kCut + 1 ? "1,1.25" : "0,2.25") + "\n";
  folder_.write("shop/ahead.csv", promotions);
  const PlanSeries planned = load("[[forecast.drivers]]\nfile = \"ahead.csv\"\n");
  const forecast::Series rare = of(planned, "P4");
  ASSERT_EQ(rare.promotion.size(), rare.size() + 7);
  EXPECT_EQ(rare.promotion[rare.size() + 1], 1);
  EXPECT_EQ(rare.promotion[rare.size()], 0);
  const auto start = static_cast<std::size_t>(rare.start.days - kFirst.days);
  for (std::size_t t = 0; t < rare.size(); ++t) {
    const bool planned_day = t + start >= static_cast<std::size_t>(kCut) - 30;
    const bool sold = rare.value[t] > 0;
    const bool promoted = !planned_day && sold && ((t + start) / 7 + 4) % 5 == 0;
    EXPECT_EQ(rare.promotion[t], promoted ? 1 : 0) << t << ": the plan's from its first day on";
  }
  EXPECT_EQ(of(planned, "P1").promotion.size(), of(planned, "P1").size()) << "the plan is of P4 alone";
}

}  // namespace
}  // namespace tillcast::pipeline
