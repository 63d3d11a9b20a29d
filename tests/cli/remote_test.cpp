#include "cli/remote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <list>
#include <thread>

#include "kept_terminal.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::cli {
namespace {

using test::KeptTerminal;
using ::testing::HasSubstr;

TEST(Remote, CarriesWordsOutputAndExitCode) {
  const test::TempDir folder;
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ControlServer::start(folder.path(), [](const RemoteCall& call, Terminal& terminal) {
                         terminal.out("words:");
                         for (const auto& word : call.words) terminal.out(" " + word);
                         terminal.err("from " + call.directory + " with " + call.input);
                         terminal.out(std::string(200'000, 'x'));
                         return 3;
                       }));
  KeptTerminal terminal;
  ASSERT_OK_AND_ASSIGN(
      const auto code,
      run_in_owner(folder.path(), {{"sql", "SELECT 'ü'"}, "/somewhere", {}, {}, "line\n"}, terminal));
  EXPECT_EQ(code, 3);
  EXPECT_EQ(terminal.out_text, "words: sql SELECT 'ü'" + std::string(200'000, 'x'));
  EXPECT_EQ(terminal.err_text, "from /somewhere with line\n");
}

TEST(Remote, NobodyListensIsNoError) {
  const test::TempDir folder;
  KeptTerminal terminal;
  ASSERT_OK_AND_ASSIGN(const auto code, run_in_owner(folder.path(), {}, terminal));
  EXPECT_FALSE(code.has_value());
}

TEST(Remote, WorksInADirectoryWithALongName) {
  const test::TempDir folder;
  const auto deep = folder.path() / std::string(120, 'a') / std::string(120, 'b');
  std::filesystem::create_directories(deep);
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ControlServer::start(deep, [](const RemoteCall&, Terminal&) { return 0; }));
  KeptTerminal terminal;
  ASSERT_OK_AND_ASSIGN(const auto code, run_in_owner(deep, {{"x"}, "/", {}, {}}, terminal));
  EXPECT_EQ(code, 0);
}

TEST(Remote, OnlyTheOwnerMayConnect) {
  const test::TempDir folder;
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ControlServer::start(folder.path(), [](const RemoteCall&, Terminal&) { return 0; }));
  struct stat info{};
  ASSERT_EQ(::stat((folder.path() / "tillcast.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST(Remote, CtrlCReachesTheRunningCommand) {
  const test::TempDir folder;
  std::atomic<bool> running{false};
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ControlServer::start(folder.path(), [&running](const RemoteCall&, Terminal& terminal) {
                         running = true;
                         while (!terminal.interrupted())
                           std::this_thread::sleep_for(std::chrono::milliseconds(5));
                         return 130;
                       }));
  KeptTerminal terminal;
  std::thread presser([&] {
    while (!running) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    terminal.stop = true;
  });
  ASSERT_OK_AND_ASSIGN(const auto code, run_in_owner(folder.path(), {{"run"}, "/", {}, {}}, terminal));
  presser.join();
  EXPECT_EQ(code, 130);
}

TEST(Remote, StoppingTheServerEndsRunningCommands) {
  const test::TempDir folder;
  std::atomic<bool> running{false};
  ASSERT_OK_AND_ASSIGN(auto server,
                       ControlServer::start(folder.path(), [&running](const RemoteCall&, Terminal& terminal) {
                         running = true;
                         while (!terminal.interrupted())
                           std::this_thread::sleep_for(std::chrono::milliseconds(5));
                         return 1;
                       }));
  std::thread caller([&] {
    KeptTerminal terminal;
    const auto ignored = run_in_owner(folder.path(), {{"run"}, "/", {}, {}}, terminal);
  });
  while (!running) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  server.reset();
  caller.join();
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "tillcast.sock"));
}

/// A caller that sends its request and reads nothing, as one that Ctrl-Z stopped. Hangs up at last, so that a
/// server which waits for it fails the test and does not hang it.
class DeafCaller {
 public:
  explicit DeafCaller(const std::filesystem::path& folder)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder / "tillcast.sock").string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    const std::string request = R"({"protocol":1,"words":["sql"]})";
    const auto length = static_cast<std::uint32_t>(request.size());
    EXPECT_EQ(::send(socket_, &length, sizeof(length), 0), static_cast<ssize_t>(sizeof(length)));
    EXPECT_EQ(::send(socket_, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    leaving_ = std::thread([this] {
      for (int i = 0; i < 1500 && !left_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      ::shutdown(socket_, SHUT_RDWR);
    });
  }
  ~DeafCaller() {
    left_ = true;
    leaving_.join();
    ::close(socket_);
  }

 private:
  int socket_;
  std::atomic<bool> left_{false};
  std::thread leaving_;
};

TEST(Remote, OneCallerTooManyIsToldSoHoweverMuchItHasToSay) {
  const test::TempDir folder;
  std::atomic<int> running{0};
  ASSERT_OK_AND_ASSIGN(auto server,
                       ControlServer::start(folder.path(), [&running](const RemoteCall&, Terminal& terminal) {
                         ++running;
                         while (!terminal.interrupted())
                           std::this_thread::sleep_for(std::chrono::milliseconds(5));
                         return 0;
                       }));
  std::list<DeafCaller> callers;
  for (int i = 0; i < 16; ++i) callers.emplace_back(folder.path());
  while (running < 16) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  KeptTerminal terminal;
  ASSERT_OK_AND_ASSIGN(
      const auto code,
      run_in_owner(folder.path(), {{"sql", std::string(900'000, 'x')}, "/", {}, {}}, terminal));
  EXPECT_EQ(code, 1);
  EXPECT_THAT(terminal.err_text, HasSubstr("busy with 16 other commands"));
  EXPECT_ERROR(run_in_owner(folder.path(), {{"sql", std::string(1'100'000, 'x')}, "/", {}, {}}, terminal),
               ErrorCode::kInvalidInput, "at most 1048576 bytes");
}

TEST(Remote, ServesOnAfterFileDescriptorsHadRunOut) {
  const test::TempDir folder;
  std::atomic<int> served{0};
  ASSERT_OK_AND_ASSIGN(auto server,
                       ControlServer::start(folder.path(), [&served](const RemoteCall&, Terminal&) {
                         ++served;
                         return 0;
                       }));
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  {
    std::list<DeafCaller> callers;
    callers.emplace_back(folder.path());
    while (served < 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const int free = ::dup(STDIN_FILENO);
    ::close(free);
    rlimit none = usual;
    none.rlim_cur =
        static_cast<rlim_t>(free) + 1;  // room for the socket of one more caller and for no accept
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    callers.emplace_back(folder.path());
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the server meets the limit
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  }
  KeptTerminal terminal;
  auto answer = std::async(std::launch::async,
                           [&] { return run_in_owner(folder.path(), {{"run"}, "/", {}, {}}, terminal); });
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  server.reset();
  ASSERT_OK_AND_ASSIGN(const auto code, answer.get());
  EXPECT_EQ(code, 0);
}

TEST(Remote, ACallerThatReadsNothingDoesNotHoldUpTheEndOfTheServer) {
  const test::TempDir folder;
  std::atomic<bool> running{false};
  ASSERT_OK_AND_ASSIGN(auto server,
                       ControlServer::start(folder.path(), [&running](const RemoteCall&, Terminal& terminal) {
                         running = true;
                         terminal.out(std::string(50'000'000, 'x'));
                         return 0;
                       }));
  const DeafCaller caller(folder.path());
  while (!running) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto begun = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST(Remote, ACallerThatReadsNothingForLongIsInterrupted) {
  const test::TempDir folder;
  std::atomic<bool> interrupted{false};
  ASSERT_OK_AND_ASSIGN(const auto server, ControlServer::start(
                                              folder.path(),
                                              [&interrupted](const RemoteCall&, Terminal& terminal) {
                                                terminal.out(std::string(50'000'000, 'x'));
                                                interrupted = terminal.interrupted();
                                                return 130;
                                              },
                                              std::chrono::milliseconds(300)));
  const DeafCaller caller(folder.path());
  for (int i = 0; i < 500 && !interrupted; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(interrupted) << "its command holds the locks for as long as it writes";
}

}  // namespace
}  // namespace tillcast::cli
