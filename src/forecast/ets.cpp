#include "forecast/ets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "forecast/ets_filter_internal.h"
#include "forecast/least_squares_internal.h"
#include "forecast/level_fit_internal.h"
#include "forecast/minimise_internal.h"

namespace tillcast::forecast {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kWeightLeast = 1e-4;  ///< of the box in which weights are searched

std::size_t season_states(const EtsShape& shape) {
  return shape.season == EtsSeason::kNone ? 0 : static_cast<std::size_t>(shape.period);
}

/// Fits one shape: searches the weights, solves the initial states.
class EtsFitter {
 public:
  /// `simpler` is a fit of a shape without this one's trend or error, or nullptr: its states and weights are
  /// the start.
  EtsFitter(const History& history, const EtsShape& shape, const EtsFit* simpler)
      : history_(history), shape_(shape), simpler_(simpler) {
    for (std::size_t i = 0; i < history.size(); ++i) observed_ += history.masked[i] == 0 ? 1 : 0;
    start_states();
    if (simpler != nullptr && simpler->shape.season == shape.season) {
      initial_[0] = simpler->initial.level;
      std::ranges::copy(simpler->initial.season, initial_.begin() + 2);
    }
  }

  EtsFit run() {
    const bool level_alone = shape_.trend == EtsTrend::kNone && shape_.season == EtsSeason::kNone;
    if (level_alone && !shape_.multiplicative_error && observed_ >= 3) return run_level();
    EtsFit best = run_from(0.2, 0.05);
    // The likelihood of short seasonal series has a second hill where the season moves fast.
    constexpr std::size_t kShort = 400;
    if (shape_.season == EtsSeason::kNone || observed_ > kShort) return best;
    start_states();
    EtsFit other = run_from(0.3, 0.6);
    return other.minus_two_log_likelihood < best.minus_two_log_likelihood ? other : best;
  }

 private:
  /// A level alone is searched to its end in a tenth of the passes.
  EtsFit run_level() {
    std::vector<double> seen;
    std::span<const double> values = history_.value;
    if (observed_ < values.size()) {
      seen.reserve(observed_);
      for (std::size_t i = 0; i < values.size(); ++i)
        if (history_.masked[i] == 0) seen.push_back(values[i]);
      values = seen;
    }
    const LevelFit found = fit_level(values, initial_[0], 0.2, kWeightLeast, 1 - kWeightLeast);
    EtsFit fit;
    fit.shape = shape_;
    fit.weights.alpha = found.alpha;
    fit.initial.level = found.level;
    fit.sum_of_squares = found.squares;
    fit.minus_two_log_likelihood = likelihood_of({.squares = found.squares, .log_means = 0});
    fit.aicc = aicc(fit.minus_two_log_likelihood);
    return fit;
  }

  EtsFit run_from(double alpha, double gamma_share) {
    std::array<double, 4> lower{};
    std::array<double, 4> upper{};
    std::array<double, 4> x{};
    const std::size_t count = bounds(alpha, gamma_share, lower, upper, x);
    const auto objective = [this](std::span<const double> at) {
      return minus_two_log_likelihood(weights_from(at));
    };
    const std::span<double> point(x.data(), count);
    const std::span<const double> low(lower.data(), count);
    const std::span<const double> high(upper.data(), count);
    // Rough states, rough weights; then both in turn until the likelihood stands still. The states matter
    // little after a few seasons, so long series need two rounds.
    refine_states(weights_from(point));
    double best =
        minimise(point, low, high, {.evaluations_max = 60, .step = 0.15, .tolerance = 3e-3}, objective);
    constexpr int kRounds = 6;
    for (int round = 0; round < kRounds; ++round) {
      const double before = best;
      refine_states(weights_from(point));
      best =
          minimise(point, low, high,
                   {.evaluations_max = 80, .step = round == 0 ? 0.05 : 0.02, .tolerance = 2e-4}, objective);
      if (before - best < 1e-3) break;
    }
    polish(point, low, high);
    EtsFit fit;
    fit.shape = shape_;
    fit.weights = weights_from(point);
    refine_states(fit.weights);
    fit.initial = {initial_[0], shape_.trend == EtsTrend::kNone ? 0.0 : initial_[1], {}};
    fit.initial.season.assign(initial_.begin() + 2, initial_.end());
    fit.sum_of_squares = filter(fit.weights, nullptr).squares;
    fit.minus_two_log_likelihood = minus_two_log_likelihood(fit.weights);
    fit.aicc = aicc(fit.minus_two_log_likelihood);
    return fit;
  }

  double aicc(double minus_two_log_likelihood) const {
    const double k = shape_.parameter_count();
    const auto n = static_cast<double>(observed_);
    return n - k - 1 > 0 ? minus_two_log_likelihood + 2 * k + 2 * k * (k + 1) / (n - k - 1) : kInfinity;
  }

