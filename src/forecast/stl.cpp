#include "forecast/stl.h"

#include <algorithm>
#include <cmath>

#include "forecast/driver_median.h"
#include "forecast/loess.h"
#include "forecast/seasonal.h"

namespace tillcast::forecast {
namespace {

int next_odd(double count) {
  const auto whole = static_cast<int>(std::ceil(count));
  return whole % 2 == 0 ? whole + 1 : whole;
}

std::size_t jump_of(std::size_t window) { return (window + 9) / 10; }

/// Mean of `width` neighbours: values.size() - width + 1 of them.
std::vector<double> moving_mean(std::span<const double> values, std::size_t width) {
  std::vector<double> means(values.size() - width + 1);
  double sum = 0;
  for (std::size_t i = 0; i < width; ++i) sum += values[i];
  means[0] = sum / static_cast<double>(width);
  for (std::size_t i = 1; i < means.size(); ++i) {
    sum += values[i + width - 1] - values[i - 1];
    means[i] = sum / static_cast<double>(width);
  }
  return means;
}

/// The passes of one decomposition.
class StlPasses {
 public:
  StlPasses(std::span<const double> values, int period, const StlOptions& options)
      : values_(values), period_(static_cast<std::size_t>(period)) {
    const std::size_t n = values.size();
    const bool periodic = options.season_window <= 0;
    // A window ten times as wide as the series makes every weight equal.
    const std::size_t season = periodic ? 10 * n + 1 : static_cast<std::size_t>(options.season_window);
    const int trend = options.trend_window > 0
                          ? options.trend_window
                          : next_odd(1.5 * period / (1 - 1.5 / static_cast<double>(season)));
    season_ = {season, 0, jump_of(season)};
    trend_ = {static_cast<std::size_t>(trend), 1, jump_of(static_cast<std::size_t>(trend))};
    const auto low = static_cast<std::size_t>(next_odd(period));
    low_pass_ = {low, 1, jump_of(low)};
    result_.season.assign(n, 0.0);
    result_.trend.assign(n, 0.0);
    result_.remainder.assign(n, 0.0);
    for (int round = 0; round <= options.outer; ++round) {
      if (round > 0) weigh();
      for (int pass = 0; pass < options.inner; ++pass) run_pass();
    }
    if (periodic) repeat_mean_season();
    for (std::size_t i = 0; i < n; ++i)
      result_.remainder[i] = values[i] - result_.season[i] - result_.trend[i];
  }
  Stl take() { return std::move(result_); }

 private:
  void run_pass() {
    const std::size_t n = values_.size();
    rest_.resize(n);
    for (std::size_t i = 0; i < n; ++i) rest_[i] = values_[i] - result_.trend[i];
    smooth_cycles();
    const std::vector<double> low = moving_mean(moving_mean(moving_mean(cycles_, period_), period_), 3);
    smoothed_.resize(n);
    loess_.smooth(low, {}, low_pass_, smoothed_);
    for (std::size_t i = 0; i < n; ++i) {
      result_.season[i] = cycles_[period_ + i] - smoothed_[i];
      rest_[i] = values_[i] - result_.season[i];
    }
    loess_.smooth(rest_, weights_, trend_, result_.trend);
  }

  /// Each position of the season smoothed over its cycles, and one cycle added to both ends.
  void smooth_cycles() {
    const std::size_t n = values_.size();
    cycles_.resize(n + 2 * period_);
    for (std::size_t slot = 0; slot < period_; ++slot) {
      own_.clear();
      own_weights_.clear();
      for (std::size_t i = slot; i < n; i += period_) {
        own_.push_back(rest_[i]);
        if (!weights_.empty()) own_weights_.push_back(weights_[i]);
      }
      const std::size_t count = own_.size();
      own_smooth_.resize(count + 2);
      loess_.smooth(own_, own_weights_, season_, std::span(own_smooth_).subspan(1, count));
      own_smooth_.front() = own_smooth_[1];
      own_smooth_.back() = own_smooth_[count];
      (void)loess_.fit_at(own_, own_weights_, season_, 0, 1, std::min(season_.window, count),
                          own_smooth_.front());
      (void)loess_.fit_at(own_, own_weights_, season_, count + 1,
                          count > season_.window ? count - season_.window + 1 : 1, count, own_smooth_.back());
      for (std::size_t cycle = 0; cycle < count + 2; ++cycle)
        cycles_[cycle * period_ + slot] = own_smooth_[cycle];
    }
  }

  void weigh() {
    const std::size_t n = values_.size();
    weights_.resize(n);
    std::vector<double> sorted(n);
    for (std::size_t i = 0; i < n; ++i)
      sorted[i] = std::abs(values_[i] - result_.season[i] - result_.trend[i]);
    weights_ = sorted;
    const double limit = 6 * median_of(sorted);
    for (double& weight : weights_) {
      const double share = limit > 0 ? weight / limit : 0.0;
      const double rest = 1 - share * share;
      weight = share <= 0.001 ? 1.0 : share <= 0.999 ? rest * rest : 0.0;
    }
  }

