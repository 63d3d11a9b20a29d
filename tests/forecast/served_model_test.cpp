#include "forecast/served_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "forecast/global_blend.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kHorizon = 14;
constexpr std::size_t kDays = 420;

std::shared_ptr<PlanInput> shops(std::size_t count) {
  auto input = std::make_shared<PlanInput>();
  for (std::size_t i = 0; i < count; ++i) {
    input->series.push_back(test::shop_series(kDays, 4 * kHorizon, static_cast<std::uint32_t>(i + 1)));
    input->series.back().index = i;
    input->ids.push_back("shop/" + std::to_string(i));
  }
  return input;
}

GlobalModelOptions quick(std::uint32_t seed) {
  GlobalModelOptions options;
  options.booster.rounds = 30;
  options.booster.leaves = 12;
  options.booster.leaf_rows_min = 20;
  options.booster.seed = seed;
  options.seeds = 1;
  return options;
}

ForecastOptions options_for(const std::shared_ptr<const PanelModel>& panel) {
  ForecastOptions options;
  options.backtest.horizon = kHorizon;
  options.threads = 1;
  if (panel != nullptr) options.panel_models = {{panel, nullptr}};
  return options;
}

double sum_of(const ForecastParts& parts) {
  return std::accumulate(parts.begin(), parts.end(), 0.0,
                         [](double sum, const ForecastPart& part) { return sum + part.value; });
}

/// Fits, stores and reads back, as a version does.
std::shared_ptr<const ServedModel> served(const PlanInput& input, const ForecastOptions& options,
                                          std::shared_ptr<const PlanInput> kept, ForecastRun& run,
                                          FittedRun* text = nullptr) {
  NoProgress progress;
  auto fit = fit_all(input.series, input.ids, options, progress);
  EXPECT_TRUE(fit.has_value());
  run = fit->run;
  auto read = parse_fitted(format_fitted(fit->fitted));
  EXPECT_TRUE(read.has_value());
  if (text != nullptr) *text = *read;
  auto made = ServedModel::create(std::move(*read), options.panel_models, std::move(kept));
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return *made;
}

class ServedModels : public ::testing::TestWithParam<bool> {};

// With models of their own alone, and with trees over all series among them.
TEST_P(ServedModels, GiveTheStoredForecastsLongerOnesThatBeginLikeThemAndPartsThatAddUp) {
  const auto input = shops(8);
  const auto options = options_for(GetParam() ? std::make_shared<GlobalModel>(quick(1)) : nullptr);
  ForecastRun run;
  const auto model = served(*input, options, input, run);
  bool trees = false;
  for (std::size_t i = 0; i < input->ids.size(); ++i) {
    SCOPED_TRACE(input->ids[i]);
    const HistoryExplanation explanation(input->series[i], kHorizon, options.backtest);
    ASSERT_OK_AND_ASSIGN(const auto members,
                         model->members(input->ids[i], input->series[i], kHorizon, &explanation));
    ASSERT_OK_AND_ASSIGN(const auto longer, model->members(input->ids[i], input->series[i], 40, nullptr));
    ASSERT_EQ(longer.size(), members.size());
    double weights = 0;
    for (const auto& member : members) weights += member.weight;
    EXPECT_NEAR(weights, 1, 1e-12);
    for (std::size_t step = 0; step < kHorizon; ++step) {
      double sum = 0;
      ForecastParts parts;
      for (std::size_t m = 0; m < members.size(); ++m) {
        const auto& member = members[m];
        trees = trees || member.model == ModelId::kGlobalTrees;
        sum += member.weight * member.steps[step];
        add_parts(member.explained[step], member.weight, parts);
        EXPECT_NEAR(sum_of(member.explained[step]), member.steps[step],
                    1e-4 * std::max(1.0, member.steps[step]));
        // Trees see promotions further ahead in a longer forecast; the others say the same to the bit.
        const double tolerance = member.model == ModelId::kGlobalTrees ? 0.03 * member.steps[step] : 0;
        EXPECT_NEAR(longer[m].steps[step], member.steps[step], tolerance)
            << forecast::model(member.model).name << " " << step;
      }
      const double stored = run.series[i].points[step].mean / run.total_factor;
      EXPECT_NEAR(sum, stored, 1e-6 * std::max(1.0, stored)) << step;
      EXPECT_NEAR(sum_of(parts), sum, 1e-4 * std::max(1.0, sum));
    }
    for (const auto& member : longer) {
      ASSERT_EQ(member.steps.size(), 40U);
      EXPECT_EQ(member.steps[34], 0) << "a Sunday";
      EXPECT_GT(member.steps[35], 0);
    }
  }
  EXPECT_EQ(trees, GetParam());
}
INSTANTIATE_TEST_SUITE_P(Panels, ServedModels, ::testing::Bool());

