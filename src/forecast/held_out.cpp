#include "forecast/held_out_internal.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "forecast/blend.h"
#include "forecast/intermittent.h"

namespace tillcast::forecast {
namespace {

/// The column of a model that ran; nullopt when it was not asked or was refused.
std::optional<std::size_t> column_of(const SeriesBacktest& test, ModelId id) {
  const auto at = static_cast<std::size_t>(std::ranges::find(test.models, id) - test.models.begin());
  return at < test.models.size() && test.refused[at].empty() ? std::optional(at) : std::nullopt;
}

std::vector<double> steps_of(std::span<const float> forecast) { return {forecast.begin(), forecast.end()}; }

/// The weights of the champion's members. Where it knew the newest origin they were chosen with that in
/// sight: the older origins weigh them anew, as far as all members have been back-tested.
std::vector<double> rival_weights(const SeriesBacktest& test, const FittedSeries& rival, bool knew_more,
                                  const ChosenBefore& before, const BlendOptions& options) {
  std::vector<double> weights;
  std::vector<ModelId> models;
  std::vector<double> scores;
  for (const FittedMember& member : rival.members) {
    weights.push_back(member.weight);
    models.push_back(member.model);
    const auto at = column_of(test, member.model);
    if (at && *at < before.scores.size() && !std::isnan(before.scores[*at]))
      scores.push_back(before.scores[*at]);
  }
  return knew_more && scores.size() == models.size() ? blend_weights(models, scores, options) : weights;
}

/// The champion's forecast at the newest origin, made with what could be known there. Empty when there is
/// none.
std::vector<double> rival_steps(const Series& series, const SeriesBacktest& test, const FittedSeries& rival,
                                const ChosenBefore& before, const ForecastOptions& all_options) {
  const BacktestOptions& options = all_options.backtest;
  const bool knew_more = rival.known > test.ends.front() || rival.start != series.start;
  // What its definition would have chosen there is what this run, of the same definition, chose there.
  if (knew_more && all_options.rival_is_alike) return steps_of(test.forecast(*before.model, 0));
  // Its own back-test at this very origin, where parameters and weights come from the older ones.
  if (rival.start == series.start && !rival.ends.empty() && rival.ends.front() == test.ends.front() &&
      rival.forecasts.size() == rival.ends.size() * options.horizon)
    return steps_of(std::span(rival.forecasts).first(options.horizon));
  const History raw = history_at(series, test.ends.front(), options);
  const CappedValues capped = cap_outliers(raw, classify(raw).demand_class, options.outliers);
  History cleaned = raw;
  cleaned.value = capped.value;
  const std::vector<double> all_weights =
      rival_weights(test, rival, knew_more, before, all_options.choice.blend);
  std::vector<std::vector<double>> rows;
  std::vector<double> weights;
  double sum = 0;
  for (std::size_t i = 0; i < rival.members.size(); ++i) {
    const FittedMember& member = rival.members[i];
    if (all_weights[i] <= 0) continue;
    std::vector<double> row(options.gap + options.horizon);
    const auto at = column_of(test, member.model);
    if (at && (knew_more || is_panel_model(member.model))) {
      std::ranges::copy(test.forecast(*at, 0), row.begin() + static_cast<std::ptrdiff_t>(options.gap));
    } else {
      const Model& which = model(member.model);
      const History& history = which.capped ? cleaned : raw;
      if (is_panel_model(member.model) || !which.refuses(history).empty()) continue;
      const Parameters parameters = knew_more ? which.fit(history) : member.parameters;
      if (!predict_steps(which, history, parameters, options.non_negative, row)) continue;
    }
    rows.push_back(std::move(row));
    weights.push_back(all_weights[i]);
    sum += all_weights[i];
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
    test.demand_class_now = classify(history_at(series, series.size(), options)).demand_class;
    return test;
  }
  test.demand_class_now = fitted->demand_class;
  if (fitted->ends.empty() || fitted->ends.front() + options.gap + options.horizon > series.size() ||
      fitted->forecasts.size() != fitted->ends.size() * options.horizon)
    return test;
  test.ends = fitted->ends;
  test.models = {fitted->model};
  test.refused.resize(1);
  test.forecasts = fitted->forecasts;
  return test;
}

std::vector<HeldOut> hold_out(const Series& series, const SeriesBacktest& test, const ChosenBefore& before,
                              const FittedSeries* rival, std::size_t stretches,
                              const ForecastOptions& options) {
  if (!before.model || test.ends.empty()) return {};
  std::vector<double> of_rival;
  if (rival != nullptr && rival->usable) of_rival = rival_steps(series, test, *rival, before, options);
  const auto naive = column_of(test, ModelId::kSeasonalNaive);
  std::vector<HeldOut> parts(std::min(stretches, options.backtest.horizon));
  for (std::size_t step = 0; step < options.backtest.horizon; ++step) {
    const std::size_t period = test.period(0, step);
    const auto forecast = static_cast<double>(test.forecast(*before.model, 0)[step]);
    const bool judged = is_scored(series, period, forecast) ||
                        (!of_rival.empty() && is_scored(series, period, of_rival[step]));
    if (!judged) continue;
    HeldOut& part = parts[step * parts.size() / options.backtest.horizon];
    const double actual = series.value[period];
    part.own.add(actual, forecast, test.scale);
    if (!of_rival.empty()) part.rival.add(actual, of_rival[step], test.scale);
    if (naive) part.naive.add(actual, static_cast<double>(test.forecast(*naive, 0)[step]), test.scale);
  }
  return parts;
}

}  // namespace tillcast::forecast
