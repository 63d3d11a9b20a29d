// The one translation unit that includes Boost: Beast and Asio cost about 20 s to compile.
#include "api/http_listener.h"

#include <poll.h>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "api/answer_head.h"
#include "core/log.h"

namespace tillcast::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// A connection is bound to one strand; with one thread the plain executor is enough and cheaper to dispatch
// through.
using Parser = http::request_parser<http::string_body>;
using PieceParser = http::request_parser<http::buffer_body>;

constexpr std::size_t kPieceBytes = 256 * 1024;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

HttpRequest request_of(const Parser& parser) {
  const auto& message = parser.get();
  HttpRequest request;
  request.method = view(message.method_string());
  request.target = view(message.target());
  request.http_1_0 = message.version() < 11;
  request.host_repeated = message.count(http::field::host) > 1;
  for (const auto& field : message) {
    switch (field.name()) {
      case http::field::host:
        request.host = view(field.value());
        break;
      case http::field::accept:
        request.accept = view(field.value());
        break;
      case http::field::accept_encoding:
        request.accept_encoding = view(field.value());
        break;
      case http::field::content_type:
        request.content_type = view(field.value());
        break;
      case http::field::origin:
        request.origin = view(field.value());
        break;
      case http::field::if_none_match:
        request.if_none_match = view(field.value());
        break;
      default:
        if (beast::iequals(field.name_string(), "X-Request-Id")) request.request_id = view(field.value());
        if (beast::iequals(field.name_string(), "Idempotency-Key")) {
          request.idempotency_key = view(field.value());
          request.idempotency_key_given = true;
        }
    }
  }
  request.body = message.body();
  return request;
}

template <class AnyParser>
bool expects_continue(const AnyParser& parser) {
  return parser.get().version() >= 11 && beast::iequals(parser.get()[http::field::expect], "100-continue");
}

class Listener;

// One connection. Everything runs on its strand.
class Connection {
 public:
  Connection(Listener& listener, tcp::socket socket) : stream(std::move(socket)), listener_(listener) {}
  asio::awaitable<void> serve();
  asio::awaitable<void> turn_away();
  void close_if_idle() {
    if (idle_) stream.socket().shutdown(tcp::socket::shutdown_receive, ignored_);
  }
  void close_now() { stream.close(); }

  beast::tcp_stream stream;
  std::list<std::shared_ptr<Connection>>::iterator place;

 private:
  asio::awaitable<bool> wait_for_request();
  asio::awaitable<bool> read_header(Parser& parser);
  asio::awaitable<bool> read_body(Parser& parser, const Application::Admission& admission,
                                  HttpAnswer& refusal);
  asio::awaitable<bool> stream_body(PieceParser& parser, const Application::Admission& admission,
                                    const HttpRequest& request, std::unique_ptr<BodySink>& sink,
                                    HttpAnswer& refusal);
  asio::awaitable<void> say_continue(bool expected);
  template <class Work>
  asio::awaitable<void> on_body_pool(Work work);
  asio::awaitable<HttpAnswer> ask_pool(const Application::Admission& admission, const HttpRequest& request,
                                       std::unique_ptr<BodySink> sink);
  asio::awaitable<bool> send(const HttpAnswer& answer, bool close, bool http_1_0);
  asio::awaitable<void> close_gently();
  HttpAnswer refusal_of(error_code error, std::string_view target, std::string_view request_id) const;
  HttpAnswer body_too_large(const Application::Admission& admission) const;

  Listener& listener_;
  beast::flat_buffer buffer_;
  std::string head_;
  error_code ignored_;
  bool idle_ = false;
};

class Listener final : public HttpListener {
 public:
  Listener(const ServerOptions& listener_options, const Application& app, const Pools& shared_pools)
      : options(listener_options),
        application(app),
        pools(shared_pools),
        loop_(options.threads),
        acceptor_(asio::make_strand(loop_)) {}
  ~Listener() override { stop(); }

