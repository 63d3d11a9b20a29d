#include "pipeline/plan_drivers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "core/config.h"
#include "core/text.h"
#include "forecast/closed_days.h"
#include "forecast/drivers.h"
#include "forecast/future_drivers.h"
#include "forecast/holidays.h"
#include "pipeline/driver_files.h"

namespace tillcast::pipeline {
namespace {

using forecast::DatedValues;
using forecast::Driver;
using forecast::DriverKind;
using forecast::Series;

constexpr std::size_t kPanelSeriesMin = 50;
constexpr std::size_t kPanelDaysMin = 182;
constexpr std::size_t kPanelMonthsMin = 24;
constexpr std::size_t kPanelValuesMax = 20'000'000;  // the features of more cost minutes
constexpr double kKnownShareMin = 0.5;
constexpr std::size_t kDaysShown = 3;
constexpr const char* kCalendar = "the calendar";

bool wants(const ForecastPlan& plan, std::string_view driver) {
  return !plan.drivers || std::ranges::find(*plan.drivers, driver) != plan.drivers->end();
}

/// Work of one plan: what it is made of, and where each driver came from.
class DriverLoader {
 public:
  DriverLoader(Workspace& workspace, database::Connection& connection, const ForecastPlan& plan, int ahead,
               PlanSeries& data)
      : workspace_(workspace),
        connection_(connection),
        plan_(plan),
        data_(data),
        needed_(static_cast<std::size_t>(plan.horizon)),
        horizon_(std::max(needed_, static_cast<std::size_t>(std::max(ahead, 0)))),
        has_trees_(plan.frequency == "daily" && learns_from_all(plan, data.series)) {}

  Result<void> load() {
    if (auto days = load_stated_days(); !days) return days;
    if (auto files = load_files(); !files) return files;
    if (auto holidays = add_holidays(); !holidays) return holidays;
    if (plan_.drivers) {
      if (auto checked = require(*plan_.drivers); !checked) return checked;
    } else {
      keep_known();
    }
    tell_unused();
    for (auto& one : data_.series) {
      if (of_lines()) break;  // a day without a sale has no flag: a rhythm of those with one is none
      const auto found = forecast::extend_promotions(one, horizon_);
      if (found == forecast::PromotionPlan::kInferred) ++data_.promotions_inferred;
    }
    return add_store_facts();
  }

