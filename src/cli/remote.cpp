#include "cli/remote.h"

#include <fcntl.h>
#include <poll.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "core/log.h"

namespace tillcast::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kSocketName[] = "tillcast.sock";
constexpr std::uint32_t kRequestBytesMax = 1 << 20;
constexpr int kCallersMax = 16;
constexpr int kProtocolVersion = 1;
constexpr int kLookEvery = 100;                        // milliseconds
constexpr auto kRequestPatience = milliseconds(5000);  // a request is one piece
constexpr auto kLastPatience = milliseconds(1000);     // when the server ends

/// Closes a file descriptor at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  bool ok() const { return number_ >= 0; }

 private:
  int number_;
};

// A unix socket's path holds 107 bytes; going through the open directory makes any data directory fit.
sockaddr_un address_in(int directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(directory) + "/" + kSocketName;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

// Says whether to wait on for the other side, which took or gave nothing for so long.
using WaitsOn = std::function<bool(milliseconds idle)>;

bool waits_for_ever(milliseconds) { return true; }

// Moves `bytes` by `step`, a call of send or recv that does not block; false when the other side is gone or
// not waited for. What was begun cannot be taken up again then, so the connection is shut: later calls fail
// at once.
template <class Step>
bool move_all(int socket, short event, std::size_t bytes, const WaitsOn& waits_on, const Step& step) {
  auto moved_at = steady_clock::now();
  while (bytes > 0) {
    const ssize_t moved = step();
    if (moved > 0) {
      bytes -= static_cast<std::size_t>(moved);
      moved_at = steady_clock::now();
      continue;
    }
    if (moved < 0 && errno == EINTR) continue;
    const bool full = moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (!full || !waits_on(std::chrono::duration_cast<milliseconds>(steady_clock::now() - moved_at))) {
      ::shutdown(socket, SHUT_RDWR);
      return false;
    }
    pollfd waiting{socket, event, 0};
    ::poll(&waiting, 1, kLookEvery);
  }
  return true;
}

bool send_all(int socket, std::string_view data, const WaitsOn& waits_on) {
  return move_all(socket, POLLOUT, data.size(), waits_on, [&] {
    const ssize_t sent = ::send(socket, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) data.remove_prefix(static_cast<std::size_t>(sent));
    return sent;
  });
}

bool receive_all(int socket, char* data, std::size_t bytes, const WaitsOn& waits_on) {
  char* const end = data + bytes;
  return move_all(socket, POLLIN, bytes, waits_on, [&] {
    const ssize_t got = ::recv(socket, data, static_cast<std::size_t>(end - data), MSG_DONTWAIT);
    if (got > 0) data += got;
    return got;
  });
}

bool send_frame(int socket, char kind, std::string_view payload, const WaitsOn& waits_on) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  std::string frame(1, kind);
  frame.append(reinterpret_cast<const char*>(&length), sizeof(length));
  frame.append(payload);
  return send_all(socket, frame, waits_on);
}

