#include "cli/commands/commands.h"
#include "cli/commands/ingest_report.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"

namespace tillcast::cli {

std::vector<OptionSpec> ingest_options() {
  std::string presets;
  for (const auto& name : pipeline::mapping_names()) presets += (presets.empty() ? "" : ", ") + name;
  return {
      {"--mapping", OptionKind::kValue, "column mapping: a TOML file, or one of " + presets, "FILE",
       "picked by the header"},
      {"--sheet", OptionKind::kValue, "sheet of an xlsx file", "NAME", "the first with data"},
  };
}

pipeline::IngestOptions ingest_options_of(const CommandContext& context) {
  pipeline::IngestOptions options;
  options.mapping = context.arguments.text("--mapping", context.engine->config().text("ingest.mapping"));
  if (options.mapping.find('/') != std::string::npos || options.mapping.ends_with(".toml"))
    options.mapping = context.resolve(options.mapping).string();
  options.sheet = context.arguments.text("--sheet");
  return options;
}

void print_ingest_report(const pipeline::IngestReport& report, Terminal& terminal) {
  if (report.already_loaded) {
    terminal.note(report.file + ": already loaded (commit " + std::to_string(report.load_seq) +
                  "), nothing to do");
    return;
  }
  const auto& totals = report.totals;
  terminal.note(
      report.file + ": " + with_thousands(totals.rows_in) + " rows in = " + with_thousands(totals.silver) +
      " " + report.dataset + " + " + with_thousands(totals.rejected + totals.duplicates) + " rejects" +
      (totals.duplicates > 0 ? " (" + with_thousands(totals.duplicates) + " of them loaded before)" : "") +
      "   mapping " + report.mapping);
  for (const auto& [reason, count] : report.reject_reasons)
    terminal.note("  " + with_thousands(count) + " x " + reason);
  for (const auto& example : report.reject_examples) terminal.note("    " + example);
  for (const auto& note : report.notes) terminal.note("  note: " + note);
  if (!report.reject_reasons.empty()) {
    terminal.note("  all of them: tillcast sql \"SELECT * FROM silver.rejects WHERE load_seq = " +
                  std::to_string(report.load_seq) + "\"");
  }
}

CommandSpec ingest_command() {
  CommandSpec command;
  command.name = "ingest";
  command.summary = "load sales files into the lake (csv, xlsx)";
  command.examples =
      "  tillcast ingest sales.csv\n  tillcast ingest train.csv store.csv\n  tillcast ingest till.csv "
      "--mapping my-till.toml\n";
  command.options = ingest_options();
  command.options.insert(command.options.begin(),
                         {"FILE", OptionKind::kPositionalList,
                          "files to load; loading one twice changes nothing", "", "", true});
  command.run = [](CommandContext& context) -> Result<int> {
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    for (const auto& file : context.arguments.list("FILE")) {
      const auto report = TILLCAST_TRY_PLAIN(
          context.engine->ingest(context.resolve(file), ingest_options_of(context), progress));
      print_ingest_report(report, context.terminal);
    }
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