 private:
  // ---- what the stores state, for days with and without sales
  Result<void> load_stated_days() {
    if (!plan_.groups_by("store")) return {};
    const auto tables = TILLCAST_TRY_PLAIN(
        connection_.query("SELECT count(*) FROM information_schema.tables WHERE table_name = 'plan_daily'"));
    const bool planned = tables.integer(0, 0).value_or(0) > 0;
    // Letters of the known sources first, then further words by first day, so that those of later days leave
    // the codes of the others as fitted models know them.
    std::string code =
        "CASE lower(state_holiday) WHEN '' THEN 0 WHEN 'a' THEN 1 WHEN 'public' THEN 1 "
        "WHEN 'b' THEN 2 WHEN 'easter' THEN 2 WHEN 'c' THEN 3 WHEN 'christmas' THEN 3 "
        "WHEN 'event' THEN 4";
    const std::string source =
        std::string("(SELECT store_key, business_date, coalesce(state_holiday, '') AS ") +
        "state_holiday, school_holiday, NULL AS promotion, NULL AS is_open FROM "
        "sales_daily WHERE is_stated" +
        (planned ? " UNION ALL SELECT plan.store_key, plan.business_date, "
                   "coalesce(plan.state_holiday, ''), plan.school_holiday, "
                   "plan.promotion, plan.is_open FROM plan_daily AS plan ANTI JOIN "
                   "(SELECT * FROM sales_daily WHERE is_stated) AS day ON "
                   "day.store_key = plan.store_key AND day.business_date = "
                   "plan.business_date"
                 : "") +
        ")";
    const auto words = TILLCAST_TRY_PLAIN(connection_.query(
        "SELECT lower(state_holiday) AS word FROM " + source +
        " WHERE lower(state_holiday) NOT IN ('', 'a', 'b', 'c', 'public', 'easter', 'christmas', 'event') "
        "GROUP BY 1 ORDER BY min(business_date), 1"));
    for (std::size_t i = 0; i < words.rows(); ++i)
      code += " WHEN " + database::sql_quote(words.text(i, 0)) + " THEN " + std::to_string(5 + i);
    auto rows = TILLCAST_TRY_PLAIN(
        connection_.stream("SELECT CAST(store_key AS BIGINT), business_date, CAST(" + code +
                           " END AS INTEGER), CAST(school_holiday AS INTEGER), CAST(promotion AS INTEGER), "
                           "CAST(is_open AS INTEGER) FROM " +
                           source + " ORDER BY 1, 2"));
    DriverTable table;
    table.file = "a plan of the days ahead (docs/formats/mappings.md)";
    table.by_store = true;
    table.columns = {{"state_holiday", DriverKind::kCategory, {}},
                     {"school_holiday", DriverKind::kFlag, {}},
                     {"promotion", DriverKind::kFlag, {}},
                     {"is_open", DriverKind::kFlag, {}}};
    while (const auto piece = TILLCAST_TRY_PLAIN(rows.next())) {
      const auto& columns = piece->batch.columns;
      for (std::size_t i = 0; i < piece->rows(); ++i) {
        auto& range = table.rows[{columns[0].ints[i], 0}];
        if (range.count++ == 0) range.begin = table.date.size();
        table.date.push_back({static_cast<std::int32_t>(columns[1].ints[i])});
        for (std::size_t c = 0; c < table.columns.size(); ++c) {
          table.columns[c].value.push_back(columns[2 + c].is_null(i)
                                               ? forecast::kUnknownDriver
                                               : static_cast<float>(columns[2 + c].ints[i]));
        }
      }
    }
    // What nobody states is no driver that is missing.
    std::erase_if(table.columns, [](const DriverTable::Column& column) {
      return std::ranges::none_of(column.value, [](float value) { return value > 0; }) &&
             column.name != "is_open";
    });
    if (!table.date.empty()) apply(table);
    return {};
  }

  // ---- files of the user
  Result<void> load_files() {
    const auto files = TILLCAST_TRY_PLAIN(configured_driver_files(workspace_.config));
    if (files.empty()) return {};
    KnownIds ids;
    for (const auto& [map, sql] :
         {std::pair(&ids.stores, "SELECT store_id, CAST(store_key AS BIGINT) FROM dim_store"),
          std::pair(&ids.products, "SELECT product_id, CAST(product_key AS BIGINT) FROM dim_product")}) {
      const auto rows = TILLCAST_TRY_PLAIN(connection_.query(sql));
      for (std::size_t i = 0; i < rows.rows(); ++i)
        map->emplace(rows.text(i, 0), rows.integer(i, 1).value_or(0));
    }
    for (const auto& file : files) {
      const DriverTable table = TILLCAST_TRY_PLAIN(read_driver_file(workspace_.directory, file, ids));
      data_.notes.insert(data_.notes.end(), table.notes.begin(), table.notes.end());
      apply(table);
    }
    return {};
  }