TEST(ServedModel, SaysWhatItCannotForecast) {
  const auto input = shops(6);
  auto options = options_for(std::make_shared<GlobalModel>(quick(1)));
  options.models = {ModelId::kSeasonalNaive};
  ForecastRun run;
  const auto model = served(*input, options, input, run);
  EXPECT_ERROR(model->members("shop/9", input->series[0], kHorizon, nullptr), ErrorCode::kNotFound,
               "does not know");
  Series other = input->series[0];
  other.start.days -= 7;
  EXPECT_ERROR(model->members("shop/0", other, kHorizon, nullptr), ErrorCode::kNotFound, "does not know");
  ASSERT_EQ(run.series[0].model, ModelId::kGlobalTrees);
  const auto alone = served(*input, options, nullptr, run);
  EXPECT_ERROR(alone->members("shop/0", input->series[0], kHorizon, nullptr), ErrorCode::kInvalidInput,
               "serve.history_mb");
}

TEST(GlobalBlend, IsExplainedByTheMeanOfItsParts) {
  const auto input = shops(6);
  BacktestOptions options;
  options.horizon = kHorizon;
  const Panel panel = panel_at(input->series, {}, {}, 0, options);
  const PanelTask task{0, kHorizon, 1};
  NoProgress progress;
  GlobalModelOptions other = quick(5);
  other.booster.leaves = 6;
  ASSERT_OK_AND_ASSIGN(const auto blend, GlobalBlend({quick(1), other}).fit(panel, task, progress));
  ASSERT_OK_AND_ASSIGN(const auto one, GlobalModel(quick(1)).fit(panel, task, progress));
  ASSERT_OK_AND_ASSIGN(const auto two, GlobalModel(other).fit(panel, task, progress));
  ASSERT_OK_AND_ASSIGN(const auto values, blend->predict(panel, task));
  ASSERT_OK_AND_ASSIGN(const auto prepared, blend->prepare(panel, task));
  ASSERT_OK_AND_ASSIGN(const auto member, prepared->predict(2));
  ASSERT_OK_AND_ASSIGN(const auto said, blend->explain(panel, 2, task));
  ASSERT_OK_AND_ASSIGN(const auto first, one->explain(panel, 2, task));
  ASSERT_OK_AND_ASSIGN(const auto second, two->explain(panel, 2, task));
  ASSERT_EQ(said.size(), kHorizon);
  const auto base = [](const ExplainedStep& step) { return step.parts[0].value; };
  for (std::size_t step = 0; step < kHorizon; ++step) {
    const double value = values[2 * kHorizon + step];
    EXPECT_EQ(member[step], value);
    EXPECT_NEAR(said[step].forecast / value, 1, 1e-5);
    EXPECT_NEAR(base(said[step]), (base(first[step]) + base(second[step])) / 2, 1e-12);
    EXPECT_NE(base(first[step]), base(second[step]));
  }
}

}  // namespace
}  // namespace tillcast::forecast
