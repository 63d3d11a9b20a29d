#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "forecast/forecast.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

using test::shop_series;

/// Learns the mean of every weekday over all members, and multiplies it by the member's own level: what it
/// saw last is in its forecasts, so a leak would show.
class WeekdayShares final : public PanelModel {
 public:
  explicit WeekdayShares(std::size_t declines = 1000) : declines_(declines) {}
  struct Fitted final : FittedPanel {
    std::vector<double> share = std::vector<double>(7, 0.0);
    std::size_t declines = 0;
    std::string save() const override {
      std::string text = std::to_string(declines);
      char number[64];
      for (const double one : share) {
        std::snprintf(number, sizeof number, " %a", one);
        text += number;
      }
      return text;
    }
    Result<std::vector<double>> predict(const Panel& panel, const PanelTask& task) const override {
      std::vector<double> out(panel.members.size() * task.steps());
      for (std::size_t m = 0; m < panel.members.size(); ++m) {
        const History& history = panel.members[m].history;
        double level = 0;
        for (const double value : history.value.last(std::min<std::size_t>(history.size(), 28)))
          level += value;
        double known = 0;  // drivers ahead count as well
        for (const DriverView& driver : panel.members[m].drivers)
          for (const float value : driver.value) known += static_cast<double>(value);
        for (std::size_t step = 0; step < task.steps(); ++step)
          out[m * task.steps() + step] =
              panel.members[m].series == declines
                  ? std::nan("")
                  : (level + known) / 28 *
                        share[static_cast<std::size_t>(
                            iso_weekday(Date{panel.end.days + static_cast<std::int32_t>(step)}) - 1)];
      }
      return out;
    }
  };
  ModelId id() const override { return ModelId::kGlobalTrees; }
  std::string refuses(const Panel& panel, const PanelTask&) const override {
    return panel.members.empty() ? "no members" : "";
  }
  Result<std::shared_ptr<const FittedPanel>> fit(const Panel& panel, const PanelTask&,
                                                 Progress& progress) const override {
    if (progress.cancelled()) return cancelled("stopped");
    ++fits;
    auto fitted = std::make_shared<Fitted>();
    fitted->declines = declines_;
    double total = 0;
    for (const PanelMember& member : panel.members)
      for (std::size_t t = 0; t < member.history.size(); ++t) {
        const Date date{member.history.start.days + static_cast<std::int32_t>(t)};
        fitted->share[static_cast<std::size_t>(iso_weekday(date) - 1)] += 7 * member.history.value[t];
        total += member.history.value[t];
      }
    for (double& one : fitted->share) one /= total;
    return fitted;
  }
  Result<std::shared_ptr<const FittedPanel>> load(std::string_view text) const override {
    auto fitted = std::make_shared<Fitted>();
    const std::string copy(text);
    char* at = nullptr;
    fitted->declines = std::strtoul(copy.c_str(), &at, 10);
    for (double& one : fitted->share) one = std::strtod(at, &at);
    return fitted;
  }

  mutable int fits = 0;

 private:
  std::size_t declines_;
};

std::vector<Series> shops(std::size_t horizon) {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    series.push_back(shop_series(420, horizon, seed));
    Driver& driver = series.back().drivers.emplace_back();
    driver.name = "school_holiday";
    driver.kind = DriverKind::kFlag;
    for (std::size_t t = 0; t < 420 + horizon; ++t) driver.value.push_back(t % 50 < 10 ? 1 : 0);
    series.back().index = seed - 1;
  }
  return series;
}

ForecastOptions options_for(std::shared_ptr<const PanelModel> panel, std::size_t horizon) {
  ForecastOptions options;
  options.backtest.horizon = horizon;
  options.models = {ModelId::kSeasonalNaive};
  options.threads = 1;
  options.panel_models.push_back({std::move(panel), nullptr});
  return options;
}

TEST(PanelModels, CompeteAsOneMoreColumnAndAreServed) {
  const std::vector<Series> series = shops(14);
  const auto panel = std::make_shared<WeekdayShares>();
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options_for(panel, 14), progress));
  EXPECT_EQ(panel->fits, 2) << "once at the oldest origin, once on all data";
  for (const SeriesForecast& one : run.series) {
    EXPECT_EQ(one.model, ModelId::kGlobalTrees);
    EXPECT_EQ(one.status, SeriesStatus::kOk);
    ASSERT_EQ(one.backtest.size(), 2U);
    EXPECT_EQ(one.backtest[1].model, ModelId::kGlobalTrees);
    EXPECT_GT(one.backtest[1].accuracy.count, 30U);
    ASSERT_EQ(one.points.size(), 14U);
    for (const ForecastPoint& point : one.points) {
      if (iso_weekday(point.date) == 7) {
        EXPECT_TRUE(point.closed && point.mean == 0 && point.hi95 == 0);
      } else {
        EXPECT_GT(point.hi80, point.mean);
      }
    }
  }
  const auto row = std::ranges::find_if(
      run.accuracy, [](const AccuracyRow& one) { return one.model == ModelId::kGlobalTrees; });
  ASSERT_NE(row, run.accuracy.end());
  EXPECT_GT(row->newest_benchmark.count, 0U);
  ASSERT_EQ(run.panels.size(), 1U);
  ASSERT_NE(run.panels[0].fitted, nullptr);
}

TEST(PanelModels, AreRefittedAtEveryOriginOnlyWhenAsked) {
  const auto panel = std::make_shared<WeekdayShares>();
  ForecastOptions options = options_for(panel, 14);
  options.backtest.refit = true;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(shops(14), options, progress));
  EXPECT_EQ(panel->fits, 4);
}

