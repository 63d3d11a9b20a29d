#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tillcast::test {

/// By what limits of time are multiplied where a sanitizer makes everything slower.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kPatience = 10;
#else
constexpr int kPatience = 5;
#endif

/// A program that ran to its end, or was killed.
struct ProcessResult {
  int exit_code = -1;  ///< -1 when a signal ended it
  int signal = 0;
  std::string out;
  std::string err;
};

struct ProcessOptions {
  std::vector<std::string> environment;                 ///< "NAME=value", added to ours
  std::filesystem::path directory;                      ///< working directory; empty = ours
  std::optional<std::chrono::microseconds> kill_after;  ///< SIGKILL then, if it still runs
  std::function<void()> at_kill;                        ///< done just before that SIGKILL
};

/// Runs a program and collects what it prints. The program is argv[0], by path.
ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options = {});

/// The tillcast under test with these words.
ProcessResult tillcast(const std::vector<std::string>& words, const ProcessOptions& options = {});

/// True when skips must be failures: TILLCAST_FAIL_ON_SKIP is set, as .ci/run does.
bool everything_required();

/// The folder of real data sets (TILLCAST_DATASETS, else ../shared/data beside the sources), or nullopt.
std::optional<std::filesystem::path> datasets();

}  // namespace tillcast::test

/// Leaves a test with a loud reason, or fails it where the thing must be there.
#define TILLCAST_SKIP_OR_FAIL(reason)                                                   \
  do {                                                                                  \
    if (::tillcast::test::everything_required()) FAIL() << "required here: " << reason; \
    GTEST_SKIP() << "SKIPPED, NOT TESTED: " << reason;                                  \
  } while (false)
