#include <rapidjson/document.h>

#include "api/json_writer.h"
#include "api/problem.h"
#include "api/request_limits.h"
#include "api/routes.h"
#include "api/series_json.h"

namespace tillcast::api {
namespace {

Schema request_schema() {
  const Schema item =
      object_schema(
          {{"series_id", string_schema("id of a series, known or never seen").with_length(1, kIdLengthMax)},
           {"attributes",
            map_schema(string_schema("its value; numbers and days (YYYY-MM-DD) as text")
                           .with_length(1, kAttributeLengthMax),
                       "of a store or product that was never seen (category, store_type, country, ...): it "
                       "takes after those alike")
                .with_example(R"({"category":"Tea"})"),
            false}},
          "One series to forecast.")
          .with_name("ForecastItem");
  Schema schema = object_schema(
      {{"items", array_schema(item, "the series").with_length(1, pipeline::kForecastItemsMax)},
       {"horizon",
        integer_schema("periods ahead; exactly this many points come back")
            .with_range(1, static_cast<double>(pipeline::kPeriodsAheadMax)),
        false},
       {"dates",
        array_schema(date_schema("any day inside the period"), "these periods, all after the data")
            .with_length(1, pipeline::kPeriodsAheadMax),
        false},
       {"quantiles",
        array_schema(number_schema("share of outcomes meant to lie at or below; 0.5 is the median")
                         .with_range(pipeline::kShareMin, pipeline::kShareMax),
                     "shares to answer for each point, within those that the plan keeps")
            .with_length(1, pipeline::kSharesMax)
            .with_example("[0.1,0.5,0.9]"),
        false},
       {"sum", boolean_schema("the demand of all these periods together as well: a lead time"), false},
       {"strict", boolean_schema("an id that was never seen is an error of its item").with_default("false"),
        false}},
      "Which series, and how far: either horizon or dates.");
  schema.exactly_one_of = {"horizon", "dates"};
  return schema.with_name("ForecastRequest")
      .with_example(R"({"items":[{"series_id":"stores/17"}],"horizon":14})");
}

Schema answer_schema() {
  const Schema item = object_schema({{"series_id", string_schema("as asked")},
                                     {"status", enum_schema({"ok", "error"}, "which of the two follows")},
                                     {"series", series_schema(), false},
                                     {"forecast", forecast_schema(), false},
                                     {"error", problem_schema(), false}},
                                    "The forecast of one item, or why there is none.")
                          .with_name("ForecastItemAnswer");
  return object_schema({{"items", array_schema(item, "one per item asked, in the same order")},
                        {"failed", integer_schema("items with status error")}},
                       "One answer per item.")
      .with_name("ForecastAnswer");
}

pipeline::ForecastRequest read_request(const rapidjson::Value& body) {
  pipeline::ForecastRequest asked;
  for (const auto& item : body["items"].GetArray()) {
    const auto& id = item["series_id"];
    auto& added = asked.items.emplace_back();
    added.series_id.assign(id.GetString(), id.GetStringLength());
    if (!item.HasMember("attributes")) continue;
    for (const auto& one : item["attributes"].GetObject())
      added.attributes.insert_or_assign(std::string(one.name.GetString(), one.name.GetStringLength()),
                                        std::string(one.value.GetString(), one.value.GetStringLength()));
  }
  asked.strict = body.HasMember("strict") && body["strict"].GetBool();
  if (body.HasMember("horizon")) asked.horizon = static_cast<int>(body["horizon"].GetDouble());
  if (body.HasMember("dates")) {
    for (const auto& day : body["dates"].GetArray()) {
      asked.dates.push_back(*parse_date({day.GetString(), day.GetStringLength()}));
    }
  }
  if (body.HasMember("quantiles")) {
    for (const auto& share : body["quantiles"].GetArray()) asked.quantiles.push_back(share.GetDouble());
  }
  asked.sum = body.HasMember("sum") && body["sum"].GetBool();
  return asked;
}

}  // namespace

void add_forecast_routes(std::vector<Route>& routes, pipeline::Service& service) {
  Route route;
  route.method = Method::kPost;
  route.path = "/api/v1/forecast";
  route.operation_id = "forecast";
  route.tag = "forecasts";
  route.summary = "Forecast many series in one call";
  route.description =
      "Reads only. A series that cannot be forecast gets a problem inside its item and does not fail the "
      "others. With quantiles each point has them; with sum there is the demand of all periods together, "
      "whose "
      "quantiles are not the sums of theirs. Items x periods x quantiles may be 1,000,000; a "
      "sum counts as one more. Beyond what is stored one call may have 100,000 periods of its distinct "
      "series "
      "computed, ten times as many count for a series that has to be fitted anew. "
      "An id that was never seen but could belong to its plan (a new store or product, or a pair "
      "that "
      "was never sold) is forecast from the known series: model cold_start, with cold_start.basis. With "
      "strict "
      "it is a problem, as an id of no plan or of another form always is.";
  route.body = request_schema();
  route.body_bytes_max = std::size_t{1} << 20;
  route.answers = {{200, "One answer per item.", "application/json", answer_schema(), {}}};
  route.problems = {404};
  route.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    const pipeline::ForecastRequest asked = read_request(request.body());
    const auto found = TILLCAST_TRY_PLAIN(service.forecast(asked));
    JsonWriter out;
    std::int64_t failed = 0;
    out.begin_object();
    out.key("items");
    out.begin_array();
    for (std::size_t i = 0; i < found.size(); ++i) {
      out.begin_object();
      out.field("series_id", asked.items[i].series_id);
      out.field("status", found[i] ? "ok" : "error");
      if (found[i]) {
        out.key("series");
        write_series(out, found[i]->info);
        out.key("forecast");
        write_forecast(out, *found[i]);
      } else {
        ++failed;
        out.key("error");
        write_problem(out, problem_from(found[i].error()), {}, {});
      }
      out.end_object();
    }
    out.end_array();
    out.field("failed", failed);
    out.end_object();
    return json_answer(out);
  };
  routes.push_back(std::move(route));
}

}  // namespace tillcast::api
