#include "pipeline/plan_drivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "forecast/drivers.h"
#include "pipeline/opened_shop.h"
#include "pipeline/plan_series.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Date kFirst = date_from_civil(2014, 12, 1);
constexpr Date kLast = date_from_civil(2015, 6, 30);
constexpr int kAhead = 14;

/// Remembers what a run said.
class Listener final : public StageObserver {
 public:
  void note(const std::string& line) override { notes.push_back(line); }
  void stage_finished(const StageReport& report) override { stages.push_back(report); }
  std::vector<std::string> notes;
  std::vector<StageReport> stages;
};

/// Three drugstores as Rossmann writes them: closed on Sundays, on promotion every other week.
class Stores : public ::testing::Test {
 protected:
  static bool open_on(Date day) { return iso_weekday(day) != 7; }
  static bool promoted_on(Date day) { return (day.days / 7) % 2 == 0; }
  static int sales_of(int store, Date day) {
    if (!open_on(day)) return 0;
    return 1000 * store + 100 * iso_weekday(day) + (promoted_on(day) ? 500 : 0) + day.days * 7919 % 50;
  }
  using Sales = std::function<int(int, Date)>;

  void SetUp() override {
    ASSERT_OK(Engine::init(folder_.file("shop"), false));
    std::string stores =
        "Store,StoreType,Assortment,CompetitionDistance,CompetitionOpenSinceMonth,CompetitionOpenSinceYear,"
        "Promo2,"
        "Promo2SinceWeek,Promo2SinceYear,PromoInterval\n1,a,basic,500,3,2010,0,,,\n2,b,basic,,,,1,10,2012,"
        "\"Jan,Apr,Jul,Oct\"\n3,a,extra,90,,,0,,,\n";
    store_file_ = folder_.write("store.csv", stores);
  }
  std::filesystem::path shop() const { return folder_.file("shop"); }

  std::filesystem::path days_file(const Sales& sales) const {
    std::string text = "Store,DayOfWeek,Date,Sales,Customers,Open,Promo,StateHoliday,SchoolHoliday\n";
    for (int store = 1; store <= 3; ++store) {
      for (Date day = kFirst; day <= kLast; ++day.days) {
        text += std::to_string(store) + "," + std::to_string(iso_weekday(day)) + "," + format_date(day) +
                "," + std::to_string(sales(store, day)) + ",9," + (open_on(day) ? "1," : "0,") +
                (promoted_on(day) ? "1," : "0,") + (format_date(day).ends_with("05-01") ? "a" : "0") + ",0\n";
      }
    }
    return folder_.write("days.csv", text);
  }
  // The days ahead without sales; store 3 stays open for the days whose Open is empty.
  std::filesystem::path plan_file(int stores) const {
    std::string text = "Id,Store,DayOfWeek,Date,Open,Promo,StateHoliday,SchoolHoliday\n";
    for (int store = 1; store <= stores; ++store) {
      for (int step = 1; step <= kAhead; ++step) {
        const Date day{kLast.days + step};
        text += "1," + std::to_string(store) + ",1," + format_date(day) + "," +
                (step == 3                 ? "0"
                 : step == 4 && store == 3 ? ""
                                           : "1") +
                "," + (step < 8 ? "1" : "0") + ",0,1\n";
      }
    }
    return folder_.write("plan.csv", text);
  }

