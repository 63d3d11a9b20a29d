#include "forecast/model.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/check.h"
#include "forecast/ces.h"
#include "forecast/driver_median.h"
#include "forecast/ets.h"
#include "forecast/intermittent.h"
#include "forecast/naive.h"
#include "forecast/season_product.h"
#include "forecast/seasonal_ses.h"
#include "forecast/stl.h"
#include "forecast/theta.h"

namespace tillcast::forecast {
namespace {

std::string needs(const History& history, std::size_t count) {
  const std::size_t observed = history.observed_count();
  if (observed >= count) return {};
  return "has " + std::to_string(observed) + " observed periods, needs " + std::to_string(count);
}

template <std::size_t kCount>
std::string needs_observed(const History& history) {
  return needs(history, kCount);
}
std::string needs_season(const History& history) {
  return needs(history, 2 * static_cast<std::size_t>(history.season) + 3);
}
/// Twice a daily week, or the same week a year ago; nothing new at other grains.
int longer_season(const History& history, int daily) {
  return history.grain == Grain::kDaily ? daily : history.season;
}
template <int kDailyPeriods>
std::string needs_longer_season(const History& history) {
  if (history.grain != Grain::kDaily) return "is for daily series";
  return needs(history, kDailyPeriods);
}
std::string needs_two_seasons(const History& history) {
  if (history.season < 2) return "needs a season";
  const auto periods = 2 * static_cast<std::size_t>(history.season) + 1;
  if (history.size() < periods)
    return "has " + std::to_string(history.size()) + " periods, needs " + std::to_string(periods);
  return needs(history, static_cast<std::size_t>(history.season));
}
std::string needs_year(const History& history) {
  const Date end = advance_period(history.start, history.grain, static_cast<std::int64_t>(history.size()));
  if (end.days - history.start.days < 365) return "needs a year of history";
  return needs(history, 24);
}

Parameters no_parameters(const History&) { return {}; }

/// ETS needs a season short enough to be learnt; a year of weeks is left to the models that can.
int smoothing_season(const History& history) {
  constexpr int kSeasonMax = 24;
  return history.season <= kSeasonMax ? history.season : 1;
}

Parameters fit_shape(const History& history, EtsTrend trend, EtsSeason season) {
  EtsShape shape;
  shape.trend = trend;
  shape.period = smoothing_season(history);
  shape.season = shape.period > 1 ? season : EtsSeason::kNone;
  return pack_ets(ets_fit(history, shape));
}

void predict_ets(const History& history, const Parameters& parameters, std::span<double> out) {
  const EtsFit fit = unpack_ets(parameters);
  ets_forecast(fit.shape, fit.weights, ets_filter(history, fit.shape, fit.weights, fit.initial, {}), out);
}

Parameters fit_ces(const History& history) { return pack_ces(auto_ces(history, smoothing_season(history))); }

void predict_ces(const History& history, const Parameters& parameters, std::span<double> out) {
  const CesFit fit = unpack_ces(parameters);
  ces_forecast(fit.season, fit.weights, ces_filter(history, fit.season, fit.weights, fit.initial, {}), out);
}

template <ThetaKind kKind>
Parameters fit_theta(const History& history) {
  const ThetaFit fit = theta_fit(history, kKind, history.season);
  return {static_cast<double>(fit.season), static_cast<double>(fit.period), fit.alpha, fit.level, fit.omega};
}

template <ThetaKind kKind>
void predict_theta(const History& history, const Parameters& parameters, std::span<double> out) {
  ThetaFit fit;
  fit.kind = kKind;
  fit.season = static_cast<SeasonType>(static_cast<int>(parameters[0]));
  fit.period = static_cast<int>(parameters[1]);
  fit.alpha = parameters[2];
  fit.level = parameters[3];
  fit.omega = parameters[4];
  theta_forecast(history, fit, out);
}

/// Level, trend and season: three views whose median forgives one of them.
constexpr std::array kEnsemble = {ModelId::kSes, ModelId::kDynamicTheta, ModelId::kAutoEts};

Parameters fit_ensemble(const History& history) {
  Parameters packed;
  for (const ModelId id : kEnsemble) {
    const Parameters own = model(id).fit(history);
    packed.push_back(static_cast<double>(own.size()));
    packed.insert(packed.end(), own.begin(), own.end());
  }
  return packed;
}

void predict_ensemble(const History& history, const Parameters& packed, std::span<double> out) {
  std::array<std::vector<double>, kEnsemble.size()> forecasts;
  auto at = packed.begin();
  for (std::size_t i = 0; i < kEnsemble.size(); ++i) {
    const auto size = static_cast<std::ptrdiff_t>(*at++);
    forecasts[i].resize(out.size());
    model(kEnsemble[i]).predict(history, Parameters(at, at + size), forecasts[i]);
    at += size;
  }
  for (std::size_t step = 0; step < out.size(); ++step) {
    std::array<double, kEnsemble.size()> values{};
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = forecasts[i][step];
    out[step] = median_of(values);
  }
}

std::string learns_from_all(const History&) { return "learns from all series at once, not from one"; }

std::string combines_others(const History&) { return "combines other models, learns nothing itself"; }

void predicts_nothing(const History&, const Parameters&, std::span<double> out) {
  std::ranges::fill(out, std::nan(""));
}

using P = const Parameters&;
using Out = std::span<double>;
constexpr double kCrostonAlpha = 0.1;
constexpr int kYearOfWeekdays = 364;

constexpr std::array<Model, kModelCount> kModels = {{
    {ModelId::kZero, "zero", "no demand", false, needs_observed<0>, no_parameters,
     [](const History&, P, Out out) { std::ranges::fill(out, 0.0); }},
    {ModelId::kMean, "mean", "mean of the history", true, needs_observed<1>, no_parameters,
     [](const History& h, P, Out out) { historical_mean(h, out); }},
    {ModelId::kNaive, "naive", "last value; Hyndman & Athanasopoulos 2021, 5.2", false, needs_observed<1>,
     no_parameters, [](const History& h, P, Out out) { naive(h, out); }},
    {ModelId::kSeasonalNaive, "seasonal_naive", "last season; Hyndman & Athanasopoulos 2021, 5.2", false,
     needs_observed<1>, no_parameters,
     [](const History& h, P, Out out) { seasonal_naive(h, h.season, out); }},
    {ModelId::kSeasonalNaiveDouble, "seasonal_naive_14",
     "season of two weeks; Hyndman & Athanasopoulos 2021, 5.2", false, needs_longer_season<14>, no_parameters,
     [](const History& h, P, Out out) { seasonal_naive(h, longer_season(h, 14), out); }},
    {ModelId::kSeasonalNaiveYear, "seasonal_naive_364",
     "same weekday a year ago; Hyndman & Athanasopoulos 2021, 5.2", false,
     needs_longer_season<kYearOfWeekdays>, no_parameters,
     [](const History& h, P, Out out) { seasonal_naive(h, longer_season(h, kYearOfWeekdays), out); }},
    {ModelId::kMovingAverage, "moving_average", "mean of 28 days, 8 weeks or 3 months", true,
     needs_observed<1>, no_parameters,
     [](const History& h, P, Out out) { moving_average(h, average_window(h.grain), out); }},
    {ModelId::kSeasonalAverage, "seasonal_average", "mean of the same place in the last 4 seasons, 2 years",
     true, needs_observed<1>, no_parameters,
     [](const History& h, P, Out out) {
       seasonal_average(h, h.season, h.grain == Grain::kDaily ? 4 : 2, out);
     }},
    {ModelId::kDriverMedian, "driver_median", "median by weekday and promotion over a year", false,
     needs_observed<7>, no_parameters, [](const History& h, P, Out out) { driver_median(h, {}, out); }},
    {ModelId::kSes, "ses", "ETS(A,N,N); Brown 1956; Hyndman et al. 2008", true, needs_observed<4>,
     [](const History& h) { return fit_shape(h, EtsTrend::kNone, EtsSeason::kNone); }, predict_ets},
    {ModelId::kSeasonalSes, "seasonal_ses", "SES for each place in the season; Brown 1956", true,
     needs_observed<4>, [](const History& h) { return seasonal_ses_fit(h); },
     [](const History& h, P p, Out out) { seasonal_ses_forecast(h, p, out); }},
    {ModelId::kCroston, "croston", "Croston 1972", true, needs_observed<2>, no_parameters,
     [](const History& h, P, Out out) {
       std::ranges::fill(out, croston(h, CrostonKind::kClassic, kCrostonAlpha));
     }},
    {ModelId::kSba, "sba", "Syntetos & Boylan 2005", true, needs_observed<2>, no_parameters,
     [](const History& h, P, Out out) {
       std::ranges::fill(out, croston(h, CrostonKind::kSba, kCrostonAlpha));
     }},
    {ModelId::kTsb, "tsb", "Teunter, Syntetos & Babai 2011", true, needs_observed<2>, no_parameters,
     [](const History& h, P, Out out) { std::ranges::fill(out, tsb(h, kCrostonAlpha, kCrostonAlpha)); }},
    {ModelId::kAdida, "adida", "Nikolopoulos et al. 2011", true, needs_observed<4>, no_parameters,
     [](const History& h, P, Out out) { std::ranges::fill(out, adida(h)); }},
    {ModelId::kImapa, "imapa", "Petropoulos & Kourentzes 2015", true, needs_observed<4>, no_parameters,
     [](const History& h, P, Out out) { std::ranges::fill(out, imapa(h)); }},
    {ModelId::kHolt, "holt", "ETS(A,A,N); Holt 1957; Hyndman et al. 2008", true, needs_observed<6>,
     [](const History& h) { return fit_shape(h, EtsTrend::kAdditive, EtsSeason::kNone); }, predict_ets},
    {ModelId::kSeasonProduct, "season_product", "weekday x month x growth; Deming & Stephan 1940", true,
     needs_year, no_parameters, [](const History& h, P, Out out) { season_product(h, out); }},
    {ModelId::kPooledLevel, "pooled_level",
     "smoothed level, week and half month pooled over all series; Buehlmann & Straub 1970; Brown 1956", false,
     learns_from_all, no_parameters, predicts_nothing},
    {ModelId::kPooledSeason, "pooled_season",
     "weekday x month x growth pooled over all series; Deming & Stephan 1940; Buehlmann & Straub 1970", false,
     learns_from_all, no_parameters, predicts_nothing},
    {ModelId::kTheta, "theta", "Assimakopoulos & Nikolopoulos 2000", true, needs_observed<6>,
     fit_theta<ThetaKind::kStandard>, predict_theta<ThetaKind::kStandard>},
    {ModelId::kDynamicTheta, "dynamic_theta", "Fiorucci et al. 2016", true, needs_observed<6>,
     fit_theta<ThetaKind::kDynamicOptimised>, predict_theta<ThetaKind::kDynamicOptimised>},
    {ModelId::kCes, "ces", "Svetunkov, Kourentzes & Ord 2022", true, needs_observed<6>, fit_ces, predict_ces},
    {ModelId::kHoltWinters, "holt_winters", "ETS(A,A,A); Winters 1960; Hyndman et al. 2008", true,
     needs_season, [](const History& h) { return fit_shape(h, EtsTrend::kAdditive, EtsSeason::kAdditive); },
     predict_ets},
    {ModelId::kAutoEts, "auto_ets", "ETS by AICc; Hyndman, Koehler, Snyder & Grose 2002", true,
     needs_observed<6>, [](const History& h) { return pack_ets(auto_ets(h, smoothing_season(h), {})); },
     predict_ets},
    {ModelId::kMstl, "mstl", "Bandara, Hyndman & Bergmeir 2021; Cleveland et al. 1990", true,
     needs_two_seasons, [](const History& h) { return pack_mstl(mstl_fit(h)); },
     [](const History& h, P p, Out out) { mstl_forecast(h, unpack_mstl(p), out); }},
    {ModelId::kMedianEnsemble, "median_ensemble",
     "median of ses, dynamic_theta, auto_ets; after Petropoulos & Svetunkov 2020, Int. J. Forecasting 36(1)",
     true, needs_observed<6>, fit_ensemble, predict_ensemble},
    {ModelId::kGlobalTrees, "global_trees", "gradient boosted trees over all series; Ke et al. 2017, NeurIPS",
     false, learns_from_all, no_parameters, predicts_nothing},
    {ModelId::kGlobalMonthly, "global_monthly",
     "boosted trees on the ratio to a product of level, month and growth; Ke et al. 2017, NeurIPS", false,
     learns_from_all, no_parameters, predicts_nothing},
    {ModelId::kGlobalBlend, "global_blend", "mean of several global_trees; Ke et al. 2017, NeurIPS", false,
     learns_from_all, no_parameters, predicts_nothing},
    {ModelId::kColdStart, "cold_start", "launch profile of series alike; Gower 1971; Efron & Morris 1977",
     false, learns_from_all, no_parameters, predicts_nothing},
    {ModelId::kBlend, "blend", "weighted mean of the best of each kind of model; Bates & Granger 1969", false,
     combines_others, no_parameters, predicts_nothing},
}};

}  // namespace

std::string_view demand_class_name(DemandClass demand_class) {
  switch (demand_class) {
    case DemandClass::kSmooth:
      return "smooth";
    case DemandClass::kErratic:
      return "erratic";
    case DemandClass::kIntermittent:
      return "intermittent";
    case DemandClass::kLumpy:
      return "lumpy";
    case DemandClass::kNone:
      return "none";
  }
  return "none";
}

const Model& model(ModelId id) {
  const Model& found = kModels[static_cast<std::size_t>(id)];
  TILLCAST_CHECK(found.id == id, "the table of models is not in the order of ModelId");
  return found;
}

bool is_panel_model(ModelId id) {
  return id == ModelId::kPooledLevel || id == ModelId::kPooledSeason || id == ModelId::kGlobalTrees ||
         id == ModelId::kGlobalMonthly || id == ModelId::kGlobalBlend;
}

std::span<const Model> all_models() { return kModels; }

const Model* find_model(std::string_view name) {
  const auto found = std::ranges::find(kModels, name, &Model::name);
  return found == kModels.end() ? nullptr : &*found;
}

}  // namespace tillcast::forecast
