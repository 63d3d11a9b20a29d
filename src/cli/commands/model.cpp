#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>

#include "cli/commands/commands.h"
#include "cli/commands/forecast_report.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"
#include "pipeline/engine.h"

namespace tillcast::cli {
namespace {

using pipeline::PlanModels;
using registry::VersionInfo;

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4f", value);
  return text.data();
}

std::string metric(const VersionInfo& info, const std::string& name) {
  const auto at = info.metrics.find(name);
  return at == info.metrics.end() ? "" : number(at->second);
}

std::string alias_of(const PlanModels& models, int version) {
  return version == models.aliases.champion     ? "champion"
         : version == models.aliases.challenger ? "challenger"
                                                : "";
}

std::string problem_of(const PlanModels& models, int version) {
  const auto at = models.problems.find(version);
  return at == models.problems.end() ? "" : at->second;
}

// Below a table of versions: those that cannot be read stand here alone.
void print_problems(const PlanModels& models, Terminal& terminal) {
  for (const auto& [version, problem] : models.problems)
    terminal.out(models.plan + " version " + std::to_string(version) + " is damaged: " + problem + "\n");
}

Result<VersionInfo> find_version(const PlanModels& models, std::int64_t wanted) {
  if (const auto problem = problem_of(models, static_cast<int>(wanted));
      !problem.empty() &&
      std::ranges::find(models.versions, wanted, &VersionInfo::number) == models.versions.end())
    return corrupt_data(problem);
  std::string list;
  for (const auto& info : models.versions) {
    if (info.number == wanted) return info;
    list = std::to_string(info.number) + (list.empty() ? "" : ", ") + list;
  }
  return not_found("plan '" + models.plan + "' has no version " + std::to_string(wanted) +
                   "; there are: " + list);
}

OptionSpec plan_option() { return {"PLAN", OptionKind::kPositional, "the plan", "", "", true}; }
OptionSpec version_option(const std::string& help, bool required) {
  return {"VERSION", OptionKind::kPositional, help, "", "", required};
}
OptionSpec reason_option() { return {"--reason", OptionKind::kValue, "why, for the history", "TEXT"}; }

Result<std::int64_t> version_of(const CommandContext& context) {
  return context.arguments.integer("VERSION", 1, 1'000'000'000, 0);
}

// Everything that can differ between two versions, by name.
std::map<std::string, std::string> facts_of(const VersionInfo& info) {
  std::map<std::string, std::string> facts = {
      {"created_at", info.created_at},
      {"data_from", info.data_from},
      {"data_until", info.data_until},
      {"data_hash", info.data_hash},
      {"series", std::to_string(info.series)},
      {"periods", std::to_string(info.periods)},
      {"program", info.tool_version + " (" + info.code_revision + ")"},
      {"verdict", info.verdict}};
  for (const auto& [name, value] : info.settings) facts["setting " + name] = value;
  for (const auto& [name, value] : info.metrics) facts["metric " + name] = number(value);
  for (const auto& file : info.files) facts["file " + file.name] = std::to_string(file.bytes) + " bytes";
  return facts;
}

void print_version(const PlanModels& models, const VersionInfo& info, Terminal& terminal) {
  std::string text = models.plan + " version " + std::to_string(info.number);
  const std::string alias = alias_of(models, info.number);
  text += alias.empty() ? "\n" : ", " + alias + "\n";
  if (const auto problem = problem_of(models, info.number); !problem.empty())
    text += "damaged     " + problem + "\n";
  text += "gate        " + info.verdict + ": " + info.verdict_reason + "\n";
  text += "fitted      " + info.created_at + " by tillcast " + info.tool_version + " (" + info.code_revision +
          ")" + (info.parent > 0 ? ", champion then: version " + std::to_string(info.parent) : "") + "\n";
  text += "data        " + info.data_from + " to " + info.data_until + ", " + with_thousands(info.series) +
          " series, " + with_thousands(info.periods) + " periods, hash " + info.data_hash + "\n";
  terminal.out(text);
  std::vector<std::vector<std::string>> rows = {{"setting", "value"}};
  for (const auto& [name, value] : info.settings) rows.push_back({name, value});
  terminal.out(text_table(rows, {false, false}));
  rows = {{"metric", "value"}};
  for (const auto& [name, value] : info.metrics) rows.push_back({name, number(value)});
  terminal.out(text_table(rows, {false, true}));
  rows = {{"file", "size", "sha256"}};
  for (const auto& file : info.files)
    rows.push_back(
        {file.name, format_bytes(static_cast<std::uint64_t>(file.bytes)), file.sha256.substr(0, 16)});
  terminal.out(text_table(rows, {false, true, false}));
  std::string inputs;
  for (const auto& column : info.inputs)
    inputs += (inputs.empty() ? "" : ", ") + column.name + " " + column.type;
  std::string outputs;
  for (const auto& column : info.outputs)
    outputs += (outputs.empty() ? "" : ", ") + column.name + " " + column.type;
  terminal.out("takes " + inputs + "\ngives " + outputs + "\n");
}

void print_plan(const PlanModels& models, Terminal& terminal) {
  std::vector<std::vector<std::string>> rows = {
      {"version", "alias", "fitted", "data until", "series", "WAPE", "seasonal naive", "gate", "why"}};
  for (const auto& info : models.versions) {
    rows.push_back({std::to_string(info.number), alias_of(models, info.number), info.created_at.substr(0, 19),
                    info.data_until, with_thousands(info.series), metric(info, "wape"),
                    metric(info, "wape_seasonal_naive"), info.verdict, info.verdict_reason});
  }
  terminal.out(text_table(rows, {true, false, false, false, true, true, true, false, false}));
  print_problems(models, terminal);
  rows = {{"changed", "alias", "from", "to", "by", "why"}};
  for (const auto& change : models.aliases.changes) {
    rows.push_back({change.at.substr(0, 19), change.alias, std::to_string(change.from),
                    std::to_string(change.to), change.by + (change.forced ? " (forced)" : ""),
                    change.reason});
  }
  terminal.out(text_table(rows, {false, false, true, true, false, false}));
}

}  // namespace

CommandSpec model_ls_command() {
  CommandSpec command;
  command.name = "model ls";
  command.summary = "the model versions of all plans";
  command.examples = "  tillcast model ls\n  tillcast model ls --verify\n";
  command.options = {
      {"--verify", OptionKind::kFlag, "check every file against its checksum (exit 3 when one differs)"}};
  command.run = [](CommandContext& context) -> Result<int> {
    const auto plans = TILLCAST_TRY_PLAIN(context.engine->models());
    if (plans.empty()) context.terminal.note("no model versions yet; `tillcast forecast fit` makes some");
    std::vector<std::vector<std::string>> rows = {
        {"plan", "version", "alias", "fitted", "data until", "series", "WAPE", "seasonal naive"}};
    for (const auto& models : plans) {
      for (const auto& info : models.versions) {
        rows.push_back({models.plan, std::to_string(info.number), alias_of(models, info.number),
                        info.created_at.substr(0, 19), info.data_until, with_thousands(info.series),
                        metric(info, "wape"), metric(info, "wape_seasonal_naive")});
      }
    }
    context.terminal.out(text_table(rows, {false, true, false, false, false, true, true, true}));
    if (!context.arguments.has("--verify")) {
      for (const auto& models : plans) print_problems(models, context.terminal);
      return kExitOk;
    }
    const auto findings = TILLCAST_TRY_PLAIN(context.engine->verify_models());
    for (const auto& line : findings) context.terminal.out(line + "\n");
    if (findings.empty()) context.terminal.note("every file is as it was stored");
    return findings.empty() ? kExitOk : kExitChecksFailed;
  };
  return command;
}

CommandSpec model_show_command() {
  CommandSpec command;
  command.name = "model show";
  command.summary = "the versions and history of a plan, or everything about one version";
  command.examples = "  tillcast model show store_daily\n  tillcast model show store_daily 2\n";
  command.options = {plan_option(), version_option("this version alone", false)};
  command.run = [](CommandContext& context) -> Result<int> {
    const auto wanted = TILLCAST_TRY_PLAIN(version_of(context));
    const auto models = TILLCAST_TRY_PLAIN(
        context.engine->models_of(context.arguments.text("PLAN"), static_cast<int>(wanted)));
    if (wanted == 0) {
      print_plan(models, context.terminal);
      return kExitOk;
    }
    print_version(models, TILLCAST_TRY_PLAIN(find_version(models, wanted)), context.terminal);
    return kExitOk;
  };
  return command;
}

CommandSpec model_promote_command() {
  CommandSpec command;
  command.name = "model promote";
  command.summary = "make a version the champion and store its forecasts";
  command.examples =
      "  tillcast model promote store_daily 3\n"
      "  tillcast model promote store_daily 3 --force --reason \"knows the new shops\"\n";
  command.options = {
      plan_option(),
      version_option("the version", true),
      reason_option(),
      {"--force", OptionKind::kFlag, "although the gate made it a challenger (a tie stays one); recorded"}};
  command.run = [](CommandContext& context) -> Result<int> {
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    pipeline::PromoteRequest request;
    request.plan = context.arguments.text("PLAN");
    request.version = static_cast<int>(TILLCAST_TRY_PLAIN(version_of(context)));
    request.reason = context.arguments.text("--reason");
    request.by = context.caller();
    request.force = context.arguments.has("--force");
    const auto report = TILLCAST_TRY_PLAIN(context.engine->promote_model(request, progress));
    print_champion(report, context.terminal);
    return kExitOk;
  };
  return command;
}

CommandSpec model_rollback_command() {
  CommandSpec command;
  command.name = "model rollback";
  command.summary = "make the champion before this one the champion again";
  command.examples =
      "  tillcast model rollback store_daily\n"
      "  tillcast model rollback store_daily 1 --reason \"the new one overshoots\"\n";
  command.options = {plan_option(), version_option("back to this one", false), reason_option()};
  command.run = [](CommandContext& context) -> Result<int> {
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    pipeline::RollbackRequest request;
    request.plan = context.arguments.text("PLAN");
    request.version = static_cast<int>(TILLCAST_TRY_PLAIN(version_of(context)));
    request.reason = context.arguments.text("--reason");
    request.by = context.caller();
    const auto report = TILLCAST_TRY_PLAIN(context.engine->rollback_model(request, progress));
    print_champion(report, context.terminal);
    return kExitOk;
  };
  return command;
}

CommandSpec model_diff_command() {
  CommandSpec command;
  command.name = "model diff";
  command.summary = "what differs between two versions";
  command.examples = "  tillcast model diff store_daily 2 3\n";
  command.options = {plan_option(),
                     version_option("one version", true),
                     {"OTHER", OptionKind::kPositional, "the other version", "", "", true}};
  command.run = [](CommandContext& context) -> Result<int> {
    const auto models = TILLCAST_TRY_PLAIN(context.engine->models_of(context.arguments.text("PLAN"), 0));
    const auto left = TILLCAST_TRY_PLAIN(version_of(context));
    const auto right = TILLCAST_TRY_PLAIN(context.arguments.integer("OTHER", 1, 1'000'000'000, 0));
    const auto before = facts_of(TILLCAST_TRY_PLAIN(find_version(models, left)));
    const auto after = facts_of(TILLCAST_TRY_PLAIN(find_version(models, right)));
    std::set<std::string> names;
    for (const auto& [name, value] : before) names.insert(name);
    for (const auto& [name, value] : after) names.insert(name);
    const auto value_of = [](const std::map<std::string, std::string>& facts, const std::string& name) {
      const auto at = facts.find(name);
      return at == facts.end() ? std::string() : at->second;
    };
    std::vector<std::vector<std::string>> rows = {
        {"", "version " + std::to_string(left), "version " + std::to_string(right)}};
    for (const auto& name : names) {
      if (value_of(before, name) != value_of(after, name))
        rows.push_back({name, value_of(before, name), value_of(after, name)});
    }
    context.terminal.out(text_table(rows, {false, false, false}));
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
