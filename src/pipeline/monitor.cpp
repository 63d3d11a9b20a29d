#include "pipeline/monitor.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "forecast/naive.h"
#include "pipeline/batch_builder_internal.h"

namespace tillcast::pipeline {
namespace {

using database::Value;

constexpr const char* kCreateMonitorTables = R"(
CREATE TABLE IF NOT EXISTS forecast_snapshot (plan VARCHAR, series_id VARCHAR, model_version INTEGER, variant VARCHAR,
  experiment VARCHAR, origin DATE, business_date DATE, lead_periods INTEGER, mean DOUBLE, seasonal_naive DOUBLE, lo80 DOUBLE,
  hi80 DOUBLE, lo95 DOUBLE, hi95 DOUBLE);
CREATE TABLE IF NOT EXISTS forecast_outcome (plan VARCHAR, series_id VARCHAR, model_version INTEGER, variant VARCHAR,
  experiment VARCHAR, origin DATE, business_date DATE, lead_periods INTEGER, mean DOUBLE, seasonal_naive DOUBLE, lo80 DOUBLE,
  hi80 DOUBLE, lo95 DOUBLE, hi95 DOUBLE, actual DOUBLE);
CREATE TABLE IF NOT EXISTS forecast_monitor (plan VARCHAR, series_id VARCHAR, model_version INTEGER, window_periods INTEGER,
  until DATE, points BIGINT, wape DOUBLE, wape_seasonal_naive DOUBLE, bias DOUBLE, coverage80 DOUBLE, coverage95 DOUBLE,
  wape_expected DOUBLE, state VARCHAR, reason VARCHAR);
CREATE TABLE IF NOT EXISTS forecast_alert (alert_id VARCHAR, plan VARCHAR, series_id VARCHAR, model_version INTEGER,
  opened_at TIMESTAMPTZ, closed_at TIMESTAMPTZ, reason VARCHAR, wape DOUBLE, wape_expected DOUBLE, wape_seasonal_naive DOUBLE);
)";
constexpr const char* kMonitorTables[] = {"forecast_snapshot", "forecast_outcome", "forecast_monitor",
                                          "forecast_alert"};
constexpr int kWindows[] = {1, 4};  // in horizons

int days_of(const ForecastPlan& plan) {
  return plan.frequency == "monthly" ? 31 : plan.frequency == "weekly" ? 7 : 1;
}

// The actuals after `from`. A closed day has 0: it is judged where it was forecast open.
std::shared_ptr<BatchBuilder> actuals_after(const PlanSeries& data, Date from) {
  using enum ColumnType;
  auto rows = std::make_shared<BatchBuilder>(std::vector<ColumnSpec>{
      {"series_id", kText}, {"business_date", kDate}, {"actual", kDouble}, {"is_closed", kBool}});
  for (std::size_t i = 0; i < data.series.size(); ++i) {
    const auto& one = data.series[i];
    for (std::size_t at = one.size(); at-- > 0;) {
      const Date day = one.date_at(at);
      if (day < from) break;
      const bool closed = one.masked[at] != 0 && at < one.open.size() && one.open[at] == 0;
      if (one.masked[at] != 0 && !closed) continue;
      rows->text(data.members[i].id)
          .integer(day.days)
          .number(one.value[at])
          .integer(closed ? 1 : 0)
          .end_row();
    }
  }
  return rows;
}

// The last period that the data hold whole.
Date last_period(const PlanSeries& data) {
  Date last{-1'000'000};
  for (const auto& one : data.series) {
    if (one.size() > 0) last = std::max(last, one.date_at(one.size() - 1));
  }
  return last;
}

// Rolling accuracy over the last periods, of each version, as a whole ('' as series) and by series.
std::string monitor_sql(const Workspace& workspace, const ForecastPlan& plan, Date until, int window) {
  const auto setting = [&workspace](const char* key) {
    return std::to_string(workspace.config.integer(key));
  };
  const std::string ratio = setting("monitor.wape_percent") + " / 100.0";
  const std::string bias = setting("monitor.bias_percent") + " / 100.0";
  const std::string coverage = setting("monitor.coverage80_percent") + " / 100.0";
  const Date from{until.days - window * days_of(plan)};
  const std::string name = database::sql_quote(plan.name);
  // A plan as a whole is its series; the groups of its levels are their sums and would count them again.
  return "INSERT INTO forecast_monitor WITH outcome AS (SELECT * FROM forecast_outcome WHERE plan = " + name +
         " AND business_date > DATE '" + format_date(from) +
         "'), due AS (SELECT * FROM outcome UNION ALL SELECT * REPLACE ('' AS series_id) FROM outcome WHERE "
         "NOT starts_with(series_id, plan || '/@')), "
         "sums AS (SELECT series_id, model_version, "
         "count(*) AS points, sum(abs(mean - actual)) / nullif(sum(abs(actual)), 0) AS wape, "
         "sum(abs(seasonal_naive - actual)) / nullif(sum(abs(actual)), 0) AS naive, "
         "sum(mean - actual) / nullif(sum(abs(actual)), 0) AS bias, "
         "avg(CAST(actual BETWEEN lo80 AND hi80 AS INTEGER)) AS coverage80, "
         "avg(CAST(actual BETWEEN lo95 AND hi95 AS INTEGER)) AS coverage95 FROM due "
         "GROUP BY ALL), "
         "expected AS (SELECT '' AS series_id, model_version, wape FROM forecast_run WHERE plan = " +
         name + " UNION ALL SELECT series_id, model_version, wape FROM forecast_series WHERE plan = " + name +
         "), "
         "judged AS (SELECT sums.*, expected.wape AS expected, CASE WHEN points < " +
         setting("monitor.points_min") + " THEN 'few' WHEN series_id = '' AND sums.wape > expected.wape * " +
         ratio + " THEN 'the error is more than ' || " + setting("monitor.wape_percent") +
         " || ' % of that in the back-test' WHEN series_id = '' AND sums.wape > naive THEN "
         "'the seasonal naive would have been better' WHEN series_id = '' AND abs(bias) > " +
         bias + " THEN 'the forecasts are off in one direction' WHEN series_id = '' AND coverage80 < " +
         coverage +
         " THEN 'the 80 % intervals do not hold' WHEN series_id <> '' AND sums.wape > expected.wape * " +
         ratio +
         " AND sums.wape > naive THEN 'the error grew, and the seasonal naive would have been better' ELSE "
         "'' END "
         "AS finding "
         "FROM sums LEFT JOIN expected USING (series_id, model_version)) "
         "SELECT " +
         name + ", series_id, model_version, " + std::to_string(window) + ", DATE '" + format_date(until) +
         "', points, wape, naive, bias, coverage80, coverage95, expected, "
         "CASE finding WHEN '' THEN 'ok' WHEN 'few' THEN 'few' ELSE 'degraded' END, "
         "CASE finding WHEN 'few' THEN '' ELSE finding END FROM judged";
}

Result<> update_alerts(database::Connection& inside, const ForecastPlan& plan, MonitorReport& report) {
  const Value name(plan.name);
  const Value window(std::int64_t{plan.horizon});
  const Value now(SystemClock().now());
  // Only what is served now can recover or degrade.
  const std::string served =
      " FROM forecast_monitor AS m WHERE m.plan = $1 AND m.window_periods = $2 AND (m.series_id, "
      "m.model_version) "
      "IN (SELECT '', model_version FROM forecast_run WHERE plan = $1 UNION ALL "
      "SELECT series_id, model_version FROM forecast_series WHERE plan = $1)";
  const auto closed = TILLCAST_TRY_PLAIN(inside.query(
      "UPDATE forecast_alert SET closed_at = $3 WHERE plan = $1 AND closed_at IS NULL AND series_id IN "
      "(SELECT m.series_id" +
          served + " AND m.state = 'ok')",
      {name, window, now}));
  const auto opened = TILLCAST_TRY_PLAIN(inside.query(
      "INSERT INTO forecast_alert SELECT md5($1 || m.series_id || CAST($3 AS VARCHAR)), m.plan, m.series_id, "
      "m.model_version, $3, NULL, m.reason, m.wape, m.wape_expected, m.wape_seasonal_naive" +
          served +
          " AND m.state = 'degraded' AND m.series_id NOT IN (SELECT series_id FROM forecast_alert WHERE plan "
          "= $1 "
          "AND closed_at IS NULL)",
      {name, window, now}));
  report.closed = closed.rows_changed;
  report.opened = opened.rows_changed;
  return {};
}

// Not before something was forecast.
Result<bool> has_monitor_tables(database::Connection& connection) {
  const auto there = TILLCAST_TRY_PLAIN(
      connection.query("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'forecast_alert'"));
  return there.integer(0, 0).value_or(0) > 0;
}

}  // namespace