  Result<> bind(const asio::ip::address& address) {
    error_code error;
    const tcp::endpoint endpoint(address, options.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return unavailable(
          "cannot listen on " + options.host + ":" + std::to_string(options.port) + ": " + error.message() +
          "; is another tillcast serving? Choose another port with --port, or 0 for any free one");
    }
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(acceptor_.get_executor(), accept(), asio::detached);
    for (int i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this] { loop_.run(); });
    }
    return {};
  }

  std::uint16_t port() const override { return port_; }

  void stop() override {
    if (stopped_.exchange(true)) return;
    stopping = true;
    asio::post(acceptor_.get_executor(), [this] { acceptor_.close(); });
    {
      std::unique_lock lock(mutex_);
      for (const auto& connection : connections_) {
        asio::post(connection->stream.get_executor(), [connection] { connection->close_if_idle(); });
      }
      if (!emptied_.wait_for(lock, options.drain_timeout, [this] { return connections_.empty(); })) {
        log(LogLevel::kWarning, "requests did not finish within the drain time",
            {{"connections", std::to_string(connections_.size())}});
        for (const auto& connection : connections_) {
          asio::post(connection->stream.get_executor(), [connection] { connection->close_now(); });
        }
        // A query that still runs returns to its connection, which then ends; the loop must outlive it.
        emptied_.wait(lock, [this] { return connections_.empty(); });
      }
      // A pool's thread that has posted its answer still lets go of the loop.
      emptied_.wait(lock, [this] { return tasks_ == 0; });
    }
    loop_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  void remove(const std::shared_ptr<Connection>& connection) {
    const std::lock_guard lock(mutex_);
    connections_.erase(connection->place);
    if (connections_.empty()) emptied_.notify_all();
  }

  /// Tasks of the pools that may still touch the loop; task_ended() is the last thing that one does.
  void task_begins() {
    const std::lock_guard lock(mutex_);
    ++tasks_;
  }
  void task_ended() {
    const std::lock_guard lock(mutex_);
    if (--tasks_ == 0) emptied_.notify_all();
  }

  const ServerOptions options;
  const Application& application;
  const Pools pools;
  std::atomic<bool> stopping{false};

 private:
  asio::any_io_executor connection_executor() {
    if (options.threads == 1) return loop_.get_executor();
    return asio::make_strand(loop_);
  }

  asio::awaitable<void> accept() {
    while (!stopping) {
      auto [error, socket] = co_await acceptor_.async_accept(connection_executor(), kNoThrow);
      if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) break;
      if (error) {  // out of descriptors: wait for some to be closed instead of spinning
        asio::steady_timer pause(acceptor_.get_executor(), std::chrono::milliseconds(100));
        co_await pause.async_wait(kNoThrow);
        continue;
      }
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      const auto executor = socket.get_executor();
      auto connection = std::make_shared<Connection>(*this, std::move(socket));
      bool crowded = false;
      {
        const std::lock_guard lock(mutex_);
        if (stopping) break;
        crowded = connections_.size() >= static_cast<std::size_t>(options.connections_max);
        connection->place = connections_.insert(connections_.end(), connection);
      }
      asio::co_spawn(executor, crowded ? connection->turn_away() : connection->serve(),
                     [this, connection](const std::exception_ptr& fault) {
                       if (fault) log(LogLevel::kError, "a connection ended by an exception");
                       connection->close_now();
                       remove(connection);
                     });
    }
  }

  asio::io_context loop_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::size_t tasks_ = 0;
  std::condition_variable emptied_;
  std::list<std::shared_ptr<Connection>> connections_;
  std::atomic<bool> stopped_{false};
};

// False when the client closed, or had nothing to say for the idle time.
asio::awaitable<bool> Connection::wait_for_request() {
  if (buffer_.size() > 0) co_return true;
  idle_ = true;
  if (listener_.stopping) co_return false;
  stream.expires_after(listener_.options.idle_timeout);
  auto [error, bytes] = co_await stream.async_read_some(buffer_.prepare(4096), kNoThrow);
  idle_ = false;
  buffer_.commit(bytes);
  co_return !error;
}

