#include "retail/column_mapping.h"

#include "core/civil_time.h"
#include "retail/date_format.h"
#include "support/result_matchers.h"

namespace tillcast::retail {
namespace {

const char* const kGood = R"(
name = "shop"
source = "shop"
dataset = "sale_line"
[columns]
product_id = "sku"
quantity = "qty"
ordered_at = "day"
[constants]
store_id = "1"
)";

/// kGood with one line replaced or added.
std::string with(std::string_view from, std::string_view to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  return from.empty() ? text + std::string(to) : text.replace(at, from.size(), to);
}

TEST(ColumnMapping, ParsesAndFillsDefaults) {
  ASSERT_OK_AND_ASSIGN(const ColumnMapping mapping, parse_mapping(kGood, "shop.toml"));
  EXPECT_EQ(mapping.time_zone, "UTC");
  EXPECT_EQ(mapping.kinds.negative, "return");
  EXPECT_TRUE(mapping.find("quantity")->required);
}

TEST(ColumnMapping, SaysWhichKeyIsWrongAndWhatWasExpected) {
  const auto error = [](std::string_view from, std::string_view to) {
    return parse_mapping(with(from, to), "shop.toml");
  };
  EXPECT_ERROR(error("quantity =", "qty ="), ErrorCode::kInvalidInput,
               "shop.toml: columns.qty: is no column of sale_line; expected one of order_id,");
  EXPECT_ERROR(error("\"sale_line\"", "\"sales\""), ErrorCode::kInvalidInput,
               "dataset: 'sales' is unknown; expected sale_line, store_day, store_plan or store");
  EXPECT_ERROR(error("quantity = \"qty\"", ""), ErrorCode::kInvalidInput, "quantity is missing");
  EXPECT_ERROR(error("store_id = \"1\"", ""), ErrorCode::kInvalidInput,
               "store_id is missing; sale_line needs it as a column or a constant");
  EXPECT_ERROR(error("\"day\"", "{ from = \"day\", format = \"ISO\" }"), ErrorCode::kInvalidInput,
               "columns.ordered_at.format: is unknown (line 8)");
  EXPECT_ERROR(error("\"day\"", "{ from = \"day\", formats = [\"hh:mm\"] }"), ErrorCode::kInvalidInput,
               "'hh' is unknown");
  EXPECT_ERROR(error("\"day\"", "{ from = \"day\", formats = [\"M/D\"] }"), ErrorCode::kInvalidInput,
               "lacks a year, month or day");
  EXPECT_ERROR(error("\"qty\"", "5"), ErrorCode::kInvalidInput, "columns.quantity: must be a header name");
  EXPECT_ERROR(error("name = \"shop\"", "name = \"Shop 1\""), ErrorCode::kInvalidInput, "may have only a-z");
  EXPECT_ERROR(error("[columns]", "time_zone = \"Mars\"\n[columns]"), ErrorCode::kInvalidInput,
               "time zone 'Mars' is unknown");
  EXPECT_ERROR(error("[columns]", "decimal = \";\"\n[columns]"), ErrorCode::kInvalidInput,
               "decimal: ';' is unknown");
  EXPECT_ERROR(error("", "[kinds]\norder_prefix = { C = \"void\" }"), ErrorCode::kInvalidInput,
               "'void' is unknown; expected sale, return");
  EXPECT_ERROR(error("", "[wide]\nprefix = \"d_\"\nfirst_date = 2011-01-29"), ErrorCode::kInvalidInput,
               "take them out of [columns]");
  EXPECT_ERROR(error("= \"1\"", "= "), ErrorCode::kInvalidInput, "not valid TOML");
  EXPECT_ERROR(error("store_id = \"1\"", "store_id = \"1\"\nproduct_id = \"x\""), ErrorCode::kInvalidInput,
               "is also in [columns]");
}

TEST(ColumnMapping, SurvivesWhatTheTomlLibraryAssertsOn) {
  EXPECT_ERROR(parse_mapping("name = \"a\"\n[# comment\n", "shop.toml"), ErrorCode::kInvalidInput,
               "shop.toml: ");
  EXPECT_ERROR(parse_mapping("name = \"é\" # é\nx = '''é\n'''\né = 1\n", "shop.toml"),
               ErrorCode::kInvalidInput, "shop.toml:4: not valid TOML");
  ASSERT_OK(
      parse_mapping(with("", "# Größe: 5\" \n[kinds]\norder_prefix = { \"Ö\" = \"fee\" }\n"), "shop.toml"));
}

TEST(ColumnMapping, HeadersMatchWithoutRegardToCaseSpacesAndUnderscores) {
  const std::vector<std::string> header = {"Customer ID", "INVOICE_NO", "order id", "order_id"};
  EXPECT_EQ(find_header(header, "customerid"), 0);
  EXPECT_EQ(find_header(header, "InvoiceNo"), 1);
  EXPECT_EQ(find_header(header, "order_id"), 3);  // the exact name first
  EXPECT_EQ(find_header(header, "price"), -1);
}

TEST(ColumnMapping, EachPresetIsPickedByItsHeader) {
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"online-retail",
       {"InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID",
        "Country"}},
      {"online-retail-ii",
       {"Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"}},
      {"rossmann",
       {"Store", "DayOfWeek", "Date", "Sales", "Customers", "Open", "Promo", "StateHoliday",
        "SchoolHoliday"}},
      {"rossmann-plan",
       {"Id", "Store", "DayOfWeek", "Date", "Open", "Promo", "StateHoliday", "SchoolHoliday"}},
      {"rossmann-store",
       {"Store", "StoreType", "Assortment", "CompetitionDistance", "CompetitionOpenSinceMonth",
        "CompetitionOpenSinceYear", "Promo2", "Promo2SinceWeek", "Promo2SinceYear", "PromoInterval"}},
      {"sales-csv",
       {"product_id", "product_name", "product_price", "store_id", "store_name", "quantity", "date"}},
      {"store-item", {"date", "store", "item", "sales"}},
      {"m5", {"id", "item_id", "dept_id", "cat_id", "store_id", "state_id", "d_1", "d_2"}},
      {"tillcast",
       {"order_id", "line_no", "kind", "ordered_at", "store_id", "product_id", "product_name", "quantity",
        "unit_price", "amount", "currency", "customer_id", "country", "channel", "promotion"}}};
  EXPECT_EQ(std::size(cases), preset_mappings().size());
  for (const auto& [name, header] : cases) {
    ASSERT_OK_AND_ASSIGN(const ColumnMapping mapping, pick_mapping(preset_mappings(), header));
    EXPECT_EQ(mapping.name, name);
  }
  EXPECT_ERROR(preset_mapping("nope"), ErrorCode::kNotFound, "online-retail, online-retail-ii");
}

