#pragma once

#include <cstdint>
#include <string_view>

namespace tillcast {

/// Where long work reports how far it is; the CLI draws rate and ETA from it, the API a job's progress.
/// Called at most a few thousand times per task, from the thread that works; implementations must be quick.
class Progress {
 public:
  virtual ~Progress() = default;
  /// `done` of `total` units (bytes, rows, series); total 0 = unknown.
  virtual void update(std::uint64_t done, std::uint64_t total) = 0;
  /// True when the user asked to stop: the task returns kCancelled at its next safe point.
  virtual bool cancelled() const { return false; }
};

/// Reports nowhere.
class NoProgress final : public Progress {
 public:
  void update(std::uint64_t, std::uint64_t) override {}
};

}  // namespace tillcast
