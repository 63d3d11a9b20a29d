#include "forecast/held_out_internal.h"

#include <algorithm>

#include "forecast/blend.h"
#include "forecast/intermittent.h"

namespace tillcast::forecast {
namespace {

/// The champion's forecast at the newest origin: its members, weighed as it weighs them, each with its own
/// parameters where the champion knew nothing beyond that origin; else, and for panel models, as the
/// back-test fitted it, which has seen nothing of it either. Empty when there is none.
std::vector<double> rival_steps(const Series& series, const SeriesBacktest& test, const FittedSeries& rival,
                                const ForecastOptions& all_options) {
  const BacktestOptions& options = all_options.backtest;
  const auto has_column = [&test](ModelId id) {
    const auto at = static_cast<std::size_t>(std::ranges::find(test.models, id) - test.models.begin());
    return at < test.models.size() && test.refused[at].empty();
  };
  // Models of all series that took no part in this run are judged by the champion's own back-test.
  const bool from_panels = std::ranges::any_of(rival.members, [&](const FittedMember& member) {
    return is_panel_model(member.model) && !has_column(member.model);
  });
  if (from_panels && rival.start == series.start && !rival.ends.empty() &&
      rival.ends.front() == test.ends.front() &&
      rival.forecasts.size() == rival.ends.size() * options.horizon)
    return {rival.forecasts.begin(), rival.forecasts.begin() + static_cast<std::ptrdiff_t>(options.horizon)};
  const bool knew_more = rival.known > test.ends.front() || rival.start != series.start;
  const History raw = history_at(series, test.ends.front(), options);
  const CappedValues capped = cap_outliers(raw, classify(raw).demand_class, options.outliers);
  History cleaned = raw;
  cleaned.value = capped.value;
  std::vector<std::vector<double>> rows;
  std::vector<double> weights;
  double sum = 0;
  for (const FittedMember& member : rival.members) {
    std::vector<double> row(options.gap + options.horizon);
    const auto at =
        static_cast<std::size_t>(std::ranges::find(test.models, member.model) - test.models.begin());
    if (has_column(member.model) && (knew_more || is_panel_model(member.model))) {
      std::ranges::copy(test.forecast(at, 0), row.begin() + static_cast<std::ptrdiff_t>(options.gap));
    } else {
      const Model& which = model(member.model);
      const History& history = which.capped ? cleaned : raw;
      if (is_panel_model(member.model) || !which.refuses(history).empty()) continue;
      const Parameters parameters = knew_more ? which.fit(history) : member.parameters;
      if (!predict_steps(which, history, parameters, options.non_negative, row)) continue;
    }
    rows.push_back(std::move(row));
    weights.push_back(member.weight);
    sum += member.weight;
  }
  if (rows.empty() || sum <= 0) return {};
  for (double& weight : weights) weight /= sum;
  const std::vector<std::span<const double>> views(rows.begin(), rows.end());
  std::vector<double> steps(options.gap + options.horizon);
  combine(views, weights, all_options.choice.blend.kind, steps);
  steps.erase(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(options.gap));
  return steps;
}

}  // namespace

SeriesBacktest restored_backtest(const Series& series, const FittedSeries* fitted,
                                 const BacktestOptions& options) {
  SeriesBacktest test;
  test.horizon = options.horizon;
  test.gap = options.gap;
  if (fitted == nullptr) {
    test.demand_class = classify(history_at(series, series.size(), options)).demand_class;
    return test;
  }
  test.demand_class = fitted->demand_class;
  if (fitted->ends.empty() || fitted->ends.front() + options.gap + options.horizon > series.size() ||
      fitted->forecasts.size() != fitted->ends.size() * options.horizon)
    return test;
  test.ends = fitted->ends;
  test.models = {fitted->model};
  test.refused.resize(1);
  test.forecasts = fitted->forecasts;
  return test;
}

std::vector<HeldOut> hold_out(const Series& series, const SeriesBacktest& test,
                              std::optional<std::size_t> chosen_before, const FittedSeries* rival,
                              std::size_t stretches, const ForecastOptions& options) {
  if (!chosen_before || test.ends.empty()) return {};
  std::vector<double> of_rival;
  if (rival != nullptr && rival->usable) of_rival = rival_steps(series, test, *rival, options);
  const auto naive =
      static_cast<std::size_t>(std::ranges::find(test.models, ModelId::kSeasonalNaive) - test.models.begin());
  const bool has_naive = naive < test.models.size() && test.refused[naive].empty();
  std::vector<HeldOut> parts(std::min(stretches, options.backtest.horizon));
  for (std::size_t step = 0; step < options.backtest.horizon; ++step) {
    const std::size_t period = test.period(0, step);
    const auto forecast = static_cast<double>(test.forecast(*chosen_before, 0)[step]);
    if (!is_scored(series, period, forecast)) continue;
    HeldOut& part = parts[step * parts.size() / options.backtest.horizon];
    const double actual = series.value[period];
    part.own.add(actual, forecast, test.scale);
    if (!of_rival.empty()) part.rival.add(actual, of_rival[step], test.scale);
    if (has_naive) part.naive.add(actual, static_cast<double>(test.forecast(naive, 0)[step]), test.scale);
  }
  return parts;
}

}  // namespace tillcast::forecast
