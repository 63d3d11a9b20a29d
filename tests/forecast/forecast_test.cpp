#include "forecast/forecast.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "forecast/global_model.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

using test::daily_series;
using test::reference_series;
using test::shop_series;

ForecastOptions options_for(std::size_t horizon) {
  ForecastOptions options;
  options.backtest.horizon = horizon;
  options.threads = 1;
  return options;
}

std::vector<Series> mixed_series(std::size_t horizon) {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) series.push_back(shop_series(420, horizon, seed));
  for (const char* name : {"weekly", "walk", "rare"}) series.push_back(daily_series(reference_series(name)));
  series.push_back(daily_series({3, 4}));
  series.push_back(daily_series({}));
  series.push_back(daily_series(std::vector<double>(200, 0.0)));
  for (std::size_t i = 0; i < series.size(); ++i) series[i].index = i;
  return series;
}

void expect_same(const ForecastRun& a, const ForecastRun& b) {
  ASSERT_EQ(a.series.size(), b.series.size());
  for (std::size_t i = 0; i < a.series.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(a.series[i].model, b.series[i].model);
    EXPECT_EQ(a.series[i].reason, b.series[i].reason);
    ASSERT_EQ(a.series[i].points.size(), b.series[i].points.size());
    for (std::size_t s = 0; s < a.series[i].points.size(); ++s) {
      const ForecastPoint& p = a.series[i].points[s];
      const ForecastPoint& q = b.series[i].points[s];
      const double left[] = {p.mean, p.lo80, p.hi80, p.lo95, p.hi95};
      const double right[] = {q.mean, q.lo80, q.hi80, q.lo95, q.hi95};
      EXPECT_EQ(p.date, q.date);
      EXPECT_EQ(std::memcmp(left, right, sizeof left), 0) << "step " << s;
    }
  }
  ASSERT_EQ(a.accuracy.size(), b.accuracy.size());
  for (std::size_t i = 0; i < a.accuracy.size(); ++i)
    EXPECT_EQ(a.accuracy[i].all.squared_error, b.accuracy[i].all.squared_error);
}

TEST(ForecastAll, GivesExactlyTheAskedPeriodsInOrder) {
  for (const std::size_t horizon : {1U, 7U, 30U})
    for (const std::size_t gap : {0U, 3U}) {
      const std::vector<Series> series = mixed_series(40);
      ForecastOptions options = options_for(horizon);
      options.backtest.gap = gap;
      NoProgress progress;
      ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options, progress));
      for (std::size_t i = 0; i < series.size(); ++i) {
        ASSERT_EQ(run.series[i].points.size(), horizon) << i;
        EXPECT_EQ(run.series[i].index, i);
        for (std::size_t s = 0; s < horizon; ++s) {
          const ForecastPoint& point = run.series[i].points[s];
          EXPECT_EQ(point.date, series[i].date_at(series[i].size() + gap + s));
          EXPECT_TRUE(std::isfinite(point.mean) && point.lo95 >= 0);
          EXPECT_LE(point.lo95, point.lo80);
          EXPECT_LE(point.lo80, point.mean);
          EXPECT_LE(point.mean, point.hi80);
          EXPECT_LE(point.hi80, point.hi95);
        }
      }
    }
}

