// Streamed bodies over real sockets: back-pressure, slow and vanishing clients, limits, a full disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "api/memory_jobs.h"
#include "api/memory_service.h"
#include "api/raw_client.h"
#include "api/server.h"
#include "support/result_matchers.h"

namespace tillcast::api {
namespace {

using namespace std::chrono_literals;
using test::RawClient;
using ::testing::HasSubstr;

class UploadTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    auto started = Server::start(options, service_, metrics_, &jobs_);
    ASSERT_OK(started);
    server_ = std::move(*started);
  }
  static std::string head(const std::string& more) {
    return "POST /api/v1/uploads?name=s.csv HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n" +
           more + "\r\n";
  }
  void expect_nothing_open() {
    for (int i = 0; i < 400 && jobs_.open_sinks > 0; ++i) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(jobs_.open_sinks, 0);
  }
  void expect_alive() {
    RawClient client(server_->port());
    client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(client.read().status, 200);
  }

  test::MemoryService service_;
  test::MemoryJobs jobs_;
  Metrics metrics_;
  std::unique_ptr<Server> server_;
};

TEST_F(UploadTest, ALargeBodyGoesThroughInPiecesAndTheConnectionGoesOn) {
  start();
  constexpr std::size_t kBytes = 40 << 20;
  RawClient client(server_->port());
  const std::string block = "a,b\n" + std::string((1 << 20) - 4, 'x');
  std::thread sender([&] {
    client.send(head("Content-Length: " + std::to_string(kBytes) + "\r\n"));
    for (std::size_t sent = 0; sent < kBytes; sent += block.size()) client.send(block);
  });
  const auto answer = client.read();
  sender.join();
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(jobs_.last_bytes, kBytes);
  EXPECT_LE(jobs_.largest_piece, 256U * 1024);
  client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
}

TEST_F(UploadTest, ChunkedAndExpectContinueBodiesAreTaken) {
  start();
  RawClient client(server_->port());
  client.send(head("Transfer-Encoding: chunked\r\n") + "5\r\na,b\n1\r\n3\r\n,2\n\r\n0\r\n\r\n");
  EXPECT_EQ(client.read().status, 202);
  EXPECT_EQ(jobs_.last_bytes, 8U);
  client.send(head("Content-Length: 9\r\nExpect: 100-continue\r\n"));
  std::this_thread::sleep_for(50ms);
  client.send("a,b\n1,23\n");
  EXPECT_EQ(client.read().status, 202);
  EXPECT_EQ(jobs_.last_bytes, 9U);
}

TEST_F(UploadTest, AnEmptyBodyIsAnsweredAsOne) {
  start();
  RawClient client(server_->port());
  client.send(head("Content-Length: 0\r\n"));
  EXPECT_EQ(client.read().status, 422);
  client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
  expect_nothing_open();
}

TEST_F(UploadTest, ASlowDiskHoldsTheClientBackInsteadOfFillingMemory) {
  std::atomic<bool> blocked{true};
  jobs_.fault = [&](std::uint64_t) -> Result<> {
    while (blocked) std::this_thread::sleep_for(1ms);
    return {};
  };
  start();
  RawClient client(server_->port());
  constexpr std::size_t kBytes = 64 << 20;
  std::atomic<std::size_t> sent{0};
  const std::string block = "a,b\n" + std::string((1 << 16) - 4, 'x');
  std::thread sender([&] {
    client.send(head("Content-Length: " + std::to_string(kBytes) + "\r\n"));
    for (std::size_t i = 0; i < kBytes; i += block.size()) {
      client.send(block);
      sent += block.size();
    }
  });
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(sent, std::size_t{32} << 20) << "the kernel's buffers fill up, and no more is read";
  EXPECT_LE(jobs_.written, 256U * 1024);
  expect_alive();  // others are served meanwhile
  blocked = false;
  EXPECT_EQ(client.read().status, 202);
  sender.join();
}

TEST_F(UploadTest, AClientThatGoesAwayLeavesNothing) {
  start();
  {
    RawClient client(server_->port());
    client.send(head("Content-Length: 1000\r\n") + "a,b\n");
    for (int i = 0; i < 400 && jobs_.open_sinks == 0; ++i) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(jobs_.open_sinks, 1);
  }
  expect_nothing_open();
  EXPECT_TRUE(jobs_.files.empty());
  expect_alive();
}

TEST_F(UploadTest, AClientThatTricklesIsCutOff) {
  ServerOptions options;
  options.body_timeout = 200ms;
  start(options);
  RawClient client(server_->port());
  client.send(head("Content-Length: 1000\r\n"));
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 40 && client.send("x"); ++i) std::this_thread::sleep_for(25ms);
  EXPECT_TRUE(client.closed_within(1s));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
  expect_nothing_open();
}