std::string encode(const RemoteCall& call) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto list = [&writer](const char* name, const std::vector<std::string>& items) {
    writer.Key(name);
    writer.StartArray();
    for (const auto& item : items) writer.String(item.c_str());
    writer.EndArray();
  };
  writer.StartObject();
  writer.Key("protocol");
  writer.Int(kProtocolVersion);
  list("words", call.words);
  list("environment", call.environment);
  writer.Key("directory");
  writer.String(call.directory.c_str());
  writer.Key("out_is_tty");
  writer.Bool(call.traits.out_is_tty);
  writer.Key("err_is_tty");
  writer.Bool(call.traits.err_is_tty);
  writer.Key("colour");
  writer.Bool(call.traits.colour);
  writer.Key("width");
  writer.Int(call.traits.width);
  if (!call.input.empty()) {
    writer.Key("input");
    writer.String(call.input.data(), static_cast<rapidjson::SizeType>(call.input.size()));
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<RemoteCall> decode(const std::string& text) {
  rapidjson::Document document;
  document.Parse(text.c_str(), text.size());
  const auto boolean = [&document](const char* name) {
    return document.HasMember(name) && document[name].IsBool() && document[name].GetBool();
  };
  const auto list = [&document](const char* name) {
    std::vector<std::string> items;
    if (!document.HasMember(name) || !document[name].IsArray()) return items;
    for (const auto& item : document[name].GetArray()) {
      if (item.IsString()) items.emplace_back(item.GetString(), item.GetStringLength());
    }
    return items;
  };
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("protocol") ||
      !document["protocol"].IsInt()) {
    return invalid_input("the request is not a tillcast call");
  }
  if (document["protocol"].GetInt() != kProtocolVersion) {
    return invalid_input(
        "the server that owns this data directory is another version of tillcast; use that version, or stop "
        "it first");
  }
  RemoteCall call;
  call.words = list("words");
  call.environment = list("environment");
  if (document.HasMember("directory") && document["directory"].IsString())
    call.directory = document["directory"].GetString();
  if (document.HasMember("input") && document["input"].IsString())
    call.input.assign(document["input"].GetString(), document["input"].GetStringLength());
  call.traits = {boolean("out_is_tty"), boolean("err_is_tty"), boolean("colour"), 100};
  if (document.HasMember("width") && document["width"].IsInt())
    call.traits.width = document["width"].GetInt();
  return call;
}

/// The caller's streams, seen from the owner.
class SocketTerminal final : public Terminal {
 public:
  SocketTerminal(int socket, const Traits& traits, const std::atomic<bool>& stopping, WaitsOn waits_on)
      : Terminal(traits), socket_(socket), stopping_(stopping), waits_on_(std::move(waits_on)) {}

  void out(std::string_view text) override { send('o', text); }
  void err(std::string_view text) override { send('e', text); }

  // The caller writes nothing after its request but 'i' for Ctrl-C; a closed connection means the same.
  bool interrupted() const override {
    if (stopping_.load() || interrupted_) return true;
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, 0) > 0) interrupted_ = true;
    return interrupted_;
  }

 private:
  void send(char kind, std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (!send_frame(socket_, kind, text, waits_on_)) interrupted_ = true;
  }
  int socket_;
  const std::atomic<bool>& stopping_;
  const WaitsOn waits_on_;
  std::mutex mutex_;
  mutable std::atomic<bool> interrupted_{false};
};

class UnixControlServer final : public ControlServer {
 public:
  UnixControlServer(Descriptor directory, Descriptor listener, Handler handler, milliseconds patience)
      : directory_(std::move(directory)),
        listener_(std::move(listener)),
        handler_(std::move(handler)),
        patience_(patience),
        accepting_([this] { accept_callers(); }) {}

  ~UnixControlServer() override {
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    accepting_.join();
    for (auto& caller : callers_) caller.thread.join();
    ::unlinkat(directory_.get(), kSocketName, 0);
  }

 private:
  struct Caller {
    std::thread thread;
    std::atomic<bool> done{false};
  };

  void accept_callers() {
    while (!stopping_) {
      Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      const int failure = socket.ok() ? 0 : errno;
      callers_.remove_if([](Caller& caller) {
        if (!caller.done) return false;
        caller.thread.join();
        return true;
      });
      if (!socket.ok()) {
        if (failure == EINTR || failure == ECONNABORTED) continue;
        if (failure == EMFILE || failure == ENFILE || failure == ENOBUFS || failure == ENOMEM) {
          std::this_thread::sleep_for(milliseconds(kLookEvery));  // passes when readers of the API hang up
          continue;
        }
        if (!stopping_) log(LogLevel::kError, "control socket stopped", {{"error", std::strerror(failure)}});
        return;
      }
      if (callers_.size() >= kCallersMax) {
        const WaitsOn not_at_all = [](milliseconds) { return false; };
        send_frame(socket.get(), 'e',
                   "tillcast: error: the server is busy with 16 other commands; try again\n", not_at_all);
        send_frame(socket.get(), 'x', "1", not_at_all);
        continue;
      }
      Caller& caller = callers_.emplace_back();
      caller.thread = std::thread([this, &caller, connection = std::move(socket)] {
        serve(connection.get());
        caller.done = true;
      });
    }
  }

