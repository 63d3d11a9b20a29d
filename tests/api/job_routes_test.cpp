// The routes for training, jobs, predictions and uploads, without sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>

#include "api/application.h"
#include "api/header_text.h"
#include "api/memory_jobs.h"
#include "api/memory_service.h"
#include "api/openapi.h"
#include "api/routes.h"

namespace tillcast::api {
namespace {

using pipeline::JobState;
using ::testing::HasSubstr;

class JobRoutesTest : public ::testing::Test {
 protected:
  struct Reply {
    int status = 0;
    std::map<std::string, std::string> headers;
    std::string text;
    rapidjson::Document json;
  };
  // As a connection does it; every JSON answer is held against the schema that its route declares.
  Reply send(HttpRequest request) {
    request.host = "localhost";
    const auto admission = app_.admit(request);
    HttpAnswer answer;
    if (admission.refusal) {
      answer = *admission.refusal;
    } else if (admission.route->open_sink) {
      auto opened = app_.open_sink(admission, request, request.body.size());
      if (auto* refused = std::get_if<HttpAnswer>(&opened)) {
        answer = std::move(*refused);
      } else {
        auto sink = std::move(std::get<std::unique_ptr<BodySink>>(opened));
        EXPECT_TRUE(sink->write(request.body).has_value());
        answer = app_.answer(admission, request, std::move(sink));
      }
    } else {
      answer = app_.answer(admission, request);
    }
    Reply reply;
    reply.status = answer.status;
    reply.text = std::string(answer.content());
    for (const auto& [name, value] : answer.headers) reply.headers[std::string(name)] = value;
    EXPECT_NE(reply.headers["X-Request-Id"], "");
    if (reply.headers["Content-Type"].find("json") != std::string::npos) {
      reply.json.Parse(reply.text.data(), reply.text.size());
      EXPECT_FALSE(reply.json.HasParseError()) << reply.text;
      if (admission.route != nullptr) expect_declared(*admission.route, reply);
    }
    return reply;
  }
  Reply ask(std::string_view method, std::string_view target, std::string_view body = {},
            std::string_view key = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    if (!body.empty()) request.content_type = "application/json";
    request.idempotency_key = key;
    request.idempotency_key_given = !key.empty();
    return send(request);
  }
  Reply upload(std::string_view target, std::string_view body, std::string_view type = "text/csv") {
    HttpRequest request;
    request.method = "POST";
    request.target = target;
    request.body = body;
    request.content_type = type;
    return send(request);
  }
  static void expect_declared(const Route& route, const Reply& reply) {
    const Schema* schema = nullptr;
    if (reply.headers.at("Content-Type") == "application/problem+json") {
      schema = &problem_schema();
      EXPECT_THAT(problem_statuses(route), ::testing::Contains(reply.status)) << route.path;
    } else {
      for (const Answer& answer : route.answers) {
        if (answer.status != reply.status) continue;
        schema = &*answer.schema;
        EXPECT_EQ(answer.has_location, reply.headers.contains("Location")) << route.path;
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
  test::MemoryJobs jobs_;
  Metrics metrics_;
  Application app_{
      all_routes(service_, metrics_, "1.2.3", &jobs_, 1 << 20), service_, metrics_, {"1.2.3", {"localhost"}}};
};

TEST_F(JobRoutesTest, ATrainingIsAJobWhoseStateIsAtItsLocation) {
  const auto reply = ask("POST", "/api/v1/train", R"({"plan":"stores"})");
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.headers.at("Location"), "/api/v1/jobs/job-100000");
  const auto job = ask("GET", reply.headers.at("Location"));
  EXPECT_EQ(job.status, 200);
  EXPECT_STREQ(job.json["state"].GetString(), "queued");
  EXPECT_STREQ(job.json["plan"].GetString(), "stores");
  EXPECT_TRUE(job.json["progress"].IsNull());
  EXPECT_EQ(ask("POST", "/api/v1/train", R"({"plan":"none"})").status, 404);
  EXPECT_EQ(ask("POST", "/api/v1/train", R"({"plan":7})").status, 422);
  EXPECT_EQ(ask("POST", "/api/v1/train", R"({"plans":"stores"})").status, 422);
  EXPECT_EQ(ask("POST", "/api/v1/train", "{}").status, 202);
}

TEST_F(JobRoutesTest, ATrainingWithoutABodyIsOfAllPlans) {
  HttpRequest request;
  request.method = "POST";
  request.target = "/api/v1/train";
  const auto reply = send(request);
  ASSERT_EQ(reply.status, 202) << reply.text;
  EXPECT_TRUE(reply.json["plan"].IsNull());
  request.body = "{}";
  EXPECT_EQ(send(request).status, 415) << "a body has a type";
  request.body = "";
  request.content_type = "text/plain";
  EXPECT_EQ(send(request).status, 415);
  request.target = "/api/v1/forecast";
  request.content_type = "";
  EXPECT_EQ(send(request).status, 415) << "what must have a body";
}

TEST_F(JobRoutesTest, ARepeatedIdempotencyKeyIsTheSameJob) {
  const auto first = ask("POST", "/api/v1/train", "{}", "abc-1");
  EXPECT_EQ(ask("POST", "/api/v1/train", "{}", "abc-1").headers.at("Location"), first.headers.at("Location"));
  EXPECT_NE(ask("POST", "/api/v1/train", "{}", "abc-2").headers.at("Location"), first.headers.at("Location"));
  EXPECT_EQ(ask("POST", "/api/v1/train", "{}", "no spaces").status, 422);
  EXPECT_EQ(ask("POST", "/api/v1/train", "{}", std::string(201, 'k')).status, 422);
  EXPECT_EQ(jobs_.all.size(), 2U);
}

TEST_F(JobRoutesTest, ARunningJobShowsStageUnitsAndTimeLeft) {
  ask("POST", "/api/v1/train", "{}");
  jobs_.all[0].state = JobState::kRunning;
  jobs_.all[0].progress = {"forecast stores", "back-test", "shares", 30, 120, 4.5};
  const auto job = ask("GET", "/api/v1/jobs/job-100000");
  EXPECT_EQ(job.json["progress"]["done"].GetInt(), 30);
  EXPECT_DOUBLE_EQ(job.json["progress"]["eta_seconds"].GetDouble(), 4.5);
}

TEST_F(JobRoutesTest, CancelIs200Or202AndAFinishedJobIsAConflict) {
  ask("POST", "/api/v1/train", "{}");
  EXPECT_EQ(ask("POST", "/api/v1/jobs/job-100000/cancel").status, 200);
  EXPECT_EQ(ask("POST", "/api/v1/jobs/job-100000/cancel").status, 409);
  ask("POST", "/api/v1/train", "{}");
  jobs_.all[1].state = JobState::kRunning;
  EXPECT_EQ(ask("POST", "/api/v1/jobs/job-100001/cancel").status, 202);
  EXPECT_EQ(ask("POST", "/api/v1/jobs/nothing/cancel").status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/nothing").status, 404);
  EXPECT_EQ(ask("PUT", "/api/v1/jobs/nothing").headers.at("Allow"), "GET, HEAD");
}

TEST_F(JobRoutesTest, JobsArePagedAndFiltered) {
  for (int i = 0; i < 5; ++i) ask("POST", "/api/v1/train", "{}");
  jobs_.all[2].state = JobState::kFailed;
  const auto page = ask("GET", "/api/v1/jobs?limit=2");
  EXPECT_EQ(page.json["data"].Size(), 2U);
  EXPECT_STREQ(page.json["data"][0]["id"].GetString(), "job-100004");
  const std::string link = page.headers.at("Link");
  const auto next = ask("GET", link.substr(1, link.find('>') - 1));
  EXPECT_STREQ(next.json["data"][0]["id"].GetString(), "job-100002");
  EXPECT_EQ(ask("GET", "/api/v1/jobs?state=failed").json["data"].Size(), 1U);
  EXPECT_EQ(ask("GET", "/api/v1/jobs?state=odd").status, 422);
  EXPECT_EQ(ask("GET", "/api/v1/jobs?cursor=odd").status, 422);
}

TEST_F(JobRoutesTest, PredictionsComeAsJsonOrCsvAsAcceptSays) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/api/v1/predictions?plan=stores&limit=84";
  const auto json = send(request);
  EXPECT_EQ(json.json["data"].Size(), 2U) << "42 points each";
  EXPECT_EQ(json.json["data"][0]["points"].Size(), 42U);
  EXPECT_THAT(json.headers.at("Link"), HasSubstr("plan=stores"));
  request.accept = "text/csv, application/json;q=0.5";
  const auto csv = send(request);
  EXPECT_EQ(csv.headers.at("Content-Type"), "text/csv; charset=utf-8");
  EXPECT_EQ(csv.headers.at("Vary"), "Accept");
  EXPECT_EQ(std::ranges::count(csv.text, '\n'), 85);
  EXPECT_THAT(csv.text, HasSubstr("plan,series_id,store_id,product_id,date,mean,lo80,hi80,lo95,hi95,model"));
  request.accept = "application/json, text/csv;q=0.5";
  EXPECT_EQ(send(request).headers.at("Content-Type"), "application/json");
  request.accept = "text/html";
  EXPECT_EQ(send(request).status, 406);
}

TEST_F(JobRoutesTest, CsvTextIsQuotedWhereItMustBe) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/api/v1/predictions?plan=products";
  request.accept = "text/csv";
  EXPECT_THAT(send(request).text, HasSubstr("\nproducts,products/85123A|United Kingdom,,,20"));
}

TEST_F(JobRoutesTest, PredictionsNameTheirVersionAndHaveNoBoundsWhereNoneAreKnown) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/api/v1/predictions?plan=products";
  const auto json = send(request);
  const auto& known = json.json["data"][0];
  EXPECT_EQ(known["model_version"].GetInt(), 3);
  EXPECT_STREQ(known["variant"].GetString(), "champion");
  EXPECT_FALSE(known["thin_intervals"].GetBool());
  EXPECT_TRUE(known["points"][0]["hi95"].IsNumber());
  const auto& unknown = json.json["data"][1];
  EXPECT_TRUE(unknown["thin_intervals"].GetBool());
  EXPECT_TRUE(unknown["points"][0]["lo80"].IsNull() && unknown["points"][0]["hi95"].IsNull());
  request.accept = "text/csv";
  const auto csv = send(request);
  EXPECT_THAT(csv.text, HasSubstr(",run_id,data_until,model_version,variant,thin_intervals\n"));
  EXPECT_THAT(csv.text, HasSubstr(",3,champion,false\n"));
  EXPECT_THAT(csv.text, HasSubstr(",,,,,"));
  EXPECT_THAT(csv.text, HasSubstr(",3,champion,true\n"));
}

TEST_F(JobRoutesTest, PredictionsOfAJobAreThereWhenItHasSucceededAndUntilTheNextRun) {
  ask("POST", "/api/v1/train", R"({"plan":"stores"})");
  EXPECT_EQ(ask("GET", "/api/v1/jobs/job-100000/predictions").status, 409);
  jobs_.all[0].state = JobState::kSucceeded;
  jobs_.all[0].result.runs = {{"stores", "2015-08-01T06:00:00Z", 120, 0, false, 2, "why"}};
  const auto reply = ask("GET", "/api/v1/jobs/job-100000/predictions?limit=42");
  EXPECT_EQ(reply.status, 200) << reply.text;
  EXPECT_EQ(reply.json["data"].Size(), 1U);
  EXPECT_THAT(reply.headers.at("Link"), HasSubstr("/api/v1/jobs/job-100000/predictions?cursor="));
  jobs_.all[0].result.runs[0].run_id = "an older one";
  EXPECT_THAT(ask("GET", "/api/v1/jobs/job-100000/predictions").text, HasSubstr("superseded"));
}

TEST_F(JobRoutesTest, AnUploadIs202ThenTheSame200) {
  const auto first = upload("/api/v1/uploads?name=sales.csv", "a,b\n1,2\n");
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(first.headers.at("Location"), "/api/v1/uploads/8");
  EXPECT_EQ(upload("/api/v1/uploads?name=other.csv", "a,b\n1,2\n").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/uploads/8").status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/uploads/9").status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/uploads").json["data"].Size(), 1U);
  EXPECT_EQ(ask("POST", "/api/v1/uploads/8/replay").status, 409);
  EXPECT_EQ(jobs_.open_sinks, 0);
}

TEST_F(JobRoutesTest, AnUploadIsRefusedByTypeParameterSpaceOrContent) {
  EXPECT_EQ(upload("/api/v1/uploads", "a,b", "application/json").status, 415);
  EXPECT_EQ(upload("/api/v1/uploads", "a,b", "").status, 202);
  EXPECT_EQ(upload("/api/v1/uploads", "a,b", "Text/CSV; charset=utf-8").status, 200);
  EXPECT_EQ(upload("/api/v1/uploads?mapping=..%2Fetc", "a,b").status, 422);
  EXPECT_EQ(upload("/api/v1/uploads", "nothing").status, 422);
  jobs_.bytes_free = 1;
  const auto full = upload("/api/v1/uploads", "a,b\n");
  EXPECT_EQ(full.status, 507);
  EXPECT_STREQ(full.json["code"].GetString(), "disk_full");
  EXPECT_EQ(jobs_.open_sinks, 0);
}

TEST_F(JobRoutesTest, TheDocumentNamesBinaryBodiesHeadersAndMethods) {
  const auto reply = ask("GET", "/openapi.json");
  const auto& paths = reply.json["paths"];
  const auto& upload_operation = paths["/api/v1/uploads"]["post"];
  EXPECT_TRUE(upload_operation["requestBody"]["content"].HasMember("text/csv"));
  EXPECT_TRUE(upload_operation["responses"]["202"]["headers"].HasMember("Location"));
  EXPECT_TRUE(upload_operation["responses"].HasMember("507"));
  EXPECT_TRUE(paths["/api/v1/jobs/{job_id}/cancel"].HasMember("post"));
  EXPECT_STREQ(paths["/api/v1/train"]["post"]["parameters"][0]["in"].GetString(), "header");
  EXPECT_TRUE(paths["/api/v1/predictions"]["get"]["responses"]["200"]["content"].HasMember("text/csv"));
}

TEST(HeaderText, AcceptWeighsTheMostSpecificRange) {
  EXPECT_EQ(accept_quality("text/*;q=0.3, text/csv;q=0.7", "text/csv"), 700);
  EXPECT_EQ(accept_quality("text/*;q=0.3", "text/csv"), 300);
  EXPECT_EQ(accept_quality("*/*", "text/csv"), 1000);
  EXPECT_EQ(accept_quality("application/json", "text/csv"), 0);
  EXPECT_EQ(accept_quality("text/csv;q=0, */*", "text/csv"), 0);
  EXPECT_EQ(accept_quality("", "text/csv"), 1000);
}

}  // namespace
}  // namespace tillcast::api
