#include <algorithm>

#include "cli/commands/build_report.h"
#include "cli/commands/commands.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"
#include "core/civil_time.h"

namespace tillcast::cli {

CommandSpec lake_ls_command() {
  CommandSpec command;
  command.name = "lake ls";
  command.summary = "datasets, rows, sizes and loads of the lake";
  command.examples = "  tillcast lake ls\n  tillcast lake ls --loads\n";
  command.options = {
      {"--loads", OptionKind::kFlag, "the loaded files instead of the datasets, removed ones too"}};
  command.run = [](CommandContext& context) -> Result<int> {
    std::vector<std::vector<std::string>> rows;
    if (context.arguments.has("--loads")) {
      const auto snapshot = TILLCAST_TRY_PLAIN(context.engine->lake_snapshot());
      auto loads = TILLCAST_TRY_PLAIN(context.engine->lake_removed());
      for (const auto& load : snapshot.loads) loads.push_back({load, 0, {}});
      std::ranges::sort(loads, {}, [](const lake::RemovedLoad& one) { return one.load.seq; });
      rows.push_back({"commit", "loaded at", "rows in", "silver", "rejects", "source", "removed at", "file"});
      for (const auto& [load, removed_seq, removed_at] : loads) {
        rows.push_back({std::to_string(load.seq), format_timestamp(load.created_at),
                        with_thousands(load.totals.rows_in), with_thousands(load.totals.silver),
                        with_thousands(load.totals.rejected + load.totals.duplicates), load.source,
                        removed_seq > 0 ? format_timestamp(removed_at) : "", load.file});
      }
      context.terminal.out(text_table(rows, {true, false, true, true, true, false, false, false}));
      return kExitOk;
    }
    const auto datasets = TILLCAST_TRY_PLAIN(context.engine->lake_list());
    rows.push_back({"dataset", "files", "rows", "size", "from", "to"});
    for (const auto& dataset : datasets) {
      rows.push_back({dataset.name, with_thousands(dataset.files), with_thousands(dataset.rows),
                      format_bytes(dataset.bytes), dataset.date_min ? format_date(*dataset.date_min) : "",
                      dataset.date_max ? format_date(*dataset.date_max) : ""});
    }
    context.terminal.out(text_table(rows, {false, true, true, true, false, false}));
    return kExitOk;
  };
  return command;
}

CommandSpec lake_verify_command() {
  CommandSpec command;
  command.name = "lake verify";
  command.summary = "check every file against the manifest (exit 3 when something is wrong)";
  command.examples = "  tillcast lake verify\n";
  command.run = [](CommandContext& context) -> Result<int> {
    const auto verify = [&context] {
      ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
      progress.stage_started("verify", "bytes");
      return context.engine->lake_verify(progress);
    };
    const auto findings = TILLCAST_TRY_PLAIN(verify());
    std::int64_t errors = 0;
    for (const auto& finding : findings) {
      const bool error = finding.severity == lake::Finding::Severity::kError;
      errors += error ? 1 : 0;
      context.terminal.out((error ? "error   " : "remark  ") + finding.kind + "  " + finding.path + "  " +
                           finding.message + "\n");
    }
    const auto snapshot = TILLCAST_TRY_PLAIN(context.engine->lake_snapshot());
    std::int64_t files = 0;
    for (const auto& [dataset, list] : snapshot.files) files += static_cast<std::int64_t>(list.size());
    context.terminal.out(
        errors == 0 ? "clean: " + std::to_string(files) + " files, manifest at commit " +
                          std::to_string(snapshot.seq) + "\n"
                    : std::to_string(errors) +
                          " errors; the files above need to be restored or their source loaded again\n");
    return errors == 0 ? kExitOk : kExitChecksFailed;
  };
  return command;
}

CommandSpec lake_remove_command() {
  CommandSpec command;
  command.name = "lake remove";
  command.summary = "take a load out again, as if its file had never come, and build gold without it";
  command.examples = "  tillcast lake ls --loads\n  tillcast lake remove 7\n";
  command.options = {{"LOAD", OptionKind::kPositional,
                      "commit number of the load, or the first 8 or more digits of its file's SHA-256", "",
                      "", true}};
  command.run = [](CommandContext& context) -> Result<int> {
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    const auto report =
        TILLCAST_TRY_PLAIN(context.engine->lake_remove(context.arguments.text("LOAD"), progress));
    const auto& load = report.removed.load;
    context.terminal.out("commit " + std::to_string(load.seq) + " (" + load.file +
                         ") is out: " + with_thousands(load.totals.silver) + " rows and " +
                         with_thousands(load.totals.rejected + load.totals.duplicates) +
                         " rejects; loading the file again brings them back\n");
    if (!report.build) return kExitOk;
    print_failures(*report.build, context.terminal);
    if (report.build->tests_failed > 0) {
      context.terminal.note(std::to_string(report.build->tests_failed) +
                            " checks fail without it too; gold is as it was before");
      return kExitChecksFailed;
    }
    context.terminal.note(
        "next: tillcast run      # forecasts without it, by models that did not learn from it");
    return kExitOk;
  };
  return command;
}

CommandSpec lake_compact_command() {
  CommandSpec command;
  command.name = "lake compact";
  command.summary = "join small files and delete what nothing refers to any more";
  command.examples = "  tillcast lake compact\n  tillcast lake compact silver.sale_line\n";
  command.options = {{"DATASET", OptionKind::kPositional, "only this one", "", "all"}};
  command.run = [](CommandContext& context) -> Result<int> {
    const auto report = TILLCAST_TRY_PLAIN(context.engine->lake_compact(context.arguments.text("DATASET")));
    const auto collected = TILLCAST_TRY_PLAIN(context.engine->lake_collect_garbage());
    context.terminal.out(
        std::to_string(report.files_before) + " files (" + format_bytes(report.bytes_before) + ") became " +
        std::to_string(report.files_after) + " (" + format_bytes(report.bytes_after) + "), " +
        with_thousands(report.rows) + " rows; " + std::to_string(collected.size()) + " old files deleted\n");
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
