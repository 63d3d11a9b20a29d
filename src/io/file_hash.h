#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/progress.h"
#include "core/result.h"

namespace tillcast::io {

/// SHA-256 as 64 hex digits; the key of a loaded file. Reads in blocks, constant memory.
Result<std::string> sha256_file(const std::filesystem::path& path, Progress* progress = nullptr);
std::string sha256_text(std::string_view text);

/// SHA-256 of bytes that arrive piece by piece. Not thread-safe.
class RunningSha256 {
 public:
  RunningSha256();
  ~RunningSha256();
  void add(std::string_view bytes);
  /// 64 hex digits of everything added; call once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// XXH3-64 as 16 hex digits; finds damaged data files. Not for secrets.
Result<std::string> xxh3_file(const std::filesystem::path& path);
std::string xxh3_text(std::string_view text);

}  // namespace tillcast::io