  void settings(const std::string& toml) const {
    const auto plan =
        "[[forecast.plan]]\nname = \"stores\"\nmeasure = \"sales\"\nby = [\"store\"]\nhorizon = 14\n";
    folder_.write("shop/tillcast.toml", plan + toml);
  }
  std::unique_ptr<Engine> open() const { return test::open_shop(shop()); }
  Result<RunReport> run(const std::vector<std::filesystem::path>& inputs, bool forecast = true) {
    RunOptions options;
    options.inputs = inputs;
    options.forecast = forecast;
    heard_ = {};
    return open()->run(options, heard_);
  }
  Result<PlanSeries> load(const LoadOptions& options = {}) const {
    std::string note;
    auto config = TILLCAST_TRY_PLAIN(load_settings(shop(), {}, {}));
    const auto workspace = TILLCAST_TRY_PLAIN(open_workspace(shop(), std::move(config), note));
    const auto plans = TILLCAST_TRY_PLAIN(plans_of(*workspace));
    return load_plan_series(*workspace, plans.at(0), options);
  }
  std::string sql(const std::string& statement) const { return test::cells_of(*open(), statement); }
  // The series of a store, whatever its place.
  static const forecast::Series& of(const PlanSeries& data, const std::string& store) {
    for (std::size_t i = 0; i < data.members.size(); ++i)
      if (data.members[i].store_id == store) return data.series[i];
    return data.series.at(0);
  }

  test::TempDir folder_;
  std::filesystem::path store_file_;
  Listener heard_;
};

TEST_F(Stores, ReadingThemStopsOnRequest) {
  class Stopped final : public Progress {
   public:
    void update(std::uint64_t, std::uint64_t) override {}
    bool cancelled() const override { return true; }
  } stopped;
  settings("");
  ASSERT_OK(run({store_file_, days_file(sales_of)}, false));
  ASSERT_OK(load());
  EXPECT_ERROR(load({.observer = &stopped}), ErrorCode::kCancelled, "stopped on request");
}

