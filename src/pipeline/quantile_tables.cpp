#include "pipeline/quantile_tables.h"

#include <algorithm>
#include <cmath>

#include "pipeline/batch_builder_internal.h"
#include "pipeline/plan_quantiles.h"

namespace tillcast::pipeline {
namespace {

constexpr std::size_t kErrorWindowsMax = 500;

constexpr const char* kCreateQuantileTables = R"(
ALTER TABLE forecast_point ADD COLUMN IF NOT EXISTS quantiles FLOAT[];
ALTER TABLE forecast_series ADD COLUMN IF NOT EXISTS quantile_shares DOUBLE[];
CREATE TABLE IF NOT EXISTS forecast_error_window (plan VARCHAR, run_id VARCHAR, level VARCHAR, demand_class VARCHAR,
  place INTEGER, errors FLOAT[]);
CREATE OR REPLACE VIEW forecast_quantile AS SELECT plan, point.run_id, series_id, business_date, unnest(quantile_shares) AS share,
  unnest(quantiles) AS value FROM forecast_point AS point INNER JOIN forecast_series AS series USING (plan, series_id);
)";

std::vector<ColumnSpec> list_columns(std::size_t count) {
  std::vector<ColumnSpec> columns;
  columns.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    columns.push_back({"item" + std::to_string(i), ColumnType::kDouble});
  return columns;
}

// The columns of list_columns() as one list.
std::string list_of(std::size_t count) {
  std::string items;
  for (std::size_t i = 0; i < count; ++i) items += (i > 0 ? ", item" : "item") + std::to_string(i);
  return "CAST([" + items + "] AS FLOAT[])";
}

// "* EXCLUDE" of the columns of list_columns(), and the list in their place.
std::string with_list(std::size_t count, const std::string& name) {
  if (count == 0) return "*";
  std::string items;
  for (std::size_t i = 0; i < count; ++i) items += (i > 0 ? ", item" : "item") + std::to_string(i);
  return "* EXCLUDE (" + items + "), " + list_of(count) + " AS " + name;
}

Result<> append_as(database::Connection& connection, const std::string& table, const ColumnBatch& batch,
                   const std::string& columns) {
  if (batch.rows == 0) return {};
  std::vector<database::BatchRows> pieces;
  pieces.push_back({std::shared_ptr<const ColumnBatch>(std::shared_ptr<void>(), &batch), {}});
  const auto scan = TILLCAST_TRY_PLAIN(connection.database().scan(std::move(pieces)));
  TILLCAST_TRY(
      connection.execute("INSERT INTO " + table + " BY NAME SELECT " + columns + " FROM " + scan.sql()),
      "append to " + table);
  return {};
}

}  // namespace

Result<> create_quantile_tables(database::Connection& connection) {
  TILLCAST_TRY_PLAIN(connection.execute(kCreateQuantileTables));
  return {};
}

Result<> append_series(database::Connection& connection, const ColumnBatch& series,
                       std::span<const double> shares) {
  const std::string list = shares_text({shares.begin(), shares.end()});
  return append_as(
      connection, "forecast_series", series,
      "*, " + (shares.empty() ? "NULL" : "CAST([" + list + "] AS DOUBLE[])") + " AS quantile_shares");
}

std::vector<ColumnSpec> quantile_columns(std::size_t shares) { return list_columns(shares); }

Result<> append_points(database::Connection& connection, const ColumnBatch& points, std::size_t shares) {
  return append_as(connection, "forecast_point", points, with_list(shares, "quantiles"));
}

