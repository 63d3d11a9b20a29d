// Model versions through the Engine: fit, gate, update, promotion, roll-back, experiments, monitoring.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "database/database.h"
#include "forecast/global_options.h"
#include "pipeline/opened_shop.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Date kFirst = date_from_civil(2024, 1, 1);
constexpr int kShops = 16;
constexpr const char* kHeader =
    "order_id,line_no,kind,ordered_at,store_id,product_id,product_name,quantity,unit_price,amount,"
    "currency,customer_id,country,channel,promotion\n";
constexpr const char* kSettings =
    "[forecast]\nthreads = 1\norigins = 3\n\n[[forecast.plan]]\nname = \"shops\"\nmeasure = \"units\"\n"
    "by = [\"store\"]\nhorizon = 7\n";

/// A chain whose shops sell by a weekly rhythm of their own; day after day can be added.
class Models : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(Engine::init(shop(), false));
    folder_.write("shop/tillcast.toml", kSettings);
  }
  std::filesystem::path shop() const { return folder_.file("shop"); }

  static std::string sale_line(int day, int store, int units) {
    const std::string id = std::to_string(day) + "-" + std::to_string(store);
    return "T" + id + ",1,sale," + format_date(Date{kFirst.days + day}) + "T10:00:00Z,S" +
           std::to_string(store) + ",P1,Thing," + std::to_string(units) + ",1.00," + std::to_string(units) +
           ".00,EUR,,Germany,store,false\n";
  }

  // Days [from, to) of all shops, one line each. `factor` scales what is sold.
  std::filesystem::path days(int from, int to, int factor = 1) {
    std::string text = kHeader;
    for (int day = from; day < to; ++day) {
      for (int store = 1; store <= kShops; ++store) {
        const int units =
            factor * (20 + 3 * store + (day % 7 == 5 ? 25 : day % 7) + (day * 7919 + store * 104729) % 5);
        text += sale_line(day, store, units);
      }
    }
    return folder_.write(
        "days" + std::to_string(from) + "-" + std::to_string(to) + "x" + std::to_string(factor) + ".csv",
        text);
  }
  std::unique_ptr<Engine> open(const std::vector<std::string>& settings = {}) const {
    return test::open_shop(shop(), settings);
  }
  static Result<RunReport> run(Engine& engine, const std::vector<std::filesystem::path>& inputs) {
    RunOptions options;
    options.inputs = inputs;
    StageObserver silent;
    return engine.run(options, silent);
  }
  static std::string sql(Engine& engine, const std::string& statement) {
    return test::cells_of(engine, statement);
  }
  static constexpr const char* kPoints =
      "SELECT sum(hash(series_id, business_date, mean, lo80, hi95)) FROM forecast_point";

  test::TempDir folder_;
};

TEST_F(Models, AFitBecomesAVersionAndTheSameDataNoOther) {
  const auto engine = open();
  ASSERT_OK_AND_ASSIGN(const auto first, run(*engine, {days(0, 120)}));
  EXPECT_EQ(first.plans[0].fitted_version, 1);
  EXPECT_THAT(first.plans[0].verdict, HasSubstr("the first version"));
  ASSERT_OK_AND_ASSIGN(const auto models, engine->models_of("shops", 0));
  EXPECT_EQ(models.aliases.champion, 1);
  const auto& info = models.versions[0];
  EXPECT_EQ(info.series, kShops);
  EXPECT_EQ(info.data_from, "2024-01-01");
  EXPECT_EQ(info.data_until, "2024-04-29");
  EXPECT_GT(info.metrics.at("wape_seasonal_naive"), 0);
  EXPECT_EQ(sql(*engine, "SELECT DISTINCT model_version, variant FROM forecast_series"), "1 champion ");
  const std::string points = sql(*engine, kPoints);
  ASSERT_OK_AND_ASSIGN(const auto again, run(*engine, {}));
  EXPECT_TRUE(again.plans[0].unchanged);
  StageObserver silent;
  ASSERT_OK_AND_ASSIGN(const auto fit, engine->fit_forecasts({}, silent));
  EXPECT_EQ(fit[0].fitted_version, 0);
  EXPECT_EQ(engine->models_of("shops", 0).value().versions.size(), 1U);
  EXPECT_EQ(sql(*engine, kPoints), points);
}

