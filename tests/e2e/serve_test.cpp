#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "support/process.h"
#include "support/temp_dir.h"

namespace tillcast::test {
namespace {

using ::testing::HasSubstr;

/// `tillcast serve` as a child; its port is read from its first line.
class RunningServer {
 public:
  explicit RunningServer(const std::filesystem::path& data) {
    std::array<int, 2> out{};
    if (::pipe(out.data()) != 0) return;
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::close(out[0]);
      const std::string directory = data.string();
      ::execl(TILLCAST_BINARY, "tillcast", "serve", "--port", "0", "--data", directory.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    std::string line;
    char c = 0;
    while (::read(out[0], &c, 1) == 1 && c != '\n') line += c;
    ::close(out[0]);
    const auto colon = line.rfind(':');
    if (colon != std::string::npos) port_ = std::atoi(line.c_str() + colon + 1);
  }
  ~RunningServer() { stop(SIGKILL); }
  int port() const { return port_; }
  int pid() const { return child_; }
  // The exit code after this signal.
  int stop(int signal) {
    if (child_ <= 0) return -1;
    ::kill(child_, signal);
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t child_ = -1;
  int port_ = 0;
};

// The whole answer of one request on a connection of its own.
std::string http(int port, const std::string& method, const std::string& target,
                 const std::string& body = "") {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
    if (!body.empty())
      request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    request += "\r\n" + body;
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      std::array<char, 65536> block;
      for (ssize_t got; (got = ::recv(socket, block.data(), block.size(), 0)) > 0;)
        answer.append(block.data(), static_cast<std::size_t>(got));
    }
  }
  ::close(socket);
  return answer;
}

class Serve : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir;
    const auto sales = folder_->file("sales.csv");
    ASSERT_EQ(
        tillcast({"generate", "--stores", "2", "--products", "10", "--days", "400", "--out", sales.string()})
            .exit_code,
        0);
    ASSERT_EQ(tillcast({"init", shop().string()}).exit_code, 0);
    const auto result = tillcast({"run", "--data", shop().string(), "--input", sales.string()});
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  static void TearDownTestSuite() { delete folder_; }
  static std::filesystem::path shop() { return folder_->file("shop"); }
  static inline TempDir* folder_ = nullptr;
};

TEST_F(Serve, AnswersHealthKpisSeriesAndForecasts) {
  RunningServer server(shop());
  ASSERT_GT(server.port(), 0);
  EXPECT_THAT(http(server.port(), "GET", "/livez"), HasSubstr("200 OK"));
  EXPECT_THAT(http(server.port(), "GET", "/readyz"), HasSubstr("200 OK"));
  EXPECT_THAT(http(server.port(), "GET", "/openapi.json"), HasSubstr("\"openapi\""));
  EXPECT_THAT(http(server.port(), "GET", "/api/v1/kpis"), HasSubstr("net_sales"));
  EXPECT_THAT(http(server.port(), "GET", "/api/v1/series?plan=total_daily&limit=3"),
              HasSubstr("total_daily/total"));
  const std::string history = http(server.port(), "GET", "/api/v1/series/total_daily%2Ftotal");
  EXPECT_THAT(history, HasSubstr("200 OK"));
  EXPECT_THAT(history, HasSubstr("history"));
  const std::string forecast =
      http(server.port(), "POST", "/api/v1/forecast",
           R"({"items":[{"series_id":"total_daily/total"},{"series_id":"none"}],"horizon":7})");
  EXPECT_THAT(forecast, HasSubstr("200 OK"));
  std::size_t dates = 0;
  for (std::size_t at = 0; (at = forecast.find("\"date\"", at)) != std::string::npos; ++at) ++dates;
  EXPECT_EQ(dates, 7U) << "7 days are 7 points; the unknown series has none";
  EXPECT_THAT(http(server.port(), "GET", "/"), HasSubstr("<html"));
  EXPECT_EQ(server.stop(SIGTERM), 0);
}

TEST_F(Serve, OtherCommandsWorkThroughTheOwner) {
  RunningServer server(shop());
  ASSERT_GT(server.port(), 0);
  const auto counted = tillcast(
      {"sql", "--data", shop().string(), "--format", "csv", "SELECT count(*) > 0 AS some FROM fact_order"});
  EXPECT_EQ(counted.exit_code, 0) << counted.err;
  EXPECT_EQ(counted.out, "some\ntrue\n");
  const auto wrong = tillcast({"sql", "--data", shop().string(), "SELECT nothing"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("nothing"));
  const auto more = folder_->write("more.csv",
                                   "product_id,product_name,product_price,store_id,store_name,quantity,"
                                   "date\n1,Tea,2.50,7,North,3,2024-01-02\n");
  const auto loaded =
      tillcast({"run", "--data", shop().string(), "--input", "more.csv"},
               {.environment = {}, .directory = folder_->path(), .kill_after = {}, .at_kill = {}});
  EXPECT_EQ(loaded.exit_code, 0) << loaded.err;
  EXPECT_THAT(loaded.err, HasSubstr("1 rows in = 1 silver.sale_line"));
  const auto second_owner = tillcast({"serve", "--port", "0", "--data", shop().string()});
  EXPECT_EQ(second_owner.exit_code, 1);
  EXPECT_THAT(second_owner.err, HasSubstr(std::to_string(server.pid())));
}

TEST_F(Serve, AfterKillNineTheNextStartServesAgain) {
  {
    RunningServer server(shop());
    ASSERT_GT(server.port(), 0);
    server.stop(SIGKILL);
  }
  RunningServer again(shop());
  ASSERT_GT(again.port(), 0);
  EXPECT_THAT(http(again.port(), "GET", "/readyz"), HasSubstr("200 OK"));
}

}  // namespace
}  // namespace tillcast::test
