#include "sources/generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sources/generator_demand_internal.h"

namespace tillcast::sources {
namespace {

using deterministic::hash;
using deterministic::Random;

// Streams of the day loop; the model's own are below 64.
constexpr std::uint64_t kDemandStream = 64;
constexpr std::uint64_t kBasketStream = 65;

constexpr int kReturnDaysMax = 21;
constexpr double kCompanionShare = 0.35;  // lines that join a basket with their companion, where there is one
constexpr double kCustomerSkew = 2.5;     // > 1: few customers buy often
constexpr int kOpensAtSecond = 8 * 3600;
constexpr int kOpenSeconds = 12 * 3600;
constexpr std::int64_t kUnitsPerCent = 100;  // DECIMAL(18,4)
constexpr std::int64_t kThousandths = 1000;  // DECIMAL(18,3)

struct Line {
  std::int32_t product = 0;
  std::int32_t quantity = 0;
  std::int32_t order = 0;
};

struct PendingReturn {
  std::uint64_t order = 0;
  std::int32_t store = 0;
  std::int32_t product = 0;
  std::int32_t quantity = 0;
  std::int32_t price_cents = 0;
  std::int32_t customer = -1;
  bool promotion = false;
};

enum SaleColumn {
  kOrderId,
  kLineNo,
  kKind,
  kOrderedAt,
  kStoreId,
  kProductId,
  kProductName,
  kQuantity,
  kUnitPrice,
  kAmount,
  kCurrency,
  kCustomerId,
  kCountry,
  kChannel,
  kPromotion
};
enum TruthColumn {
  kTruthStore,
  kTruthProduct,
  kTruthDate,
  kTruthExpected,
  kTruthPromotion,
  kTruthPrice,
  kTruthStockout,
  kTruthDemand
};

ColumnBatch empty_batch(std::initializer_list<ColumnSpec> specs, std::size_t rows) {
  ColumnBatch batch;
  for (const ColumnSpec& spec : specs) {
    Column column;
    column.spec = spec;
    if (spec.type == ColumnType::kText)
      column.text.reserve(rows);
    else if (spec.type == ColumnType::kDouble)
      column.doubles.reserve(rows);
    else
      column.ints.reserve(rows);
    batch.columns.push_back(std::move(column));
  }
  return batch;
}

ColumnBatch empty_sales(std::size_t rows) {
  using enum ColumnType;
  return empty_batch({{"order_id", kText},
                      {"line_no", kInt32},
                      {"kind", kText},
                      {"ordered_at", kTimestamp},
                      {"store_id", kText},
                      {"product_id", kText},
                      {"product_name", kText},
                      {"quantity", kDecimal3},
                      {"unit_price", kDecimal4},
                      {"amount", kDecimal4},
                      {"currency", kText},
                      {"customer_id", kText},
                      {"country", kText},
                      {"channel", kText},
                      {"promotion", kBool}},
                     rows);
}

ColumnBatch empty_truth(std::size_t rows) {
  using enum ColumnType;
  return empty_batch({{"store_id", kText},
                      {"product_id", kText},
                      {"date", kDate},
                      {"expected_units", kDouble},
                      {"promotion", kBool},
                      {"price", kDecimal4},
                      {"stockout", kBool},
                      {"demand_units", kDecimal3}},
                     rows);
}

/// Sum of |units - expected| over sum of units.
struct Floor {
  double error = 0;
  double units = 0;
  void add(double expected, double demand) {
    error += std::abs(demand - expected);
    units += demand;
  }
  double wape() const { return units > 0 ? error / units : 0; }
};

struct Sum {
  double expected = 0;
  double demand = 0;
};

class Generator {
 public:
  Generator(const GeneratorOptions& options, GeneratorSink& sink)
      : options_(options), sink_(sink), model_(std::make_shared<DemandModel>(options)) {
    const std::size_t products = model_->products().size();
    by_product_.resize(products);
    first_line_.resize(products + 1);
    sales_ = empty_sales(options.batch_rows);
    truth_ = empty_truth(options.truth ? options.batch_rows : 0);
    text_ = std::make_shared<TextArena>();
  }

  Result<GeneratorSummary> run(Progress& progress);

