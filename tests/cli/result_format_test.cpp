#include "cli/result_format.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(text_csv({{"date", "wind, max"}, {"2024-01-02", "1.50"}}),
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
