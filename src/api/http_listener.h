#pragma once

#include <cstdint>
#include <memory>

#include "api/application.h"
#include "api/query_pool.h"
#include "api/server.h"

namespace tillcast::api {

/// Sockets and HTTP/1.1 on an event loop; the only place that knows Boost.Beast. Hands requests to the
/// Application.
class HttpListener {
 public:
  /// Binds, listens and starts the threads. `pool` runs queries, `body_pool` writes bodies to their sinks;
  /// both and the application must outlive the listener.
  static Result<std::unique_ptr<HttpListener>> open(const ServerOptions& options,
                                                    const Application& application, QueryPool& pool,
                                                    QueryPool& body_pool);
  virtual ~HttpListener() = default;
  virtual std::uint16_t port() const = 0;
  /// See Server::stop().
  virtual void stop() = 0;
};

}  // namespace tillcast::api
