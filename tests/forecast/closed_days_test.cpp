#include "forecast/closed_days.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
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

constexpr std::int32_t kChristmas = 0;
constexpr Date kFirst = date_from_civil(2021, 1, 4);  // a Monday

std::shared_ptr<NamedDays> christmases() {
  auto calendar = std::make_shared<NamedDays>();
  for (int year = 2021; year <= 2024; ++year)
    calendar->days.push_back({date_from_civil(year, 12, 25), kChristmas});
  return calendar;
}

std::size_t period_of(const Series& series, Date day) {
  return static_cast<std::size_t>(day.days - series.start.days);
}

void close_on(Series& series, Date day) {
  const std::size_t at = period_of(series, day);
  series.open[at] = 0;
  series.masked[at] = 1;
  series.value[at] = 0;
}

/// Sells every day from `from` to the day before `end`.
Series shop(Date from, Date end) {
  Series series;
  series.start = from;
  series.value.assign(static_cast<std::size_t>(end.days - from.days), 5);
  series.masked.assign(series.size(), 0);
  series.open.assign(series.size(), 1);
  return series;
}

/// The named days that a forecast of 30 days from 15 December takes as closed.
std::vector<Date> closed_ahead(const Series& series, int year, std::size_t horizon = 30) {
  BacktestOptions options;
  options.horizon = horizon;
  const std::size_t end = period_of(series, date_from_civil(year, 12, 15));
  const auto closed = closed_steps(history_at(series, end, options), horizon);
  std::vector<Date> days;
  for (std::size_t step = 0; step < horizon; ++step)
    if (closed[step] != 0) days.push_back(series.date_at(end + step));
  return days;
}

std::vector<Date> christmas_of(int year) { return {date_from_civil(year, 12, 25)}; }

TEST(NamedDays, AHolidayThatWasAlwaysClosedIsClosedAhead) {
  std::vector<Series> series = {shop(kFirst, date_from_civil(2023, 12, 15))};
  close_on(series[0], date_from_civil(2021, 12, 25));
  close_on(series[0], date_from_civil(2022, 12, 25));
  share_named_days(series, std::vector{christmases()});
  EXPECT_EQ(closed_ahead(series[0], 2023), christmas_of(2023));
}

TEST(NamedDays, ADayOnWhichTheShopOnceTradedStaysOpen) {
  std::vector<Series> series = {shop(kFirst, date_from_civil(2023, 12, 15))};
  close_on(series[0], date_from_civil(2021, 12, 25));
  share_named_days(series, std::vector{christmases()});
  EXPECT_TRUE(closed_ahead(series[0], 2023).empty());
}

TEST(NamedDays, AnOriginSeesItsOwnPastAlone) {
  std::vector<Series> series = {shop(kFirst, date_from_civil(2023, 12, 31))};
  for (const int year : {2021, 2022, 2023}) close_on(series[0], date_from_civil(year, 12, 25));
  share_named_days(series, std::vector{christmases()});
  EXPECT_TRUE(closed_ahead(series[0], 2021).empty()) << "nobody could know";
  EXPECT_EQ(closed_ahead(series[0], 2022), christmas_of(2022));
  std::vector<Series> traded_later = {series[0]};
  traded_later[0].open[period_of(series[0], date_from_civil(2022, 12, 25))] = 1;
  share_named_days(traded_later, std::vector{christmases()});
  EXPECT_EQ(closed_ahead(traded_later[0], 2022), christmas_of(2022)) << "what comes later changes nothing";
  EXPECT_TRUE(closed_ahead(traded_later[0], 2023).empty());
}

TEST(NamedDays, AWeekdayThatIsClosedAnywayTellsNothing) {
  const Date end = date_from_civil(2023, 12, 15);
  std::vector<Series> series = {shop(date_from_civil(2022, 1, 3), end)};
  for (Date day = series[0].start; day < end; ++day.days)
    if (iso_weekday(day) == 7) close_on(series[0], day);  // so is Christmas of 2022
  share_named_days(series, std::vector{christmases()});
  const auto closed = closed_ahead(series[0], 2023, 14);
  EXPECT_EQ(closed, (std::vector{date_from_civil(2023, 12, 17), date_from_civil(2023, 12, 24)}));
}

