#include "support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace tillcast::test {
namespace {

using Clock = std::chrono::steady_clock;

// Reads what is there; false at the end of the stream.
bool drain(int descriptor, std::string& into) {
  std::array<char, 65536> block;
  const ssize_t got = ::read(descriptor, block.data(), block.size());
  if (got > 0) into.append(block.data(), static_cast<std::size_t>(got));
  return got > 0;
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  ProcessResult result;
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) return result;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(126);
    for (const auto& variable : options.environment) ::putenv(const_cast<char*>(variable.c_str()));
    std::vector<char*> words;
    for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  const auto started = Clock::now();
  bool killed = false;
  bool out_open = true;
  bool err_open = true;
  while (out_open || err_open) {
    std::array<pollfd, 2> waiting{pollfd{out_open ? out[0] : -1, POLLIN, 0},
                                  pollfd{err_open ? err[0] : -1, POLLIN, 0}};
    timespec patience{1, 0};
    if (options.kill_after && !killed) {
      const auto left = *options.kill_after - (Clock::now() - started);
      const auto nanos =
          std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::nanoseconds>(left).count());
      patience = {nanos / 1'000'000'000, nanos % 1'000'000'000};
    }
    ::ppoll(waiting.data(), waiting.size(), &patience, nullptr);
    if (options.kill_after && !killed && Clock::now() - started >= *options.kill_after) {
      if (options.at_kill) options.at_kill();
      ::kill(child, SIGKILL);
      killed = true;
    }
    if (waiting[0].revents != 0) out_open = drain(out[0], result.out);
    if (waiting[1].revents != 0) err_open = drain(err[0], result.err);
  }
  ::close(out[0]);
  ::close(err[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

ProcessResult tillcast(const std::vector<std::string>& words, const ProcessOptions& options) {
  std::vector<std::string> argv = {TILLCAST_BINARY};
  argv.insert(argv.end(), words.begin(), words.end());
  return run_process(argv, options);
}

bool everything_required() { return std::getenv("TILLCAST_FAIL_ON_SKIP") != nullptr; }

std::optional<std::filesystem::path> datasets() {
  const char* const named = std::getenv("TILLCAST_DATASETS");
  const std::filesystem::path folder =
      named != nullptr ? named : std::filesystem::path(TILLCAST_SOURCE_DIR) / "../shared/data";
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored)) return std::nullopt;
  return std::filesystem::canonical(folder, ignored);
}

}  // namespace tillcast::test
