#include "pipeline/accuracy_tables.h"

#include <cmath>

#include "pipeline/batch_builder_internal.h"

namespace tillcast::pipeline {
namespace {

constexpr const char* kCreate = R"(
CREATE TABLE IF NOT EXISTS forecast_accuracy_detail (plan VARCHAR, run_id VARCHAR, model VARCHAR, demand_class VARCHAR, level VARCHAR,
  steps VARCHAR, first_step BIGINT, last_step BIGINT, origin DATE, is_newest BOOLEAN, series BIGINT, points BIGINT, mae DOUBLE,
  median_error DOUBLE, rmse DOUBLE, wape DOUBLE, bias DOUBLE, mape DOUBLE, smape DOUBLE, rmspe DOUBLE, mase DOUBLE, rmsse DOUBLE,
  wape_seasonal_naive DOUBLE, rmspe_seasonal_naive DOUBLE, value_added DOUBLE);
CREATE TABLE IF NOT EXISTS forecast_interval_accuracy (plan VARCHAR, run_id VARCHAR, demand_class VARCHAR, steps VARCHAR,
  first_step BIGINT, last_step BIGINT, percent BIGINT, points BIGINT, coverage DOUBLE, width DOUBLE, relative_width DOUBLE, score DOUBLE,
  pinball_low DOUBLE, pinball_high DOUBLE, scaled_pinball DOUBLE);
CREATE TABLE IF NOT EXISTS forecast_series_accuracy (plan VARCHAR, run_id VARCHAR, series_id VARCHAR, label VARCHAR, model VARCHAR,
  demand_class VARCHAR, points BIGINT, actual DOUBLE, mae DOUBLE, median_error DOUBLE, wape DOUBLE, bias DOUBLE, rmspe DOUBLE, mase DOUBLE,
  rmsse DOUBLE, wape_seasonal_naive DOUBLE, value_added DOUBLE, error_share DOUBLE);
ALTER TABLE forecast_accuracy_detail ADD COLUMN IF NOT EXISTS weighted_rmsse DOUBLE;
ALTER TABLE forecast_accuracy_detail ADD COLUMN IF NOT EXISTS wrmsse DOUBLE;
ALTER TABLE forecast_accuracy_detail ADD COLUMN IF NOT EXISTS wrmsse_seasonal_naive DOUBLE;
)";
constexpr const char* kAccuracyTables[] = {"forecast_accuracy_detail", "forecast_interval_accuracy",
                                           "forecast_series_accuracy"};

std::int64_t whole(std::size_t count) { return static_cast<std::int64_t>(count); }

std::string_view class_name(std::optional<forecast::DemandClass> demand_class) {
  return demand_class ? forecast::demand_class_name(*demand_class) : "all";
}

/// "all", or "8-14".
struct Steps {
  std::string text = "all";
  std::int64_t first = 1;
  std::int64_t last = 0;

