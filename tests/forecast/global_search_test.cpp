#include "forecast/global_search.h"

#include <cmath>

#include "forecast/global_blend.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

constexpr PanelTask kTask{0, 14, 1};

std::vector<Series> shops() {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 5; ++seed) series.push_back(test::shop_series(300, 14, seed));
  return series;
}

GlobalModelOptions quick() {
  GlobalModelOptions options;
  options.booster.rounds = 20;
  options.booster.leaf_rows_min = 20;
  options.seeds = 1;
  return options;
}

TEST(GlobalSearch, GoesOnWhereAnEarlierSearchEnded) {
  const std::vector<Series> series = shops();
  NoProgress progress;
  SearchOptions options;
  options.trials_max = 4;
  ASSERT_OK_AND_ASSIGN(const auto whole, search_options(series, {}, kTask, quick(), options, {}, progress));
  options.trials_max = 2;
  ASSERT_OK_AND_ASSIGN(auto half, search_options(series, {}, kTask, quick(), options, {}, progress));
  options.trials_max = 4;
  ASSERT_OK_AND_ASSIGN(const auto resumed,
                       search_options(series, {}, kTask, quick(), options, std::move(half), progress));
  ASSERT_EQ(whole.size(), 4U);
  ASSERT_EQ(resumed.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(whole[i].error, resumed[i].error) << i;
  EXPECT_NE(whole[0].error, whole[1].error);
  EXPECT_EQ(whole[0].options.booster.leaves, quick().booster.leaves) << "the start is tried first";
  for (const SearchTrial& trial : whole) EXPECT_LE(best_trial(whole).error, trial.error);
}

TEST(GlobalSearch, EndsWithItsTimeOrOnRequest) {
  const std::vector<Series> series = shops();
  NoProgress progress;
  SearchOptions options;
  options.seconds = 0;
  ASSERT_OK_AND_ASSIGN(const auto trials, search_options(series, {}, kTask, quick(), options, {}, progress));
  EXPECT_EQ(trials.size(), 1U) << "one trial at least";
  struct Stops final : Progress {
    void update(std::uint64_t, std::uint64_t) override {}
    bool cancelled() const override { return true; }
  } stops;
  const auto none = search_options(series, {}, kTask, quick(), options, {}, stops);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kCancelled);
}

TEST(GlobalBlend, IsTheMeanOfLogarithmsAndReadsBack) {
  const std::vector<Series> series = shops();
  BacktestOptions cut;
  cut.horizon = 14;
  const Panel panel = panel_at(series, {}, {}, 0, cut);
  GlobalModelOptions other = quick();
  other.booster.seed = 5;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const auto a, GlobalModel(quick()).fit(panel, kTask, progress));
  ASSERT_OK_AND_ASSIGN(const auto b, GlobalModel(other).fit(panel, kTask, progress));
  const GlobalBlend blend({quick(), other});
  ASSERT_OK_AND_ASSIGN(const auto both, blend.fit(panel, kTask, progress));
  ASSERT_OK_AND_ASSIGN(const auto from_a, a->predict(panel, kTask));
  ASSERT_OK_AND_ASSIGN(const auto from_b, b->predict(panel, kTask));
  ASSERT_OK_AND_ASSIGN(const auto from_both, both->predict(panel, kTask));
  for (std::size_t i = 0; i < from_both.size(); ++i)
    EXPECT_NEAR(from_both[i], std::sqrt(from_a[i] * from_b[i]), 1e-9 * from_both[i]);
  ASSERT_OK_AND_ASSIGN(const auto loaded, blend.load(both->save()));
  ASSERT_OK_AND_ASSIGN(const auto again, loaded->predict(panel, kTask));
  EXPECT_EQ(from_both, again);
  const std::string text = both->save();
  for (const std::size_t length : {0UL, 10UL, 24UL, 30UL, text.size() / 2, text.size() - 1})
    EXPECT_FALSE(blend.load(text.substr(0, length)).has_value()) << length;
}

}  // namespace
}  // namespace tillcast::forecast
