#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/service.h"

namespace tillcast::test {

/// A Service over a small fixed data set: two plans, ids with slashes, bars, spaces and letters beyond ASCII,
/// one series that is too short. `version`, `delay` and `fault` may be changed while requests run.
class MemoryService final : public pipeline::Service {
 public:
  static constexpr int kDays = 942;
  static constexpr int kStored = 42;

  explicit MemoryService(int stores = 120) {
    for (int store = 1; store <= stores; ++store)
      add("stores/" + std::to_string(store), "stores", "Store " + std::to_string(store));
    add("products/85123A|United Kingdom", "products", "WHITE HANGING HEART \"T-LIGHT\" HOLDER");
    add("products/café au lait ☕/100%+?#&", "products", "Café <b>au</b> lait ☕");
    all_.back().status = "too_short";
    all_.back().reason = "3 periods, 28 are needed";
    all_.back().model.clear();
  }

  Result<pipeline::KpiReport> kpis(const pipeline::KpiRequest& request) override {
    before();
    if (empty) return not_found("there is no data yet: run `tillcast run`");
    if (fault) fault();
    pipeline::KpiReport report;
    report.from = request.from.value_or(kFirst);
    report.to = request.to.value_or(last());
    report.data_until = last();
    report.kpis = {
        {"net_sales", "Net sales", "Sales less returns and cancellations, services left out.", "GBP",
         "9747747.93", "8123456.10"},
        {"orders", "Orders", "Invoices with at least one sale.", "orders", "19960", "18200"},
        {"units", "Units", "Pieces sold less pieces returned.", "units", "5176450.000", "5400000.000"},
        {"customers", "Customers", "Known customers with at least one order.", "customers", "4339",
         std::nullopt},
        {"average_order_value", "Average order", "Net sales divided by orders.", "GBP", "488.36", "446.34"}};
    for (int month = 0; month < 13; ++month) {
      const Date day = date_from_civil(2010 + (11 + month) / 12, (11 + month) % 12 + 1, 1);
      report.by_month.push_back({day,
                                 std::to_string(500000 + month * 70000 - (month == 12 ? 900000 : 0)) + ".50",
                                 1500 + month * 90, "350000.000"});
    }
    const char* const countries[] = {"United Kingdom", "Netherlands", "EIRE",  "Germany",
                                     "France",         "Australia",   "Spain", "Switzerland"};
    double share = 0.84;
    for (const char* const country : countries) {
      report.by_country.push_back({country, std::to_string(static_cast<int>(share * 9747747)) + ".00",
                                   static_cast<int>(share * 19960), share});
      share *= share > 0.5 ? 0.04 : 0.8;
    }
    if (!request.country.empty())
      std::erase_if(report.by_country, [&](const auto& row) { return row.country != request.country; });
    return report;
  }

  Result<pipeline::SeriesPage> series(const pipeline::SeriesRequest& request) override {
    before();
    if (empty) return not_found("there is no data yet: run `tillcast run`");
    std::size_t from = 0;
    if (!request.cursor.empty()) {
      if (request.cursor.size() > 9 || request.cursor.find_first_not_of("0123456789") != std::string::npos) {
        return invalid_input("cursor '" + request.cursor +
                             "' is none of ours: use next_cursor of the page before");
      }
      from = std::stoul(request.cursor);
    }
    pipeline::SeriesPage page;
    std::size_t seen = 0;
    for (const auto& info : all_) {
      if (!request.plan.empty() && info.plan != request.plan) continue;
      if (!contains(info.id, request.search) && !contains(info.label, request.search)) continue;
      if (seen++ < from) continue;
      if (page.series.size() == static_cast<std::size_t>(request.limit)) {
        page.next_cursor = std::to_string(seen - 1);
        break;
      }
      page.series.push_back(info);
    }
    return page;
  }

  Result<pipeline::SeriesForecast> series_forecast(const std::string& id,
                                                   std::vector<pipeline::HistoryPoint>& history) override {
    before();
    const auto* const info = find(id);
    if (info == nullptr) return not_found("no series '" + id + "': GET /api/v1/series lists them");
    history.resize(kDays);
    for (int day = 0; day < kDays; ++day) history[day] = {Date{kFirst.days + day}, level(day)};
    return forecast_of(*info, kStored);
  }