TEST_F(Models, ADamagedVersionThatIsNotServedStopsNeitherRollBackNorFitNorTheList) {
  const auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 120)}));
  for (const int to : {130, 140}) {
    test::load_only(*engine, days(to - 10, to));
    StageObserver silent;
    ASSERT_OK(engine->fit_forecasts({}, silent));
  }
  ASSERT_EQ(engine->models_of("shops", 0).value().versions.size(), 3U);
  class Notes final : public StageObserver {
   public:
    void note(const std::string& line) override { all += line + "\n"; }
    std::string all;
  } notes;
  const int champion = engine->models_of("shops", 0).value().aliases.champion;
  PromoteRequest promote{"shops", champion == 3 ? 1 : 3, "test", "", true};
  folder_.write("shop/models/shops/000002/version.json", "{");
  ASSERT_OK(engine->promote_model(promote, notes));
  EXPECT_THAT(notes.all, HasSubstr("000002/version.json"));
  EXPECT_THAT(notes.all, HasSubstr("left out"));
  RollbackRequest back;
  back.plan = "shops";
  back.by = "test";
  ASSERT_OK(engine->rollback_model(back, notes));
  ASSERT_OK_AND_ASSIGN(const auto all, engine->models());
  EXPECT_EQ(all.at(0).versions.size(), 2U);
  EXPECT_EQ(all.at(0).aliases.champion, champion);
  StageObserver silent;
  ASSERT_OK(engine->fit_forecasts({}, silent));
}

TEST_F(Models, WhenAllVersionsAreGoneAndTheAliasStaysARunFitsAnew) {
  const auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 120)}));
  std::filesystem::remove_all(folder_.file("shop/models/shops/000001"));
  ASSERT_OK_AND_ASSIGN(const auto report, run(*engine, {days(120, 130)}));
  EXPECT_GT(report.plans[0].fitted_version, 1);
  EXPECT_EQ(engine->models_of("shops", 0).value().aliases.champion, report.plans[0].fitted_version);
}

TEST_F(Models, ATrainingStoppedWhileItStoresLeavesNoForecastsAndIsFinishedByTheNext) {
  class StopsWhenFitted final : public StageObserver {
   public:
    void note(const std::string& line) override {
      stop = stop || line.find("version 1 is the champion") != std::string::npos;
    }
    bool cancelled() const override { return stop; }
    std::atomic<bool> stop = false;
  };
  const auto engine = open();
  test::load_only(*engine, days(0, 120));
  StageObserver silent;
  StopsWhenFitted stops;
  EXPECT_ERROR(engine->fit_forecasts({}, stops), ErrorCode::kCancelled, "nothing was stored");
  EXPECT_EQ(sql(*engine, kPoints), " ") << "none";
  ASSERT_OK_AND_ASSIGN(const auto resumed, engine->fit_forecasts({}, silent));
  EXPECT_EQ(resumed[0].fitted_version, 0) << "the version is there";
  EXPECT_NE(sql(*engine, kPoints), " ");
}

TEST_F(Models, ATrainingStoppedInItsSecondPlanKeepsTheFirstAndGoesOnThere) {
  folder_.write("shop/tillcast.toml",
                std::string(kSettings) +
                    "\n[[forecast.plan]]\nname = \"total\"\nmeasure = \"units\"\nby = []\nhorizon = 7\n");
  class StopsInTotal final : public StageObserver {
   public:
    void stage_started(const std::string& name, std::string_view unit) override {
      stages.push_back(name);
      stop = name == "forecast total";
      EXPECT_EQ(unit, kShares);
    }
    bool cancelled() const override { return stop; }
    std::atomic<bool> stop = false;
    std::vector<std::string> stages;
  };
  const auto engine = open();
  test::load_only(*engine, days(0, 120));
  StageObserver silent;
  StopsInTotal stops;
  EXPECT_ERROR(engine->fit_forecasts({}, stops), ErrorCode::kCancelled, "stopped on request");
  EXPECT_EQ(stops.stages, (std::vector<std::string>{"forecast shops", "forecast total"}));
  EXPECT_EQ(engine->models_of("shops", 0).value().versions.size(), 1U);
  const auto second = engine->models_of("total", 0);
  EXPECT_TRUE(!second || second->versions.empty());
  const std::string points = sql(*engine, kPoints);
  EXPECT_NE(points, " ") << "the first plan's forecasts are there";
  ASSERT_OK_AND_ASSIGN(const auto resumed, engine->fit_forecasts({}, silent));
  ASSERT_EQ(resumed.size(), 2U);
  EXPECT_TRUE(resumed[0].unchanged);
  EXPECT_EQ(resumed[0].fitted_version, 0) << "what was finished is not fitted again";
  EXPECT_EQ(resumed[1].fitted_version, 1);
}

