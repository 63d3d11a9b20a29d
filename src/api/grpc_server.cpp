// The one translation unit that includes gRPC's server: it costs about 5 s to compile.
#include "api/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <tillcast/v1/forecast.grpc.pb.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "api/forecast_messages.h"
#include "api/problem.h"
#include "core/log.h"

namespace tillcast::api {
namespace {

constexpr const char* kServiceName = "tillcast.v1.ForecastService";
constexpr int kRequestBytesMax = 1 << 20;
constexpr int kCallsPerConnectionMax = 128;
constexpr std::size_t kMessageBytesMax =
    1000;  // error texts travel in trailers, which clients limit to 8 KiB
constexpr int kSecond = 1000;

std::string_view code_name(grpc::StatusCode code) {
  constexpr std::array<std::string_view, 17> kNames = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto at = static_cast<std::size_t>(code);
  return at < kNames.size() ? kNames[at] : "UNKNOWN";
}

grpc::Status status_from(const Error& error) {
  return {static_cast<grpc::StatusCode>(grpc_status_from(error.code)),
          error.message.substr(0, kMessageBytesMax)};
}

// gRPC's own messages go where ours go, and its chatter nowhere.
void forward_log(gpr_log_func_args* line) {
  if (line->severity == GPR_LOG_SEVERITY_ERROR)
    log(LogLevel::kWarning, "grpc", {{"error.message", line->message}});
}

/// What every call shares: the pool it runs on and the metrics that count it.
struct CallRoom {
  pipeline::Service& service;
  QueryPool& pool;
  Metrics& metrics;
};

/// A call from its start to the moment gRPC is done with it, when it is counted and deletes itself.
/// `Reactor` is one of gRPC's server reactors.
template <class Reactor>
class Call : public Reactor {
 public:
  Call(CallRoom& room, const char* method)
      : room_(room), method_(method), started_(std::chrono::steady_clock::now()) {}

  /// Ends the call. The object may be gone when this returns.
  void finish(grpc::Status status) {
    code_ = status.error_code();
    this->Finish(std::move(status));
  }
  void OnCancel() override { given_up_ = true; }
  void OnDone() override {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    room_.metrics.observe("grpc_server_handling_seconds",
                          "Time from the start of a gRPC call to the end of its answer.",
                          {{"grpc_service", kServiceName},
                           {"grpc_method", method_},
                           {"grpc_code", std::string(code_name(code_))}},
                          seconds);
    if (log_enabled(LogLevel::kDebug)) {
      log(LogLevel::kDebug, "call",
          {{"grpc.method", method_},
           {"grpc.code", std::string(code_name(code_))},
           {"event.duration", std::to_string(static_cast<std::int64_t>(seconds * 1e9))}});
    }
    delete this;
  }

 protected:
  ~Call() override = default;
  bool given_up() const { return given_up_; }

  /// Queues `answer(service)` -> Result<>, then `deliver()` when it succeeded, on the pool. Nobody's work is
  /// done: not that of a client that went away or whose deadline passed in the queue.
  template <class Answer, class Deliver>
  void run(grpc::CallbackServerContext* context, Answer answer, Deliver deliver) {
    QueryPool::Task task = [this, deadline = context->deadline(), answer = std::move(answer),
                            deliver = std::move(deliver)]() mutable {
      if (given_up_ || std::chrono::system_clock::now() >= deadline) {
        finish({grpc::StatusCode::DEADLINE_EXCEEDED, "the deadline passed before the call was run"});
        return;
      }
      Result<> answered;
      try {
        answered = answer(room_.service);
      } catch (const std::exception& fault) {
        log(LogLevel::kError, "call failed", {{"grpc.method", method_}, {"error.message", fault.what()}});
        finish({grpc::StatusCode::INTERNAL, "an internal error; the server's log has it"});
        return;
      }
      if (!answered) {
        finish(status_from(answered.error()));
      } else {
        deliver();
      }
    };
    if (!room_.pool.submit(task))
      finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "too many queries are waiting; try again in a second"});
  }

 private:
  CallRoom& room_;
  const char* method_;
  std::chrono::steady_clock::time_point started_;
  grpc::StatusCode code_ = grpc::StatusCode::OK;
  std::atomic<bool> given_up_ = false;
};

/// One message in, one out. The messages live until finish().
class UnaryCall final : public Call<grpc::ServerUnaryReactor> {
 public:
  template <class Answer>
  UnaryCall(CallRoom& room, const char* method, grpc::CallbackServerContext* context, Answer answer)
      : Call(room, method) {
    run(context, std::move(answer), [this] { finish(grpc::Status::OK); });
  }
};

/// The messages of one series, one after the other as fast as the client takes them.
class SeriesStream final : public Call<grpc::ServerWriteReactor<v1::GetSeriesResponse>> {
 public:
  SeriesStream(CallRoom& room, grpc::CallbackServerContext* context, const v1::GetSeriesRequest* message)
      : Call(room, "GetSeries") {
    run(
        context,
        [this, message](pipeline::Service& service) -> Result<> {
          const std::size_t length = TILLCAST_TRY_PLAIN(read_history_length(*message));
          std::vector<pipeline::HistoryPoint> history;
          if (length == 0) {
            // What is stored needs no history: a look-up in memory.
            pipeline::ForecastRequest asked;
            asked.items.push_back({message->series_id()});
            asked.strict = true;
            const auto found = TILLCAST_TRY_PLAIN(service.forecast(asked));
            if (!found.front()) return found.front().error();
            messages_ = series_messages(*found.front(), history, length);
            return {};
          }
          const auto found = TILLCAST_TRY_PLAIN(service.series_forecast(message->series_id(), history));
          messages_ = series_messages(found, history, length);
          return {};
        },
        [this] { write_next(); });
  }
  void OnWriteDone(bool ok) override {
    if (!ok || given_up()) {
      finish({grpc::StatusCode::CANCELLED, "the client went away"});
    } else {
      write_next();
    }
  }

