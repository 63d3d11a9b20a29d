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
  /// What is worked on from now on, within the task: "back-test", "global_trees: features".
  virtual void step(std::string_view /*name*/) {}
  /// True when the user asked to stop: the task returns kCancelled at its next safe point. From any thread.
  virtual bool cancelled() const { return false; }
};

/// A stretch of a longer task: what is done of it moves the whole from one share to the next.
class ProgressPart final : public Progress {
 public:
  static constexpr std::uint64_t kUnits = 100'000;  ///< of the whole

  /// @param from, to  shares of the whole, 0 to 1
  ProgressPart(Progress& whole, double from, double to) : whole_(whole), from_(from), size_(to - from) {}
  void update(std::uint64_t done, std::uint64_t total) override {
    const double share =
        total > 0 ? static_cast<double>(done < total ? done : total) / static_cast<double>(total) : 0;
    whole_.update(static_cast<std::uint64_t>(kUnits * (from_ + size_ * share)), kUnits);
  }
  void step(std::string_view name) override { whole_.step(name); }
  bool cancelled() const override { return whole_.cancelled(); }

 private:
  Progress& whole_;
  double from_;
  double size_;
};

/// Reports nowhere.
class NoProgress final : public Progress {
 public:
  void update(std::uint64_t, std::uint64_t) override {}
};

}  // namespace tillcast
