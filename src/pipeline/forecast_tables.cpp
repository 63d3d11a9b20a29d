#include "pipeline/forecast_tables.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "core/version.h"
#include "pipeline/accuracy_tables.h"
#include "pipeline/batch_builder_internal.h"
#include "pipeline/monitor.h"
#include "pipeline/quantile_tables.h"

namespace tillcast::pipeline {
namespace {

using database::Value;

constexpr const char* kCreateForecastTables = R"(
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
ALTER TABLE forecast_accuracy ADD COLUMN IF NOT EXISTS mape DOUBLE;
ALTER TABLE forecast_accuracy ADD COLUMN IF NOT EXISTS rmsse DOUBLE;
ALTER TABLE forecast_run ADD COLUMN IF NOT EXISTS model_version INTEGER;
ALTER TABLE forecast_run ADD COLUMN IF NOT EXISTS experiment VARCHAR;
ALTER TABLE forecast_series ADD COLUMN IF NOT EXISTS model_version INTEGER;
ALTER TABLE forecast_series ADD COLUMN IF NOT EXISTS variant VARCHAR;
ALTER TABLE forecast_series ADD COLUMN IF NOT EXISTS level VARCHAR;
ALTER TABLE forecast_series ADD COLUMN IF NOT EXISTS thin_intervals BOOLEAN;
ALTER TABLE forecast_point ADD COLUMN IF NOT EXISTS model_version INTEGER;
ALTER TABLE forecast_point ADD COLUMN IF NOT EXISTS variant VARCHAR;
CREATE TABLE IF NOT EXISTS forecast_coverage (plan VARCHAR, run_id VARCHAR, level VARCHAR, demand_class VARCHAR, points BIGINT,
  coverage80 DOUBLE, coverage95 DOUBLE, width80 DOUBLE, width95 DOUBLE);
)";
constexpr const char* kForecastTables[] = {"forecast_run",      "forecast_series",   "forecast_point",
                                           "forecast_accuracy", "forecast_coverage", kErrorWindowTable};

Value number_or_null(double value) { return std::isfinite(value) ? Value(value) : Value(); }

Result<void> store_series(database::Connection& connection, const ForecastPlan& plan,
                          const std::string& run_id, const PlanSeries& data, const Served& served) {
  using enum ColumnType;
  const forecast::ForecastRun& run = served.run;
  BatchBuilder series_rows({{"plan", kText},           {"run_id", kText},
                            {"place", kInt64},         {"series_id", kText},
                            {"label", kText},          {"store_id", kText},
                            {"product_id", kText},     {"total", kText},
                            {"model", kText},          {"demand_class", kText},
                            {"status", kText},         {"reason", kText},
                            {"periods", kInt64},       {"history_from", kDate},
                            {"history_until", kDate},  {"outliers_capped", kInt64},
                            {"wape", kDouble},         {"wape_seasonal_naive", kDouble},
                            {"model_version", kInt64}, {"variant", kText},
                            {"level", kText},          {"thin_intervals", kBool}});
  const std::size_t shares = run.quantile_shares.size();
  std::vector<ColumnSpec> point_columns = {
      {"plan", kText},   {"run_id", kText},    {"series_id", kText},      {"business_date", kDate},
      {"mean", kDouble}, {"lo80", kDouble},    {"hi80", kDouble},         {"lo95", kDouble},
      {"hi95", kDouble}, {"is_closed", kBool}, {"model_version", kInt64}, {"variant", kText}};
  for (auto& column : quantile_columns(shares)) point_columns.push_back(std::move(column));
  BatchBuilder point_rows(point_columns);
  for (std::size_t i = 0; i < run.series.size(); ++i) {
    const auto& forecast = run.series[i];
    const auto& member = data.members[i];
    const auto tested = served.figures.series.find(member.id);
    const auto figures =
        tested == served.figures.series.end() ? BacktestFigures::SeriesRow{} : tested->second;
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
        .number(figures.wape < 0 ? NAN : figures.wape)
        .number(figures.wape_seasonal_naive < 0 ? NAN : figures.wape_seasonal_naive)
        .integer(served.versions[i])
        .text(served.variants[i])
        .text(member.level)
        .integer(forecast.thin_intervals ? 1 : 0)
        .end_row();
    for (std::size_t step = 0; step < forecast.points.size(); ++step) {
      const auto& point = forecast.points[step];
      const bool bounded = point.closed || !forecast.no_intervals;
      const auto bound = [bounded](double value) { return bounded ? value : NAN; };
      point_rows.text(plan.name)
          .text(run_id)
          .text(member.id)
          .integer(point.date.days)
          .number(point.mean)
          .number(bound(point.lo80))
          .number(bound(point.hi80))
          .number(bound(point.lo95))
          .number(bound(point.hi95))
          .integer(point.closed ? 1 : 0)
          .integer(served.versions[i])
          .text(served.variants[i]);
      for (std::size_t q = 0; q < shares; ++q)
        point_rows.number(bound(static_cast<double>(forecast.quantiles[step * shares + q])));
      point_rows.end_row();
    }
  }
  if (auto appended = append_series(connection, series_rows.batch(), run.quantile_shares); !appended)
    return appended;
  return append_points(connection, point_rows.batch(), shares);
}

Result<void> store_accuracy(database::Connection& connection, const ForecastPlan& plan,
                            const std::string& run_id, const BacktestFigures& figures) {
  using enum ColumnType;
  constexpr const char* kMeasures[] = {"wape",        "rmspe", "mae",  "rmse",
                                       "mase",        "smape", "bias", "wape_seasonal_naive",
                                       "value_added", "mape",  "rmsse"};
  std::vector<ColumnSpec> columns = {
      {"plan", kText}, {"run_id", kText}, {"model", kText}, {"demand_class", kText}, {"points", kInt64}};
  for (const char* measure : kMeasures) columns.push_back({measure, kDouble});
  BatchBuilder rows(columns);
  for (const auto& row : figures.models) {
    rows.text(plan.name).text(run_id).text(row.model).text(row.demand_class).integer(row.points);
    for (const char* measure : kMeasures) {
      const auto at = row.measures.find(measure);
      rows.number(at == row.measures.end() ? NAN : at->second);
    }
    rows.end_row();
  }
  return connection.append("forecast_accuracy", rows.batch());
}

// By level (empty = the plan's own series) and class.
Result<void> store_coverage(database::Connection& connection, const ForecastPlan& plan,
                            const std::string& run_id, const forecast::ForecastRun& run) {
  using enum ColumnType;
  BatchBuilder rows({{"plan", kText},
                     {"run_id", kText},
                     {"level", kText},
                     {"demand_class", kText},
                     {"points", kInt64},
                     {"coverage80", kDouble},
                     {"coverage95", kDouble},
                     {"width80", kDouble},
                     {"width95", kDouble}});
  for (const auto& row : run.coverage) {
    rows.text(plan.name)
        .text(run_id)
        .text(row.level)
        .text(row.demand_class ? forecast::demand_class_name(*row.demand_class) : "all")
        .integer(static_cast<std::int64_t>(row.coverage.count))
        .number(row.coverage.share80())
        .number(row.coverage.share95())
        .number(row.coverage.mean_width80())
        .number(row.coverage.mean_width95())
        .end_row();
  }
  return connection.append("forecast_coverage", rows.batch());
}

Result<void> store_run(database::Connection& connection, const ForecastPlan& plan, const PlanSeries& data,
                       const Served& served, const PlanReport& report) {
  const auto figure = [&served](const char* name) { return number_or_null(served.figures.of(name, NAN)); };
  const Value values[] = {Value(plan.name),
                          Value(report.run_id),
                          Value(plan.measure),
                          Value(join(plan.by, ",")),
                          Value(plan.frequency),
                          Value(std::int64_t{plan.horizon}),
                          Value(SystemClock().now()),
                          Value(data.data_until),
                          Value(report.series),
                          Value(static_cast<std::int64_t>(served.run.ok)),
                          Value(report.fallbacks),
                          Value(report.failed),
                          figure("wape"),
                          figure("wape_seasonal_naive"),
                          figure("rmspe"),
                          figure("rmspe_seasonal_naive"),
                          figure("bias"),
                          figure("coverage80"),
                          figure("coverage95"),
                          figure("width80"),
                          figure("width95"),
                          Value(served.run.wall_seconds),
                          Value(std::string(kVersion)),
                          Value(std::int64_t{served.champion}),
                          Value(served.experiment)};
  TILLCAST_TRY_PLAIN(
      connection.query("INSERT INTO forecast_run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                       "?, ?, ?, ?, ?, ?, ?, ?)",
                       values));
  return {};
}

}  // namespace

