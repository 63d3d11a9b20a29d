#include <algorithm>
#include <span>

#include "cli/commands/commands.h"
#include "cli/commands/forecast_report.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"
#include "core/civil_time.h"
#include "core/text.h"
#include "database/database.h"
#include "pipeline/plan_quantiles.h"

namespace tillcast::cli {
namespace {

std::string fixed_or_blank(double value, int digits) { return value < 0 ? "" : fixed(value, digits); }

using TableRows = std::vector<std::vector<std::string>>;

void add_head(TableRows& rows, const std::vector<double>& shares) {
  for (const char* name : {"forecast", "low_80", "high_80", "low_95", "high_95"}) rows[0].emplace_back(name);
  for (const double share : shares) rows[0].push_back("q" + pipeline::shares_text({share}));
}

void add_figures(std::vector<std::string>& row, double mean, std::span<const pipeline::Interval> intervals,
                 std::span<const double> quantiles) {
  row.push_back(fixed(mean, 2));
  for (const auto& interval : intervals) {
    row.push_back(fixed(interval.low, 2));
    row.push_back(fixed(interval.high, 2));
  }
  if (intervals.empty()) row.resize(row.size() + 4);
  for (const double quantile : quantiles) row.push_back(fixed(quantile, 2));
}

TableRows point_rows(const pipeline::SeriesForecast& forecast) {
  TableRows rows = {{"date"}};
  const std::size_t shares = forecast.quantile_shares.size();
  add_head(rows, forecast.quantile_shares);
  for (std::size_t i = 0; i < forecast.points.size(); ++i) {
    const auto& point = forecast.points[i];
    rows.push_back({format_date(point.date)});
    add_figures(rows.back(), point.mean, point.intervals,
                std::span(forecast.quantiles).subspan(i * shares, shares));
  }
  return rows;
}

TableRows sum_row(const pipeline::SeriesForecast& forecast, const pipeline::ForecastSum& sum) {
  TableRows rows = {{"from", "to", "periods"},
                    {format_date(sum.from), format_date(sum.to), std::to_string(sum.periods)}};
  add_head(rows, forecast.quantile_shares);
  add_figures(rows[1], sum.mean, sum.intervals, sum.quantiles);
  return rows;
}

// What a reader must know before using the figures, in any format.
void print_cautions(const pipeline::SeriesForecast& forecast, Terminal& terminal) {
  if (forecast.cold_start) terminal.note("never seen: " + forecast.cold_start->basis);
  if (std::ranges::any_of(forecast.points, [](const auto& point) { return point.intervals.empty(); }))
    terminal.note("no intervals: nothing in the history tells how far off the forecast may be");
  else if (forecast.thin_intervals)
    terminal.note("thin intervals: too few errors are known to support 95 %");
  if (forecast.extension && forecast.extension->refitted) {
    terminal.note("from " + format_date(forecast.extension->from) + " on by a fit for this answer (" +
                  forecast.extension->model + "): " + forecast.extension->reason);
  }
}

Result<int> list_series(CommandContext& context) {
  const auto& arguments = context.arguments;
  pipeline::SeriesRequest request;
  request.search = arguments.text("--search");
  request.limit = static_cast<int>(TILLCAST_TRY_PLAIN(arguments.integer("--limit", 1, 1000, 20)));
  const auto page = TILLCAST_TRY_PLAIN(context.engine->series(request));
  TableRows rows = {{"series", "label", "total", "periods", "last", "model", "class", "status"}};
  for (const auto& info : page.series) {
    rows.push_back({info.id, info.label, info.total, std::to_string(info.periods), format_date(info.last),
                    info.model, info.demand_class, info.status});
  }
  const std::string format = arguments.text("--format", "table");
  if (page.series.empty()) {
    TILLCAST_TRY_PLAIN(require_forecasts(*context.engine, ""));
    context.terminal.note("no series has '" + request.search + "' in its id or label");
    if (format == "table") return kExitOk;
  }
  context.terminal.out(format_rows(rows, {false, false, true, true, false, false, false, false}, format));
  if (!page.next_cursor.empty()) context.terminal.note("more: --limit N, --search TEXT");
  return kExitOk;
}

std::string percent(double share) { return share < 0 ? "" : fixed_or_blank(100 * share, 1) + " %"; }

}  // namespace

Result<> require_forecasts(pipeline::Engine& engine, const std::string& plan) {
  pipeline::SeriesRequest any;
  any.plan = plan;
  any.limit = 1;
  const auto page = TILLCAST_TRY_PLAIN(engine.series(any));
  if (plan.empty() && page.series.empty())
    return not_found("nothing is forecast yet; `tillcast run` or `tillcast forecast fit` makes forecasts");
  return {};
}

void print_plan_reports(const std::vector<pipeline::PlanReport>& reports, Terminal& terminal) {
  if (reports.empty()) return;
  std::vector<std::vector<std::string>> rows = {{"forecast", "series", "fallback", "WAPE", "seasonal naive",
                                                 "RMSPE", "seasonal naive", "in 80 %", "in 95 %", ""}};
  for (const auto& report : reports) {
    rows.push_back({report.plan, with_thousands(report.series),
                    with_thousands(report.fallbacks + report.failed), fixed_or_blank(report.wape, 3),
                    fixed_or_blank(report.wape_seasonal_naive, 3), fixed_or_blank(report.rmspe, 4),
                    fixed_or_blank(report.rmspe_seasonal_naive, 4), percent(report.coverage80),
                    percent(report.coverage95), report.unchanged ? "unchanged" : ""});
  }
  terminal.note("back-test, lower is better; the intervals should hold 80 and 95 % of what came:");
  terminal.err(text_table(rows, {false, true, true, true, true, true, true, true, true, false}));
  for (const auto& report : reports) {
    if (report.fitted_version == 0 || report.fitted_version == report.model_version) continue;
    const std::string version = report.plan + " " + std::to_string(report.fitted_version);
    terminal.note("version " + std::to_string(report.fitted_version) + " of " + report.plan +
                  " waits as challenger; `tillcast model show " + version +
                  "` says why, `tillcast model promote " + version +
                  " --force` serves it, `tillcast experiment create " + report.plan +
                  " NAME` tries it on half of the series");
  }
}

void print_champion(const pipeline::PlanReport& report, Terminal& terminal) {
  terminal.out("version " + std::to_string(report.model_version) + " is the champion of " + report.plan +
               "\n");
}

CommandSpec forecast_fit_command() {
  CommandSpec command;
  command.name = "forecast fit";
  command.summary =
      "back-test, choose a model per series, make a version; the champion's forecasts are stored";
  command.examples = "  tillcast forecast fit\n  tillcast forecast fit store_daily\n";
  command.options = {{"PLAN", OptionKind::kPositionalList, "plans to fit", "", "all"}};
  command.run = [](CommandContext& context) -> Result<int> {
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    const auto plans = context.arguments.list("PLAN");
    print_plan_reports(TILLCAST_TRY_PLAIN(context.engine->fit_forecasts(plans, progress)), context.terminal);
    return kExitOk;
  };
  return command;
}

CommandSpec forecast_update_command() {
  CommandSpec command;
  command.name = "forecast update";
  command.summary = "forecast from the newest data with the champions, without a fit";
  command.examples = "  tillcast forecast update\n  tillcast forecast update store_daily\n";
  command.options = {{"PLAN", OptionKind::kPositionalList, "plans to update", "", "all"}};
  command.run = [](CommandContext& context) -> Result<int> {
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    const auto plans = context.arguments.list("PLAN");
    print_plan_reports(TILLCAST_TRY_PLAIN(context.engine->update_forecasts(plans, progress)),
                       context.terminal);
    return kExitOk;
  };
  return command;
}

CommandSpec forecast_monitor_command() {
  CommandSpec command;
  command.name = "forecast monitor";
  command.summary = "older forecasts against what came: rolling accuracy and open alerts";
  command.examples =
      "  tillcast forecast monitor\n  tillcast forecast monitor --series store_daily/12\n"
      "  tillcast forecast monitor --alerts\n";
  command.options = {
      {"--series", OptionKind::kValue, "of this series alone", "SERIES", "plans as a whole"},
      {"--alerts", OptionKind::kFlag, "the alerts instead"},
      {"--format", OptionKind::kValue, "how rows are printed", "FORMAT", "table", false, result_formats()}};
  command.run = [](CommandContext& context) -> Result<int> {
    TILLCAST_TRY_PLAIN(require_forecasts(*context.engine, ""));
    const std::string series = context.arguments.text("--series");
    if (!series.empty()) {
      std::vector<pipeline::HistoryPoint> history;
      TILLCAST_TRY_PLAIN(context.engine->series_forecast(series, history));
    }
    const std::string id = database::sql_quote(series);
    const std::string statement =
        context.arguments.has("--alerts")
            ? "SELECT plan, series_id, model_version, opened_at, closed_at, reason, round(wape, 4) AS wape, "
              "round(wape_expected, 4) AS wape_expected FROM forecast_alert " +
                  (series.empty() ? "" : "WHERE series_id = " + id) +
                  " ORDER BY closed_at IS NOT NULL, opened_at DESC"
            : "SELECT plan, model_version, window_periods, until, points, round(wape, 4) AS wape, "
              "round(wape_expected, 4) AS wape_expected, round(wape_seasonal_naive, 4) AS "
              "wape_seasonal_naive, "
              "round(bias, 4) AS bias, round(coverage80, 3) AS coverage80, round(coverage95, 3) AS "
              "coverage95, "
              "state, reason FROM forecast_monitor WHERE series_id = " +
                  id + " ORDER BY plan, model_version DESC, window_periods";
    const auto result = TILLCAST_TRY_PLAIN(context.engine->sql(statement, 0));
    const auto text = TILLCAST_TRY_PLAIN(
        format_result(result, context.arguments.text("--format", "table"), context.terminal.traits().width));
    context.terminal.out(text);
    return kExitOk;
  };
  return command;
}

CommandSpec forecast_predict_command() {
  CommandSpec command;
  command.name = "forecast predict";
  command.summary = "the forecast of one series, or the list of series";
  command.examples =
      "  tillcast forecast predict --list\n  tillcast forecast predict store_daily/12\n  tillcast forecast "
      "predict store_daily/12 --horizon 7 --format csv\n  tillcast forecast predict store_daily/12 --horizon "
      "9 "
      "--sum --quantiles 0.5,0.95\n";
  command.options = {
      {"SERIES", OptionKind::kPositional, "series id, as --list shows it"},
      {"--horizon", OptionKind::kValue, "periods ahead", "N", "as stored"},
      {"--quantiles", OptionKind::kValue, "shares of outcomes at or below, such as 0.1,0.5,0.9", "SHARES"},
      {"--sum", OptionKind::kFlag, "the demand of all these periods together instead: a lead time"},
      {"--attribute", OptionKind::kList,
       "NAME=VALUE of a store or product that was never seen, e.g. category=Tea", "NAME=VALUE"},
      {"--strict", OptionKind::kFlag, "an id that was never seen is an error"},
      {"--list", OptionKind::kFlag, "show the series instead"},
      {"--search", OptionKind::kValue, "with --list: part of an id or label", "TEXT"},
      {"--limit", OptionKind::kValue, "with --list: series shown", "N", "20"},
      {"--format", OptionKind::kValue, "how the points are printed", "FORMAT", "table", false, row_formats()},
  };
  command.run = [](CommandContext& context) -> Result<int> {
    const auto& arguments = context.arguments;
    if (arguments.has("--list") || !arguments.has("SERIES")) return list_series(context);
    pipeline::ForecastRequest request;
    request.items.push_back({arguments.text("SERIES")});
    request.strict = arguments.has("--strict");
    for (const auto& word : arguments.list("--attribute")) {
      const auto equals = word.find('=');
      if (equals == 0 || equals == std::string::npos)
        return arguments.wrong("--attribute must be NAME=VALUE, found '" + word + "'");
      request.items[0].attributes[word.substr(0, equals)] = word.substr(equals + 1);
    }
    if (arguments.has("--horizon"))
      request.horizon = static_cast<int>(TILLCAST_TRY_PLAIN(arguments.integer("--horizon", 1, 366, 1)));
    if (arguments.has("--quantiles")) {
      auto shares = pipeline::parse_shares(arguments.text("--quantiles"));
      if (!shares) return arguments.wrong("--quantiles: " + shares.error().message);
      request.quantiles = std::move(*shares);
    }
    request.sum = arguments.has("--sum");
    const auto answers = TILLCAST_TRY_PLAIN(context.engine->forecast(request));
    if (!answers[0]) return answers[0].error();
    const auto& forecast = *answers[0];
    const std::string format = arguments.text("--format", "table");
    if (format == "table") {
      context.terminal.note(forecast.info.id + "  " + forecast.info.label + "  model " + forecast.model +
                            ", data until " + format_date(forecast.data_until) +
                            (forecast.wape >= 0 ? ", back-test WAPE " + fixed_or_blank(forecast.wape, 3) +
                                                      " (seasonal naive " +
                                                      fixed_or_blank(forecast.wape_seasonal_naive, 3) + ")"
                                                : ""));
    }
    print_cautions(forecast, context.terminal);
    const auto rows = forecast.sum ? sum_row(forecast, *forecast.sum) : point_rows(forecast);
    std::vector<bool> numbers(rows[0].size(), true);
    std::fill_n(numbers.begin(), forecast.sum ? 2 : 1, false);  // days
    context.terminal.out(format_rows(rows, numbers, format));
    return kExitOk;
  };
  return command;
}

CommandSpec forecast_backtest_command() {
  CommandSpec command;
  command.name = "forecast backtest";
  command.summary = "accuracy of every model on the stored back-test, per plan";
  command.examples = "  tillcast forecast backtest\n  tillcast forecast backtest store_daily --format csv\n";
  command.options = {
      {"PLAN", OptionKind::kPositional, "only this plan", "", "all"},
      {"--format", OptionKind::kValue, "how rows are printed", "FORMAT", "table", false, result_formats()}};
  command.run = [](CommandContext& context) -> Result<int> {
    std::string statement =
        "SELECT plan, model, points, round(wape, 4) AS wape, round(rmspe, 4) AS rmspe, round(mae, 2) AS mae, "
        "round(rmse, 2) AS rmse, round(mase, 3) AS mase, "
        "round(bias, 4) AS bias, round(value_added, 4) AS value_added FROM forecast_accuracy WHERE "
        "demand_class = 'all'";
    const std::string plan = context.arguments.text("PLAN");
    TILLCAST_TRY_PLAIN(require_forecasts(*context.engine, plan));
    if (!plan.empty()) statement += " AND plan = " + std::string(database::sql_quote(plan));
    const auto result = TILLCAST_TRY_PLAIN(
        context.engine->sql(statement + " ORDER BY plan, forecast_accuracy.wape NULLS LAST", 0));
    if (result.rows() == 0 && !plan.empty())
      return not_found("no back-test of plan " + plan + " is stored; `tillcast forecast fit " + plan +
                       "` makes one");
    const auto text = TILLCAST_TRY_PLAIN(
        format_result(result, context.arguments.text("--format", "table"), context.terminal.traits().width));
    context.terminal.out(text);
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
