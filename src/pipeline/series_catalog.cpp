#include "pipeline/series_catalog.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/text.h"
#include "io/file_hash.h"

namespace tillcast::pipeline {
namespace {

Date date_of(const database::QueryResult& rows, std::size_t row, std::size_t column) {
  return rows.date(row, column).value_or(Date{});
}

}  // namespace

Error unknown_plan(const std::string& plan, std::span<const std::string> known) {
  return not_found("there is no forecast plan '" + plan + "'" +
                   (known.empty() ? "; nothing is forecast yet: `tillcast run` makes forecasts"
                                  : "; there are: " + join(known, ", ")));
}

Result<std::shared_ptr<const SeriesCatalog>> SeriesCatalog::load(Workspace& workspace) {
  auto catalog = std::make_shared<SeriesCatalog>();
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const auto filled =
      connection.transaction([&catalog](database::Connection& inside) { return catalog->fill(inside); });
  if (!filled) return filled.error();
  return std::shared_ptr<const SeriesCatalog>(catalog);
}

Result<> SeriesCatalog::fill(database::Connection& inside) {
  const auto tables = TILLCAST_TRY_PLAIN(
      inside.query("SELECT count(*), count(*) FILTER (WHERE column_name = 'variant'), count(*) FILTER (WHERE "
                   "column_name = 'thin_intervals') FROM "
                   "information_schema.columns WHERE table_name IN ('forecast_run', 'forecast_series')"));
  if (tables.integer(0, 0).value_or(0) == 0) return {};
  // A warehouse of an older program has no versions until its next fit.
  const std::string version_columns =
      std::string(tables.integer(0, 1).value_or(0) > 0 ? "series.model_version, series.variant" : "0, ''") +
      (tables.integer(0, 2).value_or(0) > 0 ? ", CAST(coalesce(thin_intervals, false) AS BIGINT)" : ", 0");

  const auto runs =
      TILLCAST_TRY_PLAIN(inside.query("SELECT plan, run_id, measure, by_columns, frequency, horizon, "
                                      "data_until FROM forecast_run ORDER BY plan"));
  std::map<std::string, Date> data_until;
  for (std::size_t i = 0; i < runs.rows(); ++i) {
    ForecastPlan plan{runs.text(i, 0),
                      runs.text(i, 2),
                      {},
                      runs.text(i, 4),
                      static_cast<int>(runs.integer(i, 5).value_or(1)),
                      0,
                      "auto"};
    std::istringstream columns(runs.text(i, 3));
    for (std::string column; std::getline(columns, column, ',');) plan.by.push_back(column);
    version_ += runs.text(i, 1);
    data_until[plan.name] = date_of(runs, i, 6);
    plans_.emplace(plan.name, std::move(plan));
  }

  const auto rows = TILLCAST_TRY_PLAIN(
      inside.query("SELECT plan, series.run_id, series_id, label, store_id, product_id, total, model, "
                   "demand_class, status, reason, periods, history_from, history_until, series.wape, "
                   "series.wape_seasonal_naive, " +
                   version_columns +
                   " FROM forecast_series AS series "
                   "INNER JOIN forecast_run AS run USING (plan) "
                   "ORDER BY length(run.by_columns) > 0, plan, place"));  // totals before parts
  series_.reserve(rows.rows());
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    SeriesForecast series;
    const ForecastPlan& plan = plans_[rows.text(i, 0)];
    series.info = {rows.text(i, 2),      rows.text(i, 0),
                   rows.text(i, 3),      rows.text(i, 4),
                   rows.text(i, 5),      plan.measure,
                   plan.frequency,       date_of(rows, i, 12),
                   date_of(rows, i, 13), rows.integer(i, 11).value_or(0),
                   rows.text(i, 6),      rows.text(i, 7),
                   rows.text(i, 8),      rows.text(i, 9),
                   rows.text(i, 10)};
    series.run_id = rows.text(i, 1);
    series.model = series.info.model;
    series.data_until = data_until[series.info.plan];
    series.wape = rows.number(i, 14).value_or(-1);
    series.wape_seasonal_naive = rows.number(i, 15).value_or(-1);
    series.model_version = static_cast<int>(rows.integer(i, 16).value_or(0));
    series.variant = rows.text(i, 17);
    series.thin_intervals = rows.integer(i, 18).value_or(0) != 0;
    series_.push_back(std::move(series));
  }
  for (std::size_t i = 0; i < series_.size(); ++i) by_id_.emplace(series_[i].info.id, i);

  const std::size_t shares_max = TILLCAST_TRY_PLAIN(fill_quantiles(inside));
  const auto points = TILLCAST_TRY_PLAIN(inside.query(
      "SELECT series_id, business_date, mean, lo80, hi80, lo95, hi95" + select_quantiles(shares_max) +
      " FROM forecast_point ORDER BY plan, series_id, business_date"));
  const auto& columns = points.batch.columns;
  for (std::size_t i = 0; i < points.rows(); ++i) {
    const auto at = by_id_.find(columns[0].text[i]);
    if (at == by_id_.end()) continue;
    ForecastPoint point{Date{static_cast<std::int32_t>(columns[1].ints[i])}, columns[2].doubles[i], {}};
    if (!columns[3].is_null(i))
      point.intervals = {{80, columns[3].doubles[i], columns[4].doubles[i]},
                         {95, columns[5].doubles[i], columns[6].doubles[i]}};
    series_[at->second].points.push_back(std::move(point));
    StoredQuantiles& quantiles = quantiles_[at->second];
    for (std::size_t q = 0; quantiles.shares != nullptr && q < quantiles.shares->size(); ++q)
      quantiles.values.push_back(static_cast<float>(columns[7 + q].doubles[i]));
  }
  return {};
}

