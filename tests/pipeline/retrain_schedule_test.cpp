#include "pipeline/retrain_schedule.h"

#include <gtest/gtest.h>

#include "support/result_matchers.h"

namespace tillcast::pipeline {
namespace {

Timestamp at(int year, int month, int day, int hour, int minute) {
  return {date_from_civil(year, month, day).days * kMicrosPerDay +
          (hour * 3600 + minute * 60) * kMicrosPerSecond};
}

std::string due(const char* schedule, Timestamp after, Timestamp now) {
  const auto parsed = RetrainSchedule::parse(schedule);
  if (!parsed) return parsed.error().message;
  const Timestamp found = parsed->newest_due(after, now);
  return found == after ? "none" : format_timestamp(found);
}

TEST(RetrainSchedule, DailyIsDueOncePerDayAtItsTime) {
  EXPECT_EQ(due("daily 03:00", at(2024, 3, 1, 3, 0), at(2024, 3, 2, 2, 59)), "none");
  EXPECT_EQ(due("daily 03:00", at(2024, 3, 1, 3, 0), at(2024, 3, 2, 3, 0)), "2024-03-02T03:00:00Z");
  EXPECT_EQ(due("daily 03:00", at(2024, 3, 2, 3, 0), at(2024, 3, 2, 23, 0)), "none");
}

TEST(RetrainSchedule, ManyMissedMomentsAreOneTheNewest) {
  EXPECT_EQ(due("daily 03:00", at(2024, 2, 1, 3, 0), at(2024, 3, 2, 12, 0)), "2024-03-02T03:00:00Z");
  EXPECT_EQ(due("every 1h", at(2024, 3, 1, 0, 30), at(2024, 3, 1, 5, 0)), "2024-03-01T04:30:00Z");
}

TEST(RetrainSchedule, WeeklyIsDueOnItsWeekday) {
  // 2024-03-04 is a Monday.
  EXPECT_EQ(due("weekly monday 04:15", at(2024, 3, 1, 0, 0), at(2024, 3, 4, 4, 14)), "none");
  EXPECT_EQ(due("weekly monday 04:15", at(2024, 3, 1, 0, 0), at(2024, 3, 8, 0, 0)), "2024-03-04T04:15:00Z");
  EXPECT_EQ(due("weekly sunday 00:00", at(2024, 3, 1, 0, 0), at(2024, 3, 8, 0, 0)), "2024-03-03T00:00:00Z");
}

TEST(RetrainSchedule, AClockThatIsSetBackFiresNothing) {
  EXPECT_EQ(due("every 1h", at(2024, 3, 1, 10, 0), at(2024, 3, 1, 2, 0)), "none");
}

TEST(RetrainSchedule, EmptyIsNever) {
  ASSERT_OK_AND_ASSIGN(const auto never, RetrainSchedule::parse(""));
  EXPECT_FALSE(never.enabled());
  EXPECT_EQ(due("", at(2024, 3, 1, 0, 0), at(2025, 3, 1, 0, 0)), "none");
}

TEST(RetrainSchedule, OtherWordsAreRefusedWithWhatWasExpected) {
  for (const char* const bad : {"daily", "daily 3:00", "daily 24:00", "daily 03:60", "weekly 03:00", "hourly",
                                "weekly mon 03:00", "every", "every 0h", "every 24", "every -1h", "every 5w",
                                "daily 03:00 UTC", "every 24h 30m", "every 999999999999h"}) {
    EXPECT_ERROR(RetrainSchedule::parse(bad), ErrorCode::kInvalidInput, "\"daily 03:00\"");
  }
}

}  // namespace
}  // namespace tillcast::pipeline