HttpAnswer Connection::refusal_of(error_code error, std::string_view target,
                                  std::string_view request_id) const {
  const Application& application = listener_.application;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    // Still inside the first line: the target is what is too long.
    if (target.empty())
      return application.refuse(414, "target_too_long", "the request line does not fit 16 KiB", request_id);
    return application.refuse(431, "header_too_large", "the request header does not fit 16 KiB", request_id);
  }
  if (error == beast::error::timeout) {
    return application.refuse(408, "request_timeout", "the request did not arrive in time", request_id);
  }
  if (error == http::error::bad_version) {
    return application.refuse(505, "http_version", "this server speaks HTTP/1.1 and HTTP/1.0", request_id);
  }
  return application.refuse(400, "malformed_request", "the request is no HTTP/1.1: " + error.message(),
                            request_id);
}

asio::awaitable<bool> Connection::read_header(Parser& parser) {
  // One deadline for the whole header, however the bytes trickle in.
  stream.expires_after(listener_.options.header_timeout);
  auto [error, bytes] = co_await http::async_read_header(stream, buffer_, parser, kNoThrow);
  if (!error) co_return true;
  const bool spoken_http = error.category() == http::make_error_code(http::error::bad_method).category();
  if (error == beast::error::timeout ||
      (spoken_http && error != http::error::end_of_stream && error != http::error::partial_message)) {
    const HttpAnswer refusal = refusal_of(error, view(parser.get().target()), {});
    listener_.application.finished_unrouted(refusal.status);
    // After a timeout Beast has closed the socket: a 408 could not be sent, and nobody reads it.
    if (error == beast::error::timeout) co_return false;
    const bool sent = co_await send(refusal, true, false);
    if (sent) co_await close_gently();
  }
  co_return false;
}

asio::awaitable<bool> Connection::read_body(Parser& parser, const Application::Admission& admission,
                                            HttpAnswer& refusal) {
  parser.body_limit(admission.body_bytes_max);
  error_code error;
  if (const auto length = parser.content_length(); length && *length > admission.body_bytes_max) {
    error = http::error::body_limit;
  } else if (!parser.is_done()) {
    co_await say_continue(expects_continue(parser));
    stream.expires_after(listener_.options.body_timeout);
    auto [failure, bytes] = co_await http::async_read(stream, buffer_, parser, kNoThrow);
    error = failure;
  }
  if (!error) co_return true;
  if (error == http::error::body_limit) {
    refusal = body_too_large(admission);
  } else {
    refusal = refusal_of(error, view(parser.get().target()), admission.request_id);
  }
  co_return false;
}

HttpAnswer Connection::body_too_large(const Application::Admission& admission) const {
  return listener_.application.refuse(413, "body_too_large",
                                      "the body may have " + std::to_string(admission.body_bytes_max) +
                                          " bytes; send fewer items or a smaller file per request",
                                      admission.request_id);
}

asio::awaitable<void> Connection::say_continue(bool expected) {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  if (!expected) co_return;
  stream.expires_after(listener_.options.write_timeout);
  co_await asio::async_write(stream, asio::buffer(kContinue), kNoThrow);
}

// Runs blocking work beside the event loop and comes back. The queue holds one task per connection, so there
// is always room; were there none, the loop would do it itself. What the work throws ends the connection.
template <class Work>
asio::awaitable<void> Connection::on_body_pool(Work work) {
  std::exception_ptr fault;
  co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(
      [&](auto handler) {
        auto done = std::make_shared<decltype(handler)>(std::move(handler));
        listener_.task_begins();
        QueryPool::Task task = [this, &listener = listener_, &work, &fault, done,
                                guard = asio::make_work_guard(stream.get_executor())]() mutable {
          try {
            work();
          } catch (...) {
            fault = std::current_exception();
          }
          asio::post(stream.get_executor(), [done = std::move(done)]() mutable { (*done)(); });
          guard.reset();
          listener.task_ended();
        };
        if (!listener_.pools.bodies.submit(task)) task();
      },
      asio::use_awaitable);
  if (fault) std::rethrow_exception(fault);
}

