#include "pipeline/plan_series.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "database/cancel_watch.h"
#include "forecast/closed_days.h"
#include "io/file_hash.h"
#include "pipeline/plan_attributes.h"
#include "pipeline/plan_drivers.h"
#include "pipeline/plan_levels.h"

namespace tillcast::pipeline {
namespace {

// The days of a plan: one row per member and day, with drivers (-1 = unknown) where they exist. After the cut
// those that a store states alone, for their plan: promotions and prices of sale lines are known by the sale.
std::string days_sql(const ForecastPlan& plan, std::optional<Date> cut) {
  const std::string known = cut ? " WHERE business_date <= DATE '" + format_date(*cut) + "'" : "";
  const std::string store = plan.groups_by("store") ? "store_key" : "0";
  const std::string product = plan.groups_by("product") ? "product_key" : "0";
  if (plan.measure == "sales") {
    return "SELECT CAST(" + store +
           " AS BIGINT) AS store_key, CAST(0 AS BIGINT) AS product_key, business_date, sum(sales) AS value, "
           "CAST(CASE WHEN bool_or(promotion) IS NULL THEN -1 WHEN bool_or(promotion) THEN 1 ELSE 0 END AS "
           "INTEGER) AS promotion, "
           "CAST(CASE WHEN NOT bool_or(is_stated) THEN -1 WHEN bool_or(is_open) THEN 1 ELSE 0 END AS "
           "INTEGER) AS is_open, CAST(NULL AS DOUBLE) AS price "
           "FROM sales_daily" +
           (cut ? known + " OR is_stated" : "") + " GROUP BY ALL";
  }
  // A sum over products is on promotion in part only: the flag is a driver of single products.
  const std::string promotion = plan.groups_by("product")
                                    ? "CAST(CASE WHEN bool_or(promotion) IS NULL THEN -1 "
                                      "WHEN bool_or(promotion) THEN 1 ELSE 0 END AS INTEGER)"
                                    : "CAST(-1 AS INTEGER)";
  return "SELECT CAST(" + store + " AS BIGINT) AS store_key, CAST(" + product +
         " AS BIGINT) AS product_key, business_date, sum(" +
         (plan.measure == "revenue" ? "revenue" : "units") + ") AS value, " + promotion +
         " AS promotion, CAST(-1 AS INTEGER) AS is_open, CAST(" +
         (plan.groups_by("product") ? "sum(revenue) / nullif(sum(CASE WHEN revenue > 0 THEN units END), 0)"
                                    : "NULL") +
         " AS DOUBLE) AS price FROM demand_daily" + known + " GROUP BY 1, 2, 3";
}

std::optional<Date> cut_of(const Workspace& workspace, const ForecastPlan& plan) {
  return plan.cut ? plan.cut : parse_date(workspace.config.text("forecast.cut"));
}

// Of all that the models see.
std::string hash_of(const PlanSeries& loaded) {
  std::string seen;
  const auto add = [&seen](const auto& values) {
    seen.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  };
  for (const auto& one : loaded.series) {
    seen.append(reinterpret_cast<const char*>(&one.start), sizeof(one.start));
    add(one.value);
    add(one.masked);
    add(one.promotion);
    add(one.open);
    add(one.price);
    if (one.named_days) {
      for (const auto& day : one.named_days->days) {
        add(std::span(&day.date.days, 1));
        add(std::span(&day.name, 1));
      }
    }
    for (const auto& driver : one.drivers) {
      seen += driver.name;
      add(driver.value);
    }
    seen = io::xxh3_text(seen + one.refused);  // a running hash keeps the memory small
  }
  for (const auto& column : loaded.attributes) {
    seen += column.name;
    add(column.value);
  }
  for (const auto& member : loaded.members) seen += member.id + "\n";
  return io::xxh3_text(seen);
}

}  // namespace

forecast::Grain grain_of(const ForecastPlan& plan) {
  return plan.frequency == "weekly"    ? forecast::Grain::kWeekly
         : plan.frequency == "monthly" ? forecast::Grain::kMonthly
                                       : forecast::Grain::kDaily;
}

Result<std::vector<ForecastPlan>> plans_of(Workspace& workspace) {
  auto plans = TILLCAST_TRY_PLAIN(configured_plans(workspace.config));
  if (!plans.empty()) return plans;
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const auto facts = TILLCAST_TRY(
      connection.query(
          "SELECT (SELECT count(DISTINCT store_key) FROM sales_daily WHERE is_stated), "
          "(SELECT count(DISTINCT store_key) FROM demand_daily), (SELECT count(*) FROM demand_daily), "
          "(SELECT count(*) FROM demand_daily WHERE revenue > 0)"),
      "look at the gold tables (build them with `tillcast run`)");
  const bool stated = facts.integer(0, 0).value_or(0) > 0;
  const std::int64_t stores = facts.integer(0, 1).value_or(0);
  const bool lines = facts.integer(0, 2).value_or(0) > 0;
  const bool priced = facts.integer(0, 3).value_or(0) > 0;
  const std::string measure = priced ? "revenue" : "units";
  if (stated) plans.push_back({"store_daily", "sales", {"store"}, "daily", 42, 0, "rmspe"});
  if (lines) {
    plans.push_back({"total_daily", measure, {}, "daily", 28, 0, "auto"});
    if (stores > 1 && !stated) plans.push_back({"store_daily", measure, {"store"}, "daily", 28, 0, "auto"});
    plans.push_back({"product_weekly", "units", {"product"}, "weekly", 8, 500, "auto"});
  }
  return plans;
}

void cut_at(forecast::Series& series, Date last) {
  const auto known = forecast::periods_between(series.start, last, series.grain) + 1;
  const auto periods = static_cast<std::size_t>(std::max<std::int64_t>(0, known));
  if (periods >= series.size()) return;
  series.value.resize(periods);
  series.masked.resize(periods);
}

namespace {

Result<PlanSeries> read_series(Workspace& workspace, database::Connection& connection,
                               const ForecastPlan& plan, const LoadOptions& load) {
  const std::optional<Date> cut = cut_of(workspace, plan);
  const std::string days = days_sql(plan, cut);
  const std::string until = cut ? " WHERE business_date <= DATE '" + format_date(*cut) + "'" : "";
  const auto members = TILLCAST_TRY(
      connection.query("WITH days AS (" + days +
                       "), totals AS (SELECT store_key, product_key, sum(value) AS total FROM days" + until +
                       " GROUP BY 1, 2) "
                       "SELECT totals.store_key, totals.product_key, CAST(totals.total AS VARCHAR), "
                       "coalesce(store.store_id, ''), coalesce(store.store_name, ''), "
                       "coalesce(product.product_id, ''), coalesce(product.product_name, '') FROM totals "
                       "LEFT JOIN dim_store AS store ON store.store_key = totals.store_key "
                       "LEFT JOIN dim_product AS product ON product.product_key = totals.product_key AND "
                       "totals.product_key <> 0 "
                       "ORDER BY totals.total DESC NULLS LAST, 4, 6" +
                       (plan.top > 0 ? " LIMIT " + std::to_string(plan.top) : "")),
      "forecast plan " + plan.name);
  PlanSeries loaded;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int32_t> numbers;
  std::string chosen;
  for (std::size_t i = 0; i < members.rows(); ++i) {
    PlanMember member;
    member.total = members.text(i, 2);
    if (member.total.empty()) member.total = "0";
    std::string key;
    if (plan.groups_by("store")) key = member.store_id = members.text(i, 3);
    if (plan.groups_by("product")) {
      member.product_id = members.text(i, 5);
      key += (key.empty() ? "" : "|") + member.product_id;
      member.label = members.text(i, 6) + (plan.groups_by("store") ? " in " + members.text(i, 4) : "");
    } else {
      member.label = plan.groups_by("store") ? members.text(i, 4) : "All stores and products";
    }
    member.id = plan.name + "/" + (plan.by.empty() ? "total" : key);
    if (!load.only_id.empty() && member.id != load.only_id) continue;
    if (load.is_member && !load.is_member(member.id)) continue;
    const std::int64_t store_key = members.integer(i, 0).value_or(0);
    const std::int64_t product_key = members.integer(i, 1).value_or(0);
    numbers.emplace(std::pair(store_key, product_key), static_cast<std::int32_t>(loaded.members.size()));
    chosen = " WHERE store_key = " + std::to_string(store_key) +
             " AND product_key = " + std::to_string(product_key);
    member.store_key = store_key;
    member.product_key = product_key;
    loaded.members.push_back(std::move(member));
  }
  if (load.only_id.empty()) chosen.clear();

  std::vector<std::int32_t> series;
  std::vector<Date> date;
  std::vector<double> value;
  std::vector<std::int8_t> promotion;
  std::vector<std::int8_t> open;
  std::vector<double> price;
  bool any_promotion = false;
  bool any_open = false;
  bool any_price = false;
  std::optional<Date> last;
  auto rows = TILLCAST_TRY_PLAIN(
      connection.stream("SELECT store_key, product_key, business_date, CAST(value AS DOUBLE), promotion, "
                        "is_open, price FROM (" +
                        days + ") AS days" + chosen + " ORDER BY store_key, product_key, business_date"));
  while (const auto piece = TILLCAST_TRY_PLAIN(rows.next())) {
    if (load.observer != nullptr && load.observer->cancelled()) return cancelled("stopped on request");
    const auto& columns = piece->batch.columns;
    for (std::size_t i = 0; i < piece->rows(); ++i) {
      const auto at = numbers.find({columns[0].ints[i], columns[1].ints[i]});
      if (at == numbers.end()) continue;
      const Date day{static_cast<std::int32_t>(columns[2].ints[i])};
      const bool has_value = !columns[3].is_null(i);
      series.push_back(at->second);
      date.push_back(day);
      value.push_back(has_value ? columns[3].doubles[i] : 0);
      promotion.push_back(static_cast<std::int8_t>(columns[4].ints[i]));
      open.push_back(static_cast<std::int8_t>(columns[5].ints[i]));
      price.push_back(columns[6].is_null(i) ? NAN : columns[6].doubles[i]);
      any_price = any_price || !columns[6].is_null(i);
      any_promotion = any_promotion || promotion.back() >= 0;
      any_open = any_open || open.back() >= 0;
      // Days ahead that have drivers but no sales yet are known plans, not demand.
      if (has_value && (!last || day > *last) && (!cut || day <= *cut)) last = day;
    }
  }
  if (loaded.members.empty()) return loaded;
  forecast::LongTable table;
  table.series = series;
  table.date = date;
  table.value = value;
  if (any_promotion) table.promotion = promotion;
  if (any_open) table.open = open;
  if (any_price) table.price = price;
  table.series_count = loaded.members.size();
  forecast::SeriesOptions options;
  options.grain = grain_of(plan);
  options.cut = last;
  loaded.series = TILLCAST_TRY(forecast::build_series(table, options), "forecast plan " + plan.name);
  loaded.data_until = last.value_or(Date{});
  if (plan.measure != "sales" && plan.frequency == "daily") {
    const auto traded =
        TILLCAST_TRY_PLAIN(connection.query("SELECT DISTINCT business_date FROM demand_daily ORDER BY 1"));
    std::vector<Date> days_with_sales;
    days_with_sales.reserve(traded.rows());
    for (std::size_t i = 0; i < traded.rows(); ++i)
      if (const auto day = traded.date(i, 0); day && *day <= loaded.data_until)
        days_with_sales.push_back(*day);
    forecast::mark_closed_days(loaded.series, days_with_sales);
  }
  if (load.drivers) {
    if (auto added = add_drivers(workspace, connection, plan, load.ahead, loaded); !added)
      return std::move(added.error());
    loaded.attributes = TILLCAST_TRY_PLAIN(load_attributes(connection, plan, loaded));
  }
  loaded.data_hash = hash_of(loaded);
  return loaded;
}

}  // namespace

Result<void> check_cut(Workspace& workspace, const ForecastPlan& plan) {
  const auto cut = cut_of(workspace, plan);
  if (!cut) return {};
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const auto found =
      TILLCAST_TRY_PLAIN(connection.query("SELECT min(business_date) FROM (" + days_sql(plan, std::nullopt) +
                                          ") AS days WHERE value IS NOT NULL"));
  const auto first = found.date(0, 0);
  if (!first) return {};
  return invalid_input("forecast plan " + plan.name + ": no whole " +
                       std::string(forecast::grain_name(grain_of(plan))) + " of sales up to the cut " +
                       format_date(*cut) + "; the data begin on " + format_date(*first) +
                       ": set a later cut, or none");
}

Result<PlanSeries> load_plan_series(Workspace& workspace, const ForecastPlan& plan, const LoadOptions& load) {
  if (is_level_id(plan, load.only_id)) return load_level_series(workspace, plan, load);
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  if (load.observer == nullptr) return read_series(workspace, connection, plan, load);
  const database::CancelWatch watch(connection, [&load] { return load.observer->cancelled(); });
  auto loaded = read_series(workspace, connection, plan, load);
  if (watch.fired()) return cancelled("stopped on request while plan " + plan.name + " was read");
  return loaded;
}

}  // namespace tillcast::pipeline
