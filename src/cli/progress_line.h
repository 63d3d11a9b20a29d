#pragma once

#include <chrono>
#include <string>

#include "cli/terminal.h"
#include "pipeline/engine.h"
#include "pipeline/time_left.h"

namespace tillcast::cli {

/// Shows a run on the terminal: one line per finished stage with rows and seconds, and, on a TTY, a moving
/// line with the step of the stage, percent, rate and time left; elsewhere a line every ten seconds.
class ProgressLine final : public pipeline::StageObserver {
 public:
  explicit ProgressLine(Terminal& terminal, bool quiet) : terminal_(terminal), quiet_(quiet) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  /// Takes the moving line away, so that what is printed next, an error perhaps, has a line of its own.
  ~ProgressLine() override { clear_line(); }

  void stage_started(const std::string& name, std::string_view unit) override;
  void step(std::string_view name) override { step_ = name; }
  void update(std::uint64_t done, std::uint64_t total) override;
  void stage_finished(const pipeline::StageReport& report) override;
  void note(const std::string& line) override;
  bool cancelled() const override { return terminal_.interrupted(); }

 private:
  using SteadyClock = std::chrono::steady_clock;
  void clear_line();

  Terminal& terminal_;
  bool quiet_;
  std::string name_;
  std::string step_;
  std::string unit_;
  pipeline::TimeLeft left_;
  SteadyClock::time_point started_{};
  SteadyClock::time_point shown_{};
  bool line_open_ = false;
};

}  // namespace tillcast::cli
