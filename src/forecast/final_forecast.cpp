#include "forecast/final_forecast_internal.h"

#include <algorithm>

#include "forecast/cold_start.h"

namespace tillcast::forecast {
namespace {

/// Forecasts of one model after the end of a series, as they are served.
class FinalForecaster {
 public:
  FinalForecaster(const Series& series, std::size_t at, DemandClass demand_class,
                  std::span<const PanelForecast> panels, const BacktestOptions& options,
                  std::span<const FittedMember> learnt)
      : at_(at),
        raw_(history_at(series, series.size(), options)),
        capped_(cap_outliers(raw_, demand_class, options.outliers)),
        cleaned_(raw_),
        panels_(panels),
        options_(options),
        learnt_(learnt) {
    cleaned_.value = capped_.value;
  }
  FinalForecaster(const FinalForecaster&) = delete;
  FinalForecaster& operator=(const FinalForecaster&) = delete;

  const History& history() const { return raw_; }
  std::size_t capped(ModelId id) const { return model(id).capped ? capped_.capped : 0; }
  /// @return why there is no forecast, empty when there is one
  std::string predict(ModelId id, std::span<double> steps) {
    if (is_panel_model(id)) return predict_panel(id, steps);
    const Model& which = model(id);
    const History& history = which.capped ? cleaned_ : raw_;
    if (std::string fault = which.refuses(history); !fault.empty()) return fault;
    used_.push_back({id, 1, learn(which, history)});
    if (predict_steps(which, history, used_.back().parameters, options_.non_negative, steps)) return {};
    return "gave a forecast that is not a number";
  }
  /// The weighed forecasts of the models that give one.
  std::string blend(std::span<const ModelId> models, std::span<const double> weights, BlendKind kind,
                    std::span<double> steps) {
    std::vector<std::vector<double>> rows;
    std::vector<double> used;
    double sum = 0;
    for (std::size_t m = 0; m < weights.size(); ++m) {
      if (weights[m] <= 0) continue;
      std::vector<double>& row = rows.emplace_back(steps.size());
      used.push_back(predict(models[m], row).empty() ? weights[m] : 0.0);
      sum += used.back();
    }
    if (sum <= 0) return "has no member that can be used";
    for (double& weight : used) weight /= sum;
    const std::vector<std::span<const double>> views(rows.begin(), rows.end());
    combine(views, used, kind, steps);
    return {};
  }
  /// What a model that was asked for learnt; without parameters for one that needs none.
  FittedMember member(ModelId id, double weight) const {
    const auto at = std::ranges::find(used_, id, &FittedMember::model);
    return {id, weight, at == used_.end() ? Parameters{} : at->parameters};
  }

 private:
  // What was learnt before, else a fit.
  Parameters learn(const Model& which, const History& history) const {
    const auto at = std::ranges::find(learnt_, which.id, &FittedMember::model);
    return at == learnt_.end() ? which.fit(history) : at->parameters;
  }
  std::string predict_panel(ModelId id, std::span<double> steps) const {
    const auto panel = std::ranges::find(panels_, id, &PanelForecast::id);
    if (panel == panels_.end() || !panel->refused.empty())
      return panel == panels_.end() ? "declines this series" : panel->refused;
    std::ranges::copy(panel->of(at_), steps.begin());
    std::fill_n(steps.begin(), options_.gap, 0.0);
    return serve_steps(raw_, options_.non_negative, steps) ? "" : "declines this series";
  }