 private:
  void write_next() {
    const v1::GetSeriesResponse& message = messages_[written_++];
    if (written_ < messages_.size()) {
      StartWrite(&message);
      return;
    }
    StartWriteAndFinish(&message, grpc::WriteOptions(), grpc::Status::OK);
  }

  std::vector<v1::GetSeriesResponse> messages_;
  std::size_t written_ = 0;
};

class Handlers final : public v1::ForecastService::CallbackService {
 public:
  explicit Handlers(CallRoom room) : room_(room) {}

  grpc::ServerUnaryReactor* Forecast(grpc::CallbackServerContext* context, const v1::ForecastRequest* message,
                                     v1::ForecastResponse* out) override {
    return new UnaryCall(room_, "Forecast", context, [message, out](pipeline::Service& service) -> Result<> {
      const auto asked = TILLCAST_TRY_PLAIN(read_forecast_request(*message));
      const auto answers = TILLCAST_TRY_PLAIN(service.forecast(asked));
      write_forecasts(asked, answers, *out);
      return {};
    });
  }
  grpc::ServerUnaryReactor* ListSeries(grpc::CallbackServerContext* context,
                                       const v1::ListSeriesRequest* message,
                                       v1::ListSeriesResponse* out) override {
    return new UnaryCall(room_, "ListSeries", context,
                         [message, out](pipeline::Service& service) -> Result<> {
                           const auto asked = TILLCAST_TRY_PLAIN(read_series_request(*message));
                           write_page(TILLCAST_TRY_PLAIN(service.series(asked)), *out);
                           return {};
                         });
  }
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context, const v1::ExplainRequest* message,
                                    v1::Explanation* out) override {
    return new UnaryCall(room_, "Explain", context, [message, out](pipeline::Service& service) -> Result<> {
      const auto asked = TILLCAST_TRY_PLAIN(read_explain_request(*message));
      write_explanation(TILLCAST_TRY_PLAIN(service.explain(asked)), *out);
      return {};
    });
  }
  grpc::ServerWriteReactor<v1::GetSeriesResponse>* GetSeries(grpc::CallbackServerContext* context,
                                                             const v1::GetSeriesRequest* message) override {
    return new SeriesStream(room_, context, message);
  }

 private:
  CallRoom room_;
};

class RunningServer final : public GrpcServer {
 public:
  RunningServer(const ServerOptions& options, pipeline::Service& service, QueryPool& pool, Metrics& metrics)
      : options_(options), service_(service), handlers_(CallRoom{service, pool, metrics}) {}
  ~RunningServer() override { stop(); }

  Result<> bind(const std::string& address) {
    gpr_set_log_function(forward_log);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(address + ":" + std::to_string(*options_.grpc_port),
                             grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&handlers_);
    builder.SetMaxReceiveMessageSize(kRequestBytesMax);
    // Reflection alone is answered by gRPC's own threads: one is enough.
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 1);
    // Without this a second server on the port would share its calls in silence.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnectionMax);
    // Dead, idle and stuck connections end.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60 * kSecond);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * kSecond);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 300 * kSecond);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 3600 * kSecond);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 60 * kSecond);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return unavailable("cannot listen for gRPC on " + address + ":" + std::to_string(*options_.grpc_port) +
                         "; is another program using the port? Choose another one with --grpc-port");
    }
    port_ = static_cast<std::uint16_t>(port);
    show_readiness(service_.readiness().ready);
    watcher_ = std::thread([this] { watch_readiness(); });
    return {};
  }

  std::uint16_t port() const override { return port_; }

  void stop() override {
    if (server_ == nullptr || stopped_.exchange(true)) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    watcher_.join();
    server_->GetHealthCheckService()->Shutdown();
    server_->Shutdown(std::chrono::system_clock::now() + options_.drain_timeout);
    server_->Wait();
  }

 private:
  void show_readiness(bool ready) {
    auto* const health = server_->GetHealthCheckService();
    health->SetServingStatus("", ready);
    health->SetServingStatus(kServiceName, ready);
  }

  // Whether data can be read changes with the data; asking for their version costs next to nothing.
  void watch_readiness() {
    std::string seen;
    bool ready = false;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      lock.unlock();
      const std::string version = service_.data_version();
      if (version != seen) {
        const bool now_ready = service_.readiness().ready;
        if (now_ready != ready || seen.empty()) show_readiness(now_ready);
        ready = now_ready;
        seen = version;
      }
      lock.lock();
      wake_.wait_for(lock, std::chrono::milliseconds(200), [this] { return stopping_; });
    }
  }

  ServerOptions options_;
  pipeline::Service& service_;
  Handlers handlers_;
  std::unique_ptr<grpc::Server> server_;
  std::uint16_t port_ = 0;
  std::thread watcher_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::atomic<bool> stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<GrpcServer>> GrpcServer::start(const ServerOptions& options,
                                                      pipeline::Service& service, QueryPool& pool,
                                                      Metrics& metrics) {
  std::string address;
  if (options.host == "localhost" || options.host.starts_with("127.")) {
    address = options.host == "localhost" ? "127.0.0.1" : options.host;
  } else if (options.host == "::1") {
    address = "[::1]";
  } else {
    return invalid_input("gRPC host '" + options.host +
                         "' must be a loopback address, 127.0.0.1 or ::1: there is no authentication yet");
  }
  auto server = std::make_unique<RunningServer>(options, service, pool, metrics);
  if (auto bound = server->bind(address); !bound) return std::move(bound.error());
  return server;
}

}  // namespace tillcast::api
