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
  struct Pools {
    QueryPool& queries;
    QueryPool& bodies;  ///< writes bodies to their sinks
    QueryPool& status;  ///< for Route::Runs::kStatus
  };
  /// Binds, listens and starts the threads. The pools and the application must outlive the listener.
  static Result<std::unique_ptr<HttpListener>> open(const ServerOptions& options,
                                                    const Application& application, const Pools& pools);
  virtual ~HttpListener() = default;
  virtual std::uint16_t port() const = 0;
  /// See Server::stop().
  virtual void stop() = 0;
};

}  // namespace tillcast::api
