#pragma once

#include <string_view>

namespace tillcast {

/// The program's version; the same in CMakeLists.txt (a style check compares them).
constexpr std::string_view kVersion = "0.1.0";

}  // namespace tillcast
