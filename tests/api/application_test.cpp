// The declared routes without sockets.
#include "api/application.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>

#include "api/memory_service.h"
#include "api/openapi.h"
#include "api/routes.h"

namespace tillcast::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ApplicationTest : public ::testing::Test {
 protected:
  struct Reply {
    int status = 0;
    std::map<std::string, std::string> headers;
    std::string text;
    rapidjson::Document json;
    const Route* route = nullptr;
  };

  // Sends a request through admission and answer as a connection does, and holds every JSON answer against
  // the schema that its route declares for that status.
  Reply send(HttpRequest request) {
    if (request.host.empty()) request.host = "localhost:8080";
    auto admission = app_.admit(request);
    HttpAnswer answer = admission.refusal ? *admission.refusal : app_.answer(admission, request);
    app_.finished(admission, request.method, request.target, answer.status, answer.content().size());
    Reply reply;
    reply.status = answer.status;
    reply.text = std::string(answer.content());
    reply.route = admission.route;
    for (const auto& [name, value] : answer.headers) reply.headers[std::string(name)] = value;
    EXPECT_NE(reply.headers["X-Request-Id"], "");
    if (reply.headers["Content-Type"].find("json") != std::string::npos) {
      reply.json.Parse(reply.text.data(), reply.text.size());
      EXPECT_FALSE(reply.json.HasParseError()) << reply.text.substr(0, 200);
      expect_declared(reply);
    }
    return reply;
  }
  Reply get(std::string_view target) {
    HttpRequest request;
    request.method = "GET";
    request.target = target;
    return send(request);
  }
  Reply post(std::string_view target, std::string_view body) {
    HttpRequest request;
    request.method = "POST";
    request.target = target;
    request.content_type = "application/json";
    request.body = body;
    return send(request);
  }

  static void expect_declared(const Reply& reply) {
    const Schema* schema = nullptr;
    if (reply.headers.at("Content-Type") == "application/problem+json") {
      schema = &problem_schema();
      if (reply.route != nullptr) {
        EXPECT_THAT(problem_statuses(*reply.route), ::testing::Contains(reply.status)) << reply.route->path;
      }
    } else {
      for (const Answer& answer : reply.route->answers) {
        if (answer.status == reply.status && answer.schema) schema = &*answer.schema;
      }
    }
    ASSERT_NE(schema, nullptr) << "status " << reply.status << " is not declared";
    std::vector<std::string> loc;
    std::vector<FieldError> errors;
    check_value(*schema, reply.json, loc, errors);
    for (const auto& error : errors)
      ADD_FAILURE() << (error.loc.empty() ? "" : error.loc.back()) << ": " << error.msg;
  }

  test::MemoryService service_;
  Metrics metrics_;
  Application app_{all_routes(service_, metrics_, "1.2.3"),
                   service_,
                   metrics_,
                   {"1.2.3", {"localhost", "127.0.0.1", "[::1]"}}};
};

TEST_F(ApplicationTest, KpisKeepExactDecimals) {
  const auto reply = get("/api/v1/kpis?from=2013-01-01&to=2013-12-31&country=EIRE");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.text, HasSubstr("\"value\":5176450.000"));
  EXPECT_THAT(reply.text, HasSubstr("\"previous\":null"));
  EXPECT_EQ(reply.json["by_country"].Size(), 1U);
  EXPECT_STREQ(reply.json["from"].GetString(), "2013-01-01");
  EXPECT_EQ(reply.headers.at("Cache-Control"), "private, no-cache");
}

