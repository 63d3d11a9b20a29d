#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

/// Runs the data-driven SQL tests (tests/sql/README.md has the dialect).
namespace tillcast::sqltest {

struct Options {
  std::filesystem::path project;  ///< the dbt project that `build` and `check` run
  std::filesystem::path root;     ///< where `load` looks when the file is not beside the test
  std::optional<std::filesystem::path>
      database;         ///< an existing database, opened read-only, instead of a fresh one
  bool update = false;  ///< rewrite expected rows instead of failing
};

struct Outcome {
  std::size_t checks = 0;             ///< statements, queries, builds and checks that ran
  std::vector<std::string> failures;  ///< each readable by itself: place, what was expected, what came
  std::string content;                ///< the file with its expected rows as they should be
};

/// Runs one test from its text. @return kInvalidInput "file:line: ..." when the file is no test.
Result<Outcome> run_test_text(std::string_view content, const std::filesystem::path& file,
                              const Options& options);
/// Runs a file, and rewrites it when `update` changed anything.
Result<Outcome> run_test_file(const std::filesystem::path& file, const Options& options);
/// All *.test files below the given files and folders, sorted.
Result<std::vector<std::filesystem::path>> find_tests(const std::vector<std::filesystem::path>& places);

/// Expected and found lines side by side, "-" only expected, "+" only found.
std::string line_diff(const std::vector<std::string>& expected, const std::vector<std::string>& found);

}  // namespace tillcast::sqltest
