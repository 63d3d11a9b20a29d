#include <fstream>
#include <sstream>

#include "cli/commands/commands.h"
#include "cli/result_format.h"
#include "pipeline/engine.h"

namespace tillcast::cli {
namespace {

constexpr const char* kFileOption = "-f,--file";

}  // namespace

CommandSpec sql_command() {
  CommandSpec command;
  command.name = "sql";
  command.summary = "ask the tables (read-only)";
  command.examples =
      "  tillcast sql \"SELECT * FROM sales_monthly_country ORDER BY revenue DESC LIMIT 5\"\n"
      "  tillcast sql \"SHOW ALL TABLES\"\n  tillcast sql -f report.sql --format csv > report.csv\n";
  command.options = {
      {"STATEMENT", OptionKind::kPositional, "one SELECT, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"},
      {"-c,--command", OptionKind::kValue, "the same, as an option", "SQL"},
      {kFileOption, OptionKind::kValue, "read the statement from a file; - is stdin", "FILE"},
      {"--format", OptionKind::kValue, "how rows are printed", "FORMAT", "table on a terminal, csv else",
       false, result_formats()},
      {"--limit", OptionKind::kValue, "rows at most", "N", "sql.rows_max"},
  };
  command.stdin_option = kFileOption;
  command.run = [](CommandContext& context) -> Result<int> {
    const auto& arguments = context.arguments;
    const int given = (arguments.has("STATEMENT") ? 1 : 0) + (arguments.has("-c,--command") ? 1 : 0) +
                      (arguments.has(kFileOption) ? 1 : 0);
    if (given > 1) return invalid_input("give one statement: as an argument, with -c or with -f");
    std::string statement = arguments.text("STATEMENT", arguments.text("-c,--command"));
    const std::string name = arguments.text(kFileOption);
    if (name == "-") {
      statement = context.input;
    } else if (!name.empty()) {
      std::ifstream file(context.resolve(name));
      if (!file) return not_found("cannot read the statement from " + name);
      std::ostringstream text;
      text << file.rdbuf();
      statement = text.str();
    }
    if (statement.find_first_not_of(" \t\r\n;") == std::string::npos) {
      return invalid_input("no statement given; try: tillcast sql \"SHOW ALL TABLES\"");
    }
    const auto limit = TILLCAST_TRY_PLAIN(context.arguments.integer("--limit", 1, 100'000'000, 0));
    const auto result = TILLCAST_TRY_PLAIN(context.engine->sql(statement, limit));
    const auto& traits = context.terminal.traits();
    const std::string format = context.arguments.text("--format", traits.out_is_tty ? "table" : "csv");
    const auto text = TILLCAST_TRY_PLAIN(format_result(result, format, traits.width));
    context.terminal.out(text);
    if (result.truncated)
      context.terminal.note("only the first " + with_thousands(static_cast<std::int64_t>(result.rows())) +
                            " rows are shown; --limit N gives more");
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