TEST_F(ApplicationTest, InvalidParametersAre422WithTheirPlace) {
  const auto reply = get("/api/v1/kpis?from=2013-02-29&too=1");
  EXPECT_EQ(reply.status, 422);
  EXPECT_STREQ(reply.json["code"].GetString(), "invalid_parameters");
  ASSERT_EQ(reply.json["errors"].Size(), 2U);
  EXPECT_STREQ(reply.json["errors"][0]["loc"][1].GetString(), "from");
  EXPECT_STREQ(reply.json["errors"][0]["type"].GetString(), "date_parsing");
  EXPECT_STREQ(reply.json["errors"][1]["loc"][1].GetString(), "too");
  EXPECT_EQ(get("/api/v1/kpis?from=2013-02-02&to=2013-02-01").status, 422);
  for (const char* const bad :
       {"limit=0", "limit=1001", "limit=x", "limit=", "limit=1.0", "limit=+1", "limit=99999999999999999999",
        "limit=5&limit=6", "cursor=x", "search=a&search=b"}) {
    EXPECT_EQ(get("/api/v1/series?" + std::string(bad)).status, 422) << bad;
  }
}

TEST_F(ApplicationTest, ASeriesIdIsOneEncodedSegmentOfAnyText) {
  const auto reply =
      get("/api/v1/series/products%2Fcaf%C3%A9%20au%20lait%20%E2%98%95%2F100%25%2B%3F%23%26?history=7");
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_STREQ(reply.json["series"]["id"].GetString(), "products/café au lait ☕/100%+?#&");
  EXPECT_EQ(reply.json["history"].Size(), 7U);
  EXPECT_EQ(reply.json["forecast"]["points"].Size(), 42U);
  EXPECT_TRUE(reply.json["series"]["store_id"].IsNull());
  EXPECT_EQ(get("/api/v1/series/products%2F85123A%7CUnited%20Kingdom").json["history"].Size(), 942U);
  EXPECT_EQ(get("/api/v1/series/stores/17").status, 404);  // two segments are another path
  EXPECT_EQ(get("/api/v1/series/stores%2F17%00").status, 404);
}

TEST_F(ApplicationTest, UnknownThingsAre404AndSayWhatToDo) {
  EXPECT_STREQ(get("/api/v1/series/stores%2F99999").json["code"].GetString(), "not_found");
  EXPECT_THAT(get("/nothing").text, HasSubstr("/docs"));
  EXPECT_EQ(get("/api/v1/kpis/").status, 404);
  EXPECT_EQ(get("/assets/nothing.js").status, 404);
  service_.empty = true;
  EXPECT_THAT(get("/api/v1/kpis").text, HasSubstr("tillcast run"));
  EXPECT_EQ(get("/readyz").status, 503);
}

