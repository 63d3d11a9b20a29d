#include <cstdio>
#include <cstring>

#include "runner.h"

namespace {

int usage() {
  std::fputs(
      "usage: sql_test [--update] [--project DIR] [--root DIR] [--database FILE] FILE|FOLDER...\n"
      "  runs the *.test files named or below the folders; --update rewrites their expected rows;\n"
      "  --database runs queries against an existing warehouse.duckdb, read-only\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  tillcast::sqltest::Options options;
  options.project = TILLCAST_SOURCE_DIR "/warehouse";
  options.root = TILLCAST_SOURCE_DIR "/tests/sql";
  std::vector<std::filesystem::path> places;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--update") == 0) {
      options.update = true;
    } else if (std::strcmp(argv[i], "--database") == 0 && has_value) {
      options.database = argv[++i];
    } else if (std::strcmp(argv[i], "--project") == 0 && has_value) {
      options.project = argv[++i];
    } else if (std::strcmp(argv[i], "--root") == 0 && has_value) {
      options.root = argv[++i];
    } else if (argv[i][0] == '-') {
      return usage();
    } else {
      places.emplace_back(argv[i]);
    }
  }
  if (places.empty()) return usage();
  const auto files = tillcast::sqltest::find_tests(places);
  if (!files) {
    std::fprintf(stderr, "%s\n", files.error().message.c_str());
    return 2;
  }
  std::size_t checks = 0;
  std::size_t failed = 0;
  for (const auto& file : *files) {
    const auto outcome = tillcast::sqltest::run_test_file(file, options);
    if (!outcome) {
      ++failed;
      std::printf("%s\n", outcome.error().message.c_str());
      continue;
    }
    checks += outcome->checks;
    failed += outcome->failures.size();
    for (const std::string& failure : outcome->failures) std::printf("%s\n", failure.c_str());
  }
  std::printf("%zu files, %zu checks, %zu failed\n", files->size(), checks, failed);
  return failed == 0 ? 0 : 1;
}
