#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace tillcast::pipeline {

/// The time that a stage still takes at its rate so far. What its first report finds done, by an earlier run
/// that was stopped perhaps, says nothing of the rate.
class TimeLeft {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// @return seconds; nullopt while they are unknown
  std::optional<double> after(std::uint64_t done, std::uint64_t total, TimePoint now) {
    if (!first_) first_ = {done, now};
    if (done <= first_->done || total < done) return std::nullopt;
    const double seconds = std::chrono::duration<double>(now - first_->at).count();
    return seconds * static_cast<double>(total - done) / static_cast<double>(done - first_->done);
  }

 private:
  struct Report {
    std::uint64_t done;
    TimePoint at;
  };
  std::optional<Report> first_;
};

}  // namespace tillcast::pipeline