  /// Taking turns is slow where weights near 0 let the first states rule the whole series. Short series can
  /// afford to solve the states anew for every weight that is tried.
  void polish(std::span<double> point, std::span<const double> low, std::span<const double> high) {
    const bool linear = !shape_.multiplicative_error && shape_.season != EtsSeason::kMultiplicative;
    constexpr std::size_t kWorkMax = 4000;
    const std::size_t columns = 1 + (shape_.trend != EtsTrend::kNone ? 1 : 0) + free_slots_.size();
    if (!linear || observed_ * columns > kWorkMax) return;
    minimise(point, low, high, {.evaluations_max = 60, .step = 0.02, .tolerance = 1e-4},
             [this](std::span<const double> at) {
               const EtsWeights weights = weights_from(at);
               refine_states(weights);
               return minus_two_log_likelihood(weights);
             });
  }

  std::size_t bounds(double first_alpha, double gamma_share, std::array<double, 4>& lower,
                     std::array<double, 4>& upper, std::array<double, 4>& x) const {
    constexpr double kSmall = kWeightLeast;
    std::size_t count = 0;
    const auto add = [&](double low, double high, double start) {
      lower[count] = low;
      upper[count] = high;
      x[count++] = start;
    };
    const double alpha = simpler_ != nullptr ? simpler_->weights.alpha : first_alpha;
    const bool seasonal_start = simpler_ != nullptr && simpler_->shape.season == shape_.season;
    add(kSmall, 1 - kSmall, alpha);
    if (shape_.trend != EtsTrend::kNone) add(kSmall, 1 - kSmall, 0.01);
    if (shape_.season != EtsSeason::kNone) {
      add(kSmall, 1 - kSmall,
          seasonal_start ? std::clamp(simpler_->weights.gamma / (1 - alpha), kSmall, 1 - kSmall)
                         : gamma_share);
    }
    if (shape_.trend == EtsTrend::kDamped) add(0.8, 0.98, 0.95);
    return count;
  }

  /// The search runs over alpha, beta/alpha and gamma/(1-alpha), which makes the usual region a box.
  EtsWeights weights_from(std::span<const double> x) const {
    EtsWeights weights;
    std::size_t at = 0;
    weights.alpha = x[at++];
    if (shape_.trend != EtsTrend::kNone) weights.beta = x[at++] * weights.alpha;
    if (shape_.season != EtsSeason::kNone) weights.gamma = x[at++] * (1 - weights.alpha);
    if (shape_.trend == EtsTrend::kDamped) weights.phi = x[at];
    return weights;
  }

  FilterSums filter(const EtsWeights& weights, double* errors) {
    double level = initial_[0];
    double trend = initial_[1];
    season_.assign(initial_.begin() + 2, initial_.end());
    return run_ets_filter(shape_, history_.value.data(), history_.masked.data(), history_.size(), weights,
                          level, trend, season_.data(), errors);
  }

  double minus_two_log_likelihood(const EtsWeights& weights) {
    return likelihood_of(filter(weights, nullptr));
  }

  /// Minus two log L.
  double likelihood_of(const FilterSums& sums) const {
    if (!std::isfinite(sums.squares)) return kInfinity;
    const auto n = static_cast<double>(observed_);
    return n * std::log(std::max(sums.squares, 1e-12 * floor_)) + 2 * sums.log_means;
  }

  /// Level: mean of the first season or ten periods. Season: means by position over the first four seasons.
  void start_states() {
    const std::size_t n = history_.size();
    const auto period = static_cast<std::size_t>(std::max(shape_.period, 1));
    const std::size_t states = season_states(shape_);
    initial_.assign(2 + states, 0.0);
    double sum = 0;
    double total_squares = 0;
    std::size_t count = 0;
    const std::size_t head = std::max<std::size_t>(states, 10);
    for (std::size_t i = 0; i < n; ++i) {
      if (history_.masked[i] != 0) continue;
      total_squares += history_.value[i] * history_.value[i];
      if (count >= head) continue;
      sum += history_.value[i];
      ++count;
    }
    floor_ = std::max(total_squares, 1e-12);
    initial_[0] = count > 0 ? sum / static_cast<double>(count) : 0.0;
    free_slots_.clear();
    if (states == 0) return;
    // A slot that was never open (Sundays) has no effect to learn: it stays neutral and outside the sum.
    std::vector<std::uint8_t> seen_slot(period, 0);
    for (std::size_t i = 0; i < n; ++i)
      if (history_.masked[i] == 0) seen_slot[i % period] = 1;
    for (std::size_t slot = 0; slot < period; ++slot)
      if (seen_slot[slot] != 0) free_slots_.push_back(2 + slot);
    std::vector<double> sums(period, 0.0);
    std::vector<int> counts(period, 0);
    double all = 0;
    int seen = 0;
    for (std::size_t i = 0; i < std::min(n, 4 * period); ++i) {
      if (history_.masked[i] != 0) continue;
      sums[i % period] += history_.value[i];
      ++counts[i % period];
      all += history_.value[i];
      ++seen;
    }
    const double mean = seen > 0 ? all / seen : 0.0;
    const bool multiplicative = shape_.season == EtsSeason::kMultiplicative;
    for (std::size_t slot = 0; slot < period; ++slot) {
      const double own = counts[slot] > 0 ? sums[slot] / counts[slot] : mean;
      initial_[2 + slot] = multiplicative ? (mean > 0 ? std::max(own / mean, 0.01) : 1.0) : own - mean;
    }
    if (mean != 0 && multiplicative) initial_[0] = mean;
  }

