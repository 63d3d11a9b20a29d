#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tillcast::test {

/// `tillcast serve` as a child; its port is read from its first line.
class RunningServer {
 public:
  /// @param environment  "NAME=value", added to ours. @param words  more words of the command line.
  explicit RunningServer(const std::filesystem::path& data, const std::vector<std::string>& environment = {},
                         const std::vector<std::string>& words = {}) {
    std::array<int, 2> out{};
    if (::pipe(out.data()) != 0) return;
    std::vector<std::string> argv = {"tillcast", "serve", "--port", "0", "--data", data.string()};
    argv.insert(argv.end(), words.begin(), words.end());
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::close(out[0]);
      for (const auto& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
      std::vector<char*> pointers;
      for (const auto& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
      pointers.push_back(nullptr);
      ::execv(TILLCAST_BINARY, pointers.data());
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
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() { stop(SIGKILL); }

  int port() const { return port_; }
  int pid() const { return child_; }
  /// The exit code after this signal; -1 when a signal ended it.
  int stop(int signal) {
    if (child_ <= 0) return -1;
    ::kill(child_, signal);
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  /// The signal that ended it by itself within the time; 0 when it still runs.
  int died_within(std::chrono::seconds limit) {
    for (const auto end = std::chrono::steady_clock::now() + limit; std::chrono::steady_clock::now() < end;) {
      int status = 0;
      if (::waitpid(child_, &status, WNOHANG) == child_) {
        child_ = -1;
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return 0;
  }

 private:
  pid_t child_ = -1;
  int port_ = 0;
};

struct HttpCall {
  std::string method = "GET";
  std::string target;
  std::string_view body = {};
  std::string content_type = "application/json";
  std::string headers = {};  ///< more lines, each with its line end
};

/// The whole answer, status line and header included, of one request on a connection of its own.
inline std::string http(int port, const HttpCall& call) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    std::string head = call.method + " " + call.target +
                       " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + call.headers;
    if (!call.body.empty()) {
      head += "Content-Type: " + call.content_type +
              "\r\nContent-Length: " + std::to_string(call.body.size()) + "\r\n";
    }
    head += "\r\n";
    bool sent = ::send(socket, head.data(), head.size(), MSG_NOSIGNAL) > 0;
    for (std::string_view rest = call.body; sent && !rest.empty();) {
      const ssize_t bytes = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      sent = bytes > 0;
      if (sent) rest.remove_prefix(static_cast<std::size_t>(bytes));
    }
    std::array<char, 65536> block;
    for (ssize_t got; (got = ::recv(socket, block.data(), block.size(), 0)) > 0;)
      answer.append(block.data(), static_cast<std::size_t>(got));
  }
  ::close(socket);
  return answer;
}

inline std::string http(int port, const std::string& method, const std::string& target,
                        const std::string& body = "") {
  return http(port, HttpCall{method, target, body});
}

}  // namespace tillcast::test
