#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "core/check.h"
#include "sources/generator_demand_internal.h"

namespace tillcast::sources {
namespace {

using deterministic::hash;
using deterministic::unit;

// Each kind of decision has its own stream, so that changing one leaves the others as they were.
enum Stream : std::uint64_t {
  kCategories = 1,
  kProducts,
  kProductOrder,
  kStores,
  kAffinity,
  kFlyer,
  kFlyerDepth,
  kFlyerStore,
  kPriceChange,
  kStock,
};

constexpr int kCategoryCount = 8;
constexpr double kDaysPerYear = 365.25;
constexpr double kInflationPerYear = 0.02;
constexpr int kPriceReviewDays = 91;
// Stock-outs come in blocks of four weeks: at most one episode of 1..7 days, 4 on average, in each.
constexpr int kStockBlockDays = 28;
constexpr int kStockoutDaysMax = 7;
constexpr double kStockoutDaysMean = 4.0;
constexpr double kSellingDaysMax = 0.7;  // of an intermittent product: a mean gap of at least 1.43 days

constexpr const char* kNouns[kCategoryCount][5] = {{"Coffee", "Tea", "Juice", "Water", "Lemonade"},
                                                   {"Mug", "Bowl", "Plate", "Jug", "Tray"},
                                                   {"Lamp", "Candle", "Lantern", "Clock", "Frame"},
                                                   {"Notebook", "Pencil", "Card", "Ribbon", "Label"},
                                                   {"Chocolate", "Biscuit", "Jam", "Honey", "Cake"},
                                                   {"Soap", "Shampoo", "Towel", "Brush", "Cream"},
                                                   {"Scarf", "Glove", "Hat", "Umbrella", "Bag"},
                                                   {"Planter", "Seeds", "Watering Can", "Gloves", "Twine"}};
constexpr const char* kAdjectives[] = {"Red",    "Blue",    "Green",   "White",   "Classic", "Small",
                                       "Large",  "Vintage", "Organic", "Striped", "Plain",   "Fine",
                                       "Travel", "Family",  "Winter",  "Garden"};
constexpr const char* kCountries[] = {"Germany", "United Kingdom", "France", "Netherlands", "Spain"};

double between(double low, double high, std::uint64_t bits) { return low + (high - low) * unit(bits); }

std::int32_t to_cents(double cents) {
  return std::max(1, static_cast<std::int32_t>(std::floor(cents + 0.5)));
}

std::string numbered(char prefix, std::size_t digits, int number) {
  const std::string text = std::to_string(number);
  std::string id(1, prefix);
  id.append(digits > text.size() ? digits - text.size() : 0, '0');
  return id.append(text);
}

std::size_t digits_for(int count, std::size_t at_least) {
  return std::max(std::to_string(count).size(), at_least);
}

}  // namespace

DemandModel::DemandModel(const GeneratorOptions& options) : options_(options) {
  for (const double sigma : {0.15, 0.30, 0.50}) noise_.emplace_back(sigma);
  make_categories();
  make_products();
  make_stores();
}

void DemandModel::make_categories() {
  const double strength = options_.season_strength;
  for (int c = 0; c < kCategoryCount; ++c) {
    deterministic::Random random(hash(options_.seed, kCategories, static_cast<std::uint64_t>(c)));
    Category category{};
    double sum = 0;
    for (int weekday = 0; weekday < 7; ++weekday) {
      // Saturdays are the busiest, Mondays to Wednesdays quiet; each category varies around that.
      constexpr double kWeek[7] = {0.82, 0.84, 0.88, 1.00, 1.18, 1.42, 0.86};
      const double log_factor = deterministic::log(kWeek[weekday]) + 0.10 * (random.uniform() - 0.5);
      sum += category.weekly[weekday] = deterministic::exp(strength * log_factor);
    }
    for (double& factor : category.weekly) factor *= 7.0 / sum;
    category.growth = options_.growth_per_year + 0.08 * (random.uniform() - 0.5);
    category.amplitude[0] = strength * between(0.05, 0.35, random.next());
    category.amplitude[1] = strength * between(0.0, 0.12, random.next());
    category.phase[0] = random.uniform();
    category.phase[1] = random.uniform();
    category.christmas = c % 2 == 0 ? strength * between(0.3, 0.9, random.next()) : 0.0;
    categories_.push_back(category);
  }
}

void DemandModel::make_products() {
  const auto count = static_cast<std::size_t>(options_.products);
  // Products are held by popularity; their numbers are shuffled, so that an id does not tell the rank.
  std::vector<int> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<int>(i) + 1;
  deterministic::Random order(hash(options_.seed, kProductOrder));
  for (std::size_t i = count; i > 1; --i) std::swap(numbers[i - 1], numbers[order.below(i)]);

  const std::size_t digits = digits_for(options_.products, 4);
  double weight_sum = 0;
  products_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    deterministic::Random random(hash(options_.seed, kProducts, i));
    GeneratedProduct& product = products_[i];
    product.id = numbered('P', digits, numbers[i]);
    product.category = static_cast<std::uint8_t>(random.below(kCategoryCount));
    const char* noun = kNouns[product.category][random.below(std::size(kNouns[0]))];
    const char* adjective = kAdjectives[random.below(std::size(kAdjectives))];
    // One name in eight has a comma, as real ones do, so that readers meet quoted fields.
    product.name =
        random.below(8) == 0 ? std::string(noun) + ", " + adjective : std::string(adjective) + " " + noun;
    product.name += " " + std::to_string(numbers[i]);
    product.units = deterministic::power(static_cast<double>(i) + 1.0, -options_.popularity_exponent);
    weight_sum += product.units;
    product.elasticity = between(0.8, 2.4, random.next());
    product.display_uplift = between(1.10, 1.70, random.next());
    product.base_cents =
        to_cents(deterministic::exp(between(4.6, 8.6, random.next())));  // 1 to 54, log-uniform
    product.regular_cents = product.base_cents;
    const double bulk = random.uniform();
    product.line_quantity_odds = static_cast<std::uint32_t>((bulk < 0.6   ? 0.15
                                                             : bulk < 0.9 ? 0.35
                                                                          : 0.70) *
                                                            4294967296.0);
    if (i > 0) {
      const double u = random.uniform();
      product.companion = static_cast<std::int32_t>(u * u * static_cast<double>(i));
    }
    product.noise_class = static_cast<std::uint8_t>(random.below(noise_.size()));
    if (random.uniform() < options_.late_launch_share && i > 0)
      product.launch_day = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(options_.days)));
    // Slow sellers become intermittent: the best-selling quarter is spared, the rest drawn more often.
    const bool slow = i >= count / 4;
    if (random.uniform() < options_.intermittent_share * 4.0 / 3.0 && slow) {
      product.lot_size = between(1.5, 6.0, random.next());
      ++intermittent_products_;
    }
  }
  const double scale = options_.units_per_day * static_cast<double>(count) / weight_sum;
  for (GeneratedProduct& product : products_) {
    product.units *= scale;
    // Lots grow rather than let an intermittent product sell on most days.
    if (product.lot_size > 0) product.lot_size = std::max(product.lot_size, product.units / 0.3);
  }
}

