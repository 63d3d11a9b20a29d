#include "forecast/booster.h"

#include <cmath>
#include <thread>

#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

struct Sample {
  std::vector<float> rows;
  std::vector<float> labels;
};

/// Two columns that matter, one with missing values, one category that doubles the value.
Sample sample(std::size_t count, std::uint32_t seed) {
  test::Noise u(seed);
  Sample result;
  for (std::size_t i = 0; i < count; ++i) {
    const double a = u();
    const double b = u();
    const double code = std::floor(3 * u());
    result.rows.push_back(static_cast<float>(a));
    result.rows.push_back(u() < 0.1 ? std::nanf("") : static_cast<float>(b));
    result.rows.push_back(static_cast<float>(code));
    result.labels.push_back(static_cast<float>((1 + 4 * a + b) * (code == 1 ? 2 : 1) * (0.95 + 0.1 * u())));
  }
  return result;
}

const BoosterColumns kColumns = {{"a", "b", "code"}, {0, 0, 1}, 255};

Result<BoosterData> data_of(const Sample& from, std::size_t chunk = 700) {
  auto data = BoosterData::create(kColumns, from.rows, from.labels.size());
  if (!data) return data;
  for (std::size_t at = 0; at < from.labels.size(); at += chunk)
    if (const auto pushed =
            data->push(std::span(from.rows).subspan(3 * at, 3 * std::min(chunk, from.labels.size() - at)));
        !pushed)
      return pushed.error();
  if (const auto labelled = data->set_labels(from.labels, {}, {}); !labelled) return labelled.error();
  return data;
}

BoosterOptions small_options(Objective objective) {
  BoosterOptions options;
  options.objective = objective;
  options.rounds = 120;
  options.leaves = 15;
  options.learning_rate = 0.1;
  options.column_share = 1;
  options.leaf_rows_min = 10;
  return options;
}

TEST(Booster, LearnsEveryObjective) {
  const Sample train = sample(3000, 1);
  const Sample check = sample(500, 2);
  ASSERT_OK_AND_ASSIGN(const BoosterData data, data_of(train));
  NoProgress progress;
  for (const Objective objective :
       {Objective::kL2, Objective::kL1, Objective::kTweedie, Objective::kPoisson, Objective::kQuantile}) {
    SCOPED_TRACE(objective_name(objective));
    ASSERT_OK_AND_ASSIGN(const Booster booster,
                         Booster::train(data, nullptr, small_options(objective), progress));
    std::vector<double> scores(500);
    ASSERT_OK(booster.predict(check.rows, scores));
    double error = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double forecast = has_log_link(objective) ? std::exp(scores[i]) : scores[i];
      error += std::abs(forecast / static_cast<double>(check.labels[i]) - 1) / 500;
    }
    EXPECT_LT(error, 0.08);
  }
}

TEST(Booster, QuantilesLieWhereTheyShould) {
  const Sample train = sample(3000, 1);
  ASSERT_OK_AND_ASSIGN(const BoosterData data, data_of(train));
  BoosterOptions options = small_options(Objective::kQuantile);
  options.quantile = 0.9;
  options.rounds = 50;
  options.leaf_rows_min = 50;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const Booster booster, Booster::train(data, nullptr, options, progress));
  const Sample check = sample(2000, 3);
  std::vector<double> scores(2000);
  ASSERT_OK(booster.predict(check.rows, scores));
  std::size_t below = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    below += static_cast<double>(check.labels[i]) <= scores[i] ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(below) / 2000, 0.9, 0.04);
}

TEST(Booster, EqualInputGivesEqualTextWhateverTheChunks) {
  const Sample train = sample(1500, 1);
  ASSERT_OK_AND_ASSIGN(const BoosterData once, data_of(train, 1500));
  ASSERT_OK_AND_ASSIGN(const BoosterData pieces, data_of(train, 311));
  NoProgress progress;
  const BoosterOptions options = small_options(Objective::kL2);
  ASSERT_OK_AND_ASSIGN(const Booster a, Booster::train(once, nullptr, options, progress));
  ASSERT_OK_AND_ASSIGN(const Booster b, Booster::train(pieces, nullptr, options, progress));
  EXPECT_EQ(a.save(), b.save());
  BoosterOptions other = options;
  other.seed = 2;
  ASSERT_OK_AND_ASSIGN(const Booster c, Booster::train(once, nullptr, other, progress));
  EXPECT_NE(a.save(), c.save());
}

