#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tillcast::test {

struct RawAnswer {
  int status = 0;                              ///< 0: the server closed without a whole answer
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// A TCP client that sends exactly the bytes it is told to. Reads with a 10 s limit.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(fd_); }

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  /// The next whole answer. `head` tells that it has no body whatever Content-Length says.
  RawAnswer read(bool head = false) {
    RawAnswer answer;
    std::size_t end = 0;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return answer;
    }
    const std::string header = pending_.substr(0, end + 2);
    pending_.erase(0, end + 4);
    const int status = std::atoi(header.c_str() + 9);
    for (std::size_t at = header.find("\r\n") + 2; at < header.size();) {
      const auto line_end = header.find("\r\n", at);
      const auto colon = header.find(": ", at);
      std::string name = header.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      answer.headers[name] = header.substr(colon + 2, line_end - colon - 2);
      at = line_end + 2;
    }
    if (status == 100) return read(head);
    const std::size_t length = head || status == 304 ? 0 : std::stoul(answer.headers["content-length"]);
    while (pending_.size() < length) {
      if (!fill()) return answer;
    }
    answer.body = pending_.substr(0, length);
    pending_.erase(0, length);
    answer.status = status;
    return answer;
  }
  /// True when the server closes (or has closed) within the time and sends nothing more.
  bool closed_within(std::chrono::milliseconds limit) {
    pollfd waiting{fd_, POLLIN, 0};
    char byte = 0;
    return ::poll(&waiting, 1, static_cast<int>(limit.count())) == 1 && ::recv(fd_, &byte, 1, 0) <= 0;
  }

 private:
  bool fill() {
    pollfd waiting{fd_, POLLIN, 0};
    char bytes[16384];
    if (::poll(&waiting, 1, 10'000) != 1) return false;
    const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    pending_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  int fd_ = -1;
  bool connected_ = false;
  std::string pending_;
};

}  // namespace tillcast::test
