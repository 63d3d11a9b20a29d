#include "api/answer_head.h"

#include <ctime>

namespace tillcast::api {
namespace {

// The answers' fixed headers. The page has no inline script or style, so the policy can be this strict.
constexpr std::string_view kFixedHeaders =
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Frame-Options: DENY\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors "
    "'none'; "
    "form-action 'self'\r\n"
    "Server: tillcast\r\n";

// RFC 9110 wants Date; formatting it once a second is enough.
std::string_view date_line() {
  thread_local std::time_t second = 0;
  thread_local char line[64];
  thread_local std::size_t length = 0;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    length = std::strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
    second = now;
  }
  return {line, length};
}

}  // namespace

void write_head(const HttpAnswer& answer, bool close, bool http_1_0, std::string& out) {
  out.clear();
  out.append("HTTP/1.1 ")
      .append(std::to_string(answer.status))
      .append(" ")
      .append(status_phrase(answer.status))
      .append("\r\n");
  out.append(date_line());
  for (const auto& [name, value] : answer.headers) out.append(name).append(": ").append(value).append("\r\n");
  if (answer.status != 304)
    out.append("Content-Length: ").append(std::to_string(answer.content().size())).append("\r\n");
  if (close) {
    out.append("Connection: close\r\n");
  } else if (http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append(kFixedHeaders).append("\r\n");
}

}  // namespace tillcast::api
