#include "cli/result_format.h"

#include <gtest/gtest.h>

#include "cli/terminal.h"
#include "database/database.h"
#include "support/result_matchers.h"

namespace tillcast::cli {
namespace {

database::QueryResult ask(const std::string& sql) {
  auto database = database::Database::open_in_memory();
  auto connection = database->connect();
  auto result = connection->query(sql);
  EXPECT_OK(result);
  return std::move(result).value();
}

TEST(ResultFormat, JsonKeepsEveryDigitOfMoney) {
  const auto result =
      ask("SELECT CAST('12345678901234.5678' AS DECIMAL(18,4)) AS amount, 'a\"b' AS name, NULL AS nothing, "
          "true AS yes, 'NaN'::DOUBLE AS odd");
  ASSERT_OK_AND_ASSIGN(const auto text, format_result(result, "jsonl", 80));
  EXPECT_EQ(
      text,
      "{\"amount\":12345678901234.5678,\"name\":\"a\\\"b\",\"nothing\":null,\"yes\":true,\"odd\":\"nan\"}\n");
}

TEST(ResultFormat, CsvQuotesWhatNeedsIt) {
  const auto result = ask("SELECT 'a,b' AS x, 'say \"hi\"' AS y, NULL AS z, 'two\nlines' AS w");
  ASSERT_OK_AND_ASSIGN(const auto text, format_result(result, "csv", 80));
  EXPECT_EQ(text, "x,y,z,w\n\"a,b\",\"say \"\"hi\"\"\",,\"two\nlines\"\n");
}

TEST(ResultFormat, RowsAsCsvQuoteWhatNeedsItToo) {
  EXPECT_EQ(format_rows({{"date", "wind, max"}, {"2024-01-02", "1.50"}}, {false, true}, "csv"),
            "date,\"wind, max\"\n2024-01-02,1.50\n");
}

TEST(ResultFormat, TableFitsTheTerminalAndCutsLongText) {
  const auto result = ask("SELECT repeat('ä', 200) AS name, 7 AS n");
  ASSERT_OK_AND_ASSIGN(const auto text, format_result(result, "table", 60));
  std::size_t from = 0;
  for (std::size_t end; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
    const std::string line = text.substr(from, end - from);
    EXPECT_LE(std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }), 60) << line;
  }
  EXPECT_NE(text.find("…"), std::string::npos);
  EXPECT_NE(text.find("1 row"), std::string::npos);
}

TEST(ResultFormat, WhatMustBeCutIsCutInTheMiddleAndNamesStayDistinct) {
  const auto result =
      ask("SELECT 0.123456 AS coverage80, 0.654321 AS coverage95, 0.1 AS wape_seasonal_naive, 0.2 AS "
          "rmspe_seasonal_naive, 'stores/a-very-long-name-of-a-shop-7' AS series");
  ASSERT_OK_AND_ASSIGN(const auto narrow, format_result(result, "table", 60));
  for (const char* kept : {"0.123456", "0.654321"}) EXPECT_NE(narrow.find(kept), std::string::npos) << narrow;
  EXPECT_NE(narrow.find("80 │"), std::string::npos) << narrow;
  EXPECT_NE(narrow.find("95 │"), std::string::npos) << narrow;
  EXPECT_NE(narrow.find("p-7"), std::string::npos) << "the end of an id tells it from others\n" << narrow;
  ASSERT_OK_AND_ASSIGN(const auto text_first, format_result(result, "table", 100));
  EXPECT_NE(text_first.find("rmspe_seasonal_naive"), std::string::npos) << text_first;
  ASSERT_OK_AND_ASSIGN(const auto whole, format_result(result, "table", Terminal::kWidthUnlimited));
  EXPECT_EQ(whole.find("…"), std::string::npos);
}

TEST(ResultFormat, RowsForPeopleAreRowsForProgramsToo) {
  const std::vector<std::vector<std::string>> rows = {{"date", "forecast", "low"},
                                                      {"2024-01-01", "7.50", ""}};
  EXPECT_EQ(format_rows(rows, {false, true, true}, "csv"), "date,forecast,low\n2024-01-01,7.50,\n");
  EXPECT_EQ(format_rows(rows, {false, true, true}, "json"),
            "[\n {\"date\":\"2024-01-01\",\"forecast\":7.50,\"low\":null}\n]\n");
  EXPECT_EQ(format_rows({rows[0]}, {false, true, true}, "json"), "[]\n");
}

TEST(ResultFormat, EmptyResultsAreValidInEveryFormat) {
  const auto result = ask("SELECT 1 AS a WHERE false");
  EXPECT_EQ(*format_result(result, "json", 80), "[]\n");
  EXPECT_EQ(*format_result(result, "csv", 80), "a\n");
  EXPECT_ERROR(format_result(result, "xml", 80), ErrorCode::kInvalidInput, "xml");
}

TEST(ResultFormat, NumbersForPeople) {
  EXPECT_EQ(with_thousands(541909), "541,909");
  EXPECT_EQ(with_thousands(-1000), "-1,000");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(format_seconds(0.0421), "0.04 s");
  EXPECT_EQ(format_seconds(93), "1 min 33 s");
  EXPECT_EQ(format_bytes(1536), "1.5 KB");
}

}  // namespace
}  // namespace tillcast::cli
