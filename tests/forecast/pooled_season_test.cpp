#include "forecast/pooled_season.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "forecast/forecast.h"
#include "generated_series.h"

namespace tillcast::forecast {
namespace {

/// Counts around level x week x year x growth; each of `count` series has its own level.
std::vector<Series> calendar_panel(std::size_t count, std::size_t days, double growth) {
  std::vector<Series> panel;
  for (std::size_t i = 0; i < count; ++i) {
    Series series;
    series.index = i;
    series.start = date_from_civil(2021, 1, 4);
    test::Noise u(static_cast<std::uint32_t>(i + 1));
    const double level = 2 + 30 * u();
    for (std::size_t t = 0; t < days; ++t) {
      const auto month = static_cast<std::size_t>(civil_from_date(series.date_at(t)).month - 1);
      const double expected = level * test::kWeek[t % 7] * test::kYear[month] *
                              std::exp(growth * static_cast<double>(t) / 365.25);
      series.value.push_back(std::floor(expected * 2 * u() + 0.5));
    }
    series.masked.assign(days, 0);
    panel.push_back(std::move(series));
  }
  return panel;
}

Panel panel_of(const std::vector<Series>& series, std::size_t horizon, std::size_t back = 0) {
  BacktestOptions options;
  options.horizon = horizon;
  return panel_at(series, {}, {}, back, options);
}

TEST(PooledSeason, FindsWeekYearAndGrowthThatNoSeriesShowsAlone) {
  const std::vector<Series> series = calendar_panel(100, 3 * 365, 0.1);
  const PooledSeason pooled = fit_pooled_season(panel_of(series, 28), PooledKind::kSeason, 28);
  for (std::size_t day = 1; day < 7; ++day)
    EXPECT_NEAR(pooled.week[day] / pooled.week[0], test::kWeek[day] / test::kWeek[0], 0.03);
  for (std::size_t month = 1; month < 12; ++month)
    EXPECT_NEAR(pooled.month[month] / pooled.month[0], test::kYear[month] / test::kYear[0], 0.06);
  EXPECT_NEAR(pooled.growth, 0.1, 0.03);
}

TEST(PooledSeason, TrustsTheSeriesWhereThePanelIsOfUnlikeSeries) {
  // Half of the series sell at the start of the week, half at its end, all without much noise.
  std::vector<Series> series;
  for (std::size_t i = 0; i < 20; ++i) {
    test::Noise u(static_cast<std::uint32_t>(i + 50));
    std::vector<double> values;
    for (std::size_t t = 0; t < 371; ++t)
      values.push_back(
          (i % 2 == 0 ? 10.0 + 10.0 * static_cast<double>(t % 7) : 70.0 - 10.0 * static_cast<double>(t % 7)) *
          (0.95 + 0.1 * u()));
    series.push_back(test::daily_series(std::move(values)));
  }
  const PooledSeason pooled = fit_pooled_season(panel_of(series, 7), PooledKind::kLevel, 7);
  std::vector<double> steps(7);
  predict_pooled_season(pooled, test::whole_history(series[0]), steps);
  for (std::size_t day = 0; day < 7; ++day)
    EXPECT_NEAR(steps[day], 10.0 + 10.0 * static_cast<double>(day), 4);
}

TEST(PooledSeason, SeesNothingBehindTheCut) {
  std::vector<Series> series = calendar_panel(10, 500, 0);
  const PooledSeason before = fit_pooled_season(panel_of(series, 28, 28), PooledKind::kLevel, 28);
  for (Series& one : series)
    for (std::size_t t = one.size() - 28; t < one.size(); ++t) one.value[t] = NAN;
  const PooledSeason after = fit_pooled_season(panel_of(series, 28, 28), PooledKind::kLevel, 28);
  EXPECT_EQ(save_pooled_season(before), save_pooled_season(after));
}

TEST(PooledSeason, IsReadBackToEqualForecasts) {
  const std::vector<Series> series = calendar_panel(10, 400, 0);
  const PooledSeason pooled = fit_pooled_season(panel_of(series, 28), PooledKind::kSeason, 28);
  const auto read = load_pooled_season(save_pooled_season(pooled));
  ASSERT_TRUE(read) << read.error().message;
  std::vector<double> a(28);
  std::vector<double> b(28);
  predict_pooled_season(pooled, test::whole_history(series[3]), a);
  predict_pooled_season(*read, test::whole_history(series[3]), b);
  EXPECT_EQ(a, b);
  const std::string text = save_pooled_season(pooled);
  for (const std::string& damaged :
       {text + "1\n", text.substr(0, text.size() - 9), std::string("tree"), std::string()})
    EXPECT_FALSE(load_pooled_season(damaged));
}

TEST(PooledSeason, IsChosenByARunOfItsOwnAccordWhereTheYearRulesAllSeries) {
  const std::vector<Series> series = calendar_panel(30, 3 * 365, 0);
  ForecastOptions options;
  options.backtest.horizon = 60;
  options.threads = 1;
  options.models = {ModelId::kSeasonalNaive, ModelId::kMovingAverage, ModelId::kPooledSeason};
  NoProgress progress;
  const auto run = forecast_all(series, options, progress);
  ASSERT_TRUE(run) << run.error().message;
  std::size_t pooled = 0;
  for (const SeriesForecast& one : run->series) pooled += one.model == ModelId::kPooledSeason ? 1 : 0;
  EXPECT_EQ(pooled, series.size());
}

TEST(PooledSeason, RefusesASingleSeriesAndShortPanels) {
  const PanelTask task{0, 28, 1};
  const auto model = pooled_season_model(PooledKind::kSeason);
  EXPECT_EQ(model->refuses(panel_of(calendar_panel(1, 800, 0), 28), task), "needs at least two series");
  EXPECT_EQ(model->refuses(panel_of(calendar_panel(3, 300, 0), 28), task), "has 300 periods, needs 364");
}

}  // namespace
}  // namespace tillcast::forecast