  /// One Gauss-Newton step on the initial states. Seasonal states move under "their sum stays", so that level
  /// and season cannot trade places. Exact for additive season and error, where the errors are linear in the
  /// states; elsewhere kept only when the likelihood rises.
  void refine_states(const EtsWeights& weights) {
    const std::size_t n = history_.size();
    const bool trend = shape_.trend != EtsTrend::kNone;
    const std::size_t columns = 1 + (trend ? 1 : 0) + (free_slots_.empty() ? 0 : free_slots_.size() - 1);
    if (observed_ < columns + 2) return;
    errors_.resize(n);
    const FilterSums before = filter(weights, errors_.data());
    if (!std::isfinite(before.squares)) return;
    const double value_before = minus_two_log_likelihood(weights);
    const std::vector<double> saved = initial_;
    const bool linear = !shape_.multiplicative_error && shape_.season != EtsSeason::kMultiplicative;
    const double unit = linear ? 1.0 : 1e-4 * std::max(std::abs(saved[0]), 1e-6);
    const double season_unit = shape_.season == EtsSeason::kMultiplicative ? 1e-4 : unit;
    jacobian_.resize(columns * n);
    moved_.resize(n);
    for (std::size_t column = 0; column < columns; ++column) {
      initial_ = saved;
      const double step = move(column, trend, unit, season_unit);
      if (!std::isfinite(filter(weights, moved_.data()).squares)) {
        initial_ = saved;
        return;
      }
      double* to = jacobian_.data() + column * n;
      for (std::size_t i = 0; i < n; ++i) to[i] = (moved_[i] - errors_[i]) / step;
    }
    initial_ = saved;
    const std::vector<double> change = solve_least_squares(jacobian_, errors_, columns, 1e-9);
    if (change.empty()) return;
    for (std::size_t column = 0; column < columns; ++column) {
      // The solution brings errors + jacobian * change to its minimum, hence the sign.
      const std::size_t at = column_state(column, trend);
      initial_[at] -= change[column];
      if (at >= 2) initial_[free_slots_.back()] += change[column];
    }
    if (shape_.season == EtsSeason::kMultiplicative &&
        std::ranges::any_of(std::span(initial_).subspan(2), [](double s) { return !(s > 1e-3); })) {
      initial_ = saved;
      return;
    }
    if (!(minus_two_log_likelihood(weights) <= value_before)) initial_ = saved;
  }

  std::size_t column_state(std::size_t column, bool trend) const {
    if (column == 0) return 0;
    if (trend && column == 1) return 1;
    return free_slots_[column - (trend ? 2 : 1)];
  }

  double move(std::size_t column, bool trend, double unit, double season_unit) {
    const std::size_t at = column_state(column, trend);
    const double step = at >= 2 ? season_unit : unit;
    initial_[at] += step;
    if (at >= 2) initial_[free_slots_.back()] -= step;
    return step;
  }

  const History& history_;
  EtsShape shape_;
  const EtsFit* simpler_;
  std::size_t observed_ = 0;
  std::vector<std::size_t> free_slots_;  ///< places in initial_ of the seasonal states that can be learnt
  double floor_ = 1;                     ///< sum of squared values: a perfect fit must not give log(0)
  std::vector<double> initial_;
  std::vector<double> season_;
  std::vector<double> errors_;
  std::vector<double> moved_;
  std::vector<double> jacobian_;
};

}  // namespace

std::string EtsShape::name() const {
  std::string text = multiplicative_error ? "M" : "A";
  text += trend == EtsTrend::kNone ? "N" : trend == EtsTrend::kAdditive ? "A" : "Ad";
  text += season == EtsSeason::kNone ? "N" : season == EtsSeason::kAdditive ? "A" : "M";
  return text;
}

int EtsShape::parameter_count() const {
  int count = 3;  // alpha, level, variance
  if (trend != EtsTrend::kNone) count += 2;
  if (trend == EtsTrend::kDamped) ++count;
  if (season != EtsSeason::kNone) count += period;  // gamma and period - 1 free states
  return count;
}