TEST_F(Stores, SalesAfterTheCutChangeNoStoredForecast) {
  const Date cut = date_from_civil(2015, 6, 10);
  settings("cut = \"2015-06-10\"\n");
  const std::string points =
      "SELECT count(*), sum(hash(series_id, business_date, mean, lo80, hi95)), (SELECT sum(hash(series_id, "
      "model, "
      "total)) FROM forecast_series), (SELECT min(run_id) FROM forecast_run) FROM forecast_point";
  ASSERT_OK(run({store_file_, days_file(sales_of)}));
  const std::string before = sql(points);
  EXPECT_THAT(before, HasSubstr("42 "));
  EXPECT_EQ(sql("SELECT min(business_date) FROM forecast_point"), "2015-06-11 ");

  std::filesystem::remove_all(shop());
  ASSERT_OK(Engine::init(shop(), false));
  settings("cut = \"2015-06-10\"\n");
  std::mt19937 random(7);
  ASSERT_OK(run({store_file_, days_file([&](int store, Date day) {
                   return day <= cut ? sales_of(store, day) : static_cast<int>(random() % 90'000);
                 })}));
  EXPECT_EQ(sql(points), before);
}

TEST_F(Stores, ALoadedPlanIsKnownAheadAndIsNoSale) {
  settings("");
  ASSERT_OK(run({store_file_, days_file(sales_of), plan_file(3)}, false));
  ASSERT_OK_AND_ASSIGN(const auto data, load());
  EXPECT_EQ(data.data_until, kLast);
  EXPECT_EQ(data.promotions_inferred, 0U);
  const auto& one = of(data, "1");
  const std::size_t n = one.size();
  ASSERT_EQ(one.promotion.size(), n + kAhead);
  EXPECT_EQ(one.promotion[n], 1);
  EXPECT_EQ(one.promotion[n + 7], 0);
  EXPECT_EQ(one.open[n + 2], 0);
  EXPECT_EQ(of(data, "3").open[n + 3], -1) << "an empty Open is unknown";
  const auto* school = forecast::find_driver(one, "school_holiday");
  ASSERT_NE(school, nullptr);
  EXPECT_EQ(school->value[0], 0);
  EXPECT_EQ(school->value[n], 1);
  const auto* state = forecast::find_driver(one, "state_holiday");
  ASSERT_NE(state, nullptr);
  EXPECT_EQ(state->value[static_cast<std::size_t>(date_from_civil(2015, 5, 1).days - one.start.days)], 1);
  EXPECT_EQ(forecast::find_driver(one, "holiday"), nullptr) << "the source states holidays";
}

TEST_F(Stores, WithoutAPlanTheCalendarOfTheCountryStandsIn) {
  settings("[forecast]\nregion = \"BY\"\nholidays = \"own.csv\"\n");
  folder_.write("shop/own.csv",
                "date,name,country,kind\n2015-07-02,Fair,Germany,event\n2015-07-03,Fair,France,\n");
  ASSERT_OK(run({store_file_, days_file(sales_of)}, false));
  ASSERT_OK_AND_ASSIGN(const auto data, load());
  EXPECT_THAT(data.notes, Contains(HasSubstr("left out: state_holiday")));
  EXPECT_EQ(data.promotions_inferred, 3U);
  const auto& one = of(data, "2");
  const auto* holiday = forecast::find_driver(one, "holiday");
  ASSERT_NE(holiday, nullptr);
  const auto on = [&](int year, int month, int day) {
    return holiday->value.at(
        static_cast<std::size_t>(date_from_civil(year, month, day).days - one.start.days));
  };
  EXPECT_EQ(on(2014, 12, 25), 3);
  EXPECT_EQ(on(2015, 1, 6), 1) << "Bavaria";
  EXPECT_EQ(on(2015, 4, 3), 2);
  EXPECT_EQ(on(2015, 6, 17), 0);
  EXPECT_EQ(on(2015, 7, 2), 4);
  EXPECT_EQ(on(2015, 7, 3), 0);
  ASSERT_NE(forecast::find_driver(one, "promo2_active"), nullptr);
  EXPECT_EQ(forecast::find_driver(one, "promo2_active")->value[one.size()], 1) << "July starts a round";
  EXPECT_EQ(forecast::find_driver(one, "promo2_active")->value[one.size() - 1], 0);
  std::vector<std::string> attributes;
  for (const auto& column : data.attributes) attributes.push_back(column.name);
  EXPECT_THAT(attributes, AllOf(Contains("store_type"), Contains("assortment"), Contains("competition_since"),
                                Contains("promo2_since"), Contains("competition_distance_m")));
}

TEST_F(Stores, ADriverThatAPlanAsksForIsRefusedByNameWhereItIsUnknownAhead) {
  std::string weather = "date,store_id,temperature\n";
  for (int store = 1; store <= 3; ++store)
    for (Date day = kFirst; day.days <= kLast.days + (store == 2 ? 10 : kAhead); ++day.days)
      weather += format_date(day) + "," + std::to_string(store) + "," + std::to_string(day.days % 30) + "\n";
  folder_.write("shop/weather.csv", weather);
  const std::string files = "[[forecast.drivers]]\nfile = \"weather.csv\"\n";
  settings("drivers = [\"promotion\", \"temperature\"]\n" + files);
  ASSERT_OK(run({store_file_, days_file(sales_of), plan_file(3)}));
  EXPECT_EQ(sql("SELECT count(*) FROM forecast_series WHERE status = 'ok'"), "3 ")
      << "what no model uses refuses nothing";
  EXPECT_THAT(heard_.notes, Contains(HasSubstr("no model uses the drivers temperature: ")));
  settings("drivers = [\"promotion\", \"temperature\"]\nglobal = \"on\"\n" + files);
  ASSERT_OK(run({}));
  EXPECT_EQ(
      sql("SELECT status, reason FROM forecast_series WHERE store_id = '2'"),
      "refused driver temperature has no value for store 2 on 2015-07-11 … 2015-07-14 (4 days): add rows to "
      "weather.csv or leave it out of the plan ");
  EXPECT_EQ(sql("SELECT count(*) FROM forecast_series WHERE status = 'ok'"), "2 ");
  EXPECT_THAT(heard_.notes, Contains(HasSubstr("1 of 3 series refused: driver temperature")));

  settings("drivers = [\"school_holiday\", \"humidity\"]\n" + files);
  EXPECT_ERROR(load(), ErrorCode::kInvalidInput, "the data have no driver 'humidity'; they have: ");
  settings("drivers = [\"temprature\"]\n" + files);
  EXPECT_ERROR(load(), ErrorCode::kInvalidInput, "did you mean 'temperature'?");
  folder_.write("shop/weather.csv", weather.substr(0, weather.find("2015-07-01")));
  settings("drivers = [\"temperature\"]\nglobal = \"on\"\n" + files);
  EXPECT_ERROR(load(), ErrorCode::kInvalidInput, "; so it is for all 3 series");
  settings(files);
  ASSERT_OK_AND_ASSIGN(const auto data, load());
  EXPECT_THAT(data.notes, Contains(HasSubstr("left out: temperature")));
  EXPECT_EQ(forecast::find_driver(data.series[0], "temperature"), nullptr);
}

TEST_F(Stores, ARunIsRepeatedOnlyWhenWhatItSeesChanges) {
  settings("[[forecast.drivers]]\nfile = \"local.csv\"\n");
  const auto local = [this](const char* first) {
    std::string text = "date,fair\n";
    for (Date day = kFirst; day.days <= kLast.days + kAhead; ++day.days)
      text += format_date(day) + (day == kFirst ? first : ",0\n");
    folder_.write("shop/local.csv", text);
  };
  local(",0\n");
  ASSERT_OK(run({store_file_, days_file(sales_of)}));
  ASSERT_OK_AND_ASSIGN(const auto again, run({}));
  EXPECT_TRUE(again.plans.at(0).unchanged);
  local(",1\n");
  ASSERT_OK_AND_ASSIGN(const auto changed, run({}));
  EXPECT_FALSE(changed.plans.at(0).unchanged);
}

TEST_F(Stores, DaysOutOfStockAreNotLearntAsLowDemand) {
  folder_.write("shop/tillcast.toml",
                "[[forecast.plan]]\nname = \"tea\"\nby = [\"product\"]\nhorizon = 7\n"
                "[[forecast.drivers]]\nfile = \"stock.csv\"\n");
  std::string lines = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
  std::string stock = "date,product_id,in_stock\n";
  for (Date day = kFirst; day.days < kFirst.days + 120; ++day.days) {
    const bool out = day.days % 10 < 3;
    for (const int store : {1, 2})
      lines += "1,Tea,2.50," + std::to_string(store) + ",S," + (out ? "1," : "10,") + format_date(day) + "\n";
    stock += format_date(day) + ",1," + (out ? "0" : "1") + "\n";
  }
  folder_.write("shop/stock.csv", stock);
  ASSERT_OK(run({folder_.write("lines.csv", lines)}));
  EXPECT_EQ(sql("SELECT min(mean) > 19.5 AND max(mean) < 20.5 FROM forecast_point"), "true ")
      << sql("SELECT mean FROM forecast_point");
  ASSERT_FALSE(heard_.stages.empty());
  EXPECT_THAT(heard_.stages.back().detail, HasSubstr("36 out of stock left out"));
}

/// Eight stores whose sales double on hot days, at fairs of the user's calendar and in school holidays.
class DriverEffects : public ::testing::Test {
 protected:
  static constexpr Date kStart = date_from_civil(2023, 1, 2);
  static constexpr int kDays = 602;
  static constexpr int kHorizon = 28;

  static bool hot(int i) { return i * 7919 % 11 < 2; }
  static bool fair(int i) { return i % 9 == 4; }
  static bool school_holiday(int i) { return i % 70 >= 56; }
  static double level(int store, int i) { return (200 + 40 * store) * (i % 7 == 5 ? 1.4 : 1.0); }
  static double expected(int store, int i) {
    return level(store, i) * (hot(i) ? 2 : 1) * (fair(i) ? 2 : 1) * (school_holiday(i) ? 2 : 1);
  }

  // Mean over the chosen days ahead of forecast by what the day would be without drivers.
  double factor(const std::function<bool(int)>& chosen) const {
    auto config = load_settings(folder_.file("shop"), {}, {});
    auto engine = Engine::open(folder_.file("shop"), std::move(*config));
    double sum = 0;
    int count = 0;
    const auto points = (*engine)->sql("SELECT series_id, business_date, mean FROM forecast_point", 0);
    for (std::size_t row = 0; row < points->rows(); ++row) {
      const int store = std::stoi(points->text(row, 0).substr(7));
      const int i = points->date(row, 1)->days - kStart.days;
      if (!chosen(i)) continue;
      sum += points->number(row, 2).value_or(0) / level(store, i);
      ++count;
    }
    return count > 0 ? sum / count : 0;
  }
  void run(const std::string& plan) {
    ASSERT_OK(Engine::init(folder_.file("shop"), false));
    std::string days = "Store,DayOfWeek,Date,Sales,Customers,Open,Promo,StateHoliday,SchoolHoliday\n";
    std::string ahead = "Id,Store,DayOfWeek,Date,Open,Promo,StateHoliday,SchoolHoliday\n";
    for (int store = 1; store <= 8; ++store) {
      for (int i = 0; i < kDays + kHorizon; ++i) {
        const Date day{kStart.days + i};
        const std::string key =
            std::to_string(store) + "," + std::to_string(iso_weekday(day)) + "," + format_date(day);
        const std::string end = std::string("1,0,0,") + (school_holiday(i) ? "1\n" : "0\n");
        const double noise = 0.97 + 0.01 * (i * 104729 % 7);
        if (i < kDays)
          days += key + "," + std::to_string(std::lround(expected(store, i) * noise)) + ",9," + end;
        else
          ahead += "1," + key + "," + end;
      }
    }
    std::string weather = "date,temperature\n";
    std::string fairs = "date,name,kind\n";
    for (int i = 0; i < kDays + kHorizon; ++i) {
      const std::string day = format_date({kStart.days + i});
      weather += day + "," + std::to_string(hot(i) ? 33 : 12 + i % 5) + "\n";
      if (fair(i)) fairs += day + ",Fair,event\n";
    }
    folder_.write("shop/weather.csv", weather);
    folder_.write("shop/fairs.csv", fairs);
    folder_.write(
        "shop/tillcast.toml",
        "[forecast]\norigins = 2\nholidays = \"fairs.csv\"\n[[forecast.plan]]\nname = \"stores\"\nmeasure = "
        "\"sales\"\nby = [\"store\"]\nhorizon = 28\ndrivers = [\"temperature\", \"holiday\", "
        "\"school_holiday\"]\n" +
            plan + "[[forecast.drivers]]\nfile = \"weather.csv\"\n");
    auto config = load_settings(folder_.file("shop"), {}, {});
    ASSERT_OK(config);
    ASSERT_OK_AND_ASSIGN(const auto engine, Engine::open(folder_.file("shop"), std::move(*config)));
    RunOptions options;
    options.inputs = {folder_.write("days.csv", days), folder_.write("ahead.csv", ahead)};
    ASSERT_OK(engine->run(options, heard_));
  }

  test::TempDir folder_;
  Listener heard_;
};

TEST_F(DriverEffects, WithTreesTheForecastDoublesWhereADriverDoublesTheSales) {
  run("global = \"on\"\n");
  const auto plain = [](int i) { return !hot(i) && !fair(i) && !school_holiday(i); };
  const double base = factor(plain);
  EXPECT_NEAR(base, 1, 0.1);
  EXPECT_NEAR(factor([](int i) { return hot(i) && !fair(i) && !school_holiday(i); }) / base, 2, 0.3);
  EXPECT_NEAR(factor([](int i) { return !hot(i) && fair(i) && !school_holiday(i); }) / base, 2, 0.3);
  EXPECT_NEAR(factor([](int i) { return !hot(i) && !fair(i) && school_holiday(i); }) / base, 2, 0.3);
  EXPECT_THAT(heard_.notes, Each(Not(HasSubstr("no model uses"))));
}

TEST_F(DriverEffects, WithoutTreesTheRunSaysThatNoModelUsesThem) {
  run("");
  EXPECT_THAT(heard_.notes, Contains(AllOf(HasSubstr("no model uses the drivers temperature, holiday, "
                                                     "school_holiday: "),
                                           HasSubstr("global = \"on\""))));
}

}  // namespace
}  // namespace tillcast::pipeline