  void apply(const DriverTable& read) {
    const bool finer =
        (read.by_store && !plan_.groups_by("store")) || (read.by_product && !plan_.groups_by("product"));
    const DriverTable coarse =
        finer ? coarsened(read, plan_.groups_by("store"), plan_.groups_by("product")) : DriverTable();
    const DriverTable& table = finer ? coarse : read;
    // Sums over products are on promotion, or out of stock, in part only.
    const bool whole = plan_.measure == "sales" || plan_.groups_by("product");
    for (const auto& column : table.columns) {
      const bool stock = column.name == "in_stock" || column.name == "stockout";
      if ((column.name == "promotion" || column.name == "price" || stock) && !whole) continue;
      if (finer && column.kind == DriverKind::kCategory) {
        data_.notes.push_back(read.file + ": " + column.name + " is a kind by " +
                              (read.by_store ? "store" : "product") + " and has no mean for the plan " +
                              plan_.name + "; it is not used");
        continue;
      }
      std::vector<float> turned;
      for (std::size_t i = 0; i < data_.series.size(); ++i) {
        DatedValues days = table.values(column, data_.members[i].store_key, data_.members[i].product_key);
        Series& one = data_.series[i];
        if (column.name == "promotion") {
          if (of_lines() && promotion_planned_.insert(i).second)
            forecast::replace_promotion(one, days, horizon_);
          else
            forecast::fill_promotion(one, days, horizon_);
        } else if (column.name == "price") {
          if (of_lines() && price_planned_.insert(i).second)
            forecast::replace_price(one, days, horizon_);
          else
            forecast::fill_price(one, days, horizon_);
        } else if (column.name == "is_open" || column.name == "open") {
          forecast::fill_open(one, days, horizon_);
        } else if (stock) {
          if (column.name == "stockout") {
            turned.assign(days.value.size(), 0);
            for (std::size_t d = 0; d < turned.size(); ++d) turned[d] = 1 - days.value[d];
            days.value = turned;
          }
          data_.stock_outs += forecast::mask_stock_outs(one, days);
        } else {
          forecast::add_driver(one, column.name, column.kind, days, horizon_);
        }
      }
      source_[column.name] = read.file;
    }
  }

  // ---- holidays
  using Place = std::pair<std::string, std::string>;  // country, region
  struct Calendar {
    std::vector<float> kind;  // by day
    std::shared_ptr<forecast::NamedDays> named = std::make_shared<forecast::NamedDays>();
  };

  /// The calendar of each place: as a driver where nobody states holidays ahead, and by name for the days on
  /// which shops close.
  Result<void> add_holidays() {
    const bool as_driver = !known_for_most("state_holiday") || (plan_.drivers && wants(plan_, "holiday"));
    const bool by_name = plan_.frequency == "daily";
    if (!as_driver && !by_name) return {};
    std::vector<UserHoliday> own;
    if (const auto file = workspace_.config.text("forecast.holidays"); !file.empty())
      own = TILLCAST_TRY_PLAIN(read_holiday_file(workspace_.directory, file));
    const auto places = TILLCAST_TRY_PLAIN(load_places());
    Date first{std::numeric_limits<std::int32_t>::max()};
    Date last{std::numeric_limits<std::int32_t>::min()};
    for (const auto& one : data_.series) {
      first = std::min(first, one.start);
      last = std::max(last, one.date_at(one.size() + horizon_));
    }
    if (first >= last) return {};
    std::vector<Date> dates;
    for (Date day = first; day <= last; ++day.days) dates.push_back(day);
    std::map<Place, Calendar> calendars;
    std::map<std::pair<std::string, std::string>, std::int32_t> names;  // by country
    for (const auto& place : places) {
      if (calendars.contains(place)) continue;
      Calendar& calendar = calendars[place];
      calendar.kind.assign(dates.size(), 0);
      const std::string country(forecast::holiday_country(place.first));
      const auto mark = [&](const forecast::Holiday& one) {
        if (one.date < first || one.date > last) return;
        float& value = calendar.kind[static_cast<std::size_t>(one.date.days - first.days)];
        // Of two on one day the one that closes shops counts.
        const auto kind = static_cast<float>(one.kind);
        const bool event = one.kind == forecast::HolidayKind::kEvent;
        if (value == 0 || (!event && (value == 4 || kind > value))) value = kind;
        const auto number = static_cast<std::int32_t>(names.size());
        const auto name = names.try_emplace({country, one.name}, number).first;
        if (!one.name.empty()) calendar.named->days.push_back({one.date, name->second});
      };
      for (int year = civil_from_date(first).year; year <= civil_from_date(last).year; ++year)
        for (const auto& one : forecast::holidays(place.first, place.second, year)) mark(one);
      for (const auto& one : own) {
        const bool here = one.country.empty() || forecast::holiday_country(one.country) == country;
        if (here && (one.region.empty() || ascii_lower(one.region) == ascii_lower(place.second)))
          mark(one.day);
      }
      std::ranges::stable_sort(calendar.named->days, {}, &forecast::NamedDay::date);
    }
    if (names.empty()) {
      if (as_driver && !places.empty() && !places[0].first.empty())
        data_.notes.push_back("no holiday calendar for '" + places[0].first +
                              "'; give your own with forecast.holidays");
      return {};
    }
    if (as_driver) {
      for (std::size_t i = 0; i < data_.series.size(); ++i)
        forecast::add_driver(data_.series[i], "holiday", DriverKind::kCategory,
                             {dates, calendars[places[i]].kind}, horizon_);
      source_["holiday"] = kCalendar;
    }
    if (!by_name) return {};
    std::vector<std::shared_ptr<forecast::NamedDays>> named;
    for (std::size_t i = 0; i < data_.series.size(); ++i) {
      named.push_back(calendars[places[i]].named);
      data_.series[i].named_days = named.back();
    }
    if (auto marked = mark_closed_shops(); !marked) return marked;
    forecast::share_named_days(data_.series, named);
    return {};
  }