  Result<std::vector<Result<pipeline::SeriesForecast>>> forecast(
      const pipeline::ForecastRequest& request) override {
    before();
    std::vector<Result<pipeline::SeriesForecast>> answers;
    for (const auto& item : request.items) {
      const auto* const info = find(item.series_id);
      if (info == nullptr && item.series_id.starts_with("stores/new") && !request.strict) {
        auto like = all_.front();
        like.id = item.series_id;
        auto made = forecast_of(like, request.horizon.value_or(kStored));
        made.model = "cold_start";
        made.cold_start = pipeline::ColdStart{"store new; pooled over 120 series", {}, 120};
        for (const auto& [name, value] : item.attributes) made.cold_start->basis += "; " + name + " " + value;
        answers.emplace_back(std::move(made));
      } else if (info == nullptr) {
        answers.emplace_back(not_found("no series '" + item.series_id + "'"));
      } else if (info->status == "too_short" && (request.horizon || !request.dates.empty())) {
        answers.emplace_back(invalid_input("series '" + item.series_id + "' is too short: " + info->reason));
      } else if (request.horizon) {
        answers.emplace_back(forecast_of(*info, *request.horizon));
      } else if (request.dates.empty()) {
        answers.emplace_back(forecast_of(*info, kStored));
      } else {
        auto made = forecast_of(*info, 0);
        std::optional<Error> early;
        for (const Date date : request.dates) {
          if (date <= last())
            early = invalid_input("date " + format_date(date) + " is not after the data's end " +
                                  format_date(last()));
          made.points.push_back(point(date));
        }
        if (early) {
          answers.emplace_back(*early);
        } else {
          answers.emplace_back(std::move(made));
        }
      }
    }
    for (auto& answer : answers)
      if (answer) add_quantiles(request, *answer);
    return answers;
  }

  /// Half level, half weekday; one model behind it.
  Result<pipeline::SeriesExplanation> explain(const pipeline::ExplainRequest& request) override {
    before();
    const auto* const info = find(request.series_id);
    if (info == nullptr) return not_found("no series '" + request.series_id + "'");
    pipeline::SeriesExplanation found;
    found.forecast = forecast_of(*info, kStored);
    const auto explained = [](Date date, double value) {
      return pipeline::ExplainedValue{date, value, {{"level", value / 2}, {"weekday", value - value / 2}}};
    };
    for (const auto& made : found.forecast.points)
      if (!request.date || *request.date == made.date)
        found.points.push_back(explained(made.date, made.mean));
    if (found.points.empty())
      return invalid_input(format_date(*request.date) + " is not among the stored periods");
    found.models = {{info->model, 1, found.points}};
    for (int day = kDays - std::min(request.history, kDays); day < kDays; ++day)
      found.history.push_back(explained({kFirst.days + day}, level(day)));
    found.forecast.points.clear();
    return found;
  }

  Result<std::vector<pipeline::PlanModels>> models() override {
    std::vector<pipeline::PlanModels> all;
    if (!empty) all.push_back(stores_models());
    return all;
  }
  Result<pipeline::PlanModels> models_of(const std::string& plan, int) override {
    if (plan != "stores")
      return not_found("plan '" + plan + "' has no model versions; there are some of: stores");
    return stores_models();
  }

