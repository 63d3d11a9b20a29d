#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tillcast {

/// Counters, gauges and histograms with Prometheus text output. A thin face of prometheus-cpp, so that its
/// headers stay in one file. All functions are thread-safe. Labels must have few values: routes and stages,
/// never products or stores.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Adds to the counter `name` (ends in _total), creating it with `help` when new.
  void count(const std::string& name, const std::string& help, const Labels& labels, double amount = 1);
  void set(const std::string& name, const std::string& help, const Labels& labels, double value);
  /// Records `seconds` in the histogram `name` (ends in _seconds), buckets 1 ms .. 60 s.
  void observe(const std::string& name, const std::string& help, const Labels& labels, double seconds);

  /// The registry as Prometheus text format 0.0.4.
  std::string text() const;

 private:
  struct Registry;
  std::unique_ptr<Registry> registry_;
};

}  // namespace tillcast