TEST(NamedDays, AClosingOfWeeksTellsNothing) {
  std::vector<Series> series = {shop(kFirst, date_from_civil(2022, 12, 15))};
  for (Date day = date_from_civil(2021, 12, 10); day < date_from_civil(2022, 1, 10); ++day.days)
    close_on(series[0], day);
  share_named_days(series, std::vector{christmases()});
  EXPECT_TRUE(closed_ahead(series[0], 2022).empty());
}

TEST(NamedDays, AYoungSeriesTakesWhatAllOthersDid) {
  const Date end = date_from_civil(2023, 12, 15);
  std::vector<Series> series = {shop(kFirst, end), shop(kFirst, end), shop(date_from_civil(2023, 3, 1), end)};
  for (const std::size_t i : {0U, 1U})
    for (const int year : {2021, 2022}) close_on(series[i], date_from_civil(year, 12, 25));
  const auto calendar = christmases();
  share_named_days(series, std::vector{calendar, calendar, calendar});
  EXPECT_EQ(closed_ahead(series[2], 2023), christmas_of(2023));

  series[1].open[period_of(series[1], date_from_civil(2022, 12, 25))] = 1;  // one traded
  const auto other = christmases();
  share_named_days(series, std::vector{other, other, other});
  EXPECT_TRUE(closed_ahead(series[2], 2023).empty());
  EXPECT_EQ(closed_ahead(series[0], 2023), christmas_of(2023)) << "who always closed goes on to do so";
}

TEST(NamedDays, WhatIsKnownAheadGoesFirst) {
  std::vector<Series> series = {shop(kFirst, date_from_civil(2022, 12, 15))};
  close_on(series[0], date_from_civil(2021, 12, 25));
  share_named_days(series, std::vector{christmases()});
  series[0].open.resize(series[0].size() + 30, 1);
  EXPECT_TRUE(closed_ahead(series[0], 2022).empty());
}

TEST(NamedDays, AShopThatSoldNothingOnAHolidayWasClosedWhoeverElseTraded) {
  Series one = shop(kFirst, date_from_civil(2021, 12, 31));
  one.named_days = christmases();
  std::vector<Date> traded;
  for (Date day = one.start; day < one.date_at(one.size()); ++day.days)
    if (day.days % 40 != 0 && day != date_from_civil(2021, 12, 25)) traded.push_back(day);
  mark_closed_named_days(std::vector{&one}, traded);
  EXPECT_EQ(std::ranges::count(one.masked, 1), 1) << "a day without a sale is no holiday";
  EXPECT_EQ(one.open[period_of(one, date_from_civil(2021, 12, 25))], 0);

  one = shop(kFirst, date_from_civil(2021, 12, 31));
  one.named_days = christmases();
  std::erase_if(traded, [](Date day) { return day.days % 5 == 0; });
  mark_closed_named_days(std::vector{&one}, traded);
  EXPECT_EQ(std::ranges::count(one.masked, 1), 0) << "a shop that often sells nothing";
}

TEST(NamedDays, AClosedDayForecastOpenIsAnErrorAndOneForecastClosedNone) {
  Series one = shop(kFirst, date_from_civil(2023, 1, 5));
  close_on(one, date_from_civil(2021, 12, 25));
  BacktestOptions options;
  options.horizon = 30;
  options.origins = 1;
  const auto accuracy_until = [&](Date end, bool named) {
    Series cut = one;
    const std::size_t size = period_of(one, end);
    cut.value.resize(size);
    cut.masked.resize(size);
    cut.open.resize(size);
    std::vector<Series> series = {cut};
    if (named) share_named_days(series, std::vector{christmases()});
    const std::vector<ModelId> models = {ModelId::kSeasonalNaive};
    return backtest(series[0], models, options).accuracy(series[0], 0, 0, 1);
  };
  const Accuracy unforeseen = accuracy_until(date_from_civil(2022, 1, 5), true);
  EXPECT_EQ(unforeseen.count, 30U);
  EXPECT_EQ(unforeseen.absolute_error, 5);
  close_on(one, date_from_civil(2022, 12, 25));
  const Accuracy foreseen = accuracy_until(date_from_civil(2023, 1, 5), true);
  EXPECT_EQ(foreseen.count, 29U);
  EXPECT_EQ(foreseen.absolute_error, 0);
  EXPECT_EQ(accuracy_until(date_from_civil(2023, 1, 5), false).absolute_error, 5);
}

}  // namespace
}  // namespace tillcast::forecast