 private:
  Result<> run_store_day(int store);
  Result<> draw_demand(int store, bool takes_flyer);
  Result<> write_returns(int store, Random& random);
  Result<> write_orders(int store, bool takes_flyer, Random& random);
  void split_into_lines(int product, int units, Random& random);
  void assign_orders(Random& random);
  std::string_view order_text(char prefix, std::uint64_t number);
  std::string_view customer_text(std::int32_t customer);
  void add_sale(std::string_view order, int line_no, Timestamp at, int store, int product, int quantity,
                int price_cents, std::string_view customer, bool promotion);
  Result<> flush_sales(std::size_t at_least);
  Result<> flush_truth(std::size_t at_least);
  void plan_return(const PendingReturn& planned, Random& random);

  const GeneratorOptions options_;
  GeneratorSink& sink_;
  std::shared_ptr<DemandModel> model_;
  GeneratorSummary summary_;
  ColumnBatch sales_;
  ColumnBatch truth_;
  std::shared_ptr<TextArena> text_;
  std::vector<Line> lines_;               // of one shop's day, by product
  std::vector<std::int32_t> first_line_;  // per product, its first line of the day; products + 1
  std::vector<std::int32_t> order_begin_;
  std::vector<std::int32_t> by_order_;
  std::vector<Sum> by_product_;                                         // of one day over all shops
  std::array<std::vector<PendingReturn>, kReturnDaysMax + 2> returns_;  // ring by day
  std::size_t returns_done_ = 0;                                        // of today's list
  std::uint64_t order_number_ = 0;
  int day_ = 0;
  bool selling_ = true;  // false in the hold-out, which has truth only
  Floor cell_floor_;
  Floor product_floor_;
  Floor store_floor_;
};

Result<GeneratorSummary> Generator::run(Progress& progress) {
  const int days = options_.days + options_.holdout_days;
  for (day_ = 0; day_ < days; ++day_) {
    if (progress.cancelled()) return cancelled("generate: stopped at day " + std::to_string(day_));
    selling_ = day_ < options_.days;
    model_->start_day(day_);
    for (Sum& sum : by_product_) sum = {};
    auto& due = returns_[static_cast<std::size_t>(day_) % returns_.size()];
    std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) {
      return a.store != b.store ? a.store < b.store : a.order < b.order;
    });
    returns_done_ = 0;
    for (int store = 0; store < options_.stores; ++store)
      if (model_->is_open(store)) TILLCAST_TRY_PLAIN(run_store_day(store));
    auto& next = returns_[static_cast<std::size_t>(day_ + 1) % returns_.size()];
    next.insert(next.end(), due.begin() + static_cast<std::ptrdiff_t>(returns_done_), due.end());
    due.clear();
    for (const Sum& sum : by_product_) product_floor_.add(sum.expected, sum.demand);
    progress.update(static_cast<std::uint64_t>(day_) + 1, static_cast<std::uint64_t>(days));
  }
  TILLCAST_TRY_PLAIN(flush_sales(1));
  TILLCAST_TRY_PLAIN(flush_truth(1));
  summary_.intermittent_products = model_->intermittent_products();
  summary_.wape_floor_store_product_day = cell_floor_.wape();
  summary_.wape_floor_product_day = product_floor_.wape();
  summary_.wape_floor_store_day = store_floor_.wape();
  return summary_;
}

Result<> Generator::run_store_day(int store) {
  const bool takes_flyer = model_->takes_flyer(store);
  TILLCAST_TRY_PLAIN(draw_demand(store, takes_flyer));
  if (!selling_) return {};
  Random random(hash(options_.seed, kBasketStream, static_cast<std::uint64_t>(store),
                     static_cast<std::uint64_t>(day_)));
  TILLCAST_TRY_PLAIN(write_returns(store, random));
  assign_orders(random);
  return write_orders(store, takes_flyer, random);
}