Result<std::size_t> SeriesCatalog::fill_quantiles(database::Connection& inside) {
  auto stored = TILLCAST_TRY_PLAIN(load_shares(inside));
  if (!stored.empty()) windows_ = TILLCAST_TRY_PLAIN(load_error_windows(inside));
  quantiles_.resize(series_.size());
  std::size_t shares_max = 0;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const auto found = stored.find(series_[i].info.id);
    if (found == stored.end()) continue;
    quantiles_[i] = std::move(found->second);
    shares_max = std::max(shares_max, quantiles_[i].shares->size());
  }
  return shares_max;
}

std::span<const forecast::ErrorWindows> SeriesCatalog::windows(const std::string& plan) const {
  const auto found = windows_.find(plan);
  if (found == windows_.end()) return {};
  return found->second;
}

const SeriesForecast* SeriesCatalog::find(std::string_view id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : &series_[at->second];
}

std::vector<const SeriesForecast*> SeriesCatalog::series_of(const std::string& plan) const {
  std::vector<const SeriesForecast*> found;
  for (const auto& series : series_)
    if (series.info.plan == plan) found.push_back(&series);
  return found;
}

bool SeriesCatalog::has_levels(const std::string& plan) const {
  return std::ranges::any_of(series_, [&plan](const SeriesForecast& one) {
    return one.info.plan == plan && one.info.id.starts_with(plan + "/@");
  });
}

std::size_t SeriesCatalog::periods(const std::string& plan) const {
  std::size_t sum = 0;
  for (const auto& series : series_)
    if (series.info.plan == plan)
      sum += static_cast<std::size_t>(std::max<std::int64_t>(0, series.info.periods));
  return sum;
}

const ForecastPlan* SeriesCatalog::plan(const std::string& name) const {
  const auto at = plans_.find(name);
  return at == plans_.end() ? nullptr : &at->second;
}

Result<> SeriesCatalog::check_plan(const std::string& plan) const {
  if (plan.empty() || plans_.contains(plan)) return {};
  std::vector<std::string> known;
  known.reserve(plans_.size());
  for (const auto& [name, one] : plans_) known.push_back(name);
  return unknown_plan(plan, known);
}

// The cursor names the runs it was made for, so that a page never goes on in other ones: "<hash>-<place>".
std::string SeriesCatalog::cursor_at(std::size_t place) const {
  return io::xxh3_text(version_) + "-" + std::to_string(place);
}

Result<std::size_t> SeriesCatalog::place_of(const std::string& cursor) const {
  std::size_t place = 0;
  if (cursor.empty()) return place;
  const auto dash = cursor.find('-');
  const char* const end = cursor.data() + cursor.size();
  const char* const digits = dash == std::string::npos ? end : cursor.data() + dash + 1;
  const auto parsed = std::from_chars(digits, end, place);
  if (parsed.ec != std::errc{} || parsed.ptr != end)
    return invalid_input("cursor must be the next_cursor of an earlier page, found '" + cursor.substr(0, 80) +
                         "'");
  if (cursor.substr(0, dash) != io::xxh3_text(version_))
    return invalid_input(
        "the forecasts were trained again since this cursor was given; begin at the first page");
  if (place > series_.size())
    return invalid_input("cursor must be the next_cursor of an earlier page, found '" + cursor.substr(0, 80) +
                         "'");
  return place;
}

Result<SeriesPage> SeriesCatalog::page(const SeriesRequest& request) const {
  TILLCAST_TRY_PLAIN(check_plan(request.plan));
  const std::size_t from = TILLCAST_TRY_PLAIN(place_of(request.cursor));
  const std::string wanted = ascii_lower(request.search);
  SeriesPage page;
  for (std::size_t i = from; i < series_.size(); ++i) {
    const SeriesInfo& info = series_[i].info;
    if (!request.plan.empty() && info.plan != request.plan) continue;
    if (!wanted.empty() && ascii_lower(info.id).find(wanted) == std::string::npos &&
        ascii_lower(info.label).find(wanted) == std::string::npos)
      continue;
    if (page.series.size() == static_cast<std::size_t>(request.limit)) {
      page.next_cursor = cursor_at(i);
      break;
    }
    page.series.push_back(info);
  }
  return page;
}

Result<PredictionPage> SeriesCatalog::predictions(const PredictionRequest& request,
                                                  std::shared_ptr<const SeriesCatalog> self) const {
  TILLCAST_TRY_PLAIN(check_plan(request.plan));
  const std::size_t from = TILLCAST_TRY_PLAIN(place_of(request.cursor));
  PredictionPage page;
  std::size_t points = 0;
  for (std::size_t i = from; i < series_.size(); ++i) {
    const SeriesInfo& info = series_[i].info;
    if (!request.plan.empty() && info.plan != request.plan) continue;
    if (!request.store_id.empty() && info.store_id != request.store_id) continue;
    if (!request.product_id.empty() && info.product_id != request.product_id) continue;
    if (!request.series_id.empty() && info.id != request.series_id) continue;
    if (points >= static_cast<std::size_t>(request.points_max)) {
      page.next_cursor = cursor_at(i);
      break;
    }
    points += series_[i].points.size();
    page.series.push_back(&series_[i]);
  }
  if (page.series.empty() && !request.series_id.empty())
    return not_found("there is no stored forecast of '" + request.series_id + "'");
  page.owner = std::move(self);
  return page;
}

}  // namespace tillcast::pipeline
