#include "core/crash_point.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace tillcast {
namespace {

struct Target {
  std::string name;
  int countdown = 0;
};

const Target& target() {
  static const Target kTarget = [] {
    const char* const value = std::getenv("TILLCAST_CRASH_AT");
    if (value == nullptr) return Target{};
    const std::string_view text = value;
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return Target{std::string(text), 1};
    return Target{std::string(text.substr(0, colon)), std::atoi(value + colon + 1)};
  }();
  return kTarget;
}

}  // namespace

void crash_point(const char* name) {
  const Target& wanted = target();
  if (wanted.name.empty() || wanted.name != name) return;
  static std::atomic<int> reached{0};
  if (++reached >= wanted.countdown) ::kill(::getpid(), SIGKILL);
}

}  // namespace tillcast
