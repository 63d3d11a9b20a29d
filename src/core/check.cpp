#include "core/check.h"

#include <cstdio>
#include <cstdlib>

namespace tillcast {

void check_failed(const char* condition, const char* file, int line, const char* message) {
  std::fprintf(stderr, "tillcast: internal error at %s:%d: %s (%s)\n", file, line, message, condition);
  std::abort();
}

}  // namespace tillcast
