// `tillcast serve --grpc-port N`, as a gRPC client sees it beside HTTP.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <tillcast/v1/forecast.grpc.pb.h>

#include <chrono>
#include <memory>

#include "api/raw_grpc_call.h"
#include "e2e/job_client.h"

namespace tillcast::test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A port that nobody listens on now.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length), 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

class ServeGrpc : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir;
    make_forecast_shop(*folder_, 3, 10, 200);
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::filesystem::path shop() { return folder_->file("shop"); }

  void serve(const std::filesystem::path& data) {
    grpc_port_ = free_port();
    server_ =
        std::make_unique<RunningServer>(data, std::vector<std::string>{},
                                        std::vector<std::string>{"--grpc-port", std::to_string(grpc_port_)});
    ASSERT_GT(server_->port(), 0);
    channel_ =
        grpc::CreateChannel("127.0.0.1:" + std::to_string(grpc_port_), grpc::InsecureChannelCredentials());
    stub_ = v1::ForecastService::NewStub(channel_);
  }
  grpc::Status forecast(const std::vector<std::string>& ids, int horizon, v1::ForecastResponse& response) {
    v1::ForecastRequest request;
    for (const auto& id : ids) request.add_items()->set_series_id(id);
    request.set_horizon(horizon);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 20s);
    return stub_->Forecast(&context, request, &response);
  }

  static inline TempDir* folder_ = nullptr;
  int grpc_port_ = 0;
  std::unique_ptr<RunningServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ForecastService::Stub> stub_;
};

TEST_F(ServeGrpc, SaysThatItIsHealthyAndDescribesItself) {
  serve(shop());
  EXPECT_EQ(grpc_health(channel_), 1);
  EXPECT_EQ(grpc_health(channel_, "tillcast.v1.ForecastService"), 1);
  EXPECT_EQ(grpc_health(channel_, "no.such.Service"), -1);
  RawGrpcCall list(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "\x3A\x01*");
  ASSERT_TRUE(list.wait().ok());
  EXPECT_THAT(list.answer(),
              AllOf(HasSubstr("tillcast.v1.ForecastService"), HasSubstr("grpc.health.v1.Health")));
  EXPECT_EQ(server_->stop(SIGTERM), 0);
  EXPECT_EQ(grpc_health(channel_), -1) << "nobody answers any more";
}

TEST_F(ServeGrpc, WithoutDataItIsNotServing) {
  TempDir empty;
  ASSERT_EQ(tillcast({"init", empty.file("shop").string()}).exit_code, 0);
  serve(empty.file("shop"));
  EXPECT_EQ(grpc_health(channel_), 2);
  v1::ForecastResponse response;
  const auto status = forecast({"total_daily/total"}, 7, response);
  EXPECT_TRUE(status.ok()) << status.error_message() << ": the call was answered";
  EXPECT_EQ(response.failed(), 1);
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_EQ(response.results(0).error().code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(response.results(0).error().message(), HasSubstr("no series 'total_daily/total'"));
  EXPECT_EQ(server_->stop(SIGTERM), 0);
}

TEST_F(ServeGrpc, ForecastsAreThoseOfHttp) {
  serve(shop());
  v1::ListSeriesRequest pages;
  pages.set_page_size(2);
  std::vector<std::string> ids;
  do {
    v1::ListSeriesResponse page;
    grpc::ClientContext context;
    const auto status = stub_->ListSeries(&context, pages, &page);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const auto& series : page.series()) ids.push_back(series.id());
    pages.set_page_token(page.next_page_token());
  } while (!pages.page_token().empty());
  ASSERT_EQ(ids.size(), 14U) << "the total, 3 stores and 10 products";

  v1::ForecastResponse response;
  const auto status = forecast({ids[0], ids[5], "none", ids[13]}, 8, response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  const auto rest = ask(server_->port(),
                        {"POST", "/api/v1/forecast",
                         R"({"items":[{"series_id":")" + ids[0] + R"("},{"series_id":")" + ids[5] +
                             R"("},{"series_id":"none"},{"series_id":")" + ids[13] + R"("}],"horizon":8})"});
  ASSERT_EQ(rest.status, 200) << rest.text;
  EXPECT_EQ(response.failed(), 1);
  EXPECT_EQ(rest.json["failed"].GetInt(), 1);
  EXPECT_EQ(response.results(2).error().code(), grpc::StatusCode::NOT_FOUND);
  for (const int at : {0, 1, 3}) {
    const auto& mine = response.results(at).found().forecast();
    const auto& theirs = rest.json["items"][static_cast<rapidjson::SizeType>(at)]["forecast"];
    EXPECT_EQ(mine.run_id(), theirs["run_id"].GetString());
    EXPECT_EQ(mine.model(), theirs["model"].GetString());
    ASSERT_EQ(mine.points_size(), 8);
    ASSERT_EQ(theirs["points"].Size(), 8U);
    for (int step = 0; step < 8; ++step) {
      const auto& point = theirs["points"][static_cast<rapidjson::SizeType>(step)];
      EXPECT_EQ(mine.points(step).date(), point["date"].GetString());
      EXPECT_DOUBLE_EQ(mine.points(step).mean(), point["mean"].GetDouble());
      for (int k = 0; k < 2; ++k) {
        const auto& interval = point["intervals"][static_cast<rapidjson::SizeType>(k)];
        EXPECT_DOUBLE_EQ(mine.points(step).intervals(k).low(), interval["low"].GetDouble());
        EXPECT_DOUBLE_EQ(mine.points(step).intervals(k).high(), interval["high"].GetDouble());
      }
    }
  }

  v1::GetSeriesRequest asked;
  asked.set_series_id(ids[0]);
  grpc::ClientContext context;
  const auto reader = stub_->GetSeries(&context, asked);
  v1::GetSeriesResponse part;
  int days = 0;
  while (reader->Read(&part)) days += part.history().points_size();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(days, 200);

  const std::string metrics = http(server_->port(), "GET", "/metrics");
  EXPECT_THAT(metrics, HasSubstr(R"(grpc_code="OK",grpc_method="Forecast")"));
  EXPECT_EQ(server_->stop(SIGTERM), 0) << "with a connection still open";
}

TEST_F(ServeGrpc, ATakenPortStopsTheStartAndSaysWhichOption) {
  serve(shop());
  TempDir other;
  ASSERT_EQ(tillcast({"init", other.file("shop").string()}).exit_code, 0);
  const auto second = tillcast({"serve", "--port", "0", "--grpc-port", std::to_string(grpc_port_), "--data",
                                other.file("shop").string()});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, AllOf(HasSubstr("127.0.0.1:" + std::to_string(grpc_port_)),
                                HasSubstr("another program"), HasSubstr("--grpc-port")));
  EXPECT_EQ(second.out, "") << "no address is given that does not serve";
  EXPECT_EQ(grpc_health(channel_), 1) << "the first one goes on";
  const auto wrong =
      tillcast({"serve", "--port", "0", "--grpc-port", "70000", "--data", other.file("shop").string()});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("0 to 65535, found 70000"));
}

}  // namespace
}  // namespace tillcast::test