  /// Line data know no opening days: a shop that sold nothing on a holiday was closed, whoever else traded.
  Result<void> mark_closed_shops() {
    if (plan_.measure == "sales" || !plan_.groups_by("store")) return {};
    std::map<std::int64_t, std::pair<std::vector<Series*>, std::vector<Date>>> shops;
    for (std::size_t i = 0; i < data_.series.size(); ++i)
      shops[data_.members[i].store_key].first.push_back(&data_.series[i]);
    const auto days = TILLCAST_TRY_PLAIN(connection_.query(
        "SELECT DISTINCT CAST(store_key AS BIGINT), business_date FROM demand_daily ORDER BY 1, 2"));
    for (std::size_t i = 0; i < days.rows(); ++i) {
      const auto shop = shops.find(days.integer(i, 0).value_or(0));
      const auto day = days.date(i, 1);
      if (shop != shops.end() && day && *day <= data_.data_until) shop->second.second.push_back(*day);
    }
    for (const auto& [key, shop] : shops) forecast::mark_closed_named_days(shop.first, shop.second);
    return {};
  }

  /// Country and region of each member.
  Result<std::vector<Place>> load_places() {
    std::string country = workspace_.config.text("forecast.country");
    const std::string region = workspace_.config.text("forecast.region");
    const bool told = !country.empty();
    std::map<std::int64_t, std::pair<std::string, std::string>> by_store;
    const auto stores = TILLCAST_TRY_PLAIN(connection_.query(
        "SELECT CAST(store_key AS BIGINT), coalesce(country, ''), coalesce(region, '') FROM dim_store"));
    std::map<std::string, std::size_t> count;
    for (std::size_t i = 0; i < stores.rows(); ++i) {
      by_store[stores.integer(i, 0).value_or(0)] = {stores.text(i, 1), stores.text(i, 2)};
      if (!stores.text(i, 1).empty()) ++count[stores.text(i, 1)];
    }
    if (!told && !count.empty()) {
      country = std::ranges::max_element(count, {}, [](const auto& one) { return one.second; })->first;
    } else if (!told) {
      const auto orders = TILLCAST_TRY_PLAIN(connection_.query(
          "SELECT country FROM fact_order INNER JOIN dim_country USING (country_key) WHERE country_key <> 0 "
          "AND business_date <= DATE '" +
          format_date(data_.data_until) + "' GROUP BY country ORDER BY count(*) DESC, country LIMIT 1"));
      if (orders.rows() > 0) country = orders.text(0, 0);
    }
    std::vector<Place> places;
    for (const auto& member : data_.members) {
      std::pair place(country, region);
      const auto at = by_store.find(member.store_key);
      if (plan_.groups_by("store") && at != by_store.end()) {
        if (!told && !at->second.first.empty()) place.first = at->second.first;
        if (region.empty()) place.second = at->second.second;
      }
      places.push_back(std::move(place));
    }
    return places;
  }

