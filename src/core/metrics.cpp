#include "core/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <unordered_map>

namespace tillcast {

struct Metrics::Registry {
  mutable std::mutex mutex;
  prometheus::Registry registry;
  std::unordered_map<std::string, prometheus::Family<prometheus::Counter>*> counters;
  std::unordered_map<std::string, prometheus::Family<prometheus::Gauge>*> gauges;
  std::unordered_map<std::string, prometheus::Family<prometheus::Histogram>*> histograms;
};

namespace {

// Returns the family of that name, registering it the first time.
template <class Family, class Build>
Family& family_of(std::unordered_map<std::string, Family*>& families, const std::string& name, Build build) {
  auto& slot = families[name];
  if (slot == nullptr) slot = &build();
  return *slot;
}

}  // namespace

Metrics::Metrics() : registry_(std::make_unique<Registry>()) {}
Metrics::~Metrics() = default;

void Metrics::count(const std::string& name, const std::string& help, const Labels& labels, double amount) {
  const std::lock_guard lock(registry_->mutex);
  family_of(registry_->counters, name,
            [&]() -> auto& {
              return prometheus::BuildCounter().Name(name).Help(help).Register(registry_->registry);
            })
      .Add(labels)
      .Increment(amount);
}

void Metrics::set(const std::string& name, const std::string& help, const Labels& labels, double value) {
  const std::lock_guard lock(registry_->mutex);
  family_of(
      registry_->gauges, name,
      [&]() -> auto& { return prometheus::BuildGauge().Name(name).Help(help).Register(registry_->registry); })
      .Add(labels)
      .Set(value);
}

void Metrics::observe(const std::string& name, const std::string& help, const Labels& labels,
                      double seconds) {
  static const prometheus::Histogram::BucketBoundaries kBuckets = {
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60};
  const std::lock_guard lock(registry_->mutex);
  family_of(registry_->histograms, name,
            [&]() -> auto& {
              return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_->registry);
            })
      .Add(labels, kBuckets)
      .Observe(seconds);
}

std::string Metrics::text() const {
  const std::lock_guard lock(registry_->mutex);
  return prometheus::TextSerializer().Serialize(registry_->registry.Collect());
}

}  // namespace tillcast
