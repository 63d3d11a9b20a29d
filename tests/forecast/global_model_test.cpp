#include "forecast/global_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numbers>
#include <random>

#include "forecast/forecast.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kHorizon = 14;
constexpr std::size_t kDays = 420;

/// Shops of different size whose sales rise by half in the first three days of a month: no weekday shows it.
std::vector<Series> shops(std::size_t count) {
  std::vector<Series> series;
  for (std::size_t i = 0; i < count; ++i) {
    Series& one = series.emplace_back(test::shop_series(kDays, kHorizon, static_cast<std::uint32_t>(i + 1)));
    one.index = i;
    Driver& driver = one.drivers.emplace_back();
    driver.name = "school holiday";
    driver.kind = DriverKind::kFlag;
    for (std::size_t t = 0; t < kDays + kHorizon; ++t) {
      driver.value.push_back((t + 7 * i) % 60 < 10 ? 1 : 0);
      if (t < kDays && civil_from_date(one.date_at(t)).day <= 3) one.value[t] *= 1.5;
    }
  }
  return series;
}

std::vector<AttributeColumn> attributes(std::size_t count) {
  std::vector<AttributeColumn> columns = {{"type", true, {}}, {"competition_since", false, {}}};
  for (std::size_t i = 0; i < count; ++i) {
    columns[0].value.push_back(static_cast<float>(i % 3));
    columns[1].value.push_back(static_cast<float>(19000 + 10 * i));
  }
  return columns;
}

GlobalModelOptions quick() {
  GlobalModelOptions options;
  options.booster.rounds = 60;
  options.booster.leaves = 12;
  options.booster.learning_rate = 0.1;
  options.booster.leaf_rows_min = 20;
  return options;
}

BacktestOptions backtest_options() {
  BacktestOptions options;
  options.horizon = kHorizon;
  return options;
}

constexpr PanelTask kTask{0, kHorizon, 1};

/// Keeps the newest days aside at first, for the number of rounds and the spread of errors.
GlobalModelOptions held_out() {
  GlobalModelOptions options = quick();
  options.booster.early_stopping_rounds = 10;
  options.aim = Metric::kRmspe;
  return options;
}

/// Demand of one level with errors of this spread on the logarithm, and nothing to learn.
std::vector<Series> noisy_shops(std::size_t count, double spread) {
  std::vector<Series> series;
  std::mt19937 random(3);
  const auto u = [&] { return (static_cast<double>(random()) + 0.5) / 4294967296.0; };
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<double> values;
    for (std::size_t t = 0; t < kDays; ++t) {
      const double normal = std::sqrt(-2 * std::log(u())) * std::cos(2 * std::numbers::pi * u());
      values.push_back(100 * std::exp(spread * normal));
    }
    series.push_back(test::daily_series(std::move(values)));
  }
  return series;
}

/// Forecasts at `back` days before the end, fitted there.
std::vector<double> forecast_at(std::span<const Series> series, std::size_t back,
                                const PanelTask& task = kTask, const GlobalModelOptions& options = quick()) {
  const std::vector<AttributeColumn> known = attributes(series.size());
  const Panel panel = panel_at(series, {}, known, back, backtest_options());
  NoProgress progress;
  const auto fitted = GlobalModel(options).fit(panel, task, progress);
  EXPECT_TRUE(fitted) << fitted.error().message;
  const auto values = (*fitted)->predict(panel, task);
  EXPECT_TRUE(values) << values.error().message;
  return *values;
}

class GlobalModelCut : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(WithAndWithoutNewestDaysAside, GlobalModelCut, testing::Bool());

