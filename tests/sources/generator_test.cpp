#include "sources/generator.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sources/batch_csv.h"
#include "sources/generator_random_internal.h"
#include "support/result_matchers.h"

namespace tillcast::sources {
namespace {

/// One line of the sales output.
struct Sale {
  std::string order;
  std::int64_t line_no;
  std::string kind;
  Timestamp at;
  std::string store, product, customer;
  std::int64_t quantity, price, amount;  // thousandths, ten-thousandths
  bool promotion;
};

struct Truth {
  std::string store, product;
  Date date;
  double expected;
  bool promotion;
  std::int64_t price;
  bool stockout;
  std::int64_t demand;
};

class Collect final : public GeneratorSink {
 public:
  Result<> sales(const ColumnBatch& batch) override {
    largest_batch = std::max(largest_batch, batch.rows);
    for (std::size_t i = 0; i < batch.rows; ++i) {
      const auto text = [&](const char* name) { return std::string(column(batch, name).text[i]); };
      const auto number = [&](const char* name) { return column(batch, name).ints[i]; };
      sold.push_back({text("order_id"),
                      number("line_no"),
                      text("kind"),
                      {number("ordered_at")},
                      text("store_id"),
                      text("product_id"),
                      text("customer_id"),
                      number("quantity"),
                      number("unit_price"),
                      number("amount"),
                      number("promotion") != 0});
      EXPECT_EQ(column(batch, "customer_id").is_null(i), text("customer_id").empty());
    }
    return {};
  }
  Result<> truth(const ColumnBatch& batch) override {
    for (std::size_t i = 0; i < batch.rows; ++i) {
      const auto number = [&](const char* name) { return column(batch, name).ints[i]; };
      known.push_back({std::string(column(batch, "store_id").text[i]),
                       std::string(column(batch, "product_id").text[i]),
                       {static_cast<std::int32_t>(number("date"))},
                       column(batch, "expected_units").doubles[i],
                       number("promotion") != 0,
                       number("price"),
                       number("stockout") != 0,
                       number("demand_units")});
    }
    return {};
  }
  std::vector<Sale> sold;
  std::vector<Truth> known;
  std::size_t largest_batch = 0;

