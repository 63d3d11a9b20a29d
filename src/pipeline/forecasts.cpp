#include "pipeline/forecasts.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "core/version.h"
#include "forecast/closed_days.h"
#include "forecast/future_drivers.h"
#include "io/file_hash.h"

namespace tillcast::pipeline {
namespace {

using database::Value;

constexpr const char* kCreateTables = R"(
CREATE TABLE IF NOT EXISTS forecast_run (plan VARCHAR, run_id VARCHAR, measure VARCHAR, by_columns VARCHAR, frequency VARCHAR,
  horizon INTEGER, created_at TIMESTAMPTZ, data_until DATE, series BIGINT, ok BIGINT, fallbacks BIGINT, failed BIGINT, wape DOUBLE,
  wape_seasonal_naive DOUBLE, rmspe DOUBLE, rmspe_seasonal_naive DOUBLE, bias DOUBLE, coverage80 DOUBLE, coverage95 DOUBLE,
  width80 DOUBLE, width95 DOUBLE, seconds DOUBLE, tool_version VARCHAR);
CREATE TABLE IF NOT EXISTS forecast_series (plan VARCHAR, run_id VARCHAR, place BIGINT, series_id VARCHAR, label VARCHAR, store_id VARCHAR,
  product_id VARCHAR, total VARCHAR, model VARCHAR, demand_class VARCHAR, status VARCHAR, reason VARCHAR, periods BIGINT,
  history_from DATE, history_until DATE, outliers_capped BIGINT, wape DOUBLE, wape_seasonal_naive DOUBLE);
CREATE TABLE IF NOT EXISTS forecast_point (plan VARCHAR, run_id VARCHAR, series_id VARCHAR, business_date DATE, mean DOUBLE, lo80 DOUBLE,
  hi80 DOUBLE, lo95 DOUBLE, hi95 DOUBLE, is_closed BOOLEAN);
CREATE TABLE IF NOT EXISTS forecast_accuracy (plan VARCHAR, run_id VARCHAR, model VARCHAR, demand_class VARCHAR, points BIGINT, wape DOUBLE,
  rmspe DOUBLE, mae DOUBLE, rmse DOUBLE, mase DOUBLE, smape DOUBLE, bias DOUBLE, wape_seasonal_naive DOUBLE, value_added DOUBLE);
)";
constexpr const char* kTables[] = {"forecast_run", "forecast_series", "forecast_point", "forecast_accuracy"};

bool by(const ForecastPlan& plan, std::string_view column) {
  return std::ranges::find(plan.by, column) != plan.by.end();
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ",") + item;
  return text;
}