/// Draws each product's demand in one shop, keeps the truth, and cuts what was sold into lines.
Result<> Generator::draw_demand(int store, bool takes_flyer) {
  Random random(hash(options_.seed, kDemandStream, static_cast<std::uint64_t>(store),
                     static_cast<std::uint64_t>(day_)));
  const double traffic = model_->draw_traffic(random);
  const auto& products = model_->products();
  const std::string& store_id = model_->stores()[static_cast<std::size_t>(store)].id;
  Sum day;
  lines_.clear();
  for (std::size_t p = 0; p < products.size(); ++p) {
    first_line_[p] = static_cast<std::int32_t>(lines_.size());
    if (!products[p].on_sale) continue;
    const auto cell = model_->draw(store, static_cast<int>(p), takes_flyer, traffic, random);
    if (selling_) {
      ++summary_.truth_rows;
      summary_.expected_units += cell.expected_units;
      summary_.units_lost += cell.demand - cell.sold;
      if (cell.stockout) {
        ++summary_.stockout_rows;
      } else {
        cell_floor_.add(cell.expected_units, cell.demand);
        day.expected += cell.expected_units;
        day.demand += cell.demand;
        by_product_[p].expected += cell.expected_units;
        by_product_[p].demand += cell.demand;
      }
      split_into_lines(static_cast<int>(p), cell.sold, random);
    }
    if (options_.truth) {
      auto& columns = truth_.columns;
      columns[kTruthStore].text.push_back(store_id);
      columns[kTruthProduct].text.push_back(products[p].id);
      columns[kTruthDate].ints.push_back(model_->date().days);
      columns[kTruthExpected].doubles.push_back(cell.expected_units);
      columns[kTruthPromotion].ints.push_back(cell.promotion);
      columns[kTruthPrice].ints.push_back(cell.price_cents * kUnitsPerCent);
      columns[kTruthStockout].ints.push_back(cell.stockout);
      columns[kTruthDemand].ints.push_back(cell.demand * kThousandths);
      ++truth_.rows;
      if (truth_.rows >= options_.batch_rows) TILLCAST_TRY_PLAIN(flush_truth(1));
    }
  }
  first_line_[products.size()] = static_cast<std::int32_t>(lines_.size());
  if (selling_) store_floor_.add(day.expected, day.demand);
  return {};
}

void Generator::split_into_lines(int product, int units, Random& random) {
  const std::uint32_t more = model_->products()[static_cast<std::size_t>(product)].line_quantity_odds;
  while (units > 0) {
    int quantity = 1;
    while (quantity < units && static_cast<std::uint32_t>(random.next()) < more) ++quantity;
    lines_.push_back({product, quantity, 0});
    units -= quantity;
  }
}

/// Gives each line an order of the day: with its companion product where both sell, else any.
void Generator::assign_orders(Random& random) {
  const auto orders = static_cast<std::uint64_t>(
      std::max(1.0, std::floor(static_cast<double>(lines_.size()) / options_.basket_lines + 0.5)));
  order_begin_.assign(orders + 1, 0);
  for (Line& line : lines_) {
    const std::int32_t companion = model_->products()[static_cast<std::size_t>(line.product)].companion;
    line.order = static_cast<std::int32_t>(random.below(orders));
    if (companion >= 0 && random.uniform() < kCompanionShare) {
      const auto begin = first_line_[static_cast<std::size_t>(companion)];
      const auto end = first_line_[static_cast<std::size_t>(companion) + 1];
      if (end > begin) {
        const auto pick =
            begin + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(end - begin)));
        line.order = lines_[static_cast<std::size_t>(pick)].order;
      }
    }
    ++order_begin_[static_cast<std::size_t>(line.order) + 1];
  }
  for (std::size_t i = 1; i <= orders; ++i) order_begin_[i] += order_begin_[i - 1];
  by_order_.resize(lines_.size());
  for (std::size_t i = lines_.size(); i-- > 0;) {
    // Filled from the back of each order, so that its lines keep the order of products.
    const auto order = static_cast<std::size_t>(lines_[i].order);
    by_order_[static_cast<std::size_t>(--order_begin_[order + 1])] = static_cast<std::int32_t>(i);
  }
}