// Passes a body on to its sink piece by piece: the next piece is read when the last one is stored, so a slow
// disk slows the client down and memory stays at one piece. A client that is slower than the least rate is
// cut off.
asio::awaitable<bool> Connection::stream_body(PieceParser& parser, const Application::Admission& admission,
                                              const HttpRequest& request, std::unique_ptr<BodySink>& sink,
                                              HttpAnswer& refusal) {
  const Application& application = listener_.application;
  parser.body_limit(admission.body_bytes_max);
  std::optional<std::uint64_t> length;
  if (const auto stated = parser.content_length()) length = *stated;
  if (length && *length > admission.body_bytes_max) {
    refusal = body_too_large(admission);
    co_return false;
  }
  co_await on_body_pool([&] {
    auto opened = application.open_sink(admission, request, length);
    if (auto* answer = std::get_if<HttpAnswer>(&opened)) {
      refusal = std::move(*answer);
    } else {
      sink = std::move(std::get<std::unique_ptr<BodySink>>(opened));
    }
  });
  if (sink == nullptr) co_return false;
  co_await say_continue(!parser.is_done() && expects_continue(parser));

  const auto begun = std::chrono::steady_clock::now();
  const auto bytes_per_second = static_cast<std::uint64_t>(listener_.options.upload_bytes_per_second_min);
  const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  std::uint64_t received = 0;
  while (!parser.is_done()) {
    parser.get().body().data = piece.get();
    parser.get().body().size = kPieceBytes;
    stream.expires_at(begun + listener_.options.body_timeout +
                      std::chrono::seconds(received / bytes_per_second));
    auto [error, bytes] = co_await http::async_read(stream, buffer_, parser, kNoThrow);
    if (error && error != http::error::need_buffer) {
      sink.reset();
      refusal = error == http::error::body_limit ? body_too_large(admission)
                                                 : refusal_of(error, request.target, admission.request_id);
      co_return false;
    }
    const std::size_t filled = kPieceBytes - parser.get().body().size;
    received += filled;
    std::optional<Error> failed;
    co_await on_body_pool([&] {
      if (auto written = sink->write({piece.get(), filled}); !written) failed = written.error();
    });
    if (failed) {
      sink.reset();
      refusal = application.sink_problem(admission, request, *failed);
      co_return false;
    }
  }
  co_return true;
}

// Runs the handler on its pool and comes back to this connection's executor with its answer.
asio::awaitable<HttpAnswer> Connection::ask_pool(const Application::Admission& admission,
                                                 const HttpRequest& request, std::unique_ptr<BodySink> sink) {
  stream.expires_never();
  const auto queued = std::chrono::steady_clock::now();
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(HttpAnswer)>(
      [&](auto handler) {
        // Under load, do not work for clients that have given up. The socket stays open while this task
        // exists.
        auto done = std::make_shared<decltype(handler)>(std::move(handler));
        listener_.task_begins();
        QueryPool::Task task = [this, &listener = listener_, &admission, &request, &sink, queued, done,
                                work = asio::make_work_guard(stream.get_executor()),
                                fd = stream.socket().native_handle()]() mutable {
          HttpAnswer answer;
          pollfd peer{fd, POLLRDHUP, 0};
          if (std::chrono::steady_clock::now() - queued > std::chrono::milliseconds(100) &&
              ::poll(&peer, 1, 0) == 1 && (peer.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
            answer.status = 0;
          } else {
            answer = listener_.application.answer(admission, request, std::move(sink));
          }
          asio::post(stream.get_executor(), [done = std::move(done), answer = std::move(answer)]() mutable {
            (*done)(std::move(answer));
          });
          work.reset();
          listener.task_ended();
        };
        QueryPool& pool =
            admission.route->runs == Route::Runs::kStatus ? listener_.pools.status : listener_.pools.queries;
        if (!pool.submit(task)) {
          listener_.task_ended();
          asio::post(stream.get_executor(), [this, done, &admission]() mutable {
            (*done)(listener_.application.refuse(
                503, "busy", "too many queries are waiting; try again in a second", admission.request_id));
          });
        }
      },
      asio::use_awaitable);
}

asio::awaitable<bool> Connection::send(const HttpAnswer& answer, bool close, bool http_1_0) {
  write_head(answer, close, http_1_0, head_);
  stream.expires_after(listener_.options.write_timeout);
  const bool without_body = answer.head_only || answer.status == 304;
  const std::string_view content = without_body ? std::string_view() : answer.content();
  const std::array<asio::const_buffer, 2> parts = {asio::buffer(head_), asio::buffer(content)};
  auto [error, bytes] = co_await asio::async_write(stream, parts, kNoThrow);
  co_return !error;
}

// Closing with unread input makes the kernel send RST, which may destroy the answer on its way: say that
// nothing more comes, then read and drop what is still arriving, for a short while.
asio::awaitable<void> Connection::close_gently() {
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored_);
  stream.expires_after(std::chrono::seconds(1));
  std::array<char, 4096> dropped;
  for (std::size_t total = 0; total < (std::size_t{4} << 20);) {
    auto [error, bytes] = co_await stream.async_read_some(asio::buffer(dropped), kNoThrow);
    if (error) break;
    total += bytes;
  }
}

