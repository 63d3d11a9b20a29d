#include "forecast/ces.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "forecast/minimise_internal.h"
#include "forecast/seasonal.h"

namespace tillcast::forecast {
namespace {

/// Values in the order a pass meets them.
struct Path {
  std::span<const double> value;
  std::span<const std::uint8_t> masked;
  bool backward = false;

  std::size_t size() const { return value.size(); }
  std::size_t at(std::size_t i) const { return backward ? value.size() - 1 - i : i; }
};

/// The new level and potential after an error; z and its weight are complex.
struct Pair {
  double real;
  double imaginary;
};
Pair advance(Pair z, double weight_real, double weight_imaginary, double error) {
  return {z.real - (1 - weight_imaginary) * z.imaginary + (weight_real - weight_imaginary) * error,
          z.real + (1 - weight_real) * z.imaginary + (weight_real + weight_imaginary) * error};
}

void rotate_to(std::vector<double>& ring, std::size_t first) {
  if (ring.size() < 2) return;
  std::rotate(ring.begin(), ring.begin() + static_cast<std::ptrdiff_t>(first % ring.size()), ring.end());
}

/// One pass over `steps` periods of `path`, or, without a path, `steps` periods without errors whose
/// forecasts go to `out`. The state is a ring while it runs and starts at its next period when it returns.
template <CesSeason kSeason>
double run(const Path* path, std::size_t steps, const CesWeights& w, CesState& state, double* errors,
           double* out) {
  double squares = 0;
  const std::size_t period =
      kSeason == CesSeason::kNone ? 1 : std::max(state.level.size(), state.season.size());
  std::size_t slot = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    const std::size_t own = kSeason == CesSeason::kSimple ? slot : 0;
    double mean = state.level[own];
    if constexpr (kSeason == CesSeason::kPartial || kSeason == CesSeason::kFull) mean += state.season[slot];
    double error = 0;
    if (path != nullptr) {
      const std::size_t at = path->at(i);
      if (path->masked[at] == 0) error = path->value[at] - mean;
      if (errors != nullptr) errors[at] = error;
      squares += error * error;
    }
    if (out != nullptr) out[i] = mean;
    const Pair z = advance({state.level[own], state.potential[own]}, w.alpha_real, w.alpha_imaginary, error);
    state.level[own] = z.real;
    state.potential[own] = z.imaginary;
    if constexpr (kSeason == CesSeason::kPartial) state.season[slot] += w.beta_real * error;
    if constexpr (kSeason == CesSeason::kFull) {
      const Pair s =
          advance({state.season[slot], state.season_potential[slot]}, w.beta_real, w.beta_imaginary, error);
      state.season[slot] = s.real;
      state.season_potential[slot] = s.imaginary;
    }
    slot = slot + 1 == period ? 0 : slot + 1;
  }
  for (auto* ring : {&state.level, &state.potential, &state.season, &state.season_potential})
    rotate_to(*ring, steps);
  return squares;
}

double run(CesSeason season, const Path* path, std::size_t steps, const CesWeights& w, CesState& state,
           double* errors, double* out) {
  switch (season) {
    case CesSeason::kNone:
      return run<CesSeason::kNone>(path, steps, w, state, errors, out);
    case CesSeason::kSimple:
      return run<CesSeason::kSimple>(path, steps, w, state, errors, out);
    case CesSeason::kPartial:
      return run<CesSeason::kPartial>(path, steps, w, state, errors, out);
    case CesSeason::kFull:
      return run<CesSeason::kFull>(path, steps, w, state, errors, out);
  }
  return 0;
}

/// Turns the states after a pass into those before a pass the other way: one more season runs without errors
/// and is read from its end.
void turn(CesSeason season, const CesWeights& weights, CesState& state) {
  const std::size_t ahead = std::max(state.level.size(), state.season.size());
  CesState one = state;
  run(season, nullptr, 1, weights, one, nullptr, nullptr);
  run(season, nullptr, ahead, weights, state, nullptr, nullptr);
  // A level that every period shares has moved by one period only.
  if (season != CesSeason::kSimple) {
    state.level = one.level;
    state.potential = one.potential;
  }
  for (auto* ring : {&state.level, &state.potential, &state.season, &state.season_potential})
    std::ranges::reverse(*ring);
}

CesState first_guess(std::span<const double> filled, CesSeason season, int period) {
  constexpr double kPotentialShare = 1 / 1.1;
  constexpr std::size_t kHead = 10;
  const std::size_t n = filled.size();
  const auto length = static_cast<std::size_t>(period);
  const auto mean_of = [&filled, n](std::size_t count) {
    const std::size_t head = std::min(count, n);
    if (head == 0) return 0.0;
    return std::accumulate(filled.begin(), filled.begin() + static_cast<std::ptrdiff_t>(head), 0.0) /
           static_cast<double>(head);
  };
  CesState state;
  switch (season) {
    case CesSeason::kNone:
      state.level = {mean_of(kHead)};
      break;
    case CesSeason::kSimple:
      state.level.assign(filled.begin(), filled.begin() + period);
      break;
    case CesSeason::kPartial:
    case CesSeason::kFull:
      state.level = {mean_of(length)};
      state.season = seasonal_indices(filled, period, SeasonType::kAdditive);
      break;
  }
  state.potential = state.level;
  if (season == CesSeason::kFull) state.season_potential = state.season;
  for (auto* potential : {&state.potential, &state.season_potential})
    for (double& value : *potential) value *= kPotentialShare;
  return state;
}

/// Backcasts from a first guess; the first guess does not depend on the weights.
CesState backcast(const History& history, CesSeason season, const CesWeights& weights, CesState state) {
  for (const bool backward : {false, true}) {
    const Path path{history.value, history.masked, backward};
    run(season, &path, path.size(), weights, state, nullptr, nullptr);
    turn(season, weights, state);
  }
  return state;
}

CesWeights weights_from(CesSeason season, std::span<const double> x) {
  CesWeights weights{x[0], x[1], 0, 0};
  if (season == CesSeason::kPartial || season == CesSeason::kFull) weights.beta_real = x[2];
  if (season == CesSeason::kFull) weights.beta_imaginary = x[3];
  return weights;
}

}  // namespace