TEST_F(Models, FewNewDaysAreAnUpdateAndMoreAreAFit) {
  const auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 120)}));
  ASSERT_OK_AND_ASSIGN(const auto updated, run(*engine, {days(120, 124)}));
  EXPECT_EQ(updated.plans[0].fitted_version, 0);
  EXPECT_EQ(updated.plans[0].model_version, 1);
  EXPECT_EQ(sql(*engine, "SELECT min(business_date), max(business_date) FROM forecast_point"),
            "2024-05-04 2024-05-10 ");
  EXPECT_EQ(sql(*engine, "SELECT DISTINCT status, reason FROM forecast_series"), "ok  ");
  ASSERT_OK_AND_ASSIGN(const auto fitted, run(*engine, {days(124, 140)}));
  EXPECT_EQ(fitted.plans[0].fitted_version, 2);
  // Sales follow the same rule as before: whoever wins, the gate says why, on figures.
  EXPECT_THAT(fitted.plans[0].verdict, HasSubstr("on the newest origin"));
  StageObserver silent;
  const std::string none[] = {"none"};
  EXPECT_ERROR(engine->update_forecasts(none, silent), ErrorCode::kNotFound, "there are: shops");
}

TEST_F(Models, TablesLostWithTheWarehouseComeBackFromTheVersionWithoutAFit) {
  std::string points;
  {
    const auto engine = open();
    ASSERT_OK(run(*engine, {days(0, 120)}));
    points = sql(*engine, kPoints);
  }
  std::filesystem::remove(folder_.file("shop/warehouse.duckdb"));
  const auto engine = open();
  ASSERT_OK_AND_ASSIGN(const auto rebuilt, run(*engine, {}));
  EXPECT_EQ(rebuilt.plans[0].fitted_version, 0);
  EXPECT_EQ(sql(*engine, kPoints), points) << "bit for bit";
  EXPECT_NE(sql(*engine, "SELECT count(*) FROM forecast_accuracy"), "0 ");
}

TEST_F(Models, PromotionAgainstTheGateMustBeForcedAndCanBeTakenBack) {
  const auto engine = open({"forecast.gate_margin_percent=99"});
  ASSERT_OK(run(*engine, {days(0, 120)}));
  ASSERT_OK_AND_ASSIGN(const auto second, run(*engine, {days(120, 140)}));
  EXPECT_EQ(second.plans[0].fitted_version, 2);
  EXPECT_EQ(second.plans[0].model_version, 1) << "the champion goes on forecasting";
  EXPECT_EQ(engine->models_of("shops", 0).value().aliases.challenger, 2);
  StageObserver silent;
  PromoteRequest request{"shops", 2, "I know better", "anna", false};
  EXPECT_ERROR(engine->promote_model(request, silent), ErrorCode::kConflict, "--force");
  request.force = true;
  ASSERT_OK_AND_ASSIGN(const auto promoted, engine->promote_model(request, silent));
  EXPECT_EQ(promoted.model_version, 2);
  EXPECT_EQ(sql(*engine, "SELECT DISTINCT model_version FROM forecast_series"), "2 ");
  ASSERT_OK_AND_ASSIGN(const auto models, engine->models_of("shops", 0));
  EXPECT_EQ(models.aliases.changes.back().by, "anna");
  EXPECT_TRUE(models.aliases.changes.back().forced ||
              models.aliases.changes[models.aliases.changes.size() - 2].forced);
  ASSERT_OK_AND_ASSIGN(const auto back, engine->rollback_model({"shops", 0, "overshoots", "anna"}, silent));
  EXPECT_EQ(back.model_version, 1);
  ASSERT_OK_AND_ASSIGN(const auto after, run(*engine, {}));
  EXPECT_EQ(after.plans[0].model_version, 1) << "a run on the same data does not undo a roll-back";
  EXPECT_THAT(engine->verify_models().value(), IsEmpty());
}