TEST(ForecastAll, NothingAfterTheCutCanChangeIt) {
  // A long table whose values after the cut are replaced by others, in each way a leak could show.
  const auto run_with = [](double future_value, std::size_t future_rows) {
    std::vector<std::int32_t> ids;
    std::vector<Date> dates;
    std::vector<double> values;
    std::vector<std::int8_t> promotion;
    std::vector<std::int8_t> open;
    const Date cut = date_from_civil(2024, 6, 30);
    for (std::int32_t id = 0; id < 4; ++id) {
      const Series shop = shop_series(700, 100, static_cast<std::uint32_t>(id + 1));
      for (std::size_t t = 0; t < 700; ++t) {
        const Date date = shop.date_at(t);
        const bool future = date > cut;
        if (future && date.days - cut.days > static_cast<std::int32_t>(future_rows)) continue;
        ids.push_back(id);
        dates.push_back(date);
        values.push_back(future ? future_value : shop.value[t]);
        promotion.push_back(shop.promotion[t]);
        open.push_back(shop.open[t]);
      }
    }
    SeriesOptions series_options;
    series_options.cut = cut;
    series_options.drivers_until = Date{cut.days + 28};
    NoProgress progress;
    auto series = build_series({ids, dates, values, promotion, open, {}, 4}, series_options);
    EXPECT_OK(series);
    auto run = forecast_all(*series, options_for(28), progress);
    EXPECT_OK(run);
    return std::move(*run);
  };
  const ForecastRun first = run_with(1, 100);
  EXPECT_EQ(first.ok, 4U);
  expect_same(first, run_with(1e9, 100));
  expect_same(first, run_with(std::numeric_limits<double>::quiet_NaN(), 100));
  expect_same(first, run_with(1, 28));
}

TEST(Backtest, AnOriginDoesNotSeeTheValuesAfterIt) {
  Series series = shop_series(420, 28, 3);
  BacktestOptions options;
  options.horizon = 28;
  std::vector<ModelId> models;
  for (const Model& one : all_models()) models.push_back(one.id);
  for (const bool refit : {false, true}) {
    options.refit = refit;
    const SeriesBacktest before = backtest(series, models, options);
    ASSERT_EQ(before.ends.size(), 3U);
    Series changed = series;
    for (std::size_t t = before.ends[1]; t < changed.size(); ++t) changed.value[t] *= 3;
    const SeriesBacktest after = backtest(changed, models, options);
    for (std::size_t m = 0; m < models.size(); ++m)
      for (const std::size_t origin : {1U, 2U}) {
        const auto a = before.forecast(m, origin);
        const auto b = after.forecast(m, origin);
        EXPECT_TRUE(std::ranges::equal(a, b)) << model(models[m]).name << " at origin " << origin;
      }
    EXPECT_FALSE(std::ranges::equal(before.forecast(3, 0), after.forecast(3, 0)))
        << "the newest origin does see it";
  }
}

TEST(Backtest, AnOriginKnowsDriversAsFarAheadAsTheEndOfTheSeriesDoes) {
  Series series = test::shop_series(200, 14, 1);
  series.price.assign(series.promotion.size(), 2.5);
  series.drivers.push_back({"fair", DriverKind::kFlag, std::vector<float>(214, 0)});
  BacktestOptions options;
  options.horizon = 14;
  const auto ahead = [&](std::size_t end) {
    const History history = history_at(series, end, options);
    return std::array{history.promotion.size() - end, history.price.size() - end, history.open.size() - end};
  };
  EXPECT_EQ(ahead(172), (std::array<std::size_t, 3>{14, 14, 14}));
  // Rows that say nothing are no knowledge: three days of promotions, no price, one day of opening.
  std::fill(series.promotion.begin() + 203, series.promotion.end(), std::int8_t{-1});
  std::fill(series.price.begin() + 200, series.price.end(), std::nan(""));
  std::fill(series.open.begin() + 201, series.open.end(), std::int8_t{-1});
  std::fill(series.drivers[0].value.begin() + 205, series.drivers[0].value.end(), std::nanf(""));
  for (const std::size_t end : {200U, 172U}) EXPECT_EQ(ahead(end), (std::array<std::size_t, 3>{3, 0, 1}));
  EXPECT_EQ(panel_at(std::span(&series, 1), {}, {}, 28, options).members[0].drivers[0].value.size(),
            172U + 5);
}

TEST(ForecastAll, IsTheSameForAnyNumberOfThreads) {
  const std::vector<Series> series = mixed_series(14);
  NoProgress progress;
  ForecastOptions options = options_for(14);
  ASSERT_OK_AND_ASSIGN(const ForecastRun one, forecast_all(series, options, progress));
  options.threads = 5;
  ASSERT_OK_AND_ASSIGN(const ForecastRun five, forecast_all(series, options, progress));
  expect_same(one, five);
}

