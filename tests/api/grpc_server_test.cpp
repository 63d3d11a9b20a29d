// gRPC over a real loopback connection, beside HTTP on the same data.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <tillcast/v1/forecast.grpc.pb.h>

#include <memory>
#include <thread>

#include "api/memory_service.h"
#include "api/raw_client.h"
#include "api/raw_grpc_call.h"
#include "api/server.h"

namespace tillcast::api {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

class GrpcServerTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.grpc_port = 0;
    auto started = Server::start(options, service_, metrics_);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server_ = std::move(*started);
    channel_ = grpc::CreateChannel(server_->grpc_address(), grpc::InsecureChannelCredentials());
    stub_ = v1::ForecastService::NewStub(channel_);
  }
  grpc::Status forecast(const v1::ForecastRequest& request, v1::ForecastResponse& response,
                        std::chrono::milliseconds deadline = 10s) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    return stub_->Forecast(&context, request, &response);
  }
  static v1::ForecastRequest asking(std::initializer_list<std::string> ids, int horizon) {
    v1::ForecastRequest request;
    for (const auto& id : ids) request.add_items()->set_series_id(id);
    request.set_horizon(horizon);
    return request;
  }
  int health(const std::string& name = "") { return test::grpc_health(channel_, name); }
  bool health_becomes(int wanted) {
    for (int i = 0; i < 100; ++i) {
      if (health() == wanted) return true;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }

  test::MemoryService service_;
  Metrics metrics_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ForecastService::Stub> stub_;
};

std::string umlauts(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "ü";
  return text;
}

TEST_F(GrpcServerTest, LengthsAreCharactersAsInHttp) {
  start();
  v1::ForecastResponse response;
  auto request = asking({"stores/" + umlauts(493)}, 7);
  (*request.mutable_items(0)->mutable_attributes())["category"] = umlauts(200);
  EXPECT_TRUE(forecast(request, response).ok());
  v1::ListSeriesRequest list;
  v1::ListSeriesResponse page;
  list.set_search(umlauts(200));
  {
    grpc::ClientContext context;
    EXPECT_TRUE(stub_->ListSeries(&context, list, &page).ok());
  }
  grpc::ClientContext context;
  list.set_search(umlauts(201));
  EXPECT_THAT(stub_->ListSeries(&context, list, &page).error_message(),
              HasSubstr("search must have 0 to 200 characters, found 201"));
}

