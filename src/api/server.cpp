#include "api/server.h"

#include <thread>

#include "api/application.h"
#include "api/grpc_server.h"
#include "api/http_listener.h"
#include "api/openapi.h"
#include "api/query_pool.h"
#include "api/routes.h"

namespace tillcast::api {
namespace {

constexpr std::size_t kBodyThreads = 2;

Result<> check(const ServerOptions& options) {
  const auto in_range = [](auto value, auto low, auto high) { return value >= low && value <= high; };
  if (!in_range(options.threads, 1, 64))
    return invalid_input("api threads must be 1..64, found " + std::to_string(options.threads));
  if (!in_range(options.query_threads, 1, 64)) {
    return invalid_input("api query threads must be 1..64, found " + std::to_string(options.query_threads));
  }
  if (!in_range(options.queued_queries_max, 0, 100'000)) {
    return invalid_input("api queued queries must be 0..100000, found " +
                         std::to_string(options.queued_queries_max));
  }
  if (!in_range(options.connections_max, 1, 100'000)) {
    return invalid_input("api connections must be 1..100000, found " +
                         std::to_string(options.connections_max));
  }
  return {};
}

}  // namespace

struct Server::Parts {
  Parts(const ServerOptions& given, pipeline::Service& service, Metrics& metrics, pipeline::JobService* jobs)
      : options(given),
        application(all_routes(service, metrics, given.version, jobs, given.upload_bytes_max), service,
                    metrics, {given.version, allowed_hosts(given), given.cache_bytes_max}),
        pool(static_cast<std::size_t>(given.query_threads),
             static_cast<std::size_t>(given.queued_queries_max)),
        body_pool(kBodyThreads, static_cast<std::size_t>(given.connections_max)),
        status_pool(1, static_cast<std::size_t>(given.connections_max)) {}

  static std::vector<std::string> allowed_hosts(const ServerOptions& options) {
    std::vector<std::string> hosts = {"localhost", "127.0.0.1", "[::1]"};
    hosts.push_back(options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]");
    hosts.insert(hosts.end(), options.hosts.begin(), options.hosts.end());
    return hosts;
  }

  ServerOptions options;
  Application application;
  QueryPool pool;
  QueryPool body_pool;    // writes bodies to their sinks, so that a slow disk holds up no query
  QueryPool status_pool;  // says whether the server is ready, so that busy queries do not make it seem dead
  // Declared last: they stop before the pool and the application go.
  std::unique_ptr<HttpListener> listener;
  std::unique_ptr<GrpcServer> grpc;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, pipeline::Service& service,
                                              Metrics& metrics, pipeline::JobService* jobs) {
  if (auto checked = check(options); !checked) return std::move(checked.error());
  auto parts = std::make_unique<Parts>(options, service, metrics, jobs);
  parts->listener = TILLCAST_TRY_PLAIN(
      HttpListener::open(options, parts->application, {parts->pool, parts->body_pool, parts->status_pool}));
  if (options.grpc_port)
    parts->grpc = TILLCAST_TRY_PLAIN(GrpcServer::start(options, service, parts->pool, metrics));
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

std::uint16_t Server::port() const { return parts_->listener->port(); }

std::string Server::url() const {
  const std::string& host = parts_->options.host;
  return "http://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(port());
}

std::string Server::grpc_address() const {
  if (parts_->grpc == nullptr) return {};
  const std::string& host = parts_->options.host;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(parts_->grpc->port());
}

// Both at once: each may take drain_timeout.
void Server::stop() {
  std::jthread grpc;
  if (parts_->grpc != nullptr) grpc = std::jthread([this] { parts_->grpc->stop(); });
  parts_->listener->stop();
}

}  // namespace tillcast::api
