#include "forecast/drivers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace tillcast::forecast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNan;

Series daily(Date start, std::vector<double> value) {
  Series series;
  series.start = start;
  series.value = std::move(value);
  series.masked.assign(series.value.size(), 0);
  return series;
}

std::vector<Date> days_from(Date first, std::size_t count) {
  std::vector<Date> days;
  for (std::size_t i = 0; i < count; ++i) days.push_back({first.days + static_cast<std::int32_t>(i)});
  return days;
}

constexpr Date kMonday = date_from_civil(2015, 6, 1);

TEST(Drivers, ValuesLandOnTheirDayAndReachNoFurtherThanAsked) {
  Series series = daily(kMonday, {1, 2, 3});
  const auto days = days_from({kMonday.days - 1}, 7);
  const std::vector<float> value = {9, 10, 11, NAN, 13, 14, 15};
  add_driver(series, "temperature", DriverKind::kNumber, {days, value}, 2);
  ASSERT_EQ(series.drivers.size(), 1U);
  EXPECT_THAT(series.drivers[0].value, ElementsAre(10, 11, IsNan(), 13, 14));
}

TEST(Drivers, ASecondSourceFillsOnlyWhatIsUnknown) {
  Series series = daily(kMonday, {1, 2});
  const auto days = days_from(kMonday, 3);
  const std::vector<float> first = {1, NAN, NAN};
  const std::vector<float> second = {5, 6, 7};
  add_driver(series, "x", DriverKind::kNumber, {days, first}, 1);
  add_driver(series, "x", DriverKind::kNumber, {days, second}, 1);
  EXPECT_THAT(series.drivers[0].value, ElementsAre(1, 6, 7));
}

TEST(Drivers, AWeekHasTheMeanOfItsDaysAndOfKindsTheShare) {
  Series series = daily(kMonday, {10, 20});
  series.grain = Grain::kWeekly;
  const auto days = days_from(kMonday, 14);
  std::vector<float> kinds(14, 0);
  kinds[2] = 3;
  add_driver(series, "holiday", DriverKind::kCategory, {days, kinds}, 0);
  add_driver(series, "amount", DriverKind::kNumber, {days, kinds}, 0);
  EXPECT_FLOAT_EQ(series.drivers[0].value[0], 1.0F / 7);
  EXPECT_FLOAT_EQ(series.drivers[1].value[0], 3.0F / 7);
  EXPECT_EQ(series.drivers[0].value[1], 0);
}

TEST(Drivers, APlanAheadFillsPromotionsAndOpenDaysAndChangesNoneThatIsKnown) {
  Series series = daily(kMonday, {5, 0});
  series.promotion = {0, -1};
  const auto days = days_from(kMonday, 4);
  const std::vector<float> flags = {1, 1, 0, 1};
  fill_promotion(series, {days, flags}, 2);
  EXPECT_THAT(series.promotion, ElementsAre(0, 1, 0, 1));
  const std::vector<float> open = {1, 0, 1, 0};
  fill_open(series, {days, open}, 2);
  EXPECT_THAT(series.open, ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(series.masked, ElementsAre(0, 1)) << "a closed day without sales is not learnt";
}

TEST(Drivers, DaysOutOfStockAreMaskedWhateverWasSold) {
  Series series = daily(kMonday, {5, 2, 0, 6});
  const auto days = days_from(kMonday, 4);
  const std::vector<float> in_stock = {1, 0, 0, 1};
  EXPECT_EQ(mask_stock_outs(series, {days, in_stock}), 2U);
  EXPECT_THAT(series.masked, ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(series.value, ElementsAre(5, 0, 0, 6));
}

TEST(Drivers, AWeekIsMaskedOnlyWhenMoreThanAQuarterOfItWasOutOfStock) {
  Series series = daily(kMonday, {50, 50});
  series.grain = Grain::kWeekly;
  const auto days = days_from(kMonday, 14);
  std::vector<float> in_stock(14, 1);
  in_stock[0] = 0;
  in_stock[7] = in_stock[8] = 0;
  EXPECT_EQ(mask_stock_outs(series, {days, in_stock}), 1U);
  EXPECT_THAT(series.masked, ElementsAre(0, 1));
}

TEST(Drivers, WhatIsMissingAheadIsToldAsPeopleReadIt) {
  const Series series = daily(kMonday, {1});
  const std::vector<std::size_t> missing = {1, 2, 4, 5};
  EXPECT_EQ(period_list(series, missing), "2015-06-03 … 2015-06-04 and 2015-06-06 … 2015-06-07");
  EXPECT_EQ(period_list(series, missing, 1), "2015-06-03 … 2015-06-04 and more");
}

}  // namespace
}  // namespace tillcast::forecast