TEST_F(GrpcServerTest, OneBadItemDoesNotFailTheOthers) {
  start();
  v1::ForecastResponse response;
  const auto status =
      forecast(asking({"stores/17", "stores/none", "products/café au lait ☕/100%+?#&"}, 7), response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(response.failed(), 2);
  EXPECT_EQ(response.results(0).series_id(), "stores/17");
  EXPECT_EQ(response.results(0).found().forecast().points_size(), 7);
  EXPECT_EQ(response.results(1).error().code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(response.results(1).error().reason(), "not_found");
  EXPECT_THAT(response.results(1).error().message(), HasSubstr("stores/none"));
  EXPECT_EQ(response.results(2).error().code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, HttpAndGrpcGiveTheSameNumbers) {
  start();
  v1::ForecastResponse response;
  auto request = asking({"stores/17"}, 42);
  request.add_quantiles(0.9);
  request.add_quantiles(0.1);
  request.set_sum(true);
  ASSERT_TRUE(forecast(request, response).ok());
  const auto& found = response.results(0).found();
  const std::string body =
      R"({"items":[{"series_id":"stores/17"}],"horizon":42,"quantiles":[0.9,0.1],"sum":true})";
  test::RawClient http(server_->port());
  http.send(
      "POST /api/v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  rapidjson::Document json;
  const auto answer = http.read();
  json.Parse<rapidjson::kParseFullPrecisionFlag>(answer.body.data(), answer.body.size());
  ASSERT_FALSE(json.HasParseError()) << answer.body;
  const auto& item = json["items"][0];
  EXPECT_EQ(found.series().total(), "4957746.12");
  EXPECT_EQ(found.series().id(), item["series"]["id"].GetString());
  EXPECT_EQ(found.series().label(), item["series"]["label"].GetString());
  EXPECT_EQ(found.series().last(), item["series"]["last"].GetString());
  const auto& forecast_json = item["forecast"];
  EXPECT_EQ(found.forecast().run_id(), forecast_json["run_id"].GetString());
  EXPECT_EQ(found.forecast().model(), forecast_json["model"].GetString());
  EXPECT_GT(found.forecast().model_version(), 0);
  EXPECT_EQ(found.forecast().model_version(), forecast_json["model_version"].GetInt());
  EXPECT_EQ(found.forecast().variant(), forecast_json["variant"].GetString());
  EXPECT_EQ(found.forecast().data_until(), forecast_json["data_until"].GetString());
  EXPECT_EQ(found.forecast().wape(), forecast_json["wape"].GetDouble());
  EXPECT_EQ(found.forecast().wape_seasonal_naive(), forecast_json["wape_seasonal_naive"].GetDouble());
  ASSERT_EQ(forecast_json["points"].Size(), 42U);
  for (int i = 0; i < 42; ++i) {
    const auto& point = found.forecast().points(i);
    const auto& point_json = forecast_json["points"][static_cast<rapidjson::SizeType>(i)];
    EXPECT_EQ(point.date(), point_json["date"].GetString());
    EXPECT_EQ(point.mean(), point_json["mean"].GetDouble());
    for (int k = 0; k < 2; ++k) {
      const auto& interval_json = point_json["intervals"][static_cast<rapidjson::SizeType>(k)];
      EXPECT_EQ(point.intervals(k).level(), interval_json["level"].GetInt());
      EXPECT_EQ(point.intervals(k).low(), interval_json["low"].GetDouble());
      EXPECT_EQ(point.intervals(k).high(), interval_json["high"].GetDouble());
      const auto& quantile_json = point_json["quantiles"][static_cast<rapidjson::SizeType>(k)];
      EXPECT_EQ(point.quantiles(k).share(), quantile_json["share"].GetDouble());
      EXPECT_EQ(point.quantiles(k).value(), quantile_json["value"].GetDouble());
    }
  }
  const auto& sum = found.forecast().sum();
  const auto& sum_json = forecast_json["sum"];
  EXPECT_EQ(sum.from(), sum_json["from"].GetString());
  EXPECT_EQ(sum.to(), sum_json["to"].GetString());
  EXPECT_EQ(sum.periods(), 42);
  EXPECT_EQ(sum.mean(), sum_json["mean"].GetDouble());
  EXPECT_EQ(sum.intervals(1).high(), sum_json["intervals"][1]["high"].GetDouble());
  EXPECT_EQ(sum.quantiles(1).value(), sum_json["quantiles"][1]["value"].GetDouble());
}

TEST_F(GrpcServerTest, DatesComeBackInTheirOrder) {
  start();
  v1::ForecastRequest request;
  request.add_items()->set_series_id("stores/1");
  request.mutable_dates()->add_values("2030-01-08");
  request.mutable_dates()->add_values("2030-01-01");
  v1::ForecastResponse response;
  ASSERT_TRUE(forecast(request, response).ok());
  const auto& points = response.results(0).found().forecast().points();
  ASSERT_EQ(points.size(), 2);
  EXPECT_EQ(points[0].date(), "2030-01-08");
  EXPECT_EQ(points[1].date(), "2030-01-01");
}

TEST_F(GrpcServerTest, WrongRequestsAreInvalidArgumentsThatNameTheField) {
  start();
  struct Case {
    v1::ForecastRequest request;
    std::string says;
  };
  std::vector<Case> cases;
  cases.push_back({asking({}, 7), "items must be 1 to 1000, found 0"});
  auto many = asking({}, 7);
  for (int i = 0; i < 1001; ++i) many.add_items()->set_series_id("stores/1");
  cases.push_back({many, "items must be 1 to 1000, found 1001"});
  cases.push_back({asking({"stores/1"}, 0), "horizon must be 1 to 366, found 0"});
  cases.push_back({asking({"stores/1"}, 367), "horizon must be 1 to 366, found 367"});
  cases.push_back({asking({"stores/1", ""}, 7), "items[1].series_id"});
  cases.push_back({asking({std::string(501, 'x')}, 7), "items[0].series_id"});
  cases.push_back(
      {asking({"stores/" + umlauts(494)}, 7), "series_id must have 1 to 500 characters, found 501"});
  auto wordy = asking({"stores/1"}, 7);
  (*wordy.mutable_items(0)->mutable_attributes())["category"] = umlauts(201);
  cases.push_back({wordy, "items[0].attributes[category] must have 1 to 200 characters, found 201"});
  auto neither = asking({"stores/1"}, 7);
  neither.clear_ahead();
  cases.push_back({neither, "either horizon or dates"});
  auto no_dates = neither;
  no_dates.mutable_dates();
  cases.push_back({no_dates, "dates must be 1 to 366, found 0"});
  auto bad_date = neither;
  bad_date.mutable_dates()->add_values("2030-02-30");
  cases.push_back({bad_date, "dates.values[0] must be a day as YYYY-MM-DD, found '2030-02-30'"});
  auto too_sure = asking({"stores/1"}, 7);
  too_sure.add_quantiles(0.5);
  too_sure.add_quantiles(1);
  cases.push_back({too_sure, "quantiles[1] must be 0.001 to 0.999, found 1"});
  auto no_number = asking({"stores/1"}, 7);
  no_number.add_quantiles(std::nan(""));
  cases.push_back({no_number, "quantiles[0] must be 0.001 to 0.999"});
  auto too_many = asking({"stores/1"}, 7);
  for (int i = 0; i < 21; ++i) too_many.add_quantiles(0.5);
  cases.push_back({too_many, "quantiles must be 0 to 20, found 21 shares"});
  for (const auto& one : cases) {
    v1::ForecastResponse response;
    const auto status = forecast(one.request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << one.says;
    EXPECT_THAT(status.error_message(), HasSubstr(one.says));
  }
  EXPECT_EQ(service_.queries, 0);
}

TEST_F(GrpcServerTest, AnIdThatWasNeverSeenIsAColdStartUnlessTheCallIsStrict) {
  start();
  auto request = asking({"stores/new"}, 7);
  (*request.mutable_items(0)->mutable_attributes())["store_type"] = "a";
  v1::ForecastResponse response;
  ASSERT_TRUE(forecast(request, response).ok());
  const auto& found = response.results(0).found().forecast();
  EXPECT_EQ(found.model(), "cold_start");
  EXPECT_THAT(found.cold_start().basis(), HasSubstr("store_type a"));
  EXPECT_EQ(found.cold_start().series(), 120);
  request.set_strict(true);
  ASSERT_TRUE(forecast(request, response).ok());
  EXPECT_EQ(response.results(0).error().code(), static_cast<int>(grpc::StatusCode::NOT_FOUND));
}

TEST_F(GrpcServerTest, AForecastIsExplainedByPartsThatAddUp) {
  start();
  const auto ask = [this](const std::string& id, const std::string& date, v1::Explanation& found) {
    grpc::ClientContext context;
    v1::ExplainRequest request;
    request.set_series_id(id);
    request.set_date(date);
    request.set_history(2);
    return stub_->Explain(&context, request, &found);
  };
  v1::Explanation found;
  ASSERT_TRUE(ask("stores/17", "", found).ok());
  ASSERT_EQ(found.points_size(), test::MemoryService::kStored);
  EXPECT_EQ(found.history_size(), 2);
  EXPECT_EQ(found.data_until().size(), 10U) << found.data_until();
  EXPECT_EQ(found.models(0).points_size(), test::MemoryService::kStored);
  double sum = 0;
  for (const auto& part : found.points(5).parts()) sum += part.value();
  EXPECT_NEAR(sum, found.points(5).value(), 1e-9);
  EXPECT_EQ(ask("none", "", found).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ask("stores/17", "soon", found).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ask("stores/17", "1999-01-01", found).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, AMessageBeyondOneMebibyteIsRefused) {
  start();
  v1::ForecastRequest request = asking({}, 7);
  for (int i = 0; i < 3000; ++i) request.add_items()->set_series_id(std::string(400, 'x'));
  v1::ForecastResponse response;
  EXPECT_EQ(forecast(request, response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(GrpcServerTest, PagesLeadThroughAllSeriesOnce) {
  start();
  std::vector<std::string> ids;
  v1::ListSeriesRequest request;
  request.set_plan("stores");
  request.set_page_size(50);
  do {
    grpc::ClientContext context;
    v1::ListSeriesResponse response;
    const auto status = stub_->ListSeries(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const auto& series : response.series()) ids.push_back(series.id());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(ids.size(), 120U);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 120U);

  for (const int size : {-1, 1001}) {
    grpc::ClientContext context;
    v1::ListSeriesResponse response;
    request.set_page_size(size);
    EXPECT_EQ(stub_->ListSeries(&context, request, &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
}

TEST_F(GrpcServerTest, ASeriesStreamsItsForecastAndThenItsHistory) {
  start();
  const auto read = [this](const std::string& id, std::optional<int> history, v1::SeriesForecast& found,
                           std::vector<v1::HistoryPoint>& points) {
    grpc::ClientContext context;
    v1::GetSeriesRequest request;
    request.set_series_id(id);
    if (history) request.set_history(*history);
    const auto reader = stub_->GetSeries(&context, request);
    v1::GetSeriesResponse part;
    bool first = true;
    while (reader->Read(&part)) {
      EXPECT_EQ(part.has_found(), std::exchange(first, false));
      if (part.has_found()) found = part.found();
      points.insert(points.end(), part.history().points().begin(), part.history().points().end());
    }
    return reader->Finish();
  };
  v1::SeriesForecast found;
  std::vector<v1::HistoryPoint> all;
  ASSERT_TRUE(read("stores/17", std::nullopt, found, all).ok());
  EXPECT_EQ(found.series().id(), "stores/17");
  EXPECT_EQ(found.forecast().points_size(), test::MemoryService::kStored);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(test::MemoryService::kDays));
  EXPECT_EQ(all.front().date(), "2013-01-01");
  EXPECT_EQ(all.back().date(), found.series().last());

  std::vector<v1::HistoryPoint> some;
  ASSERT_TRUE(read("stores/17", 3, found, some).ok());
  ASSERT_EQ(some.size(), 3U);
  EXPECT_EQ(some.back().date(), all.back().date());
  EXPECT_EQ(some.back().value(), all.back().value());
  std::vector<v1::HistoryPoint> none;
  ASSERT_TRUE(read("stores/17", 0, found, none).ok());
  EXPECT_TRUE(none.empty());

  EXPECT_EQ(read("stores/none", 0, found, none).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(read("stores/17", -1, found, none).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(read("stores/17", 100'001, found, none).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, ACallWhoseDeadlinePassedInTheQueueIsNotRun) {
  ServerOptions options;
  options.query_threads = 1;
  start(options);
  service_.delay_ms = 300;
  std::thread slow([this] {
    v1::ForecastResponse response;
    EXPECT_TRUE(forecast(asking({"stores/1"}, 7), response).ok());
  });
  while (service_.queries == 0) std::this_thread::sleep_for(1ms);
  v1::ForecastResponse response;
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(forecast(asking({"stores/2"}, 7), response, 50ms).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LT(std::chrono::steady_clock::now() - started, 250ms);
  slow.join();
  service_.delay_ms = 0;
  EXPECT_TRUE(forecast(asking({"stores/3"}, 7), response).ok());
  EXPECT_EQ(service_.queries, 2) << "the abandoned call is not computed";
}

TEST_F(GrpcServerTest, AFullQueueIsResourceExhausted) {
  ServerOptions options;
  options.query_threads = 1;
  options.queued_queries_max = 0;
  start(options);
  service_.delay_ms = 300;
  std::thread slow([this] {
    v1::ForecastResponse response;
    EXPECT_TRUE(forecast(asking({"stores/1"}, 7), response).ok());
  });
  while (service_.queries == 0) std::this_thread::sleep_for(1ms);
  v1::ForecastResponse response;
  EXPECT_EQ(forecast(asking({"stores/2"}, 7), response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  slow.join();
}

TEST_F(GrpcServerTest, HealthIsServingOnlyWhileThereIsData) {
  service_.empty = true;
  start();
  EXPECT_EQ(health(), 2);
  EXPECT_EQ(health("tillcast.v1.ForecastService"), 2);
  service_.empty = false;
  ++service_.version;
  EXPECT_TRUE(health_becomes(1));
  EXPECT_EQ(health("tillcast.v1.ForecastService"), 1);
  EXPECT_EQ(health("no.such.Service"), -1);
}

TEST_F(GrpcServerTest, ReflectionListsAndDescribesTheService) {
  start();
  test::RawGrpcCall list(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                         "\x3A\x01*");
  ASSERT_TRUE(list.wait().ok());
  EXPECT_THAT(list.answer(),
              AllOf(HasSubstr("tillcast.v1.ForecastService"), HasSubstr("grpc.health.v1.Health")));
  test::RawGrpcCall describe(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                             "\x22\x1Btillcast.v1.ForecastService");
  ASSERT_TRUE(describe.wait().ok());
  EXPECT_THAT(describe.answer(), AllOf(HasSubstr("GetSeries"), HasSubstr("wape_seasonal_naive")));
}

TEST_F(GrpcServerTest, CallsAreCountedByMethodAndCode) {
  start();
  v1::ForecastResponse response;
  ASSERT_TRUE(forecast(asking({"stores/1"}, 7), response).ok());
  ASSERT_FALSE(forecast(asking({}, 7), response).ok());
  for (
      const char* const line :
      {R"(grpc_server_handling_seconds_count{grpc_code="OK",grpc_method="Forecast",grpc_service="tillcast.v1.ForecastService"} 1)",
       R"(grpc_server_handling_seconds_count{grpc_code="INVALID_ARGUMENT",grpc_method="Forecast",grpc_service="tillcast.v1.ForecastService"} 1)"}) {
    // A call is counted when gRPC is done with it, which may be after its client is.
    for (int i = 0; i < 100 && metrics_.text().find(line) == std::string::npos; ++i)
      std::this_thread::sleep_for(10ms);
    EXPECT_THAT(metrics_.text(), HasSubstr(line));
  }
}

TEST_F(GrpcServerTest, StopFinishesCallsInFlight) {
  start();
  service_.delay_ms = 200;
  std::thread slow([this] {
    v1::ForecastResponse response;
    const auto status = forecast(asking({"stores/1"}, 7), response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  });
  while (service_.queries == 0) std::this_thread::sleep_for(1ms);
  server_->stop();
  slow.join();
  v1::ForecastResponse response;
  EXPECT_EQ(forecast(asking({"stores/1"}, 7), response, 500ms).ok(), false);
}

TEST_F(GrpcServerTest, ATakenPortIsSaidSo) {
  start();
  ServerOptions options;
  const std::string address = server_->grpc_address();
  options.grpc_port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  const auto second = Server::start(options, service_, metrics_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("--grpc-port"));
}

TEST_F(GrpcServerTest, WithoutAPortThereIsNoGrpc) {
  const auto server = Server::start({}, service_, metrics_);
  ASSERT_TRUE(server.has_value());
  EXPECT_EQ((*server)->grpc_address(), "");
}

}  // namespace
}  // namespace tillcast::api
