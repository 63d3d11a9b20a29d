#include "cli/commands/commands.h"
#include "cli/dispatch.h"
#include "cli/parser.h"
#include "cli/result_format.h"
#include "core/version.h"
#include "database/database.h"

namespace tillcast::cli {

CommandSpec config_show_command() {
  CommandSpec command;
  command.name = "config show";
  command.summary = "every setting with its value and where it came from";
  command.examples = "  tillcast config show\n  tillcast config show --origin\n";
  command.access = Access::kNone;
  command.options = {{"--origin", OptionKind::kFlag, "also where each value came from"}};
  command.run = [](CommandContext& context) -> Result<int> {
    const auto config = TILLCAST_TRY_PLAIN(settings_of(context));
    const bool origin = context.arguments.has("--origin");
    std::vector<std::vector<std::string>> rows = {{"setting", "value"}};
    if (origin) rows[0].push_back("origin");
    for (const auto& shown : config.show()) {
      rows.push_back({shown.key, shown.value});
      if (origin) rows.back().push_back(shown.origin);
    }
    context.terminal.out(text_table(rows, {false, false, false}));
    return kExitOk;
  };
  return command;
}

CommandSpec completion_command() {
  CommandSpec command;
  command.name = "completion";
  command.summary = "a completion script for your shell";
  command.examples =
      "  source <(tillcast completion bash)\n  tillcast completion fish > "
      "~/.config/fish/completions/tillcast.fish\n";
  command.access = Access::kNone;
  command.options = {{"SHELL", OptionKind::kPositional, "the shell", "", "", true, {"bash", "zsh", "fish"}}};
  command.run = [](CommandContext& context) -> Result<int> {
    const auto script = TILLCAST_TRY_PLAIN(completion_script(context.arguments.text("SHELL")));
    context.terminal.out(script);
    return kExitOk;
  };
  return command;
}

CommandSpec version_command() {
  CommandSpec command;
  command.name = "version";
  command.summary = "version of this program and of what it is built with";
  command.examples = "  tillcast version\n";
  command.access = Access::kNone;
  command.run = [](CommandContext& context) -> Result<int> {
    context.terminal.out("tillcast " + std::string(kVersion) + " (DuckDB " + database::duckdb_version() +
                         ")\n");
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