TEST_F(Models, ForecastsAreComparedWithWhatCameAndAlertsOpenAndClose) {
  const auto engine = open({"forecast.refit_days=1000"});
  ASSERT_OK(run(*engine, {days(0, 120)}));
  ASSERT_OK(run(*engine, {days(120, 127)}));
  EXPECT_EQ(
      sql(*engine,
          "SELECT count(*), sum(CASE WHEN abs(mean - actual) > 12 THEN 1 ELSE 0 END), min(lead_periods), "
          "max(lead_periods) FROM forecast_outcome"),
      "112 0 1 7 ");
  EXPECT_EQ(
      test::cells_of(
          *engine, "SELECT state, points FROM forecast_monitor WHERE series_id = '' AND window_periods = 7"),
      "ok 112 ");
  ASSERT_OK_AND_ASSIGN(const auto figures, engine->monitor({"shops", "", 1}));
  ASSERT_EQ(figures.size(), 1U);
  EXPECT_EQ(figures[0].window_periods, 7);
  EXPECT_EQ(figures[0].points, 112);
  EXPECT_EQ(figures[0].state, "ok");
  EXPECT_LT(figures[0].wape.value(), figures[0].wape_seasonal_naive.value());
  ASSERT_OK_AND_ASSIGN(const auto of_series, engine->monitor({"", "shops/S1", 100}));
  ASSERT_EQ(of_series.size(), 2U) << "one window and four";
  EXPECT_EQ(of_series[1].window_periods, 28);
  EXPECT_EQ(of_series[1].points, 7);
  EXPECT_ERROR(engine->monitor({"shops", "shops/none", 1}), ErrorCode::kNotFound, "no series 'shops/none'");
  EXPECT_ERROR(engine->monitor({"none", "", 1}), ErrorCode::kNotFound, "there are: shops");
  ASSERT_OK(run(*engine, {days(127, 134, 4)}));  // four times the sales from one day to the next
  EXPECT_EQ(test::cells_of(*engine,
                           "SELECT count(*) FROM forecast_alert WHERE series_id = '' AND closed_at IS NULL"),
            "1 ");
  EXPECT_THAT(sql(*engine, "SELECT reason FROM forecast_alert WHERE series_id = ''"), HasSubstr("150 %"));
  ASSERT_OK(run(*engine, {}));
  EXPECT_EQ(sql(*engine, "SELECT count(*) FROM forecast_alert WHERE series_id = ''"), "1 ")
      << "not opened twice";
  // A version that has learnt the new level serves, and its forecasts hold: the alert closes.
  ASSERT_OK(run(*engine, {days(134, 162, 4)}));
  StageObserver silent;
  ASSERT_OK_AND_ASSIGN(const auto fitted, engine->fit_forecasts({}, silent));
  ASSERT_EQ(fitted[0].fitted_version, 2);
  ASSERT_OK(engine->promote_model({"shops", 2, "", "anna", true}, silent));
  ASSERT_OK(run(*engine, {days(162, 169, 4)}));
  EXPECT_EQ(test::cells_of(*engine,
                           "SELECT count(*) FROM forecast_alert WHERE series_id = '' AND closed_at IS NULL"),
            "0 ")
      << test::cells_of(*engine,
                        "SELECT wape, wape_expected, reason FROM forecast_monitor WHERE series_id = ''");
}

TEST_F(Models, AnAlertAsksForANewFitWhenTheSettingSaysSo) {
  const auto engine = open({"forecast.refit_days=1000", "forecast.retrain_on_alert=true"});
  ASSERT_OK(run(*engine, {days(0, 120)}));
  ASSERT_OK_AND_ASSIGN(const auto report, run(*engine, {days(120, 127, 4)}));
  EXPECT_EQ(report.plans[0].fitted_version, 2);
  ASSERT_OK_AND_ASSIGN(const auto next, run(*engine, {days(127, 128, 4)}));
  EXPECT_EQ(next.plans[0].fitted_version, 0) << "once per alert";
}

