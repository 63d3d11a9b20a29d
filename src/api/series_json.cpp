#include "api/series_json.h"

#include <span>

#include "api/json_writer.h"

namespace tillcast::api {
namespace {

void error_or_null(JsonWriter& out, std::string_view name, double value) {
  out.key(name);
  if (value < 0) {
    out.null();
  } else {
    out.number(value);
  }
}

Schema interval_schema() {
  return object_schema(
             {{"level", integer_schema("percent of outcomes meant to lie inside").with_example("80")},
              {"low", number_schema("")},
              {"high", number_schema("")}},
             "A prediction interval from back-test residuals.")
      .with_name("Interval");
}

Schema quantiles_schema() {
  const Schema quantile =
      object_schema({{"share", number_schema("share of outcomes meant to lie at or below; as asked")},
                     {"value", number_schema("")}},
                    "One quantile of the demand ahead.")
          .with_name("Quantile");
  return array_schema(quantile, "when asked for, in that order");
}

Schema sum_schema() {
  return object_schema(
             {{"from", date_schema("first day of the first period in it")},
              {"to", date_schema("first day of the last period in it")},
              {"periods", integer_schema("how many are in it")},
              {"mean", number_schema("expected value: the sum of those of the points")},
              {"intervals", array_schema(interval_schema(), "80 and 95 percent, of the sum")},
              {"quantiles", quantiles_schema(), false}},
             "The demand of the points together. Its bounds and quantiles are narrower than the sums "
             "of theirs: days go wrong together only in part.")
      .with_name("ForecastSum");
}

void write_intervals(JsonWriter& out, const std::vector<pipeline::Interval>& intervals) {
  out.key("intervals");
  out.begin_array();
  for (const auto& interval : intervals) {
    out.begin_object();
    out.field("level", interval.level);
    out.field("low", interval.low);
    out.field("high", interval.high);
    out.end_object();
  }
  out.end_array();
}

void write_quantiles(JsonWriter& out, std::span<const double> shares, std::span<const double> values) {
  out.key("quantiles");
  out.begin_array();
  for (std::size_t i = 0; i < shares.size(); ++i) {
    out.begin_object();
    out.field("share", shares[i]);
    out.field("value", values[i]);
    out.end_object();
  }
  out.end_array();
}

void write_sum(JsonWriter& out, const pipeline::ForecastSum& sum, std::span<const double> shares) {
  out.key("sum");
  out.begin_object();
  out.field("from", sum.from);
  out.field("to", sum.to);
  out.field("periods", sum.periods);
  out.field("mean", sum.mean);
  write_intervals(out, sum.intervals);
  if (!shares.empty()) write_quantiles(out, shares, sum.quantiles);
  out.end_object();
}

}  // namespace

Schema series_schema() {
  return object_schema(
             {{"id", string_schema("stable id, \"<plan>/<key>\"; percent-encode it as one path segment")
                         .with_example(R"("stores/17")")},
              {"plan", string_schema("forecast plan the series belongs to")},
              {"label", string_schema("for people: product name or store")},
              {"store_id", string_schema("null when summed over stores").or_null()},
              {"product_id", string_schema("null when summed over products").or_null()},
              {"measure", string_schema("what is counted: units, revenue, sales")},
              {"frequency", string_schema("daily, weekly or monthly")},
              {"first", date_schema("first period")},
              {"last", date_schema("last period with actuals")},
              {"periods", integer_schema("periods from first to last")},
              {"total", number_schema("sum over the history, exact decimal")},
              {"model", string_schema("chosen model; null when not forecast").or_null()},
              {"demand_class", string_schema("smooth, erratic, intermittent or lumpy").or_null()},
              {"status", string_schema("ok, fallback, too_short or failed")},
              {"reason", string_schema("why not ok").or_null()}},
             "One forecastable series: a member of a forecast plan.")
      .with_name("Series");
}

void write_series(JsonWriter& out, const pipeline::SeriesInfo& info) {
  out.begin_object();
  out.field("id", info.id);
  out.field("plan", info.plan);
  out.field("label", info.label);
  out.field_or_null("store_id", info.store_id);
  out.field_or_null("product_id", info.product_id);
  out.field("measure", info.measure);
  out.field("frequency", info.frequency);
  out.field("first", info.first);
  out.field("last", info.last);
  out.field("periods", info.periods);
  out.decimal_field("total", info.total);
  out.field_or_null("model", info.model);
  out.field_or_null("demand_class", info.demand_class);
  out.field("status", info.status);
  out.field_or_null("reason", info.reason);
  out.end_object();
}

Schema forecast_schema() {
  const Schema point =
      object_schema({{"date", date_schema("first day of the period")},
                     {"mean", number_schema("expected value")},
                     {"intervals", array_schema(interval_schema(),
                                                "80 and 95 percent; none where nothing tells how far off "
                                                "the mean may be")},
                     {"quantiles", quantiles_schema(), false}},
                    "One period ahead.")
          .with_name("ForecastPoint");
  return object_schema(
             {{"run_id", string_schema("run that stored it")},
              {"model", string_schema("model that made it")},
              {"model_version", integer_schema("version of the plan's models; 0 = of none")},
              {"variant",
               string_schema(
                   "champion, or challenger in an experiment; null for a group of a level and when there "
                   "is no version")
                   .or_null()},
              {"thin_intervals", boolean_schema("too few errors behind the intervals to support 95 %")},
              {"data_until", date_schema("nothing after this day was used")},
              {"wape", number_schema(
                           "error of the model in the back-test: sum |error| / sum actual; null when unknown")
                           .or_null()},
              {"wape_seasonal_naive", number_schema("the same of the seasonal naive yardstick").or_null()},
              {"extension",
               object_schema(
                   {{"from", date_schema("the first point that is not stored")},
                    {"model", string_schema("model that made it and those after it")},
                    {"refitted", boolean_schema("not by the version's models: the series was fitted anew "
                                                "for this answer")},
                    {"reason", string_schema("why it was; null when it was not").or_null()}},
                   "Points computed when asked for, beyond the stored ones.")
                   .with_name("Extension"),
               false},
              {"cold_start",
               object_schema(
                   {{"basis", string_schema("what of its key is known, and from what it was pooled")},
                    {"known", array_schema(enum_schema({"store", "product"}, "part of the key"),
                                           "parts of the key that other series have")},
                    {"series", integer_schema("known series whose errors gave the intervals")}},
                   "How a series that was never seen came to this forecast.")
                   .with_name("ColdStart"),
               false},
              {"points", array_schema(point, "oldest first")},
              {"sum", sum_schema(), false}},
             "A forecast of one series.")
      .with_name("Forecast");
}

void write_forecast(JsonWriter& out, const pipeline::SeriesForecast& forecast) {
  out.begin_object();
  out.field("run_id", forecast.run_id);
  out.field("model", forecast.model);
  out.field("model_version", forecast.model_version);
  out.field_or_null("variant", forecast.variant);
  out.field("thin_intervals", forecast.thin_intervals);
  out.field("data_until", forecast.data_until);
  error_or_null(out, "wape", forecast.wape);
  error_or_null(out, "wape_seasonal_naive", forecast.wape_seasonal_naive);
  if (forecast.extension) {
    out.key("extension");
    out.begin_object();
    out.field("from", forecast.extension->from);
    out.field("model", forecast.extension->model);
    out.field("refitted", forecast.extension->refitted);
    out.field_or_null("reason", forecast.extension->reason);
    out.end_object();
  }
  if (forecast.cold_start) {
    out.key("cold_start");
    out.begin_object();
    out.field("basis", forecast.cold_start->basis);
    out.key("known");
    out.begin_array();
    for (const auto& part : forecast.cold_start->known) out.text(part);
    out.end_array();
    out.field("series", forecast.cold_start->series);
    out.end_object();
  }
  out.key("points");
  out.begin_array();
  const std::size_t shares = forecast.quantile_shares.size();
  for (std::size_t i = 0; i < forecast.points.size(); ++i) {
    const auto& point = forecast.points[i];
    out.begin_object();
    out.field("date", point.date);
    out.field("mean", point.mean);
    write_intervals(out, point.intervals);
    if (shares > 0)
      write_quantiles(out, forecast.quantile_shares,
                      std::span(forecast.quantiles).subspan(i * shares, shares));
    out.end_object();
  }
  out.end_array();
  if (forecast.sum) write_sum(out, *forecast.sum, forecast.quantile_shares);
  out.end_object();
}

Schema history_schema() {
  return array_schema(
      object_schema({{"date", date_schema("first day of the period")}, {"value", number_schema("actual")}},
                    "One period of the past.")
          .with_name("HistoryPoint"),
      "oldest first");
}

void write_history(JsonWriter& out, const std::vector<pipeline::HistoryPoint>& history) {
  out.begin_array();
  for (const auto& point : history) {
    out.begin_object();
    out.field("date", point.date);
    out.field("value", point.value);
    out.end_object();
  }
  out.end_array();
}

}  // namespace tillcast::api
