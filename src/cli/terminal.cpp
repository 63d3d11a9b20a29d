#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace tillcast::cli {
namespace {

std::atomic<bool> stop_requested{false};

void on_signal(int number) {
  if (stop_requested.exchange(true)) ::_exit(128 + number);
}

// Writes everything; a closed pipe (`| head`) ends the output quietly, as users of pipes expect.
void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EPIPE && descriptor == STDOUT_FILENO) ::_exit(0);
      return;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

Terminal::Traits process_traits(bool allow_colour) {
  Terminal::Traits traits;
  traits.out_is_tty = ::isatty(STDOUT_FILENO) == 1;
  traits.err_is_tty = ::isatty(STDERR_FILENO) == 1;
  const char* const term = std::getenv("TERM");
  const char* const no_colour = std::getenv("NO_COLOR");
  traits.colour = allow_colour && traits.err_is_tty && (no_colour == nullptr || *no_colour == '\0') &&
                  term != nullptr && std::string_view(term) != "dumb";
  winsize size{};
  if (!traits.out_is_tty) {
    traits.width = Terminal::kWidthUnlimited;
  } else if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    traits.width = size.ws_col;
  } else if (const char* const columns = std::getenv("COLUMNS")) {
    traits.width = std::max(40, std::atoi(columns));
  }
  return traits;
}

}  // namespace

ProcessTerminal::ProcessTerminal(bool allow_colour) : Terminal(process_traits(allow_colour)) {}

void ProcessTerminal::out(std::string_view text) { write_all(STDOUT_FILENO, text); }
void ProcessTerminal::err(std::string_view text) { write_all(STDERR_FILENO, text); }
bool ProcessTerminal::interrupted() const { return stop_requested.load(); }

void ProcessTerminal::catch_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace tillcast::cli