asio::awaitable<void> Connection::serve() {
  const Application& application = listener_.application;
  while (co_await wait_for_request()) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(listener_.options.header_bytes_max));
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());  // set by the route, in read_body()
    if (!co_await read_header(parser)) break;

    HttpRequest request = request_of(parser);
    Application::Admission admission = application.admit(request);
    HttpAnswer answer;
    std::optional<PieceParser> pieces;  // takes the header over: `request` points into it
    std::unique_ptr<BodySink> sink;
    bool complete = false;
    bool keep_alive = false;
    if (admission.route != nullptr && admission.route->open_sink) {
      pieces.emplace(std::move(parser));
      complete = co_await stream_body(*pieces, admission, request, sink, answer);
      keep_alive = pieces->keep_alive();
    } else {
      complete = co_await read_body(parser, admission, answer);
      request.body = parser.get().body();
      keep_alive = parser.keep_alive();
    }
    if (admission.refusal && (complete || answer.status == 413)) {
      answer = std::move(*admission.refusal);
    } else if (complete) {
      if (admission.route->runs == Route::Runs::kLoop) {
        answer = application.answer(admission, request);
      } else {
        // No co_await inside ?: here: GCC 12 destroys the operand of the branch not taken.
        if (auto kept = application.kept_answer(admission, request)) {
          answer = std::move(*kept);
        } else {
          answer = co_await ask_pool(admission, request, std::move(sink));
        }
      }
    }
    if (answer.status == 0) break;
    answer.head_only = request.method == "HEAD";
    const bool close = !complete || answer.close || !keep_alive || listener_.stopping;
    const bool sent = co_await send(answer, close, request.http_1_0);
    application.finished(admission, request.method, request.target, sent ? answer.status : 0,
                         answer.content().size());
    if (!sent) break;
    if (close) {
      co_await close_gently();
      break;
    }
  }
}

asio::awaitable<void> Connection::turn_away() {
  HttpAnswer answer = listener_.application.refuse(503, "too_many_connections",
                                                   "too many connections; try again in a second");
  listener_.application.finished_unrouted(answer.status);
  if (co_await send(answer, true, false)) co_await close_gently();
}

}  // namespace

Result<std::unique_ptr<HttpListener>> HttpListener::open(const ServerOptions& options,
                                                         const Application& application, const Pools& pools) {
  error_code error;
  const auto address =
      asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
  if (error) return invalid_input("api host '" + options.host + "' is no IP address; use 127.0.0.1 or ::1");
  if (!address.is_loopback()) {
    return invalid_input("api host '" + options.host +
                         "' can be reached from other machines, and this version has no authentication yet: "
                         "use 127.0.0.1 and put a reverse proxy with authentication in front");
  }
  auto listener = std::make_unique<Listener>(options, application, pools);
  if (auto bound = listener->bind(address); !bound) return std::move(bound.error());
  return listener;
}

}  // namespace tillcast::api
