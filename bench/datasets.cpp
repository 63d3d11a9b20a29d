#include "datasets.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <map>

#include "csv_lines.h"

namespace tillcast::bench {

int missing_data(const std::string& folder, const char* file) {
  std::fprintf(stderr, "%s/%s cannot be read: set TILLCAST_DATASETS to the folder of the data sets\n",
               folder.c_str(), file);
  return 2;
}

bool read_store_item(const std::string& folder, SalesRows& rows) {
  rows.count = kStoreItemStores * kStoreItemItems;
  // date,store,item,sales
  return each_line(content_of(folder + "/store-item-demand/train.csv"), "date", [&](const auto& field) {
    if (field.size() != 4) return false;
    const auto date = parse_date(field[0]);
    if (!date) return false;
    rows.series.push_back((number<std::int32_t>(field[1]) - 1) * static_cast<std::int32_t>(kStoreItemItems) +
                          number<std::int32_t>(field[2]) - 1);
    rows.date.push_back(*date);
    rows.value.push_back(number<double>(field[3]));
    return true;
  });
}

namespace {

/// What M5's calendar.csv says of a day.
struct M5Day {
  std::int32_t week = 0;
  float event = 0;  ///< 0 = none, 1.. = which one
  std::array<float, 3> food_aid{};
};
constexpr std::array<std::string_view, 3> kM5States = {"CA", "TX", "WI"};

/// Numbers names in the order in which they come.
class Codes {
 public:
  std::int32_t of(std::string_view name) {
    const auto next = static_cast<std::int32_t>(codes_.size());
    return codes_.try_emplace(std::string(name), next).first->second;
  }

  std::size_t count() const { return codes_.size(); }

 private:
  std::map<std::string, std::int32_t, std::less<>> codes_;
};

bool read_m5_days(const std::string& folder, std::vector<M5Day>& days) {
  Codes events;
  // date,wm_yr_wk,weekday,wday,month,year,d,event_name_1,event_type_1,event_name_2,event_type_2,snap_CA,snap_TX,snap_WI
  return each_line(content_of(folder + "/m5/calendar.csv"), "date", [&](const auto& field) {
    if (field.size() != 14) return false;
    M5Day day{.week = number<std::int32_t>(field[1])};
    if (!field[7].empty()) day.event = static_cast<float>(events.of(field[7]) + 1);
    for (std::size_t state = 0; state < 3; ++state) day.food_aid[state] = number<float>(field[11 + state]);
    days.push_back(day);
    return true;
  });
}

/// Prices by store and item, and by week.
using M5Prices = std::map<std::string, std::map<std::int32_t, double>, std::less<>>;

bool read_m5_prices(const std::string& folder, M5Prices& prices) {
  // store_id,item_id,wm_yr_wk,sell_price
  return each_line(content_of(folder + "/m5/sell_prices_280.csv"), "store_id", [&](const auto& field) {
    if (field.size() != 4) return false;
    prices[std::string(field[0]) + " " + std::string(field[1])][number<std::int32_t>(field[2])] =
        number<double>(field[3]);
    return true;
  });
}

}  // namespace

bool read_m5(const std::string& folder, SalesRows& rows) {
  std::vector<M5Day> days;
  M5Prices prices;
  if (!read_m5_days(folder, days) || days.size() < static_cast<std::size_t>(kM5Days)) return false;
  if (!read_m5_prices(folder, prices)) return false;
  const Date first = m5_first_day();
  rows.drivers = {{"event", forecast::DriverKind::kCategory, {}},
                  {"food_aid", forecast::DriverKind::kFlag, {}}};
  std::array<Codes, 5> codes;
  for (const char* name : {"item", "department", "category", "store", "state"})
    rows.attributes.push_back({name, true, {}});
  // id,item_id,dept_id,cat_id,store_id,state_id,d_1,...,d_1941
  return each_line(content_of(folder + "/m5/sales_train_evaluation_280.csv"), "id", [&](const auto& field) {
    if (field.size() != 6 + static_cast<std::size_t>(kM5Days)) return false;
    const auto state = static_cast<std::size_t>(std::ranges::find(kM5States, field[5]) - kM5States.begin());
    if (state >= kM5States.size()) return false;
    const auto& price = prices[std::string(field[4]) + " " + std::string(field[1])];
    for (std::int32_t day = 0; day < kM5Days; ++day) {
      const M5Day& known = days[static_cast<std::size_t>(day)];
      rows.series.push_back(static_cast<std::int32_t>(rows.count));
      rows.date.push_back(Date{first.days + day});
      rows.value.push_back(number<double>(field[6 + static_cast<std::size_t>(day)]));
      const auto after = price.upper_bound(known.week);
      rows.price.push_back(after == price.begin() ? std::nan("") : std::prev(after)->second);
      rows.drivers[0].value.push_back(known.event);
      rows.drivers[1].value.push_back(known.food_aid[state]);
    }
    for (std::size_t a = 0; a < codes.size(); ++a)
      rows.attributes[a].value.push_back(static_cast<float>(codes[a].of(field[1 + a])));
    ++rows.count;
    return true;
  });
}

namespace {

/// Keeps the rows of the 500 series with the largest sum up to `until`, numbered by that sum.
SalesRows largest(const SalesRows& all, Date until) {
  constexpr std::size_t kKept = 500;
  std::vector<double> units(all.count, 0.0);
  for (std::size_t row = 0; row < all.series.size(); ++row)
    if (all.date[row] <= until) units[static_cast<std::size_t>(all.series[row])] += all.value[row];
  std::vector<std::size_t> order(all.count);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return units[a] > units[b]; });
  std::vector<std::int32_t> place(all.count, -1);
  SalesRows kept;
  kept.count = std::min(kKept, all.count);
  for (std::size_t i = 0; i < kept.count; ++i) place[order[i]] = static_cast<std::int32_t>(i);
  for (std::size_t row = 0; row < all.series.size(); ++row) {
    const std::int32_t at = place[static_cast<std::size_t>(all.series[row])];
    if (at < 0) continue;
    kept.series.push_back(at);
    kept.date.push_back(all.date[row]);
    kept.value.push_back(all.value[row]);
  }
  return kept;
}

}  // namespace