TEST_P(GlobalModelCut, NoFeatureSeesPastTheCut) {
  const std::vector<Series> series = shops(6);
  const std::size_t back = 2 * kHorizon;
  const GlobalModelOptions options = GetParam() ? held_out() : quick();
  const std::vector<double> before = forecast_at(series, back, kTask, options);
  const std::vector<std::function<void(std::span<double>)>> futures = {
      [](std::span<double> future) { std::ranges::fill(future, 0.0); },
      [](std::span<double> future) { std::ranges::reverse(future); },
      [](std::span<double> future) { std::ranges::fill(future, std::numeric_limits<double>::quiet_NaN()); }};
  for (const auto& change : futures) {
    std::vector<Series> changed = series;
    for (Series& one : changed) {
      change(std::span(one.value).last(back));
      // What is closed in the future is known by `open` alone, not by marks.
      std::ranges::fill(std::span(one.masked).last(back), std::uint8_t{0});
    }
    const std::vector<double> after = forecast_at(changed, back, kTask, options);
    ASSERT_EQ(before.size(), after.size());
    EXPECT_EQ(std::memcmp(before.data(), after.data(), before.size() * sizeof(double)), 0);
  }
  std::vector<Series> past = series;
  past[0].value[kDays - back - 2] *= 3;
  EXPECT_NE(forecast_at(past, back, kTask, options), before) << "the last day before the cut counts";
}

TEST(GlobalModel, GrowsAsManyTreesAsHelpOnTheNewestDays) {
  const std::vector<Series> series = noisy_shops(30, 0.3);
  GlobalModelOptions options = quick();
  options.booster.rounds = 300;
  const Panel earlier = panel_at(series, {}, {}, kHorizon, backtest_options());
  NoProgress progress;
  std::vector<int> rounds;
  std::vector<double> errors;
  for (const int stop : {0, 10}) {
    options.booster.early_stopping_rounds = stop;
    ASSERT_OK_AND_ASSIGN(const auto fitted, GlobalModel(options).fit(earlier, kTask, progress));
    rounds.push_back(static_cast<const FittedGlobal&>(*fitted).boosters[0].rounds());
    EXPECT_EQ(static_cast<const FittedGlobal&>(*fitted).factor, 1);
    ASSERT_OK_AND_ASSIGN(const auto values, fitted->predict(earlier, kTask));
    Accuracy sums;
    for (std::size_t i = 0; i < values.size(); ++i)
      sums.add(series[i / kHorizon].value[kDays - kHorizon + i % kHorizon], values[i], 0);
    errors.push_back(sums.wape());
  }
  EXPECT_EQ(rounds[0], 300);
  EXPECT_LT(rounds[1], 60) << "there is nothing to learn";
  EXPECT_LT(errors[1], errors[0]);
}

TEST(GlobalModel, AimsAtTheMetricByTheSpreadOfErrorsInTheNewestDays) {
  const std::vector<Series> series = noisy_shops(30, 0.5);
  const Panel earlier = panel_at(series, {}, {}, kHorizon, backtest_options());
  GlobalModelOptions options = quick();
  options.booster.rounds = 5;
  const auto forecast = [&](std::optional<Metric> aim) {
    options.aim = aim;
    NoProgress progress;
    const auto fitted = GlobalModel(options).fit(earlier, kTask, progress);
    return std::pair((*fitted)->predict(earlier, kTask).value(),
                     static_cast<const FittedGlobal&>(**fitted).factor);
  };
  const auto [median, one] = forecast(std::nullopt);
  EXPECT_EQ(one, 1);
  for (const Metric metric : {Metric::kRmspe, Metric::kMape, Metric::kRmse}) {
    const auto [values, factor] = forecast(metric);
    EXPECT_NEAR(std::log(factor) / std::log(aim_factor(metric, 0.5)), 1, 0.2) << metric_name(metric);
    Accuracy aimed;
    Accuracy plain;
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_NEAR(values[i] / median[i], factor, 1e-9);
      const double actual = series[i / kHorizon].value[kDays - kHorizon + i % kHorizon];
      aimed.add(actual, values[i], 0);
      plain.add(actual, median[i], 0);
    }
    EXPECT_LT(aimed.value(metric), plain.value(metric)) << metric_name(metric);
  }
}