  // Whether promotions and prices in the series come from sale lines, which tell them of sold days alone.
  bool of_lines() const { return plan_.measure != "sales"; }

  // ---- which of them are known ahead
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    const auto add = [&all](const std::string& name) {
      if (std::ranges::find(all, name) == all.end()) all.push_back(name);
    };
    for (const auto& one : data_.series) {
      if (std::ranges::any_of(one.promotion, [](std::int8_t flag) { return flag >= 0; })) add("promotion");
      if (!one.price.empty()) add("price");
    }
    for (const auto& one : data_.series)
      for (const auto& driver : one.drivers) add(driver.name);
    return all;
  }

  /// Open periods ahead for which a series does not know a driver.
  std::vector<std::size_t> missing(const Series& one, const std::string& name) const {
    std::vector<std::size_t> periods;
    const Driver* const driver = forecast::find_driver(one, name);
    for (std::size_t step = 0; step < needed_; ++step) {
      const std::size_t at = one.size() + step;
      if (at < one.open.size() && one.open[at] == 0) continue;
      bool known = false;
      if (name == "promotion") {
        known = at < one.promotion.size() && one.promotion[at] >= 0;
      } else if (name == "price") {
        known = at < one.price.size() && std::isfinite(one.price[at]);
      } else {
        known = driver != nullptr && at < driver->value.size() && !std::isnan(driver->value[at]);
      }
      if (!known) periods.push_back(step);
    }
    return periods;
  }

  bool known_for_most(const std::string& name) const {
    std::size_t known = 0;
    std::size_t all = 0;
    for (const auto& one : data_.series) {
      if (one.size() == 0) continue;
      ++all;
      known += missing(one, name).empty() ? 1 : 0;
    }
    return all > 0 && static_cast<double>(known) >= kKnownShareMin * static_cast<double>(all);
  }

  void drop(const std::string& name) {
    for (auto& one : data_.series) {
      if (name == "promotion") one.promotion.clear();
      if (name == "price") one.price.clear();
      std::erase_if(one.drivers, [&name](const Driver& driver) { return driver.name == name; });
    }
  }

  std::string member_name(std::size_t i) const {
    const auto& member = data_.members[i];
    std::string text;
    if (!member.store_id.empty()) text = "store " + member.store_id;
    if (!member.product_id.empty()) text += (text.empty() ? "product " : ", product ") + member.product_id;
    return text.empty() ? "the total" : text;
  }