TEST(ForecastAll, ForecastsClosedDaysAsExactlyZero) {
  const std::vector<Series> series = {shop_series(420, 14, 1),
                                      shop_series(420, 0, 2)};  // known and inferred Sundays
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options_for(14), progress));
  for (const SeriesForecast& one : run.series)
    for (const ForecastPoint& point : one.points) {
      const bool sunday = iso_weekday(point.date) == 7;
      EXPECT_EQ(point.closed, sunday);
      EXPECT_EQ(point.mean == 0, sunday);
      EXPECT_EQ(point.hi95 == 0, sunday);
    }
}

TEST(ForecastAll, DemandThatFallsIsNeverForecastBelowZero) {
  // A line that crosses 0 soon after its end, or early in its back-test.
  const auto line = [](double first) {
    std::vector<double> values;
    for (int t = 0; t < 140; ++t) values.push_back(first - t);
    return daily_series(values);
  };
  const std::vector<Series> series = {line(141)};
  ForecastOptions options = options_for(28);
  options.models = {ModelId::kHolt};
  options.backtest.outliers.enabled = false;  // the end of such a line looks like some
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun demand, forecast_all(series, options, progress));
  ASSERT_EQ(demand.series[0].model, ModelId::kHolt);
  for (const ForecastPoint& point : demand.series[0].points) EXPECT_GE(point.mean, 0);
  const SeriesBacktest tested = backtest(line(113), options.models, options.backtest);
  ASSERT_FALSE(tested.ends.empty());
  for (const float step : tested.forecast(0, 0)) EXPECT_GE(step, 0);

  // What may be negative, such as a profit, follows the line: the zeros above are the clamp's.
  options.backtest.non_negative = false;
  ASSERT_OK_AND_ASSIGN(const ForecastRun profit, forecast_all(series, options, progress));
  EXPECT_LT(profit.series[0].points.back().mean, -5);
  const SeriesBacktest free = backtest(line(113), options.models, options.backtest);
  EXPECT_LT(free.forecast(0, 0).back(), -5);
}

TEST(ForecastAll, ReportsBadSeriesInTheirPlaceAndFinishesTheOthers) {
  std::vector<Series> series = mixed_series(14);
  series[2].value[17] = std::numeric_limits<double>::quiet_NaN();
  series[4].refused = "value of 2024-01-01 is NaN";
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options_for(14), progress));
  EXPECT_EQ(run.refused, 2U);
  EXPECT_EQ(run.series[2].status, SeriesStatus::kRefused);
  EXPECT_THAT(run.series[2].reason, ::testing::HasSubstr("2023-01-19 is not a finite number"));
  EXPECT_TRUE(run.series[2].points.empty());
  EXPECT_EQ(run.series[4].reason, "value of 2024-01-01 is NaN");
  EXPECT_EQ(run.series[0].status, SeriesStatus::kOk);

  const SeriesForecast& two_days = run.series[9];
  EXPECT_EQ(two_days.status, SeriesStatus::kFallback);
  EXPECT_THAT(two_days.reason, ::testing::HasSubstr("2 periods known, 28 needed"));
  EXPECT_DOUBLE_EQ(two_days.points[0].mean, 3.5);
  EXPECT_GT(two_days.points[0].hi95, two_days.points[0].mean) << "the class lends its spread";
  EXPECT_EQ(run.series[10].status, SeriesStatus::kFallback) << "no sales at all";
  EXPECT_EQ(run.series[10].points[3].mean, 0);
  EXPECT_EQ(run.series[11].points[3].mean, 0) << "all zeros";
  EXPECT_EQ(run.ok + run.fallbacks + run.refused, series.size());
}