TEST(GlobalModel, TwoSeedsAreTheMeanOfBothFits) {
  std::vector<Series> series = shops(6);
  NoProgress progress;
  for (const GlobalTarget target : {GlobalTarget::kLogarithm, GlobalTarget::kUnits}) {
    const Panel panel = panel_at(series, {}, {}, 0, backtest_options());
    const auto forecast = [&](std::uint32_t seed, int seeds) {
      GlobalModelOptions options = quick();
      options.target = target;
      options.booster.seed = seed;
      options.seeds = seeds;
      const auto fitted = GlobalModel(options).fit(panel, kTask, progress);
      return (*fitted)->predict(panel, kTask).value();
    };
    const std::vector<double> both = forecast(11, 2);
    const std::vector<double> first = forecast(11, 1);
    const std::vector<double> second = forecast(12, 1);
    EXPECT_NE(first, second);
    // Scores are averaged, and they are logarithms for either target.
    for (std::size_t i = 0; i < both.size(); ++i)
      ASSERT_NEAR(both[i] / std::sqrt(first[i] * second[i]), 1, 1e-9) << i;
  }
}

TEST(GlobalModel, RowsToLearnFromAreBuiltFromTheirOwnCutAlone) {
  const std::vector<Series> series = shops(3);
  std::vector<Series> changed = series;
  for (Series& one : changed) std::ranges::reverse(std::span(one.value).last(30));
  const auto rows_of = [](const std::vector<Series>& from) {
    const Panel panel = panel_at(from, {}, {}, 0, backtest_options());
    const PanelFeatures features(panel, kTask, {14, 30, 58}, true);
    FeatureRows rows;
    for (std::size_t m = 0; m < 3; ++m)
      features.add_rows(m, [](std::size_t cut, int, float) { return cut >= 1; }, rows);
    return rows;
  };
  const FeatureRows before = rows_of(series);
  const FeatureRows after = rows_of(changed);
  ASSERT_EQ(before.size(), 3 * 2 * kHorizon);
  ASSERT_EQ(before.values.size(), after.values.size());
  EXPECT_EQ(std::memcmp(before.values.data(), after.values.data(), before.values.size() * sizeof(float)), 0);
  EXPECT_EQ(before.offset, after.offset);
}

// Whether and when a closed shop opened again is not known at the cut, in training no more than in use.
TEST(GlobalModel, RowsToLearnFromDoNotKnowWhenAShopOpensAgain) {
  for (const std::size_t closed_before : {12UL, 3UL}) {  // days of a closing of 20 before the cut
    constexpr std::size_t kBack = 30;
    std::vector<Series> series = shops(3);
    for (Series& one : series) {
      one.open.assign(kDays, 1);  // not known ahead
      const std::size_t begin = kDays - kBack - closed_before;
      for (const std::size_t day : {std::size_t{100}, begin})
        for (std::size_t i = 0; i < 20; ++i)
          one.open[day + i] = 0, one.masked[day + i] = 1, one.value[day + i] = 0;
    }
    const auto rows_at = [&series](std::size_t back, int cut) {
      const Panel panel = panel_at(series, {}, {}, back, backtest_options());
      const PanelFeatures features(panel, kTask, {cut}, true);
      FeatureRows rows;
      features.add_rows(0, [](std::size_t, int, float) { return true; }, rows);
      std::vector<float> found;
      for (std::size_t c = 0; c < features.columns().size(); ++c)
        if (features.columns()[c].name.find("long_closing") != std::string::npos)
          for (std::size_t row = 0; row < rows.size(); ++row)
            found.push_back(rows.values[row * features.columns().size() + c]);
      return found;
    };
    const auto learnt = rows_at(0, static_cast<int>(kBack));
    const auto used = rows_at(kBack, 0);
    ASSERT_EQ(learnt.size(), 2 * kHorizon);
    ASSERT_EQ(learnt.size(), used.size());
    for (std::size_t i = 0; i < used.size(); ++i) {
      ASSERT_FALSE(std::isnan(used[i])) << i;
      EXPECT_EQ(learnt[i], used[i]) << i << ", closed for " << closed_before << " days";
    }
  }
}