bool read_online_retail(const std::string& folder, Date ranked_until, SalesRows& rows) {
  Codes codes;
  SalesRows all;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  // InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
  const bool complete =
      each_line(content_of(folder + "/online-retail/online-retail.csv"), "InvoiceNo", [&](const auto& field) {
        if (field.size() < 8) return false;
        if (field[0].starts_with('C') || field[1].size() < 5) return true;
        if (!std::ranges::all_of(field[1].substr(0, 5), is_digit)) return true;
        const auto quantity = number<double>(field[3]);
        if (quantity <= 0 || number<double>(field[5]) <= 0) return true;
        int month = 0, day = 0, year = 0;
        if (std::sscanf(std::string(field[4]).c_str(), "%d/%d/%d", &month, &day, &year) != 3) return false;
        std::string code(field[1]);
        std::ranges::transform(code, code.begin(),
                               [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
        all.series.push_back(codes.of(code));
        all.date.push_back(date_from_civil(year, month, day));
        all.value.push_back(quantity);
        return true;
      });
  all.count = codes.count();
  rows = largest(all, ranked_until);
  return complete;
}

std::vector<forecast::Series> build(const SalesRows& rows, forecast::Grain grain, Date cut) {
  forecast::SeriesOptions options;
  options.grain = grain;
  options.cut = cut;
  forecast::LongTable table{rows.series, rows.date, rows.value, {}, {}, rows.price, rows.count};
  for (const DriverRows& driver : rows.drivers)
    table.drivers.push_back({driver.name, driver.kind, driver.value});
  auto built = forecast::build_series(table, options);
  if (!built) {
    std::fprintf(stderr, "%s\n", built.error().message.c_str());
    std::exit(1);
  }
  return std::move(*built);
}

forecast::ForecastRun run_forecast(const std::vector<forecast::Series>& series,
                                   forecast::ForecastOptions options) {
  options.threads = 1;
  NoProgress progress;
  auto result = forecast::forecast_all(series, options, progress);
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

}  // namespace tillcast::bench
