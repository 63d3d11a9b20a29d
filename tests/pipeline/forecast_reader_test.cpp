// Reading forecasts of a real data directory through the Engine.
#include "pipeline/forecast_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "pipeline/small_shop.h"
#include "support/result_matchers.h"

namespace tillcast::pipeline {
namespace {

using ::testing::HasSubstr;

using test::kFirst;
using test::sales;
using test::sunday;
using Shop = test::SmallShop;

constexpr int kStored = 14;

/// Reads only: one shop for all.
class ForecastReading : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { shop_ = std::make_unique<Shop>(); }
  static void TearDownTestSuite() { shop_.reset(); }
  static SeriesForecast ask(const std::string& id, std::optional<int> horizon, std::vector<Date> dates = {}) {
    return shop_->ask(id, horizon, std::move(dates));
  }
  static inline std::unique_ptr<Shop> shop_;
};

TEST_F(ForecastReading, ExactlyNDaysForNDaysAndClosedDaysAreZero) {
  for (const int horizon : {1, 7, kStored, kStored + 1, 60}) {
    const auto found = ask("stores/2", horizon);
    ASSERT_EQ(found.points.size(), static_cast<std::size_t>(horizon));
    for (int i = 0; i < horizon; ++i) {
      const auto& point = found.points[static_cast<std::size_t>(i)];
      EXPECT_EQ(point.date, Date{found.info.last.days + 1 + i});
      const auto& wide = point.intervals[1];
      EXPECT_EQ(point.mean == 0, sunday(point.date)) << format_date(point.date);
      EXPECT_EQ(wide.high == 0, sunday(point.date)) << format_date(point.date);
    }
  }
  EXPECT_EQ(ask("stores/2", std::nullopt).points.size(), static_cast<std::size_t>(kStored));
}

TEST_F(ForecastReading, BeyondWhatIsStoredTheStoredPointsComeFirstAndIntervalsDoNotShrink) {
  const auto stored = ask("stores/1", kStored);
  EXPECT_FALSE(stored.extension.has_value());
  const auto longer = ask("stores/1", 45);
  ASSERT_TRUE(longer.extension.has_value());
  EXPECT_EQ(longer.extension->from, Date{stored.info.last.days + kStored + 1});
  EXPECT_EQ(longer.model, stored.model);
  double stored_width = 0;
  double stored_mean = 0;
  for (std::size_t i = 0; i < longer.points.size(); ++i) {
    const auto& point = longer.points[i];
    const auto& narrow = point.intervals[0];
    const auto& wide = point.intervals[1];
    EXPECT_LE(wide.low, narrow.low);
    EXPECT_LE(narrow.low, point.mean);
    EXPECT_LE(point.mean, narrow.high);
    EXPECT_LE(narrow.high, wide.high);
    if (i < kStored) {
      EXPECT_EQ(point.mean, stored.points[i].mean);
      EXPECT_EQ(wide.high, stored.points[i].intervals[1].high);
    }
    if (i >= kStored - 7 && i < kStored) {
      stored_width += wide.high - point.mean;
      stored_mean += point.mean;
    }
    if (i >= kStored) {
      EXPECT_GE(wide.high - point.mean, point.mean * stored_width / stored_mean - 1e-9);
    }
  }
}

TEST_F(ForecastReading, DatesBeforeTheCutFailTheirItemAlone) {
  const Date last = ask("stores/1", 1).info.last;
  const auto answers =
      shop_->engine->forecast({{{"stores/1"}, {"none"}, {"all/total"}}, std::nullopt, {Date{last.days}}});
  ASSERT_TRUE(answers.has_value());
  EXPECT_THAT((*answers)[0].error().message, HasSubstr(format_date(last) + " is not within the 366 periods"));
  EXPECT_EQ((*answers)[1].error().code, ErrorCode::kNotFound);

  // In the order asked, repeated ones repeated, near and far.
  const std::vector<Date> dates = {{last.days + 20}, {last.days + 3}, {last.days + 3}, {last.days + 366}};
  const auto found = ask("stores/1", std::nullopt, dates);
  ASSERT_EQ(found.points.size(), dates.size());
  for (std::size_t i = 0; i < dates.size(); ++i) EXPECT_EQ(found.points[i].date, dates[i]);
  EXPECT_EQ(found.points[1].mean, ask("stores/1", kStored).points[2].mean);
  const auto too_far = shop_->engine->forecast({{{"stores/1"}}, std::nullopt, {Date{last.days + 367}}});
  EXPECT_EQ((*too_far)[0].error().code, ErrorCode::kInvalidInput);
}

/// A shop of one product with these sales, from one day to the next, forecast for a week as plan "all".
std::unique_ptr<Engine> young_shop(const test::TempDir& folder, const std::vector<int>& quantities) {
  EXPECT_OK(Engine::init(folder.file("young"), false));
  folder.write("young/tillcast.toml",
               "[[forecast.plan]]\nname = \"all\"\nmeasure = \"revenue\"\nby = []\nhorizon = 7\n");
  std::string text = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
  for (std::size_t i = 0; i < quantities.size(); ++i)
    text += "1,Tea,2.50,1,Shop," + std::to_string(quantities[i]) + "," +
            format_date(Date{kFirst.days + static_cast<std::int32_t>(i)}) + "\n";
  auto config = load_settings(folder.file("young"), {}, {});
  auto engine = Engine::open(folder.file("young"), std::move(*config));
  StageObserver silent;
  RunOptions options;
  options.inputs = {folder.write("young.csv", text)};
  EXPECT_OK((*engine)->run(options, silent));
  return std::move(*engine);
}

TEST(YoungShops, TenDaysGiveIntervalsAsWideAsTheDaysDiffered) {
  const test::TempDir folder;
  const auto engine = young_shop(folder, {1, 2, 5, 3, 4, 1, 2, 5, 4, 5});
  ASSERT_OK_AND_ASSIGN(const auto answers, engine->forecast({{{"all/total"}}, 14, {}}));
  ASSERT_OK(answers[0]);
  EXPECT_TRUE(answers[0]->thin_intervals);
  for (const auto& point : answers[0]->points) {
    ASSERT_EQ(point.intervals.size(), 2U);
    EXPECT_LT(point.intervals[0].low, point.mean);
    EXPECT_GT(point.intervals[0].high, point.mean);
    EXPECT_LE(point.intervals[1].low, point.intervals[0].low);
    EXPECT_GE(point.intervals[1].high, point.intervals[0].high);
  }
  ASSERT_OK_AND_ASSIGN(
      const auto stored,
      engine->sql("SELECT thin_intervals FROM forecast_series WHERE series_id = 'all/total'", 0));
  EXPECT_EQ(stored.text(0, 0), "true");
}

TEST(YoungShops, OneDayGivesAForecastWithoutAnInterval) {
  const test::TempDir folder;
  const auto engine = young_shop(folder, {3});
  ASSERT_OK_AND_ASSIGN(const auto answers, engine->forecast({{{"all/total"}}, 14, {}}));
  ASSERT_OK(answers[0]);
  EXPECT_TRUE(answers[0]->thin_intervals);
  ASSERT_EQ(answers[0]->points.size(), 14U);
  for (const auto& point : answers[0]->points) {
    EXPECT_EQ(point.mean, 7.5);
    EXPECT_TRUE(point.intervals.empty());
  }
  ForecastRequest request{{{"all/total"}}, 7, {}};
  request.quantiles = {0.5};
  ASSERT_OK_AND_ASSIGN(const auto asked, engine->forecast(request));
  EXPECT_THAT(asked[0].error().message, HasSubstr("has no quantiles"));
  ASSERT_OK_AND_ASSIGN(
      const auto stored,
      engine->sql("SELECT count(*), count(lo80), count(hi95), count(model_version) FROM forecast_point", 0));
  EXPECT_EQ(stored.text(0, 0) + stored.text(0, 1) + stored.text(0, 2) + stored.text(0, 3), "7007");
}

TEST(ForecastReadingAndWriting, TheHistoryEndsWhereTheForecastBegins) {
  Shop shop;
  std::vector<HistoryPoint> history;
  const auto found = shop.engine->series_forecast("stores/3", history);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  ASSERT_EQ(history.size(), static_cast<std::size_t>(found->info.periods));
  EXPECT_EQ(history.front().date, found->info.first);
  EXPECT_EQ(history.back().date, found->info.last);
  EXPECT_EQ(Date{history.back().date.days + 1}, found->points.front().date);
  EXPECT_EQ(history[0].value, 60 + (3 * 104729) % 5);

  // New sales without new forecasts: the answer stays in one piece.
  const auto more = shop.folder.write("more.csv", sales(180, 190, 3));
  StageObserver observer;
  ASSERT_TRUE(shop.engine->ingest(more, {}, observer).has_value());
  ASSERT_TRUE(shop.engine->build({}, observer).has_value());
  const auto again = shop.engine->series_forecast("stores/3", history);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(history.back().date, again->info.last);
  EXPECT_EQ(again->run_id, found->run_id);
}

TEST(ForecastReadingAndWriting, WhatOneRequestHasComputedIsComputedOnceAndLimited) {
  constexpr int kStores = 5;
  Shop shop(kStores);
  shop.engine.reset();
  auto config = load_settings(shop.folder.file("shop"), {}, {});
  std::string note;
  auto workspace = open_workspace(shop.folder.file("shop"), std::move(*config), note);
  ASSERT_TRUE(workspace.has_value());
  ForecastReader reader(**workspace, kStores * 366);
  // A thousand times the same costs no more than once, nor do ids that were never seen and take after them.
  std::vector<ForecastItem> items(992, {"stores/1"});
  for (const char* const id :
       {"stores/2", "stores/3", "stores/4", "stores/5", "stores/7", "stores/8", "stores/9", "none"})
    items.push_back({id});
  const auto answers = reader.forecast({items, 366, {}});
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  EXPECT_EQ((*answers)[0]->points.size(), 366U);
  EXPECT_EQ((*answers)[991]->points.back().mean, (*answers)[0]->points.back().mean);
  EXPECT_TRUE((*answers)[998].has_value()) << (*answers)[998].error().message;
  EXPECT_FALSE((*answers)[999].has_value());
  // A sixth series is one too many; what is stored is free.
  items.push_back({"all/total"});
  items.erase(items.begin());
  const auto refused = reader.forecast({items, 366, {}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(refused.error().message, HasSubstr("may have 1830 periods of its series computed"));
  EXPECT_TRUE(reader.forecast({items, kStored, {}}).has_value());
}

TEST(ForecastReadingAndWriting, AFinishedRunIsReadAtOnce) {
  Shop shop;
  const auto before = shop.ask("stores/1", 1);
  const auto version = shop.engine->data_version();
  EXPECT_EQ(shop.engine->data_version(), version);
  const auto page = shop.engine->series({"", "", "", 2});
  ASSERT_TRUE(page.has_value());
  const auto cursor = page->next_cursor;
  const auto rest = shop.engine->series({"", "", cursor, 2});
  ASSERT_TRUE(rest.has_value()) << rest.error().message;
  EXPECT_EQ(rest->series.size(), 2U);
  EXPECT_EQ(rest->next_cursor, "");
  shop.run("more.csv", 180, 190);
  EXPECT_NE(shop.engine->data_version(), version);
  const auto after = shop.ask("stores/1", 1);
  EXPECT_NE(after.run_id, before.run_id);
  EXPECT_GT(after.info.last, before.info.last);
  // Places in the order of the series are of one run.
  const auto other = shop.engine->series({"", "", cursor, 2});
  ASSERT_FALSE(other.has_value());
  EXPECT_THAT(other.error().message, HasSubstr("were trained again since this cursor was given"));
  for (const char* const bad : {"2", "x", "-1", "abc-", "../etc"})
    EXPECT_FALSE(shop.engine->series({"", "", bad, 2}).has_value()) << bad;
}

// Asks for all plans each time a stage of a run ends.
struct MidRunReader : StageObserver {
  explicit MidRunReader(Engine& of) : engine(of) {
    PredictionRequest first;
    first.points_max = 1;
    cursor = engine.predictions(first)->next_cursor;
    dates = last_dates();
  }
  std::set<Date> last_dates() {
    std::set<Date> found;
    const auto page = engine.predictions({});
    EXPECT_TRUE(page.has_value());
    for (const auto* one : page->series) found.insert(one->info.last);
    return found;
  }
  void stage_finished(const StageReport& report) override {
    forecasts += report.name.starts_with("forecast") ? 1 : 0;
    EXPECT_EQ(last_dates(), dates) << "after " << report.name;
    PredictionRequest next;
    next.cursor = cursor;
    const auto page = engine.predictions(next);
    EXPECT_TRUE(page.has_value()) << page.error().message;
  }
  Engine& engine;
  std::string cursor;
  std::set<Date> dates;
  int forecasts = 0;
};

TEST(ForecastReadingAndWriting, WhatSeveralPlansAreTrainedToAppearsAtOnceWhenAllAreDone) {
  Shop shop;
  MidRunReader reader(*shop.engine);
  shop.run("more.csv", 180, 190, reader);
  EXPECT_EQ(reader.forecasts, 2);
  EXPECT_EQ(reader.last_dates(), std::set<Date>{Date{kFirst.days + 189}});
  PredictionRequest next;
  next.cursor = reader.cursor;
  EXPECT_FALSE(shop.engine->predictions(next).has_value());
}

TEST(ForecastReadingAndWriting, ASecondWriterIsToldThatItGotNoTurn) {
  Shop shop;
  struct Refusals : StageObserver {
    void turn_refused() override { ++count; }
    int count = 0;
  };
  struct Second : StageObserver {
    explicit Second(Engine& of) : engine(of) {}
    void stage_started(const std::string&, std::string_view) override {
      const auto fitted = engine.fit_forecasts({}, refusals);
      ASSERT_FALSE(fitted.has_value());
      EXPECT_EQ(fitted.error().code, ErrorCode::kUnavailable);
      const auto refitted = engine.refit_series("stores/1", refusals);
      ASSERT_FALSE(refitted.has_value());
    }
    Engine& engine;
    Refusals refusals;
  } second(*shop.engine);
  ASSERT_TRUE(shop.engine->build({}, second).has_value());
  EXPECT_EQ(second.refusals.count, 2);
  Refusals refusals;
  ASSERT_TRUE(shop.engine->fit_forecasts({}, refusals).has_value());
  EXPECT_EQ(refusals.count, 0);
}

TEST(ForecastReadingAndWriting, AThousandReadsWhileRunsFinishNeverFailOrMixThem) {
  Shop shop;
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([&, i] {
      while (!done || reads < 1000) {
        const std::optional<int> horizon = i == 0 ? 20 : kStored;
        const auto answers = shop.engine->forecast({{{"stores/1"}, {"stores/2"}, {"stores/3"}}, horizon, {}});
        ASSERT_TRUE(answers.has_value()) << answers.error().message;
        std::set<std::string> runs;
        for (const auto& answer : *answers) {
          ASSERT_TRUE(answer.has_value()) << answer.error().message;
          runs.insert(answer->run_id + format_date(answer->info.last));
          ASSERT_EQ(answer->points.size(), static_cast<std::size_t>(*horizon));
          ASSERT_EQ(answer->points[0].date, Date{answer->info.last.days + 1});
        }
        ASSERT_EQ(runs.size(), 1U);
        ++reads;
        std::this_thread::sleep_for(std::chrono::microseconds(500));
      }
    });
  }
  shop.run("second.csv", 180, 187);
  shop.run("third.csv", 187, 194);
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_GE(reads, 1000);
  EXPECT_EQ(shop.ask("stores/1", 1).info.last, Date{kFirst.days + 193});
}

}  // namespace
}  // namespace tillcast::pipeline