TEST(GlobalModel, DoesNotDependOnThreads) {
  const std::vector<Series> series = shops(70);
  PanelTask two = kTask;
  two.threads = 2;
  EXPECT_EQ(forecast_at(series, 0), forecast_at(series, 0, two));
}

TEST(GlobalModel, LearnsWhatNoWeekdayShows) {
  const std::vector<Series> series = shops(20);
  NoProgress progress;
  ForecastOptions options;
  options.backtest = backtest_options();
  options.backtest.origins = 2;
  options.attributes = attributes(20);
  options.models = {ModelId::kSeasonalNaive, ModelId::kDriverMedian};
  options.threads = 1;
  options.panel_models.push_back({std::make_shared<GlobalModel>(quick()), nullptr});
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options, progress));
  double median = 0;
  double global = 0;
  for (const AccuracyRow& row : run.accuracy) {
    if (row.demand_class || !row.model) continue;
    if (*row.model == ModelId::kDriverMedian) median = row.all.wape();
    if (*row.model == ModelId::kGlobalTrees) global = row.all.wape();
  }
  EXPECT_GT(global, 0);
  EXPECT_LT(global, 0.9 * median);
  for (const SeriesForecast& one : run.series) {
    EXPECT_EQ(one.model, ModelId::kGlobalTrees);
    for (const ForecastPoint& point : one.points)
      if (iso_weekday(point.date) == 7) {
        EXPECT_EQ(point.mean, 0);
      }
  }
}

TEST(GlobalModel, ReadsBackWhatItSavedAndServesALaterCut) {
  const std::vector<Series> series = shops(6);
  const std::vector<AttributeColumn> known = attributes(6);
  const Panel earlier = panel_at(series, {}, known, kHorizon, backtest_options());
  const Panel later = panel_at(series, {}, known, 0, backtest_options());
  const GlobalModel model(quick());
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const auto fitted, model.fit(earlier, kTask, progress));
  ASSERT_OK_AND_ASSIGN(const auto loaded, model.load(fitted->save()));
  ASSERT_OK_AND_ASSIGN(const auto a, fitted->predict(later, kTask));
  ASSERT_OK_AND_ASSIGN(const auto b, loaded->predict(later, kTask));
  EXPECT_EQ(a, b);
  EXPECT_EQ(loaded->save(), fitted->save());
  const std::string text = fitted->save();
  for (const std::size_t length : {0UL, 10UL, 60UL, 400UL, text.size() / 2, text.size() - 200})
    EXPECT_EQ(model.load(text.substr(0, length)).error().code, ErrorCode::kCorruptData) << length;
}

TEST(GlobalModel, OtherDriversThanThoseOfTheFitAreRefused) {
  std::vector<Series> series = shops(4);
  const Panel panel = panel_at(series, {}, {}, 0, backtest_options());
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const auto fitted, GlobalModel(quick()).fit(panel, kTask, progress));
  for (Series& one : series) one.drivers.clear();
  const auto values = fitted->predict(panel_at(series, {}, {}, 0, backtest_options()), kTask);
  ASSERT_FALSE(values.has_value());
  EXPECT_NE(values.error().message.find("drivers must be those of the fit"), std::string::npos);
}

