#include "forecast/holidays.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace tillcast::forecast {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

// Days off (events left out) as "04-29", one entry per date.
std::vector<std::string> days_off(std::string_view country, std::string_view region, int year) {
  std::set<std::string> days;
  for (const Holiday& one : holidays(country, region, year))
    if (one.kind != HolidayKind::kEvent) days.insert(format_date(one.date).substr(5));
  return {days.begin(), days.end()};
}

std::vector<std::string> named(std::string_view country, int year, std::string_view name) {
  std::vector<std::string> days;
  for (const Holiday& one : holidays(country, "", year))
    if (one.name == name) days.push_back(format_date(one.date));
  return days;
}

TEST(Holidays, EasterIsThatOfTheAlmanacs) {
  const std::pair<int, const char*> western[] = {
      {1818, "1818-03-22"}, {1943, "1943-04-25"}, {2000, "2000-04-23"},
      {2008, "2008-03-23"}, {2011, "2011-04-24"}, {2013, "2013-03-31"},
      {2015, "2015-04-05"}, {2024, "2024-03-31"}, {2038, "2038-04-25"}};
  for (const auto& [year, date] : western) EXPECT_EQ(format_date(easter_sunday(year)), date);
  const std::pair<int, const char*> orthodox[] = {{2011, "2011-04-24"}, {2012, "2012-04-15"},
                                                  {2013, "2013-05-05"}, {2016, "2016-05-01"},
                                                  {2021, "2021-05-02"}, {2024, "2024-05-05"}};
  for (const auto& [year, date] : orthodox) EXPECT_EQ(format_date(orthodox_easter_sunday(year)), date);
}

TEST(Holidays, EasterIsASundayBetween22MarchAnd25AprilInEveryYear) {
  for (int year = 1900; year <= 2099; ++year) {
    const Date easter = easter_sunday(year);
    EXPECT_EQ(iso_weekday(easter), 7) << year;
    EXPECT_GE(easter, date_from_civil(year, 3, 22)) << year;
    EXPECT_LE(easter, date_from_civil(year, 4, 25)) << year;
    EXPECT_EQ(iso_weekday(orthodox_easter_sunday(year)), 7) << year;
  }
}

TEST(Holidays, GermanyAsPublishedByYearAndState) {
  EXPECT_THAT(days_off("Germany", "", 2013),
              ElementsAre("01-01", "03-29", "04-01", "05-01", "05-09", "05-20", "10-03", "12-25", "12-26"));
  EXPECT_THAT(days_off("Deutschland", "NW", 2014),
              ElementsAre("01-01", "04-18", "04-21", "05-01", "05-29", "06-09", "06-19", "10-03", "11-01",
                          "12-25", "12-26"));
  EXPECT_THAT(days_off("de", "Bayern", 2015),
              ElementsAre("01-01", "01-06", "04-03", "04-06", "05-01", "05-14", "05-25", "06-04", "08-15",
                          "10-03", "11-01", "12-25", "12-26"));
  EXPECT_THAT(days_off("DE", "Sachsen", 2016),
              AllOf(Contains("10-31"), Contains("11-16"), Not(Contains("11-01"))));
  EXPECT_THAT(days_off("DE", "BE", 2017), Contains("10-31"));
  EXPECT_THAT(days_off("DE", "HH", 2017), Contains("10-31"));
  EXPECT_THAT(days_off("DE", "HH", 2016), Not(Contains("10-31")));
  EXPECT_THAT(days_off("DE", "HH", 2018), Contains("10-31"));
  EXPECT_THAT(days_off("DE", "BE", 2019), Contains("03-08"));
}

TEST(Holidays, BritainWithSubstituteAndExceptionalDays) {
  EXPECT_THAT(days_off("United Kingdom", "", 2011),
              ElementsAre("01-01", "01-03", "04-22", "04-24", "04-25", "04-29", "05-02", "05-30", "08-29",
                          "12-25", "12-26", "12-27"));
  EXPECT_THAT(days_off("United Kingdom", "", 2012),
              ElementsAre("01-01", "01-02", "04-06", "04-08", "04-09", "05-07", "06-04", "06-05", "08-27",
                          "12-25", "12-26"));
  EXPECT_THAT(days_off("UK", "", 2010), AllOf(Contains("12-27"), Contains("12-28")));
  EXPECT_THAT(days_off("UK", "", 2021), AllOf(Contains("12-27"), Contains("12-28")));
  EXPECT_THAT(days_off("UK", "", 2022), AllOf(Contains("06-02"), Contains("06-03"), Contains("09-19"),
                                              Contains("12-27"), Not(Contains("05-30"))));
  EXPECT_THAT(days_off("UK", "Scotland", 2022),
              AllOf(Contains("01-03"), Contains("01-04"), Contains("08-01"), Not(Contains("04-18"))));
  EXPECT_THAT(days_off("Channel Islands", "", 2011), AllOf(Contains("05-09"), Contains("04-29")));
}

