#include "cli/progress_line.h"

#include <array>
#include <cstdio>

#include "cli/result_format.h"

namespace tillcast::cli {
namespace {

constexpr auto kTtyInterval = std::chrono::milliseconds(100);
constexpr auto kPlainInterval = std::chrono::seconds(10);

std::string amount(double value, const std::string& unit) {
  if (unit == "bytes") return format_bytes(static_cast<std::uint64_t>(value));
  return with_thousands(static_cast<std::int64_t>(value)) + " " + unit;
}

}  // namespace

void ProgressLine::stage_started(const std::string& name, std::string_view unit) {
  name_ = name;
  step_.clear();
  unit_ = unit;
  left_ = {};
  started_ = SteadyClock::now();
  shown_ = started_;
}

void ProgressLine::update(std::uint64_t done, std::uint64_t total) {
  if (quiet_) return;
  const auto now = SteadyClock::now();
  const auto left = left_.after(done, total, now);
  const bool tty = terminal_.traits().err_is_tty;
  if (tty ? now - shown_ < kTtyInterval : now - shown_ < kPlainInterval) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string line = name_ + (step_.empty() ? "" : ", " + step_) + "  ";
  if (total > 0) {
    std::array<char, 16> percent{};
    std::snprintf(percent.data(), percent.size(), "%3.0f %%  ",
                  100.0 * static_cast<double>(done) / static_cast<double>(total));
    line += percent.data();
  } else {
    line += amount(static_cast<double>(done), unit_) + "  ";
  }
  const bool shares = unit_ == pipeline::kShares;
  if (!shares) line += amount(rate, unit_) + "/s";
  if (total > done && left) line += (shares ? "" : "  ") + format_seconds(*left) + " left";
  if (tty) {
    terminal_.err("\r\x1b[K" + line);
    line_open_ = true;
  } else {
    terminal_.note(line);
  }
}

void ProgressLine::clear_line() {
  if (line_open_) terminal_.err("\r\x1b[K");
  line_open_ = false;
}

void ProgressLine::stage_finished(const pipeline::StageReport& report) {
  clear_line();
  if (quiet_) return;
  using Status = pipeline::StageReport::Status;
  const bool colour = terminal_.traits().colour;
  std::string mark = report.status == Status::kFailed      ? "failed"
                     : report.status == Status::kUnchanged ? "same  "
                                                           : "done  ";
  if (colour) {
    mark = (report.status == Status::kFailed      ? "\x1b[31m"
            : report.status == Status::kUnchanged ? "\x1b[2m"
                                                  : "\x1b[32m") +
           mark + "\x1b[0m";
  }
  std::string name = report.name;
  if (name.size() < 30) name.resize(30, ' ');
  std::string rows = report.rows > 0 ? with_thousands(report.rows) + " rows" : "";
  if (rows.size() < 16) rows.insert(0, 16 - rows.size(), ' ');
  std::string seconds = format_seconds(report.seconds);
  if (seconds.size() < 10) seconds.insert(0, 10 - seconds.size(), ' ');
  terminal_.note(mark + "  " + name + rows + seconds + (report.detail.empty() ? "" : "   " + report.detail));
}

void ProgressLine::note(const std::string& line) {
  clear_line();
  if (!quiet_) terminal_.note(line);
}

}  // namespace tillcast::cli