TEST(Booster, ReadsBackWhatItSaved) {
  const Sample train = sample(1500, 1);
  ASSERT_OK_AND_ASSIGN(const BoosterData data, data_of(train));
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const Booster trained,
                       Booster::train(data, nullptr, small_options(Objective::kL2), progress));
  ASSERT_OK_AND_ASSIGN(const Booster loaded, Booster::load(trained.save()));
  EXPECT_EQ(loaded.rounds(), 120);
  std::vector<double> a(1500);
  std::vector<double> b(1500);
  ASSERT_OK(trained.predict(train.rows, a));
  ASSERT_OK(loaded.predict(train.rows, b));
  EXPECT_EQ(a, b);
  std::string damaged = trained.save();
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_EQ(Booster::load(damaged).error().code, ErrorCode::kCorruptData);
  EXPECT_EQ(Booster::load(damaged.substr(0, 3000)).error().code, ErrorCode::kCorruptData);
  for (const char* text : {"", "tree", "not trees", "tree\nversion=v4\nnum_class=1\n"})
    EXPECT_EQ(Booster::load(text).error().code, ErrorCode::kCorruptData) << text;
}

TEST(Booster, OneRowOrManyFromSeveralThreadsAgree) {
  const Sample train = sample(1500, 1);
  ASSERT_OK_AND_ASSIGN(const BoosterData data, data_of(train));
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const Booster booster,
                       Booster::train(data, nullptr, small_options(Objective::kL2), progress));
  std::vector<double> batch(200);
  ASSERT_OK(booster.predict(std::span(train.rows).first(600), batch));
  std::vector<double> single(200);
  {
    std::vector<std::jthread> threads;
    for (std::size_t part = 0; part < 4; ++part)
      threads.emplace_back([&, part] {
        for (std::size_t i = part; i < 200; i += 4)
          EXPECT_TRUE(
              booster.predict(std::span(train.rows).subspan(3 * i, 3), std::span(single).subspan(i, 1)));
      });
  }
  EXPECT_EQ(batch, single);
}

TEST(Booster, ContributionsSumToTheScore) {
  const Sample train = sample(1500, 1);
  ASSERT_OK_AND_ASSIGN(const BoosterData data, data_of(train));
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const Booster booster,
                       Booster::train(data, nullptr, small_options(Objective::kL2), progress));
  std::vector<double> scores(20);
  ASSERT_OK(booster.predict(std::span(train.rows).first(60), scores));
  ASSERT_OK_AND_ASSIGN(const auto parts, booster.contributions(std::span(train.rows).first(60)));
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_NEAR(parts[4 * i] + parts[4 * i + 1] + parts[4 * i + 2] + parts[4 * i + 3], scores[i], 1e-6);
  const std::vector<double> gains = booster.gains();
  EXPECT_GT(gains[0], gains[1]);
}

TEST(Booster, StopsEarlyWhenTheValidationSetSaysSo) {
  const Sample train = sample(400, 1);
  const Sample check = sample(400, 2);
  ASSERT_OK_AND_ASSIGN(const BoosterData data, data_of(train));
  ASSERT_OK_AND_ASSIGN(BoosterData validation, BoosterData::create_like(data, 400));
  ASSERT_OK(validation.push(check.rows));
  ASSERT_OK(validation.set_labels(check.labels, {}, {}));
  BoosterOptions options = small_options(Objective::kL2);
  options.rounds = 2000;
  options.early_stopping_rounds = 20;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const Booster booster, Booster::train(data, &validation, options, progress));
  EXPECT_LT(booster.rounds(), 1000);
  EXPECT_GT(booster.rounds(), 5);
  EXPECT_TRUE(std::isfinite(booster.validation_error()));
}

TEST(Booster, StopsBetweenTwoRoundsOnRequest) {
  struct StopsAfter final : Progress {
    void update(std::uint64_t done, std::uint64_t) override { last = done; }
    bool cancelled() const override { return last >= 7; }
    std::uint64_t last = 0;
  } progress;
  const Sample train = sample(400, 1);
  ASSERT_OK_AND_ASSIGN(const BoosterData data, data_of(train));
  const auto booster = Booster::train(data, nullptr, small_options(Objective::kL2), progress);
  ASSERT_FALSE(booster.has_value());
  EXPECT_EQ(booster.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(progress.last, 7U);
}

TEST(Booster, RefusesWhatDoesNotFit) {
  const Sample train = sample(100, 1);
  ASSERT_OK_AND_ASSIGN(BoosterData data, BoosterData::create(kColumns, train.rows, 100));
  EXPECT_FALSE(data.push(std::span(train.rows).first(4)).has_value());
  EXPECT_FALSE(data.set_labels(train.labels, {}, {}).has_value()) << "no rows yet";
  ASSERT_OK(data.push(train.rows));
  EXPECT_FALSE(data.push(std::span(train.rows).first(3)).has_value());
  EXPECT_FALSE(data.set_labels(std::span(train.labels).first(99), {}, {}).has_value());
  EXPECT_FALSE(BoosterData::create(kColumns, {}, 100).has_value());
}

}  // namespace
}  // namespace tillcast::forecast