TEST_F(ApplicationTest, PagesFollowTheCursorToTheEndWithoutGapsOrRepeats) {
  std::vector<std::string> ids;
  std::string target = "/api/v1/series?limit=50";
  while (true) {
    const auto reply = get(target);
    ASSERT_EQ(reply.status, 200);
    for (const auto& row : reply.json["data"].GetArray()) ids.emplace_back(row["id"].GetString());
    if (!reply.json["has_more"].GetBool()) break;
    const std::string link = reply.headers.at("Link");
    EXPECT_THAT(link, HasSubstr("rel=\"next\""));
    target = link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(ids.size(), 122U);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
  EXPECT_EQ(get("/api/v1/series?search=STORE+12&plan=stores").json["data"].Size(), 2U);
}

TEST_F(ApplicationTest, ForecastGivesExactlyTheAskedPeriods) {
  const auto reply = post("/api/v1/forecast",
                          R"({"items":[{"series_id":"stores/17"},{"series_id":"stores/18"}],"horizon":17})");
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(reply.json["items"][1]["forecast"]["points"].Size(), 17U);
  EXPECT_EQ(reply.json["failed"].GetInt(), 0);
  const auto dated = post("/api/v1/forecast",
                          R"({"items":[{"series_id":"stores/17"}],"dates":["2015-08-03","2015-09-01"]})");
  EXPECT_STREQ(dated.json["items"][0]["forecast"]["points"][1]["date"].GetString(), "2015-09-01");
}

TEST_F(ApplicationTest, ForecastGivesQuantilesAndTheSumWhenAskedAndElseNeither) {
  const auto reply =
      post("/api/v1/forecast",
           R"({"items":[{"series_id":"stores/17"}],"horizon":3,"quantiles":[0.5,0.1,0.999],"sum":true})");
  EXPECT_EQ(reply.status, 200) << reply.text;
  const auto& forecast = reply.json["items"][0]["forecast"];
  double mean = 0;
  for (const auto& point : forecast["points"].GetArray()) {
    ASSERT_EQ(point["quantiles"].Size(), 3U);
    EXPECT_EQ(point["quantiles"][1]["share"].GetDouble(), 0.1);
    EXPECT_EQ(point["quantiles"][1]["value"].GetDouble(), 2 * 0.1 * point["mean"].GetDouble());
    mean += point["mean"].GetDouble();
  }
  EXPECT_EQ(forecast["sum"]["periods"].GetInt(), 3);
  EXPECT_EQ(forecast["sum"]["mean"].GetDouble(), mean);
  EXPECT_EQ(forecast["sum"]["from"], forecast["points"][0]["date"]);
  EXPECT_EQ(forecast["sum"]["quantiles"][0]["value"].GetDouble(), mean);
  EXPECT_EQ(forecast["sum"]["intervals"][1]["level"].GetInt(), 95);
  const auto plain =
      post("/api/v1/forecast", R"({"items":[{"series_id":"stores/17"}],"horizon":3,"sum":false})");
  EXPECT_FALSE(plain.json["items"][0]["forecast"].HasMember("sum"));
  EXPECT_FALSE(plain.json["items"][0]["forecast"]["points"][0].HasMember("quantiles"));
  const auto total =
      post("/api/v1/forecast", R"({"items":[{"series_id":"stores/17"}],"horizon":3,"sum":true})");
  EXPECT_FALSE(total.json["items"][0]["forecast"]["sum"].HasMember("quantiles"));
}

TEST_F(ApplicationTest, SharesOutOfBoundsAreNamed) {
  const auto reply =
      post("/api/v1/forecast", R"({"items":[{"series_id":"stores/17"}],"horizon":1,"quantiles":[0.5,1]})");
  EXPECT_EQ(reply.status, 422) << reply.text;
  EXPECT_THAT(reply.text, HasSubstr(R"("loc":["body","quantiles","1"])"));
  EXPECT_THAT(reply.text, HasSubstr("expected at most 0.999"));
  for (const char* const bad : {"[]", "0.5", "[0]", "[\"0.5\"]",
                                "[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,"
                                "0.1,0.1,0.1,0.1]"}) {
    EXPECT_EQ(post("/api/v1/forecast", R"({"items":[{"series_id":"stores/17"}],"horizon":1,"quantiles":)" +
                                           std::string(bad) + "}")
                  .status,
              422)
        << bad;
  }
}

TEST_F(ApplicationTest, AnIdThatWasNeverSeenIsAColdStartUnlessTheCallIsStrict) {
  const std::string items =
      R"({"items":[{"series_id":"stores/new","attributes":{"store_type":"a"}},{"series_id":"stores/1"}],"horizon":3)";
  const auto reply = post("/api/v1/forecast", items + "}");
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(reply.json["failed"].GetInt(), 0);
  const auto& unseen = reply.json["items"][0]["forecast"];
  EXPECT_STREQ(unseen["model"].GetString(), "cold_start");
  EXPECT_THAT(unseen["cold_start"]["basis"].GetString(), HasSubstr("store_type a"));
  EXPECT_FALSE(reply.json["items"][1]["forecast"].HasMember("cold_start"));
  const auto strict = post("/api/v1/forecast", items + R"(,"strict":true})");
  EXPECT_EQ(strict.json["items"][0]["error"]["status"].GetInt(), 404);
  EXPECT_STREQ(strict.json["items"][1]["status"].GetString(), "ok");
  for (const char* const bad :
       {R"({"store_type":1})", R"({"store_type":null})", R"([])", R"({"store_type":""})"})
    EXPECT_EQ(post("/api/v1/forecast", R"({"items":[{"series_id":"stores/new","attributes":)" +
                                           std::string(bad) + R"(}],"horizon":3})")
                  .status,
              422)
        << bad;
  EXPECT_EQ(
      post("/api/v1/forecast", R"({"items":[{"series_id":"stores/1"}],"horizon":3,"strict":"yes"})").status,
      422);
}

TEST_F(ApplicationTest, AForecastIsExplainedByPartsThatAddUp) {
  const auto reply = get("/api/v1/series/stores%2F17/explanation?history=3");
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(reply.json["points"].Size(), 42U);
  EXPECT_EQ(reply.json["history"].Size(), 3U);
  EXPECT_EQ(reply.json["models"][0]["weight"].GetDouble(), 1);
  EXPECT_TRUE(reply.json["note"].IsNull());
  for (const auto& point : reply.json["points"].GetArray()) {
    double sum = 0;
    for (const auto& part : point["parts"].GetArray()) sum += part["value"].GetDouble();
    EXPECT_NEAR(sum, point["value"].GetDouble(), 1e-9);
  }
  const std::string day = reply.json["points"][3]["date"].GetString();
  EXPECT_EQ(get("/api/v1/series/stores%2F17/explanation?date=" + day).json["points"].Size(), 1U);
  EXPECT_EQ(get("/api/v1/series/stores%2F17/explanation?date=1999-01-01").status, 422);
  EXPECT_EQ(get("/api/v1/series/stores%2F17/explanation?date=soon").status, 422);
  EXPECT_EQ(get("/api/v1/series/stores%2F17/explanation?history=-1").status, 422);
  EXPECT_EQ(get("/api/v1/series/none/explanation").status, 404);
}

TEST_F(ApplicationTest, ModelVersionsAreListedAndShown) {
  const auto list = get("/api/v1/models");
  EXPECT_EQ(list.status, 200) << list.text;
  EXPECT_EQ(list.json["data"][0]["champion"].GetInt(), 1);
  const auto plan = get("/api/v1/models/stores");
  EXPECT_EQ(plan.json["versions"].Size(), 2U);
  EXPECT_STREQ(plan.json["versions"][0]["alias"].GetString(), "challenger");
  EXPECT_STREQ(plan.json["experiments"][0]["name"].GetString(), "spring");
  const auto one = get("/api/v1/models/stores/2");
  EXPECT_EQ(one.json["metrics"]["wape"].GetDouble(), 0.097);
  EXPECT_TRUE(one.json["problem"].IsNull());
  EXPECT_STREQ(plan.json["versions"][1]["problem"].GetString(), "model.txt is damaged; fit again");
  EXPECT_EQ(list.json["data"][0]["problems"].Size(), 2U);
  EXPECT_EQ(plan.json["problems"][0]["version"].GetInt(), 1);
  const auto unreadable = get("/api/v1/models/stores/3");
  EXPECT_EQ(unreadable.status, 500);
  EXPECT_STREQ(unreadable.json["detail"].GetString(), "version.json is damaged");
  EXPECT_EQ(get("/api/v1/models/stores/4").status, 404);
  EXPECT_EQ(get("/api/v1/models/none").status, 404);
  EXPECT_EQ(get("/api/v1/models/stores/0").status, 422);
  EXPECT_EQ(get("/api/v1/models/stores/x").status, 422);
}

TEST_F(ApplicationTest, AFailingItemDoesNotFailTheOthers) {
  const auto reply = post(
      "/api/v1/forecast",
      R"({"items":[{"series_id":"stores/17"},{"series_id":"none"},{"series_id":"products/café au lait ☕/100%+?#&"}],"horizon":2})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.json["failed"].GetInt(), 2);
  EXPECT_STREQ(reply.json["items"][0]["status"].GetString(), "ok");
  EXPECT_EQ(reply.json["items"][1]["error"]["status"].GetInt(), 404);
  EXPECT_EQ(reply.json["items"][2]["error"]["status"].GetInt(), 422);
}

TEST_F(ApplicationTest, BodiesThatDoNotParseAre400AndInvalidOnesAre422) {
  for (const char* const bad :
       {"", "{", "nope", "{\"items\":[}", "{} x", "\xFF", "{\"items\":\"\xED\xA0\x80\"}", "NaN"}) {
    EXPECT_EQ(post("/api/v1/forecast", bad).status, 400) << bad;
  }
  EXPECT_EQ(post("/api/v1/forecast", std::string(500'000, '[')).status, 400);
  for (const char* const bad :
       {"null", "[]", "{}", R"({"items":[],"horizon":1})", R"({"items":[{"series_id":"a"}]})",
        R"({"items":[{"series_id":"a"}],"horizon":367})",
        R"({"items":[{"series_id":"a"}],"horizon":1,"x":2})",
        R"({"items":[{"series_id":"a"}],"dates":["2015-8-1"]})"}) {
    EXPECT_EQ(post("/api/v1/forecast", bad).status, 422) << bad;
  }
}

TEST_F(ApplicationTest, AnInvalidValueIsNamedByItsWholePlace) {
  const auto detail = [&](const char* body) {
    return std::string(post("/api/v1/forecast", body).json["detail"].GetString());
  };
  EXPECT_THAT(detail(R"({"items":[{"series_id":"stores/1"}],"dates":["2015-8-1"]})"),
              ::testing::StartsWith("dates[0]: "));
  EXPECT_THAT(detail(R"({"items":[{"series_id":"stores/1"},{"series_id":7}],"horizon":1})"),
              ::testing::StartsWith("items[1].series_id: "));
  EXPECT_THAT(detail("[]"), ::testing::StartsWith("body: "));
  EXPECT_THAT(get("/api/v1/kpis?from=x").json["detail"].GetString(), ::testing::StartsWith("from: "));
}

TEST_F(ApplicationTest, WhereNothingTellsAnIntervalThereIsNone) {
  const auto reply = get("/api/v1/series/products%2Fcaf%C3%A9%20au%20lait%20%E2%98%95%2F100%25%2B%3F%23%26");
  ASSERT_EQ(reply.status, 200) << reply.text;
  const auto& none = reply.json["forecast"];
  EXPECT_TRUE(none["thin_intervals"].GetBool());
  EXPECT_EQ(none["points"][0]["intervals"].Size(), 0U);
  EXPECT_FALSE(get("/api/v1/series/stores%2F1").json["forecast"]["thin_intervals"].GetBool());
}

TEST_F(ApplicationTest, MethodAndMediaTypesAreChecked) {
  HttpRequest request;
  request.method = "DELETE";
  request.target = "/api/v1/kpis";
  EXPECT_EQ(send(request).status, 405);
  EXPECT_EQ(send(request).headers.at("Allow"), "GET, HEAD");
  request.target = "/api/v1/forecast";
  request.method = "GET";
  EXPECT_EQ(send(request).headers.at("Allow"), "POST");
  request.method = "POST";
  request.content_type = "text/plain";
  EXPECT_EQ(send(request).status, 415);
  request.method = "GET";
  request.target = "/api/v1/kpis";
  request.accept = "text/html";
  EXPECT_EQ(send(request).status, 406);
  request.accept = "text/html, application/json;q=0, */*;q=0.1";
  EXPECT_EQ(send(request).status, 406);
  request.accept = "text/html, application/*;q=0.5";
  EXPECT_EQ(send(request).status, 200);
}

TEST_F(ApplicationTest, AnUnchangedVersionIs304WithoutAskingTheData) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/api/v1/kpis";
  const std::string tag = send(request).headers.at("ETag");
  const int asked = service_.queries;
  const std::string list = "\"other\", W/" + tag;
  request.if_none_match = list;
  EXPECT_EQ(send(request).status, 304);
  EXPECT_EQ(service_.queries, asked);
  service_.version = 2;
  EXPECT_EQ(send(request).status, 200);
  request.if_none_match = "*";
  EXPECT_EQ(send(request).status, 304);
  request.target = "/api/v1/series/none";
  EXPECT_EQ(send(request).status, 404);  // "*" means: if there is one
}

TEST_F(ApplicationTest, ForeignHostsAreRefusedAgainstDnsRebinding) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/livez";
  for (const char* const good : {"localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "localhost."}) {
    request.host = good;
    EXPECT_EQ(send(request).status, 200) << good;
  }
  for (const char* const bad :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[::2]", "[", "a b"}) {
    request.host = bad;
    EXPECT_EQ(send(request).status, 421) << bad;
  }
  request.host = "localhost";
  request.target = "http://evil.example/livez";
  EXPECT_EQ(send(request).status, 421);
}

TEST_F(ApplicationTest, AGivenRequestIdComesBackAndABadOneIsReplaced) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/nothing";
  request.request_id = "abc-123";
  auto reply = send(request);
  EXPECT_EQ(reply.headers.at("X-Request-Id"), "abc-123");
  EXPECT_STREQ(reply.json["request_id"].GetString(), "abc-123");
  request.request_id = "no spaces";
  EXPECT_NE(send(request).headers.at("X-Request-Id"), "no spaces");
}

TEST_F(ApplicationTest, AThrowingHandlerIs500WithoutItsInsides) {
  service_.fault = [] { throw std::runtime_error("secret inside"); };
  const auto reply = get("/api/v1/kpis");
  EXPECT_EQ(reply.status, 500);
  EXPECT_THAT(reply.text, ::testing::Not(HasSubstr("secret")));
}

TEST_F(ApplicationTest, MetricsHaveTheRouteTemplateAndNeverTheId) {
  get("/api/v1/series/stores%2F17");
  get("/made/up");
  const auto reply = get("/metrics");
  EXPECT_THAT(reply.text, HasSubstr("http_request_duration_seconds_count{code=\"200\",method=\"GET\",route="
                                    "\"/api/v1/series/{series_id}\"} 1"));
  EXPECT_THAT(reply.text, HasSubstr("route=\"unmatched\""));
  EXPECT_THAT(reply.text, ::testing::Not(HasSubstr("stores%2F17")));
}

TEST_F(ApplicationTest, AssetsComeCompressedWhenAccepted) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/assets/app.js";
  const auto plain = send(request);
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.headers.at("Content-Type"), "text/javascript; charset=utf-8");
  request.accept_encoding = "br, gzip;q=0.8";
  auto packed = send(request);
  EXPECT_EQ(packed.headers.at("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.text.substr(0, 2), "\x1F\x8B");
  EXPECT_NE(packed.headers.at("ETag"), plain.headers.at("ETag"));
  const std::string tag = packed.headers.at("ETag");
  request.if_none_match = tag;
  EXPECT_EQ(send(request).status, 304);
  request.accept_encoding = "gzip;q=0";
  EXPECT_EQ(send(request).headers.count("Content-Encoding"), 0U);
}

TEST_F(ApplicationTest, APageKeepsItsStateInAQueryThatTheServerIgnores) {
  EXPECT_EQ(get("/?search=caf&series=products%2F85123A&tables=months").status, 200);
}

TEST_F(ApplicationTest, FirstLoadFits70KilobytesCompressed) {
  std::size_t total = 0;
  for (const char* const target :
       {"/", "/assets/app.js", "/assets/charts.js", "/assets/format.js", "/assets/operations.js",
        "/assets/requests.js", "/assets/style.css", "/assets/favicon.svg", "/assets/uPlot.iife.min.js",
        "/assets/uPlot.min.css"}) {
    HttpRequest request;
    request.method = "GET";
    request.target = target;
    request.accept_encoding = "gzip";
    const auto reply = send(request);
    EXPECT_EQ(reply.status, 200) << target;
    total += reply.text.size();
  }
  EXPECT_LE(total, 70U * 1024);
  RecordProperty("first_load_bytes", static_cast<int>(total));
}

TEST_F(ApplicationTest, AlertsOfOnePlanOrAllWithThoseThatRecovered) {
  const auto open = get("/api/v1/alerts");
  EXPECT_EQ(open.status, 200) << open.text;
  ASSERT_EQ(open.json["data"].Size(), 2U);
  EXPECT_TRUE(open.json["data"][0]["series_id"].IsNull()) << "the plan as a whole";
  EXPECT_STREQ(open.json["data"][0]["opened_at"].GetString(), "2015-08-01T03:33:20Z");
  EXPECT_TRUE(open.json["data"][0]["closed_at"].IsNull());
  EXPECT_EQ(open.json["data"][1]["wape"].GetDouble(), 0.31);
  const auto all = get("/api/v1/alerts?state=all&plan=stores");
  ASSERT_EQ(all.json["data"].Size(), 3U);
  EXPECT_TRUE(all.json["data"][2]["closed_at"].IsString());
  EXPECT_TRUE(all.json["data"][2]["wape_expected"].IsNull());
  EXPECT_EQ(get("/api/v1/alerts?plan=products").json["data"].Size(), 0U);
  EXPECT_EQ(get("/api/v1/alerts?plan=none").status, 404);
  EXPECT_EQ(get("/api/v1/alerts?limit=1").json["data"].Size(), 1U);
  EXPECT_EQ(get("/api/v1/alerts?state=closed").status, 422);
}

TEST_F(ApplicationTest, MonitorShowsFiguresOfPlansOrOfOneSeries) {
  const auto all = get("/api/v1/monitor");
  EXPECT_EQ(all.status, 200) << all.text;
  ASSERT_EQ(all.json["data"].Size(), 2U);
  const auto& few = all.json["data"][0];
  EXPECT_TRUE(few["series_id"].IsNull()) << "the plan as a whole";
  EXPECT_STREQ(few["state"].GetString(), "few");
  for (const char* const unknown : {"wape", "wape_seasonal_naive", "bias", "coverage80", "reason"})
    EXPECT_TRUE(few[unknown].IsNull()) << unknown;
  const auto& degraded = all.json["data"][1];
  EXPECT_EQ(degraded["window_periods"].GetInt(), 42);
  EXPECT_STREQ(degraded["until"].GetString(), "2015-07-31");
  EXPECT_EQ(degraded["wape"].GetDouble(), 0.18);
  EXPECT_EQ(degraded["wape_expected"].GetDouble(), 0.095);
  EXPECT_STREQ(degraded["reason"].GetString(), "the seasonal naive would have been better");
  const auto one = get("/api/v1/monitor?series_id=stores%2F7&plan=stores&limit=1");
  ASSERT_EQ(one.json["data"].Size(), 1U);
  EXPECT_STREQ(one.json["data"][0]["series_id"].GetString(), "stores/7");
  EXPECT_EQ(get("/api/v1/monitor?plan=products").json["data"].Size(), 0U);
  EXPECT_EQ(get("/api/v1/monitor?plan=none").status, 404);
  EXPECT_EQ(get("/api/v1/monitor?series_id=stores%2Fnone").status, 404);
  const auto wrong = get("/api/v1/monitor?limit=1001");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_STREQ(wrong.json["errors"][0]["loc"][1].GetString(), "limit");
  EXPECT_EQ(get("/api/v1/monitor?series=stores%2F7").status, 422) << "it is series_id";
}

TEST_F(ApplicationTest, OpenApiDocumentsEveryRouteAndResolvesEveryReference) {
  const auto reply = get("/openapi.json");
  EXPECT_EQ(reply.status, 200);
  for (const Route& route : app_.routes()) {
    ASSERT_TRUE(reply.json["paths"].HasMember(route.path.c_str())) << route.path;
    const auto& operation =
        reply.json["paths"][route.path.c_str()][route.method == Method::kGet ? "get" : "post"];
    EXPECT_STREQ(operation["operationId"].GetString(), route.operation_id.c_str());
    for (const int status : problem_statuses(route))
      EXPECT_TRUE(operation["responses"].HasMember(std::to_string(status).c_str()));
  }
  for (std::size_t at = 0; (at = reply.text.find("\"$ref\":\"#/components/", at)) != std::string::npos;
       ++at) {
    const std::size_t from = at + 21;
    const std::string path = reply.text.substr(from, reply.text.find('"', from) - from);
    const auto slash = path.find('/');
    EXPECT_TRUE(
        reply.json["components"][path.substr(0, slash).c_str()].HasMember(path.substr(slash + 1).c_str()))
        << path;
  }
}

}  // namespace
}  // namespace tillcast::api
