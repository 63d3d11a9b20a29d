#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/query_pool.h"
#include "api/server.h"
#include "core/metrics.h"
#include "core/result.h"
#include "pipeline/service.h"

namespace tillcast::api {

/// proto/tillcast/v1/forecast.proto over the same Service as HTTP, with grpc.health.v1.Health and server
/// reflection; the only place that knows gRPC. Calls wait and run on the query pool; a call that finds it
/// full gets RESOURCE_EXHAUSTED, one whose deadline passed while it waited is not run. Health is SERVING
/// while the Service is ready. Plain text, so loopback addresses only.
class GrpcServer {
 public:
  /// Binds options.host and options.grpc_port, and serves on threads of its own. The other arguments must
  /// outlive the server. kInvalidInput for an address that is not loopback, kUnavailable when the port is
  /// taken.
  static Result<std::unique_ptr<GrpcServer>> start(const ServerOptions& options, pipeline::Service& service,
                                                   QueryPool& pool, Metrics& metrics);
  virtual ~GrpcServer() = default;
  virtual std::uint16_t port() const = 0;
  /// Stops accepting, lets calls in flight finish within drain_timeout, then cancels them. Blocks; may be
  /// called again.
  virtual void stop() = 0;
};

}  // namespace tillcast::api
