#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/civil_time.h"
#include "core/decimal.h"
#include "core/result.h"
#include "pipeline/model_service.h"
#include "pipeline/settings.h"

namespace tillcast::pipeline {

/// What the API asks of a data directory: reads only, all thread-safe, each with its own database connection.
/// Answers come from the last finished run; a run in progress never shows through.

struct KpiRequest {
  std::optional<Date> from;  ///< first business day, inclusive; default: start of the data
  std::optional<Date> to;    ///< last business day, inclusive; default: end of the data
  std::string store_id;      ///< empty = all
  std::string country;       ///< empty = all
};

/// One headline number. `value` and `previous` are exact decimals as text ("1325346.21"), ready for JSON.
struct Kpi {
  std::string name;   ///< net_sales, gross_sales, returns, orders, units, customers, average_order_value, ...
  std::string label;  ///< for people: "Net sales"
  std::string definition;  ///< one sentence: what is counted and what is not
  std::string unit;        ///< currency code, "orders", "units", "customers"
  std::string value;
  std::optional<std::string>
      previous;  ///< the same number for the equally long period before; null without one
};

struct MonthSales {
  Date month;  ///< its first day
  std::string revenue;
  std::int64_t orders = 0;
  std::string units;
};

struct CountrySales {
  std::string country;
  std::string revenue;
  std::int64_t orders = 0;
  double share = 0;  ///< of all revenue, 0..1
};

struct KpiReport {
  Date from;
  Date to;
  Date data_until;  ///< last business day in the data
  std::vector<Kpi> kpis;
  std::vector<MonthSales> by_month;      ///< oldest first, no month missing
  std::vector<CountrySales> by_country;  ///< largest revenue first
};

/// A forecastable series: one member of a forecast plan (see docs/configuration.md), e.g. a store, or a
/// product in a store.
struct SeriesInfo {
  std::string id;          ///< "<plan>/<key>", stable, URL-safe after percent-encoding
  std::string plan;        ///< name of the plan
  std::string label;       ///< for people: product name or store
  std::string store_id;    ///< empty when summed over stores
  std::string product_id;  ///< empty when summed over products
  std::string measure;     ///< units, revenue, sales
  std::string frequency;   ///< daily, weekly, monthly
  Date first;
  Date last;  ///< last period with actuals
  std::int64_t periods = 0;
  std::string total;         ///< sum over the history
  std::string model;         ///< chosen model; empty when not forecast
  std::string demand_class;  ///< smooth, erratic, intermittent, lumpy
  std::string status;        ///< ok, fallback, too_short, failed
  std::string reason;        ///< why not ok; empty when ok
};

struct SeriesRequest {
  std::string plan;    ///< empty = all
  std::string search;  ///< part of id or label, case-insensitive; empty = all
  std::string cursor;  ///< from the page before; empty = first page
  int limit = 50;      ///< 1..1000
};

struct SeriesPage {
  std::vector<SeriesInfo> series;  ///< totals first, then by plan, largest total first
  std::string next_cursor;         ///< empty on the last page
};

struct Interval {
  int level = 80;  ///< percent
  double low = 0;
  double high = 0;
};

struct ForecastPoint {
  Date date;  ///< first day of the period
  double mean = 0;
  std::vector<Interval> intervals;  ///< 80, 95; none where nothing tells how far off the mean may be
};

struct HistoryPoint {
  Date date;
  double value = 0;
};

/// Points that are not stored: computed when they were asked for.
struct Extension {
  Date from;                ///< the first of them
  std::string model;        ///< what made them
  bool refitted = false;    ///< not by the models of the version: the series was fitted anew for this answer
  std::string reason = {};  ///< why it was; empty when it was not
};

/// How a series that was never seen came to a forecast.
struct ColdStart {
  std::string basis;               ///< for people: what of its key is known, and from what it was pooled
  std::vector<std::string> known;  ///< of "store", "product": parts of the key that other series have
  std::int64_t series = 0;         ///< known series whose errors gave the intervals
};

/// The demand of several periods together.
struct ForecastSum {
  Date from;                             ///< first period that is in it
  Date to;                               ///< last one; those between need not all be in it
  int periods = 0;                       ///< how many are
  double mean = 0;                       ///< the sum of their means
  std::vector<Interval> intervals = {};  ///< 80, 95: of the sum, not sums of the points' bounds
  std::vector<double> quantiles = {};    ///< one per asked share
};

struct SeriesForecast {
  SeriesInfo info;
  std::string run_id;
  std::string model;
  int model_version = 0;  ///< of the plan; 0 = of no version
  std::string variant;    ///< "champion", or "challenger" in an experiment; empty: a group of a level
  Date data_until;        ///< nothing after this day was used
  double wape = -1;       ///< of the chosen model in the back-test; < 0 when unknown
  double wape_seasonal_naive = -1;  ///< the yardstick; < 0 when unknown
  std::vector<ForecastPoint> points;
  std::optional<Extension> extension = {};   ///< when more periods were asked for than are stored
  std::optional<ColdStart> cold_start = {};  ///< of an id that was never seen
  std::vector<double> quantile_shares = {};  ///< as asked; empty = none were
  std::vector<double> quantiles = {};        ///< [point][share]; never falls with the share
  std::optional<ForecastSum> sum = {};       ///< when it was asked for
  bool thin_intervals = false;               ///< too few errors behind them for an honest 95 %
};

/// Shares of quantiles that may be asked for or kept.
constexpr double kShareMin = 0.001;
constexpr double kShareMax = 0.999;
constexpr std::size_t kSharesMax = 20;                 ///< in one request
constexpr int kForecastItemsMax = 1000;                ///< series in one question
constexpr std::size_t kQuantileValuesMax = 1'000'000;  ///< points x (quantiles, and the sum as one more)
/// Periods that one question may have computed beyond what is stored, over its distinct series; a series that
/// has to be fitted anew counts kRefitFactor times.
constexpr std::size_t kComputedPeriodsMax = 100'000;
constexpr std::size_t kRefitFactor = 10;

struct ForecastItem {
  std::string series_id;
  /// Of a store or product that was never seen, by name ("category", "store_type", ...); numbers and days as
  /// text. Not looked at for a series that is known.
  std::map<std::string, std::string> attributes = {};
};

struct ForecastRequest {
  std::vector<ForecastItem> items;  ///< 1..1000
  std::optional<int> horizon;       ///< periods ahead, 1..366; exactly this many points come back
  std::vector<Date> dates;          ///< or these periods (any day inside the period), all after data_until
                                    ///< neither: what is stored
  bool strict = false;              ///< an id that was never seen is an error of its item, not a cold start
  std::vector<double> quantiles = {};  ///< shares to answer for each point and the sum, 0.001 to 0.999, 20
                                       ///< at most; between the stored shares by a straight line
  bool sum = false;                    ///< the total over the points as well, each period once
};

/// A reason why a value is what it is, in units of the series.
struct ExplanationPart {
  std::string name;  ///< level, weekday, promotion, the name of a driver, ...
  double value = 0;
};

/// A value and the parts that add up to it.
struct ExplainedValue {
  Date date;  ///< first day of the period
  double value = 0;
  std::vector<ExplanationPart> parts;  ///< the level first, then by size
};

/// What one of the models behind a forecast says.
struct ExplainedModel {
  std::string model;
  double weight = 1;                   ///< the weights add up to 1
  std::vector<ExplainedValue> points;  ///< of this model alone, before its weight
};

struct ExplainRequest {
  std::string series_id;
  std::optional<Date> date;  ///< one stored period (any day inside it); none = all of them
  int history = 0;           ///< latest periods of the past to explain as well
};

/// Why a stored forecast is what it is.
struct SeriesExplanation {
  SeriesForecast forecast;              ///< without points
  std::vector<ExplainedValue> points;   ///< value = the stored mean
  std::vector<ExplainedModel> models;   ///< weighted, and adjusted so that sums agree, they make the points
  std::vector<ExplainedValue> history;  ///< oldest first
  std::string note;                     ///< why the models behind it could not be asked; empty when they were
};

struct PredictionRequest {
  std::string plan;         ///< empty = all
  std::string store_id;     ///< empty = all
  std::string product_id;   ///< empty = all
  std::string series_id;    ///< this one alone; empty = all
  std::string cursor;       ///< from the page before; empty = first page
  int points_max = 10'000;  ///< a page ends with the series that reaches it; >= 1
};

/// Stored forecasts, all of one moment: no run that ends meanwhile shows through.
struct PredictionPage {
  std::vector<const SeriesForecast*> series;  ///< totals first, then by plan, largest total first
  std::shared_ptr<const void> owner;          ///< keeps them alive
  std::string next_cursor;                    ///< empty on the last page
};

/// Read operations of a data directory.
class Service {
 public:
  virtual ~Service() = default;

