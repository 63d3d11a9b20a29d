#include <algorithm>

#include "cli/commands/build_report.h"
#include "cli/commands/commands.h"
#include "cli/commands/forecast_report.h"
#include "cli/commands/ingest_report.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"

namespace tillcast::cli {

CommandSpec run_command() {
  CommandSpec command;
  command.name = "run";
  command.summary = "the whole way: load files, build gold, check, forecast";
  command.examples =
      "  tillcast run --input sales.xlsx\n  tillcast run --input train.csv --input store.csv\n  tillcast run "
      "             # the inputs of tillcast.toml, or what is loaded already\n";
  command.options = ingest_options();
  command.options.insert(
      command.options.begin(),
      {"--input", OptionKind::kList, "a file to load; may be given several times", "FILE", "ingest.inputs"});
  command.options.push_back({"--no-forecast", OptionKind::kFlag, "stop after the checks"});
  command.run = [](CommandContext& context) -> Result<int> {
    pipeline::RunOptions options;
    for (const auto& file : context.arguments.list("--input"))
      options.inputs.push_back(context.resolve(file));
    if (options.inputs.empty()) {
      for (const auto& file : context.engine->config().list("ingest.inputs")) {
        const std::filesystem::path path(file);
        options.inputs.push_back(path.is_absolute() ? path : context.data_directory / path);
      }
    }
    options.ingest = ingest_options_of(context);
    options.forecast =
        !context.arguments.has("--no-forecast") && context.engine->config().flag("forecast.enabled");
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    const auto report = TILLCAST_TRY_PLAIN(context.engine->run(options, progress));
    double seconds = 0;
    for (const auto& stage : report.stages) seconds += stage.seconds;
    for (const auto& ingest : report.ingests) print_ingest_report(ingest, context.terminal);
    print_failures(report.build, context.terminal);
    print_plan_reports(report.plans, context.terminal);
    if (options.forecast && !report.checks_failed() && report.plans.empty()) {
      context.terminal.note(
          "nothing is forecast: no line of what is loaded sells a quantity above zero, and none states the "
          "sales of a day");
    }
    if (report.checks_failed()) {
      context.terminal.note(std::to_string(report.build.tests_failed) +
                            " checks failed; gold is as it was before this run");
      for (const auto& ingest : report.ingests) {
        if (ingest.already_loaded) continue;
        context.terminal.note("to take " + ingest.file + " out again: tillcast lake remove " +
                              std::to_string(ingest.load_seq));
      }
      if (std::ranges::all_of(report.ingests, &pipeline::IngestReport::already_loaded))
        context.terminal.note(
            "to take a load out again: tillcast lake remove COMMIT; `tillcast lake ls --loads` lists them");
      return kExitChecksFailed;
    }
    context.terminal.note(
        "done in " + format_seconds(seconds) +
        ".  next: tillcast serve   or   tillcast sql \"SELECT * FROM sales_monthly_country LIMIT 10\"");
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
