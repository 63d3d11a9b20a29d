#include "forecast/backtest.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "forecast/closed_days.h"
#include "forecast/intermittent.h"

namespace tillcast::forecast {
namespace {

bool is_known(std::int8_t value) { return value >= 0; }
bool is_known(double value) { return std::isfinite(value); }

template <class T>
std::size_t count_ahead(std::span<const T> driver, std::size_t observed) {
  std::size_t size = driver.size();
  while (size > observed && !is_known(driver[size - 1])) --size;
  return size > observed ? size - observed : 0;
}

template <class T>
std::span<const T> drivers_at(const std::vector<T>& driver, std::size_t observed, std::size_t end,
                              std::size_t ahead) {
  if (driver.empty()) return {};
  return std::span(driver).first(end + std::min(count_ahead<T>(driver, observed), ahead));
}

double seasonal_difference(const History& history) {
  const auto season = static_cast<std::size_t>(history.season);
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t lag : {season, std::size_t{1}}) {
    for (std::size_t i = lag; i < history.size(); ++i) {
      if (history.masked[i] != 0 || history.masked[i - lag] != 0) continue;
      sum += std::abs(history.value[i] - history.value[i - lag]);
      ++count;
    }
    if (count > 0) break;  // shorter than a season: differences of neighbours
  }
  return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

}  // namespace

std::size_t known_ahead(std::span<const float> driver, std::size_t observed) {
  return count_ahead(driver, observed);
}

History history_at(const Series& series, std::size_t end, const BacktestOptions& options) {
  const std::size_t ahead = options.gap + options.horizon;
  History history;
  history.grain = series.grain;
  history.start = series.start;
  history.value = std::span(series.value).first(end);
  history.masked = std::span(series.masked).first(end);
  history.promotion = drivers_at(series.promotion, series.size(), end, ahead);
  history.open = drivers_at(series.open, series.size(), end, ahead);
  history.price = drivers_at(series.price, series.size(), end, ahead);
  if (series.named_days) {
    const std::vector<NamedDay>& days = series.named_days->days;
    const auto ahead_of = std::ranges::lower_bound(days, series.date_at(end), {}, &NamedDay::date);
    history.named_days = days;
    history.named_days_traded =
        std::span(series.named_days->traded).first(static_cast<std::size_t>(ahead_of - days.begin()));
  }
  history.season = options.season > 0 ? options.season : season_length(series.grain);
  return history;
}

std::vector<std::uint8_t> closed_steps(const History& history, std::size_t steps) {
  const std::size_t n = history.size();
  const bool daily = history.grain == Grain::kDaily;
  std::array<bool, 7> weekday_closed{};  // of the steps of a week; all steps ahead see the same past
  for (std::size_t step = 0; daily && step < weekday_closed.size(); ++step)
    weekday_closed[step] = closed_by_weekday(history, n + step) == true;
  std::vector<std::uint8_t> result(steps, 0);
  for (std::size_t step = 0; step < steps; ++step) {
    const std::size_t at = n + step;
    const int open = at < history.open.size() ? history.open[at] : -1;
    if (open >= 0)
      result[step] = open == 0 ? 1 : 0;
    else if (daily)
      result[step] = weekday_closed[step % 7] || closed_by_name(history, at) ? 1 : 0;
  }
  return result;
}

bool predict_steps(const Model& which, const History& history, const Parameters& fitted, bool non_negative,
                   std::span<double> out) {
  which.predict(history, fitted, out);
  return serve_steps(history, non_negative, out);
}

bool serve_steps(const History& history, bool non_negative, std::span<double> out) {
  const std::vector<std::uint8_t> closed = closed_steps(history, out.size());
  for (std::size_t step = 0; step < out.size(); ++step) {
    if (!std::isfinite(out[step])) return false;
    if (closed[step] != 0 || (non_negative && out[step] < 0)) out[step] = 0;
  }
  return true;
}

bool is_scored(const Series& series, std::size_t at, double forecast) {
  if (series.masked[at] == 0) return true;
  return forecast != 0 && at < series.open.size() && series.open[at] == 0;
}

Accuracy SeriesBacktest::accuracy(const Series& series, std::size_t model_at, std::size_t first,
                                  std::size_t last) const {
  Accuracy sums;
  for (std::size_t origin = first; origin < std::min(last, ends.size()); ++origin) {
    const std::span<const float> steps = forecast(model_at, origin);
    for (std::size_t step = 0; step < horizon; ++step) {
      const std::size_t at = period(origin, step);
      const auto forecast_value = static_cast<double>(steps[step]);
      if (is_scored(series, at, forecast_value)) sums.add(series.value[at], forecast_value, scales);
    }
  }
  return sums;
}

std::size_t history_min(const History& history) {
  return static_cast<std::size_t>(
      std::clamp(2 * history.season, 8, history.grain == Grain::kWeekly ? 16 : 28));
}

DemandClass class_at_newest_origin(const Series& series, const BacktestOptions& options) {
  const std::size_t n = series.size();
  const std::size_t ahead = options.gap + options.horizon;
  const History whole = history_at(series, n, options);
  if (n < ahead + history_min(whole)) return classify(whole).demand_class;
  return classify(history_at(series, n - ahead, options)).demand_class;
}

SeriesBacktest backtest(const Series& series, std::span<const ModelId> models,
                        const BacktestOptions& options) {
  SeriesBacktest result;
  result.models.assign(models.begin(), models.end());
  result.refused.resize(models.size());
  result.horizon = options.horizon;
  result.gap = options.gap;
  const std::size_t n = series.size();
  const std::size_t step = options.step > 0 ? options.step : options.horizon;
  const std::size_t ahead = options.gap + options.horizon;
  result.demand_class = class_at_newest_origin(series, options);
  result.demand_class_now = classify(history_at(series, n, options)).demand_class;
  for (std::size_t origin = 0; origin < options.origins; ++origin) {
    if (n < ahead + origin * step) break;
    const std::size_t end = n - ahead - origin * step;
    if (end < history_min(history_at(series, end, options))) break;
    result.ends.push_back(end);
  }
  if (result.ends.empty()) return result;
  result.forecasts.resize(models.size() * result.ends.size() * options.horizon);
  const History oldest_history = history_at(series, result.ends.back(), options);
  result.scale = seasonal_difference(oldest_history);
  result.scales = error_scale(oldest_history.value, oldest_history.masked,
                              static_cast<std::size_t>(std::max(oldest_history.season, 1)));
  result.scales.seasonal = result.scale;

  // From the oldest origin on, so that its parameters serve the newer ones.
  std::vector<Parameters> fitted(models.size());
  std::vector<double> steps(ahead);
  for (std::size_t origin = result.ends.size(); origin-- > 0;) {
    const bool oldest = origin + 1 == result.ends.size();
    const History raw = history_at(series, result.ends[origin], options);
    const CappedValues capped = cap_outliers(raw, classify(raw).demand_class, options.outliers);
    History cleaned = raw;
    cleaned.value = capped.value;
    for (std::size_t i = 0; i < models.size(); ++i) {
      if (!result.refused[i].empty()) continue;
      const Model& which = model(models[i]);
      const History& history = which.capped ? cleaned : raw;
      if (oldest) result.refused[i] = which.refuses(history);
      if (!result.refused[i].empty()) continue;
      if (oldest || options.refit) fitted[i] = which.fit(history);
      if (!predict_steps(which, history, fitted[i], options.non_negative, steps)) {
        result.refused[i] = "gave a forecast that is not a number";
        continue;
      }
      float* to = result.forecasts.data() + (i * result.ends.size() + origin) * options.horizon;
      for (std::size_t s = 0; s < options.horizon; ++s) to[s] = static_cast<float>(steps[options.gap + s]);
    }
  }
  return result;
}

}  // namespace tillcast::forecast