TEST(PanelModels, ThatDeclineASeriesLeaveItToItsNextCandidate) {
  const auto panel = std::make_shared<WeekdayShares>(2);
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(shops(14), options_for(panel, 14), progress));
  EXPECT_EQ(run.series[2].model, ModelId::kSeasonalNaive);
  EXPECT_EQ(run.series[2].backtest[1].refused, "declines this series");
  EXPECT_EQ(run.series[1].model, ModelId::kGlobalTrees);
}

/// What a panel model is given at each origin, as bytes.
std::vector<double> seen_at(std::span<const Series> series, std::size_t back,
                            const BacktestOptions& options) {
  std::vector<double> seen;
  const Panel panel = panel_at(series, {}, {}, back, options);
  for (const PanelMember& member : panel.members) {
    seen.insert(seen.end(), member.history.value.begin(), member.history.value.end());
    for (const std::int8_t flag : member.history.promotion) seen.push_back(flag);
    for (const DriverView& driver : member.drivers)
      seen.insert(seen.end(), driver.value.begin(), driver.value.end());
  }
  return seen;
}

TEST(PanelModels, NeverSeeValuesAfterTheirCut) {
  constexpr std::size_t kHorizon = 14;
  const std::vector<Series> series = shops(kHorizon);
  BacktestOptions options;
  options.horizon = kHorizon;
  const std::vector<std::function<void(Series&, std::size_t)>> changes = {
      [](Series& one, std::size_t from) { std::fill(one.value.begin() + from, one.value.end(), 0.0); },
      [](Series& one, std::size_t from) { std::reverse(one.value.begin() + from, one.value.end()); },
      [](Series& one, std::size_t from) {
        std::fill(one.value.begin() + from, one.value.end(), std::numeric_limits<double>::quiet_NaN());
      }};
  const auto model = std::make_shared<WeekdayShares>();
  NoProgress progress;
  for (const auto& change : changes) {
    std::vector<Series> changed = series;
    for (Series& one : changed) change(one, one.size() - kHorizon);
    for (const std::size_t back : {kHorizon, 2 * kHorizon}) {
      EXPECT_EQ(seen_at(series, back, options), seen_at(changed, back, options));
      const PanelTask task{0, kHorizon, 1};
      const Panel before = panel_at(series, {}, {}, back, options);
      const Panel after = panel_at(changed, {}, {}, back, options);
      ASSERT_OK_AND_ASSIGN(const auto fit_before, model->fit(before, task, progress));
      ASSERT_OK_AND_ASSIGN(const auto fit_after, model->fit(after, task, progress));
      ASSERT_OK_AND_ASSIGN(const auto a, fit_before->predict(before, task));
      ASSERT_OK_AND_ASSIGN(const auto b, fit_after->predict(after, task));
      EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(double)), 0);
    }
  }
}

TEST(PanelModels, KnowDriversExactlyAsFarAheadAsTheFinalForecast) {
  std::vector<Series> series = shops(14);
  series[0].drivers[0].value.resize(425);
  BacktestOptions options;
  options.horizon = 14;
  for (const std::size_t back : {0U, 14U, 100U}) {
    const Panel panel = panel_at(series, {}, {}, back, options);
    EXPECT_EQ(panel.members[0].drivers[0].value.size(), 425 - back);
    EXPECT_EQ(panel.members[1].drivers[0].value.size(), 434 - back);
  }
}

TEST(PanelModels, LeaveSeriesThatEndEarlierToTheLocalModels) {
  std::vector<Series> series = shops(14);
  series.push_back(shop_series(300, 14, 9));
  series.push_back(test::daily_series({}));
  NoProgress progress;
  const auto panel = std::make_shared<WeekdayShares>();
  ASSERT_OK_AND_ASSIGN(const ForecastRun run, forecast_all(series, options_for(panel, 14), progress));
  EXPECT_EQ(run.series[5].model, ModelId::kSeasonalNaive);
  EXPECT_EQ(run.series[5].backtest[1].refused, "ends before the other series");
  EXPECT_EQ(run.series[0].model, ModelId::kGlobalTrees);
}

TEST(PanelModels, AFitOfAnEarlierRunServesTheFinalForecastWithoutRefit) {
  const std::vector<Series> series = shops(14);
  const auto panel = std::make_shared<WeekdayShares>();
  NoProgress progress;
  ForecastOptions options = options_for(panel, 14);
  ASSERT_OK_AND_ASSIGN(const ForecastRun first, forecast_all(series, options, progress));
  ASSERT_OK_AND_ASSIGN(options.panel_models[0].fitted, panel->load(first.panels[0].fitted->save()));
  panel->fits = 0;
  ASSERT_OK_AND_ASSIGN(const ForecastRun again, forecast_all(series, options, progress));
  EXPECT_EQ(panel->fits, 1) << "the back-test alone";
  for (std::size_t i = 0; i < series.size(); ++i)
    for (std::size_t step = 0; step < 14; ++step)
      EXPECT_EQ(first.series[i].points[step].mean, again.series[i].points[step].mean);
}

TEST(PanelModels, NamedTwiceOrWithAttributesOfAnotherLengthAreRefused) {
  const std::vector<Series> series = shops(14);
  const auto panel = std::make_shared<WeekdayShares>();
  NoProgress progress;
  ForecastOptions options = options_for(panel, 14);
  options.panel_models.push_back(options.panel_models[0]);
  EXPECT_EQ(forecast_all(series, options, progress).error().message,
            "panel models: global_trees is named twice");
  options.panel_models.pop_back();
  options.attributes.push_back({"type", true, {1, 2}});
  EXPECT_EQ(forecast_all(series, options, progress).error().message,
            "attribute type has 2 values for 5 series");
}

}  // namespace
}  // namespace tillcast::forecast
