#include "pipeline/driver_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsNan;

const KnownIds kIds{{{"7", 70}, {"8", 80}}, {{"TEA", 1}}};

Result<DriverTable> read(const std::string& text, const DriverFile& file = {"w.csv"}) {
  const test::TempDir folder;
  folder.write("w.csv", text);
  return read_driver_file(folder.path(), file, kIds);
}

TEST(DriverFile, RowsOfAStoreComeInTheOrderOfTheirDays) {
  ASSERT_OK_AND_ASSIGN(const auto table, read("Date,Store,Temperature,wet,kind\n"
                                              "2015-08-02,8,20.5,0,sun\n"
                                              "2015-08-02,7,21,1,rain\n"
                                              "2015-08-01,7,,0,hail\n"));
  ASSERT_EQ(table.columns.size(), 3U);
  EXPECT_TRUE(table.by_store);
  EXPECT_FALSE(table.by_product);
  EXPECT_EQ(table.columns[0].name, "temperature");
  EXPECT_EQ(table.columns[0].kind, forecast::DriverKind::kNumber);
  EXPECT_EQ(table.columns[1].kind, forecast::DriverKind::kFlag);
  EXPECT_EQ(table.columns[2].kind, forecast::DriverKind::kCategory);
  const auto seven = table.values(table.columns[0], 70, 1);
  EXPECT_EQ(format_date(seven.date[0]), "2015-08-01");
  EXPECT_THAT(seven.value, ElementsAre(IsNan(), 21.0F));
  EXPECT_THAT(table.values(table.columns[2], 70, 0).value, ElementsAre(1, 2))
      << "by first day, then alphabet: hail, rain, sun";
  EXPECT_THAT(table.values(table.columns[0], 99, 0).value, IsEmpty());
}

TEST(DriverFile, WordsOfLaterDaysLeaveTheCodesOfTheOthers) {
  const std::string text = "date,kind\n2015-08-02,sun\n2015-08-01,rain\n2015-08-03,rain\n";
  ASSERT_OK_AND_ASSIGN(const auto before, read(text));
  ASSERT_OK_AND_ASSIGN(const auto after, read(text + "2015-08-04,fog\n"));
  EXPECT_THAT(before.columns[0].value, ElementsAre(1, 2, 1)) << "rain, sun";
  EXPECT_THAT(after.columns[0].value, ElementsAre(1, 2, 1, 3)) << "rain, sun, fog";
}

TEST(DriverFile, FaultsNameFileLineAndColumn) {
  EXPECT_ERROR(read("day_of_year,x\n1,2\n"), ErrorCode::kInvalidInput, "no column date");
  EXPECT_ERROR(read("date,x\n2015-08-01,1\n2015-02-30,1\n"), ErrorCode::kInvalidInput,
               "w.csv: line 3: date is '2015-02-30', expected a day");
  EXPECT_ERROR(read("date,x\n2015-08-01,1.5\n2015-08-02,1;5\n"), ErrorCode::kInvalidInput,
               "w.csv: line 3: x is '1;5', expected a number as in line 2");
  EXPECT_ERROR(read("date,x\n2015-08-01,1\n2015-08-02,1\n2015-08-01,2\n"), ErrorCode::kInvalidInput,
               "w.csv: line 4: a second row for 2015-08-01, the first is line 2");
  EXPECT_ERROR(read("date,store_id,x\n2015-08-01,7,1\n2015-08-01,77,1\n2015-08-02,77,1\n"),
               ErrorCode::kInvalidInput,
               "store_id not known from the data: '77' (line 3); correct or remove the 2 rows");
  EXPECT_ERROR(read("date,product_id,x\n2015-08-01,coffee,1\n"), ErrorCode::kInvalidInput,
               "'COFFEE' (line 2)");
  EXPECT_ERROR(read("date\n2015-08-01\n"), ErrorCode::kInvalidInput, "no column besides date");
}

TEST(DriverFile, ProductIdsAreReadAsInTheData) {
  EXPECT_OK(read("date,product_id,x\n2015-08-01, tea ,1\n"));
  EXPECT_OK(read("date,store_id,x\n2015-08-01,7.0,1\n"));
}