  void serve(int socket) {
    // A caller that does not go on, one stopped by Ctrl-Z for instance, holds up neither the end of the
    // server nor for long the locks of its command.
    const auto within = [this](milliseconds patience) -> WaitsOn {
      return [this, patience](milliseconds idle) {
        return idle < (stopping_ ? std::min(patience, kLastPatience) : patience);
      };
    };
    std::uint32_t length = 0;
    if (!receive_all(socket, reinterpret_cast<char*>(&length), sizeof(length), within(kRequestPatience)) ||
        length > kRequestBytesMax)
      return;
    std::string text(length, '\0');
    if (!receive_all(socket, text.data(), length, within(kRequestPatience))) return;
    const auto call = decode(text);
    int code = 1;
    if (!call) {
      send_frame(socket, 'e', "tillcast: error: " + call.error().message + "\n", within(patience_));
    } else {
      SocketTerminal terminal(socket, call->traits, stopping_, within(patience_));
      try {
        code = handler_(*call, terminal);
      } catch (const std::exception& error) {
        terminal.err(std::string("tillcast: internal error: ") + error.what() + "\n");
      }
    }
    send_frame(socket, 'x', std::to_string(code), within(patience_));
  }

  Descriptor directory_;
  Descriptor listener_;
  Handler handler_;
  const milliseconds patience_;
  std::atomic<bool> stopping_{false};
  std::list<Caller> callers_;
  std::thread accepting_;
};

}  // namespace

Result<std::optional<int>> run_in_owner(const std::filesystem::path& data_directory, const RemoteCall& call,
                                        Terminal& terminal) {
  const Descriptor directory(::open(data_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.ok()) return std::optional<int>{};
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_in(directory.get());
  if (!socket.ok() ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return std::optional<int>{};
  }
  const std::string request = encode(call);
  if (request.size() > kRequestBytesMax)
    return invalid_input("a running server takes commands of at most " + std::to_string(kRequestBytesMax) +
                         " bytes, this one has " + std::to_string(request.size()));
  const auto length = static_cast<std::uint32_t>(request.size());
  const Error broken = unavailable("the server that owns " + data_directory.string() +
                                   " closed the connection; see its log, then try again");
  // A server that is busy says so and hangs up without reading on: what it said counts, not that sending
  // failed.
  if (send_all(socket.get(), {reinterpret_cast<const char*>(&length), sizeof(length)}, waits_for_ever))
    send_all(socket.get(), request, waits_for_ever);
  bool told = false;
  while (true) {
    pollfd waiting{socket.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, 100);
    if (!told && terminal.interrupted()) {
      told = true;
      send_all(socket.get(), "i", waits_for_ever);
    }
    if (ready <= 0) continue;
    char kind = 0;
    std::uint32_t bytes = 0;
    if (!receive_all(socket.get(), &kind, 1, waits_for_ever) ||
        !receive_all(socket.get(), reinterpret_cast<char*>(&bytes), sizeof(bytes), waits_for_ever))
      return broken;
    std::string payload(bytes, '\0');
    if (!receive_all(socket.get(), payload.data(), bytes, waits_for_ever)) return broken;
    if (kind == 'o') terminal.out(payload);
    if (kind == 'e') terminal.err(payload);
    if (kind == 'x') return std::optional<int>{std::atoi(payload.c_str())};
  }
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(const std::filesystem::path& data_directory,
                                                            Handler handler, milliseconds patience) {
  Descriptor directory(::open(data_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto failed = [&data_directory] {
    return io_error("open the control socket in " + data_directory.string() + ": " + std::strerror(errno));
  };
  if (!directory.ok() || !listener.ok()) return failed();
  // We hold the directory's lock, so a socket that is there was left by a killed owner.
  ::unlinkat(directory.get(), kSocketName, 0);
  const sockaddr_un address = address_in(directory.get());
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return failed();
  if (::fchmodat(directory.get(), kSocketName, 0600, 0) != 0 || ::listen(listener.get(), kCallersMax) != 0)
    return failed();
  return std::make_unique<UnixControlServer>(std::move(directory), std::move(listener), std::move(handler),
                                             patience);
}

}  // namespace tillcast::cli
