#include "forecast/fitted_model.h"

#include <cmath>
#include <cstring>

#include "forecast/comparison.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

using test::daily_series;
using test::reference_series;
using test::shop_series;

constexpr std::size_t kHorizon = 14;

std::vector<Series> shops(std::size_t days) {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 5; ++seed) series.push_back(shop_series(days, kHorizon, seed));
  for (const char* name : {"weekly", "walk", "rare"}) series.push_back(daily_series(reference_series(name)));
  series.push_back(daily_series({3, 4}));
  series.push_back(daily_series({}));
  series.push_back(daily_series({1, std::nan(""), 2}));
  for (std::size_t i = 0; i < series.size(); ++i) series[i].index = i;
  return series;
}

std::vector<Series> days_less(std::vector<Series> series, std::size_t days) {
  for (Series& one : series) {
    if (one.size() <= 60) continue;
    one.value.resize(one.size() - days);
    one.masked.resize(one.size());
  }
  return series;
}

std::vector<std::string> ids_of(const std::vector<Series>& series) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < series.size(); ++i) ids.push_back("shop/" + std::to_string(i) + " | größe%");
  return ids;
}

ForecastOptions options_for(std::vector<ModelId> models = {}) {
  ForecastOptions options;
  options.backtest.horizon = kHorizon;
  options.models = std::move(models);
  options.threads = 1;
  return options;
}

void expect_same_points(const SeriesForecast& a, const SeriesForecast& b) {
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.outliers_capped, b.outliers_capped);
  EXPECT_EQ(a.thin_intervals, b.thin_intervals);
  ASSERT_EQ(a.points.size(), b.points.size());
  for (std::size_t s = 0; s < a.points.size(); ++s) {
    const ForecastPoint& p = a.points[s];
    const ForecastPoint& q = b.points[s];
    const double left[] = {p.mean, p.lo80, p.hi80, p.lo95, p.hi95};
    const double right[] = {q.mean, q.lo80, q.hi80, q.lo95, q.hi95};
    EXPECT_EQ(p.date, q.date);
    EXPECT_EQ(std::memcmp(left, right, sizeof left), 0) << "step " << s << ": " << p.mean << ", " << q.mean;
  }
}

TEST(FittedModel, ReadBackItForecastsTheRunBitForBit) {
  const std::vector<Series> series = shops(420);
  const std::vector<std::string> ids = ids_of(series);
  NoProgress progress;
  std::vector<std::vector<ModelId>> candidates = {{}};
  for (const Model& one : all_models()) {
    if (!is_panel_model(one.id) && one.id != ModelId::kBlend)
      candidates.push_back({one.id, ModelId::kSeasonalNaive});
  }
  for (const auto& models : candidates) {
    SCOPED_TRACE(models.empty() ? "default models" : std::string(model(models[0]).name));
    ASSERT_OK_AND_ASSIGN(const FitResult fit, fit_all(series, ids, options_for(models), progress));
    ASSERT_OK_AND_ASSIGN(const FittedRun read, parse_fitted(format_fitted(fit.fitted)));
    ASSERT_OK_AND_ASSIGN(const ForecastRun again, predict_all(read, series, ids, options_for(), progress));
    for (std::size_t i = 0; i < series.size(); ++i) {
      SCOPED_TRACE(i);
      expect_same_points(fit.run.series[i], again.series[i]);
    }
    EXPECT_EQ(again.fallbacks, fit.run.fallbacks);
    EXPECT_EQ(format_fitted(read), format_fitted(fit.fitted));
  }
}

TEST(FittedModel, NewerActualsAreFilteredWithTheParametersThatWereLearnt) {
  const Series whole = shop_series(440, kHorizon, 3);
  Series before = whole;
  before.value.resize(420);
  before.masked.resize(420);
  NoProgress progress;
  const std::vector<std::string> ids = {"a"};
  ASSERT_OK_AND_ASSIGN(const FitResult fit,
                       fit_all(std::span(&before, 1), ids, options_for({ModelId::kAutoEts}), progress));
  ASSERT_OK_AND_ASSIGN(const ForecastRun run,
                       predict_all(fit.fitted, std::span(&whole, 1), ids, options_for(), progress));
  const SeriesForecast& updated = run.series[0];
  EXPECT_EQ(updated.status, SeriesStatus::kOk) << updated.reason;
  EXPECT_EQ(updated.points[0].date.days, whole.date_at(440).days);
  EXPECT_GT(updated.points[3].hi80, updated.points[3].mean) << "intervals are kept";
  // The same filter by hand.
  const History raw = history_at(whole, 440, fit.fitted.options);
  History cleaned = raw;
  const CappedValues capped =
      cap_outliers(raw, fit.fitted.series[0].demand_class, fit.fitted.options.outliers);
  cleaned.value = capped.value;
  std::vector<double> steps(kHorizon);
  ASSERT_TRUE(predict_steps(model(ModelId::kAutoEts), cleaned, fit.fitted.series[0].members[0].parameters,
                            true, steps));
  for (std::size_t s = 0; s < kHorizon; ++s) EXPECT_EQ(updated.points[s].mean, steps[s]);
  EXPECT_NE(updated.points[7].mean, fit.run.series[0].points[7].mean) << "the new actuals must matter";
}