CesState ces_filter(const History& history, CesSeason season, const CesWeights& weights, CesState initial,
                    std::span<double> errors, double* squares) {
  const Path path{history.value, history.masked, false};
  const double sum =
      run(season, &path, path.size(), weights, initial, errors.empty() ? nullptr : errors.data(), nullptr);
  if (squares != nullptr) *squares = sum;
  return initial;
}

void ces_forecast(CesSeason season, const CesWeights& weights, CesState last, std::span<double> out) {
  run(season, nullptr, out.size(), weights, last, nullptr, out.data());
}

CesState ces_backcast(const History& history, CesSeason season, int period, const CesWeights& weights) {
  const std::vector<double> filled = fill_masked(history, history.season);
  return backcast(history, season, weights, first_guess(filled, season, period));
}

CesFit ces_fit(const History& history, CesSeason season, int period) {
  CesFit fit;
  fit.season = season;
  fit.period = season == CesSeason::kNone ? 1 : period;
  const std::vector<double> filled = fill_masked(history, history.season);
  const CesState guess = first_guess(filled, season, fit.period);
  std::array<double, 4> x = {1.3, 1.0, season == CesSeason::kFull ? 1.3 : 0.1, 1.0};
  constexpr std::array<double, 4> kLower = {0.01, 0.01, 0.01, 0.01};
  constexpr std::array<double, 4> kUpper = {1.8, 1.9, 1.5, 1.5};
  const std::size_t count = season == CesSeason::kFull ? 4 : season == CesSeason::kPartial ? 3 : 2;
  double scale = 1e-12;
  for (const double value : filled) scale += value * value;
  const auto log_squares = [&](std::span<const double> at) {
    const CesWeights weights = weights_from(season, at);
    double squares = 0;
    ces_filter(history, season, weights, backcast(history, season, weights, guess), {}, &squares);
    return std::log(std::max(squares, 1e-14 * scale));
  };
  const std::span<double> point(x.data(), count);
  const auto search = [&](double step) {
    return minimise(point, std::span(kLower).first(count), std::span(kUpper).first(count),
                    {.evaluations_max = 120, .step = step, .tolerance = 1e-4}, log_squares);
  };
  double best = search(0.1);
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    const double before = best;
    best = search(0.03);
    if (before - best < 1e-5) break;
  }
  fit.weights = weights_from(season, point);
  fit.initial = backcast(history, season, fit.weights, guess);
  ces_filter(history, season, fit.weights, fit.initial, {}, &fit.sum_of_squares);
  const auto n = static_cast<double>(history.observed_count());
  const double k = static_cast<double>(season == CesSeason::kNone || season == CesSeason::kSimple ? 3
                                       : season == CesSeason::kPartial                            ? 4
                                                                                                  : 5);
  fit.aicc =
      n - k - 1 > 0 && std::isfinite(fit.sum_of_squares)
          ? n * std::log(std::max(fit.sum_of_squares, 1e-14 * scale)) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
          : std::numeric_limits<double>::infinity();
  return fit;
}

CesFit auto_ces(const History& history, int period) {
  CesFit best = ces_fit(history, CesSeason::kNone, 1);
  if (period < 2 || history.size() < 2 * static_cast<std::size_t>(period)) return best;
  for (const CesSeason season : {CesSeason::kSimple, CesSeason::kPartial, CesSeason::kFull}) {
    CesFit fit = ces_fit(history, season, period);
    if (fit.aicc < best.aicc) best = std::move(fit);
  }
  return best;
}

Parameters pack_ces(const CesFit& fit) {
  Parameters packed = {static_cast<double>(fit.season), static_cast<double>(fit.period),
                       fit.weights.alpha_real,          fit.weights.alpha_imaginary,
                       fit.weights.beta_real,           fit.weights.beta_imaginary};
  for (const auto* part :
       {&fit.initial.level, &fit.initial.potential, &fit.initial.season, &fit.initial.season_potential})
    packed.insert(packed.end(), part->begin(), part->end());
  return packed;
}

CesFit unpack_ces(const Parameters& parameters) {
  CesFit fit;
  fit.season = static_cast<CesSeason>(static_cast<int>(parameters[0]));
  fit.period = static_cast<int>(parameters[1]);
  fit.weights = {parameters[2], parameters[3], parameters[4], parameters[5]};
  auto at = parameters.begin() + 6;
  const auto take = [&at](std::vector<double>& part, int count) {
    part.assign(at, at + count);
    at += count;
  };
  const int levels = fit.season == CesSeason::kSimple ? fit.period : 1;
  take(fit.initial.level, levels);
  take(fit.initial.potential, levels);
  if (fit.season == CesSeason::kPartial || fit.season == CesSeason::kFull)
    take(fit.initial.season, fit.period);
  if (fit.season == CesSeason::kFull) take(fit.initial.season_potential, fit.period);
  return fit;
}

}  // namespace tillcast::forecast