TEST(ForecastAll, MeasuresTheChosenOnesOnAnOriginTheyWereNotChosenOn) {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) series.push_back(shop_series(420, 28, seed));
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options_for(28), progress));
  ASSERT_FALSE(run.accuracy.empty());
  EXPECT_EQ(run.accuracy[0].model, std::nullopt) << "the first row is all chosen together";
  EXPECT_EQ(run.accuracy[0].newest.count, 40U * 24);
  EXPECT_GT(value_added(run.accuracy[0].newest, run.accuracy[0].newest_benchmark, Metric::kWape), 0.3);
  ASSERT_FALSE(run.coverage.empty());
  EXPECT_EQ(run.coverage[0].coverage.count, 40U * 24);
  EXPECT_NEAR(run.coverage[0].coverage.share80(), 0.80, 0.05);
  EXPECT_NEAR(run.coverage[0].coverage.share95(), 0.95, 0.03);
  EXPECT_FALSE(run.series[0].backtest.empty());
  ASSERT_FALSE(run.report.rows.empty());
  const auto same = [](double a, double b) { return std::abs(a - b) <= 1e-9 * b; };  // other order of sums
  EXPECT_PRED2(same, run.report.rows[0].accuracy.absolute_error, run.accuracy[0].newest.absolute_error);
  EXPECT_PRED2(same, run.report.rows[0].benchmark.absolute_error,
               run.accuracy[0].newest_benchmark.absolute_error);
  EXPECT_EQ(run.report.intervals[0].inside80.inside, run.coverage[0].coverage.inside80);
  EXPECT_PRED2(same, run.report.intervals[0].inside95.width, run.coverage[0].coverage.width95);
  EXPECT_EQ(run.report.series.size(), 40U);
}

TEST(ForecastAll, JudgesAChoiceThatDoesNotKnowTheClassToCome) {
  constexpr std::size_t kHorizon = 28;
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    test::Noise u(seed);
    std::vector<double> values;
    for (std::size_t t = 0; t < 120; ++t) {
      const double sold = std::ceil(9 * u() * test::kWeek[t % 7]);
      values.push_back(seed % 2 == 1 || t % 7 < 5 ? sold : 0.0);
    }
    series.push_back(daily_series(std::move(values)));
  }
  std::vector<Series> spoilt = series;
  for (std::size_t t = 120 - kHorizon; t < 120; ++t) {
    spoilt[0].value[t] = t % 9 == 0 ? 400.0 : 0.0;
    spoilt[1].value[t] = 5;
  }
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun a, forecast_all(series, options_for(kHorizon), progress));
  ASSERT_OK_AND_ASSIGN(const ForecastRun b, forecast_all(spoilt, options_for(kHorizon), progress));
  for (const std::size_t i : {0U, 1U})
    EXPECT_NE(a.series[i].demand_class, b.series[i].demand_class) << "the last days decide its class";

  // What the newest origin was forecast to sell, by series: errors and sales.
  const auto judged = [](const ForecastRun& run, const std::vector<Series>& given) {
    std::vector<std::pair<ModelId, double>> result(given.size());
    for (const SeriesReportRow& row : run.report.series) {
      const auto last = std::span(given[row.series].value).last(kHorizon);
      result[row.series] = {row.model, std::accumulate(last.begin(), last.end(), row.accuracy.error)};
    }
    return result;
  };
  const auto before = judged(a, series);
  const auto after = judged(b, spoilt);
  for (std::size_t i = 0; i < series.size(); ++i) {
    EXPECT_EQ(before[i].first, after[i].first) << i;
    EXPECT_NEAR(before[i].second, after[i].second, 1e-6 * before[i].second) << i;
  }
  EXPECT_DOUBLE_EQ(a.coverage[0].coverage.width80, b.coverage[0].coverage.width80);
}

TEST(ForecastAll, ForecastsWhatSoldForTheFirstTimeAfterTheNewestOrigin) {
  std::vector<double> values(60, 0.0);
  values[0] = -1;  // returned before it was ever sold
  for (std::size_t t = 40; t < 60; ++t) values[t] = 5;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run,
                       forecast_all(std::vector{daily_series(values)}, options_for(28), progress));
  EXPECT_EQ(run.series[0].status, SeriesStatus::kFallback);
  EXPECT_EQ(run.series[0].reason, "no sales up to the newest origin of the back-test");
  EXPECT_GT(run.series[0].points[0].mean, 0);
}

