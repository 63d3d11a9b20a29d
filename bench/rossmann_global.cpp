#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "answers.h"
#include "core/text.h"
#include "forecast/accuracy.h"
#include "forecast/global_blend.h"
#include "forecast/global_model.h"
#include "forecast/global_options.h"
#include "rossmann.h"

namespace tillcast::bench {
namespace {

using namespace forecast;

constexpr std::span kBarred = std::span(kRossmannOrigins).last<3>();

}  // namespace

bool run_rossmann_global(const RossmannRows& rows, const GlobalRun& run) {
  double sum = 0;
  double last = 0;
  double slowest = 0;
  std::size_t barred = 0;
  NoProgress progress;
  for (const Date origin : run.origins) {
    const double started = cpu_seconds();
    const std::vector<Series> known = rossmann_series(rows, origin, run.stride);
    const std::vector<Series> complete =
        rossmann_series(rows, Date{origin.days + static_cast<std::int32_t>(kRossmannHorizon)}, run.stride);
    BacktestOptions test;
    test.horizon = kRossmannHorizon;
    const Panel panel = panel_at(known, {}, rows.attributes, 0, test);
    const PanelTask task{0, kRossmannHorizon, 1};
    const auto options = parse_global_options(join(run.settings, " "));
    if (!options) {
      std::printf("%s\n", options.error().message.c_str());
      return false;
    }
    std::unique_ptr<PanelModel> model = std::make_unique<GlobalModel>(*options);
    if (run.full) {
      auto parts = full_recipe();
      for (GlobalModelOptions& part : parts)
        part = parse_global_options(join(run.settings, " "), part).value();
      model = std::make_unique<GlobalBlend>(std::move(parts));
    }
    const auto fitted = model->fit(panel, task, progress);
    if (!fitted) {
      std::printf("%s\n", fitted.error().message.c_str());
      return false;
    }
    const double trained = cpu_seconds();
    const auto values = (*fitted)->predict(panel, task);
    if (!values) {
      std::printf("%s\n", values.error().message.c_str());
      return false;
    }
    RossmannScore sums;
    std::vector<Accuracy> by_step(kRossmannHorizon);
    double log_error = 0;
    double log_square = 0;
    double worst = 0;
    for (std::size_t m = 0; m < panel.members.size(); ++m)
      for (std::size_t step = 0; step < kRossmannHorizon; ++step) {
        const Series& truth = complete[panel.members[m].series];
        const std::size_t at = panel.members[m].history.size() + step;
        const double actual = truth.value[at];
        if (actual <= 0) continue;
        const double forecast = (*values)[m * kRossmannHorizon + step];
        sums.add(panel.members[m].series, actual, forecast);
        by_step[step].add(actual, forecast, 0);
        log_error += std::log(forecast / actual);
        log_square += std::log(forecast / actual) * std::log(forecast / actual);
        if (truth.drivers[0].value[at] > 0) worst += std::pow(forecast / actual - 1, 2);
      }
    const auto n = static_cast<double>(sums.all.count);
    std::printf(
        "%s global: RMSPE %.4f WAPE %.4f; bias %+.4f, log bias %+.4f sd %.4f, holiday share %.3f; %zu rows; "
        "%.1f CPU s (forecast %.1f)\n",
        format_date(origin).c_str(), sums.all.rmspe(), sums.all.wape(), sums.all.bias(), log_error / n,
        std::sqrt(log_square / n - log_error / n * log_error / n), worst / sums.all.squared_relative_error,
        run.full ? 0 : static_cast<const FittedGlobal&>(**fitted).learnt_rows, cpu_seconds() - started,
        cpu_seconds() - trained);
    if (std::getenv("TILLCAST_STEPS") != nullptr && !run.full) {
      for (std::size_t step = 0; step < kRossmannHorizon; ++step)
        std::printf("  %s %d %.4f %+.4f\n",
                    format_date(Date{origin.days + 1 + static_cast<int>(step)}).c_str(),
                    iso_weekday(Date{origin.days + 1 + static_cast<int>(step)}), by_step[step].rmspe(),
                    by_step[step].bias());
      const auto& fit = static_cast<const FittedGlobal&>(**fitted);
      const std::vector<double> gains = fit.boosters[0].gains();
      std::vector<std::size_t> order(gains.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return gains[a] > gains[b]; });
      for (const std::size_t i : order) std::printf("  %-34s %.0f\n", fit.columns[i].name.c_str(), gains[i]);
    }
    std::fflush(stdout);
    const double used = cpu_seconds() - started;
    if (run.stride == 1) print_rossmann(origin, run.full ? "global_blend" : "global_trees", sums, used);
    if (std::ranges::find(kBarred, origin) != kBarred.end()) {
      sum += sums.all.rmspe();
      ++barred;
    }
    if (origin == kBarred.back()) last = sums.all.rmspe();
    slowest = std::max(slowest, used);
  }
  if (barred != kBarred.size() || run.stride != 1 || !run.settings.empty()) return true;
  const double mean = sum / static_cast<double>(kBarred.size());
  const bool held =
      run.full ? last <= 0.104 && mean <= 0.106 : last <= 0.110 && mean <= 0.112 && slowest <= 300;
  std::printf(
      "global%s: RMSPE %.4f at the last origin, %.4f as the mean of the last three, %.0f CPU s at most%s\n",
      run.full ? ", full" : "", last, mean, slowest, held ? "" : "\nOFF: a bar is missed");
  return held;
}

}  // namespace tillcast::bench
