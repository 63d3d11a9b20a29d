#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>

#include "core/decimal.h"
#include "sources/read_all.h"
#include "support/process.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

// The published figures of the real data sets; what they count is in docs/formats/silver.md.

namespace tillcast::sources {
namespace {

using EventId = std::array<char, 32>;

struct Summary {
  retail::ConvertedCounts counts;
  std::int64_t amount = 0;
  std::int64_t quantity = 0;
  std::map<std::string, std::int64_t> kinds;
  std::int64_t repeats = 0;
  std::int64_t anonymous = 0;
  std::int64_t without_name = 0;
  std::size_t distinct_ids = 0;
  std::unordered_set<std::int64_t> orders, products, customers;
  std::int64_t first = INT64_MAX, last = 0;
  std::string mapping;
  std::string description;
  std::vector<EventId> ids;  ///< in the order of the file
};

Result<Summary> summarise(const std::filesystem::path& path) {
  auto reader = TILLCAST_TRY_PLAIN(open_record_reader(path));
  const auto mapping = TILLCAST_TRY_PLAIN(retail::pick_mapping(retail::preset_mappings(), reader->header()));
  auto converter = TILLCAST_TRY_PLAIN(retail::RecordConverter::create(mapping, reader->header()));
  Summary summary;
  summary.mapping = mapping.name;
  summary.description = reader->description();
  retail::RecordBatch records;
  retail::ConvertedBatch batch;
  while (TILLCAST_TRY_PLAIN(reader->next(records))) {
    TILLCAST_TRY_PLAIN(converter.convert(std::move(records), batch));
    const auto column = [&batch](const char* name) -> const Column& {
      const int index = batch.typed.find(name);
      EXPECT_GE(index, 0) << name;
      return batch.typed.columns[static_cast<std::size_t>(index)];
    };
    if (mapping.dataset == retail::Dataset::kStore || mapping.dataset == retail::Dataset::kStorePlan)
      continue;
    const Column& event_id = column("event_id");
    for (const std::string_view id : event_id.text) {
      EXPECT_EQ(id.size(), 32U);
      std::ranges::copy(id, summary.ids.emplace_back().begin());
    }
    if (mapping.dataset == retail::Dataset::kStoreDay) {
      for (const std::int64_t sales : column("sales").ints) summary.amount += sales;
      continue;
    }
    const Column& amount = column("amount");
    const Column& quantity = column("quantity");
    const Column& kind = column("kind");
    const Column& repeat = column("is_repeat");
    const Column& customer = column("customer_key");
    const Column& name = column("product_name");
    const Column& order = column("order_key");
    const Column& product = column("product_key");
    const Column& ordered_at = column("ordered_at");
    for (std::size_t row = 0; row < batch.typed.rows; ++row) {
      summary.amount += amount.is_null(row) ? 0 : amount.ints[row];
      summary.quantity += quantity.ints[row];
      ++summary.kinds[std::string(kind.text[row])];
      summary.repeats += repeat.ints[row];
      summary.anonymous += customer.ints[row] == 0 ? 1 : 0;
      summary.without_name += name.is_null(row) ? 1 : 0;
      summary.orders.insert(order.ints[row]);
      summary.products.insert(product.ints[row]);
      summary.customers.insert(customer.ints[row]);
      summary.first = std::min(summary.first, ordered_at.ints[row]);
      summary.last = std::max(summary.last, ordered_at.ints[row]);
    }
  }
  summary.counts = converter.totals();
  std::vector<EventId> sorted = summary.ids;
  std::ranges::sort(sorted);
  summary.distinct_ids = static_cast<std::size_t>(std::ranges::unique(sorted).begin() - sorted.begin());
  return summary;
}

class RealFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto found = tillcast::test::datasets();
    if (!found)
      TILLCAST_SKIP_OR_FAIL("the real data sets are not here; name their folder with TILLCAST_DATASETS");
    data_ = *found;
  }
  /// Unpacks a .zst file into the test's directory.
  std::filesystem::path unpacked(const std::string& name) {
    const auto to = dir_.file("unpacked.csv");
    const auto result = tillcast::test::run_process(
        {"/usr/bin/zstd", "-q", "-d", "-f", (data_ / name).string(), "-o", to.string()});
    EXPECT_EQ(result.exit_code, 0) << "zstd is needed to unpack the data: " << result.err;
    return to;
  }
  std::filesystem::path data_;
  tillcast::test::TempDir dir_;
};