class StopAfter final : public Progress {
 public:
  void update(std::uint64_t done, std::uint64_t total) override {
    EXPECT_LE(done, total);
    EXPECT_GE(done, last_);
    last_ = done;
    ++calls_;
  }
  bool cancelled() const override { return calls_ >= 2; }

 private:
  std::uint64_t last_ = 0;
  int calls_ = 0;
};

TEST(ForecastAll, StopsWhenAsked) {
  std::vector<Series> series(50, shop_series(200, 0, 1));
  StopAfter progress;
  EXPECT_ERROR(forecast_all(series, options_for(7), progress), ErrorCode::kCancelled, "stopped on request");
}

/// Writes down the steps it is told, and asks to stop when one of them begins.
class StepsHeard final : public Progress {
 public:
  explicit StepsHeard(std::size_t stop_at = static_cast<std::size_t>(-1)) : stop_at_(stop_at) {}
  void update(std::uint64_t done, std::uint64_t total) override {
    EXPECT_LE(done, total);
    EXPECT_GE(done, last) << steps.back();
    last = done;
    end = total;
    after_stop += cancelled() ? 1 : 0;
  }
  void step(std::string_view name) override {
    steps.emplace_back(name);
    begun_at.push_back(end > 0 ? static_cast<double>(last) / static_cast<double>(end) : 0);
  }
  bool cancelled() const override { return steps.size() > stop_at_; }

  std::vector<std::string> steps;
  std::vector<double> begun_at;
  std::uint64_t last = 0;
  std::uint64_t end = 0;
  int after_stop = 0;

 private:
  std::size_t stop_at_;
};

std::pair<std::vector<Series>, ForecastOptions> run_with_trees(unsigned threads) {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) series.push_back(shop_series(300, 7, seed));
  for (std::size_t i = 0; i < series.size(); ++i) series[i].index = i;
  ForecastOptions options = options_for(7);
  options.threads = threads;
  GlobalModelOptions trees;
  trees.booster.rounds = 3;
  options.panel_models = {{std::make_shared<GlobalModel>(trees), nullptr}};
  return {series, options};
}

TEST(ForecastAll, ProgressOnlyGrowsToItsEndAndNamesItsSteps) {
  for (const unsigned threads : {1U, 2U}) {
    const auto [series, options] = run_with_trees(threads);
    StepsHeard heard;
    ASSERT_OK(forecast_all(series, options, heard));
    EXPECT_EQ(heard.last, heard.end);
    std::vector<std::string> wanted = {"back-test",
                                       "global_trees: features",
                                       "global_trees: trees",
                                       "global_trees: back-test",
                                       "choice",
                                       "forecast",
                                       "quantiles"};
    auto at = heard.steps.begin();
    for (const std::string& step : wanted) {
      at = std::find(at, heard.steps.end(), step);
      ASSERT_NE(at, heard.steps.end()) << step;
    }
    EXPECT_LT(heard.begun_at[1], 0.9) << "the trees are yet to come";
    EXPECT_GT(heard.begun_at.back(), 0.5);
  }
}

TEST(ForecastAll, StopsInEveryStepWhenAsked) {
  for (const unsigned threads : {1U, 2U}) {
    const auto [series, options] = run_with_trees(threads);
    StepsHeard all;
    ASSERT_OK(forecast_all(series, options, all));
    for (std::size_t step = 0; step < all.steps.size(); ++step) {
      SCOPED_TRACE(all.steps[step]);
      StepsHeard heard(step);
      EXPECT_ERROR(forecast_all(series, options, heard), ErrorCode::kCancelled, "stopped on request");
      EXPECT_EQ(heard.steps.size(), step + 1) << "no other step begins";
      EXPECT_LE(heard.after_stop, 3);
    }
  }
}