  Result<void> require(const std::vector<std::string>& wanted) {
    std::vector<std::string> there = names();
    for (const std::string_view computed : kStoreFacts)
      if (plan_.groups_by("store")) there.emplace_back(computed);
    for (const auto& name : wanted) {
      if (std::ranges::find(there, name) != there.end()) continue;
      const auto near = nearest(name, there);
      return invalid_input("forecast plan " + plan_.name + ": the data have no driver '" + name + "'" +
                           (near            ? "; did you mean '" + *near + "'?"
                            : there.empty() ? "; they have none"
                                            : "; they have: " + join(there, ", ")));
    }
    for (const auto& name : there)
      if (std::ranges::find(wanted, name) == wanted.end()) drop(name);
    std::size_t refused = 0;
    std::size_t all = 0;
    std::string first;
    for (std::size_t i = 0; i < data_.series.size(); ++i) {
      Series& one = data_.series[i];
      if (one.size() == 0) continue;
      ++all;
      for (const auto& name : wanted) {
        if (is_store_fact(name) || !is_used(name)) continue;
        const auto periods = missing(one, name);
        if (periods.empty()) continue;
        const auto source = source_.find(name);
        one.refused = "driver " + name + " has no value for " + member_name(i) + " on " +
                      forecast::period_list(one, periods, kDaysShown) + " (" +
                      std::to_string(periods.size()) + " " + std::string(forecast::grain_name(one.grain)) +
                      (periods.size() == 1 ? "" : "s") + "): add rows to " +
                      (source == source_.end() ? "a file of [[forecast.drivers]]" : source->second) +
                      " or leave it out of the plan";
        if (refused++ == 0) first = one.refused;
        break;
      }
    }
    if (refused > 0 && refused == all)
      return invalid_input("forecast plan " + plan_.name + ": " + first +
                           (refused > 1 ? "; so it is for all " + std::to_string(refused) + " series" : ""));
    if (refused > 0)
      data_.notes.push_back(std::to_string(refused) + " of " + std::to_string(all) +
                            " series refused: " + first);
    return {};
  }

  bool is_used(std::string_view name) const { return has_trees_ || name == "promotion"; }

  /// Names the drivers that somebody gave and no model of this plan reads.
  void tell_unused() {
    std::vector<std::string> unused;
    for (const auto& name : plan_.drivers ? *plan_.drivers : names()) {
      const auto source = source_.find(name);
      const bool given = plan_.drivers || (source != source_.end() && source->second != kCalendar);
      if (given && !is_used(name)) unused.push_back(name);
    }
    if (unused.empty()) return;
    const bool could = plan_.frequency == "daily" && plan_.global != "on";
    data_.notes.push_back("no model uses the drivers " + join(unused, ", ") +
                          ": only trees of daily plans read others than promotion" +
                          (could ? "; global = \"on\" in the plan lets them take part" : ""));
  }

  void keep_known() {
    std::vector<std::string> unknown;
    for (const auto& name : names()) {
      if (name == "promotion") continue;  // its rhythm may be carried on
      if (known_for_most(name)) {
        fill_as_most(name);
      } else {
        unknown.push_back(name);
        drop(name);
      }
    }
    if (!unknown.empty())
      data_.notes.push_back("not known for the days ahead, so left out: " + join(unknown, ", "));
  }

  /// Days ahead that a series does not know get what most others have (of amounts the mean): holidays and
  /// weather seldom stop at one shop.
  void fill_as_most(const std::string& name) {
    if (name == "price" || data_.series.empty()) return;
    std::map<Date, std::map<float, std::size_t>> seen;
    std::size_t filled = 0;
    const auto ahead = [this, &name](Series& one, auto each) {
      const auto at = std::ranges::find(one.drivers, name, &Driver::name);
      if (at == one.drivers.end() || one.size() == 0) return;
      at->value.resize(std::max(at->value.size(), one.size() + horizon_), forecast::kUnknownDriver);
      for (std::size_t step = 0; step < horizon_; ++step)
        each(one.date_at(one.size() + step), at->value[one.size() + step], at->kind);
    };
    for (auto& one : data_.series) {
      ahead(one, [&](Date day, float value, DriverKind) {
        if (!std::isnan(value)) ++seen[day][value];
      });
    }
    for (auto& one : data_.series) {
      bool changed = false;
      ahead(one, [&](Date day, float& value, DriverKind kind) {
        const auto at = seen.find(day);
        if (!std::isnan(value) || at == seen.end()) return;
        if (kind == DriverKind::kNumber) {
          double sum = 0;
          std::size_t count = 0;
          for (const auto& [other, times] : at->second) {
            sum += static_cast<double>(other) * static_cast<double>(times);
            count += times;
          }
          value = static_cast<float>(sum / static_cast<double>(count));
        } else {
          value = std::ranges::max_element(at->second, {}, [](const auto& one_value) {
                    return one_value.second;
                  })->first;
        }
        changed = true;
      });
      filled += changed ? 1 : 0;
    }
    if (filled > 0)
      data_.notes.push_back(name + " ahead of " + std::to_string(filled) + " series as most others have it");
  }