Result<> Generator::write_orders(int store, bool takes_flyer, Random& random) {
  const auto& shop = model_->stores()[static_cast<std::size_t>(store)];
  const auto& products = model_->products();
  const std::int64_t midnight = model_->date().days * kMicrosPerDay;
  // assign_orders left the begin of order i in order_begin_[i + 1].
  const std::size_t orders = order_begin_.size() - 1;
  for (std::size_t order = 0; order < orders; ++order) {
    const auto begin = static_cast<std::size_t>(order_begin_[order + 1]);
    const auto end = order + 1 < orders ? static_cast<std::size_t>(order_begin_[order + 2]) : lines_.size();
    // Drawn for empty orders too, so that the stream does not depend on them.
    const double place = (static_cast<double>(order) + random.uniform()) / static_cast<double>(orders);
    const bool anonymous = random.uniform() < options_.anonymous_share;
    const double rank = deterministic::power(random.uniform() + 1e-12, kCustomerSkew);
    const bool comes_back = random.uniform() < options_.return_share;
    if (begin == end) continue;
    const std::int32_t customer =
        anonymous
            ? -1
            : shop.first_customer + static_cast<std::int32_t>(std::min(rank, 0.999999) * shop.customers);
    const auto second = kOpensAtSecond + static_cast<std::int64_t>(place * kOpenSeconds);
    const Timestamp at{midnight + second * kMicrosPerSecond};
    ++order_number_;
    ++summary_.orders;
    const std::string_view id = order_text('T', order_number_);
    const std::string_view customer_id = customer_text(customer);
    for (std::size_t i = begin; i < end; ++i) {
      const Line& line = lines_[static_cast<std::size_t>(by_order_[i])];
      const GeneratedProduct& product = products[static_cast<std::size_t>(line.product)];
      const bool promotion = takes_flyer && product.in_flyer;
      const std::int32_t price = promotion ? product.flyer_cents : product.regular_cents;
      add_sale(id, static_cast<int>(i - begin) + 1, at, store, line.product, line.quantity, price,
               customer_id, promotion);
      if (comes_back && i == begin + order % (end - begin))
        plan_return({order_number_, store, line.product, line.quantity, price, customer, promotion}, random);
    }
    TILLCAST_TRY_PLAIN(flush_sales(options_.batch_rows));
  }
  return {};
}

void Generator::plan_return(const PendingReturn& planned, Random& random) {
  PendingReturn back = planned;
  back.quantity = 1 + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(planned.quantity)));
  const auto due = static_cast<std::size_t>(day_) + 1 + random.below(kReturnDaysMax);
  returns_[due % returns_.size()].push_back(back);
}

/// Takes back what is due in this shop today. Shops come in ascending order, as the day's list is sorted;
/// what a closed shop missed comes tomorrow.
Result<> Generator::write_returns(int store, Random& random) {
  auto& due = returns_[static_cast<std::size_t>(day_) % returns_.size()];
  auto& next = returns_[static_cast<std::size_t>(day_ + 1) % returns_.size()];
  for (; returns_done_ < due.size() && due[returns_done_].store <= store; ++returns_done_) {
    const PendingReturn& back = due[returns_done_];
    if (back.store < store) {
      next.push_back(back);
      continue;
    }
    const auto second = kOpensAtSecond + static_cast<std::int64_t>(random.below(kOpenSeconds));
    const Timestamp at{model_->date().days * kMicrosPerDay + second * kMicrosPerSecond};
    add_sale(order_text('R', back.order), 1, at, store, back.product, -back.quantity, back.price_cents,
             customer_text(back.customer), back.promotion);
    TILLCAST_TRY_PLAIN(flush_sales(options_.batch_rows));
  }
  return {};
}

std::string_view Generator::order_text(char prefix, std::uint64_t number) {
  // Nine digits, more once they are needed: no id is used twice.
  char buffer[24];
  char* at = buffer + sizeof buffer;
  int digits = 0;
  for (; number > 0 || digits < 9; number /= 10, ++digits) *--at = static_cast<char>('0' + number % 10);
  *--at = prefix;
  return text_->add({at, static_cast<std::size_t>(buffer + sizeof buffer - at)});
}

std::string_view Generator::customer_text(std::int32_t customer) {
  if (customer < 0) return {};
  char buffer[16];
  char* at = buffer + sizeof buffer;
  auto number = static_cast<std::uint32_t>(customer) + 1;
  for (int digits = 0; number > 0 || digits < 6; number /= 10, ++digits)
    *--at = static_cast<char>('0' + number % 10);
  *--at = 'C';
  return text_->add({at, static_cast<std::size_t>(buffer + sizeof buffer - at)});
}