TEST_F(Models, AnExperimentSplitsTheSeriesMeasuresAndSwitches) {
  const auto engine = open({"forecast.gate_margin_percent=99"});
  ASSERT_OK(run(*engine, {days(0, 120)}));
  StageObserver silent;
  EXPECT_ERROR(engine->create_experiment({"spring", "shops", 0, 50}, silent), ErrorCode::kConflict,
               "no challenger");
  ASSERT_OK(run(*engine, {days(120, 140)}));
  ASSERT_OK(engine->create_experiment({"spring", "shops", 0, 50}, silent));
  const std::string split = test::cells_of(
      *engine, "SELECT variant, model_version, count(*) FROM forecast_series GROUP BY ALL ORDER BY ALL");
  EXPECT_THAT(split, HasSubstr("challenger 2"));
  EXPECT_THAT(split, HasSubstr("champion 1"));
  EXPECT_ERROR(engine->promote_model({"shops", 2, "", "", true}, silent), ErrorCode::kConflict,
               "experiment 'spring'");
  ASSERT_OK(run(*engine, {days(140, 147)}));
  EXPECT_EQ(
      test::cells_of(
          *engine, "SELECT variant, model_version, count(*) FROM forecast_series GROUP BY ALL ORDER BY ALL"),
      split);
  ASSERT_OK_AND_ASSIGN(const auto reports, engine->experiments("shops"));
  EXPECT_EQ(reports[0].champion.measured + reports[0].challenger.measured, kShops);
  EXPECT_EQ(reports[0].champion.points + reports[0].challenger.points, kShops * 7);
  EXPECT_GT(reports[0].sample_ratio_probability, 0.001);
  EXPECT_LE(reports[0].champion.wape_low, reports[0].champion.wape);
  EXPECT_GT(reports[0].champion.relative, 0);
  ASSERT_OK_AND_ASSIGN(const auto ended, engine->end_experiment("shops", "challenger", "anna", silent));
  EXPECT_EQ(ended.model_version, 2);
  EXPECT_EQ(sql(*engine, "SELECT DISTINCT variant, model_version FROM forecast_series"), "champion 2 ");
  EXPECT_ERROR(engine->end_experiment("shops", "", "anna", silent), ErrorCode::kNotFound,
               "no running experiment");
}

TEST_F(Models, AnExperimentWhoseSplitIsBrokenHasNoWinner) {
  {
    const auto engine = open({"forecast.gate_margin_percent=99"});
    ASSERT_OK(run(*engine, {days(0, 120)}));
    ASSERT_OK(run(*engine, {days(120, 140)}));
    StageObserver silent;
    ASSERT_OK(engine->create_experiment({"spring", "shops", 0, 10}, silent));
    ASSERT_OK(run(*engine, {days(140, 147)}));
    ASSERT_GT(engine->experiments("shops").value()[0].challenger.measured, 0);
  }
  {
    // As if the forecasts of one variant had not come due.
    ASSERT_OK_AND_ASSIGN(auto database, database::Database::open(shop() / "warehouse.duckdb"));
    ASSERT_OK_AND_ASSIGN(auto connection, database.connect());
    ASSERT_OK(connection.execute("DELETE FROM forecast_outcome WHERE variant = 'champion'"));
  }
  const auto engine = open();
  ASSERT_OK_AND_ASSIGN(const auto reports, engine->experiments("shops"));
  EXPECT_LT(reports[0].sample_ratio_probability, 0.001);
  EXPECT_EQ(reports[0].winner, "");
  EXPECT_THAT(reports[0].advice, HasSubstr("split is broken"));
  StageObserver silent;
  EXPECT_ERROR(engine->end_experiment("shops", "auto", "anna", silent), ErrorCode::kConflict,
               "split is broken");
}

TEST_F(Models, AskingForExperimentsOfAnUnknownPlanNamesTheOnesThereAre) {
  const auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 60)}));
  EXPECT_THAT(engine->experiments("shops").value(), IsEmpty());
  EXPECT_ERROR(engine->experiments("shop"), ErrorCode::kNotFound, "there are some of: shops");
}