  void repeat_mean_season() {
    const std::size_t n = values_.size();
    for (std::size_t slot = 0; slot < period_; ++slot) {
      double sum = 0;
      double count = 0;
      for (std::size_t i = slot; i < n; i += period_, ++count) sum += result_.season[i];
      for (std::size_t i = slot; i < n; i += period_) result_.season[i] = sum / count;
    }
  }

  std::span<const double> values_;
  std::size_t period_;
  LoessOptions season_;
  LoessOptions trend_;
  LoessOptions low_pass_;
  Loess loess_;
  Stl result_;
  std::vector<double> weights_;  ///< empty, or the robustness weights
  std::vector<double> rest_;
  std::vector<double> cycles_;  ///< the seasons with one cycle before and one after
  std::vector<double> smoothed_;
  std::vector<double> own_;
  std::vector<double> own_weights_;
  std::vector<double> own_smooth_;
};

/// The history without its seasons, as the smoothing sees it, and each season's next value.
struct Adjusted {
  std::vector<double> values;
  std::vector<std::vector<double>> last_cycles;
};

Adjusted adjust(const History& history, std::span<const int> periods) {
  Adjusted adjusted;
  adjusted.values = fill_masked(history, history.season);
  const Mstl parts = mstl(adjusted.values, periods);
  for (std::size_t k = 0; k < parts.periods.size(); ++k) {
    const auto period = static_cast<std::ptrdiff_t>(parts.periods[k]);
    for (std::size_t i = 0; i < adjusted.values.size(); ++i) adjusted.values[i] -= parts.seasons[k][i];
    adjusted.last_cycles.emplace_back(parts.seasons[k].end() - period, parts.seasons[k].end());
  }
  return adjusted;
}

}  // namespace

Stl stl(std::span<const double> values, int period, const StlOptions& options) {
  return StlPasses(values, period, options).take();
}

Mstl mstl(std::span<const double> values, std::span<const int> periods) {
  const std::size_t n = values.size();
  Mstl result;
  for (const int period : periods)
    if (period >= 2 && 2 * static_cast<std::size_t>(period) < n) result.periods.push_back(period);
  std::vector<double> rest(values.begin(), values.end());
  result.seasons.assign(result.periods.size(), std::vector<double>(n, 0.0));
  if (result.periods.empty()) {
    double sum = 0;
    for (const double value : values) sum += value;
    result.trend.assign(n, n > 0 ? sum / static_cast<double>(n) : 0.0);
  }
  const int rounds = result.periods.size() > 1 ? 2 : 1;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t k = 0; k < result.periods.size(); ++k) {
      for (std::size_t i = 0; i < n; ++i) rest[i] += result.seasons[k][i];
      Stl parts = stl(rest, result.periods[k], {.season_window = 11 + 4 * static_cast<int>(k)});
      for (std::size_t i = 0; i < n; ++i) rest[i] -= parts.season[i];
      result.seasons[k] = std::move(parts.season);
      result.trend = std::move(parts.trend);
    }
  }
  result.remainder.resize(n);
  for (std::size_t i = 0; i < n; ++i) result.remainder[i] = rest[i] - result.trend[i];
  return result;
}

MstlFit mstl_fit(const History& history) {
  constexpr int kDaysOfYear = 365;
  std::vector<int> wanted = {history.season};
  if (history.grain == Grain::kDaily) wanted.push_back(kDaysOfYear);
  MstlFit fit;
  for (const int period : wanted)
    if (period >= 2 && 2 * static_cast<std::size_t>(period) < history.size()) fit.periods.push_back(period);
  const Adjusted adjusted = adjust(history, fit.periods);
  History rest = history;
  rest.value = adjusted.values;
  fit.adjusted = auto_ets(rest, 1, {.allow_multiplicative = false});
  return fit;
}

void mstl_forecast(const History& history, const MstlFit& fit, std::span<double> out) {
  const Adjusted adjusted = adjust(history, fit.periods);
  History rest = history;
  rest.value = adjusted.values;
  const EtsFit& ets = fit.adjusted;
  ets_forecast(ets.shape, ets.weights, ets_filter(rest, ets.shape, ets.weights, ets.initial, {}), out);
  for (const std::vector<double>& cycle : adjusted.last_cycles)
    for (std::size_t step = 0; step < out.size(); ++step) out[step] += cycle[step % cycle.size()];
}

Parameters pack_mstl(const MstlFit& fit) {
  Parameters packed = {static_cast<double>(fit.periods.size())};
  packed.insert(packed.end(), fit.periods.begin(), fit.periods.end());
  const Parameters ets = pack_ets(fit.adjusted);
  packed.insert(packed.end(), ets.begin(), ets.end());
  return packed;
}

MstlFit unpack_mstl(const Parameters& parameters) {
  MstlFit fit;
  const auto count = static_cast<std::ptrdiff_t>(parameters[0]);
  for (std::ptrdiff_t k = 1; k <= count; ++k)
    fit.periods.push_back(static_cast<int>(parameters[static_cast<std::size_t>(k)]));
  fit.adjusted = unpack_ets(Parameters(parameters.begin() + 1 + count, parameters.end()));
  return fit;
}

}  // namespace tillcast::forecast