  Result<std::vector<pipeline::ForecastAlert>> alerts(const pipeline::AlertRequest& request) override {
    std::vector<pipeline::ForecastAlert> found;
    if (!request.plan.empty() && request.plan != "stores" && request.plan != "products")
      return not_found("there is no forecast plan '" + request.plan + "'");
    if (empty || request.plan == "products") return found;
    found.push_back({"stores",
                     "",
                     1,
                     {1'438'400'000'000'000},
                     std::nullopt,
                     "its error is 190 % of the back-test's",
                     0.18,
                     0.095,
                     0.16});
    found.push_back({"stores",
                     "stores/7",
                     1,
                     {1'438'300'000'000'000},
                     std::nullopt,
                     "worse than <b>naive</b>",
                     0.31,
                     0.095,
                     0.16});
    if (request.closed)
      found.push_back({"stores",
                       "stores/8",
                       1,
                       {1'438'000'000'000'000},
                       Timestamp{1'438'100'000'000'000},
                       "biased",
                       0.2,
                       std::nullopt,
                       std::nullopt});
    if (found.size() > static_cast<std::size_t>(request.limit))
      found.resize(static_cast<std::size_t>(request.limit));
    return found;
  }

  Result<std::vector<pipeline::MonitorFigures>> monitor(const pipeline::MonitorRequest& request) override {
    std::vector<pipeline::MonitorFigures> found;
    if (!request.plan.empty() && request.plan != "stores" && request.plan != "products")
      return not_found("there is no forecast plan '" + request.plan + "'");
    if (!request.series_id.empty() && find(request.series_id) == nullptr)
      return not_found("there is no series '" + request.series_id + "'");
    if (empty || request.plan == "products") return found;
    const std::string& id = request.series_id;
    found.push_back({"stores", id, 2, kStored, last(), 3, {}, 0.095, {}, {}, {}, {}, "few", ""});
    found.push_back({"stores", id, 1, kStored, last(), 5040, 0.18, 0.095, 0.16, -0.02, 0.7, 0.9, "degraded",
                     "the seasonal naive would have been better"});
    if (found.size() > static_cast<std::size_t>(request.limit))
      found.resize(static_cast<std::size_t>(request.limit));
    return found;
  }

  Result<pipeline::PredictionPage> predictions(const pipeline::PredictionRequest& request) override {
    before();
    if (request.cursor.size() > 4 || request.cursor.find_first_not_of("0123456789") != std::string::npos)
      return invalid_input("cursor '" + request.cursor + "' is none of ours");
    const auto made = std::make_shared<std::vector<pipeline::SeriesForecast>>();
    pipeline::PredictionPage page;
    std::size_t seen = 0;
    const std::size_t from = request.cursor.empty() ? 0 : std::stoul(request.cursor);
    for (const auto& info : all_) {
      if (!request.plan.empty() && info.plan != request.plan) continue;
      if (!request.store_id.empty() && info.store_id != request.store_id) continue;
      if (!request.series_id.empty() && info.id != request.series_id) continue;
      if (seen++ < from) continue;
      if (made->size() * kStored >= static_cast<std::size_t>(request.points_max)) {
        page.next_cursor = std::to_string(seen - 1);
        break;
      }
      made->push_back(forecast_of(info, kStored));
    }
    for (const auto& one : *made) page.series.push_back(&one);
    page.owner = made;
    return page;
  }

  Readiness readiness() override {
    if (empty) return {false, "no data yet: run `tillcast run`"};
    return {true, "run 2011-12-10T06:00:00Z"};
  }
  std::string data_version() override { return "run-" + std::to_string(version.load()); }

  /// Two versions, the older one champion and damaged, a third that cannot be read, an experiment that ended.
  static pipeline::PlanModels stores_models() {
    pipeline::PlanModels models;
    models.plan = "stores";
    models.aliases.champion = 1;
    models.aliases.challenger = 2;
    models.aliases.changes = {
        {"2015-08-01T04:00:00Z", "champion", 0, 1, "gate", "the first \"version\"", false}};
    for (const int number : {2, 1}) {
      registry::VersionInfo info;
      info.plan = "stores";
      info.number = number;
      info.created_at = "2015-08-01T04:00:00Z";
      info.data_from = "2013-01-01";
      info.data_until = "2015-07-31";
      info.data_hash = "0123456789abcdef";
      info.series = 120;
      info.periods = 113040;
      info.settings = {{"horizon", "42"}};
      info.metrics = {{"wape", 0.097}};
      info.inputs = {{"business_date", "DATE"}};
      info.outputs = {{"mean", "DOUBLE"}};
      info.verdict = number == 1 ? "champion" : "challenger";
      info.verdict_reason = "why";
      info.tool_version = "0.1.0";
      info.code_revision = "unknown";
      info.files = {{"model.txt", 100, std::string(64, 'a')}};
      models.versions.push_back(std::move(info));
    }
    models.problems = {{1, "model.txt is damaged; fit again"}, {3, "version.json is damaged"}};
    models.experiments = {
        {"spring", "stores", 1, 2, 50, "salt", "2015-08-01T04:00:00Z", "2015-08-02T04:00:00Z", "stopped"}};
    return models;
  }

  static Date last() { return {kFirst.days + kDays - 1}; }

  std::atomic<int> version{1};
  std::atomic<bool> empty{false};
  std::atomic<int> delay_ms{0};  ///< each query sleeps this long
  std::atomic<int> queries{0};   ///< started so far
  std::function<void()> fault;   ///< set before requests run; called by kpis()

 private:
  static constexpr Date kFirst = date_from_civil(2013, 1, 1);

  void before() {
    ++queries;
    if (delay_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
  }
  static bool contains(const std::string& text, const std::string& part) {
    const auto same = [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
  }
  static double level(int day) {
    return 5263 + 3.7 * (day % 30) - (day % 7 == 6 ? 5263 : 0) + (day % 7) * 61.25;
  }
  void add(std::string id, std::string plan, std::string label) {
    pipeline::SeriesInfo info;
    info.id = std::move(id);
    info.plan = std::move(plan);
    info.label = std::move(label);
    if (info.plan == "stores") info.store_id = info.id.substr(7);
    info.measure = "sales";
    info.frequency = "daily";
    info.first = kFirst;
    info.last = last();
    info.periods = kDays;
    info.total = "4957746.12";
    info.model = "ets";
    info.demand_class = "smooth";
    info.status = "ok";
    all_.push_back(std::move(info));
  }
  const pipeline::SeriesInfo* find(const std::string& id) const {
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const auto& info) { return info.id == id; });
    return found == all_.end() ? nullptr : &*found;
  }
  static pipeline::ForecastPoint point(Date date) {
    const double mean = level(date.days - kFirst.days);
    const double width = 311.437 + (date.days - last().days) * 7.119;
    return {date,
            mean,
            {{80, std::max(0.0, mean - width), mean + width},
             {95, std::max(0.0, mean - 1.53 * width), mean + 1.53 * width}}};
  }
  /// Quantiles of a uniform distribution from 0 to twice the mean.
  static void add_quantiles(const pipeline::ForecastRequest& request, pipeline::SeriesForecast& answer) {
    answer.quantile_shares = request.quantiles;
    pipeline::ForecastSum sum{answer.points.front().date, answer.points.back().date,
                              static_cast<int>(answer.points.size())};
    for (const auto& point : answer.points) {
      sum.mean += point.mean;
      for (const double share : request.quantiles) answer.quantiles.push_back(2 * share * point.mean);
    }
    if (!request.sum) return;
    sum.intervals = {{80, 0.9 * sum.mean, 1.1 * sum.mean}, {95, 0.8 * sum.mean, 1.2 * sum.mean}};
    for (const double share : request.quantiles) sum.quantiles.push_back((0.5 + share) * sum.mean);
    answer.sum = sum;
  }
  static pipeline::SeriesForecast forecast_of(const pipeline::SeriesInfo& info, int horizon) {
    pipeline::SeriesForecast made;
    made.info = info;
    made.run_id = "2015-08-01T06:00:00Z";
    made.model = info.model;
    made.data_until = last();
    made.model_version = 3;
    made.variant = "champion";
    made.wape = 0.0912;
    made.wape_seasonal_naive = 0.1478;
    for (int step = 1; step <= horizon; ++step) made.points.push_back(point({last().days + step}));
    if (info.status == "too_short") {
      made.thin_intervals = true;
      for (auto& one : made.points) one.intervals.clear();
    }
    if (horizon > kStored) made.extension = pipeline::Extension{{last().days + kStored + 1}, "theta"};
    return made;
  }

  std::vector<pipeline::SeriesInfo> all_;
};

}  // namespace tillcast::test