  std::size_t at_;
  History raw_;
  CappedValues capped_;
  History cleaned_;
  std::span<const PanelForecast> panels_;
  const BacktestOptions& options_;
  std::span<const FittedMember> learnt_;
  std::vector<FittedMember> used_;
};

/// What a forecast was made with.
FittedSeries remember(const Series& series, const SeriesBacktest& test, std::optional<std::size_t> chosen,
                      const SeriesForecast& result) {
  FittedSeries fitted;
  fitted.usable = true;
  fitted.fallback = result.status != SeriesStatus::kOk;
  fitted.reason = result.reason;
  fitted.model = result.model;
  fitted.demand_class = result.demand_class;
  fitted.start = series.start;
  fitted.known = series.size();
  if (chosen) {
    fitted.ends = test.ends;
    const std::span<const float> column =
        std::span(test.forecasts)
            .subspan(*chosen * test.ends.size() * test.horizon, test.ends.size() * test.horizon);
    fitted.forecasts.assign(column.begin(), column.end());
  }
  return fitted;
}

}  // namespace

SeriesForecast forecast_one(const Series& series, std::size_t at, const SeriesBacktest& test,
                            std::optional<std::size_t> chosen, std::span<const PanelForecast> panels,
                            std::span<const double> weights, const ForecastOptions& all_options,
                            const FittedSeries* known, std::span<const FittedMember> learnt) {
  const BacktestOptions& options = all_options.backtest;
  FinalForecaster forecaster(series, at, test.demand_class_now, panels, options, learnt);
  std::vector<ModelId> members = test.models;
  std::vector<double> member_weights(weights.begin(), weights.end());
  const History& raw = forecaster.history();
  SeriesForecast result;
  result.demand_class = test.demand_class_now;
  result.observed = static_cast<std::size_t>(std::ranges::count(raw.masked, std::uint8_t{0}));
  if (chosen) {
    result.model = test.models[*chosen];
  } else {
    result.status = SeriesStatus::kFallback;
    result.model = default_model(raw, test.demand_class_now);
    result.reason = series.size() == 0
                        ? "no sales up to the cut"
                        : "too short for a back-test: " + std::to_string(series.size()) + " periods known, " +
                              std::to_string(history_min(raw) + options.gap + options.horizon) + " needed";
    if (!test.ends.empty()) {
      result.reason = test.demand_class == DemandClass::kNone
                          ? "no sales up to the newest origin of the back-test"
                          : "no candidate model could be used";
    }
  }
  if (known != nullptr) {
    result.status = known->fallback ? SeriesStatus::kFallback : SeriesStatus::kOk;
    result.model = known->model;
    result.reason = known->reason;
    members.clear();
    member_weights.clear();
    for (const FittedMember& member : known->members) {
      members.push_back(member.model);
      member_weights.push_back(member.weight);
    }
  }
  std::vector<double> steps(options.gap + options.horizon, 0.0);
  std::vector<ModelId> tries = {result.model, ModelId::kSeasonalNaive, ModelId::kMean, ModelId::kZero};
  if (is_panel_model(result.model) || result.model == ModelId::kBlend)
    tries.insert(tries.begin() + 1, default_model(raw, test.demand_class_now));
  for (const ModelId id : tries) {
    const std::string fault = id == ModelId::kBlend ? forecaster.blend(members, member_weights,
                                                                       all_options.choice.blend.kind, steps)
                                                    : forecaster.predict(id, steps);
    if (fault.empty()) {
      result.model = id;
      result.outliers_capped = forecaster.capped(id);
      break;
    }
    result.status = SeriesStatus::kFallback;
    if (result.reason.empty()) result.reason = "model " + std::string(model(id).name) + " " + fault;
    std::ranges::fill(steps, 0.0);
  }
  const std::vector<std::uint8_t> closed = closed_steps(raw, steps.size());
  for (std::size_t step = options.gap; step < steps.size(); ++step) {
    ForecastPoint point;
    point.date = series.date_at(series.size() + step);
    point.mean = steps[step];
    point.closed = closed[step] != 0;
    result.points.push_back(point);
  }
  result.fitted = remember(series, test, chosen, result);
  if (result.model != ModelId::kBlend) {
    result.fitted.members.push_back(forecaster.member(result.model, 1));
    return result;
  }
  for (std::size_t m = 0; m < member_weights.size(); ++m) {
    if (member_weights[m] > 0)
      result.fitted.members.push_back(forecaster.member(members[m], member_weights[m]));
  }
  return result;
}

void start_from_others(std::span<const Series> series, std::size_t at, const ForecastOptions& options,
                       SeriesForecast& result) {
  const BacktestOptions& test = options.backtest;
  const History history = history_at(series[at], series[at].size(), test);
  if (options.attributes.empty() || result.observed >= history_min(history)) return;
  const std::size_t donor_min = history_min(history) + test.gap + test.horizon;
  ColdStart from = cold_start(series, options.attributes, at, donor_min, test.gap + test.horizon, {});
  if (from.forecast.empty() || !serve_steps(history, test.non_negative, from.forecast)) return;
  result.model = ModelId::kColdStart;
  result.outliers_capped = 0;
  result.reason = "cold_start: " + std::to_string(result.observed) + " periods known; from " +
                  std::to_string(from.neighbours.size()) + " series alike" +
                  (from.launch_profile ? " and their first periods" : "");
  for (std::size_t step = 0; step < result.points.size(); ++step)
    result.points[step].mean = from.forecast[test.gap + step];
}

}  // namespace tillcast::forecast
