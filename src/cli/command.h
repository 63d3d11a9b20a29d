#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"
#include "core/result.h"

namespace tillcast::pipeline {
class Engine;
class JobService;
}  // namespace tillcast::pipeline

namespace tillcast::cli {

enum class OptionKind : std::uint8_t { kFlag, kValue, kList, kPositional, kPositionalList };

/// One option or positional of a command. Help, parsing and shell completion all come from this row.
struct OptionSpec {
  std::string name;  ///< "--input" or, for positionals, "FILE"
  OptionKind kind = OptionKind::kValue;
  std::string help;
  std::string value_name = {};     ///< "FILE", "N"
  std::string default_value = {};  ///< shown in the help; empty = none
  bool required = false;
  std::vector<std::string> choices = {};  ///< the only values allowed; empty = any
};

/// The parsed words of one call.
class Arguments {
 public:
  void add(const std::string& name, std::vector<std::string> values) { values_[name] = std::move(values); }
  bool has(const std::string& name) const { return values_.contains(name); }
  std::string text(const std::string& name, const std::string& otherwise = "") const;
  std::vector<std::string> list(const std::string& name) const;
  /// kInvalidInput naming the option when the value is no whole number of [low, high].
  Result<std::int64_t> integer(const std::string& name, std::int64_t low, std::int64_t high,
                               std::int64_t otherwise) const;
  /// The error of words that are wrong in themselves, such as a value out of its range: the exit code is
  /// kExitUsage.
  Error wrong(std::string message) const;
  bool were_wrong() const { return were_wrong_; }

 private:
  mutable bool were_wrong_ = false;
  std::map<std::string, std::vector<std::string>> values_;
};

/// Exit codes; docs/cli.md explains them.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitChecksFailed = 3,
  kExitInterrupted = 130
};

/// What a command gets: its words, its streams, where relative paths start and, unless it needs none, the
/// opened data directory.
struct CommandContext {
  Arguments arguments;
  Terminal& terminal;
  std::filesystem::path directory;       ///< the caller's working directory
  std::filesystem::path data_directory;  ///< --data, TILLCAST_DATA, or `directory`
  std::vector<std::string> environment;  ///< the caller's TILLCAST_* variables
  pipeline::Engine* engine = nullptr;    ///< set when the command's access is kData
  pipeline::JobService* jobs = nullptr;  ///< set inside the server that works on them
  std::string input = {};                ///< what came on stdin, where the command's stdin_option is -

  /// A path the user typed, made absolute against the caller's directory.
  std::filesystem::path resolve(const std::string& typed) const;
  /// Who asks, for histories: TILLCAST_USER, else "command line".
  std::string caller() const;
};

enum class Access : std::uint8_t {
  kNone,   ///< touches no data directory
  kData,   ///< needs the data directory: opened here, or run inside the server that owns it
  kOwner,  ///< becomes the owner itself (serve): never forwarded
};

/// One subcommand. `name` may be two words ("lake ls").
struct CommandSpec {
  std::string name;
  std::string summary;
  std::string examples;  ///< two or three lines that run as they stand
  std::vector<OptionSpec> options;
  Access access = Access::kData;
  std::function<Result<int>(CommandContext&)> run;
  std::string stdin_option = {};  ///< the option whose value - means standard input
};

/// Every command, in the order of the help.
std::span<const CommandSpec> all_commands();
/// Options of every command: --data, --set, --quiet, --color, --log-level, --log-format, --help.
std::span<const OptionSpec> global_options();

/// Prints an error as one line ("tillcast: error: ...") and gives the exit code of its class.
int report_error(Terminal& terminal, const Error& error);

}  // namespace tillcast::cli