void expect_online_retail(const Summary& summary) {
  EXPECT_EQ(summary.mapping, "online-retail");
  EXPECT_EQ(summary.counts.rows_in, 541'909);
  EXPECT_EQ(summary.counts.typed + summary.counts.rejected, 541'909);
  EXPECT_EQ(summary.counts.rejected, 0);
  EXPECT_EQ(format_decimal(summary.amount, 4), "9747747.9340");
  const std::map<std::string, std::int64_t> kinds = {
      {"sale", 531'282}, {"cancellation", 9'288}, {"adjustment", 1'339}};
  EXPECT_EQ(summary.kinds, kinds);
  EXPECT_EQ(summary.repeats, 5'268);
  EXPECT_EQ(summary.anonymous, 135'080);
  EXPECT_EQ(summary.without_name, 1'454);
  EXPECT_EQ(summary.orders.size(), 25'900U);
  EXPECT_EQ(summary.products.size(), 3'958U);
  EXPECT_EQ(summary.customers.size(), 4'373U);  // with 0, the anonymous
  EXPECT_EQ(summary.distinct_ids, 541'909U);
  EXPECT_EQ(format_timestamp({summary.first}), "2010-12-01T08:26:00Z");
  EXPECT_EQ(format_timestamp({summary.last}), "2011-12-09T12:50:00Z");
}

TEST_F(RealFiles, OnlineRetailIsTheSameFromCsvCp1252AndXlsx) {
  ASSERT_OK_AND_ASSIGN(const Summary csv, summarise(data_ / "online-retail/online-retail.csv"));
  expect_online_retail(csv);
  EXPECT_EQ(csv.description, "csv, UTF-8, comma");
  ASSERT_OK_AND_ASSIGN(const Summary cp1252,
                       summarise(unpacked("online-retail/online-retail.cp1252-crlf.csv.zst")));
  expect_online_retail(cp1252);
  ASSERT_OK_AND_ASSIGN(const Summary xlsx, summarise(data_ / "online-retail/Online Retail.xlsx"));
  expect_online_retail(xlsx);
  EXPECT_TRUE(csv.ids == cp1252.ids);
  EXPECT_TRUE(csv.ids == xlsx.ids);
}

TEST_F(RealFiles, OnlineRetailTwoFindsItsOverlap) {
  ASSERT_OK_AND_ASSIGN(const Summary csv, summarise(unpacked("online-retail-ii/online_retail_II.csv.zst")));
  EXPECT_EQ(csv.mapping, "online-retail-ii");
  EXPECT_EQ(csv.counts.typed, 1'067'371);
  EXPECT_EQ(csv.anonymous, 243'007);
  EXPECT_EQ(csv.orders.size(), 53'628U);
  EXPECT_EQ(csv.distinct_ids, 1'067'371U - 22'523U);  // the rows of 2010-12-01..09 are there twice
}

TEST_F(RealFiles, RossmannTrainAndStores) {
  ASSERT_OK_AND_ASSIGN(const Summary train, summarise(data_ / "rossmann/train.csv"));
  EXPECT_EQ(train.mapping, "rossmann");
  EXPECT_EQ(train.counts.typed, 1'017'209);
  EXPECT_EQ(format_decimal(train.amount, 4), "5873180623.0000");
  EXPECT_EQ(train.distinct_ids, 1'017'209U);
  ASSERT_OK_AND_ASSIGN(const test::Converted csv, test::convert_file(data_ / "rossmann/store.csv"));
  ASSERT_OK_AND_ASSIGN(const test::Converted xlsx, test::convert_file(data_ / "rossmann/store.xlsx"));
  EXPECT_EQ(csv.counts.typed, 1'115);
  EXPECT_TRUE(csv.rows == xlsx.rows);
  EXPECT_EQ(csv.at(0, "competition_since"), "2008-09-01");
  EXPECT_EQ(csv.at(0, "promo2_since"), "");
  EXPECT_EQ(csv.at(1, "promo2_since"), "2010-03-29");  // Monday of ISO week 13
  EXPECT_EQ(csv.at(1, "promo2_months"), "Jan,Apr,Jul,Oct");
}

TEST_F(RealFiles, M5BecomesOneRecordPerDay) {
  ASSERT_OK_AND_ASSIGN(const Summary m5, summarise(data_ / "m5/sales_train_evaluation_280.csv"));
  EXPECT_EQ(m5.mapping, "m5");
  EXPECT_EQ(m5.counts.records, 280);
  EXPECT_EQ(m5.counts.typed, 280 * 1941);
  EXPECT_EQ(m5.distinct_ids, 280U * 1941U);
  EXPECT_EQ(m5.products.size(), 28U);
  EXPECT_EQ(format_timestamp({m5.first}), "2011-01-29T06:00:00Z");  // midnight in Chicago
}

TEST_F(RealFiles, StoreItemDemand) {
  ASSERT_OK_AND_ASSIGN(const Summary items, summarise(data_ / "store-item-demand/train.csv"));
  EXPECT_EQ(items.mapping, "store-item");
  EXPECT_EQ(items.counts.typed, 913'000);
  EXPECT_EQ(format_decimal(items.quantity, 3), "47704512.000");
  EXPECT_EQ(items.distinct_ids, 913'000U);
}

TEST_F(RealFiles, RossmannDaysAheadAreAPlan) {
  ASSERT_OK_AND_ASSIGN(const Summary ahead, summarise(data_ / "rossmann/test.csv"));
  EXPECT_EQ(ahead.mapping, "rossmann-plan");
  EXPECT_EQ(ahead.counts.typed, 41'088);
}

TEST_F(RealFiles, UnknownColumnsNameTheClosestPresetFirst) {
  auto result = summarise(data_ / "m5/calendar.csv");
  EXPECT_ERROR(result, ErrorCode::kInvalidInput, "Missing for ");
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("columns found: date, wm_yr_wk, weekday"));
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("--mapping FILE"));
}

}  // namespace
}  // namespace tillcast::sources