Result<> prepare_monitor_tables(database::Connection& connection, const std::string& names) {
  TILLCAST_TRY_PLAIN(connection.execute(kCreateMonitorTables));
  for (const char* table : kMonitorTables)
    TILLCAST_TRY_PLAIN(
        connection.execute(std::string("DELETE FROM ") + table + " WHERE plan NOT IN (" + names + ")"));
  return {};
}

Result<> keep_snapshot(database::Connection& inside, const ForecastPlan& plan, const PlanSeries& data,
                       const Served& served) {
  using enum ColumnType;
  const int step = std::max(1, plan.horizon / 4) * days_of(plan);
  const auto recent = TILLCAST_TRY_PLAIN(
      inside.query("SELECT count(*) FROM forecast_snapshot WHERE plan = ? AND origin > ? AND origin < ? AND "
                   "model_version = ? AND experiment = ?",
                   {Value(plan.name), Value(Date{data.data_until.days - step}), Value(data.data_until),
                    Value(std::int64_t{served.champion}), Value(served.experiment)}));
  if (recent.integer(0, 0).value_or(0) > 0) return {};
  TILLCAST_TRY_PLAIN(inside.query("DELETE FROM forecast_snapshot WHERE plan = ? AND origin = ?",
                                  {Value(plan.name), Value(data.data_until)}));
  BatchBuilder rows({{"plan", kText},
                     {"series_id", kText},
                     {"model_version", kInt64},
                     {"variant", kText},
                     {"experiment", kText},
                     {"origin", kDate},
                     {"business_date", kDate},
                     {"lead_periods", kInt64},
                     {"mean", kDouble},
                     {"seasonal_naive", kDouble},
                     {"lo80", kDouble},
                     {"hi80", kDouble},
                     {"lo95", kDouble},
                     {"hi95", kDouble}});
  forecast::BacktestOptions options;
  options.horizon = static_cast<std::size_t>(plan.horizon);
  std::vector<double> naive(options.horizon);
  for (std::size_t i = 0; i < served.run.series.size(); ++i) {
    const auto& points = served.run.series[i].points;
    if (points.empty() || data.series[i].size() == 0) continue;
    const auto history = forecast::history_at(data.series[i], data.series[i].size(), options);
    forecast::seasonal_naive(history, history.season, naive);
    for (std::size_t step_at = 0; step_at < points.size(); ++step_at) {
      const auto& point = points[step_at];
      const auto bound = [&](double value) { return served.run.series[i].no_intervals ? NAN : value; };
      rows.text(plan.name)
          .text(data.members[i].id)
          .integer(served.versions[i])
          .text(served.variants[i])
          .text(served.experiment)
          .integer(data.data_until.days)
          .integer(point.date.days)
          .integer(static_cast<std::int64_t>(step_at) + 1)
          .number(point.mean)
          .number(point.closed             ? 0
                  : step_at < naive.size() ? naive[step_at]
                                           : NAN)
          .number(bound(point.lo80))
          .number(bound(point.hi80))
          .number(bound(point.lo95))
          .number(bound(point.hi95))
          .end_row();
    }
  }
  return inside.append("forecast_snapshot", rows.batch());
}

