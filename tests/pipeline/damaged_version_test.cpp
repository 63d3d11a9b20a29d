// A model version whose files are not what was stored: who hears of it, and that forecasts go on.
#include <gmock/gmock.h>

#include <fstream>

#include "pipeline/small_shop.h"
#include "support/result_matchers.h"

namespace tillcast::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

void flip_byte(const std::filesystem::path& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const auto byte = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(byte);
}

TEST(DamagedVersion, OfAChampionIsShownForecastsGoOnAndAFitMakesAnother) {
  test::SmallShop shop;
  auto& engine = *shop.engine;
  const auto version = [&shop](const char* file) { return shop.folder.file("shop/models/stores") / file; };
  EXPECT_TRUE(engine.models_of("stores", 1).value().problems.empty());
  flip_byte(version("000001/model.txt"), 40);
  ASSERT_OK_AND_ASSIGN(const auto all, engine.models());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[0].problems.empty()) << "the other plan's";
  EXPECT_THAT(all[1].problems, ElementsAre(Pair(1, AllOf(HasSubstr("000001/model.txt is not what was stored"),
                                                         HasSubstr("`tillcast forecast fit`")))));
  EXPECT_EQ(shop.ask("stores/1", 14).model_version, 1);
  const auto beyond = shop.ask("stores/1", 20);
  ASSERT_TRUE(beyond.extension);
  EXPECT_THAT(beyond.extension->reason, HasSubstr("000001/model.txt"));

  StageObserver silent;
  const std::vector<std::string> plans = {"stores"};
  ASSERT_OK_AND_ASSIGN(const auto fit, engine.fit_forecasts(plans, silent));
  EXPECT_EQ(fit[0].fitted_version, 2) << "of the same data there is no version that can be read";
  ASSERT_OK_AND_ASSIGN(const auto after, engine.models_of("stores", 0));
  EXPECT_EQ(after.aliases.champion, 2);
  EXPECT_TRUE(after.problems.empty()) << "what serves nothing is read when it is asked for";
  EXPECT_THAT(engine.models_of("stores", 1).value().problems, ElementsAre(Pair(1, HasSubstr("model.txt"))));

  flip_byte(version("000001/version.json"), 12);
  flip_byte(version("000002/backtest.txt"), 40);
  ASSERT_OK_AND_ASSIGN(const auto both, engine.models_of("stores", 0));
  EXPECT_EQ(both.versions.size(), 1U);
  EXPECT_THAT(both.problems,
              ElementsAre(Pair(1, HasSubstr("version.json")), Pair(2, HasSubstr("backtest.txt"))));
}

}  // namespace
}  // namespace tillcast::pipeline