TEST_F(Models, LongerHorizonsComeFromTheVersionThatIsServed) {
  const auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 120)}));
  ForecastRequest request;
  request.items = {{"shops/S3"}};
  request.horizon = 7;
  ASSERT_OK_AND_ASSIGN(const auto stored, engine->forecast(request));
  request.horizon = 30;
  ASSERT_OK_AND_ASSIGN(const auto longer, engine->forecast(request));
  ASSERT_OK(longer[0]);
  ASSERT_EQ(longer[0]->points.size(), 30U);
  EXPECT_EQ(longer[0]->model_version, 1);
  ASSERT_TRUE(longer[0]->extension.has_value());
  EXPECT_FALSE(longer[0]->extension->refitted) << longer[0]->extension->reason;
  EXPECT_EQ(longer[0]->extension->model, stored[0]->model);
  for (std::size_t i = 0; i < 30; ++i) {
    const auto& point = longer[0]->points[i];
    if (i < 7) {
      EXPECT_EQ(point.mean, stored[0]->points[i].mean);
    }
    EXPECT_GT(point.mean, 0);
    EXPECT_LT(point.intervals[1].low, point.mean);
    EXPECT_GT(point.intervals[1].high, point.mean);
  }
  ASSERT_OK_AND_ASSIGN(const auto versions, engine->models_of("shops", 0));
  EXPECT_EQ(versions.versions.size(), 1U) << "nothing was fitted for the answer";
}

TEST_F(Models, AForecastIsExplainedByItsModelsAndThePartsAddUp) {
  const auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 120)}));
  ASSERT_OK_AND_ASSIGN(const auto stored, engine->forecast({{{"shops/S3"}}, 7, {}}));
  ASSERT_OK_AND_ASSIGN(const auto found, engine->explain({"shops/S3", {}, 5}));
  EXPECT_EQ(found.note, "");
  ASSERT_EQ(found.points.size(), 7U);
  const auto sum = [](const ExplainedValue& value) {
    double all = 0;
    for (const auto& part : value.parts) all += part.value;
    return all;
  };
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(found.points[i].value, stored[0]->points[i].mean);
    EXPECT_NEAR(sum(found.points[i]), found.points[i].value, 1e-6);
    double weighted = 0;
    for (const auto& model : found.models) {
      EXPECT_NEAR(sum(model.points[i]), model.points[i].value, 1e-6);
      weighted += model.weight * model.points[i].value;
    }
    double adjustment = 0;
    for (const auto& part : found.points[i].parts)
      if (part.name == "adjustment to sums") adjustment = part.value;
    EXPECT_NEAR(weighted + adjustment, found.points[i].value, 1e-6);
  }
  ASSERT_EQ(found.history.size(), 5U);
  for (const auto& value : found.history) EXPECT_NEAR(sum(value), value.value, 1e-6);
  ASSERT_OK_AND_ASSIGN(const auto one, engine->explain({"shops/S3", found.points[4].date, 0}));
  ASSERT_EQ(one.points.size(), 1U);
  EXPECT_EQ(one.points[0].value, found.points[4].value);
  EXPECT_ERROR(engine->explain({"shops/S99", {}, 0}), ErrorCode::kNotFound, "S99");
  EXPECT_ERROR(engine->explain({"shops/S3", kFirst, 0}), ErrorCode::kInvalidInput, "7 stored periods");
}

TEST_F(Models, AShopThatWasNeverSeenTakesAfterTheOthers) {
  const auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 120)}));
  ForecastRequest request{{{"shops/S99"}, {"shops/"}, {"other/S1"}, {"shops/@total"}, {"shops/S98"}}, 10, {}};
  request.items[4].attributes = {{"colour", "red"}};
  ASSERT_OK_AND_ASSIGN(const auto found, engine->forecast(request));
  ASSERT_OK(found[0]);
  ASSERT_TRUE(found[0]->cold_start.has_value());
  EXPECT_THAT(found[0]->cold_start->basis, HasSubstr("store S99 new; pooled over 16 series"));
  EXPECT_EQ(found[0]->model, "cold_start");
  EXPECT_EQ(found[0]->info.status, "fallback");
  ASSERT_EQ(found[0]->points.size(), 10U);
  ASSERT_TRUE(found[0]->extension.has_value());
  double mean = 0;
  for (int shop = 1; shop <= kShops; ++shop) {
    ASSERT_OK_AND_ASSIGN(const auto known, engine->forecast({{{"shops/S" + std::to_string(shop)}}, 10, {}}));
    mean += known[0]->points[8].mean / kShops;
  }
  EXPECT_NEAR(found[0]->points[8].mean, mean, 0.05 * mean);
  // Shops sell from 23 to 68 a day and more: the interval must hold both ends.
  EXPECT_LT(found[0]->points[0].intervals[1].low, 30);
  EXPECT_GT(found[0]->points[0].intervals[1].high, 65);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(found[i].error().code, ErrorCode::kNotFound) << i;
  EXPECT_THAT(found[1].error().message, HasSubstr("shops/"));
  EXPECT_THAT(found[4].error().message, HasSubstr("knows no attribute 'colour'"));
  request.strict = true;
  ASSERT_OK_AND_ASSIGN(const auto strict, engine->forecast(request));
  EXPECT_EQ(strict[0].error().code, ErrorCode::kNotFound);
}