forecast::Grain grain_of(const ForecastPlan& plan) {
  return plan.frequency == "weekly"    ? forecast::Grain::kWeekly
         : plan.frequency == "monthly" ? forecast::Grain::kMonthly
                                       : forecast::Grain::kDaily;
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

Value number_or_null(double value) { return std::isfinite(value) ? Value(value) : Value(); }
double known(double value) { return std::isfinite(value) ? value : -1; }

/// Columns filled row by row, for appending to a table.
class BatchBuilder {
 public:
  explicit BatchBuilder(const std::vector<ColumnSpec>& specs) {
    for (const auto& spec : specs) batch_.columns.push_back({spec, {}, {}, {}, {}});
  }
  BatchBuilder& text(std::string_view value) {
    next().text.push_back(arena_->add(value));
    return *this;
  }
  BatchBuilder& integer(std::int64_t value) {
    next().ints.push_back(value);
    return *this;
  }
  BatchBuilder& number(double value) {
    Column& column = next();
    column.doubles.push_back(std::isfinite(value) ? value : 0);
    column.valid.push_back(std::isfinite(value) ? 1 : 0);
    return *this;
  }
  void end_row() {
    at_ = 0;
    ++batch_.rows;
  }
  const ColumnBatch& batch() const { return batch_; }

 private:
  Column& next() { return batch_.columns[at_++]; }
  ColumnBatch batch_;
  std::shared_ptr<TextArena> arena_ = std::make_shared<TextArena>();
  std::size_t at_ = 0;
};

const forecast::ModelAccuracy* accuracy_of(const forecast::SeriesForecast& series, forecast::ModelId model) {
  const auto at = std::ranges::find(series.backtest, model, &forecast::ModelAccuracy::model);
  return at == series.backtest.end() || !at->refused.empty() ? nullptr : &*at;
}

double wape_of(const forecast::SeriesForecast& series, forecast::ModelId model) {
  const auto* found = accuracy_of(series, model);
  return found == nullptr ? NAN : found->accuracy.wape();
}

Result<void> store_series(database::Connection& connection, const ForecastPlan& plan,
                          const std::string& run_id, const PlanSeries& data,
                          const forecast::ForecastRun& run) {
  using enum ColumnType;
  BatchBuilder series_rows({{"plan", kText},
                            {"run_id", kText},
                            {"place", kInt64},
                            {"series_id", kText},
                            {"label", kText},
                            {"store_id", kText},
                            {"product_id", kText},
                            {"total", kText},
                            {"model", kText},
                            {"demand_class", kText},
                            {"status", kText},
                            {"reason", kText},
                            {"periods", kInt64},
                            {"history_from", kDate},
                            {"history_until", kDate},
                            {"outliers_capped", kInt64},
                            {"wape", kDouble},
                            {"wape_seasonal_naive", kDouble}});
  BatchBuilder point_rows({{"plan", kText},
                           {"run_id", kText},
                           {"series_id", kText},
                           {"business_date", kDate},
                           {"mean", kDouble},
                           {"lo80", kDouble},
                           {"hi80", kDouble},
                           {"lo95", kDouble},
                           {"hi95", kDouble},
                           {"is_closed", kBool}});
  for (std::size_t i = 0; i < run.series.size(); ++i) {
    const auto& forecast = run.series[i];
    const auto& member = data.members[i];
    series_rows.text(plan.name)
        .text(run_id)
        .integer(static_cast<std::int64_t>(i))
        .text(member.id)
        .text(member.label)
        .text(member.store_id)
        .text(member.product_id)
        .text(member.total)
        .text(forecast::model(forecast.model).name)
        .text(forecast::demand_class_name(forecast.demand_class))
        .text(forecast::series_status_name(forecast.status))
        .text(forecast.reason)
        .integer(static_cast<std::int64_t>(data.series[i].size()))
        .integer(forecast.history_from.days)
        .integer(forecast.history_until.days)
        .integer(static_cast<std::int64_t>(forecast.outliers_capped))
        .number(wape_of(forecast, forecast.model))
        .number(wape_of(forecast, forecast::ModelId::kSeasonalNaive))
        .end_row();
    for (const auto& point : forecast.points) {
      point_rows.text(plan.name)
          .text(run_id)
          .text(member.id)
          .integer(point.date.days)
          .number(point.mean)
          .number(point.lo80)
          .number(point.hi80)
          .number(point.lo95)
          .number(point.hi95)
          .integer(point.closed ? 1 : 0)
          .end_row();
    }
  }
  if (auto appended = connection.append("forecast_series", series_rows.batch()); !appended) return appended;
  return connection.append("forecast_point", point_rows.batch());
}

Result<void> store_accuracy(database::Connection& connection, const ForecastPlan& plan,
                            const std::string& run_id, const forecast::ForecastRun& run) {
  using enum ColumnType;
  BatchBuilder rows({{"plan", kText},
                     {"run_id", kText},
                     {"model", kText},
                     {"demand_class", kText},
                     {"points", kInt64},
                     {"wape", kDouble},
                     {"rmspe", kDouble},
                     {"mae", kDouble},
                     {"rmse", kDouble},
                     {"mase", kDouble},
                     {"smape", kDouble},
                     {"bias", kDouble},
                     {"wape_seasonal_naive", kDouble},
                     {"value_added", kDouble}});
  for (const auto& row : run.accuracy) {
    const auto& newest = row.newest;
    rows.text(plan.name)
        .text(run_id)
        .text(row.model ? forecast::model(*row.model).name : "chosen")
        .text(row.demand_class ? forecast::demand_class_name(*row.demand_class) : "all")
        .integer(static_cast<std::int64_t>(newest.count))
        .number(newest.wape())
        .number(newest.rmspe())
        .number(newest.mae())
        .number(newest.rmse())
        .number(newest.mase())
        .number(newest.smape())
        .number(newest.bias())
        .number(row.newest_benchmark.wape())
        .number(forecast::value_added(newest, row.newest_benchmark, forecast::Metric::kWape))
        .end_row();
  }
  return connection.append("forecast_accuracy", rows.batch());
}

Result<void> store_run(database::Connection& connection, const ForecastPlan& plan, const PlanSeries& data,
                       const forecast::ForecastRun& run, const PlanReport& report, double bias,
                       double width80, double width95) {
  const Value values[] = {Value(plan.name),
                          Value(report.run_id),
                          Value(plan.measure),
                          Value(joined(plan.by)),
                          Value(plan.frequency),
                          Value(std::int64_t{plan.horizon}),
                          Value(SystemClock().now()),
                          Value(data.data_until),
                          Value(report.series),
                          Value(static_cast<std::int64_t>(run.ok)),
                          Value(report.fallbacks),
                          Value(report.failed),
                          number_or_null(report.wape < 0 ? NAN : report.wape),
                          number_or_null(report.wape_seasonal_naive < 0 ? NAN : report.wape_seasonal_naive),
                          number_or_null(report.rmspe < 0 ? NAN : report.rmspe),
                          number_or_null(report.rmspe_seasonal_naive < 0 ? NAN : report.rmspe_seasonal_naive),
                          number_or_null(bias),
                          number_or_null(report.coverage80 < 0 ? NAN : report.coverage80),
                          number_or_null(report.coverage95 < 0 ? NAN : report.coverage95),
                          number_or_null(width80),
                          number_or_null(width95),
                          Value(run.wall_seconds),
                          Value(std::string(kVersion))};
  TILLCAST_TRY_PLAIN(connection.query(
      "INSERT INTO forecast_run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      values));
  return {};
}

const forecast::AccuracyRow* chosen_row(const forecast::ForecastRun& run) {
  const auto at =
      std::ranges::find_if(run.accuracy, [](const auto& row) { return !row.model && !row.demand_class; });
  return at == run.accuracy.end() ? nullptr : &*at;
}

// The figures of a run that is stored already.
Result<std::optional<PlanReport>> stored_report(database::Connection& connection, const ForecastPlan& plan,
                                                const std::string& run_id) {
  const auto rows = TILLCAST_TRY_PLAIN(
      connection.query("SELECT series, fallbacks, failed, wape, wape_seasonal_naive, rmspe, "
                       "rmspe_seasonal_naive, coverage80, coverage95 FROM forecast_run "
                       "WHERE plan = ? AND run_id = ?",
                       {Value(plan.name), Value(run_id)}));
  if (rows.rows() == 0) return std::optional<PlanReport>{};
  PlanReport report;
  report.plan = plan.name;
  report.run_id = run_id;
  report.unchanged = true;
  report.series = rows.integer(0, 0).value_or(0);
  report.fallbacks = rows.integer(0, 1).value_or(0);
  report.failed = rows.integer(0, 2).value_or(0);
  double* const figures[] = {&report.wape,       &report.wape_seasonal_naive,
                             &report.rmspe,      &report.rmspe_seasonal_naive,
                             &report.coverage80, &report.coverage95};
  for (std::size_t i = 0; i < std::size(figures); ++i) *figures[i] = rows.number(0, 3 + i).value_or(-1);
  return std::optional<PlanReport>(report);
}

}  // namespace

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

forecast::ForecastOptions forecast_options(const Workspace& workspace, const ForecastPlan& plan) {
  forecast::ForecastOptions options;
  options.backtest.horizon = static_cast<std::size_t>(plan.horizon);
  options.backtest.origins =
      static_cast<std::size_t>(std::max<std::int64_t>(2, workspace.config.integer("forecast.origins")));
  options.choice.metric = forecast::find_metric(plan.metric).value_or(forecast::Metric::kAuto);
  options.threads = static_cast<unsigned>(workspace.threads("forecast.threads"));
  return options;
}

Result<void> prepare_forecast_tables(Workspace& workspace, std::span<const ForecastPlan> plans) {
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  TILLCAST_TRY_PLAIN(connection.execute(kCreateTables));
  std::string names = "''";
  for (const auto& plan : plans) names += ", " + database::sql_quote(plan.name);
  return connection.transaction([&names](database::Connection& inside) -> Result<> {
    for (const char* table : kTables)
      TILLCAST_TRY_PLAIN(
          inside.execute(std::string("DELETE FROM ") + table + " WHERE plan NOT IN (" + names + ")"));
    return {};
  });
}

Result<PlanReport> fit_plan(Workspace& workspace, const ForecastPlan& plan, StageObserver& observer) {
  const auto started = std::chrono::steady_clock::now();
  const std::string stage = "forecast " + plan.name;
  observer.stage_started(stage, "series");
  const auto seconds = [&started] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  const PlanSeries data = TILLCAST_TRY_PLAIN(load_plan_series(workspace, plan));
  const auto options = forecast_options(workspace, plan);
  const std::string definition = plan.name + "\n" + plan.measure + "\n" + joined(plan.by) + "\n" +
                                 plan.frequency + "\n" + std::to_string(plan.horizon) + "\n" +
                                 std::to_string(options.backtest.origins) + "\n" + plan.metric + "\n" +
                                 std::string(kVersion) + "\n" + data.data_hash;
  const std::string run_id = io::xxh3_text(definition);
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  if (auto stored = TILLCAST_TRY_PLAIN(stored_report(connection, plan, run_id))) {
    stored->seconds = seconds();
    observer.stage_finished({stage, StageReport::Status::kUnchanged, 0, stored->seconds,
                             std::to_string(stored->series) + " series, same data as before"});
    return *stored;
  }

  const auto run = TILLCAST_TRY(forecast::forecast_all(data.series, options, observer), stage);
  PlanReport report;
  report.plan = plan.name;
  report.run_id = run_id;
  report.series = static_cast<std::int64_t>(run.series.size());
  report.fallbacks = static_cast<std::int64_t>(run.fallbacks);
  report.failed = static_cast<std::int64_t>(run.refused);
  double bias = NAN;
  double width80 = NAN;
  double width95 = NAN;
  if (const auto* row = chosen_row(run)) {
    report.wape = known(row->newest.wape());
    report.wape_seasonal_naive = known(row->newest_benchmark.wape());
    report.rmspe = known(row->newest.rmspe());
    report.rmspe_seasonal_naive = known(row->newest_benchmark.rmspe());
    bias = row->newest.bias();
  }
  for (const auto& row : run.coverage) {
    if (row.demand_class) continue;
    report.coverage80 = known(row.coverage.share80());
    report.coverage95 = known(row.coverage.share95());
    width80 = row.coverage.mean_width80();
    width95 = row.coverage.mean_width95();
  }
  auto stored = connection.transaction([&](database::Connection& inside) -> Result<> {
    for (const char* table : kTables) {
      TILLCAST_TRY_PLAIN(
          inside.query(std::string("DELETE FROM ") + table + " WHERE plan = ?", {Value(plan.name)}));
    }
    if (auto done = store_series(inside, plan, run_id, data, run); !done) return done;
    if (auto done = store_accuracy(inside, plan, run_id, run); !done) return done;
    return store_run(inside, plan, data, run, report, bias, width80, width95);
  });
  if (!stored) return std::move(stored.error()).with_context("store " + stage);
  ++workspace.version;
  report.seconds = seconds();
  observer.stage_finished(
      {stage, StageReport::Status::kDone, 0, report.seconds,
       std::to_string(report.series) + " series x " + std::to_string(plan.horizon) + " periods" +
           (report.fallbacks + report.failed > 0
                ? ", " + std::to_string(report.fallbacks + report.failed) + " with a fallback"
                : "") +
           (data.promotions_inferred > 0 ? ", promotions ahead by their rhythm" : "")});
  return report;
}

Result<PlanReport> fit_one_series(Workspace& workspace, const ForecastPlan& plan,
                                  const std::string& series_id, StageObserver& observer) {
  const std::string stage = "forecast " + series_id;
  observer.stage_started(stage, "series");
  const PlanSeries data = TILLCAST_TRY_PLAIN(load_plan_series(workspace, plan, series_id));
  if (data.series.empty()) return not_found("there is no series '" + series_id + "' in the data");
  const auto run =
      TILLCAST_TRY(forecast::forecast_all(data.series, forecast_options(workspace, plan), observer), stage);
  PlanReport report;
  report.plan = plan.name;
  report.series = 1;
  report.fallbacks = static_cast<std::int64_t>(run.fallbacks);
  report.failed = static_cast<std::int64_t>(run.refused);
  report.seconds = run.wall_seconds;
  report.run_id =
      io::xxh3_text(series_id + "\n" + data.data_hash + "\n" + format_timestamp(SystemClock().now()));
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const auto stored = connection.transaction([&](database::Connection& inside) -> Result<> {
    const std::initializer_list<Value> name = {Value(plan.name), Value(series_id)};
    const auto place = TILLCAST_TRY_PLAIN(inside.query(
        "SELECT coalesce((SELECT min(place) FROM forecast_series WHERE plan = ? AND series_id = ?), "
        "(SELECT coalesce(max(place), -1) + 1 FROM forecast_series))",
        name));
    for (const char* table : {"forecast_series", "forecast_point"})
      TILLCAST_TRY_PLAIN(
          inside.query(std::string("DELETE FROM ") + table + " WHERE plan = ? AND series_id = ?", name));
    TILLCAST_TRY_PLAIN(store_series(inside, plan, report.run_id, data, run));
    TILLCAST_TRY_PLAIN(
        inside.query("UPDATE forecast_series SET place = ? WHERE plan = ? AND series_id = ?",
                     {Value(place.integer(0, 0).value_or(0)), Value(plan.name), Value(series_id)}));
    return {};
  });
  if (!stored) return Error(stored.error()).with_context("store " + stage);
  ++workspace.version;
  observer.stage_finished({stage, StageReport::Status::kDone, 0, report.seconds,
                           "model " + std::string(forecast::model(run.series[0].model).name)});
  return report;
}

}  // namespace tillcast::pipeline
