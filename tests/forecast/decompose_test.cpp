#include "forecast/decompose.h"

#include <gtest/gtest.h>

#include <cmath>

#include "generated_series.h"

namespace tillcast::forecast {
namespace {

using test::daily_series;
using test::Noise;
using test::whole_history;

/// Three years of a shop: growth, weekday, year, promotion, a holiday, closed Sundays.
struct Shop {
  Series series;
  Driver holiday{"holiday", DriverKind::kCategory, {}};
};

Shop shop_with_effects() {
  Shop shop;
  Noise u(11);
  shop.series.start = date_from_civil(2021, 1, 4);
  for (std::size_t t = 0; t < 1100; ++t) {
    const bool closed = t % 7 == 6;
    const bool promoted = (t / 7) % 3 == 0;
    const float holiday = t % 97 == 10 ? 1.0F : t % 97 == 50 ? 2.0F : 0.0F;
    const double year = 1 + 0.2 * std::sin(2 * M_PI * static_cast<double>(t) / 365.25);
    double value = (1000 + 0.3 * static_cast<double>(t)) * test::kWeek[t % 7] * year *
                   (promoted ? 1.4 : 1.0) * (0.97 + 0.06 * u());
    if (holiday == 1) value *= 1.5;
    if (holiday == 2) value *= 0.7;
    shop.series.value.push_back(closed ? 0 : value);
    shop.series.masked.push_back(closed ? 1 : 0);
    shop.series.promotion.push_back(promoted ? 1 : 0);
    shop.holiday.value.push_back(holiday);
  }
  return shop;
}

void expect_gives_back(const Decomposition& parts, const History& history) {
  ASSERT_EQ(parts.remainder.size(), history.size());
  for (std::size_t i = 0; i < history.size(); ++i)
    ASSERT_NEAR(parts.value_at(i), history.value[i], 1e-12 * std::max(1.0, std::abs(history.value[i]))) << i;
}

TEST(Decompose, FindsTheEffectsBehindTheValues) {
  const Shop shop = shop_with_effects();
  const History history = whole_history(shop.series);
  const Decomposition parts = decompose(history, std::span(&shop.holiday, 1));
  ASSERT_TRUE(parts.multiplicative);
  expect_gives_back(parts, history);
  ASSERT_EQ(parts.days.size(), 1U);
  EXPECT_EQ(parts.days[0].name, "holiday");
  const double saturday = parts.weekday[5] / parts.weekday[0];
  EXPECT_NEAR(saturday, test::kWeek[5] / test::kWeek[0], 0.02);
  EXPECT_NEAR(parts.promotion[0], 1.4, 0.02);
  EXPECT_EQ(parts.promotion[8], 1) << "no promotion: neutral";
  EXPECT_NEAR(parts.days[0].effect[10], 1.5, 0.05);
  EXPECT_NEAR(parts.days[0].effect[50], 0.7, 0.05) << "each kind has its own effect";
  EXPECT_EQ(parts.days[0].effect[11], 1);
  EXPECT_NEAR(parts.year[91] / parts.year[274], 1.2 / 0.8, 0.04);
  EXPECT_NEAR(parts.trend[900] / parts.trend[200], (1000 + 270.0) / (1000 + 60), 0.03);
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history.masked[i] != 0) {
      EXPECT_EQ(parts.remainder[i], 0) << "a closed day is the remainder's";
    } else {
      EXPECT_NEAR(parts.remainder[i], 1, 0.08) << i;
    }
  }
}

TEST(Decompose, AddsUpWhereDemandIsOftenZero) {
  Noise u(12);
  std::vector<double> values;
  values.reserve(400);
  for (std::size_t t = 0; t < 400; ++t) values.push_back(u() < 0.4 ? 0 : 5 + (t % 7 == 5 ? 10 : 0) + 2 * u());
  const Series series = daily_series(values);
  const Decomposition parts = decompose(whole_history(series), {});
  EXPECT_FALSE(parts.multiplicative);
  expect_gives_back(parts, whole_history(series));
  EXPECT_GT(parts.weekday[5], parts.weekday[4] + 2);
  EXPECT_EQ(parts.year[100], 0) << "one year is not enough";
  EXPECT_TRUE(parts.days.empty());
}

TEST(Decompose, AnOutlierIsTheRemaindersAndBendsNothing) {
  Shop shop = shop_with_effects();
  const Decomposition before = decompose(whole_history(shop.series), {});
  shop.series.value[700] *= 50;
  const Decomposition after = decompose(whole_history(shop.series), {});
  EXPECT_NEAR(after.remainder[700], 50 * before.remainder[700], 1.5);
  for (std::size_t i = 0; i < 1100; i += 50) {
    EXPECT_NEAR(after.trend[i], before.trend[i], 0.003 * before.trend[i]);
    EXPECT_NEAR(after.weekday[i], before.weekday[i], 0.003);
  }
}

TEST(Decompose, SeesNothingOfMaskedValues) {
  Shop shop = shop_with_effects();
  const Decomposition before = decompose(whole_history(shop.series), {});
  for (std::size_t i = 0; i < shop.series.size(); ++i)
    if (shop.series.masked[i] != 0) shop.series.value[i] = 1e6;
  const Decomposition after = decompose(whole_history(shop.series), {});
  EXPECT_EQ(before.trend, after.trend);
  EXPECT_EQ(before.weekday, after.weekday);
  EXPECT_EQ(before.year, after.year);
}

TEST(Decompose, GivesHardSeriesBackAsWell) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Noise u(seed);
    Series series;
    series.grain = static_cast<Grain>(seed % 3);
    series.start = period_start(date_from_civil(2019, 3, 20), series.grain);
    const auto size = static_cast<std::size_t>(300 * u() * u());
    const double scale = std::pow(10, 9 * u() - 4);
    Driver driver{"day", DriverKind::kCategory, {}};
    for (std::size_t t = 0; t < size; ++t) {
      series.masked.push_back(u() < 0.3 ? 1 : 0);
      series.value.push_back(series.masked.back() != 0 ? 0 : scale * (u() - 0.1 * (seed % 4)));
      series.promotion.push_back(static_cast<std::int8_t>(3 * u()) - 1);
      driver.value.push_back(u() < 0.1 ? NAN : std::floor(static_cast<float>(4 * u() * u())));
    }
    const History history = whole_history(series);
    const Decomposition parts = decompose(history, std::span(&driver, 1));
    ASSERT_EQ(parts.trend.size(), size);
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_TRUE(std::isfinite(parts.trend[i]) && std::isfinite(parts.remainder[i])) << i;
      ASSERT_NEAR(parts.value_at(i), series.value[i], 1e-9 * scale) << i;
    }
  }
}

}  // namespace
}  // namespace tillcast::forecast
