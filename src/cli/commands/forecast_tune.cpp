#include <cmath>

#include "cli/commands/commands.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"
#include "core/text.h"
#include "pipeline/engine.h"

namespace tillcast::cli {

CommandSpec forecast_tune_command() {
  CommandSpec command;
  command.name = "forecast tune";
  command.summary = "look for better settings of the trees of a daily plan, within a time budget";
  command.examples =
      "  tillcast forecast tune store_daily\n  tillcast forecast tune store_daily --minutes 30\n";
  command.options = {
      {"PLAN", OptionKind::kPositional, "a daily plan", "", "", true},
      {"--minutes", OptionKind::kValue, "CPU minutes for new trials; the running one is finished", "N", "10"},
      {"--trials", OptionKind::kValue, "at most so many", "N", "50"}};
  command.run = [](CommandContext& context) -> Result<int> {
    const auto& arguments = context.arguments;
    pipeline::TuneRequest request;
    request.plan = arguments.text("PLAN");
    request.seconds =
        60 * static_cast<double>(TILLCAST_TRY_PLAIN(arguments.integer("--minutes", 1, 10'000, 10)));
    request.trials_max =
        static_cast<std::size_t>(TILLCAST_TRY_PLAIN(arguments.integer("--trials", 1, 1000, 50)));
    ProgressLine progress(context.terminal, arguments.has("--quiet"));
    const auto report = TILLCAST_TRY_PLAIN(context.engine->tune(request, progress));
    std::vector<std::vector<std::string>> rows = {{"trial", report.metric, "CPU s", "settings"}};
    for (std::size_t i = 0; i < report.trials.size(); ++i) {
      const auto& trial = report.trials[i];
      rows.push_back({std::to_string(i + 1) + (i == report.best ? " *" : ""),
                      std::isnan(trial.error) ? "-" : fixed(trial.error, 4), fixed(trial.cpu_seconds, 1),
                      trial.settings});
    }
    context.terminal.out(text_table(rows, {false, true, true, false}));
    if (report.best == 0) {
      context.terminal.note("the plan's own settings are the best of " +
                            std::to_string(report.trials.size()) + "; nothing to change");
    } else {
      context.terminal.note(
          "to use the best, add this line to the plan in tillcast.toml, then `tillcast forecast "
          "fit`; the gate decides on it as on any other version:");
      context.terminal.out("trees = \"" + report.trials[report.best].settings + "\"\n");
    }
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