Result<> store_error_windows(database::Connection& connection, const std::string& plan,
                             const std::string& run_id, const PlanSeries& data,
                             const forecast::ForecastRun& run) {
  using enum ColumnType;
  if (run.quantile_shares.empty()) return {};
  std::vector<std::string> levels;
  levels.reserve(data.members.size());
  for (const auto& member : data.members) levels.push_back(member.level);
  const auto all = forecast::error_windows(run, levels, kErrorWindowsMax);
  if (all.empty()) return {};
  const std::size_t steps = all[0].steps;
  std::vector<ColumnSpec> columns = {
      {"plan", kText}, {"run_id", kText}, {"level", kText}, {"demand_class", kText}, {"place", kInt64}};
  for (auto& column : list_columns(steps)) columns.push_back(std::move(column));
  BatchBuilder rows(columns);
  for (const auto& one : all) {
    for (std::size_t window = 0; (window + 1) * steps <= one.errors.size(); ++window) {
      rows.text(plan)
          .text(run_id)
          .text(one.level)
          .text(one.demand_class)
          .integer(static_cast<std::int64_t>(window));
      for (std::size_t step = 0; step < steps; ++step)
        rows.number(static_cast<double>(one.errors[window * steps + step]));
      rows.end_row();
    }
  }
  return append_as(connection, kErrorWindowTable, rows.batch(), with_list(steps, "errors"));
}

Result<std::unordered_map<std::string, StoredQuantiles>> load_shares(database::Connection& inside) {
  std::unordered_map<std::string, StoredQuantiles> found;
  const auto known = TILLCAST_TRY_PLAIN(inside.query(
      "SELECT count(*) FROM information_schema.columns WHERE table_name = 'forecast_series' AND column_name "
      "= 'quantile_shares'"));
  if (known.integer(0, 0).value_or(0) == 0) return found;
  const auto lists = TILLCAST_TRY_PLAIN(
      inside.query("SELECT DISTINCT array_to_string(quantile_shares, ',') FROM forecast_series WHERE "
                   "quantile_shares IS NOT NULL"));
  std::map<std::string, std::shared_ptr<const std::vector<double>>> shares;
  for (std::size_t i = 0; i < lists.rows(); ++i) {
    auto list = TILLCAST_TRY(parse_shares(lists.text(i, 0)), "forecast_series.quantile_shares");
    shares[lists.text(i, 0)] = std::make_shared<const std::vector<double>>(std::move(list));
  }
  const auto rows = TILLCAST_TRY_PLAIN(inside.query(
      "SELECT series_id, coalesce(level, ''), array_to_string(quantile_shares, ',') FROM forecast_series "
      "WHERE quantile_shares IS NOT NULL"));
  for (std::size_t i = 0; i < rows.rows(); ++i)
    found[rows.text(i, 0)] = {rows.text(i, 1), shares[rows.text(i, 2)], {}};
  return found;
}

std::string select_quantiles(std::size_t shares) {
  std::string columns;
  for (std::size_t i = 1; i <= shares; ++i) columns += ", quantiles[" + std::to_string(i) + "]";
  return columns;
}

Result<std::map<std::string, std::vector<forecast::ErrorWindows>>> load_error_windows(
    database::Connection& inside) {
  std::map<std::string, std::vector<forecast::ErrorWindows>> found;
  const auto longest = TILLCAST_TRY_PLAIN(
      inside.query("SELECT coalesce(max(length(errors)), 0) FROM " + std::string(kErrorWindowTable)));
  const auto most = static_cast<std::size_t>(longest.integer(0, 0).value_or(0));
  std::string columns;
  for (std::size_t i = 1; i <= most; ++i) columns += ", errors[" + std::to_string(i) + "]";
  const auto rows = TILLCAST_TRY_PLAIN(inside.query("SELECT plan, level, demand_class, length(errors)" +
                                                    columns + " FROM " + std::string(kErrorWindowTable) +
                                                    " ORDER BY plan, level, demand_class, place"));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::string level = rows.text(i, 1);
    const std::string demand_class = rows.text(i, 2);
    const auto steps = static_cast<std::size_t>(rows.integer(i, 3).value_or(0));
    auto& plan = found[rows.text(i, 0)];
    if (plan.empty() || plan.back().level != level || plan.back().demand_class != demand_class)
      plan.push_back({level, demand_class, steps, {}});
    for (std::size_t step = 0; step < steps; ++step)
      plan.back().errors.push_back(static_cast<float>(rows.number(i, 4 + step).value_or(NAN)));
  }
  return found;
}

}  // namespace tillcast::pipeline
