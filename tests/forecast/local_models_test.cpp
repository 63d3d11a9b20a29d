// CES, STL, MSTL and the seasonal averages against statsforecast 2.1.1 and R's stl and mstl
// (scripts/make_forecast_references.py), and on hard series.
#include <cmath>

#include "forecast/ces.h"
#include "forecast/naive.h"
#include "forecast/seasonal_ses.h"
#include "forecast/stl.h"
#include "generated_series.h"
#include "references.h"

namespace tillcast::forecast {
namespace {

using LocalModels = test::References;
using test::daily_series;
using test::reference_series;
using test::whole_history;

struct CesCase {
  const char* series;
  int period;
  char letter;
  CesSeason season;
};
const std::vector<CesCase> kCesCases = {
    {"weekly", 7, 'N', CesSeason::kNone},      {"weekly", 7, 'S', CesSeason::kSimple},
    {"weekly", 7, 'P', CesSeason::kPartial},   {"weekly", 7, 'F', CesSeason::kFull},
    {"monthly", 12, 'N', CesSeason::kNone},    {"monthly", 12, 'S', CesSeason::kSimple},
    {"monthly", 12, 'P', CesSeason::kPartial}, {"monthly", 12, 'F', CesSeason::kFull},
    {"walk", 1, 'N', CesSeason::kNone}};

History history_of(const Series& series, int season) {
  History history = whole_history(series);
  history.season = season;
  return history;
}

TEST_F(LocalModels, CesWithGivenWeightsAgrees) {
  for (const CesCase& one : kCesCases) {
    const std::string key = std::string("ces.") + one.series + "." + one.letter;
    SCOPED_TRACE(key);
    const Series series = daily_series(reference_series(one.series));
    const History history = history_of(series, one.period);
    const auto& w = get(key + ".weights");
    const CesWeights weights{w[0], w[1], w[2], w[3]};
    const CesState initial = ces_backcast(history, one.season, one.period, weights);
    std::vector<double> errors(history.size());
    double squares = 0;
    const CesState last = ces_filter(history, one.season, weights, initial, errors, &squares);
    // The reference keeps its states in single precision.
    const auto n = static_cast<double>(history.size());
    EXPECT_NEAR(n * std::log(squares), get(key + ".likelihood")[0], 0.01);
    const auto& residuals = get(key + ".residuals");
    for (std::size_t i = 0; i < residuals.size(); ++i) EXPECT_NEAR(errors[i], residuals[i], 2e-3) << i;
    std::vector<double> forecast(14);
    ces_forecast(one.season, weights, last, forecast);
    const auto& expected = get(key + ".forecast");
    for (std::size_t i = 0; i < forecast.size(); ++i)
      EXPECT_NEAR(forecast[i], expected[i], 1e-4 * expected[i]) << i;
  }
}

TEST_F(LocalModels, FittedCesIsAsGoodAsTheReference) {
  for (const CesCase& one : kCesCases) {
    const std::string key = std::string("ces.") + one.series + "." + one.letter;
    SCOPED_TRACE(key);
    const Series series = daily_series(reference_series(one.series));
    const CesFit fit = ces_fit(history_of(series, one.period), one.season, one.period);
    // Where the search stops depends on rounding, so on the compiler's options: by about one unit.
    EXPECT_LE(fit.aicc, get(key + ".likelihood")[1] + 1.5);
  }
  for (const auto& [name, period] : {std::pair{"weekly", 7}, {"monthly", 12}, {"walk", 1}}) {
    const Series series = daily_series(reference_series(name));
    const CesFit fit = auto_ces(history_of(series, period), period);
    EXPECT_EQ(static_cast<double>(fit.season), get(std::string("autoces.") + name)[0]) << name;
    const CesFit again = unpack_ces(pack_ces(fit));
    EXPECT_EQ(pack_ces(again), pack_ces(fit));
  }
}

// Parameters of an older origin meet days that multiplicative errors know nothing of.
TEST(Ets, AFitIsCarriedPastTheEndOfSalesAndPastReturns) {
  for (const EtsSeason season : {EtsSeason::kNone, EtsSeason::kAdditive, EtsSeason::kMultiplicative}) {
    const EtsShape shape{.multiplicative_error = true, .season = season, .period = 7};
    SCOPED_TRACE(shape.name());
    EtsState initial;
    initial.level = 100;
    initial.season.assign(season == EtsSeason::kNone ? 1 : 7,
                          season == EtsSeason::kMultiplicative ? 1.0 : 0.0);
    const EtsWeights weights{.alpha = 0.3, .gamma = 0.05};
    const auto forecast_after = [&](std::vector<double> tail) {
      std::vector<double> values(60, 100.0);
      values.insert(values.end(), tail.begin(), tail.end());
      const Series series = daily_series(values);
      std::vector<double> out(7);
      ets_forecast(shape, weights, ets_filter(whole_history(series), shape, weights, initial, {}), out);
      return out;
    };
    for (const double value : forecast_after(std::vector<double>(300, 0.0))) EXPECT_NEAR(value, 0, 0.5);
    std::vector<double> returned(120, 10.0);
    returned[20] = -200;
    for (const double value : forecast_after(returned)) EXPECT_NEAR(value, 10, 5);
  }
}

TEST(Ces, LearnsNothingFromMaskedPeriods) {
  Series series = daily_series(reference_series("weekly"));
  for (std::size_t i = 6; i < series.size(); i += 7) series.masked[i] = 1;
  Series other = series;
  for (std::size_t i = 6; i < other.size(); i += 7) other.value[i] = 1e6;
  for (const CesSeason season :
       {CesSeason::kNone, CesSeason::kSimple, CesSeason::kPartial, CesSeason::kFull}) {
    EXPECT_EQ(pack_ces(ces_fit(whole_history(series), season, 7)),
              pack_ces(ces_fit(whole_history(other), season, 7)));
  }
}

TEST(Ces, ShortFlatAndConstantSeriesGiveFiniteForecasts) {
  for (const std::vector<double>& values : {std::vector<double>{5, 5, 5, 5, 5, 5},
                                            std::vector<double>(40, 0.0),
                                            std::vector<double>(40, 7.0),
                                            {-3, -2, -3, 1, 0, 2, 4}}) {
    const Series series = daily_series(values);
    const History history = whole_history(series);
    const CesFit fit = auto_ces(history, 7);
    std::vector<double> forecast(10);
    ces_forecast(fit.season, fit.weights, ces_filter(history, fit.season, fit.weights, fit.initial, {}),
                 forecast);
    for (const double value : forecast) EXPECT_TRUE(std::isfinite(value));
    if (values.size() == 40) {
      EXPECT_NEAR(forecast[9], values[0], 1e-3);
    }
  }
}

std::vector<double> every_eleventh(std::span<const double> values) {
  std::vector<double> some;
  for (std::size_t i = 0; i < values.size(); i += 11) some.push_back(values[i]);
  return some;
}

void expect_near(std::span<const double> own, std::span<const double> expected, double tolerance) {
  ASSERT_EQ(own.size(), expected.size());
  for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(own[i], expected[i], tolerance) << i;
}

TEST_F(LocalModels, StlIsRs) {
  std::vector<double> values = reference_series("weekly");
  values.pop_back();  // see the script
  const std::vector<std::pair<std::string, StlOptions>> cases = {
      {"periodic", {}},
      {"11", {.season_window = 11}},
      {"robust", {.season_window = 11, .inner = 1, .outer = 15}}};
  for (const auto& [name, options] : cases) {
    SCOPED_TRACE(name);
    const Stl parts = stl(values, 7, options);
    expect_near(every_eleventh(parts.season), get("r.stl.weekly." + name + ".season"), 1e-9);
    expect_near(every_eleventh(parts.trend), get("r.stl.weekly." + name + ".trend"), 1e-9);
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(parts.season[i] + parts.trend[i] + parts.remainder[i], values[i], 1e-12);
  }
}

TEST_F(LocalModels, MstlIsRs) {
  const std::vector<double> values = reference_series("twice");
  constexpr std::array kPeriods = {7, 60};
  const Mstl parts = mstl(values, kPeriods);
  ASSERT_EQ(parts.periods.size(), 2U);
  expect_near(every_eleventh(parts.trend), get("r.mstl.twice.Trend"), 1e-9);
  expect_near(every_eleventh(parts.seasons[0]), get("r.mstl.twice.Seasonal7"), 1e-9);
  expect_near(every_eleventh(parts.seasons[1]), get("r.mstl.twice.Seasonal60"), 1e-9);
  expect_near(every_eleventh(parts.remainder), get("r.mstl.twice.Remainder"), 1e-9);
}

TEST_F(LocalModels, MstlForecastsTheAdjustedSeriesAndItsSeasons) {
  const Series series = daily_series(reference_series("twice"));
  History history = history_of(series, 7);
  MstlFit fit = mstl_fit(history);
  EXPECT_EQ(fit.periods, std::vector<int>({7})) << "no two years of days";
  fit.periods = {7, 60};
  std::vector<double> forecast(14);
  mstl_forecast(history, fit, forecast);
  const auto& expected = get("mstl.twice.forecast");
  // Another trend (damped here), the same seasons.
  for (std::size_t i = 0; i < forecast.size(); ++i) EXPECT_NEAR(forecast[i], expected[i], 0.03 * expected[i]);
  EXPECT_EQ(pack_mstl(unpack_mstl(pack_mstl(fit))), pack_mstl(fit));
}

TEST(Mstl, LearnsAYearFromTwo) {
  std::vector<double> values;
  values.reserve(1100);
  test::Noise u(8);
  const auto truth = [](std::size_t t) {
    return 100 + 30 * test::kWeek[t % 7] + 20 * std::sin(2 * M_PI * static_cast<double>(t) / 365);
  };
  for (std::size_t t = 0; t < 1100; ++t) values.push_back(truth(t) + 4 * (u() - 0.5));
  const Series series = daily_series(values);
  const History history = whole_history(series);
  const MstlFit fit = mstl_fit(history);
  EXPECT_EQ(fit.periods, std::vector<int>({7, 365}));
  std::vector<double> forecast(60);
  mstl_forecast(history, fit, forecast);
  for (std::size_t i = 0; i < forecast.size(); ++i) EXPECT_NEAR(forecast[i], truth(1100 + i), 5) << i;
}

TEST_F(LocalModels, SeasonalSmoothingAndAveragesAgree) {
  const Series series = daily_series(reference_series("weekly"));
  const History history = whole_history(series);
  std::vector<double> forecast(7);
  seasonal_ses_forecast(history, seasonal_ses_fit(history), forecast);
  const auto& expected = get("seasonal_ses.weekly");
  for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(forecast[i], expected[i], 0.005 * expected[i]) << i;
  seasonal_average(history, 7, 4, forecast);
  expect_near(forecast, get("seasonal_average.weekly"), 1e-9);
}

TEST(SeasonalSes, LeavesMaskedPeriodsOut) {
  Series series = daily_series(reference_series("weekly"));
  for (std::size_t i = 6; i < series.size(); i += 7) series.masked[i] = 1;
  series.masked[200] = 1;
  series.value[200] = 1e6;
  const History history = whole_history(series);
  std::vector<double> forecast(14);
  seasonal_ses_forecast(history, seasonal_ses_fit(history), forecast);
  double mean = 0;
  for (std::size_t i = 0; i < 6; ++i) mean += forecast[i] / 6;
  EXPECT_NEAR(forecast[6], mean, 1e-9) << "never observed: the mean of the others";
  EXPECT_LT(forecast[4], 200);
  EXPECT_EQ(forecast[0], forecast[7]);
}

}  // namespace
}  // namespace tillcast::forecast
