#include "forecast/unseen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "forecast/generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kSteps = 14;

// Nearly normal, variance 1.
double gauss(test::Noise& u) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += u();
  return sum;
}

/// A chain whose series are store x product x luck; the last weekday is closed.
struct Chain {
  Chain(int stores, int products, double luck, std::uint32_t seed) : u(seed) {
    for (int store = 0; store < stores; ++store) store_effect.push_back(std::exp(0.5 * gauss(u)));
    for (int product = 0; product < products; ++product) product_effect.push_back(std::exp(0.8 * gauss(u)));
    for (int store = 0; store < stores; ++store)
      for (int product = 0; product < products; ++product) {
        sizes.push_back(20 * store_effect[static_cast<std::size_t>(store)] *
                        product_effect[static_cast<std::size_t>(product)] * std::exp(luck * gauss(u)));
        keys.push_back({store, product});
      }
  }
  KnownSeries series(std::size_t i) const {
    KnownSeries one{keys[i], {}};
    for (std::size_t step = 0; step < kSteps; ++step) {
      ForecastPoint point{.date = Date{static_cast<std::int32_t>(20000 + step)}};
      if (step % 7 != 6) {
        point.mean = mean(i, step);
        point.lo95 = 0.6 * point.mean, point.lo80 = 0.75 * point.mean;
        point.hi80 = 1.25 * point.mean, point.hi95 = 1.4 * point.mean;
      }
      one.points.push_back(point);
    }
    return one;
  }
  double mean(std::size_t i, std::size_t step) const { return sizes[i] * test::kWeek[step % 7]; }

  test::Noise u;
  std::vector<double> store_effect;
  std::vector<double> product_effect;
  std::vector<double> sizes;
  std::vector<std::array<int, 2>> keys;
};

TEST(UnseenPool, KnownStoresAndProductsGiveAPairThatWasNeverSold) {
  const Chain chain(8, 20, 0.05, 3);
  std::vector<KnownSeries> known;
  std::vector<std::size_t> unseen;
  for (std::size_t i = 0; i < chain.sizes.size(); ++i) {
    if ((chain.keys[i][0] + chain.keys[i][1]) % 10 == 3)
      unseen.push_back(i);
    else
      known.push_back(chain.series(i));
  }
  ASSERT_OK_AND_ASSIGN(const auto pool, UnseenPool::create(std::move(known)));
  double error = 0;
  double total = 0;
  for (const std::size_t i : unseen) {
    const auto made = pool.forecast({{chain.keys[i][0], chain.keys[i][1]}, {}});
    ASSERT_EQ(made.points.size(), kSteps);
    for (std::size_t step = 0; step < kSteps; ++step) {
      const auto& point = made.points[step];
      if (step % 7 == 6) {
        EXPECT_EQ(point.mean, 0);
        EXPECT_EQ(point.hi95, 0);
        EXPECT_TRUE(point.closed);
        continue;
      }
      error += std::abs(point.mean - chain.mean(i, step));
      total += chain.mean(i, step);
    }
  }
  EXPECT_LT(error / total, 0.1) << "luck of 5 % and the effects' own error are all that is unknown";
}

// Whole products are new: their size is what nobody knows, and the intervals must say so.
TEST(UnseenPool, IntervalsOfNewProductsHoldWhatTheyPromise) {
  int in80 = 0;
  int in95 = 0;
  int points = 0;
  double width = 0;
  double mean = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    Chain chain(6, 30, 0.2, seed);
    std::vector<KnownSeries> known;
    for (std::size_t i = 0; i < chain.sizes.size(); ++i)
      if (chain.keys[i][1] < 20) known.push_back(chain.series(i));
    ASSERT_OK_AND_ASSIGN(const auto pool, UnseenPool::create(std::move(known)));
    for (std::size_t i = 0; i < chain.sizes.size(); ++i) {
      if (chain.keys[i][1] < 20) continue;
      const auto made = pool.forecast({{chain.keys[i][0], std::nullopt}, {}});
      for (std::size_t step = 0; step < 6; ++step) {
        const auto& point = made.points[step];
        EXPECT_LE(point.lo95, point.lo80);
        EXPECT_LE(point.hi80, point.hi95);
        const double came = chain.mean(i, step) * std::exp(0.18 * gauss(chain.u));
        in80 += came >= point.lo80 && came <= point.hi80 ? 1 : 0;
        in95 += came >= point.lo95 && came <= point.hi95 ? 1 : 0;
        width += point.hi80 - point.lo80;
        mean += point.mean;
        ++points;
      }
    }
  }
  EXPECT_NEAR(static_cast<double>(in80) / points, 0.80, 0.05);
  EXPECT_NEAR(static_cast<double>(in95) / points, 0.95, 0.03);
  EXPECT_LT(width / mean, 4) << "honest is not endless";
}

TEST(UnseenPool, AttributesTakeANewProductToThoseAlike) {
  Chain chain(6, 20, 0.1, 5);
  // Even products are ten times as large: a category of their own.
  std::vector<KnownSeries> known;
  double small = 0;
  for (std::size_t i = 0; i < chain.sizes.size(); ++i) {
    if (chain.keys[i][1] % 2 == 0)
      chain.sizes[i] *= 10;
    else
      small += chain.sizes[i] / 60;
    known.push_back(chain.series(i));
  }
  ASSERT_OK_AND_ASSIGN(const auto pool, UnseenPool::create(std::move(known)));
  std::vector<int> odd;
  for (int code = 1; code < 20; code += 2) odd.push_back(code);
  const auto sum = [](const UnseenForecast& made) {
    double all = 0;
    for (const auto& point : made.points) all += point.mean / kSteps;
    return all;
  };
  double week = 0;
  for (std::size_t day = 0; day < 6; ++day) week += test::kWeek[day] / 7;
  const double alike = sum(pool.forecast({{}, {std::vector<int>{}, odd}}));
  EXPECT_NEAR(alike / (small * week), 1, 0.25);
  EXPECT_GT(sum(pool.forecast({{}, {}})), 3 * alike);
}

TEST(UnseenPool, TooFewSeriesTeachNothing) {
  const Chain chain(2, 2, 0.1, 7);
  std::vector<KnownSeries> known;
  for (std::size_t i = 0; i < 4; ++i) known.push_back(chain.series(i));
  EXPECT_ERROR(UnseenPool::create(known), ErrorCode::kInvalidInput, "4 series are known, 5 are needed");
}

}  // namespace
}  // namespace tillcast::forecast
