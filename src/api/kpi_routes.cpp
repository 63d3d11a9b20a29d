#include "api/json_writer.h"
#include "api/routes.h"

namespace tillcast::api {
namespace {

Schema report_schema() {
  const Schema kpi =
      object_schema(
          {{"name", string_schema("stable name").with_example(R"("net_sales")")},
           {"label", string_schema("for people")},
           {"definition", string_schema("what is counted and what is not")},
           {"unit", string_schema("currency code, orders, units or customers")},
           {"value", number_schema("exact decimal")},
           {"previous",
            number_schema("the same over the equally long period before; null without one").or_null()}},
          "One headline number.")
          .with_name("Kpi");
  const Schema month = object_schema({{"month", date_schema("its first day")},
                                      {"revenue", number_schema("exact decimal")},
                                      {"orders", integer_schema("")},
                                      {"units", number_schema("exact decimal")}},
                                     "Sales of one month.")
                           .with_name("MonthSales");
  const Schema country = object_schema({{"country", string_schema("")},
                                        {"revenue", number_schema("exact decimal")},
                                        {"orders", integer_schema("")},
                                        {"share", number_schema("of all revenue, 0..1")}},
                                       "Sales of one country.")
                             .with_name("CountrySales");
  return object_schema({{"from", date_schema("first day counted")},
                        {"to", date_schema("last day counted")},
                        {"data_until", date_schema("last business day in the data")},
                        {"kpis", array_schema(kpi, "")},
                        {"by_month", array_schema(month, "oldest first, no month missing")},
                        {"by_country", array_schema(country, "largest revenue first")}},
                       "The headline numbers of a period.")
      .with_name("KpiReport");
}

void write_report(JsonWriter& out, const pipeline::KpiReport& report) {
  out.begin_object();
  out.field("from", report.from);
  out.field("to", report.to);
  out.field("data_until", report.data_until);
  out.key("kpis");
  out.begin_array();
  for (const auto& kpi : report.kpis) {
    out.begin_object();
    out.field("name", kpi.name);
    out.field("label", kpi.label);
    out.field("definition", kpi.definition);
    out.field("unit", kpi.unit);
    out.decimal_field("value", kpi.value);
    out.key("previous");
    if (kpi.previous) {
      out.decimal(*kpi.previous);
    } else {
      out.null();
    }
    out.end_object();
  }
  out.end_array();
  out.key("by_month");
  out.begin_array();
  for (const auto& month : report.by_month) {
    out.begin_object();
    out.field("month", month.month);
    out.decimal_field("revenue", month.revenue);
    out.field("orders", month.orders);
    out.decimal_field("units", month.units);
    out.end_object();
  }
  out.end_array();
  out.key("by_country");
  out.begin_array();
  for (const auto& country : report.by_country) {
    out.begin_object();
    out.field("country", country.country);
    out.decimal_field("revenue", country.revenue);
    out.field("orders", country.orders);
    out.field("share", country.share);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

}  // namespace

void add_kpi_routes(std::vector<Route>& routes, pipeline::Service& service) {
  Route route;
  route.path = "/api/v1/kpis";
  route.operation_id = "kpis";
  route.tag = "sales";
  route.summary = "Headline numbers, sales by month and by country";
  route.parameters = {
      query_parameter("from", date_schema("first business day, inclusive; default: start of the data")
                                  .with_example(R"("2011-01-01")")),
      query_parameter("to", date_schema("last business day, inclusive; default: end of the data")
                                .with_example(R"("2011-12-09")")),
      query_parameter("store_id", string_schema("only this store; empty = all").with_length(0, 200)),
      query_parameter(
          "country",
          string_schema("only this country, as written in the data; empty = all").with_length(0, 200)),
  };
  route.answers = {{200, "The report.", "application/json", report_schema(), {}},
                   {304, "Unchanged since that ETag.", {}, {}, {}}};
  route.problems = {404};
  route.of_data = true;
  route.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    pipeline::KpiRequest asked{request.date("from"), request.date("to"), request.text("store_id"),
                               request.text("country")};
    if (asked.from && asked.to && *asked.from > *asked.to) {
      return invalid_input("from " + format_date(*asked.from) + " is after to " + format_date(*asked.to));
    }
    const auto report = TILLCAST_TRY_PLAIN(service.kpis(asked));
    JsonWriter out;
    write_report(out, report);
    return json_answer(out);
  };
  routes.push_back(std::move(route));
}

}  // namespace tillcast::api