void Generator::add_sale(std::string_view order, int line_no, Timestamp at, int store, int product,
                         int quantity, int price_cents, std::string_view customer, bool promotion) {
  const GeneratedStore& shop = model_->stores()[static_cast<std::size_t>(store)];
  const GeneratedProduct& item = model_->products()[static_cast<std::size_t>(product)];
  const std::int64_t cents = static_cast<std::int64_t>(quantity) * price_cents;
  auto& columns = sales_.columns;
  columns[kOrderId].text.push_back(order);
  columns[kLineNo].ints.push_back(line_no);
  columns[kKind].text.push_back(quantity > 0 ? "sale" : "return");
  columns[kOrderedAt].ints.push_back(at.micros);
  columns[kStoreId].text.push_back(shop.id);
  columns[kProductId].text.push_back(item.id);
  columns[kProductName].text.push_back(item.name);
  columns[kQuantity].ints.push_back(quantity * kThousandths);
  columns[kUnitPrice].ints.push_back(price_cents * kUnitsPerCent);
  columns[kAmount].ints.push_back(cents * kUnitsPerCent);
  columns[kCurrency].text.push_back("EUR");
  columns[kCustomerId].text.push_back(customer);
  columns[kCustomerId].valid.push_back(customer.empty() ? 0 : 1);
  columns[kCountry].text.push_back(shop.country);
  columns[kChannel].text.push_back(shop.channel);
  columns[kPromotion].ints.push_back(promotion);
  ++sales_.rows;
  ++summary_.rows;
  summary_.net_cents += cents;
  if (quantity > 0) {
    summary_.units_sold += quantity;
  } else {
    summary_.units_returned -= quantity;
    ++summary_.returns;
  }
}

Result<> Generator::flush_sales(std::size_t at_least) {
  if (sales_.rows < at_least) return {};
  sales_.owners = {model_, std::exchange(text_, std::make_shared<TextArena>())};
  const ColumnBatch full = std::exchange(sales_, empty_sales(options_.batch_rows));
  return sink_.sales(full);
}

Result<> Generator::flush_truth(std::size_t at_least) {
  if (truth_.rows < at_least) return {};
  truth_.owners = {model_};
  const ColumnBatch full = std::exchange(truth_, empty_truth(options_.batch_rows));
  return sink_.truth(full);
}

Result<> check_range(const char* name, double value, double low, double high) {
  if (value >= low && value <= high) return {};
  char text[160];
  std::snprintf(text, sizeof text, "generate: option %s is %g, expected %g to %g", name, value, low, high);
  return invalid_input(text);
}

Result<> check_options(const GeneratorOptions& o) {
  struct Range {
    const char* name;
    double value;
    double low;
    double high;
  };
  const Range ranges[] = {
      {"stores", static_cast<double>(o.stores), 1, 100'000},
      {"products", static_cast<double>(o.products), 1, 1'000'000},
      {"days", static_cast<double>(o.days), 1, 36'500},
      {"holdout_days", static_cast<double>(o.holdout_days), 0, 3'650},
      {"first_day (days since 1970-01-01)", static_cast<double>(o.first_day.days), 0, 100'000},
      {"units_per_day", o.units_per_day, 0.0001, 1'000},
      {"growth_per_year", o.growth_per_year, -1, 1},
      {"season_strength", o.season_strength, 0, 2},
      {"popularity_exponent", o.popularity_exponent, 0, 2},
      {"promotion_share", o.promotion_share, 0, 1},
      {"intermittent_share", o.intermittent_share, 0, 0.75},
      {"stockout_share", o.stockout_share, 0, 0.1},
      {"return_share", o.return_share, 0, 1},
      {"anonymous_share", o.anonymous_share, 0, 1},
      {"late_launch_share", o.late_launch_share, 0, 1},
      {"sunday_closed_share", o.sunday_closed_share, 0, 1},
      {"basket_lines", o.basket_lines, 1, 1'000},
      {"customers", static_cast<double>(o.customers), 0, 100'000'000},
      {"batch_rows", static_cast<double>(o.batch_rows), 1, 10'000'000},
  };
  for (const Range& range : ranges)
    TILLCAST_TRY_PLAIN(check_range(range.name, range.value, range.low, range.high));
  return {};
}

}  // namespace

Result<GeneratorSummary> generate(const GeneratorOptions& options, GeneratorSink& sink, Progress& progress) {
  TILLCAST_TRY_PLAIN(check_options(options));
  return Generator(options, sink).run(progress);
}

}  // namespace tillcast::sources