Result<MonitorReport> measure_forecasts(Workspace& workspace, database::Connection& connection,
                                        const ForecastPlan& plan, const PlanSeries& data,
                                        const Progress& observer) {
  MonitorReport report;
  const Date until = last_period(data);
  const auto due = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT min(business_date) FROM forecast_snapshot WHERE plan = ? AND business_date <= ? AND origin < ?",
      {Value(plan.name), Value(until), Value(until)}));
  const auto first = due.date(0, 0);
  if (!first) return report;
  const auto actuals = actuals_after(data, *first);
  const auto done =
      stoppable_transaction(connection, observer, [&](database::Connection& inside) -> Result<> {
        TILLCAST_TRY_PLAIN(inside.execute(
            "CREATE OR REPLACE TEMP TABLE forecast_actual (series_id VARCHAR, business_date DATE, "
            "actual DOUBLE, is_closed BOOLEAN)"));
        if (auto appended = inside.append("forecast_actual", actuals->batch()); !appended) return appended;
        const auto added = TILLCAST_TRY_PLAIN(inside.query(
            "INSERT INTO forecast_outcome SELECT s.*, a.actual FROM forecast_snapshot AS s INNER "
            "JOIN forecast_actual "
            "AS a USING (series_id, business_date) WHERE s.plan = ? AND s.origin < s.business_date "
            "AND NOT (a.is_closed AND s.mean = 0)",
            {Value(plan.name)}));
        report.outcomes = added.rows_changed;
        TILLCAST_TRY_PLAIN(inside.query("DELETE FROM forecast_snapshot WHERE plan = ? AND business_date <= ?",
                                        {Value(plan.name), Value(until)}));
        TILLCAST_TRY_PLAIN(inside.query(
            "DELETE FROM forecast_outcome WHERE plan = ? AND business_date <= ?",
            {Value(plan.name), Value(Date{until.days - static_cast<std::int32_t>(workspace.config.integer(
                                                           "monitor.days_kept"))})}));
        TILLCAST_TRY_PLAIN(inside.query("DELETE FROM forecast_monitor WHERE plan = ?", {Value(plan.name)}));
        for (const int horizons : kWindows)
          TILLCAST_TRY_PLAIN(inside.execute(monitor_sql(workspace, plan, until, horizons * plan.horizon)));
        TILLCAST_TRY_PLAIN(inside.execute("DROP TABLE forecast_actual"));
        return update_alerts(inside, plan, report);
      });
  if (!done)
    return Error(done.error()).with_context("compare older forecasts of " + plan.name + " with what came");
  return report;
}

