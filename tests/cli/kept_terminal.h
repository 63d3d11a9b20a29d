#pragma once

#include <atomic>
#include <string>

#include "cli/terminal.h"

namespace tillcast::test {

/// Keeps what is written.
class KeptTerminal final : public cli::Terminal {
 public:
  explicit KeptTerminal(const Traits& traits = {}) : cli::Terminal(traits) {}
  void out(std::string_view text) override { out_text += text; }
  void err(std::string_view text) override { err_text += text; }
  bool interrupted() const override { return stop; }
  std::string out_text;
  std::string err_text;
  std::atomic<bool> stop{false};
};

}  // namespace tillcast::test
