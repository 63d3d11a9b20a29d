#pragma once

namespace tillcast {
/// Prints the failed condition with its place and aborts. For what cannot happen in a correct program.
[[noreturn]] void check_failed(const char* condition, const char* file, int line, const char* message);
}  // namespace tillcast

/// An assertion that stays on in release builds.
#define TILLCAST_CHECK(condition, message)                                               \
  do {                                                                                   \
    if (!(condition)) ::tillcast::check_failed(#condition, __FILE__, __LINE__, message); \
  } while (false)