TEST(FittedModel, AnUnknownOrReplacedHistoryIsNamed) {
  const std::vector<Series> series = {shop_series(420, kHorizon, 1), shop_series(420, kHorizon, 2)};
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const FitResult fit, fit_all(series, ids_of(series), options_for(), progress));
  std::vector<Series> now = series;
  now[1].start.days -= 7;
  const std::vector<std::string> ids = {"new", ids_of(series)[1]};
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, predict_all(fit.fitted, now, ids, options_for(), progress));
  for (const SeriesForecast& one : run.series) {
    EXPECT_EQ(one.status, SeriesStatus::kFallback);
    EXPECT_THAT(one.reason, ::testing::HasSubstr("not known to the model version"));
    EXPECT_EQ(one.points.size(), kHorizon);
  }
  EXPECT_EQ(run.fallbacks, 2U);
}

TEST(FittedModel, GivesALongerHorizonThatBeginsLikeTheStoredOne) {
  const std::vector<Series> series = {shop_series(420, kHorizon, 1)};
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const FitResult fit,
                       fit_all(series, ids_of(series), options_for({ModelId::kAutoEts}), progress));
  ForecastOptions longer = options_for();
  longer.backtest.horizon = 40;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run,
                       predict_all(fit.fitted, series, ids_of(series), longer, progress));
  ASSERT_EQ(run.series[0].points.size(), 40U);
  for (std::size_t s = 0; s < kHorizon; ++s) {
    EXPECT_EQ(run.series[0].points[s].mean, fit.run.series[0].points[s].mean);
    EXPECT_EQ(run.series[0].points[s].hi80, fit.run.series[0].points[s].hi80);
  }
  EXPECT_GT(run.series[0].points[39].hi95, run.series[0].points[39].mean);
}

TEST(FittedModel, AnyDamageIsFound) {
  const std::vector<Series> series = {shop_series(200, kHorizon, 1), daily_series({1, 2})};
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const FitResult fit, fit_all(series, ids_of(series), options_for(), progress));
  const std::string text = format_fitted(fit.fitted);
  ASSERT_OK(parse_fitted(text));
  for (std::size_t cut = 0; cut + 1 < text.size(); cut += 7)
    EXPECT_FALSE(parse_fitted(text.substr(0, cut)).has_value()) << "cut at " << cut;
  for (std::size_t at = 0; at + 1 < text.size(); at += 5) {
    std::string damaged = text;
    damaged[at] = damaged[at] == '7' ? '8' : '7';
    EXPECT_FALSE(parse_fitted(damaged).has_value()) << "byte " << at;
  }
  EXPECT_ERROR(parse_fitted("tillcast-model 2\n"), ErrorCode::kInvalidInput, "newer format");
}

TEST(HeldOut, JudgesTheChampionOnTheNewestOriginBesideTheNewChoice) {
  const std::vector<Series> series = shops(420);
  const std::vector<std::string> ids = ids_of(series);
  const std::vector<Series> before = days_less(series, kHorizon);
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(
      const FitResult champion,
      fit_all(before, ids, options_for({ModelId::kMean, ModelId::kSeasonalNaive}), progress));
  ForecastOptions options = options_for();
  options.rival = champion.fitted.of(ids);
  ASSERT_OK_AND_ASSIGN(const FitResult fit, fit_all(series, ids, options, progress));
  for (std::size_t i = 0; i < 8; ++i) {
    SCOPED_TRACE(i);
    ASSERT_EQ(fit.run.series[i].held_out.size(), 1U);
    const HeldOut& held = fit.run.series[i].held_out[0];
    // The champion's forecast of these days is the one it gave when they had not come yet.
    Accuracy served;
    for (std::size_t s = 0; s < kHorizon; ++s) {
      const std::size_t at = series[i].size() - kHorizon + s;
      if (series[i].masked[at] == 0)
        served.add(series[i].value[at], champion.run.series[i].points[s].mean, 1);
    }
    EXPECT_EQ(held.rival.count, served.count);
    EXPECT_NEAR(held.rival.absolute_error, served.absolute_error, 1e-6 * served.absolute_error);
    EXPECT_EQ(held.own.count, held.rival.count);
  }
  EXPECT_TRUE(fit.run.series[8].held_out.empty()) << "too short to hold anything out";
}