TEST(DateFormat, ReadsWhatItSaysAndNothingElse) {
  const auto read = [](std::string_view format, std::string_view text) -> std::string {
    const auto written = DateFormat::parse(format).value().read(text);
    return written ? format_timestamp({written->micros}) : "none";
  };
  EXPECT_EQ(read("M/D/YYYY H:MM", "12/1/2010 8:26"), "2010-12-01T08:26:00Z");
  EXPECT_EQ(read("M/D/YYYY H:MM", "13/1/2010 8:26"), "none");
  EXPECT_EQ(read("M/D/YYYY H:MM", "2/29/2011 8:26"), "none");
  EXPECT_EQ(read("M/D/YYYY H:MM", "12/1/2010 8:26x"), "none");
  EXPECT_EQ(read("MM/DD/YYYY H:MM AMPM", "12/01/2010 12:05 am"), "2010-12-01T00:05:00Z");
  EXPECT_EQ(read("DD-MMM-YY", "01-Dec-10"), "2010-12-01T00:00:00Z");
  EXPECT_EQ(read("YYYY-MM-DD HH:MM:SS", "2009-12-01 07:45:09"), "2009-12-01T07:45:09Z");
  EXPECT_EQ(read("ISO", "2009-12-01T07:45:09.25"), "2009-12-01T07:45:09.250000Z");
  EXPECT_EQ(read("ISO", "2009-12-01T24:00"), "none");
  EXPECT_EQ(read("SERIAL", "40513.35138888888"), "2010-12-01T08:26:00Z");
  EXPECT_EQ(format_timestamp({read_serial_date("61", false)->micros}), "1900-03-01T00:00:00Z");
  EXPECT_EQ(format_timestamp({read_serial_date("1", false)->micros}), "1900-01-01T00:00:00Z");
  EXPECT_EQ(format_timestamp({read_serial_date("0", true)->micros}), "1904-01-01T00:00:00Z");
  EXPECT_FALSE(read_serial_date("1e9", false).has_value());
  EXPECT_FALSE(read_serial_date("nan", false).has_value());
}

}  // namespace
}  // namespace tillcast::retail
