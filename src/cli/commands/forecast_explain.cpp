#include <algorithm>
#include <span>

#include "cli/commands/commands.h"
#include "cli/result_format.h"
#include "core/civil_time.h"
#include "core/text.h"
#include "pipeline/engine.h"

namespace tillcast::cli {
namespace {

// One column for each part that any of the values has, in the order of their first one.
std::vector<std::vector<std::string>> rows_of(std::span<const pipeline::ExplainedValue> values,
                                              const char* what) {
  std::vector<std::string> names;
  for (const auto& value : values)
    for (const auto& part : value.parts)
      if (std::ranges::find(names, part.name) == names.end()) names.push_back(part.name);
  std::vector<std::vector<std::string>> rows = {{"date", what}};
  rows[0].insert(rows[0].end(), names.begin(), names.end());
  for (const auto& value : values) {
    auto& row = rows.emplace_back();
    row = {format_date(value.date), fixed(value.value, 2)};
    for (const auto& name : names) {
      const auto at = std::ranges::find(value.parts, name, &pipeline::ExplanationPart::name);
      row.push_back(at == value.parts.end() ? "" : fixed(at->value, 2));
    }
  }
  return rows;
}

void print(Terminal& terminal, const std::vector<std::vector<std::string>>& rows, const std::string& format) {
  std::vector<bool> numbers(rows[0].size(), true);
  numbers[0] = false;
  terminal.out(format_rows(rows, numbers, format));
}

// One period: a line for each part, a column for each model.
std::vector<std::vector<std::string>> one_period(const pipeline::SeriesExplanation& found) {
  std::vector<std::vector<std::string>> rows = {{"part", "forecast"}};
  for (const auto& model : found.models) rows[0].push_back(model.model + " x " + fixed(model.weight, 2));
  std::vector<std::string> names;
  const auto add = [&names](const pipeline::ExplainedValue& value) {
    for (const auto& part : value.parts)
      if (std::ranges::find(names, part.name) == names.end()) names.push_back(part.name);
  };
  add(found.points[0]);
  for (const auto& model : found.models) add(model.points[0]);
  const auto cell = [](const pipeline::ExplainedValue& value, const std::string& name) {
    const auto at = std::ranges::find(value.parts, name, &pipeline::ExplanationPart::name);
    return at == value.parts.end() ? std::string() : fixed(at->value, 2);
  };
  for (const auto& name : names) {
    rows.push_back({name, cell(found.points[0], name)});
    for (const auto& model : found.models) rows.back().push_back(cell(model.points[0], name));
  }
  rows.push_back({"sum", fixed(found.points[0].value, 2)});
  for (const auto& model : found.models) rows.back().push_back(fixed(model.points[0].value, 2));
  return rows;
}

}  // namespace

CommandSpec forecast_explain_command() {
  CommandSpec command;
  command.name = "forecast explain";
  command.summary = "why a stored forecast is what it is: parts that add up to it, by model";
  command.examples =
      "  tillcast forecast explain store_daily/12\n  tillcast forecast explain store_daily/12 2015-08-03\n"
      "  tillcast forecast explain store_daily/12 --history 28 --format csv\n";
  command.options = {
      {"SERIES", OptionKind::kPositional, "series id, as `forecast predict --list` shows it", "", "", true},
      {"DATE", OptionKind::kPositional, "one period, by model as well", "", "all that are stored"},
      {"--history", OptionKind::kValue, "explain so many of the latest periods instead", "N"},
      {"--format", OptionKind::kValue, "how rows are printed", "FORMAT", "table", false, row_formats()},
  };
  command.run = [](CommandContext& context) -> Result<int> {
    const auto& arguments = context.arguments;
    pipeline::ExplainRequest request;
    request.series_id = arguments.text("SERIES");
    if (arguments.has("DATE")) {
      request.date = parse_date(arguments.text("DATE"));
      if (!request.date)
        return arguments.wrong("DATE must be a day as YYYY-MM-DD, found '" + arguments.text("DATE") + "'");
    }
    request.history = static_cast<int>(TILLCAST_TRY_PLAIN(arguments.integer("--history", 1, 100'000, 0)));
    const auto found = TILLCAST_TRY_PLAIN(context.engine->explain(request));
    const std::string format = arguments.text("--format", "table");
    if (format == "table") {
      context.terminal.note(found.forecast.info.id + "  " + found.forecast.info.label + "  model " +
                            found.forecast.model + ", version " +
                            std::to_string(found.forecast.model_version) + ", data until " +
                            format_date(found.forecast.data_until));
      if (!found.note.empty()) context.terminal.note("by the history alone: " + found.note);
    }
    if (!found.history.empty())
      print(context.terminal, rows_of(found.history, "value"), format);
    else if (request.date)
      print(context.terminal, one_period(found), format);
    else
      print(context.terminal, rows_of(found.points, "forecast"), format);
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