 private:
  static const Column& column(const ColumnBatch& batch, const char* name) {
    return batch.columns.at(static_cast<std::size_t>(batch.find(name)));
  }
};

/// Hashes the two csv files (FNV-1a).
class HashCsv final : public GeneratorSink {
 public:
  Result<> sales(const ColumnBatch& batch) override { return sales_.add(batch); }
  Result<> truth(const ColumnBatch& batch) override { return truth_.add(batch); }
  std::uint64_t finish() {
    EXPECT_OK(sales_.finish());
    EXPECT_OK(truth_.finish());
    return hash_;
  }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
  BatchCsv::Write write_ = [this](std::string_view bytes) -> Result<> {
    for (const char c : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return {};
  };
  BatchCsv sales_{write_};
  BatchCsv truth_{write_};
};

GeneratorOptions small() {
  GeneratorOptions options;
  options.stores = 3;
  options.products = 30;
  options.days = 400;
  options.truth = true;
  return options;
}

struct Generated {
  Collect rows;
  GeneratorSummary summary;
};
Generated generated(const GeneratorOptions& options) {
  Generated out;
  NoProgress progress;
  auto summary = generate(options, out.rows, progress);
  EXPECT_OK(summary);
  if (summary) out.summary = *summary;
  return out;
}

std::uint64_t hash_of(const GeneratorOptions& options) {
  HashCsv sink;
  NoProgress progress;
  EXPECT_OK(generate(options, sink, progress));
  return sink.finish();
}

TEST(Generator, SameSeedGivesTheSameBytesOnEveryBuild) {
  // The golden value holds for GCC and Clang at every optimisation level; a new one means that everybody's
  // generated data changes, which belongs in the release notes.
  EXPECT_EQ(hash_of(small()), 5721446556469156418ULL);
}

TEST(Generator, BytesDependOnTheSeedAndNotOnTheBatchSize) {
  GeneratorOptions options = small();
  options.days = 40;
  const std::uint64_t first = hash_of(options);
  options.batch_rows = 17;
  EXPECT_EQ(hash_of(options), first);
  options.seed = 43;
  EXPECT_NE(hash_of(options), first);
}

TEST(Generator, LongerRunsExtendShorterOnes) {
  GeneratorOptions options = small();
  options.late_launch_share = 0;  // launch days are drawn over the whole length
  options.days = 20;
  const Generated shorter = generated(options);
  options.days = 30;
  const Generated longer = generated(options);
  ASSERT_GT(longer.rows.sold.size(), shorter.rows.sold.size());
  for (std::size_t i = 0; i < shorter.rows.sold.size(); ++i)
    ASSERT_EQ(shorter.rows.sold[i].amount, longer.rows.sold[i].amount) << "line " << i;
}

TEST(Generator, AmountsAreQuantityTimesPriceToThePenny) {
  const Generated out = generated(small());
  std::int64_t net = 0;
  for (const Sale& sale : out.rows.sold) {
    ASSERT_EQ(sale.quantity * sale.price, sale.amount * 1000);
    ASSERT_EQ(sale.amount % 100, 0) << "whole cents";
    ASSERT_EQ(sale.kind == "return", sale.quantity < 0);
    net += sale.amount / 100;
  }
  EXPECT_EQ(net, out.summary.net_cents);
  EXPECT_EQ(out.rows.sold.size(), out.summary.rows);
}

TEST(Generator, SoldUnitsAreDemandLessWhatEmptyShelvesLost) {
  const Generated out = generated(small());
  using Key = std::tuple<std::string, std::string, std::int32_t>;
  std::map<Key, std::int64_t> sold;
  for (const Sale& sale : out.rows.sold)
    if (sale.quantity > 0) sold[{sale.store, sale.product, utc_date(sale.at).days}] += sale.quantity;
  std::int64_t lost = 0;
  for (const Truth& truth : out.rows.known) {
    const std::int64_t units = sold[{truth.store, truth.product, truth.date.days}];
    if (truth.stockout)
      ASSERT_LE(units, truth.demand);
    else
      ASSERT_EQ(units, truth.demand);
    lost += truth.demand - units;
    sold.erase({truth.store, truth.product, truth.date.days});
  }
  EXPECT_TRUE(sold.empty()) << "sales that the truth does not know";
  EXPECT_EQ(lost, out.summary.units_lost * 1000);
  EXPECT_GT(lost, 0);
  const auto share =
      static_cast<double>(out.summary.stockout_rows) / static_cast<double>(out.summary.truth_rows);
  EXPECT_NEAR(share, small().stockout_share, 0.006);
}

TEST(Generator, ExpectedUnitsAreTheMeanOfDemand) {
  // Over independent seeds the demand of the same kind of shop meets its stated mean within sampling error.
  double expected = 0;
  double demand = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    GeneratorOptions options = small();
    options.seed = seed;
    options.days = 250;
    for (const Truth& truth : generated(options).rows.known) {
      expected += truth.expected;
      demand += static_cast<double>(truth.demand) / 1000.0;
    }
  }
  EXPECT_NEAR(demand / expected, 1.0, 0.01);
}

TEST(Generator, NoiseFloorIsTheErrorOfTheTrueMean) {
  const Generated out = generated(small());
  double error = 0;
  double units = 0;
  for (const Truth& truth : out.rows.known) {
    if (truth.stockout) continue;
    error += std::abs(static_cast<double>(truth.demand) / 1000.0 - truth.expected);
    units += static_cast<double>(truth.demand) / 1000.0;
  }
  EXPECT_NEAR(out.summary.wape_floor_store_product_day, error / units, 1e-9);
  EXPECT_LT(out.summary.wape_floor_product_day, out.summary.wape_floor_store_product_day);
  EXPECT_LT(out.summary.wape_floor_store_day, out.summary.wape_floor_store_product_day);
  EXPECT_GT(out.summary.wape_floor_store_day, 0.02);
}

TEST(Generator, SaturdaysOutsellTuesdaysAndSomeShopsCloseOnSundays) {
  const Generated out = generated(small());
  double by_weekday[8] = {};
  std::set<std::string> sunday_shops;
  for (const Truth& truth : out.rows.known) {
    by_weekday[iso_weekday(truth.date)] += truth.expected;
    if (iso_weekday(truth.date) == 7) sunday_shops.insert(truth.store);
    const CivilDate civil = civil_from_date(truth.date);
    ASSERT_FALSE(civil.month == 12 && civil.day == 25);
  }
  EXPECT_GT(by_weekday[6], 1.4 * by_weekday[2]);
  EXPECT_LT(sunday_shops.size(), 3U);
  GeneratorOptions flat = small();
  flat.season_strength = 0;
  double flat_weekday[8] = {};
  for (const Truth& truth : generated(flat).rows.known)
    flat_weekday[iso_weekday(truth.date)] += truth.expected;
  EXPECT_NEAR(flat_weekday[6] / flat_weekday[2], 1.0, 0.05);
}

TEST(Generator, PromotionsAreCheaperAndSellMore) {
  const Generated out = generated(small());
  using Key = std::pair<std::string, std::string>;
  struct Means {
    double units[2] = {};
    double price[2] = {};
    double days[2] = {};
  };
  std::map<Key, Means> cells;
  double promoted = 0;
  for (const Truth& truth : out.rows.known) {
    Means& means = cells[{truth.store, truth.product}];
    means.units[truth.promotion] += truth.expected;
    means.price[truth.promotion] += static_cast<double>(truth.price);
    means.days[truth.promotion] += 1;
    promoted += truth.promotion;
  }
  int compared = 0;
  int lifted = 0;
  for (const auto& [key, means] : cells) {
    if (means.days[0] < 50 || means.days[1] < 7) continue;
    ++compared;
    lifted += means.units[1] / means.days[1] > 1.1 * means.units[0] / means.days[0];
    EXPECT_LT(means.price[1] / means.days[1], means.price[0] / means.days[0]) << key.first << key.second;
  }
  ASSERT_GT(compared, 40);
  EXPECT_GT(lifted, 0.85 * compared);  // a flyer in a product's quiet season can stay below its yearly mean
  EXPECT_NEAR(promoted / static_cast<double>(out.rows.known.size()), small().promotion_share * 0.9, 0.03);
}

TEST(Generator, ReturnsReferToEarlierSalesOfTheSameCustomer) {
  GeneratorOptions options = small();
  options.return_share = 0.2;
  const Generated out = generated(options);
  std::map<std::pair<std::string, std::string>, std::vector<const Sale*>> sales;
  for (const Sale& sale : out.rows.sold)
    if (sale.kind == "sale") sales[{sale.order.substr(1), sale.product}].push_back(&sale);
  int returns = 0;
  for (const Sale& back : out.rows.sold) {
    if (back.kind != "return") continue;
    ++returns;
    ASSERT_EQ(back.order[0], 'R');
    bool found = false;
    for (const Sale* sale : sales[{back.order.substr(1), back.product}])
      found |= sale->customer == back.customer && sale->store == back.store && sale->price == back.price &&
               sale->at < back.at && -back.quantity <= sale->quantity;
    ASSERT_TRUE(found) << back.order << " " << back.product;
  }
  EXPECT_NEAR(static_cast<double>(returns) / static_cast<double>(out.summary.orders), 0.2, 0.03);
}

TEST(Generator, OrdersHaveOneShopTimeAndCustomerAndConsecutiveLines) {
  const Generated out = generated(small());
  std::map<std::string, const Sale*> last;
  std::size_t anonymous = 0;
  std::map<std::string, int> visits;
  for (const Sale& sale : out.rows.sold) {
    const Sale*& before = last[sale.order];
    ASSERT_EQ(sale.line_no, before == nullptr ? 1 : before->line_no + 1) << sale.order;
    if (before != nullptr) {
      ASSERT_EQ(std::tie(sale.store, sale.customer, sale.at),
                std::tie(before->store, before->customer, before->at));
    } else if (sale.kind == "sale") {
      anonymous += sale.customer.empty();
      if (!sale.customer.empty()) ++visits[sale.customer];
    }
    before = &sale;
  }
  const auto orders = static_cast<double>(out.summary.orders);
  EXPECT_NEAR(static_cast<double>(anonymous) / orders, small().anonymous_share, 0.02);
  EXPECT_NEAR(static_cast<double>(out.summary.rows - out.summary.returns) / orders, 3.2, 0.5);
  int most = 0;
  for (const auto& [customer, count] : visits) most = std::max(most, count);
  EXPECT_GT(most, 10 * static_cast<int>(orders) / static_cast<int>(visits.size()))
      << "some customers come often";
}

TEST(Generator, SomeProductsAreBoughtTogetherMoreThanByChance) {
  GeneratorOptions options = small();
  options.days = 200;
  const Generated out = generated(options);
  std::map<std::string, std::set<std::string>> baskets;
  std::map<std::string, double> support;
  std::map<std::pair<std::string, std::string>, double> pairs;
  for (const Sale& sale : out.rows.sold)
    if (sale.kind == "sale") baskets[sale.order].insert(sale.product);
  for (const auto& [order, products] : baskets)
    for (const auto& a : products) {
      ++support[a];
      for (const auto& b : products)
        if (a < b) ++pairs[{a, b}];
    }
  double best_lift = 0;
  const auto n = static_cast<double>(baskets.size());
  for (const auto& [pair, count] : pairs)
    if (count >= 100)
      best_lift = std::max(best_lift, count * n / (support[pair.first] * support[pair.second]));
  EXPECT_GT(best_lift, 1.5);
}

TEST(Generator, IntermittentProductsSellWithGapsAboveTheBound) {
  GeneratorOptions options = small();
  options.products = 100;
  options.popularity_exponent = 0;  // all alike: without the option each sells nearly every day
  options.units_per_day = 6;
  const Generated out = generated(options);
  std::map<std::string, std::pair<double, double>> days;  // all, with demand
  for (const Truth& truth : out.rows.known) {
    auto& [all, selling] = days[truth.product];
    all += 1;
    selling += truth.demand > 0;
  }
  int intermittent = 0;
  for (const auto& [product, count] : days) intermittent += count.first / count.second > 1.32;
  EXPECT_EQ(intermittent, out.summary.intermittent_products);
  EXPECT_NEAR(intermittent, 20, 9);
}

TEST(Generator, HoldoutHasTruthWithoutSales) {
  GeneratorOptions options = small();
  options.days = 30;
  options.holdout_days = 14;
  const Generated out = generated(options);
  const Date last_sale = utc_date(out.rows.sold.back().at);
  EXPECT_LT(last_sale.days, options.first_day.days + 30);
  EXPECT_EQ(out.rows.known.back().date.days, options.first_day.days + 43);
  options.holdout_days = 0;
  EXPECT_EQ(generated(options).rows.sold.size(), out.rows.sold.size());
}

TEST(Generator, MemoryIsOneBatchHoweverManyDays) {
  GeneratorOptions options = small();
  options.batch_rows = 1000;
  // An order is never split, so a batch may pass its size by one basket.
  EXPECT_LT(generated(options).rows.largest_batch, 1100U);

  class Drop final : public GeneratorSink {
    Result<> sales(const ColumnBatch&) override { return {}; }
    Result<> truth(const ColumnBatch&) override { return {}; }
  } drop;
  NoProgress progress;
  const auto peak_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  options.days = 100;
  ASSERT_OK(generate(options, drop, progress));
  const long before = peak_kib();
  options.days = 5'000;
  ASSERT_OK(generate(options, drop, progress));
  EXPECT_LT(peak_kib() - before, 4'096);
}

TEST(Generator, NamesTheOptionThatIsOutOfRange) {
  GeneratorOptions options;
  Collect sink;
  NoProgress progress;
  options.stockout_share = 0.5;
  EXPECT_ERROR(generate(options, sink, progress), ErrorCode::kInvalidInput,
               "stockout_share is 0.5, expected 0 to 0.1");
  options = {};
  options.stores = 0;
  EXPECT_ERROR(generate(options, sink, progress), ErrorCode::kInvalidInput, "stores");
}

TEST(Generator, SinkErrorsAndCancellationEndTheRun) {
  class Full final : public GeneratorSink {
    Result<> sales(const ColumnBatch&) override { return io_error("disk full"); }
    Result<> truth(const ColumnBatch&) override { return {}; }
  } full;
  NoProgress progress;
  EXPECT_ERROR(generate(small(), full, progress), ErrorCode::kIo, "disk full");
  class Stop final : public Progress {
   public:
    void update(std::uint64_t done, std::uint64_t) override { done_ = done; }
    bool cancelled() const override { return done_ >= 3; }

   private:
    std::uint64_t done_ = 0;
  } stop;
  Collect sink;
  EXPECT_ERROR(generate(small(), sink, stop), ErrorCode::kCancelled, "day 3");
}

TEST(DeterministicMath, AgreesWithTheMathLibrary) {
  for (double x = -40; x <= 40; x += 0.37) EXPECT_NEAR(deterministic::exp(x) / std::exp(x), 1.0, 1e-13) << x;
  for (double x = 1e-6; x < 1e6; x *= 1.7) EXPECT_NEAR(deterministic::log(x), std::log(x), 1e-13) << x;
  for (double t = -3; t <= 3; t += 0.013)
    EXPECT_NEAR(deterministic::sin_turns(t), std::sin(2 * M_PI * t), 1e-13) << t;
  for (double p = 0.001; p < 1; p += 0.001)
    EXPECT_NEAR(0.5 * std::erfc(-deterministic::normal_quantile(p) / std::sqrt(2.0)), p, 1e-8) << p;
}

TEST(DeterministicMath, PoissonHasItsMeanAndVariance) {
  for (const double mean : {0.05, 0.7, 3.0, 8.0, 40.0}) {
    deterministic::Random random(7);
    const int n = 200'000;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < n; ++i) {
      const double k = deterministic::poisson(random, mean);
      sum += k;
      squares += k * k;
    }
    const double variance = squares / n - sum / n * (sum / n);
    EXPECT_NEAR(sum / n, mean, 5 * std::sqrt(mean / n)) << mean;
    EXPECT_NEAR(variance / mean, 1.0, 0.03) << mean;
  }
}

TEST(BatchCsv, QuotesTextAndWritesExactNumbers) {
  using enum ColumnType;
  ColumnBatch batch;
  batch.rows = 2;
  batch.columns.resize(7);
  batch.columns[0] = {{"a,b", kText}, {"say \"hi\"", "x\ny"}, {}, {}, {}};
  batch.columns[1] = {{"q", kDecimal3}, {}, {-1500, 2000}, {}, {}};
  batch.columns[2] = {{"m", kDecimal4}, {}, {125000, -12}, {}, {}};
  batch.columns[3] = {{"t", kTimestamp}, {}, {1'700'000'000'000'000, -1}, {}, {}};
  batch.columns[4] = {{"d", kDate}, {}, {0, -1}, {}, {0, 1}};
  batch.columns[5] = {{"f", kDouble}, {}, {}, {0.5, -2.0000004}, {}};
  batch.columns[6] = {{"b", kBool}, {}, {1, 0}, {}, {}};
  std::string text;
  BatchCsv csv([&](std::string_view bytes) -> Result<> {
    text += bytes;
    return {};
  });
  ASSERT_OK(csv.add(batch));
  ASSERT_OK(csv.finish());
  EXPECT_EQ(text,
            "\"a,b\",q,m,t,d,f,b\n"
            "\"say \"\"hi\"\"\",-1.5,12.50,2023-11-14T22:13:20Z,,0.500000,true\n"
            "\"x\ny\",2,-0.0012,1969-12-31T23:59:59.999999Z,1969-12-31,-2.000000,false\n");
}

}  // namespace
}  // namespace tillcast::sources
