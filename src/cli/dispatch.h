#pragma once

#include <span>
#include <string>

#include "cli/parser.h"
#include "cli/remote.h"
#include "core/config.h"

namespace tillcast::cli {

/// Runs one command line with these streams: parses it, finds the data directory, opens it or, when a server
/// owns it, has the server run the command. @return the exit code; errors are printed.
int run_words(std::span<const std::string> words, const std::filesystem::path& directory,
              std::span<const std::string> environment, Terminal& terminal);

/// Runs a caller's command inside the owner of the data directory. `jobs` may be null.
int run_remote_call(const RemoteCall& call, Terminal& terminal, pipeline::Engine& engine,
                    pipeline::JobService* jobs = nullptr);

/// The settings of a call: the data directory's file, the environment, --set and the flags.
Result<Config> settings_of(const CommandContext& context);

}  // namespace tillcast::cli