TEST_F(UploadTest, TooLargeIs413BeforeOrWhileItComes) {
  ServerOptions options;
  options.upload_bytes_max = 1000;
  start(options);
  RawClient stated(server_->port());
  stated.send(head("Content-Length: 1001\r\n"));
  EXPECT_EQ(stated.read().status, 413);
  RawClient chunked(server_->port());
  chunked.send(head("Transfer-Encoding: chunked\r\n") + "400\r\n" + std::string(0x400, 'x') +
               "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read().status, 413);
  expect_nothing_open();
}

TEST_F(UploadTest, AFullDiskIs507AndTheServerGoesOn) {
  start();
  jobs_.fault = [](std::uint64_t bytes) -> Result<> {
    if (bytes > 100'000) return disk_full("the disk is full");
    return {};
  };
  RawClient client(server_->port());
  std::thread sender([&] {
    client.send(head("Content-Length: 3000000\r\n"));
    client.send(std::string(3'000'000, 'x'));
  });
  const auto answer = client.read();
  sender.join();
  EXPECT_EQ(answer.status, 507);
  EXPECT_THAT(answer.body, HasSubstr("disk_full"));
  expect_nothing_open();
  EXPECT_TRUE(jobs_.files.empty());
  jobs_.fault = nullptr;
  RawClient again(server_->port());
  again.send(head("Content-Length: 8\r\n") + "a,b\n1,2\n");
  EXPECT_EQ(again.read().status, 202);
}

TEST_F(UploadTest, MemoryThatRunsOutEndsTheConnectionAndNotTheServer) {
  start();
  jobs_.fault = [](std::uint64_t) -> Result<> { throw std::bad_alloc(); };
  RawClient client(server_->port());
  client.send(head("Content-Length: 8\r\n") + "a,b\n1,2\n");
  EXPECT_EQ(client.read().status, 0);
  expect_nothing_open();
  expect_alive();
}

TEST_F(UploadTest, AFormWithOneFileIsTakenInPieces) {
  start();
  const std::string file = "a,b\n" + std::string(3'000'000, '-') + "\r\n--bound";
  const std::string body =
      "--boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"sales.csv\"\r\n\r\n" + file +
      "\r\n--boundary--\r\n";
  const std::string line =
      "POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; "
      "boundary=boundary\r\n";
  RawClient client(server_->port());
  client.send(line + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const auto answer = client.read();
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(jobs_.last_bytes, file.size());
  EXPECT_LE(jobs_.largest_piece, 300U * 1024);
  EXPECT_THAT(answer.body, HasSubstr("\"name\":\"sales.csv\""));

  // What is no form with one file is refused, and nothing of it stays.
  const std::string two =
      "--boundary\r\nContent-Disposition: form-data; name=\"mapping\"\r\n\r\nx\r\n--boundary--\r\n";
  RawClient wrong(server_->port());
  wrong.send(line + "Content-Length: " + std::to_string(two.size()) + "\r\n\r\n" + two);
  const auto refused = wrong.read();
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("field 'mapping' is no file"));
  RawClient cut(server_->port());
  cut.send(line + "Content-Length: 60\r\n\r\n" + body.substr(0, 60));
  EXPECT_EQ(cut.read().status, 422);
  expect_nothing_open();
  expect_alive();
}

TEST_F(UploadTest, APageOfAnotherSiteMaySendNothing) {
  start();
  const std::string form =
      "POST /api/v1/uploads HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: multipart/form-data; "
      "boundary=b\r\nContent-Length: 8\r\n";
  for (const char* const origin :
       {"https://evil.example", "null", "http://localhost:3000", "http://localhost"}) {
    RawClient client(server_->port());
    client.send(form + "Origin: " + origin + "\r\n\r\na,b\n1,2\n");
    const auto answer = client.read();
    EXPECT_EQ(answer.status, 403) << origin;
    EXPECT_THAT(answer.body, HasSubstr("cross_site"));
  }
  RawClient cancel(server_->port());
  cancel.send(
      "POST /api/v1/jobs/job-1/cancel HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
      "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(cancel.read().status, 403);
  RawClient own(server_->port());
  own.send(
      "POST /api/v1/uploads HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: http://LOCALHOST:8080\r\n"
      "Content-Length: 8\r\n\r\na,b\n1,2\n");
  EXPECT_EQ(own.read().status, 202);
  expect_nothing_open();
}

TEST_F(UploadTest, StoppingWhileAFileComesInEndsTheServer) {
  ServerOptions options;
  options.drain_timeout = 100ms;
  start(options);
  RawClient client(server_->port());
  client.send(head("Content-Length: 1000\r\n") + "a,b\n");
  for (int i = 0; i < 400 && jobs_.open_sinks == 0; ++i) std::this_thread::sleep_for(5ms);
  server_->stop();
  EXPECT_EQ(jobs_.open_sinks, 0);
}

}  // namespace
}  // namespace tillcast::api