EtsState ets_filter(const History& history, const EtsShape& shape, const EtsWeights& weights,
                    EtsState initial, std::span<double> errors) {
  const std::size_t n = history.size();
  initial.season.resize(std::max<std::size_t>(initial.season.size(), 1));
  EtsShape any_mean = shape;
  any_mean.multiplicative_error = false;
  (void)run_ets_filter(any_mean, history.value.data(), history.masked.data(), n, weights, initial.level,
                       initial.trend, initial.season.data(), errors.empty() ? nullptr : errors.data());
  if (shape.multiplicative_error)
    for (std::size_t i = 0; i < errors.size(); ++i)
      if (history.masked[i] == 0) errors[i] /= history.value[i] - errors[i];
  const std::size_t states = season_states(shape);
  if (states > 0)
    std::rotate(initial.season.begin(), initial.season.begin() + static_cast<std::ptrdiff_t>(n % states),
                initial.season.end());
  return initial;
}

void ets_forecast(const EtsShape& shape, const EtsWeights& weights, const EtsState& last,
                  std::span<double> out) {
  const double phi = shape.trend == EtsTrend::kDamped ? weights.phi : 1.0;
  double power = 1;
  double growth = 0;
  for (std::size_t step = 0; step < out.size(); ++step) {
    if (shape.trend != EtsTrend::kNone) {
      power *= phi;
      growth += power * last.trend;
    }
    const double base = last.level + growth;
    const double s = shape.season == EtsSeason::kNone ? 0.0 : last.season[step % last.season.size()];
    out[step] = shape.season == EtsSeason::kMultiplicative ? base * s : base + s;
  }
}

EtsFit ets_fit(const History& history, const EtsShape& shape, const EtsFit* simpler) {
  return EtsFitter(history, shape, simpler).run();
}

EtsFit auto_ets(const History& history, int period, const AutoEtsOptions& options) {
  std::size_t observed = 0;
  bool positive = true;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history.masked[i] != 0) continue;
    ++observed;
    positive = positive && history.value[i] > 0;
  }
  EtsFit best = ets_fit(history, {});
  const auto consider = [&](const EtsShape& shape, const EtsFit* simpler) {
    EtsFit fit = ets_fit(history, shape, simpler);
    const bool better = fit.aicc < best.aicc;
    if (better) best = std::move(fit);
    return better;
  };
  const bool seasonal = period > 1 && observed >= 2 * static_cast<std::size_t>(period) + 3;
  const bool multiplicative = options.allow_multiplicative && positive;
  // consider() replaces best, so that these copies are needed.
  // NOLINTBEGIN(performance-unnecessary-copy-initialization)
  if (seasonal) {
    const EtsFit flat = best;
    consider({.season = EtsSeason::kAdditive, .period = period}, &flat);
    if (multiplicative)
      consider({.multiplicative_error = true, .season = EtsSeason::kMultiplicative, .period = period}, &flat);
  }
  if (multiplicative && best.shape.season != EtsSeason::kMultiplicative) {
    const EtsFit additive = best;
    EtsShape shape = best.shape;
    shape.multiplicative_error = true;
    consider(shape, &additive);
  }
  if (options.trend != EtsTrend::kNone) {
    const EtsFit flat = best;
    EtsShape shape = best.shape;
    shape.trend = EtsTrend::kDamped;
    consider(shape, &flat);
    if (options.trend == EtsTrend::kAdditive) {
      shape.trend = EtsTrend::kAdditive;
      consider(shape, &flat);
    }
  }
  // NOLINTEND(performance-unnecessary-copy-initialization)
  return best;
}

Parameters pack_ets(const EtsFit& fit) {
  Parameters packed = {fit.shape.multiplicative_error ? 1.0 : 0.0,
                       static_cast<double>(fit.shape.trend),
                       static_cast<double>(fit.shape.season),
                       static_cast<double>(fit.shape.period),
                       fit.weights.alpha,
                       fit.weights.beta,
                       fit.weights.gamma,
                       fit.weights.phi,
                       fit.initial.level,
                       fit.initial.trend};
  packed.insert(packed.end(), fit.initial.season.begin(), fit.initial.season.end());
  return packed;
}

EtsFit unpack_ets(const Parameters& parameters) {
  EtsFit fit;
  fit.shape.multiplicative_error = parameters[0] != 0;
  fit.shape.trend = static_cast<EtsTrend>(static_cast<int>(parameters[1]));
  fit.shape.season = static_cast<EtsSeason>(static_cast<int>(parameters[2]));
  fit.shape.period = static_cast<int>(parameters[3]);
  fit.weights = {parameters[4], parameters[5], parameters[6], parameters[7]};
  fit.initial = {parameters[8], parameters[9], {parameters.begin() + 10, parameters.end()}};
  return fit;
}

}  // namespace tillcast::forecast