Result<std::vector<ForecastAlert>> list_alerts(database::Connection& connection,
                                               const AlertRequest& request) {
  std::vector<ForecastAlert> alerts;
  if (!TILLCAST_TRY_PLAIN(has_monitor_tables(connection))) return alerts;
  const auto rows = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT plan, series_id, CAST(model_version AS BIGINT), epoch_us(opened_at), epoch_us(closed_at), "
      "reason, wape, "
      "wape_expected, wape_seasonal_naive FROM forecast_alert WHERE (? = '' OR plan = ?) AND (? OR closed_at "
      "IS NULL) "
      "ORDER BY closed_at IS NOT NULL, series_id <> '', opened_at DESC, plan, series_id LIMIT " +
          std::to_string(request.limit),
      {Value(request.plan), Value(request.plan), Value(request.closed)}));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    ForecastAlert alert;
    alert.plan = rows.text(i, 0);
    alert.series_id = rows.text(i, 1);
    alert.model_version = static_cast<int>(rows.integer(i, 2).value_or(0));
    alert.opened_at = {rows.integer(i, 3).value_or(0)};
    if (const auto closed = rows.integer(i, 4)) alert.closed_at = Timestamp{*closed};
    alert.reason = rows.text(i, 5);
    alert.wape = rows.number(i, 6);
    alert.wape_expected = rows.number(i, 7);
    alert.wape_seasonal_naive = rows.number(i, 8);
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

Result<std::vector<MonitorFigures>> list_figures(database::Connection& connection,
                                                 const MonitorRequest& request) {
  std::vector<MonitorFigures> found;
  if (!TILLCAST_TRY_PLAIN(has_monitor_tables(connection))) return found;
  const auto rows = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT plan, series_id, CAST(model_version AS BIGINT), CAST(window_periods AS BIGINT), until, points, "
      "wape, wape_expected, wape_seasonal_naive, bias, coverage80, coverage95, state, reason "
      "FROM forecast_monitor WHERE (? = '' OR plan = ?) AND series_id = ? "
      "ORDER BY plan, model_version DESC, window_periods LIMIT " +
          std::to_string(request.limit),
      {Value(request.plan), Value(request.plan), Value(request.series_id)}));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    found.push_back({rows.text(i, 0), rows.text(i, 1), static_cast<int>(rows.integer(i, 2).value_or(0)),
                     static_cast<int>(rows.integer(i, 3).value_or(0)), rows.date(i, 4).value_or(Date{}),
                     rows.integer(i, 5).value_or(0), rows.number(i, 6), rows.number(i, 7), rows.number(i, 8),
                     rows.number(i, 9), rows.number(i, 10), rows.number(i, 11), rows.text(i, 12),
                     rows.text(i, 13)});
  }
  return found;
}

Result<std::string> plan_alert_since(database::Connection& connection, const std::string& plan,
                                     const std::string& since) {
  const auto rows = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT reason FROM forecast_alert WHERE plan = ? AND series_id = '' AND closed_at IS NULL "
      "AND opened_at > CAST(? AS TIMESTAMPTZ) LIMIT 1",
      {Value(plan), Value(since)}));
  return rows.rows() == 0 ? std::string() : rows.text(0, 0);
}

}  // namespace tillcast::pipeline