void DemandModel::make_stores() {
  const deterministic::UnitMeanFactors sizes(0.40);
  const std::size_t digits = digits_for(options_.stores, 3);
  const int customers = options_.customers > 0 ? options_.customers : 300 * options_.stores;
  for (int s = 0; s < options_.stores; ++s) {
    deterministic::Random random(hash(options_.seed, kStores, static_cast<std::uint64_t>(s)));
    GeneratedStore store;
    store.id = numbered('S', digits, s + 1);
    store.country = kCountries[random.below(std::size(kCountries))];
    store.size = sizes.at(random.next());
    store.sunday_closed = random.uniform() < options_.sunday_closed_share;
    if (s % 8 == 7) {
      store.channel = "online";
      store.sunday_closed = false;
    }
    const std::int64_t from = static_cast<std::int64_t>(customers) * s / options_.stores;
    const std::int64_t to = static_cast<std::int64_t>(customers) * (s + 1) / options_.stores;
    store.first_customer = static_cast<int>(from);
    store.customers = static_cast<int>(std::max<std::int64_t>(1, to - from));
    stores_.push_back(std::move(store));
  }
}

void DemandModel::start_day(int day) {
  TILLCAST_CHECK(day == day_ + 1, "generator days follow each other");
  day_ = day;
  const Date today = date();
  // Weeks start on Monday; flyers hold for a week.
  week_ = (today.days + 3 - ((today.days + 3) % 7 + 7) % 7) / 7;
  const CivilDate civil = civil_from_date(today);
  const double year_turns = (today.days - date_from_civil(civil.year, 1, 1).days) / kDaysPerYear;
  const double years = day / kDaysPerYear;
  const double to_christmas = (today.days - date_from_civil(civil.year, 12, 17).days) / 9.0;
  const double christmas = deterministic::exp(-0.5 * std::min(to_christmas * to_christmas, 200.0));
  inflation_ = deterministic::exp(kInflationPerYear * years);
  for (Category& category : categories_) {
    double log_factor = category.growth * years + category.christmas * christmas;
    for (int harmonic = 0; harmonic < 2; ++harmonic)
      log_factor += category.amplitude[harmonic] *
                    deterministic::sin_turns((harmonic + 1) * year_turns + category.phase[harmonic]);
    category.factor = category.weekly[iso_weekday(today) - 1] * deterministic::exp(log_factor);
  }
  for (std::size_t i = 0; i < products_.size(); ++i) start_product_day(products_[i], static_cast<int>(i));
}

bool DemandModel::in_flyer(int product, int week) const {
  return unit(hash(options_.seed, kFlyer, static_cast<std::uint64_t>(product),
                   static_cast<std::uint64_t>(week))) < options_.promotion_share;
}

