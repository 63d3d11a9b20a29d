#include "cli/remote.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::cli {
namespace {

/// Keeps what is written.
class KeptTerminal final : public Terminal {
 public:
  KeptTerminal() : Terminal({}) {}
  void out(std::string_view text) override { out_text += text; }
  void err(std::string_view text) override { err_text += text; }
  bool interrupted() const override { return stop; }
  std::string out_text;
  std::string err_text;
  std::atomic<bool> stop{false};
};

TEST(Remote, CarriesWordsOutputAndExitCode) {
  const test::TempDir folder;
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ControlServer::start(folder.path(), [](const RemoteCall& call, Terminal& terminal) {
                         terminal.out("words:");
                         for (const auto& word : call.words) terminal.out(" " + word);
                         terminal.err("from " + call.directory);
                         terminal.out(std::string(200'000, 'x'));
                         return 3;
                       }));
  KeptTerminal terminal;
  ASSERT_OK_AND_ASSIGN(const auto code,
                       run_in_owner(folder.path(), {{"sql", "SELECT 'ü'"}, "/somewhere", {}, {}}, terminal));
  EXPECT_EQ(code, 3);
  EXPECT_EQ(terminal.out_text, "words: sql SELECT 'ü'" + std::string(200'000, 'x'));
  EXPECT_EQ(terminal.err_text, "from /somewhere");
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

}  // namespace
}  // namespace tillcast::cli
