#pragma once

#include <string_view>

namespace tillcast {

/// A file built into the binary by cmake/TillcastEmbed.cmake.
struct EmbeddedFile {
  std::string_view path;  ///< relative, with forward slashes
  std::string_view content;
};

}  // namespace tillcast
