#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/answer_cache.h"
#include "api/http_message.h"
#include "api/problem.h"
#include "api/route.h"
#include "api/target.h"
#include "core/metrics.h"
#include "pipeline/service.h"

namespace tillcast::api {

/// HTTP without sockets: from a request to an answer by the declared routes. All functions are thread-safe.
class Application {
 public:
  struct Options {
    std::string version;              ///< part of every ETag: a new build may write answers differently
    std::vector<std::string> hosts;   ///< names that the Host header may carry, lower case, without port
    std::size_t cache_bytes_max = 0;  ///< for answers from data; 0 = none
  };

  Application(std::vector<Route> routes, pipeline::Service& service, Metrics& metrics, Options options);

  /// What is known once the header has been read.
  struct Admission {
    const Route* route = nullptr;       ///< null when refused
    std::optional<HttpAnswer> refusal;  ///< send this and do not read a body
    std::size_t body_bytes_max = 0;
    Target target;
    std::string request_id;
    std::string_view route_label;  ///< template for metrics
    std::string_view media_type;   ///< of the answer, as Accept chose
    std::chrono::steady_clock::time_point started;
  };
  /// Finds the route and checks host, method and media types. Cheap: runs on the I/O thread.
  Admission admit(const HttpRequest& request) const;

  /// Checks parameters and body, runs the handler. On the thread that Route::runs asks for. Never throws.
  /// @param sink  what open_sink() gave, with the whole body written to it; null for other routes.
  HttpAnswer answer(const Admission& admission, const HttpRequest& request,
                    std::unique_ptr<BodySink> sink = nullptr) const;

  /// For a route with open_sink: checks the parameters and opens the place for a body of so many bytes (when
  /// known). May block. Never throws. @return the sink, or the answer to give instead of reading the body.
  std::variant<std::unique_ptr<BodySink>, HttpAnswer> open_sink(const Admission& admission,
                                                                const HttpRequest& request,
                                                                std::optional<std::uint64_t> bytes) const;
  /// The problem of a sink that could not take the body.
  HttpAnswer sink_problem(const Admission& admission, const HttpRequest& request, const Error& error) const;

  /// The answer when it can be given without asking the data: kept from before, for the same data version.
  /// Cheap: runs on the I/O thread.
  std::optional<HttpAnswer> kept_answer(const Admission& admission, const HttpRequest& request) const;

  /// A problem that the connection found before or instead of a route: malformed, too large, too slow, too
  /// busy.
  HttpAnswer refuse(int status, std::string code, std::string detail, std::string_view request_id = {}) const;

  /// Counts and logs a finished request. `status` 0: the client went away first.
  void finished(const Admission& admission, std::string_view method, std::string_view target, int status,
                std::size_t body_bytes) const;
  /// Counts a problem found before a route was known.
  void finished_unrouted(int status) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Match {
    std::vector<std::string_view> template_segments;
  };
  bool matches(std::size_t route, const std::vector<std::string>& segments) const;
  bool host_allowed(std::string_view host) const;
  std::vector<FieldError> read_parameters(const Route& route, const Admission& admission,
                                          const HttpRequest& request, RouteRequest& out) const;
  std::string current_tag() const;
  HttpAnswer handled(const Admission& admission, const HttpRequest& request,
                     std::unique_ptr<BodySink> sink) const;
  template <class Work>
  HttpAnswer guarded(const Admission& admission, const HttpRequest& request, const Work& work) const;

  std::vector<Route> routes_;
  std::vector<Match> matches_;  ///< parallel to routes_
  pipeline::Service& service_;
  Metrics& metrics_;
  Options options_;
  mutable AnswerCache cache_;
};

}  // namespace tillcast::api
