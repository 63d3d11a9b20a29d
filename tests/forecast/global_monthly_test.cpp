#include "forecast/global_monthly.h"

#include <cmath>
#include <cstring>

#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

constexpr PanelTask kTask{0, 12, 1};
constexpr std::size_t kStores = 6;
constexpr std::size_t kItems = 8;

double size_of(std::size_t series) {
  return (20 + 10 * static_cast<double>(series / kItems)) * (1 + 0.3 * static_cast<double>(series % kItems));
}

/// Store x item x month x growth, `growth` a year, with noise; 60 months.
std::vector<Series> months(double growth, std::size_t count = kStores * kItems) {
  std::vector<Series> series;
  test::Noise u(7);
  for (std::size_t i = 0; i < count; ++i) {
    Series& one = series.emplace_back();
    one.grain = Grain::kMonthly;
    one.start = date_from_civil(2019, 1, 1);
    for (std::size_t t = 0; t < 60; ++t)
      one.value.push_back(30 * size_of(i) * test::kYear[t % 12] *
                          std::exp(growth * static_cast<double>(t) / 12) * (0.95 + 0.1 * u()));
    one.masked.assign(60, 0);
    one.index = i;
  }
  return series;
}

std::vector<AttributeColumn> ids() {
  std::vector<AttributeColumn> columns = {{"store", true, {}}, {"item", true, {}}};
  for (std::size_t i = 0; i < kStores * kItems; ++i) {
    columns[0].value.push_back(static_cast<float>(i / kItems));
    columns[1].value.push_back(static_cast<float>(i % kItems));
  }
  return columns;
}

Panel panel_of(std::span<const Series> series, std::span<const AttributeColumn> attributes,
               std::size_t back) {
  BacktestOptions options;
  options.horizon = 12;
  return panel_at(series, {}, attributes, back, options);
}

double wape(std::span<const Series> series, std::span<const double> values) {
  double error = 0;
  double actual = 0;
  for (std::size_t i = 0; i < series.size(); ++i)
    for (std::size_t step = 0; step < 12; ++step) {
      error += std::abs(values[12 * i + step] - series[i].value[48 + step]);
      actual += series[i].value[48 + step];
    }
  return error / actual;
}

TEST(GlobalMonthly, GrowsBeyondTheYearsOfTraining) {
  const std::vector<AttributeColumn> known = ids();
  const std::vector<Series> series = months(0.1);
  const Panel panel = panel_of(series, known, 12);
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const auto fitted, GlobalMonthly().fit(panel, kTask, progress));
  ASSERT_OK_AND_ASSIGN(const auto values, fitted->predict(panel, kTask));
  EXPECT_LT(wape(series, values), 0.05);
  const auto& fit = static_cast<const FittedMonthly&>(*fitted);
  EXPECT_NEAR(fit.past_growth, 0.1, 0.01);
  EXPECT_GT(fit.damping, 0.7) << "growth that always went on is hardly damped";
  double forecast = 0;
  double before = 0;
  for (std::size_t i = 0; i < series.size(); ++i)
    for (std::size_t step = 0; step < 12; ++step) {
      forecast += values[12 * i + step];
      before += series[i].value[36 + step];
    }
  EXPECT_GT(forecast, 1.06 * before) << "above all years seen";
}

TEST(GlobalMonthly, NothingAfterTheCutChangesIt) {
  const std::vector<AttributeColumn> known = ids();
  const std::vector<Series> series = months(0.05);
  std::vector<Series> changed = series;
  for (Series& one : changed)
    for (std::size_t t = 48; t < 60; ++t) one.value[t] = std::nan("");
  NoProgress progress;
  std::vector<std::vector<double>> results;
  for (const std::vector<Series>* from : {&series, static_cast<const std::vector<Series>*>(&changed)}) {
    const Panel panel = panel_of(*from, known, 12);
    ASSERT_OK_AND_ASSIGN(const auto fitted, GlobalMonthly().fit(panel, kTask, progress));
    ASSERT_OK_AND_ASSIGN(results.emplace_back(), fitted->predict(panel, kTask));
  }
  EXPECT_EQ(std::memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(double)), 0);
}

TEST(GlobalMonthly, ShortSeriesLeanOnTheirAttributes) {
  std::vector<Series> series = months(0.0);
  Series& young = series[30];
  const std::vector<double> truth(young.value.begin() + 48, young.value.end());
  young.value.erase(young.value.begin(), young.value.begin() + 46);
  young.value[0] *= 3;
  young.masked.resize(young.value.size());
  young.start = date_from_civil(2022, 11, 1);
  const std::vector<AttributeColumn> known = ids();
  const Panel panel = panel_of(series, known, 12);
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const auto fitted, GlobalMonthly().fit(panel, kTask, progress));
  ASSERT_OK_AND_ASSIGN(const auto values, fitted->predict(panel, kTask));
  double forecast = 0;
  double actual = 0;
  for (std::size_t step = 0; step < 12; ++step) {
    forecast += values[30 * 12 + step];
    actual += truth[step];
  }
  EXPECT_NEAR(forecast / actual, 1.4, 0.25) << "between its own double level and that of its like";
}

TEST(GlobalMonthly, TreesLearnOwnSeasonsAndAreReadBack) {
  // Every other item sells in summer what the others sell in winter: no common season holds.
  std::vector<Series> series = months(0.0);
  for (std::size_t i = 0; i < series.size(); i += 2)
    for (std::size_t t = 0; t < 60; ++t)
      series[i].value[t] *= test::kYear[(t + 6) % 12] / test::kYear[t % 12];
  const std::vector<AttributeColumn> known = ids();
  const Panel panel = panel_of(series, known, 12);
  const GlobalMonthly model;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const auto fitted, model.fit(panel, kTask, progress));
  ASSERT_TRUE(static_cast<const FittedMonthly&>(*fitted).booster.has_value());
  ASSERT_OK_AND_ASSIGN(const auto values, fitted->predict(panel, kTask));
  EXPECT_LT(wape(series, values), 0.06);
  ASSERT_OK_AND_ASSIGN(const auto loaded, model.load(fitted->save()));
  ASSERT_OK_AND_ASSIGN(const auto again, loaded->predict(panel, kTask));
  EXPECT_EQ(values, again);
  ASSERT_OK_AND_ASSIGN(const auto steps, loaded->explain(panel, 3, kTask));
  EXPECT_NEAR(steps[5].forecast, again[3 * 12 + 5], 1e-9);
  const std::string text = fitted->save();
  for (const std::size_t length : {0UL, 20UL, 60UL, 300UL, text.size() / 2})
    EXPECT_FALSE(model.load(text.substr(0, length)).has_value()) << length;
}

TEST(GlobalMonthly, SaysWhyItCannotLearn) {
  std::vector<Series> series = months(0, 2);
  EXPECT_EQ(GlobalMonthly().refuses(panel_of(series, {}, 50), kTask),
            "needs a series with twelve months of history");
  series[0].grain = series[1].grain = Grain::kDaily;
  EXPECT_EQ(GlobalMonthly().refuses(panel_of(series, {}, 0), kTask), "works by month alone");
}

}  // namespace
}  // namespace tillcast::forecast
