#include <fstream>

#include "cli/accuracy_report.h"
#include "cli/commands/commands.h"
#include "cli/commands/forecast_report.h"
#include "cli/result_format.h"
#include "database/database.h"
#include "pipeline/engine.h"

namespace tillcast::cli {
namespace {

Result<> write_page(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::kIo, "cannot write " + path.string() + "; does its folder exist?"};
  return {};
}

}  // namespace

CommandSpec forecast_accuracy_command() {
  CommandSpec command;
  command.name = "forecast accuracy";
  command.summary =
      "accuracy and interval coverage of the stored forecasts; --html and --json write all of it";
  command.examples =
      "  tillcast forecast accuracy\n  tillcast forecast accuracy store_daily --html accuracy.html\n"
      "  tillcast forecast accuracy --json accuracy.json\n";
  command.options = {
      {"PLAN", OptionKind::kPositional, "only this plan", "", "all"},
      {"--html", OptionKind::kValue, "write a report with plots and tables", "FILE"},
      {"--json", OptionKind::kValue, "write the report's numbers", "FILE"},
      {"--format", OptionKind::kValue, "how rows are printed", "FORMAT", "table", false, result_formats()}};
  command.run = [](CommandContext& context) -> Result<int> {
    const auto& arguments = context.arguments;
    const std::string plan = arguments.text("PLAN");
    TILLCAST_TRY_PLAIN(require_forecasts(*context.engine, plan));
    if (arguments.has("--html") || arguments.has("--json")) {
      const auto tables = TILLCAST_TRY_PLAIN(load_accuracy(*context.engine, plan));
      for (const char* option : {"--html", "--json"}) {
        if (!arguments.has(option)) continue;
        const std::filesystem::path path = context.resolve(arguments.text(option));
        const std::string text = std::string_view(option) == "--html"
                                     ? accuracy_html(tables)
                                     : TILLCAST_TRY_PLAIN(accuracy_json(tables));
        TILLCAST_TRY_PLAIN(write_page(path, text));
        context.terminal.note("wrote " + path.string());
      }
      return kExitOk;
    }
    const std::string where =
        plan.empty() ? "" : "WHERE plan = " + std::string(database::sql_quote(plan)) + " ";
    const auto result = TILLCAST_TRY_PLAIN(context.engine->sql(
        "SELECT plan, run_id, data_until, horizon, series, fallbacks, round(wape, 4) AS wape, "
        "round(wape_seasonal_naive, 4) AS wape_seasonal_naive, round(rmspe, 4) AS rmspe, "
        "round(rmspe_seasonal_naive, 4) AS rmspe_seasonal_naive, round(bias, 4) AS bias, "
        "round(coverage80, 4) AS coverage80, round(coverage95, 4) AS coverage95 FROM forecast_run " +
            where + "ORDER BY plan",
        0));
    const auto text = TILLCAST_TRY_PLAIN(
        format_result(result, arguments.text("--format", "table"), context.terminal.traits().width));
    context.terminal.out(text);
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