TEST(GlobalModel, CountsRareDemandInUnits) {
  std::vector<Series> series;
  test::Noise u(5);
  for (std::size_t i = 0; i < 40; ++i) {
    std::vector<double> values;
    const double rate = 0.2 + 2 * u();
    for (std::size_t t = 0; t < 400; ++t) {
      double count = 0;
      double left = rate * test::kWeek[t % 7];
      for (double p = u(); p > std::exp(-left) && count < 20; p *= u()) count += 1;
      values.push_back(count);
    }
    series.push_back(test::daily_series(std::move(values)));
  }
  const Panel panel = panel_at(series, {}, {}, kHorizon, backtest_options());
  EXPECT_EQ(choose_target(panel), GlobalTarget::kUnits);
  EXPECT_EQ(choose_target(panel_at(shops(3), {}, {}, 0, backtest_options())), GlobalTarget::kLogarithm);
  NoProgress progress;
  std::vector<double> forecasts;
  for (const double power : {1.0, 1.1}) {  // Poisson, Tweedie
    GlobalModelOptions options = quick();
    options.booster.tweedie_power = power;
    ASSERT_OK_AND_ASSIGN(const auto fitted, GlobalModel(options).fit(panel, kTask, progress));
    ASSERT_OK_AND_ASSIGN(const auto values, fitted->predict(panel, kTask));
    double forecast = 0;
    double actual = 0;
    for (std::size_t m = 0; m < 40; ++m)
      for (std::size_t s = 0; s < kHorizon; ++s) {
        forecast += values[m * kHorizon + s];
        actual += series[m].value[400 - kHorizon + s];
      }
    EXPECT_NEAR(forecast / actual, 1, 0.12) << power;
    forecasts.push_back(forecast);
  }
  EXPECT_NE(forecasts[0], forecasts[1]);
}

TEST(GlobalModel, SaysWhyItCannotLearn) {
  const GlobalModel model(quick());
  std::vector<Series> one = {test::daily_series(std::vector<double>(60, 3.0))};
  EXPECT_EQ(model.refuses(panel_at(one, {}, {}, 0, backtest_options()), kTask),
            "needs at least two series, has 1");
  one.push_back(one[0]);
  EXPECT_EQ(model.refuses(panel_at(one, {}, {}, 0, backtest_options()), kTask), "needs 98 days of history");
  const std::vector<Series> longer(2, test::daily_series(std::vector<double>(105, 3.0)));
  const Panel panel = panel_at(longer, {}, {}, 0, backtest_options());
  EXPECT_EQ(model.refuses(panel, kTask), "");
  EXPECT_EQ(GlobalModel(held_out()).refuses(panel, kTask),
            "needs 112 days of history to keep the newest ones aside (stop, aim)");
  one[0].grain = one[1].grain = Grain::kWeekly;
  EXPECT_EQ(model.refuses(panel_at(one, {}, {}, 0, backtest_options()), kTask), "works by day alone");
}

TEST(GlobalModel, ExplainsEveryForecastByPartsThatSumToIt) {
  const std::vector<Series> series = shops(6);
  const std::vector<AttributeColumn> known = attributes(6);
  const Panel panel = panel_at(series, {}, known, 0, backtest_options());
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const auto fitted, GlobalModel(quick()).fit(panel, kTask, progress));
  ASSERT_OK_AND_ASSIGN(const auto values, fitted->predict(panel, kTask));
  ASSERT_OK_AND_ASSIGN(const auto steps, fitted->explain(panel, 2, kTask));
  ASSERT_EQ(steps.size(), kHorizon);
  for (const ExplainedStep& step : steps) {
    double sum = 0;
    std::vector<std::string> names;
    for (const ExplainedStep::Part& part : step.parts) {
      sum += part.value;
      names.push_back(part.name);
    }
    EXPECT_NEAR(std::exp(sum) / values[2 * kHorizon + step.step], 1, 1e-5);
    EXPECT_EQ(names[0], "base");
    for (const char* expected :
         {"calendar", "promotion", "school_holiday", "level", "last year", "attributes"})
      EXPECT_NE(std::ranges::find(names, expected), names.end()) << expected;
  }
  EXPECT_EQ(fitted->explain(panel, 6, kTask).error().code, ErrorCode::kNotFound);
}

TEST(GlobalModel, StopsOnRequest) {
  struct Stops final : Progress {
    void update(std::uint64_t, std::uint64_t) override { ++calls; }
    bool cancelled() const override { return calls > 5; }
    int calls = 0;
  } progress;
  const std::vector<Series> series = shops(4);
  const auto fitted =
      GlobalModel(quick()).fit(panel_at(series, {}, {}, 0, backtest_options()), kTask, progress);
  ASSERT_FALSE(fitted.has_value());
  EXPECT_EQ(fitted.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace tillcast::forecast