void DemandModel::start_product_day(GeneratedProduct& product, int index) {
  const auto key = static_cast<std::uint64_t>(index);
  product.on_sale = day_ >= product.launch_day;
  if (day_ > 0 && (day_ + index * 37) % kPriceReviewDays == 0) {
    const std::uint64_t bits = hash(options_.seed, kPriceChange, key, static_cast<std::uint64_t>(day_));
    if (bits % 100 < 60) {
      // Prices follow inflation with steps of a few per cent around it.
      const double step = deterministic::exp(
          0.06 * deterministic::normal_quantile(unit(deterministic::mix(bits)) * 0.998 + 0.001));
      product.regular_cents = to_cents(product.base_cents * inflation_ * step);
    }
  }
  const double relative_price = product.regular_cents / (product.base_cents * inflation_);
  product.regular_units = product.units * categories_[product.category].factor *
                          deterministic::power(relative_price, -product.elasticity);
  product.in_flyer = in_flyer(index, week_);
  if (!product.in_flyer && in_flyer(index, week_ - 1)) product.regular_units *= 0.92;  // cupboards are full
  product.flyer_cents = product.regular_cents;
  product.flyer_units = product.regular_units;
  if (product.in_flyer) {
    constexpr double kDepths[] = {0.10, 0.15, 0.20, 0.25, 0.30, 0.40};
    const std::uint64_t bits = hash(options_.seed, kFlyerDepth, key, static_cast<std::uint64_t>(week_));
    product.flyer_cents = to_cents(product.regular_cents * (1.0 - kDepths[bits % std::size(kDepths)]));
    product.flyer_units =
        product.regular_units * product.display_uplift *
        deterministic::power(static_cast<double>(product.flyer_cents) / product.regular_cents,
                             -product.elasticity);
  }
}

bool DemandModel::is_open(int store) const {
  const Date today = date();
  const CivilDate civil = civil_from_date(today);
  if ((civil.month == 12 && civil.day == 25) || (civil.month == 1 && civil.day == 1)) return false;
  return !(stores_[static_cast<std::size_t>(store)].sunday_closed && iso_weekday(today) == 7);
}

bool DemandModel::takes_flyer(int store) const {
  return hash(options_.seed, kFlyerStore, static_cast<std::uint64_t>(store),
              static_cast<std::uint64_t>(week_)) %
             10 !=
         0;
}

/// How much of the day's demand the shelf can serve: 1 = in stock, 0 = empty, between = ran out during the
/// day.
double DemandModel::stock_share(int store, int product) const {
  const auto cell = (static_cast<std::uint64_t>(store) << 32) | static_cast<std::uint64_t>(product);
  const std::uint64_t phase = hash(options_.seed, kStock, cell) % kStockBlockDays;
  const auto shifted = static_cast<std::uint64_t>(day_) + phase;
  const std::uint64_t bits = hash(options_.seed, kStock, cell, shifted / kStockBlockDays + 1);
  if (unit(bits) >= options_.stockout_share * kStockBlockDays / kStockoutDaysMean) return 1.0;
  const std::uint64_t more = deterministic::mix(bits + 1);
  const auto length = static_cast<int>(1 + more % kStockoutDaysMax);
  const auto start = static_cast<int>((more >> 16) % (kStockBlockDays - kStockoutDaysMax + 1));
  const int into = static_cast<int>(shifted % kStockBlockDays) - start;
  if (into < 0 || into >= length) return 1.0;
  return into == 0 ? unit(deterministic::mix(more)) : 0.0;
}

DemandModel::Cell DemandModel::draw(int store, int product, bool takes_flyer, double traffic,
                                    deterministic::Random& random) const {
  const GeneratedProduct& item = products_[static_cast<std::size_t>(product)];
  Cell cell;
  cell.promotion = takes_flyer && item.in_flyer;
  cell.price_cents = cell.promotion ? item.flyer_cents : item.regular_cents;
  const double affinity = affinity_.at(
      hash(options_.seed, kAffinity, static_cast<std::uint64_t>(store), static_cast<std::uint64_t>(product)));
  double mean = (cell.promotion ? item.flyer_units : item.regular_units) * affinity *
                stores_[static_cast<std::size_t>(store)].size;
  if (item.lot_size > 0) {
    const double selling_days = std::min(kSellingDaysMax, mean / item.lot_size);
    mean = selling_days * item.lot_size;
    if (random.uniform() < selling_days)
      cell.demand = 1 + deterministic::poisson(random, item.lot_size - 1.0);
  } else {
    cell.demand = deterministic::poisson(random, mean * traffic * noise_[item.noise_class].at(random.next()));
  }
  cell.expected_units = mean;
  const double share = stock_share(store, product);
  cell.stockout = share < 1.0;
  cell.sold = cell.stockout ? static_cast<std::int32_t>(share * cell.demand) : cell.demand;
  return cell;
}

}  // namespace tillcast::sources