// The figures of a run that is stored already.
Result<std::optional<PlanReport>> stored_report(database::Connection& connection, const ForecastPlan& plan,
                                                const std::string& run_id) {
  const auto rows = TILLCAST_TRY_PLAIN(
      connection.query("SELECT series, fallbacks, failed, wape, wape_seasonal_naive, rmspe, "
                       "rmspe_seasonal_naive, coverage80, coverage95, model_version FROM forecast_run "
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
  report.model_version = static_cast<int>(rows.integer(0, 9).value_or(0));
  return std::optional<PlanReport>(report);
}

Result<void> prepare_forecast_tables(Workspace& workspace, std::span<const ForecastPlan> plans) {
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  TILLCAST_TRY_PLAIN(connection.execute(kCreateForecastTables));
  TILLCAST_TRY_PLAIN(create_quantile_tables(connection));
  std::string names = "''";
  for (const auto& plan : plans) names += ", " + database::sql_quote(plan.name);
  TILLCAST_TRY_PLAIN(create_accuracy_tables(connection));
  if (auto made = prepare_monitor_tables(connection, names); !made) return made;
  return connection.transaction([&names](database::Connection& inside) -> Result<> {
    for (const char* table : kForecastTables)
      TILLCAST_TRY_PLAIN(
          inside.execute(std::string("DELETE FROM ") + table + " WHERE plan NOT IN (" + names + ")"));
    return remove_accuracy(inside, " WHERE plan NOT IN (" + names + ")");
  });
}

PlanReport report_of(const ForecastPlan& plan, const std::string& run_id, const Served& served) {
  PlanReport report;
  report.plan = plan.name;
  report.run_id = run_id;
  report.model_version = served.champion;
  report.series = static_cast<std::int64_t>(served.run.series.size());
  report.fallbacks = static_cast<std::int64_t>(served.run.fallbacks);
  report.failed = static_cast<std::int64_t>(served.run.refused);
  report.wape = served.figures.of("wape");
  report.wape_seasonal_naive = served.figures.of("wape_seasonal_naive");
  report.rmspe = served.figures.of("rmspe");
  report.rmspe_seasonal_naive = served.figures.of("rmspe_seasonal_naive");
  report.coverage80 = served.figures.of("coverage80");
  report.coverage95 = served.figures.of("coverage95");
  return report;
}

Result<void> store_forecasts(database::Connection& connection, const ForecastPlan& plan,
                             const PlanSeries& data, const Served& served, const PlanReport& report,
                             const Progress& observer) {
  return stoppable_transaction(connection, observer, [&](database::Connection& inside) -> Result<> {
    for (const char* table : kForecastTables)
      TILLCAST_TRY_PLAIN(
          inside.query(std::string("DELETE FROM ") + table + " WHERE plan = ?", {Value(plan.name)}));
    if (auto done = store_series(inside, plan, report.run_id, data, served); !done) return done;
    if (auto done = store_error_windows(inside, plan.name, report.run_id, data, served.run); !done)
      return done;
    if (auto done = store_accuracy(inside, plan, report.run_id, served.figures); !done) return done;
    if (auto done = store_coverage(inside, plan, report.run_id, served.run); !done) return done;
    // The details of a back-test are at hand right after it; an older version is shown without them.
    const bool detailed = !served.run.report.rows.empty();
    if (detailed) {
      if (auto done = store_accuracy_report(inside, plan, data, served.run, report.run_id); !done)
        return done;
    } else if (!served.figures_are_stored) {
      if (auto done = remove_accuracy(inside, " WHERE plan = " + database::sql_quote(plan.name)); !done)
        return done;
    }
    if (auto done = keep_snapshot(inside, plan, data, served); !done) return done;
    return store_run(inside, plan, data, served, report);
  });
}

}  // namespace tillcast::pipeline