  /// kNotFound when there is no data yet: the message says to run `tillcast run`.
  virtual Result<KpiReport> kpis(const KpiRequest& request) = 0;
  virtual Result<SeriesPage> series(const SeriesRequest& request) = 0;
  /// One series with its whole history and stored forecast. kNotFound for an unknown id.
  virtual Result<SeriesForecast> series_forecast(const std::string& series_id,
                                                 std::vector<HistoryPoint>& history) = 0;
  /// One answer per item, in order; an item that fails does not fail the others. An id that was never seen
  /// but could be a member of its plan is forecast from the series that are known
  /// (SeriesForecast::cold_start).
  virtual Result<std::vector<Result<SeriesForecast>>> forecast(const ForecastRequest& request) = 0;

  /// Why a stored forecast is what it is. kNotFound for an id that is not stored, kInvalidInput for a date
  /// that is not among its periods.
  virtual Result<SeriesExplanation> explain(const ExplainRequest& request) = 0;

  /// The model versions of all plans, by name. The files of champions and challengers are checked whole,
  /// those of other versions for being there and their sizes.
  virtual Result<std::vector<PlanModels>> models() = 0;
  /// Those of one plan; kNotFound when it has none. @param version  checked whole as well; 0 = none
  virtual Result<PlanModels> models_of(const std::string& plan, int version) = 0;
  /// Open ones first, of whole plans before those of single series, newest first. kNotFound for an unknown
  /// plan.
  virtual Result<std::vector<ForecastAlert>> alerts(const AlertRequest& request) = 0;
  /// By plan, newest version first. kNotFound for an unknown plan, and for a series that is not stored.
  virtual Result<std::vector<MonitorFigures>> monitor(const MonitorRequest& request) = 0;

  /// kNotFound for an unknown plan, or a series that is not stored; kInvalidInput for a cursor that is none
  /// or that is older than the stored runs.
  virtual Result<PredictionPage> predictions(const PredictionRequest& request) = 0;

  struct Readiness {
    bool ready = false;
    std::string detail;  ///< why not, or the last run
  };
  virtual Readiness readiness() = 0;
  /// A string that changes when any answer may change, not before the new data can be read; used as ETag and
  /// as the key of kept answers. Cheap: the API calls it for every request, on its event loop.
  virtual std::string data_version() = 0;
};

}  // namespace tillcast::pipeline