TEST(ForecastAll, RefusesImpossibleOptions) {
  NoProgress progress;
  EXPECT_ERROR(forecast_all({}, options_for(0), progress), ErrorCode::kInvalidInput, "horizon is 0 periods");
  ForecastOptions options = options_for(7);
  options.backtest.origins = 0;
  EXPECT_ERROR(forecast_all({}, options, progress), ErrorCode::kInvalidInput, "origins is 0");
}

TEST(ForecastAll, WorksByWeekAndMonth) {
  std::vector<Series> series;
  for (const Grain grain : {Grain::kWeekly, Grain::kMonthly}) {
    Series one = daily_series(reference_series("monthly"));
    one.grain = grain;
    series.push_back(one);
  }
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options_for(6), progress));
  EXPECT_EQ(run.ok, 2U);
  EXPECT_EQ(run.series[0].points[1].date.days - run.series[0].points[0].date.days, 7);
  EXPECT_EQ(run.series[1].points[0].date, date_from_civil(2032, 1, 1));
  EXPECT_EQ(run.series[1].history_until, date_from_civil(2031, 12, 31));
  const double truth = (200 + 1.5 * 98) * test::kYear[98 % 12];
  EXPECT_NEAR(run.series[1].points[2].mean, truth, 0.1 * truth);
}

TEST(Models, TableHoldsEveryModelInOrderAndFindsItByName) {
  for (std::size_t i = 0; i < kModelCount; ++i) {
    const Model& one = model(static_cast<ModelId>(i));
    EXPECT_EQ(find_model(one.name), &one);
    EXPECT_FALSE(one.paper.empty());
  }
  EXPECT_EQ(find_model("prophet"), nullptr);
}

/// Thousands of series of every kind, one in ten of them broken, empty or too short.
TEST(ForecastAll, FinishesThousandsOfSeriesWhateverSomeOfThemHold) {
  constexpr std::uint32_t kSeed = 20240501;
  SCOPED_TRACE(kSeed);
  test::Noise u(kSeed);
  constexpr std::size_t kCount = 3000;
  constexpr std::size_t kHorizon = 14;
  std::vector<Series> series;
  std::vector<bool> corrupt;
  std::vector<bool> brief;
  for (std::size_t i = 0; i < kCount; ++i) {
    const double kind = u();
    const bool is_brief = kind < 0.05;
    corrupt.push_back(kind >= 0.05 && kind < 0.08);
    brief.push_back(is_brief);
    Series one =
        shop_series(is_brief ? static_cast<std::size_t>(10 * u()) : 90 + static_cast<std::size_t>(40 * u()),
                    kHorizon, static_cast<std::uint32_t>(i + 1));
    for (std::size_t t = 0; t < one.size(); ++t) {
      if (kind > 0.7 && u() < 0.6) one.value[t] = 0;                     // intermittent
      if (kind > 0.95 && one.masked[t] == 0) one.value[t] -= 100 * u();  // returns
    }
    if (corrupt.back()) {
      const double bad[] = {std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity()};
      one.value[static_cast<std::size_t>(u() * static_cast<double>(one.size()))] = bad[i % 2];
    }
    one.index = i;
    series.push_back(std::move(one));
  }
  ForecastOptions options = options_for(kHorizon);
  options.models = {ModelId::kSeasonalNaive, ModelId::kMovingAverage, ModelId::kSeasonalAverage,
                    ModelId::kTsb};
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options, progress));
  ASSERT_EQ(run.series.size(), kCount);
  EXPECT_GT(run.refused, 50U);
  EXPECT_GT(run.fallbacks, 100U);
  EXPECT_EQ(run.ok + run.fallbacks + run.refused, kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    SCOPED_TRACE(i);
    const SeriesForecast& one = run.series[i];
    ASSERT_EQ(one.status == SeriesStatus::kRefused, corrupt[i]);
    if (corrupt[i]) {
      ASSERT_THAT(one.reason, ::testing::HasSubstr("not a finite number"));
      ASSERT_TRUE(one.points.empty());
      continue;
    }
    ASSERT_EQ(one.status == SeriesStatus::kFallback, static_cast<bool>(brief[i])) << one.reason;
    ASSERT_EQ(one.points.size(), kHorizon);
    for (std::size_t s = 0; s < kHorizon; ++s) {
      const ForecastPoint& point = one.points[s];
      ASSERT_EQ(point.date, series[i].date_at(series[i].size() + s));
      ASSERT_TRUE(std::isfinite(point.hi95) && point.lo95 >= 0 && point.lo95 <= point.mean) << s;
      const bool closed = series[i].open[series[i].size() + s] == 0;
      ASSERT_EQ(point.closed, closed);
      if (closed) {
        ASSERT_EQ(point.hi95, 0);
      }
    }
  }
}

