#include "pipeline/plan_series.h"

#include <algorithm>
#include <map>

#include "forecast/closed_days.h"
#include "forecast/future_drivers.h"
#include "io/file_hash.h"

namespace tillcast::pipeline {
namespace {

bool by(const ForecastPlan& plan, std::string_view column) {
  return std::ranges::find(plan.by, column) != plan.by.end();
}

// The days of a plan: one row per member and day, with drivers (-1 = unknown) where they exist.
std::string days_sql(const ForecastPlan& plan) {
  const std::string store = by(plan, "store") ? "store_key" : "0";
  const std::string product = by(plan, "product") ? "product_key" : "0";
  if (plan.measure == "sales") {
    return "SELECT CAST(" + store +
           " AS BIGINT) AS store_key, CAST(0 AS BIGINT) AS product_key, business_date, sum(sales) AS value, "
           "CAST(CASE WHEN bool_or(promotion) IS NULL THEN -1 WHEN bool_or(promotion) THEN 1 ELSE 0 END AS "
           "INTEGER) AS promotion, "
           "CAST(CASE WHEN NOT bool_or(is_stated) THEN -1 WHEN bool_or(is_open) THEN 1 ELSE 0 END AS "
           "INTEGER) AS is_open "
           "FROM sales_daily GROUP BY ALL";
  }
  // A sum over products is on promotion in part only: the flag is a driver of single products.
  const std::string promotion = by(plan, "product") ? "CAST(CASE WHEN bool_or(promotion) IS NULL THEN -1 "
                                                      "WHEN bool_or(promotion) THEN 1 ELSE 0 END AS INTEGER)"
                                                    : "CAST(-1 AS INTEGER)";
  return "SELECT CAST(" + store + " AS BIGINT) AS store_key, CAST(" + product +
         " AS BIGINT) AS product_key, business_date, sum(" +
         (plan.measure == "revenue" ? "revenue" : "units") + ") AS value, " + promotion +
         " AS promotion, CAST(-1 AS INTEGER) AS is_open FROM demand_daily GROUP BY 1, 2, 3";
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

Result<PlanSeries> load_plan_series(Workspace& workspace, const ForecastPlan& plan,
                                    const std::string& only_id) {
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const std::string days = days_sql(plan);
  const auto members = TILLCAST_TRY(
      connection.query(
          "WITH days AS (" + days +
          "), totals AS (SELECT store_key, product_key, sum(value) AS total FROM days GROUP BY 1, 2) "
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
    if (by(plan, "store")) key = member.store_id = members.text(i, 3);
    if (by(plan, "product")) {
      member.product_id = members.text(i, 5);
      key += (key.empty() ? "" : "|") + member.product_id;
      member.label = members.text(i, 6) + (by(plan, "store") ? " in " + members.text(i, 4) : "");
    } else {
      member.label = by(plan, "store") ? members.text(i, 4) : "All stores and products";
    }
    member.id = plan.name + "/" + (plan.by.empty() ? "total" : key);
    if (!only_id.empty() && member.id != only_id) continue;
    const std::int64_t store_key = members.integer(i, 0).value_or(0);
    const std::int64_t product_key = members.integer(i, 1).value_or(0);
    numbers.emplace(std::pair(store_key, product_key), static_cast<std::int32_t>(loaded.members.size()));
    chosen = " WHERE store_key = " + std::to_string(store_key) +
             " AND product_key = " + std::to_string(product_key);
    loaded.members.push_back(std::move(member));
  }
  if (only_id.empty()) chosen.clear();

  std::vector<std::int32_t> series;
  std::vector<Date> date;
  std::vector<double> value;
  std::vector<std::int8_t> promotion;
  std::vector<std::int8_t> open;
  bool any_promotion = false;
  bool any_open = false;
  std::optional<Date> last;
  auto rows = TILLCAST_TRY_PLAIN(connection.stream(
      "SELECT store_key, product_key, business_date, CAST(value AS DOUBLE), promotion, is_open FROM (" +
      days + ") AS days" + chosen + " ORDER BY store_key, product_key, business_date"));
  while (const auto piece = TILLCAST_TRY_PLAIN(rows.next())) {
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
      any_promotion = any_promotion || promotion.back() >= 0;
      any_open = any_open || open.back() >= 0;
      // Days ahead that have drivers but no sales yet are known plans, not demand.
      if (has_value && (!last || day > *last)) last = day;
    }
  }
  if (loaded.members.empty()) return loaded;
  forecast::LongTable table;
  table.series = series;
  table.date = date;
  table.value = value;
  if (any_promotion) table.promotion = promotion;
  if (any_open) table.open = open;
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
      days_with_sales.push_back(traded.date(i, 0).value_or(Date{}));
    forecast::mark_closed_days(loaded.series, days_with_sales);
  }
  for (auto& one : loaded.series) {
    const auto found = forecast::extend_promotions(one, static_cast<std::size_t>(plan.horizon));
    if (found == forecast::PromotionPlan::kInferred) ++loaded.promotions_inferred;
  }

  std::string seen;
  const auto add = [&seen](const void* data, std::size_t bytes) {
    seen.append(static_cast<const char*>(data), bytes);
  };
  for (const auto& one : loaded.series) {
    add(&one.start, sizeof(one.start));
    add(one.value.data(), one.value.size() * sizeof(double));
    add(one.masked.data(), one.masked.size());
    add(one.promotion.data(), one.promotion.size());
    add(one.open.data(), one.open.size());
    seen = io::xxh3_text(seen);  // a running hash keeps the memory small
  }
  for (const auto& member : loaded.members) seen += member.id + "\n";
  loaded.data_hash = io::xxh3_text(seen);
  return loaded;
}

}  // namespace tillcast::pipeline
