#include "forecast/fitted_model.h"

#include <algorithm>
#include <unordered_map>

#include "forecast/fitted_panels_internal.h"
#include "forecast/pooled_season.h"

namespace tillcast::forecast {
namespace {

Result<> check_ids(std::span<const Series> series, std::span<const std::string> ids) {
  if (series.size() == ids.size()) return {};
  return invalid_input(std::to_string(ids.size()) + " ids for " + std::to_string(series.size()) + " series");
}

}  // namespace

std::vector<const FittedSeries*> FittedRun::of(std::span<const std::string> ids) const {
  std::unordered_map<std::string_view, const FittedSeries*> by_id;
  by_id.reserve(series.size());
  for (const FittedSeries& one : series) by_id.emplace(one.id, &one);
  std::vector<const FittedSeries*> found;
  found.reserve(ids.size());
  for (const std::string& id : ids) {
    const auto at = by_id.find(id);
    found.push_back(at == by_id.end() || !at->second->usable ? nullptr : at->second);
  }
  return found;
}

Result<FitResult> fit_all(std::span<const Series> series, std::span<const std::string> ids,
                          const ForecastOptions& options, Progress& progress) {
  if (Result<> checked = check_ids(series, ids); !checked) return std::move(checked.error());
  auto run = forecast_all(series, options, progress);
  if (!run) return std::move(run.error());
  FitResult result;
  result.fitted.options = options.backtest;
  if (!series.empty()) result.fitted.grain = series[0].grain;
  result.fitted.total_share = run->total_share;
  result.fitted.series.reserve(series.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    result.fitted.series.push_back(run->series[i].fitted);
    result.fitted.series.back().id = ids[i];
  }
  for (const PanelForecast& panel : run->panels) {
    if (panel.fitted == nullptr) continue;
    const bool used = std::ranges::any_of(run->series, [&panel](const SeriesForecast& one) {
      return std::ranges::find(one.fitted.members, panel.id, &FittedMember::model) !=
             one.fitted.members.end();
    });
    if (used) result.fitted.panels.push_back({std::string(model(panel.id).name), panel.fitted->save()});
  }
  result.run = std::move(*run);
  return result;
}

Result<std::vector<PanelCandidate>> load_panels(std::span<const FittedPanelText> saved,
                                                std::span<const PanelCandidate> known) {
  std::vector<PanelCandidate> candidates(known.begin(), known.end());
  for (const PooledKind kind : {PooledKind::kLevel, PooledKind::kSeason})
    candidates.push_back({pooled_season_model(kind), nullptr});
  std::vector<PanelCandidate> loaded;
  for (const FittedPanelText& one : saved) {
    const auto of = std::ranges::find(
        candidates, one.name, [](const PanelCandidate& candidate) { return candidate.model->name(); });
    if (of != candidates.end())
      loaded.push_back({of->model, TILLCAST_TRY(of->model->load(one.text), "model " + one.name)});
  }
  return loaded;
}

Result<ForecastRun> predict_all(const FittedRun& fitted, std::span<const Series> series,
                                std::span<const std::string> ids, const ForecastOptions& options,
                                Progress& progress) {
  if (Result<> checked = check_ids(series, ids); !checked) return std::move(checked.error());
  ForecastOptions update = options;
  update.backtest = fitted.options;
  update.backtest.horizon = options.backtest.horizon;
  update.rival.clear();
  update.fitted = fitted.of(ids);
  update.fitted_horizon = fitted.options.horizon;
  update.fitted_share = fitted.total_share;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const FittedSeries* const one = update.fitted[i];
    if (one != nullptr && (one->start != series[i].start || one->known > series[i].size()))
      update.fitted[i] = nullptr;
  }
  update.panel_models = TILLCAST_TRY_PLAIN(load_panels(fitted.panels, options.panel_models));
  auto run = forecast_all(series, update, progress);
  if (!run) return std::move(run.error());
  for (std::size_t i = 0; i < series.size(); ++i) {
    SeriesForecast& one = run->series[i];
    if (update.fitted[i] != nullptr || one.status == SeriesStatus::kRefused || series[i].size() == 0)
      continue;
    one.status = SeriesStatus::kFallback;
    one.reason = "not known to the model version, which was fitted without it or on another history";
  }
  run->ok = run->fallbacks = run->refused = 0;
  for (const SeriesForecast& one : run->series) {
    run->ok += one.status == SeriesStatus::kOk ? 1 : 0;
    run->fallbacks += one.status == SeriesStatus::kFallback ? 1 : 0;
    run->refused += one.status == SeriesStatus::kRefused ? 1 : 0;
  }
  return run;
}

}  // namespace tillcast::forecast