Series short_series(std::vector<double> values) {
  Series series;
  series.start = date_from_civil(2024, 1, 1);
  series.masked.assign(values.size(), 0);
  series.value = std::move(values);
  return series;
}

TEST(ForecastAll, WithoutAnyBackTestIntervalsComeFromTheSpreadOfTheHistory) {
  NoProgress progress;
  const std::vector<Series> rising = {short_series({2.5, 5, 4, 7.5, 6, 9, 7.5, 10, 11, 12.5})};
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(rising, options_for(14), progress));
  const SeriesForecast& found = run.series[0];
  EXPECT_TRUE(found.thin_intervals);
  EXPECT_FALSE(found.no_intervals);
  for (std::size_t step = 0; step < found.points.size(); ++step) {
    SCOPED_TRACE(step);
    const ForecastPoint& point = found.points[step];
    EXPECT_TRUE(0 <= point.lo95 && point.lo95 <= point.lo80 && point.hi80 <= point.hi95);
    EXPECT_LT(point.lo80, point.mean);
    EXPECT_GT(point.hi80, point.mean);
    EXPECT_GE(point.hi95 - point.lo95, 10) << "at least what the ten days ranged over";
  }
  EXPECT_LT(found.quantiles.front(), found.quantiles[10]);
}

TEST(ForecastAll, WhereNothingVariesThereIsNoInterval) {
  NoProgress progress;
  for (const auto& values : {std::vector<double>{7.5}, {7.5, 7.5, 7.5}, {}}) {
    SCOPED_TRACE(values.size());
    const std::vector<Series> one = {short_series(values)};
    ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(one, options_for(7), progress));
    EXPECT_TRUE(run.series[0].no_intervals && run.series[0].thin_intervals);
    ASSERT_EQ(run.series[0].points.size(), 7U);
    EXPECT_EQ(run.series[0].points[0].hi95, run.series[0].points[0].mean);
  }
  // Others of the run lend their errors.
  std::vector<Series> series = mixed_series(14);
  series.push_back(short_series({7.5}));
  series.back().index = series.size() - 1;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options_for(14), progress));
  EXPECT_FALSE(run.series.back().no_intervals);
}

TEST(Models, SurviveRandomSeries) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    test::Noise u(seed);
    Series series;
    series.start = date_from_civil(2020, 1, 1 + static_cast<int>(20 * u()));
    const auto size = static_cast<std::size_t>(500 * u() * u());
    const double zeros = u();
    const double scale = std::pow(10, 8 * u() - 3);
    for (std::size_t t = 0; t < size; ++t) {
      series.value.push_back(u() < zeros ? 0 : scale * std::pow(u(), 3));
      series.masked.push_back(u() < 0.2 ? 1 : 0);
      if (series.masked.back() != 0) series.value.back() = 0;
    }
    const std::vector<Series> one = {series};
    ForecastOptions options = options_for(1 + static_cast<std::size_t>(30 * u()));
    for (const Model& each : all_models()) options.models.push_back(each.id);
    NoProgress progress;
    ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(one, options, progress));
    ASSERT_EQ(run.series[0].points.size(), options.backtest.horizon);
    for (const ForecastPoint& point : run.series[0].points) {
      EXPECT_TRUE(std::isfinite(point.mean) && std::isfinite(point.hi95));
      EXPECT_GE(point.lo95, 0);
    }
  }
}

}  // namespace
}  // namespace tillcast::forecast
