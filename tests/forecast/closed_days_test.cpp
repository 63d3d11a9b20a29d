#include "forecast/closed_days.h"

#include <gtest/gtest.h>

#include <vector>

#include "forecast/backtest.h"

namespace tillcast::forecast {
namespace {

Series flat(std::size_t days) {
  Series series;
  series.start = date_from_civil(2024, 1, 1);  // a Monday
  series.value.assign(days, 5);
  series.masked.assign(days, 0);
  return series;
}

std::vector<Date> days_where(std::size_t days, auto traded) {
  std::vector<Date> dates;
  for (std::size_t day = 0; day < days; ++day) {
    if (traded(day)) dates.push_back({date_from_civil(2024, 1, 1).days + static_cast<std::int32_t>(day)});
  }
  return dates;
}

TEST(ClosedDays, AWeekdayThatNeverTradesIsClosedAndForecastAsZero) {
  std::vector<Series> series = {flat(200)};
  mark_closed_days(series, days_where(200, [](std::size_t day) { return day % 7 != 5; }));
  for (std::size_t day = 0; day < 200; ++day) EXPECT_EQ(series[0].masked[day], day % 7 == 5 ? 1 : 0) << day;
  BacktestOptions options;
  options.horizon = 14;
  const auto closed = closed_steps(history_at(series[0], 200, options), 14);
  for (std::size_t step = 0; step < 14; ++step)
    EXPECT_EQ(closed[step], (200 + step) % 7 == 5 ? 1 : 0) << step;
}

TEST(ClosedDays, AHolidayOfABusyShopIsClosed) {
  std::vector<Series> series = {flat(200)};
  mark_closed_days(series, days_where(200, [](std::size_t day) { return day != 150; }));
  EXPECT_EQ(series[0].masked[150], 1);
  EXPECT_EQ(series[0].masked[149], 0);
}

TEST(ClosedDays, AQuietShopIsNotClosedOnDaysWithoutASale) {
  std::vector<Series> series = {flat(200)};
  mark_closed_days(series, days_where(200, [](std::size_t day) { return day % 3 == 0; }));
  for (std::size_t day = 0; day < 200; ++day) EXPECT_EQ(series[0].masked[day], 0) << day;
}

TEST(ClosedDays, StatedOpeningDaysAreLeftAsTheyAre) {
  std::vector<Series> series = {flat(200)};
  series[0].open.assign(200, 1);
  mark_closed_days(series, days_where(200, [](std::size_t day) { return day % 7 != 5; }));
  EXPECT_EQ(series[0].masked[5], 0);
}

TEST(ClosedDays, AnEmptyShelfIsNoClosedDay) {
  std::vector<Series> series = {flat(400)};
  mark_closed_days(series, days_where(400, [](std::size_t day) { return day % 7 != 5; }));
  for (std::size_t day = 200; day < 400; ++day) series[0].masked[day] = 1;  // out of stock since
  BacktestOptions options;
  options.horizon = 14;
  const auto closed = closed_steps(history_at(series[0], 400, options), 14);
  for (std::size_t step = 0; step < 14; ++step)
    EXPECT_EQ(closed[step], (400 + step) % 7 == 5 ? 1 : 0) << step;
}

}  // namespace
}  // namespace tillcast::forecast
