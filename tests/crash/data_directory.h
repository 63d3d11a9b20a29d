#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/process.h"

namespace tillcast::test {

/// A fingerprint of everything a user can see in a data directory: rows and content of each silver and gold
/// table. Empty, with a test failure, when the directory cannot be read.
std::string visible_content(const std::filesystem::path& data_directory);

/// Runs `tillcast lake verify`; a failure of the test when it is not clean.
void expect_clean_lake(const std::filesystem::path& data_directory);

/// Makes a data directory at `path`.
void make_data_directory(const std::filesystem::path& path);

/// A small synthetic sales file, the same each time, in two parts that share a month (so that there is
/// something to compact).
std::vector<std::filesystem::path> make_sales_files(const std::filesystem::path& folder, int days);

/// `tillcast run --no-forecast` over these files.
ProcessResult run_on(const std::filesystem::path& data_directory,
                     const std::vector<std::filesystem::path>& files, const ProcessOptions& options = {});

}  // namespace tillcast::test
