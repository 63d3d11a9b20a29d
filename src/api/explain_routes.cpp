#include "api/json_writer.h"
#include "api/request_limits.h"
#include "api/routes.h"
#include "api/series_json.h"

namespace tillcast::api {
namespace {

Schema part_schema() {
  return object_schema(
             {{"name",
               string_schema("level, base, weekday, season of the year, promotion, rest, the name of a "
                             "driver, ...; \"adjustment to sums\" is what scaling and hierarchies did")},
              {"value", number_schema("in units of the series")}},
             "A reason.")
      .with_name("ExplanationPart");
}

Schema value_schema(const char* what) {
  return object_schema(
      {{"date", date_schema("first day of the period")},
       {"value", number_schema(what)},
       {"parts", array_schema(part_schema(), "add up to the value; the level first, then by size")}},
      "A value and why it is what it is.");
}

Schema explanation_schema() {
  const Schema point = value_schema("the value that the parts add up to").with_name("ExplainedValue");
  const Schema model =
      object_schema({{"model", string_schema("name of the model")},
                     {"weight", number_schema("its weight in the forecast; the weights add up to 1")},
                     {"points", array_schema(point, "what this model says alone, before its weight")}},
                    "One of the models behind a forecast.")
          .with_name("ExplainedModel");
  return object_schema(
             {{"series", series_schema()},
              {"run_id", string_schema("run that stored the forecast")},
              {"model", string_schema("model that made it")},
              {"model_version", integer_schema("version of the plan's models; 0 = of none")},
              {"data_until", date_schema("nothing after this day was used")},
              {"points", array_schema(point, "the stored forecast; value is its mean")},
              {"models",
               array_schema(model, "weighted and adjusted so that sums agree, they make the points")},
              {"history", array_schema(point, "the past, oldest first; as many periods as asked for")},
              {"note", string_schema(
                           "why the models behind the forecast could not be asked, so that it is taken apart "
                           "by the history alone; null when they were")
                           .or_null()}},
             "Why a forecast is what it is.")
      .with_name("Explanation");
}

void write_values(JsonWriter& out, std::string_view name,
                  const std::vector<pipeline::ExplainedValue>& values) {
  out.key(name);
  out.begin_array();
  for (const auto& one : values) {
    out.begin_object();
    out.field("date", one.date);
    out.field("value", one.value);
    out.key("parts");
    out.begin_array();
    for (const auto& part : one.parts) {
      out.begin_object();
      out.field("name", part.name);
      out.field("value", part.value);
      out.end_object();
    }
    out.end_array();
    out.end_object();
  }
  out.end_array();
}

}  // namespace

void add_explain_routes(std::vector<Route>& routes, pipeline::Service& service) {
  Route route;
  route.path = "/api/v1/series/{series_id}/explanation";
  route.operation_id = "explain_series";
  route.tag = "forecasts";
  route.summary = "Why a stored forecast is what it is";
  route.description =
      "The parts of each period add up to its mean. A model that learns from all series gives its base and "
      "what "
      "groups of features do (SHAP values); other models are taken apart by the decomposition of the "
      "history: level, "
      "weekday, season, promotion, named days, and a rest that holds what else the model sees, its trend "
      "included.";
  route.parameters = {
      path_parameter(
          "series_id",
          string_schema("id of the series, percent-encoded as one segment: stores/17 is stores%2F17")
              .with_length(1, kIdLengthMax)),
      query_parameter("date", date_schema("one stored period, by any day inside it; default: all")),
      query_parameter("history", integer_schema("latest periods of the past to explain as well")
                                     .with_range(0, kHistoryMax)
                                     .with_default("0")),
  };
  route.answers = {{200, "The explanation.", "application/json", explanation_schema(), {}},
                   {304, "Unchanged since that ETag.", {}, {}, {}}};
  route.problems = {404};
  route.of_data = true;
  route.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    const pipeline::ExplainRequest asked{request.text("series_id"), request.date("date"),
                                         static_cast<int>(request.integer("history").value_or(0))};
    const auto found = TILLCAST_TRY_PLAIN(service.explain(asked));
    JsonWriter out;
    out.begin_object();
    out.key("series");
    write_series(out, found.forecast.info);
    out.field("run_id", found.forecast.run_id);
    out.field("model", found.forecast.model);
    out.field("model_version", found.forecast.model_version);
    out.field("data_until", found.forecast.data_until);
    write_values(out, "points", found.points);
    out.key("models");
    out.begin_array();
    for (const auto& model : found.models) {
      out.begin_object();
      out.field("model", model.model);
      out.field("weight", model.weight);
      write_values(out, "points", model.points);
      out.end_object();
    }
    out.end_array();
    write_values(out, "history", found.history);
    out.field_or_null("note", found.note);
    out.end_object();
    return json_answer(out);
  };
  routes.push_back(std::move(route));
}

}  // namespace tillcast::api
