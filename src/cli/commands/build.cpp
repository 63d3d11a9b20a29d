#include "cli/commands/build_report.h"
#include "cli/commands/commands.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"

namespace tillcast::cli {
namespace {

std::vector<OptionSpec> selection_options() {
  return {
      {"--select", OptionKind::kValue, "models in dbt's selection words: name, +name, name+, tag:x", "WORDS",
       "all"},
      {"--exclude", OptionKind::kValue, "models to leave out", "WORDS"},
  };
}

Result<int> build(CommandContext& context, pipeline::BuildOptions options) {
  options.select = context.arguments.text("--select");
  options.exclude = context.arguments.text("--exclude");
  ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
  const auto report = TILLCAST_TRY_PLAIN(context.engine->build(options, progress));
  print_failures(report, context.terminal);
  std::string summary;
  if (!options.tests_only)
    summary =
        std::to_string(report.models) + " models built, " + std::to_string(report.unchanged) + " unchanged, ";
  context.terminal.note(summary + std::to_string(report.tests - report.tests_failed) + " of " +
                        std::to_string(report.tests) + " checks passed" +
                        (report.warnings > 0 ? ", " + std::to_string(report.warnings) + " warnings" : "") +
                        " in " + format_seconds(report.seconds));
  if (report.tests_failed == 0) return kExitOk;
  context.terminal.note(
      "when a load is at fault: tillcast lake remove COMMIT; `tillcast lake ls --loads` lists them");
  return kExitChecksFailed;
}

}  // namespace

void print_failures(const pipeline::BuildReport& report, Terminal& terminal) {
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < report.failures.size() && i < kShown; ++i) {
    terminal.note("failed: " + report.failures[i].substr(0, report.failures[i].find("\n\n")));
  }
  if (report.failures.size() > kShown) {
    terminal.note("... and " + std::to_string(report.failures.size() - kShown) +
                  " more: runs/latest/run_results.json");
  }
}

CommandSpec build_command() {
  CommandSpec command;
  command.name = "build";
  command.summary = "build the gold tables from the lake";
  command.examples =
      "  tillcast build\n  tillcast build --select +demand_daily\n  tillcast build --full-refresh      # "
      "everything anew from the lake\n";
  command.options = selection_options();
  command.options.push_back(
      {"--full-refresh", OptionKind::kFlag, "rebuild incremental and unchanged models too"});
  command.run = [](CommandContext& context) -> Result<int> {
    pipeline::BuildOptions options;
    options.full_refresh = context.arguments.has("--full-refresh");
    return build(context, options);
  };
  return command;
}

CommandSpec check_command() {
  CommandSpec command;
  command.name = "check";
  command.summary = "run the data checks on what is built (exit 3 when one fails)";
  command.examples = "  tillcast check\n  tillcast check --select fact_sale_line\n";
  command.options = selection_options();
  command.run = [](CommandContext& context) -> Result<int> {
    pipeline::BuildOptions options;
    options.tests_only = true;
    return build(context, options);
  };
  return command;
}

}  // namespace tillcast::cli
