#include "core/time_zone.h"

#include <cstdio>
#include <cstdlib>
#include <random>

#include "support/result_matchers.h"

namespace tillcast {
namespace {

std::int64_t local(int year, int month, int day, int hour, int minute) {
  return date_from_civil(year, month, day).days * kMicrosPerDay +
         (hour * 60 + minute) * 60 * kMicrosPerSecond;
}

std::string utc(const TimeZone& zone, int year, int month, int day, int hour, int minute) {
  return format_timestamp(zone.to_utc(local(year, month, day, hour, minute)));
}

TEST(TimeZone, LondonIsOneHourAheadInSummerOnly) {
  ASSERT_OK_AND_ASSIGN(const TimeZone london, TimeZone::load("Europe/London"));
  EXPECT_EQ(utc(london, 2010, 12, 1, 8, 26), "2010-12-01T08:26:00Z");
  EXPECT_EQ(utc(london, 2011, 7, 1, 8, 26), "2011-07-01T07:26:00Z");
}

TEST(TimeZone, SkippedTimesMoveForward) {
  ASSERT_OK_AND_ASSIGN(const TimeZone london, TimeZone::load("Europe/London"));
  EXPECT_EQ(utc(london, 2011, 3, 27, 0, 59), "2011-03-27T00:59:00Z");
  EXPECT_EQ(utc(london, 2011, 3, 27, 1, 30), "2011-03-27T01:30:00Z");  // 02:30 summer time
  EXPECT_EQ(utc(london, 2011, 3, 27, 2, 0), "2011-03-27T01:00:00Z");
}

TEST(TimeZone, TimesThatOccurTwiceAreTheFirst) {
  ASSERT_OK_AND_ASSIGN(const TimeZone berlin, TimeZone::load("Europe/Berlin"));
  EXPECT_EQ(utc(berlin, 2014, 10, 26, 2, 30), "2014-10-26T00:30:00Z");
  EXPECT_EQ(utc(berlin, 2014, 10, 26, 3, 0), "2014-10-26T02:00:00Z");
}

TEST(TimeZone, FooterRuleReachesFarYears) {
  ASSERT_OK_AND_ASSIGN(const TimeZone new_york, TimeZone::load("America/New_York"));
  EXPECT_EQ(utc(new_york, 2099, 7, 1, 12, 0), "2099-07-01T16:00:00Z");
  EXPECT_EQ(utc(new_york, 2999, 1, 1, 12, 0), "2999-01-01T17:00:00Z");
  EXPECT_EQ(utc(new_york, 9999, 7, 1, 12, 0), "9999-07-01T16:00:00Z");
}

TEST(TimeZone, SouthernSummerSpansTheYearEnd) {
  ASSERT_OK_AND_ASSIGN(const TimeZone sydney, TimeZone::load("Australia/Sydney"));
  EXPECT_EQ(utc(sydney, 2060, 1, 15, 12, 0), "2060-01-15T01:00:00Z");
  EXPECT_EQ(utc(sydney, 2060, 7, 15, 12, 0), "2060-07-15T02:00:00Z");
}

TEST(TimeZone, NumericNamesAndFixedOffsets) {
  ASSERT_OK_AND_ASSIGN(const TimeZone dubai, TimeZone::load("Asia/Dubai"));  // footer "<+04>-4"
  EXPECT_EQ(utc(dubai, 2030, 1, 1, 4, 0), "2030-01-01T00:00:00Z");
  EXPECT_EQ(utc(TimeZone(), 2030, 1, 1, 4, 0), "2030-01-01T04:00:00Z");
}

TEST(TimeZone, RefusesUnknownAndUnsafeNames) {
  EXPECT_ERROR(TimeZone::load("Mars/Olympus"), ErrorCode::kInvalidInput, "IANA");
  EXPECT_ERROR(TimeZone::load("../../etc/passwd"), ErrorCode::kInvalidInput, "unknown");
  EXPECT_ERROR(TimeZone::load("Europe"), ErrorCode::kInvalidInput, "unknown");
  EXPECT_ERROR(TimeZone::parse("x", "not a zone"), ErrorCode::kCorruptData, "TZif");
}

TEST(TimeZone, InstantsSurviveTheRoundTrip) {
  ASSERT_OK_AND_ASSIGN(const TimeZone zone, TimeZone::load("America/Sao_Paulo"));
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> seconds(-2'000'000'000, 20'000'000'000);
  int differing = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Timestamp instant{seconds(random) * kMicrosPerSecond};
    const std::int64_t wall = zone.to_local(instant);
    const Timestamp back = zone.to_utc(wall);
    if (back.micros == instant.micros) continue;
    // Only the second of two equal wall clock times may come back as the first one.
    ++differing;
    ASSERT_EQ(zone.to_local(back), wall);
    ASSERT_LT(back.micros, instant.micros);
  }
  EXPECT_LT(differing, 60);
}

TEST(TimeZone, AgreesWithTheCLibrary) {
  ASSERT_OK_AND_ASSIGN(const TimeZone zone, TimeZone::load("America/New_York"));
  ::setenv("TZ", "America/New_York", 1);
  ::tzset();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> seconds(-1'500'000'000, 9'000'000'000);
  for (int i = 0; i < 5'000; ++i) {
    const std::time_t at = seconds(random);
    std::tm wall{};
    ::localtime_r(&at, &wall);
    const std::int64_t local_micros = zone.to_local({at * kMicrosPerSecond});
    ASSERT_EQ(local_micros / kMicrosPerSecond - at, wall.tm_gmtoff) << at;
  }
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace tillcast
