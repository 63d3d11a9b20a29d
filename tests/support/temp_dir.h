#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace tillcast::test {

/// A fresh directory that is removed at the end of the test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tillcast-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(std::string_view name) const { return path_ / name; }
  std::filesystem::path write(std::string_view name, std::string_view content) const {
    const auto at = path_ / name;
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at, std::ios::binary) << content;
    return at;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace tillcast::test