TEST_F(Models, RetrainingOneSeriesIsAVersionWithItsGateAndCanBeTakenBack) {
  const auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 120)}));
  const std::string before = sql(*engine, kPoints);
  StageObserver silent;
  ASSERT_OK_AND_ASSIGN(const auto report, engine->refit_series("shops/S3", silent));
  EXPECT_EQ(report.fitted_version, 2);
  EXPECT_THAT(report.verdict, HasSubstr("shops/S3 alone: "));
  ASSERT_OK_AND_ASSIGN(const auto models, engine->models_of("shops", 0));
  ASSERT_EQ(models.versions.size(), 2U);
  const auto& info = models.versions[0];
  EXPECT_EQ(info.settings.at("series"), "shops/S3");
  EXPECT_EQ(info.settings.at("full_version"), "1");
  EXPECT_EQ(info.parent, 1);
  EXPECT_EQ(info.series, kShops);
  EXPECT_EQ(models.aliases.champion, 1) << info.verdict_reason;
  EXPECT_EQ(models.aliases.challenger, 2);
  EXPECT_EQ(sql(*engine, kPoints), before) << "the gate did not let it pass";

  ASSERT_OK_AND_ASSIGN(const auto again, engine->refit_series("shops/S3", silent));
  EXPECT_EQ(again.fitted_version, 0) << "the same data make no second version";

  ASSERT_OK(engine->promote_model({"shops", 2, "tester", "", true}, silent));
  EXPECT_EQ(sql(*engine, "SELECT DISTINCT model_version FROM forecast_series"), "2 ");
  ASSERT_OK_AND_ASSIGN(const auto run_again, run(*engine, {}));
  EXPECT_TRUE(run_again.plans[0].unchanged) << "a run knows the fit behind it";
  ASSERT_OK_AND_ASSIGN(const auto longer, engine->forecast({{{"shops/S3"}}, 20, {}}));
  EXPECT_FALSE(longer[0]->extension->refitted) << longer[0]->extension->reason;
  ASSERT_OK(engine->rollback_model({"shops", 0, "tester", ""}, silent));
  EXPECT_EQ(sql(*engine, kPoints), before);
}

TEST_F(Models, ASeriesThatTheChampionDoesNotKnowIsPromotedWhenItIsRetrained) {
  const auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 120)}));
  std::string text = kHeader;
  for (int day = 20; day < 120; ++day) text += sale_line(day, 99, 30 + day % 7);
  ASSERT_OK_AND_ASSIGN(const auto updated, run(*engine, {folder_.write("new.csv", text)}));
  ASSERT_EQ(updated.plans[0].fitted_version, 0) << "one new series of 17 is no reason to fit all";
  const std::string status = "SELECT status FROM forecast_series WHERE series_id = 'shops/S99'";
  EXPECT_EQ(sql(*engine, status), "fallback ");
  StageObserver silent;
  ASSERT_OK_AND_ASSIGN(const auto report, engine->refit_series("shops/S99", silent));
  EXPECT_EQ(report.fitted_version, 2);
  EXPECT_EQ(report.model_version, 2) << report.verdict;
  EXPECT_EQ(sql(*engine, status), "ok ");
  EXPECT_EQ(sql(*engine, "SELECT DISTINCT model_version FROM forecast_series"), "2 ");

  EXPECT_ERROR(engine->refit_series("shops/S100", silent), ErrorCode::kNotFound, "S100");
  EXPECT_ERROR(engine->refit_series("shops/@total", silent), ErrorCode::kInvalidInput, "train plan 'shops'");
}

