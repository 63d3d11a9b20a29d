#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "core/result.h"
#include "pipeline/job_service.h"
#include "pipeline/service.h"

namespace tillcast::api {

struct ServerOptions {
  std::string host =
      "127.0.0.1";         ///< a loopback address or "localhost"; others are refused (no authentication yet)
  std::uint16_t port = 0;  ///< 0 = any free one, see Server::port()
  std::optional<std::uint16_t>
      grpc_port;                  ///< gRPC beside HTTP, on the same host; 0 = any free one; none = off
  int threads = 1;                ///< event loops' threads, 1..64: they do I/O only
  int query_threads = 2;          ///< queries at a time, 1..64
  int queued_queries_max = 1024;  ///< waiting beyond those: the next gets 503 with Retry-After
  int connections_max = 1024;     ///< the next gets 503 and is closed
  std::size_t cache_bytes_max = 64 << 20;  ///< for answers from data, kept until the data changes; 0 = none
  std::size_t header_bytes_max = 16 * 1024;
  std::chrono::milliseconds idle_timeout{60'000};    ///< between requests of a connection
  std::chrono::milliseconds header_timeout{10'000};  ///< from the first byte to the end of the header
  std::chrono::milliseconds body_timeout{30'000};
  std::size_t upload_bytes_max = std::size_t{512} << 20;  ///< of a file sent to /api/v1/uploads
  std::size_t upload_bytes_per_second_min = 16 * 1024;    ///< slower clients are cut off, after body_timeout
  std::chrono::milliseconds write_timeout{30'000};        ///< for a client that does not read
  std::chrono::milliseconds drain_timeout{10'000};        ///< stop(): requests in flight may take this long
  std::vector<std::string> hosts;  ///< names beside the loopback ones that the Host header may carry
  std::string version = "0.0.0";
};

/// The HTTP server: the API, its documentation and the page; and, when asked for, gRPC. Runs on threads of
/// its own.
class Server {
 public:
  /// Binds and serves until stop(). kInvalidInput for a bad option or a public address, kUnavailable when the
  /// port is taken. `service`, `metrics` and `jobs` must outlive the server. Without `jobs` there are no
  /// routes for training, jobs and uploads.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, pipeline::Service& service,
                                               Metrics& metrics, pipeline::JobService* jobs = nullptr);

  ~Server();  ///< stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  /// "127.0.0.1:50051"; empty without gRPC.
  std::string grpc_address() const;
  /// "http://127.0.0.1:8080"
  std::string url() const;

  /// Stops accepting, lets requests in flight finish within drain_timeout, closes. Blocks; may be called
  /// again.
  void stop();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tillcast::api
