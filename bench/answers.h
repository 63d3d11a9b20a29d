#pragma once

#include <cmath>
#include <cstdio>
#include <ctime>
#include <initializer_list>
#include <string>
#include <utility>

namespace tillcast::bench {

/// User and system seconds of this process so far, all threads.
inline double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// What a benchmark found off in its own answers; its exit status.
inline bool faults = false;
inline void expect(bool held, const char* what) {
  if (held) return;
  std::printf("OFF: %s\n", what);
  faults = true;
}

/// One line of JSON for `./dev bench`, which keeps these lines: {"name": "...", "rmspe": 0.1, ...}. A NaN is
/// left out.
inline void print_figures(const std::string& name,
                          std::initializer_list<std::pair<const char*, double>> figures) {
  std::printf("{\"name\": \"%s\"", name.c_str());
  for (const auto& [key, value] : figures)
    if (!std::isnan(value)) std::printf(", \"%s\": %.6g", key, value);
  std::printf("}\n");
  std::fflush(stdout);
}

}  // namespace tillcast::bench
