#include "pipeline/unseen_series.h"

#include <gtest/gtest.h>

#include <set>

#include "pipeline/small_shop.h"
#include "registry/experiment.h"
#include "support/result_matchers.h"

namespace tillcast::pipeline {
namespace {

// Eight stores that sell six products each.
std::string pairs(int from, int to) {
  std::string text = "product_id,product_name,product_price,store_id,store_name,quantity,date\n";
  for (int day = from; day < to; ++day)
    for (int store = 1; store <= 8; ++store)
      for (int product = 1; product <= 6; ++product)
        text += std::to_string(product) + ",P,2.50," + std::to_string(store) + ",S," +
                std::to_string(store * product + (day + store + product) % 4) + "," +
                format_date(Date{test::kFirst.days + day}) + "\n";
  return text;
}

TEST(UnseenSeries, InAnExperimentTheVariantOfTheIdForecastsItAlone) {
  test::TempDir folder;
  ASSERT_OK(Engine::init(folder.file("shop"), false));
  folder.write("shop/tillcast.toml",
               "[forecast]\norigins = 2\n[[forecast.plan]]\nname = \"pairs\"\nmeasure = "
               "\"units\"\nby = [\"store\", \"product\"]\nhorizon = 7\nglobal = \"off\"\n");
  const auto engine = test::open_shop(folder.file("shop"));
  StageObserver observer;
  for (const int days : {60, 70}) {
    test::load_only(*engine, folder.write(std::to_string(days) + ".csv", pairs(days == 60 ? 0 : 60, days)));
    ASSERT_OK(engine->fit_forecasts({}, observer));
  }
  ASSERT_OK_AND_ASSIGN(const auto models, engine->models_of("pairs", 0));
  ExperimentRequest request;
  request.plan = "pairs";
  request.name = "half";
  request.challenger = models.aliases.champion == 1 ? 2 : 1;
  request.share_percent = 50;
  ASSERT_OK(engine->create_experiment(request, observer));
  ASSERT_OK_AND_ASSIGN(const auto running, engine->experiments("pairs"));
  const auto& experiment = running.at(0).experiment;
  const auto check = [&](bool runs) {
    std::set<std::string> variants;
    for (int store = 20; store < 30; ++store) {
      const std::string id = "pairs/" + std::to_string(store) + "|3";
      ASSERT_OK_AND_ASSIGN(const auto answers, engine->forecast({{{id}}, 7, {}}));
      ASSERT_OK(answers.front());
      const bool challenged = runs && registry::in_challenger_share(experiment, id);
      EXPECT_EQ(answers.front()->variant, challenged ? "challenger" : "champion") << id;
      EXPECT_EQ(answers.front()->model_version, challenged ? experiment.challenger : experiment.champion);
      // The words tell of how many series: half of the 48, or all.
      EXPECT_EQ(answers.front()->info.reason.find("pooled over 48") == std::string::npos, runs);
      variants.insert(answers.front()->variant);
    }
    EXPECT_EQ(variants.size(), runs ? 2U : 1U);
  };
  check(true);
  ASSERT_OK(engine->end_experiment("pairs", "", "test", observer));
  check(false);
}

}  // namespace
}  // namespace tillcast::pipeline
