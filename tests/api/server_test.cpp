// The server over real sockets: what a connection can do wrong, and load.
#include "api/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <thread>

#include "api/memory_service.h"
#include "api/raw_client.h"
#include "support/result_matchers.h"

namespace tillcast::api {
namespace {

using namespace std::chrono_literals;
using test::RawClient;
using ::testing::HasSubstr;

constexpr std::string_view kGet = "GET /api/v1/kpis HTTP/1.1\r\nHost: localhost\r\n\r\n";

class ServerTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.version = "1.2.3";
    if (!keep_answers_) options.cache_bytes_max = 0;  // most claims are about queries that run
    auto started = Server::start(options, service_, metrics_);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server_ = std::move(*started);
  }
  std::uint16_t port() const { return server_->port(); }
  test::RawAnswer ask(std::string_view bytes, bool head = false) {
    RawClient client(port());
    EXPECT_TRUE(client.connected());
    client.send(bytes);
    return client.read(head);
  }
  void expect_alive() { EXPECT_EQ(ask("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200); }

  test::MemoryService service_;
  Metrics metrics_;
  bool keep_answers_ = false;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, ARepeatedQuestionIsAnsweredFromWhatWasKeptUntilTheDataChanges) {
  keep_answers_ = true;
  start();
  RawClient client(port());
  const std::string request = "GET /api/v1/series?limit=5 HTTP/1.1\r\nHost: localhost\r\n";
  client.send(request + "\r\n");
  const auto first = client.read();
  const int asked = service_.queries;
  client.send(request + "X-Request-Id: second\r\n\r\n");
  const auto second = client.read();
  EXPECT_EQ(service_.queries, asked);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.headers.at("x-request-id"), "second");
  for (const char* const name : {"etag", "link", "content-type", "cache-control"}) {
    EXPECT_EQ(second.headers.at(name), first.headers.at(name)) << name;
  }
  client.send(request + "If-None-Match: " + first.headers.at("etag") + "\r\n\r\n");
  EXPECT_EQ(client.read().status, 304);
  client.send("HEAD" + request.substr(3) + "\r\n");
  EXPECT_EQ(client.read(true).headers.at("content-length"), std::to_string(first.body.size()));
  EXPECT_EQ(service_.queries, asked);
  service_.version = 2;
  client.send(request + "\r\n");
  EXPECT_NE(client.read().headers.at("etag"), first.headers.at("etag"));
  EXPECT_EQ(service_.queries, asked + 1);
}

TEST_F(ServerTest, RefusesAPublicAddressUntilThereIsAuthentication) {
  ServerOptions options;
  options.host = "0.0.0.0";
  EXPECT_ERROR(Server::start(options, service_, metrics_), ErrorCode::kInvalidInput, "authentication");
  options.host = "example.org";
  EXPECT_ERROR(Server::start(options, service_, metrics_), ErrorCode::kInvalidInput, "no IP address");
}

TEST_F(ServerTest, SaysWhoHoldsATakenPort) {
  start();
  ServerOptions options;
  options.port = port();
  EXPECT_ERROR(Server::start(options, service_, metrics_), ErrorCode::kUnavailable, "--port");
}

TEST_F(ServerTest, AnswersOverIpv6Loopback) {
  ServerOptions options;
  options.host = "::1";
  auto started = Server::start(options, service_, metrics_);
  if (!started) GTEST_SKIP() << "no IPv6 loopback here: " << started.error().message;
  EXPECT_THAT((*started)->url(), HasSubstr("http://[::1]:"));
}

TEST_F(ServerTest, EveryAnswerHasTheSecurityHeaders) {
  start();
  const auto answer = ask(kGet);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.headers.at("content-security-policy"), HasSubstr("default-src 'self'"));
  EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
  EXPECT_EQ(answer.headers.at("referrer-policy"), "no-referrer");
  EXPECT_EQ(answer.headers.count("date"), 1U);
}

TEST_F(ServerTest, HeadIsGetWithoutTheBody) {
  start();
  RawClient client(port());
  for (const std::string target : {"/", "/api/v1/kpis", "/api/v1/series/none", "/metrics", "/openapi.json"}) {
    client.send("HEAD " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto head = client.read(true);
    client.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto full = client.read();
    EXPECT_EQ(head.status, full.status) << target;
    if (target != "/metrics" && full.status == 200) {
      EXPECT_EQ(head.headers.at("content-length"), full.headers.at("content-length")) << target;
    }
    EXPECT_EQ(head.headers.at("content-type"), full.headers.at("content-type")) << target;
  }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  RawClient client(port());
  std::string bytes;
  for (int i = 0; i < 200; ++i) {
    bytes += "GET /api/v1/series/stores%2F" + std::to_string(i % 100 + 1) +
             "?history=0 HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r" + std::to_string(i) + "\r\n\r\n";
  }
  std::thread sender([&] { client.send(bytes); });
  for (int i = 0; i < 200; ++i) {
    const auto answer = client.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("x-request-id"), "r" + std::to_string(i));
    EXPECT_THAT(answer.body, HasSubstr("\"id\":\"stores/" + std::to_string(i % 100 + 1) + "\""));
  }
  sender.join();
}

TEST_F(ServerTest, Http10AndCloseAreHonoured) {
  start();
  RawClient old(port());
  old.send("GET /livez HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.read().headers.at("connection"), "close");
  EXPECT_TRUE(old.closed_within(2s));
  RawClient closing(port());
  closing.send("GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(closing.read().status, 200);
  EXPECT_TRUE(closing.closed_within(2s));
}

TEST_F(ServerTest, ChunkedBodiesAndExpectContinueWork) {
  start();
  const std::string body = R"({"items":[{"series_id":"stores/1"}],"horizon":3})";
  const std::string head =
      "POST /api/v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  const auto chunked = ask(head + "Transfer-Encoding: chunked\r\n\r\n10\r\n" + body.substr(0, 16) +
                           "\r\n20\r\n" + body.substr(16, 32) + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.status, 200) << chunked.body;
  RawClient client(port());
  client.send(head + "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  std::this_thread::sleep_for(50ms);
  client.send(body);
  EXPECT_EQ(client.read().status, 200);
}

TEST_F(ServerTest, TooMuchIsRefusedBySize) {
  start();
  const std::string forecast =
      "POST /api/v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  EXPECT_EQ(ask(forecast + "Content-Length: 1048577\r\n\r\n").status, 413);
  EXPECT_EQ(ask(forecast + "Content-Length: 99999999999999999999999\r\n\r\n").status, 400);
  EXPECT_EQ(ask(forecast + "Transfer-Encoding: chunked\r\n\r\n200000\r\n" + std::string(0x200000, 'x') +
                "\r\n0\r\n\r\n")
                .status,
            413);
  EXPECT_EQ(ask("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 414);
  EXPECT_EQ(ask("GET /" + std::string(40000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 414);
  EXPECT_EQ(
      ask("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Big: " + std::string(40000, 'a') + "\r\n\r\n").status,
      431);
  std::string many = "GET /livez HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 3000; ++i) many += "X-" + std::to_string(i) + ": v\r\n";
  EXPECT_EQ(ask(many + "\r\n").status, 431);
  expect_alive();
}

TEST_F(ServerTest, MalformedRequestsGet400AndNeverStopTheServer) {
  start();
  for (const std::string bad :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /api/v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n folded: x\r\nX : y\r\n\r\n"}) {
    const auto answer = ask(bad);
    EXPECT_EQ(answer.status, 400) << bad << " -> " << answer.status;
    EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
  }
  EXPECT_EQ(ask("GET / HTTP/3.0\r\nHost: localhost\r\n\r\n").status, 505);
  expect_alive();
}

TEST_F(ServerTest, RandomBytesNeverStopTheServer) {
  start();
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string valid =
      "POST /api/v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\nContent-Length: 48\r\n\r\n"
      R"({"items":[{"series_id":"stores/1"}],"horizon":3})";
  for (int round = 0; round < 400; ++round) {
    std::string bytes = round % 4 == 0 ? std::string(random() % 200, '\0') : valid;
    for (char& c : bytes) {
      if (round % 4 == 0 || random() % 40 == 0) c = static_cast<char>(random());
    }
    bytes.resize(random() % (bytes.size() + 1));
    RawClient client(port());
    client.send(bytes);
    client.finish_sending();
    const auto answer = client.read();
    EXPECT_TRUE(answer.status < 500 || answer.status == 505) << answer.body;
    EXPECT_TRUE(client.closed_within(5s) || answer.status != 0);
  }
  expect_alive();
}

TEST_F(ServerTest, ASlowHeaderIsCutOffAndDisturbsNobody) {
  ServerOptions options;
  options.header_timeout = 300ms;
  options.idle_timeout = 300ms;
  options.body_timeout = 300ms;
  start(options);
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(std::make_unique<RawClient>(port()));
    slow.back()->send(i % 3 == 0   ? ""
                      : i % 3 == 1 ? "GET /livez HTTP/1.1\r\nX-"
                                   : "POST /api/v1/forecast HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                     "application/json\r\nContent-Length: 9\r\n\r\n{");
  }
  // A trickle does not move the deadline.
  std::atomic<bool> over{false};
  std::thread trickle([&] {
    while (!over) {
      slow[1]->send("a");
      std::this_thread::sleep_for(20ms);
    }
  });
  expect_alive();
  for (std::size_t i = 0; i < slow.size(); ++i) {
    if (i != 1) {
      EXPECT_TRUE(slow[i]->closed_within(5s)) << i;
    }
  }
  std::this_thread::sleep_for(400ms);
  over = true;
  trickle.join();
  EXPECT_FALSE(slow[1]->send("a") && slow[1]->send("a") && !slow[1]->closed_within(1s));
  expect_alive();
}

TEST_F(ServerTest, AClientThatDoesNotReadIsDropped) {
  ServerOptions options;
  options.write_timeout = 300ms;
  start(options);
  RawClient client(port());
  std::string many;
  for (int i = 0; i < 400; ++i) many += "GET /api/v1/series/stores%2F1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.send(many);
  std::this_thread::sleep_for(1s);
  int answered = 0;
  while (client.read().status == 200) ++answered;
  EXPECT_LT(answered, 400);
  expect_alive();
}

TEST_F(ServerTest, AFullQueueIs503WithRetryAfterAndTheLoopStaysFree) {
  ServerOptions options;
  options.query_threads = 1;
  options.queued_queries_max = 2;
  start(options);
  service_.delay_ms = 300;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send(kGet);
  }
  const auto begun = std::chrono::steady_clock::now();
  expect_alive();  // answered by the loop while every query thread is busy
  EXPECT_EQ(ask("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200) << "busy is not unready";
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 250ms);
  int ok = 0;
  int busy = 0;
  for (auto& client : clients) {
    const auto answer = client->read();
    ok += answer.status == 200;
    if (answer.status == 503) {
      ++busy;
      EXPECT_EQ(answer.headers.at("retry-after"), "1");
    }
  }
  EXPECT_EQ(ok + busy, 10);
  // The two that wait are answered, and the one that runs, if its thread took it up before the queue was
  // full.
  EXPECT_GE(ok, 2);
  EXPECT_GE(busy, 5);
}

TEST_F(ServerTest, ARefusedHeadHasNoBodyEither) {
  ServerOptions options;
  options.query_threads = 1;
  options.queued_queries_max = 0;
  start(options);
  service_.delay_ms = 1000;
  RawClient running(port());
  running.send(kGet);
  while (service_.queries == 0) std::this_thread::sleep_for(1ms);
  RawClient client(port());
  client.send(
      "HEAD /api/v1/series HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nHost: "
      "localhost\r\n\r\n");
  EXPECT_EQ(client.read(true).status, 503);
  EXPECT_EQ(client.read().status, 200) << "what follows it is the next answer";
}

TEST_F(ServerTest, ABodyThatIsNoHttpIsRefusedUnderTheRequestsOwnId) {
  start({});
  const auto answer =
      ask("POST /api/v1/forecast HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine-1\r\n"
          "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.headers.at("x-request-id"), "mine-1");
}

TEST_F(ServerTest, QueriesOfClientsThatHaveGoneAreNotRun) {
  ServerOptions options;
  options.query_threads = 1;
  start(options);
  service_.delay_ms = 200;
  {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(std::make_unique<RawClient>(port()));
      clients.back()->send(kGet);
    }
    std::this_thread::sleep_for(150ms);
  }
  std::this_thread::sleep_for(600ms);
  EXPECT_LE(service_.queries, 3);
  service_.delay_ms = 0;
  expect_alive();
}

TEST_F(ServerTest, ConnectionsBeyondTheLimitAreTurnedAway) {
  ServerOptions options;
  options.connections_max = 5;
  start(options);
  std::vector<std::unique_ptr<RawClient>> held;
  for (int i = 0; i < 5; ++i) {
    held.push_back(std::make_unique<RawClient>(port()));
    held.back()->send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(held.back()->read().status, 200);
  }
  RawClient sixth(port());
  EXPECT_EQ(sixth.read().status, 503);
  held.clear();
  std::this_thread::sleep_for(100ms);
  expect_alive();
}

TEST_F(ServerTest, ServesManyConnectionsOnTwoThreads) {
  ServerOptions options;
  options.threads = 2;
  start(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 500; ++i) clients.push_back(std::make_unique<RawClient>(port()));
  for (int round = 0; round < 3; ++round) {
    for (auto& client : clients)
      client->send("GET /api/v1/series?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    int answered = 0;
    for (auto& client : clients) {
      const int status = client->read().status;
      answered += status == 200 || status == 503;
    }
    EXPECT_EQ(answered, 500);
  }
}

TEST_F(ServerTest, StopUnderLoadFinishesWhatWasBegunAndThenRefuses) {
  for (const int threads : {1, 2}) {
    ServerOptions options;
    options.threads = threads;
    start(options);
    service_.delay_ms = 20;
    std::atomic<int> torn{0};
    std::atomic<int> whole{0};
    std::vector<std::thread> clients;
    const auto at = port();
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&, at] {
        for (int n = 0; n < 1000; ++n) {
          RawClient client(at);
          if (!client.connected()) return;
          while (client.send(kGet)) {
            const auto answer = client.read();
            if (answer.status == 200) {
              ++whole;
            } else {
              // Closed between two requests is clean; a part of an answer is not.
              torn += !answer.headers.empty();
              break;
            }
          }
        }
      });
    }
    std::this_thread::sleep_for(300ms);
    const auto begun = std::chrono::steady_clock::now();
    server_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
    for (auto& client : clients) client.join();
    EXPECT_EQ(torn, 0);
    EXPECT_GT(whole, 20);
    EXPECT_FALSE(RawClient(at).connected());
  }
}

TEST_F(ServerTest, StopDoesNotWaitForIdleConnections) {
  start();
  RawClient idle(port());
  idle.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(idle.read().status, 200);
  const auto begun = std::chrono::steady_clock::now();
  server_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
  EXPECT_TRUE(idle.closed_within(1s));
}

}  // namespace
}  // namespace tillcast::api
