#include "cli/commands/commands.h"
#include "pipeline/engine.h"

namespace tillcast::cli {

CommandSpec init_command() {
  CommandSpec command;
  command.name = "init";
  command.summary = "make a new data directory";
  command.examples =
      "  tillcast init shop\n  tillcast init shop --models      # with the SQL models, to change them\n";
  command.access = Access::kNone;
  command.options = {
      {"DIR", OptionKind::kPositional, "the folder to make", "", "the working directory"},
      {"--models", OptionKind::kFlag, "copy the SQL models (a dbt project) into it, to be edited"},
  };
  command.run = [](CommandContext& context) -> Result<int> {
    const auto folder = context.resolve(context.arguments.text("DIR", "."));
    const auto made = TILLCAST_TRY_PLAIN(pipeline::Engine::init(folder, context.arguments.has("--models")));
    for (const auto& path : made) context.terminal.note("made  " + path);
    const std::string where =
        context.arguments.has("DIR") ? "cd " + context.arguments.text("DIR") + " && " : "";
    context.terminal.note("next: " + where +
                          "tillcast run --input FILE   (csv or xlsx; `tillcast generate` makes one)");
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
