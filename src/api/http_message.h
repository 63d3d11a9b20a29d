#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tillcast::api {

/// What the application needs of a request. Views point into the connection's buffers and live until the
/// answer is written.
struct HttpRequest {
  std::string_view method;  ///< as sent: "GET"
  std::string_view target;  ///< as sent: "/api/v1/kpis?from=2011-01-01"
  std::string_view host;    ///< empty when absent
  bool host_repeated = false;
  bool http_1_0 = false;  ///< may come without Host
  std::string_view accept;
  std::string_view accept_encoding;
  std::string_view content_type;
  std::string_view origin;  ///< of the page that asks, as browsers send it with POST
  std::string_view if_none_match;
  std::string_view request_id;
  std::string_view idempotency_key;
  bool idempotency_key_given = false;
  std::string_view body;
};

struct HttpAnswer {
  int status = 200;
  std::vector<std::pair<std::string_view, std::string>>
      headers;  ///< names are literals; no line breaks in values
  std::string body;
  std::string_view fixed_body;  ///< instead of `body`: bytes that live as long as the program or as `owner`
  std::shared_ptr<const void> owner;
  bool head_only = false;  ///< HEAD: Content-Length as if, but no body
  bool close = false;      ///< close the connection after it

  std::string_view content() const { return fixed_body.empty() ? std::string_view(body) : fixed_body; }
};

/// "Not Found" for 404.
std::string_view status_phrase(int status);

}  // namespace tillcast::api