TEST(HeldOut, AChampionThatSawTheNewestOriginIsFittedAgainBeforeIt) {
  const std::vector<Series> series = shops(420);
  const std::vector<std::string> ids = ids_of(series);
  NoProgress progress;
  // The champion learnt from all days but three; its model is no candidate of the run that judges it.
  ASSERT_OK_AND_ASSIGN(const FitResult champion,
                       fit_all(days_less(series, 3), ids, options_for({ModelId::kSes}), progress));
  ForecastOptions options = options_for({ModelId::kMean, ModelId::kSeasonalNaive});
  options.rival = champion.fitted.of(ids);
  ASSERT_OK_AND_ASSIGN(const FitResult fit, fit_all(series, ids, options, progress));
  const HeldOut& held = fit.run.series[0].held_out[0];
  const std::size_t end = series[0].size() - kHorizon;
  const History history = history_at(series[0], end, options.backtest);
  const Model& ses = model(ModelId::kSes);
  std::vector<double> steps(kHorizon);
  ASSERT_TRUE(predict_steps(ses, history, ses.fit(history), true, steps));
  Accuracy honest;
  for (std::size_t s = 0; s < kHorizon; ++s)
    if (series[0].masked[end + s] == 0) honest.add(series[0].value[end + s], steps[s], 1);
  EXPECT_NEAR(held.rival.absolute_error, honest.absolute_error, 1e-6 * honest.absolute_error);
}

Comparison held_out_comparison(const ForecastRun& run) {
  std::vector<PairedAccuracy> units;
  for (const SeriesForecast& one : run.series)
    for (const HeldOut& part : one.held_out) units.push_back({part.own, part.rival});
  return compare_accuracy(units, Metric::kAuto);
}

TEST(HeldOut, ARefitSoonerThanOneHorizonTies) {
  const std::vector<Series> series = shops(420);
  const std::vector<std::string> ids = ids_of(series);
  NoProgress progress;
  for (const std::size_t days : {0U, 3U, 13U}) {
    SCOPED_TRACE(days);
    ASSERT_OK_AND_ASSIGN(const FitResult champion,
                         fit_all(days_less(series, days), ids, options_for(), progress));
    ForecastOptions options = options_for();
    options.rival = champion.fitted.of(ids);
    options.rival_is_alike = true;
    ASSERT_OK_AND_ASSIGN(const FitResult fit, fit_all(series, ids, options, progress));
    const Comparison found = held_out_comparison(fit.run);
    EXPECT_EQ(found.units, 8U);
    EXPECT_EQ(found.own, found.other);
    EXPECT_EQ(found.better, 0.5) << "neither side is better";
  }
}

TEST(HeldOut, ChampionsOfOtherModelsWinOrLoseOnMerit) {
  const std::vector<Series> series = shops(420);
  const std::vector<std::string> ids = ids_of(series);
  const std::vector<ModelId> poor = {ModelId::kMean};
  NoProgress progress;
  for (const std::size_t days : {0U, 3U, 14U}) {
    SCOPED_TRACE(days);
    const std::vector<Series> before = days_less(series, days);
    const auto compare = [&](const std::vector<ModelId>& champions, const std::vector<ModelId>& own) {
      const auto champion = fit_all(before, ids, options_for(champions), progress);
      ForecastOptions options = options_for(own);
      options.rival = champion->fitted.of(ids);
      return held_out_comparison(fit_all(series, ids, options, progress)->run);
    };
    const Comparison holds = compare({}, poor);
    EXPECT_GT(holds.ratio, 1.05);
    EXPECT_LT(holds.better, 0.05);
    const Comparison wins = compare(poor, {});
    EXPECT_LT(wins.ratio, 0.95);
    EXPECT_GT(wins.better, 0.95);
  }
}

TEST(HeldOut, WeightsThatSawTheNewestOriginAreLeftOut) {
  const std::vector<Series> series = shops(420);
  const std::vector<std::string> ids = ids_of(series);
  NoProgress progress;
  const auto held_out = [&](std::size_t days, double factor) {
    auto champion = fit_all(days_less(series, days), ids, options_for(), progress)->fitted;
    for (FittedSeries& one : champion.series)
      if (one.members.size() > 1) one.members[0].weight *= factor;
    ForecastOptions options = options_for();
    options.rival = champion.of(ids);
    return held_out_comparison(fit_all(series, ids, options, progress)->run).other;
  };
  EXPECT_EQ(held_out(3, 1), held_out(3, 1000));
  EXPECT_NE(held_out(14, 1), held_out(14, 1000)) << "chosen before that origin, they are the champion's own";
}

}  // namespace
}  // namespace tillcast::forecast
