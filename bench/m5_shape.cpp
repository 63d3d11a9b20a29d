#include "m5_shape.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace tillcast::bench {
namespace {

using namespace forecast;

constexpr std::size_t kStores = 10;
constexpr std::size_t kStates = 3;
constexpr std::size_t kCategories = 3;
constexpr std::size_t kDepartments = 7;
constexpr std::size_t kChunk = 1000;
constexpr std::array<std::array<double, 7>, kCategories> kWeek = {
    {{0.9, 0.85, 0.85, 0.88, 1.0, 1.28, 1.3},
     {0.92, 0.88, 0.86, 0.88, 1.0, 1.24, 1.2},
     {0.95, 0.92, 0.92, 0.93, 1.0, 1.18, 1.08}}};

/// SplitMix64 (Steele, Lea & Flood 2014).
class Random {
 public:
  Random(std::uint64_t stream, std::uint64_t number) : state_(stream * 0x9E3779B97F4A7C15U + number) {
    next();
    next();
  }
  double share() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1.0p-53; }
  double exponential() { return -std::log(share()); }
  double normal() { return std::sqrt(2 * exponential()) * std::cos(6.283185307179586 * share()); }
  /// Counts of mean `mean` whose variance is mean + mean²/2.
  double count(double mean) {
    const double rate = mean * 0.5 * (exponential() + exponential());
    if (rate > 30) return std::max(std::round(rate + std::sqrt(rate) * normal()), 0.0);
    const double limit = std::exp(-rate);
    double product = share();
    int n = 0;
    for (; product > limit; ++n) product *= share();
    return n;
  }

 private:
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

/// Long rows of some series, as a query gives them.
struct Rows {
  std::vector<std::int32_t> series;
  std::vector<Date> date;
  std::vector<double> value;
  std::vector<std::int8_t> promotion;
  std::vector<double> price;
  std::vector<float> event;
};

/// Ten feasts a year, each with what it does to sales; 1 = a common day.
double event_factor(Date date) {
  const CivilDate civil = civil_from_date(date);
  const int day = civil.month * 100 + civil.day;
  if (day == 1225) return 0.02;
  if (day == 101 || day == 704) return 0.8;
  if (day == 1231 || day == 1224 || day == 214 || day == 505 || day == 1031 || day == 911) return 1.3;
  return day == 317 ? 1.15 : 1;
}

void add_series(const M5Shape& shape, std::size_t number, std::size_t place, Date first, Rows& rows,
                std::vector<float>& truth) {
  const std::size_t item = number / kStores;
  const std::size_t store = number % kStores;
  const std::size_t category = item % kCategories;
  Random of_item(1, item);
  Random u(2, number);
  const double base = 0.5 * std::exp(1.25 * of_item.normal());
  const double price = 1 + 4 * of_item.exponential();
  const double phase = of_item.share();
  const double swing = 0.05 + 0.25 * of_item.share();
  const double growth = 0.12 * of_item.normal();
  const std::size_t launch =
      of_item.share() < 0.55
          ? 0
          : static_cast<std::size_t>(of_item.share() * 0.75 * static_cast<double>(shape.days));
  const double level =
      std::min(base * (0.5 + 0.12 * static_cast<double>(store)) * std::exp(0.4 * u.normal()), 80.0);
  double wander = 0;
  int out_of_stock = 0;
  bool promoted = false;
  for (std::size_t t = 0; t < shape.days + shape.ahead; ++t) {
    const Date date{first.days + static_cast<std::int32_t>(t)};
    if (t % 7 == 0) {
      promoted = u.share() < 0.08;
      wander = 0.97 * wander + 0.08 * u.normal();
    }
    if (t < launch) continue;
    const double years = static_cast<double>(t) / 365.25;
    const double event = event_factor(date);
    const double mean = level * kWeek[category][static_cast<std::size_t>(iso_weekday(date) - 1)] * event *
                        (1 + swing * std::sin(6.283185307179586 * (years - phase))) *
                        std::exp(growth * (years - 2.5) + wander) * (promoted ? 1.5 : 1.0);
    if (out_of_stock > 0)
      --out_of_stock;
    else if (u.share() < 0.002)
      out_of_stock = 2 + static_cast<int>(18 * u.share());
    const double sold = out_of_stock > 0 ? 0 : u.count(mean);
    rows.series.push_back(static_cast<std::int32_t>(place));
    rows.date.push_back(date);
    rows.value.push_back(t < shape.days ? sold : 0);
    rows.promotion.push_back(promoted ? 1 : 0);
    rows.price.push_back(price * (promoted ? 0.8 : 1.0) * (1 + 0.02 * std::floor(years)));
    rows.event.push_back(event != 1 ? 1.0F : 0.0F);
    if (t >= shape.days) truth.push_back(static_cast<float>(sold));
  }
}

}  // namespace

M5Demand make_m5_shape(const M5Shape& shape) {
  M5Demand demand;
  demand.series.reserve(shape.series);
  demand.truth.reserve(shape.series * shape.ahead);
  demand.attributes = {{"item", true, {}},
                       {"store", true, {}},
                       {"state", true, {}},
                       {"category", true, {}},
                       {"department", true, {}}};
  const Date first = date_from_civil(2011, 1, 29);
  SeriesOptions options;
  options.cut = Date{first.days + static_cast<std::int32_t>(shape.days) - 1};
  options.drivers_until = Date{options.cut->days + static_cast<std::int32_t>(shape.ahead)};
  Rows rows;
  for (std::size_t begin = 0; begin < shape.series; begin += kChunk) {
    const std::size_t count = std::min(kChunk, shape.series - begin);
    rows = {};
    for (std::size_t i = 0; i < count; ++i) add_series(shape, begin + i, i, first, rows, demand.truth);
    LongTable table{rows.series, rows.date, rows.value, rows.promotion, {}, rows.price, count};
    table.drivers = {{"event", DriverKind::kFlag, rows.event}};
    auto built = build_series(table, options);
    if (!built) {
      std::fprintf(stderr, "%s\n", built.error().message.c_str());
      std::exit(1);
    }
    for (std::size_t i = 0; i < count; ++i) {
      Series& one = demand.series.emplace_back(std::move((*built)[i]));
      one.index = begin + i;
      const std::size_t item = one.index / kStores;
      const std::size_t store = one.index % kStores;
      const std::array<std::size_t, 5> values = {item, store, store * kStates / kStores, item % kCategories,
                                                 item % kDepartments};
      for (std::size_t a = 0; a < values.size(); ++a)
        demand.attributes[a].value.push_back(static_cast<float>(values[a]));
    }
  }
  return demand;
}

}  // namespace tillcast::bench
