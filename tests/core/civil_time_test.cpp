#include "core/civil_time.h"

#include <gtest/gtest.h>

namespace tillcast {
namespace {

TEST(CivilTime, EveryDayOfFourHundredYearsRoundTrips) {
  Date expected = date_from_civil(1800, 1, 1);
  for (int year = 1800; year < 2200; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= days_in_month(year, month); ++day) {
        ASSERT_EQ(date_from_civil(year, month, day), expected);
        const CivilDate back = civil_from_date(expected);
        ASSERT_TRUE(back.year == year && back.month == month && back.day == day);
        ++expected.days;
      }
    }
  }
}

TEST(CivilTime, KnowsWeekdaysBeforeAndAfterTheEpoch) {
  EXPECT_EQ(iso_weekday(date_from_civil(1970, 1, 1)), 4);
  EXPECT_EQ(iso_weekday(date_from_civil(2010, 12, 1)), 3);
  EXPECT_EQ(iso_weekday(date_from_civil(1969, 12, 28)), 7);
}

TEST(CivilTime, FormatsAndParsesIsoDates) {
  EXPECT_EQ(format_date(date_from_civil(2024, 2, 29)), "2024-02-29");
  EXPECT_EQ(parse_date("2024-02-29"), date_from_civil(2024, 2, 29));
  for (const char* text :
       {"2023-02-29", "2024-13-01", "2024-1-01", "24-01-01", "2024-01-01x", "2024/01/01"}) {
    EXPECT_EQ(parse_date(text), std::nullopt) << text;
  }
}

TEST(CivilTime, FormatsTimestampsBeforeTheEpoch) {
  EXPECT_EQ(format_timestamp({0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_timestamp({-1}), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_timestamp({1291191960LL * kMicrosPerSecond}), "2010-12-01T08:26:00Z");
}

}  // namespace
}  // namespace tillcast
