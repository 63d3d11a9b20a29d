#include "retail/record_converter.h"

#include "core/civil_time.h"
#include "core/decimal.h"
#include "retail/column_mapping.h"
#include "support/result_matchers.h"

namespace tillcast::retail {
namespace {

using ::testing::HasSubstr;

/// One batch of text cells; rows[0] is the header.
struct Table {
  std::vector<std::vector<std::string>> rows;

  RecordBatch batch() const {
    RecordBatch batch;
    batch.reset(rows[0].size());
    for (std::size_t row = 1; row < rows.size(); ++row) {
      for (std::size_t i = 0; i < rows[0].size(); ++i) batch.columns[i].emplace_back(rows[row][i]);
      batch.row_numbers.push_back(static_cast<std::int64_t>(row));
    }
    batch.rows = rows.size() - 1;
    return batch;
  }
};

const Column& column(const ColumnBatch& batch, std::string_view name) {
  return batch.columns[static_cast<std::size_t>(batch.find(name))];
}
std::string text(const ColumnBatch& batch, std::string_view name, std::size_t row) {
  return column(batch, name).is_null(row) ? "null" : std::string(column(batch, name).text[row]);
}
std::int64_t number(const ColumnBatch& batch, std::string_view name, std::size_t row) {
  return column(batch, name).ints[row];
}

class RecordConverterTest : public ::testing::Test {
 protected:
  void convert(const ColumnMapping& mapping, const Table& table, std::optional<Date> sales_until = {}) {
    auto converter =
        RecordConverter::create(mapping, table.rows[0], {.file_name = "f.csv", .sales_until = sales_until});
    ASSERT_TRUE(converter.has_value()) << converter.error().message;
    table_ = table;
    ASSERT_OK(converter->convert(table_.batch(), out_));
  }
  Table table_;  // the batch's views point here
  ConvertedBatch out_;
};

ColumnMapping preset(std::string_view name) { return preset_mapping(name).value(); }

const std::vector<std::string> kRetailHeader = {"InvoiceNo",   "StockCode", "Description", "Quantity",
                                                "InvoiceDate", "UnitPrice", "CustomerID",  "Country"};

TEST_F(RecordConverterTest, TypesOneInvoiceLine) {
  convert(preset("online-retail"),
          {{kRetailHeader,
            {"536365", " 85123a ", " HEART ", "6", "7/1/2011 8:26", "2.55", "17850.0", "United Kingdom"}}});
  ASSERT_EQ(out_.typed.rows, 1U);
  EXPECT_EQ(text(out_.typed, "product_id", 0), "85123A");
  EXPECT_EQ(text(out_.typed, "product_name", 0), "HEART");
  EXPECT_EQ(text(out_.typed, "customer_id", 0), "17850");
  EXPECT_EQ(number(out_.typed, "quantity", 0), 6'000);
  EXPECT_EQ(number(out_.typed, "unit_price", 0), 25'500);
  EXPECT_EQ(number(out_.typed, "amount", 0), 153'000);
  EXPECT_EQ(format_timestamp({number(out_.typed, "ordered_at", 0)}),
            "2011-07-01T07:26:00Z");  // London summer
  EXPECT_EQ(format_date({static_cast<std::int32_t>(number(out_.typed, "business_date", 0))}), "2011-07-01");
  EXPECT_EQ(text(out_.typed, "currency", 0), "GBP");
  EXPECT_EQ(text(out_.typed, "event_id", 0).size(), 32U);
  EXPECT_EQ(text(out_.bronze, "StockCode", 0), " 85123a ");  // as received
  EXPECT_EQ(number(out_.bronze, "_row", 0), 1);
}

TEST_F(RecordConverterTest, HasExactlyTheColumnsOfSilver) {
  convert(preset("online-retail"), {{kRetailHeader}});
  std::string names;
  for (const Column& each : out_.typed.columns) names += each.spec.name + " ";
  EXPECT_EQ(names,
            "order_id line_no kind ordered_at business_date store_id product_id product_name quantity "
            "unit_price amount currency customer_id "
            "country channel promotion event_id order_key product_key customer_key is_repeat source_row ");
}

TEST_F(RecordConverterTest, KindsFollowPrefixSignAndPrice) {
  const auto line = [](const char* order, const char* quantity, const char* price) {
    return std::vector<std::string>{order, "P", "", quantity, "1/2/2011 8:00", price, "", "France"};
  };
  convert(preset("online-retail"),
          {{kRetailHeader, line("1", "2", "1"), line("C2", "-2", "1"), line("A3", "1", "-11062.06"),
            line("4", "-2", "0"), line("5", "-2", "1"), line("6", "2", "0")}});
  std::vector<std::string> kinds;
  for (std::size_t row = 0; row < out_.typed.rows; ++row) kinds.push_back(text(out_.typed, "kind", row));
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"sale", "cancellation", "adjustment", "adjustment", "return", "sale"}));
  EXPECT_EQ(text(out_.typed, "customer_id", 0), "null");
  EXPECT_EQ(number(out_.typed, "customer_key", 0), 0);
}

TEST_F(RecordConverterTest, RefusesBadRowsWithColumnReasonAndText) {
  const std::string big = "99999999999999999999";
  convert(preset("online-retail"), {{kRetailHeader,
                                     {"1", "P", "ok", "1", "1/2/2011 8:00", "1", "", "x"},
                                     {"1", "P", "a, \"b\"", "six", "1/2/2011 8:00", "1", "", "x"},
                                     {"1", "P", "", "1", "13/40/2011 8:00", "1", "", "x"},
                                     {"1", "", "", "1", "1/2/2011 8:00", "1", "", "x"},
                                     {"1", "P", "", "1", "1/2/2011 8:00", big, "", "x"},
                                     {"1", "P", "", "900000000000", "1/2/2011 8:00", "90000000", "", "x"}}});
  ASSERT_EQ(out_.typed.rows, 1U);
  ASSERT_EQ(out_.rejects.rows, 5U);
  EXPECT_EQ(out_.counts.rows_in, 6);
  const auto reject = [this](std::size_t row) {
    return text(out_.rejects, "column_name", row) + " " + text(out_.rejects, "reason", row);
  };
  EXPECT_EQ(number(out_.rejects, "source_row", 0), 2);
  std::vector<std::string> all;
  for (std::size_t row = 0; row < 5; ++row) all.push_back(reject(row));
  EXPECT_THAT(all, ::testing::UnorderedElementsAre("StockCode missing_value", "Quantity bad_number",
                                                   "InvoiceDate bad_date", "UnitPrice number_too_large",
                                                   "UnitPrice number_too_large"));
  for (std::size_t row = 0; row < 5; ++row) {
    if (reject(row) == "Quantity bad_number") {
      EXPECT_EQ(text(out_.rejects, "raw", row), "1,P,\"a, \"\"b\"\"\",six,1/2/2011 8:00,1,,x");
      EXPECT_THAT(text(out_.rejects, "message", row), HasSubstr("'six' is not a number"));
    }
  }
  EXPECT_EQ(out_.bronze.rows, 6U);
}

TEST_F(RecordConverterTest, RefusesSalesOfTheFutureAndOfDaysBefore1900) {
  const auto line = [](const char* date) {
    return std::vector<std::string>{"1", "P", "n", "1", date, "1", "5", "x"};
  };
  const Table table{{kRetailHeader, line("3/5/2024 8:00"), line("3/6/2024 8:00"), line("3/5/2204 8:00"),
                     line("3/5/1013 8:00"), line("12/31/1899 8:00"), line("1/1/1900 8:00")}};
  convert(preset("online-retail"), table, date_from_civil(2024, 3, 5));
  EXPECT_EQ(column(out_.typed, "source_row").ints, (std::vector<std::int64_t>{1, 6}));
  EXPECT_EQ(column(out_.typed, "line_no").ints, (std::vector<std::int64_t>{1, 2}));
  ASSERT_EQ(out_.rejects.rows, 4U);
  EXPECT_EQ(out_.counts.rows_in, 6);
  EXPECT_EQ(text(out_.rejects, "reason", 0), "date_too_late");
  EXPECT_EQ(text(out_.rejects, "column_name", 1), "InvoiceDate");
  EXPECT_EQ(text(out_.rejects, "message", 1),
            "2204-03-05 lies in the future: no sale is later than 2024-03-05");
  EXPECT_EQ(text(out_.rejects, "reason", 2), "date_too_early");
  EXPECT_EQ(text(out_.rejects, "message", 3), "1899-12-31 is before 1900-01-01");
  convert(preset("online-retail"), table);
  EXPECT_EQ(out_.typed.rows, 4U) << "without a limit the future is taken";
}

TEST_F(RecordConverterTest, RefusesStoreDaysOfTheFutureButNoPlansOfThem) {
  const Date until = date_from_civil(2015, 7, 31);
  convert(preset("rossmann"),
          {{{"Store", "DayOfWeek", "Date", "Sales", "Customers", "Open", "Promo", "StateHoliday",
             "SchoolHoliday"},
            {"1", "5", "2015-07-31", "5263", "555", "1", "1", "0", "1"},
            {"1", "6", "2015-08-01", "5263", "555", "1", "1", "0", "1"}}},
          until);
  EXPECT_EQ(out_.typed.rows, 1U);
  ASSERT_EQ(out_.rejects.rows, 1U);
  EXPECT_EQ(text(out_.rejects, "column_name", 0), "Date");
  convert(preset("rossmann-plan"),
          {{{"Id", "Store", "DayOfWeek", "Date", "Open", "Promo", "StateHoliday", "SchoolHoliday"},
            {"1", "1", "4", "2035-09-17", "1", "1", "0", "0"},
            {"2", "1", "4", "0213-09-17", "1", "1", "0", "0"}}},
          until);
  EXPECT_EQ(out_.typed.rows, 1U) << "what is planned may be of any day ahead";
  EXPECT_EQ(text(out_.rejects, "reason", 0), "date_too_early");
}

TEST_F(RecordConverterTest, RefusesTheFutureDaysOfAWideFileCellByCell) {
  convert(preset("m5"),
          {{{"id", "item_id", "dept_id", "cat_id", "store_id", "state_id", "d_1", "d_2", "d_3"},
            {"a", "I", "D", "C", "S", "CA", "3", "", "4"}}},
          date_from_civil(2011, 1, 30));
  EXPECT_EQ(out_.typed.rows, 1U);
  ASSERT_EQ(out_.rejects.rows, 1U);
  EXPECT_EQ(text(out_.rejects, "column_name", 0), "d_3");
  EXPECT_EQ(text(out_.rejects, "reason", 0), "date_too_late");
}

TEST_F(RecordConverterTest, RepeatedLinesKeepTheirOwnIds) {
  const std::vector<std::string> line = {"1", "P", "n", "1", "1/2/2011 8:00", "1", "5", "x"};
  std::vector<std::string> other = line;
  other[1] = "Q";
  convert(preset("online-retail"), {{kRetailHeader, line, other, line, line}});
  EXPECT_EQ(column(out_.typed, "line_no").ints, (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(column(out_.typed, "is_repeat").ints, (std::vector<std::int64_t>{0, 0, 1, 1}));
  EXPECT_NE(text(out_.typed, "event_id", 0), text(out_.typed, "event_id", 2));
  EXPECT_NE(text(out_.typed, "event_id", 2), text(out_.typed, "event_id", 3));
}

TEST_F(RecordConverterTest, OrdersThatComeBackAreContinuedHoweverOften) {
  // 40 orders dealt out in turn, so that every line is a run of its own, each line sent twice.
  Table table{{kRetailHeader}};
  for (int line = 0; line < 60; ++line) {
    for (int order = 0; order < 40; ++order) {
      table.rows.push_back(
          {std::to_string(order), "P" + std::to_string(line / 2), "n", "1", "1/2/2011 8:00", "1", "5", "x"});
    }
  }
  convert(preset("online-retail"), table);
  for (std::size_t row = 0; row < out_.typed.rows; ++row) {
    ASSERT_EQ(number(out_.typed, "line_no", row), static_cast<std::int64_t>(row / 40) + 1);
    ASSERT_EQ(number(out_.typed, "is_repeat", row), static_cast<std::int64_t>(row / 40 % 2));
  }
}

TEST_F(RecordConverterTest, LongOrdersFindTheirRepeats) {
  Table table{{kRetailHeader}};
  for (int line = 0; line < 500; ++line)
    table.rows.push_back({"1", "P" + std::to_string(line % 250), "n", "1", "1/2/2011 8:00", "1", "5", "x"});
  convert(preset("online-retail"), table);
  for (std::size_t row = 0; row < 500; ++row)
    ASSERT_EQ(number(out_.typed, "is_repeat", row), row >= 250 ? 1 : 0) << row;
}

TEST_F(RecordConverterTest, ByRunASecondCopyGetsTheSameIds) {
  const std::vector<std::string> header = {"Invoice",     "StockCode", "Description", "Quantity",
                                           "InvoiceDate", "Price",     "Customer ID", "Country"};
  const auto line = [](const std::string& order, const std::string& code) {
    return std::vector<std::string>{order, code, "n", "1", "2010-12-01 08:26:00", "1", "", "x"};
  };
  Table table{{header, line("first", "A"), line("first", "B")}};
  for (int i = 0; i < 1100; ++i) table.rows.push_back(line("filler", std::to_string(i)));
  table.rows.push_back(line("first", "B"));  // the copy, in another order
  table.rows.push_back(line("first", "A"));
  convert(preset("online-retail-ii"), table);
  EXPECT_EQ(text(out_.typed, "event_id", 1), text(out_.typed, "event_id", 1102));
  EXPECT_EQ(text(out_.typed, "event_id", 0), text(out_.typed, "event_id", 1103));
  EXPECT_EQ(number(out_.typed, "line_no", 1102), 1);
}

TEST_F(RecordConverterTest, SerialDatesAreRoundedToTheSecond) {
  Table table{{kRetailHeader,
               {"1", "P", "n", "1", "40513.35138888888", "1", "5", "x"},
               {"1", "P", "n", "1", "40513.35138888888", "1", "5", "x"},
               {"1", "P", "n", "1", "#N/A", "1", "5", "x"}}};
  auto converter = RecordConverter::create(preset("online-retail"), kRetailHeader);
  ASSERT_TRUE(converter.has_value());
  RecordBatch batch = table.batch();
  batch.flags[4] = {CellFlag::kSerial1900, CellFlag::kPlain, CellFlag::kError};
  ASSERT_OK(converter->convert(std::move(batch), out_));
  ASSERT_EQ(out_.typed.rows, 1U);  // a plain number is not a date
  EXPECT_EQ(format_timestamp({number(out_.typed, "ordered_at", 0)}), "2010-12-01T08:26:00Z");
  EXPECT_EQ(text(out_.rejects, "reason", 0), "bad_date");
  EXPECT_EQ(text(out_.rejects, "reason", 1), "bad_value");
}

TEST_F(RecordConverterTest, DecimalCommasAndOwnFormats) {
  ASSERT_OK_AND_ASSIGN(const ColumnMapping mapping, parse_mapping(R"(
name = "kasse"
source = "kasse"
dataset = "sale_line"
decimal = ","
time_zone = "Europe/Berlin"
[columns]
product_id = "Artikel"
quantity = "Menge"
unit_price = "Preis"
ordered_at = { from = ["Datum", "Tag"], formats = ["DD.MM.YYYY HH:MM", "D-MMM-YY"] }
[constants]
store_id = "7"
)",
                                                                  "kasse.toml"));
  convert(mapping, {{{"artikel", "Menge", "PREIS", "Tag"},
                     {"a", "1,5", "2,25", "01.07.2024 10:00"},
                     {"b", "2", "1.000,00", "2-Mar-24"},
                     {"c", "2", "1", "2-Mar-24"}}});
  ASSERT_EQ(out_.typed.rows, 2U);
  EXPECT_EQ(format_decimal(number(out_.typed, "amount", 0), 4), "3.3750");
  EXPECT_EQ(format_timestamp({number(out_.typed, "ordered_at", 0)}), "2024-07-01T08:00:00Z");
  EXPECT_EQ(format_timestamp({number(out_.typed, "ordered_at", 1)}), "2024-03-01T23:00:00Z");
  EXPECT_EQ(text(out_.typed, "order_id", 0), "null");
  EXPECT_TRUE(column(out_.typed, "order_key").is_null(0));
}

TEST_F(RecordConverterTest, CanonicalCsvNeedsFourColumnsAndTakesTheRest) {
  convert(preset("tillcast"), {{{"order_id", "product_id", "quantity", "ordered_at"},
                                {"1", "p", "2", "2024-03-01T08:26:00+02:00"}}});
  EXPECT_EQ(format_timestamp({number(out_.typed, "ordered_at", 0)}), "2024-03-01T06:26:00Z");
  EXPECT_EQ(text(out_.typed, "store_id", 0), "main");
  EXPECT_TRUE(column(out_.typed, "amount").is_null(0));
  convert(preset("tillcast"), {{{"order_id", "product_id", "quantity", "ordered_at", "line_no", "kind",
                                 "amount", "unit_price", "event_id", "promotion"},
                                {"1", "p", "2", "2024-03-01", "9", "fee", "5.5", "3", "mine", "yes"},
                                {"1", "p", "2", "2024-03-01", "", "", "", "3", "", ""}}});
  ASSERT_EQ(out_.typed.rows, 2U);
  EXPECT_EQ(number(out_.typed, "line_no", 0), 9);
  EXPECT_EQ(text(out_.typed, "kind", 0), "fee");
  EXPECT_EQ(number(out_.typed, "amount", 0), 55'000);
  EXPECT_EQ(text(out_.typed, "event_id", 0), "mine");
  EXPECT_EQ(text(out_.typed, "kind", 1), "sale");
  EXPECT_EQ(number(out_.typed, "amount", 1), 60'000);
  EXPECT_EQ(text(out_.typed, "event_id", 1).size(), 32U);
}

TEST_F(RecordConverterTest, WideDaysBecomeRecordsAndKeepTheBalance) {
  convert(preset("m5"), {{{"id", "item_id", "store_id", "d_1", "d_2"},
                          {"x", "i1", "s", "0", "3"},
                          {"x", "i2", "s", "", "many"},
                          {"x", "", "s", "1", "2"}}});
  EXPECT_EQ(out_.counts.records, 3);
  EXPECT_EQ(out_.counts.rows_in, 5);  // an empty cell is no record
  ASSERT_EQ(out_.typed.rows, 2U);
  ASSERT_EQ(out_.rejects.rows, 3U);
  EXPECT_EQ(number(out_.typed, "quantity", 0), 0);
  EXPECT_EQ(format_date({static_cast<std::int32_t>(number(out_.typed, "business_date", 1))}), "2011-01-30");
  EXPECT_EQ(text(out_.typed, "product_id", 1), "I1");
  EXPECT_EQ(text(out_.rejects, "column_name", 0), "d_2");
  EXPECT_EQ(text(out_.rejects, "raw", 0), "x,i2,s,many");
  EXPECT_EQ(text(out_.rejects, "reason", 1), "missing_value");
}

TEST_F(RecordConverterTest, StoreDaysAreIdentifiedByContent) {
  const std::vector<std::string> header = {"Store", "DayOfWeek", "Date",         "Sales",        "Customers",
                                           "Open",  "Promo",     "StateHoliday", "SchoolHoliday"};
  convert(preset("rossmann"), {{header,
                                {"1", "5", "2015-07-31", "5263", "555", "1", "1", "0", "1"},
                                {"1", "5", "2015-07-30", "0", "0", "0", "0", "a", "1"},
                                {"1", "5", "2015-07-31", "5263", "555", "1", "1", "0", "1"},
                                {"1", "5", "2015-07-29", "1", "1", "maybe", "0", "a", "1"}}});
  ASSERT_EQ(out_.typed.rows, 3U);
  EXPECT_EQ(text(out_.typed, "state_holiday", 0), "null");
  EXPECT_EQ(text(out_.typed, "state_holiday", 1), "a");
  EXPECT_EQ(text(out_.typed, "event_id", 0), text(out_.typed, "event_id", 2));
  EXPECT_EQ(text(out_.rejects, "column_name", 0), "Open");
}

TEST(RecordConverter, StopsWhenARequiredColumnIsMissing) {
  const std::vector<std::string> header = {"InvoiceNo", "Quantity"};
  EXPECT_ERROR(RecordConverter::create(preset("online-retail"), header, {.file_name = "f.csv"}),
               ErrorCode::kInvalidInput, "f.csv: mapping online-retail needs the columns");
}

}  // namespace
}  // namespace tillcast::retail
