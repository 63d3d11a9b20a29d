#include "api/json_writer.h"
#include "api/prediction_answer.h"
#include "api/routes.h"
#include "api/target.h"
#include "core/text.h"

namespace tillcast::api {
namespace {

constexpr std::string_view kCsv = "text/csv";
constexpr std::string_view kCsvHeader =
    "plan,series_id,store_id,product_id,date,mean,lo80,hi80,lo95,hi95,model,run_id,data_until,model_version,"
    "variant,thin_intervals\n";

std::string csv_of(const pipeline::PredictionPage& page) {
  std::string out(kCsvHeader);
  for (const auto* series : page.series) {
    std::string head;
    for (const std::string* text :
         {&series->info.plan, &series->info.id, &series->info.store_id, &series->info.product_id}) {
      append_csv_cell(head, *text);
      head += ',';
    }
    for (const auto& point : series->points) {
      out += head;
      out += format_date(point.date);
      out += ',';
      append_number(out, point.mean);
      for (const auto& interval : point.intervals) {
        out += ',';
        append_number(out, interval.low);
        out += ',';
        append_number(out, interval.high);
      }
      if (point.intervals.empty()) out += ",,,,";
      out += ',';
      append_csv_cell(out, series->model);
      out += ',' + series->run_id + ',' + format_date(series->data_until) + ',' +
             std::to_string(series->model_version) + ',' + series->variant +
             (series->thin_intervals ? ",true\n" : ",false\n");
    }
  }
  return out;
}

Schema prediction_schema() {
  const auto bound = [](const char* level) {
    return number_schema(std::string(level) + " % interval; null where nothing tells it").or_null();
  };
  const Schema point = object_schema({{"date", date_schema("first day of the period")},
                                      {"mean", number_schema("expected value")},
                                      {"lo80", bound("80")},
                                      {"hi80", bound("80")},
                                      {"lo95", bound("95")},
                                      {"hi95", bound("95")}},
                                     "One period ahead.")
                           .with_name("PredictionPoint");
  return object_schema(
             {{"series_id", string_schema("id of the series")},
              {"plan", string_schema("its forecast plan")},
              {"store_id", string_schema("null when summed over stores").or_null()},
              {"product_id", string_schema("null when summed over products").or_null()},
              {"model", string_schema("model that made it")},
              {"model_version", integer_schema("version of the plan's models; 0 = of none")},
              {"variant",
               string_schema("champion, or challenger in an experiment; null for a group of a level "
                             "and without a version")
                   .or_null()},
              {"thin_intervals", boolean_schema("too few errors behind the intervals to support 95 %")},
              {"run_id", string_schema("run that stored it")},
              {"data_until", date_schema("nothing after this day was used")},
              {"points", array_schema(point, "oldest first")}},
             "The stored forecast of one series.")
      .with_name("Prediction");
}

void write_json(JsonWriter& out, const pipeline::PredictionPage& page) {
  out.begin_object();
  out.key("data");
  out.begin_array();
  for (const auto* series : page.series) {
    out.begin_object();
    out.field("series_id", series->info.id);
    out.field("plan", series->info.plan);
    out.field_or_null("store_id", series->info.store_id);
    out.field_or_null("product_id", series->info.product_id);
    out.field("model", series->model);
    out.field("model_version", series->model_version);
    out.field_or_null("variant", series->variant);
    out.field("thin_intervals", series->thin_intervals);
    out.field("run_id", series->run_id);
    out.field("data_until", series->data_until);
    out.key("points");
    out.begin_array();
    for (const auto& point : series->points) {
      out.begin_object();
      out.field("date", point.date);
      out.field("mean", point.mean);
      const auto bound = [&](const char* name, std::size_t at, double pipeline::Interval::* side) {
        out.number_or_null(
            name, at < point.intervals.size() ? std::optional(point.intervals[at].*side) : std::nullopt);
      };
      bound("lo80", 0, &pipeline::Interval::low), bound("hi80", 0, &pipeline::Interval::high);
      bound("lo95", 1, &pipeline::Interval::low), bound("hi95", 1, &pipeline::Interval::high);
      out.end_object();
    }
    out.end_array();
    out.end_object();
  }
  out.end_array();
  out.field_or_null("next_cursor", page.next_cursor);
  out.field("has_more", !page.next_cursor.empty());
  out.end_object();
}

}  // namespace

std::vector<Parameter> prediction_parameters() {
  return {
      query_parameter("plan", string_schema("only this forecast plan; empty = all").with_length(0, 200)),
      query_parameter("store_id", string_schema("only this store; empty = all").with_length(0, 200)),
      query_parameter("product_id", string_schema("only this product; empty = all").with_length(0, 200)),
      query_parameter("cursor", string_schema("next_cursor of the page before").with_length(0, 100)),
      query_parameter("limit", integer_schema("points per page; it ends with the series that reaches it")
                                   .with_range(1, 100'000)
                                   .with_default("10000")),
  };
}

std::string_view prediction_paging() {
  return "Accept: text/csv gives a table, one line a period, with its header on every page. Follow "
         "next_cursor or "
         "the Link header for the next page.";
}

Answer prediction_page_answer() {
  const Schema page = object_schema({{"data", array_schema(prediction_schema(), "")},
                                     {"next_cursor", string_schema("null on the last page").or_null()},
                                     {"has_more", boolean_schema("")}},
                                    "One page of stored forecasts.")
                          .with_name("PredictionPage");
  return {200, "A page.", "application/json", page, {}, {std::string(kCsv)}};
}

pipeline::PredictionRequest prediction_request(const RouteRequest& request) {
  pipeline::PredictionRequest asked;
  asked.plan = request.text("plan");
  asked.store_id = request.text("store_id");
  asked.product_id = request.text("product_id");
  asked.cursor = request.text("cursor");
  asked.points_max = static_cast<int>(request.integer("limit").value_or(asked.points_max));
  return asked;
}

Result<RouteAnswer> prediction_answer(const RouteRequest& request, const pipeline::PredictionPage& page,
                                      const std::string& path) {
  Result<RouteAnswer> answer = RouteAnswer{};
  if (request.media_type() == kCsv) {
    answer->body = csv_of(page);
    answer->media_type = "text/csv; charset=utf-8";
  } else {
    JsonWriter out;
    write_json(out, page);
    answer = json_answer(out);
  }
  if (answer && !page.next_cursor.empty()) {
    answer->link = "<" + path + "?cursor=" + percent_encoded(page.next_cursor) +
                   "&limit=" + std::to_string(request.integer("limit").value_or(10'000));
    for (const char* name : {"plan", "store_id", "product_id"}) {
      if (const std::string& value = request.text(name); !value.empty())
        answer->link += "&" + std::string(name) + "=" + percent_encoded(value);
    }
    answer->link += ">; rel=\"next\"";
  }
  return answer;
}

void add_prediction_routes(std::vector<Route>& routes, pipeline::Service& service) {
  Route route;
  route.path = "/api/v1/predictions";
  route.operation_id = "list_predictions";
  route.tag = "forecasts";
  route.summary = "The stored forecasts, as JSON or CSV";
  route.description = std::string(prediction_paging());
  route.parameters = prediction_parameters();
  route.answers = {prediction_page_answer()};
  route.problems = {404};
  route.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    const auto page = TILLCAST_TRY_PLAIN(service.predictions(prediction_request(request)));
    return prediction_answer(request, page, "/api/v1/predictions");
  };
  routes.push_back(std::move(route));
}

}  // namespace tillcast::api