TEST(DriverFile, WhatIsOnlyKnownAfterTheDayIsNoDriver) {
  EXPECT_ERROR(read("date,customers\n2015-08-01,5\n"), ErrorCode::kInvalidInput, "only known after the day");
  EXPECT_OK(read("date,customers,x\n2015-08-01,5,1\n", {"w.csv", {"x"}}));
}

TEST(DriverFile, ColumnsOfTheSettingsMustBeThere) {
  EXPECT_ERROR(read("date,temperature\n2015-08-01,5\n", {"w.csv", {"temprature"}}), ErrorCode::kInvalidInput,
               "did you mean 'temperature'?");
  ASSERT_OK_AND_ASSIGN(const auto table,
                       read("date,code\n2015-08-01,5\n2015-08-02,0\n", {"w.csv", {}, {"code"}}));
  EXPECT_EQ(table.columns[0].kind, forecast::DriverKind::kCategory);
  EXPECT_THAT(table.columns[0].value, ElementsAre(1, 0)) << "0 = none";
  EXPECT_ERROR(read("date,wet\n2015-08-01,5\n", {"w.csv", {}, {}, {"wet"}}), ErrorCode::kInvalidInput,
               "more than 0 and 1");
}

TEST(DriverFile, DaysMissingInsideAreToldOnce) {
  ASSERT_OK_AND_ASSIGN(const auto table, read("date,x\n2015-08-01,1\n2015-08-04,1\n"));
  ASSERT_EQ(table.notes.size(), 1U);
  EXPECT_THAT(table.notes[0], HasSubstr("2 days inside it have no row, the first 2015-08-02 before line 3"));
}

TEST(DriverFile, AMissingFileIsNamed) {
  const test::TempDir folder;
  EXPECT_ERROR(read_driver_file(folder.path(), {"none.csv"}, kIds), ErrorCode::kNotFound, "none.csv");
}

TEST(DriverFile, StoresThatAPlanDoesNotTellApartAreAveraged) {
  ASSERT_OK_AND_ASSIGN(const auto table, read("date,store_id,x,kind\n2015-08-01,7,1,a\n2015-08-01,8,4,b\n"));
  const DriverTable total = coarsened(table, false, false);
  EXPECT_THAT(total.values(total.columns[0], 0, 0).value, ElementsAre(2.5F));
  EXPECT_THAT(total.values(total.columns[1], 0, 0).value, ElementsAre(IsNan()));
}

Result<std::vector<UserHoliday>> read_holidays(const std::string& text) {
  const test::TempDir folder;
  folder.write("h.csv", text);
  return read_holiday_file(folder.path(), "h.csv");
}

TEST(HolidayFile, TellsWhereAndWhatKind) {
  ASSERT_OK_AND_ASSIGN(const auto list, read_holidays("date,name,country,region,kind\n"
                                                      "2015-02-16,Rosenmontag,Germany,NW,event\n"
                                                      "2015-09-01,Founders' Day,,,\n"));
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].region, "NW");
  EXPECT_EQ(list[0].day.kind, forecast::HolidayKind::kEvent);
  EXPECT_EQ(list[1].day.kind, forecast::HolidayKind::kPublic);
}

TEST(HolidayFile, FaultsNameFileLineAndColumn) {
  EXPECT_ERROR(read_holidays("day,what\n"), ErrorCode::kInvalidInput, "date,name");
  EXPECT_ERROR(read_holidays("date,name\n16.2.2015,x\n"), ErrorCode::kInvalidInput,
               "h.csv: line 2: date is '16.2.2015'");
  EXPECT_ERROR(read_holidays("date,name\n2015-02-16,\n"), ErrorCode::kInvalidInput,
               "h.csv: line 2: name is empty");
  EXPECT_ERROR(read_holidays("date,name,kind\n2015-02-16,x,free\n"), ErrorCode::kInvalidInput,
               "h.csv: line 2: kind is 'free', expected public");
  EXPECT_ERROR(read_holidays("date,name,country\n2015-02-16,x,Germny\n"), ErrorCode::kInvalidInput,
               "h.csv: line 2: country 'Germny' is unknown");
}

}  // namespace
}  // namespace tillcast::pipeline