TEST(Holidays, UnitedStatesWithTheEventsThatShopsLiveOn) {
  EXPECT_THAT(days_off("USA", "", 2011), Contains("12-26"));  // Christmas on a Sunday
  EXPECT_THAT(days_off("USA", "", 2010), Contains("12-31"));  // New Year 2011 on a Saturday
  EXPECT_THAT(days_off("USA", "", 2015), Contains("07-03"));
  EXPECT_THAT(named("USA", 2014, "Thanksgiving"), ElementsAre("2014-11-27"));
  EXPECT_THAT(named("USA", 2013, "Thanksgiving"), ElementsAre("2013-11-28"));
  EXPECT_THAT(named("USA", 2013, "Black Friday"), ElementsAre("2013-11-29"));
  EXPECT_THAT(named("USA", 2013, "Super Bowl"), ElementsAre("2013-02-03"));
  EXPECT_THAT(named("USA", 2022, "Super Bowl"), ElementsAre("2022-02-13"));
  EXPECT_THAT(named("USA", 2012, "Mother's Day"), ElementsAre("2012-05-13"));
  EXPECT_THAT(named("USA", 2020, "Juneteenth"), IsEmpty());
  EXPECT_THAT(named("USA", 2012, "Memorial Day"), ElementsAre("2012-05-28"));
}

TEST(Holidays, OtherCountriesOfTheData) {
  EXPECT_THAT(days_off("France", "", 2011), ElementsAre("01-01", "04-25", "05-01", "05-08", "06-02", "06-13",
                                                        "07-14", "08-15", "11-01", "11-11", "12-25"));
  EXPECT_THAT(days_off("France", "Alsace", 2011), AllOf(Contains("04-22"), Contains("12-26")));
  EXPECT_THAT(days_off("EIRE", "", 2011),
              ElementsAre("01-01", "03-17", "04-25", "05-02", "06-06", "08-01", "10-31", "12-25", "12-26"));
  EXPECT_THAT(days_off("Netherlands", "", 2013), Contains("04-30"));
  EXPECT_THAT(days_off("Netherlands", "", 2014), AllOf(Contains("04-26"), Not(Contains("04-27"))));
  EXPECT_THAT(days_off("Portugal", "", 2014), AllOf(Not(Contains("10-05")), Not(Contains("06-19"))));
  EXPECT_THAT(days_off("Portugal", "", 2016), AllOf(Contains("10-05"), Contains("05-26")));
  EXPECT_THAT(days_off("Sweden", "", 2011), AllOf(Contains("06-24"), Contains("06-25"), Contains("11-05")));
  EXPECT_THAT(days_off("Denmark", "", 2023), Contains("05-05"));
  EXPECT_THAT(days_off("Denmark", "", 2024), Not(Contains("04-26")));
  EXPECT_THAT(days_off("Poland", "", 2010), Not(Contains("01-06")));
  EXPECT_THAT(days_off("Greece", "", 2013), AllOf(Contains("05-03"), Contains("05-06"), Contains("03-18")));
  EXPECT_THAT(days_off("RSA", "", 2011), Contains("12-27"));
  EXPECT_THAT(days_off("Canada", "", 2012), AllOf(Contains("05-21"), Contains("07-02"), Contains("10-08")));
}

TEST(Holidays, JapanHasEquinoxesSubstitutesAndTheDayBetweenTwoHolidays) {
  EXPECT_THAT(days_off("Japan", "", 2015),
              ElementsAre("01-01", "01-12", "02-11", "03-21", "04-29", "05-03", "05-04", "05-05", "05-06",
                          "07-20", "09-21", "09-22", "09-23", "10-12", "11-03", "11-23", "12-23"));
  EXPECT_THAT(days_off("Japan", "", 2019), AllOf(Contains("04-30"), Contains("05-01"), Contains("05-02")));
  EXPECT_THAT(days_off("Japan", "", 2020), AllOf(Contains("07-23"), Contains("07-24"), Contains("08-10")));
}

TEST(Holidays, KindsTellEasterAndChristmasApart) {
  for (const Holiday& one : holidays("Germany", "", 2014)) {
    const std::string day = format_date(one.date).substr(5);
    const HolidayKind wanted = day == "04-18" || day == "04-21"   ? HolidayKind::kEaster
                               : day == "12-25" || day == "12-26" ? HolidayKind::kChristmas
                                                                  : HolidayKind::kPublic;
    EXPECT_EQ(one.kind, wanted) << day;
  }
}

TEST(Holidays, NamesOfTheDataAreKnownAndStrangersHaveNoCalendar) {
  const std::pair<const char*, const char*> names[] = {
      {"EIRE", "IE"},          {"RSA", "ZA"}, {"USA", "US"}, {" germany ", "DE"}, {"Channel Islands", "GB"},
      {"Czech Republic", "CZ"}};
  for (const auto& [name, code] : names) EXPECT_EQ(holiday_country(name), code) << name;
  for (const char* name : {"", "Unspecified", "European Community", "Bahrain"}) {
    EXPECT_EQ(holiday_country(name), "") << name;
    EXPECT_THAT(holidays(name, "", 2011), IsEmpty()) << name;
  }
}

TEST(Holidays, EveryCalendarGivesSortedDaysOfTheYearAskedFor) {
  for (const std::string_view country : holiday_countries()) {
    for (int year = 1995; year <= 2060; ++year) {
      Date before{0};
      const auto list = holidays(country, "", year);
      EXPECT_GE(list.size(), 8U) << country << year;
      for (const Holiday& one : list) {
        EXPECT_EQ(civil_from_date(one.date).year, year) << country << one.name;
        EXPECT_LE(before, one.date) << country << one.name;
        before = one.date;
      }
    }
  }
}

}  // namespace
}  // namespace tillcast::forecast