  Steps(const forecast::AccuracyReport& report, std::optional<std::size_t> part) {
    if (!report.parts.empty()) last = whole(report.parts.back().last);
    if (!part) return;
    first = whole(report.parts[*part].first);
    last = whole(report.parts[*part].last);
    text = first == last ? std::to_string(first) : std::to_string(first) + "-" + std::to_string(last);
  }
};

Result<void> store_rows(database::Connection& connection, const ForecastPlan& plan, const std::string& run_id,
                        const forecast::AccuracyReport& report) {
  using enum ColumnType;
  BatchBuilder rows({{"plan", kText},
                     {"run_id", kText},
                     {"model", kText},
                     {"demand_class", kText},
                     {"level", kText},
                     {"steps", kText},
                     {"first_step", kInt64},
                     {"last_step", kInt64},
                     {"origin", kDate},
                     {"is_newest", kBool},
                     {"series", kInt64},
                     {"points", kInt64},
                     {"mae", kDouble},
                     {"median_error", kDouble},
                     {"rmse", kDouble},
                     {"wape", kDouble},
                     {"bias", kDouble},
                     {"mape", kDouble},
                     {"smape", kDouble},
                     {"rmspe", kDouble},
                     {"mase", kDouble},
                     {"rmsse", kDouble},
                     {"wape_seasonal_naive", kDouble},
                     {"rmspe_seasonal_naive", kDouble},
                     {"value_added", kDouble},
                     {"weighted_rmsse", kDouble},
                     {"wrmsse", kDouble},
                     {"wrmsse_seasonal_naive", kDouble}});
  for (const auto& row : report.rows) {
    const Steps steps(report, row.part);
    // One measure of the whole run: beside all chosen models together.
    const bool whole_run = !row.model && !row.demand_class && !row.part && row.level.empty();
    rows.text(plan.name)
        .text(run_id)
        .text(row.model ? forecast::model(*row.model).name : "chosen")
        .text(class_name(row.demand_class))
        .text(row.level.empty() ? "all" : row.level)
        .text(steps.text)
        .integer(steps.first)
        .integer(steps.last)
        .integer(report.origins[row.origin].days)
        .integer(row.origin == 0 ? 1 : 0)
        .integer(whole(row.series))
        .integer(whole(row.accuracy.count))
        .number(row.accuracy.mae())
        .number(row.median_error)
        .number(row.accuracy.rmse())
        .number(row.accuracy.wape())
        .number(row.accuracy.bias())
        .number(row.accuracy.mape())
        .number(row.accuracy.smape())
        .number(row.accuracy.rmspe())
        .number(row.accuracy.mase())
        .number(row.accuracy.rmsse())
        .number(row.benchmark.wape())
        .number(row.benchmark.rmspe())
        .number(forecast::value_added(row.accuracy, row.benchmark, forecast::Metric::kWape))
        .number(row.weighted_rmsse)
        .number(whole_run ? report.wrmsse : std::nan(""))
        .number(whole_run ? report.wrmsse_naive : std::nan(""))
        .end_row();
  }
  return connection.append("forecast_accuracy_detail", rows.batch());
}

Result<void> store_intervals(database::Connection& connection, const ForecastPlan& plan,
                             const std::string& run_id, const forecast::AccuracyReport& report) {
  using enum ColumnType;
  BatchBuilder rows({{"plan", kText},
                     {"run_id", kText},
                     {"demand_class", kText},
                     {"steps", kText},
                     {"first_step", kInt64},
                     {"last_step", kInt64},
                     {"percent", kInt64},
                     {"points", kInt64},
                     {"coverage", kDouble},
                     {"width", kDouble},
                     {"relative_width", kDouble},
                     {"score", kDouble},
                     {"pinball_low", kDouble},
                     {"pinball_high", kDouble},
                     {"scaled_pinball", kDouble}});
  for (const auto& row : report.intervals) {
    const Steps steps(report, row.part);
    for (const int percent : {80, 95}) {
      const forecast::IntervalAccuracy& interval = percent == 80 ? row.inside80 : row.inside95;
      const auto& low = row.quantiles[percent == 80 ? 1 : 0];
      const auto& high = row.quantiles[percent == 80 ? 2 : 3];
      rows.text(plan.name)
          .text(run_id)
          .text(class_name(row.demand_class))
          .text(steps.text)
          .integer(steps.first)
          .integer(steps.last)
          .integer(percent)
          .integer(whole(interval.count))
          .number(interval.coverage())
          .number(interval.mean_width())
          .number(interval.relative_width())
          .number(interval.score(percent / 100.0))
          .number(low.mean_pinball())
          .number(high.mean_pinball())
          .number((low.scaled_pinball() + high.scaled_pinball()) / 2)
          .end_row();
    }
  }
  return connection.append("forecast_interval_accuracy", rows.batch());
}

Result<void> store_series_rows(database::Connection& connection, const ForecastPlan& plan,
                               const PlanSeries& data, const std::string& run_id,
                               const forecast::AccuracyReport& report) {
  using enum ColumnType;
  BatchBuilder rows({{"plan", kText},
                     {"run_id", kText},
                     {"series_id", kText},
                     {"label", kText},
                     {"model", kText},
                     {"demand_class", kText},
                     {"points", kInt64},
                     {"actual", kDouble},
                     {"mae", kDouble},
                     {"median_error", kDouble},
                     {"wape", kDouble},
                     {"bias", kDouble},
                     {"rmspe", kDouble},
                     {"mase", kDouble},
                     {"rmsse", kDouble},
                     {"wape_seasonal_naive", kDouble},
                     {"value_added", kDouble},
                     {"error_share", kDouble}});
  for (const auto& row : report.series) {
    const PlanMember& member = data.members[row.series];
    rows.text(plan.name)
        .text(run_id)
        .text(member.id)
        .text(member.label)
        .text(forecast::model(row.model).name)
        .text(forecast::demand_class_name(row.demand_class))
        .integer(whole(row.accuracy.count))
        .number(row.accuracy.absolute_actual)
        .number(row.accuracy.mae())
        .number(row.median_error)
        .number(row.accuracy.wape())
        .number(row.accuracy.bias())
        .number(row.accuracy.rmspe())
        .number(row.accuracy.mase())
        .number(row.accuracy.rmsse())
        .number(row.benchmark.wape())
        .number(forecast::value_added(row.accuracy, row.benchmark, forecast::Metric::kWape))
        .number(row.share)
        .end_row();
  }
  return connection.append("forecast_series_accuracy", rows.batch());
}

}  // namespace

Result<void> create_accuracy_tables(database::Connection& connection) {
  TILLCAST_TRY_PLAIN(connection.execute(kCreate));
  return {};
}

Result<void> remove_accuracy(database::Connection& connection, const std::string& where) {
  for (const char* table : kAccuracyTables)
    TILLCAST_TRY_PLAIN(connection.execute(std::string("DELETE FROM ") + table + where));
  return {};
}

Result<void> store_accuracy_report(database::Connection& connection, const ForecastPlan& plan,
                                   const PlanSeries& data, const forecast::ForecastRun& run,
                                   const std::string& run_id) {
  TILLCAST_TRY_PLAIN(
      remove_accuracy(connection, " WHERE plan = " + std::string(database::sql_quote(plan.name))));
  if (auto done = store_rows(connection, plan, run_id, run.report); !done) return done;
  if (auto done = store_intervals(connection, plan, run_id, run.report); !done) return done;
  return store_series_rows(connection, plan, data, run_id, run.report);
}

}  // namespace tillcast::pipeline
