#include <array>
#include <cmath>
#include <cstdio>

#include "cli/commands/commands.h"
#include "cli/commands/forecast_report.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"
#include "pipeline/engine.h"

namespace tillcast::cli {
namespace {

std::string interval(double value, double low, double high) {
  if (!std::isfinite(value)) return "";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.4f (%.4f to %.4f)", value, low, high);
  return text.data();
}

std::string day_and_time(const std::string& instant) { return instant.substr(0, 19) + "Z"; }

std::vector<std::string> row_of(const pipeline::VariantFigures& figures) {
  return {figures.variant,
          std::to_string(figures.version),
          with_thousands(figures.series),
          with_thousands(figures.points),
          interval(figures.wape, figures.wape_low, figures.wape_high),
          interval(figures.bias, figures.bias_low, figures.bias_high),
          interval(figures.relative, figures.relative_low, figures.relative_high)};
}

void print_report(const pipeline::ExperimentReport& report, Terminal& terminal) {
  const auto& experiment = report.experiment;
  terminal.out(experiment.plan + ": experiment " + experiment.name + ", challenger on " +
               std::to_string(experiment.share_percent) + " % of the series, since " +
               day_and_time(experiment.created_at) +
               (experiment.running() ? ", running" : ", ended " + day_and_time(experiment.ended_at)) + "\n");
  // Of an ended one only what came due is kept.
  if (!experiment.running() && report.champion.measured + report.challenger.measured == 0) {
    terminal.out(experiment.outcome + "\n");
    return;
  }
  terminal.out(
      text_table({{"variant", "version", "series", "forecasts due", "WAPE", "bias", "over seasonal naive"},
                  row_of(report.champion),
                  row_of(report.challenger)},
                 {false, true, true, true, true, true, true}));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "sample ratio: p = %.4f", report.sample_ratio_probability);
  terminal.out(std::string(text.data()) + "\n" + (experiment.running() ? report.advice : experiment.outcome) +
               "\n");
}

OptionSpec plan_option(bool required) {
  return {"PLAN", OptionKind::kPositional, "the plan", "", required ? "" : "all", required};
}

}  // namespace

CommandSpec experiment_create_command() {
  CommandSpec command;
  command.name = "experiment create";
  command.summary = "let a challenger forecast a share of a plan's series";
  command.examples =
      "  tillcast experiment create store_daily spring\n"
      "  tillcast experiment create store_daily spring --challenger 4 --share 20\n";
  command.options = {plan_option(true),
                     {"NAME", OptionKind::kPositional, "its name: letters, digits, _", "", "", true},
                     {"--challenger", OptionKind::kValue, "the version", "VERSION", "the plan's challenger"},
                     {"--share", OptionKind::kValue, "percent of the series that it forecasts", "N", "50"}};
  command.run = [](CommandContext& context) -> Result<int> {
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    pipeline::ExperimentRequest request;
    request.plan = context.arguments.text("PLAN");
    request.name = context.arguments.text("NAME");
    request.challenger =
        static_cast<int>(TILLCAST_TRY_PLAIN(context.arguments.integer("--challenger", 1, 1'000'000'000, 0)));
    request.share_percent =
        static_cast<int>(TILLCAST_TRY_PLAIN(context.arguments.integer("--share", 1, 99, 50)));
    TILLCAST_TRY_PLAIN(context.engine->create_experiment(request, progress));
    const auto reports = TILLCAST_TRY_PLAIN(context.engine->experiments(request.plan));
    print_report(reports.front(), context.terminal);
    return kExitOk;
  };
  return command;
}

CommandSpec experiment_status_command() {
  CommandSpec command;
  command.name = "experiment status";
  command.summary = "accuracy of both variants so far, and whether one is better";
  command.examples = "  tillcast experiment status\n  tillcast experiment status store_daily\n";
  command.options = {plan_option(false)};
  command.run = [](CommandContext& context) -> Result<int> {
    const auto reports = TILLCAST_TRY_PLAIN(context.engine->experiments(context.arguments.text("PLAN")));
    for (const auto& report : reports) print_report(report, context.terminal);
    if (reports.empty()) context.terminal.note("no experiments; `tillcast experiment create` starts one");
    return kExitOk;
  };
  return command;
}

CommandSpec experiment_stop_command() {
  CommandSpec command;
  command.name = "experiment stop";
  command.summary = "end the running experiment; the champion forecasts all series again";
  command.examples = "  tillcast experiment stop store_daily\n";
  command.options = {plan_option(true)};
  command.run = [](CommandContext& context) -> Result<int> {
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    const auto report = TILLCAST_TRY_PLAIN(
        context.engine->end_experiment(context.arguments.text("PLAN"), "", context.caller(), progress));
    context.terminal.out("stopped; version " + std::to_string(report.model_version) +
                         " forecasts all series of " + report.plan + "\n");
    return kExitOk;
  };
  return command;
}

CommandSpec experiment_switch_command() {
  CommandSpec command;
  command.name = "experiment switch";
  command.summary = "end the running experiment and make the winner the champion";
  command.examples =
      "  tillcast experiment switch store_daily\n  tillcast experiment switch store_daily --to challenger\n";
  command.options = {plan_option(true),
                     {"--to",
                      OptionKind::kValue,
                      "who becomes champion, measured or not",
                      "VARIANT",
                      "the measured winner",
                      false,
                      {"champion", "challenger"}}};
  command.run = [](CommandContext& context) -> Result<int> {
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    const auto report = TILLCAST_TRY_PLAIN(context.engine->end_experiment(
        context.arguments.text("PLAN"), context.arguments.text("--to", "auto"), context.caller(), progress));
    print_champion(report, context.terminal);
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
