#include "forecast/attribute_codes.h"

#include <cmath>

#include "forecast/drivers.h"
#include "forecast/global_model.h"
#include "forecast/global_monthly.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

TEST(AttributeCodes, WordsKeepTheirCodesWhenOthersComeAndGo) {
  const std::vector<AttributeColumn> then = {{"type", true, {0, 1, 2}, {"b", "d", "x"}},
                                             {"size", false, {5, 6, 7}}};
  const std::vector<AttributeColumn> now = {{"size", false, {8, 9, 10, 11}},
                                            {"new", true, {0, 1, 0, 1}, {"p", "q"}},
                                            {"type", true, {1, 0, 2, kUnknownDriver}, {"a", "b", "d"}}};
  const auto recoded = AttributeCodes(then).recode(now, 4);
  ASSERT_EQ(recoded.size(), 2U);
  EXPECT_EQ(recoded[0].name, "type");
  EXPECT_EQ(recoded[0].value[0], 0.0F) << "b";
  EXPECT_TRUE(std::isnan(recoded[0].value[1])) << "a was never seen";
  EXPECT_EQ(recoded[0].value[2], 1.0F) << "d";
  EXPECT_TRUE(std::isnan(recoded[0].value[3]));
  EXPECT_EQ(recoded[1].value, (std::vector<float>{8, 9, 10, 11}));
}

TEST(AttributeCodes, AColumnThatIsGoneIsUnknown) {
  const std::vector<AttributeColumn> then = {{"type", true, {0, 1}, {"a", "b"}}};
  const auto recoded = AttributeCodes(then).recode({}, 2);
  ASSERT_EQ(recoded.size(), 1U);
  ASSERT_EQ(recoded[0].value.size(), 2U);
  EXPECT_TRUE(std::isnan(recoded[0].value[0]));
}

TEST(AttributeCodes, ReadsBackAnyWord) {
  const std::vector<AttributeColumn> then = {
      {"a:b\n", true, {}, {"", "1:2", "\n", std::string("\0c", 2), "Köln;"}}, {"size", false, {}}};
  std::string text = "before ";
  AttributeCodes(then).save(text);
  text += "after";
  std::string_view rest = std::string_view(text).substr(7);
  ASSERT_OK_AND_ASSIGN(const AttributeCodes loaded, AttributeCodes::load(rest));
  EXPECT_EQ(rest, "after");
  std::string again = "before ";
  loaded.save(again);
  EXPECT_EQ(again + "after", text);
  for (std::size_t length = 7; length < again.size(); ++length) {
    std::string_view part = std::string_view(again).substr(7, length - 7);
    EXPECT_EQ(AttributeCodes::load(part).error().code, ErrorCode::kCorruptData) << length;
  }
}

// What a data directory meets: a store comes before the others in the alphabet, and their codes all move.
template <class Model>
void expect_same_forecasts(const Model& model, std::span<const Series> series, const PanelTask& task,
                           const BacktestOptions& options) {
  std::vector<AttributeColumn> then = {{"kind", true, {}, {"large", "middle", "small"}}};
  std::vector<AttributeColumn> now = {{"kind", true, {}, {"airport", "large", "middle", "small"}}};
  for (std::size_t i = 0; i < series.size(); ++i) {
    then[0].value.push_back(static_cast<float>(i % 3));
    now[0].value.push_back(static_cast<float>(i % 3 + 1));
  }
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const auto fitted,
                       model.fit(panel_at(series, {}, then, task.steps(), options), task, progress));
  ASSERT_OK_AND_ASSIGN(const auto loaded, model.load(fitted->save()));
  ASSERT_OK_AND_ASSIGN(const auto before, fitted->predict(panel_at(series, {}, then, 0, options), task));
  const Panel panel = panel_at(series, {}, now, 0, options);
  ASSERT_OK_AND_ASSIGN(const auto after, loaded->predict(panel, task));
  EXPECT_EQ(before, after);
  ASSERT_OK_AND_ASSIGN(const auto prepared, loaded->prepare(panel, task));
  ASSERT_OK_AND_ASSIGN(const auto one, prepared->predict(1));
  EXPECT_EQ(one[3], before[task.steps() + 3]);
  ASSERT_OK_AND_ASSIGN(const auto parts, loaded->explain(panel, 1, task));
  EXPECT_NEAR(parts[3].forecast, before[task.steps() + 3], 1e-6 * before[task.steps() + 3]);
}

TEST(AttributeCodes, TreesOfDaysMeetTheirOwnCodes) {
  // Days after the first of the month sell by kind: the trees need the attribute.
  constexpr std::size_t kDays = 400;
  std::vector<Series> series(12);
  for (std::size_t i = 0; i < series.size(); ++i) {
    series[i].index = i;
    series[i].start = date_from_civil(2023, 1, 2);
    series[i].masked.assign(kDays, 0);
    for (std::size_t t = 0; t < kDays; ++t) {
      const bool early = civil_from_date(series[i].date_at(t)).day <= 10;
      series[i].value.push_back(100 + static_cast<double>(i) +
                                (early ? 40.0 * static_cast<double>(i % 3) : 0) +
                                static_cast<double>(t * 7 % 5));
    }
  }
  GlobalModelOptions options;
  options.booster.rounds = 60;
  options.booster.learning_rate = 0.1;
  options.booster.leaf_rows_min = 20;
  options.seeds = 1;
  BacktestOptions test;
  test.horizon = 14;
  expect_same_forecasts(GlobalModel(options), series, {0, 14, 1}, test);
}

TEST(AttributeCodes, ModelsOfMonthsMeetTheirOwnCodes) {
  std::vector<Series> series(12);
  for (std::size_t i = 0; i < series.size(); ++i) {
    series[i].index = i;
    series[i].grain = Grain::kMonthly;
    // The second came after the fit: its level is that of its kind.
    const std::size_t size = i == 1 ? 4 : 60;
    series[i].start =
        advance_period(date_from_civil(2019, 1, 1), Grain::kMonthly, 60 - static_cast<int>(size));
    series[i].masked.assign(size, 0);
    for (std::size_t t = 0; t < size; ++t)
      series[i].value.push_back(100 * static_cast<double>(1 + 5 * (i % 3)) + static_cast<double>(t * 7 % 5));
  }
  BacktestOptions test;
  test.horizon = 12;
  expect_same_forecasts(GlobalMonthly(), series, {0, 12, 1}, test);
}

}  // namespace
}  // namespace tillcast::forecast