TEST_F(Models, AThousandReadsBesidePromotionsSeeOneVersionEach) {
  const auto engine = open({"forecast.gate_margin_percent=99"});
  ASSERT_OK(run(*engine, {days(0, 120)}));
  ASSERT_OK(run(*engine, {days(120, 140)}));
  ForecastRequest request;
  request.horizon = 7;
  for (int store = 1; store <= kShops; ++store) request.items.push_back({"shops/S" + std::to_string(store)});
  std::atomic<int> reads{0};
  std::atomic<int> errors{0};
  std::atomic<int> mixed{0};
  std::atomic<unsigned> versions{0};
  std::atomic<bool> promoting{true};
  const auto read = [&] {
    while (promoting || reads < 1000) {
      const auto answers = engine->forecast(request);
      std::set<std::string> seen;
      for (const auto& answer : answers ? *answers : std::vector<Result<SeriesForecast>>{}) {
        if (!answer || answer->points.size() != 7) {
          ++errors;
        } else {
          seen.insert(answer->run_id + " " + std::to_string(answer->model_version));
          versions |= 1U << static_cast<unsigned>(answer->model_version);
        }
      }
      errors += answers ? 0 : 1;
      mixed += seen.size() == 1 ? 0 : 1;
      ++reads;
    }
  };
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) readers.emplace_back(read);
  StageObserver silent;
  for (int round = 0; round < 6; ++round) {
    const auto done = engine->promote_model({"shops", round % 2 == 0 ? 2 : 1, "", "", true}, silent);
    EXPECT_OK(done);
  }
  promoting = false;
  for (auto& reader : readers) reader.join();
  EXPECT_GE(reads, 1000);
  EXPECT_EQ(errors, 0);
  EXPECT_EQ(mixed, 0);
  EXPECT_EQ(versions, 0b110U) << "both versions were served";
}

TEST_F(Models, TreesAreTunedWithinTheirTrialsAndTheSettingsFoundMakeANewVersion) {
  auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 300)}));
  StageObserver silent;
  ASSERT_OK_AND_ASSIGN(const TuneReport report, engine->tune({.plan = "shops", .trials_max = 3}, silent));
  ASSERT_EQ(report.trials.size(), 3U);
  EXPECT_EQ(report.metric, "wape");
  for (const TuneTrial& trial : report.trials) {
    EXPECT_GE(trial.error, report.trials[report.best].error);
    EXPECT_LT(trial.error, 0.2);
    EXPECT_OK(forecast::parse_global_options(trial.settings));
  }
  EXPECT_ERROR(engine->tune({.plan = "shop"}, silent), ErrorCode::kNotFound, "there are: shops");
  const std::string before = sql(*engine, "SELECT count(*) FROM forecast_run");
  EXPECT_EQ(before, "1 ") << "a search stores nothing";

  engine.reset();
  folder_.write("shop/tillcast.toml",
                std::string(kSettings) + "global = \"on\"\ntrees = \"" + report.trials[1].settings + "\"\n");
  engine = open();
  ASSERT_OK_AND_ASSIGN(const auto plans, engine->fit_forecasts({}, silent));
  EXPECT_EQ(plans.at(0).fitted_version, 2);
}

TEST_F(Models, ABlendOfFourVariantsIsKeptInAVersionAndForecastsFromIt) {
  folder_.write("shop/tillcast.toml",
                std::string(kSettings) + "global = \"blend\"\ntrees = \"rounds=20 leaves=6 leaf=10\"\n");
  auto engine = open();
  ASSERT_OK(run(*engine, {days(0, 300)}));
  EXPECT_NE(sql(*engine, "SELECT count(*) FROM forecast_accuracy WHERE model = 'global_blend'"), "0 ");
  ASSERT_OK_AND_ASSIGN(const auto updated, run(*engine, {days(300, 303)}));
  EXPECT_EQ(updated.plans[0].fitted_version, 0);
  EXPECT_EQ(updated.plans[0].model_version, 1);
  EXPECT_EQ(sql(*engine, "SELECT DISTINCT status, reason FROM forecast_series"), "ok  ");
}

}  // namespace
}  // namespace tillcast::pipeline