  // ---- what follows from a store's attributes
  static constexpr std::string_view kStoreFacts[] = {"promo2_active"};
  static bool is_store_fact(std::string_view name) {
    return std::ranges::find(kStoreFacts, name) != std::end(kStoreFacts);
  }

  Result<void> add_store_facts() {
    if (!plan_.groups_by("store")) return {};
    if (!wants(plan_, kStoreFacts[0])) return {};
    const auto rows = TILLCAST_TRY_PLAIN(connection_.query(
        "SELECT CAST(store_key AS BIGINT), promo2_since, coalesce(promo2_months, '') FROM dim_store WHERE "
        "promo2_since IS NOT NULL"));
    if (rows.rows() == 0) return {};
    std::map<std::int64_t, std::size_t> row_of;
    for (std::size_t i = 0; i < rows.rows(); ++i) row_of[rows.integer(i, 0).value_or(0)] = i;
    for (std::size_t i = 0; i < data_.series.size(); ++i) {
      Series& one = data_.series[i];
      const auto at = row_of.find(data_.members[i].store_key);
      const auto since = at == row_of.end() ? std::nullopt : rows.date(at->second, 1);
      const std::string months = at == row_of.end() ? "" : ascii_lower(rows.text(at->second, 2));
      std::vector<Date> dates;
      std::vector<float> active;
      const Date last = one.date_at(one.size() + horizon_);
      for (Date day = one.start; day < last; ++day.days) {
        dates.push_back(day);
        const bool running = since && *since <= day;
        active.push_back(running && (months.empty() || starts_in(months, day)) ? 1.0F : 0.0F);
      }
      forecast::add_driver(one, kStoreFacts[0], DriverKind::kFlag, {dates, active}, horizon_);
    }
    return {};
  }

  /// Whether "jan,apr,jul,oct" names the day's month.
  static bool starts_in(std::string_view months, Date day) {
    constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                            "jul", "aug", "sep", "oct", "nov", "dec"};
    return months.find(kMonths[civil_from_date(day).month - 1]) != std::string_view::npos;
  }

  Workspace& workspace_;
  database::Connection& connection_;
  const ForecastPlan& plan_;
  PlanSeries& data_;
  std::size_t needed_;                         ///< periods for which a driver must be known
  std::size_t horizon_;                        ///< periods for which it is filled
  bool has_trees_;                             ///< which alone read other drivers than promotion
  std::map<std::string, std::string> source_;  ///< of each driver, for messages
  std::set<std::size_t> promotion_planned_;    ///< series whose promotions a plan has stated
  std::set<std::size_t> price_planned_;
};

}  // namespace

bool learns_from_all(const ForecastPlan& plan, std::span<const Series> series) {
  const bool monthly = plan.frequency == "monthly";
  if (plan.global == "off" || plan.frequency == "weekly") return false;
  if (plan.global == "on" || plan.global == "blend") return true;
  std::size_t long_enough = 0;
  std::size_t values = 0;
  for (const auto& one : series) {
    long_enough += one.size() >= (monthly ? kPanelMonthsMin : kPanelDaysMin) ? 1 : 0;
    values += one.size();
  }
  return long_enough >= kPanelSeriesMin && values <= kPanelValuesMax;
}

Result<void> add_drivers(Workspace& workspace, database::Connection& connection, const ForecastPlan& plan,
                         int ahead, PlanSeries& data) {
  return DriverLoader(workspace, connection, plan, ahead, data).load();
}

}  // namespace tillcast::pipeline
