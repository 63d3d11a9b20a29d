#pragma once

#include <string>
#include <string_view>

namespace tillcast::cli {

/// Where a command writes: data on out, everything else on err. The process's own streams, or, when a command
/// runs inside `tillcast serve`, the caller's, over the socket. Thread-safe.
class Terminal {
 public:
  static constexpr int kWidthUnlimited = 1'000'000;  ///< of what goes to a file or a pipe

  struct Traits {
    bool out_is_tty = false;
    bool err_is_tty = false;
    bool colour = false;  ///< on err; already false for NO_COLOR, TERM=dumb and --color never
    int width = 100;      ///< columns
  };

  explicit Terminal(Traits traits) : traits_(traits) {}
  virtual ~Terminal() = default;

  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;
  /// True once the user pressed Ctrl-C or hung up: stop at the next safe point.
  virtual bool interrupted() const = 0;

  const Traits& traits() const { return traits_; }
  /// One line on err.
  void note(std::string_view line) { err(std::string(line) + "\n"); }

 private:
  Traits traits_;
};

/// stdout and stderr of this process; SIGINT and SIGTERM set interrupted().
class ProcessTerminal final : public Terminal {
 public:
  explicit ProcessTerminal(bool allow_colour);
  void out(std::string_view text) override;
  void err(std::string_view text) override;
  bool interrupted() const override;

  /// Makes the first SIGINT or SIGTERM a request to stop and the second end the process at once.
  static void catch_signals();
};

}  // namespace tillcast::cli
