#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "core/result.h"

namespace tillcast::cli {

/// A command line on its way to the process that owns the data directory.
struct RemoteCall {
  std::vector<std::string> words;
  std::string directory;                 ///< the caller's working directory
  std::vector<std::string> environment;  ///< the caller's TILLCAST_* variables
  Terminal::Traits traits;
  std::string input = {};  ///< of the caller's stdin, where an option asks for it
};

/// Runs a call in the owner of `data_directory`, passing its output to `terminal` and Ctrl-C to it.
/// @return its exit code, or nullopt when nobody listens there; kUnavailable when the connection breaks
/// midway.
Result<std::optional<int>> run_in_owner(const std::filesystem::path& data_directory, const RemoteCall& call,
                                        Terminal& terminal);

/// The owner's end: a unix socket `tillcast.sock` in the data directory (mode 0600), one thread per caller,
/// at most 16 at once. Wire format: docs/formats/control_socket.md.
class ControlServer {
 public:
  using Handler = std::function<int(const RemoteCall&, Terminal&)>;

  /// @param patience  with a caller that reads nothing: then its connection is cut and its command
  /// interrupted
  static Result<std::unique_ptr<ControlServer>> start(
      const std::filesystem::path& data_directory, Handler handler,
      std::chrono::milliseconds patience = std::chrono::seconds(30));
  /// Refuses new callers, interrupts running calls and waits for them, but for no caller that reads nothing.
  virtual ~ControlServer() = default;
};

}  // namespace tillcast::cli
