#include "forecast/path_ranks.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <string>

#include "core/check.h"
#include "forecast/quantiles.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kShuffleMin = 30;  // error vectors for an empirical copula

/// The standard's generator gives the same bits everywhere; its distributions need not.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return (static_cast<double>(engine_() >> 11U) + 0.5) * 0x1.0p-53; }
  double normal() {
    // Two statements: the operands of a product are drawn in no fixed order.
    const double size = std::sqrt(-2 * std::log(uniform()));
    return size * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

/// How errors hang together over the steps: a share that lasts the whole horizon, and the rest that fades.
struct Dependence {
  double common = 0;
  double fading = 0;  ///< correlation of the rest from one step to the next
};

Dependence find_dependence(std::span<const float> errors, std::size_t steps) {
  double sum = 0;
  double squares = 0;
  std::size_t count = 0;
  for (const float error : errors) {
    if (std::isnan(error)) continue;
    sum += static_cast<double>(error);
    ++count;
  }
  if (count < 2) return {};
  const double mean = sum / static_cast<double>(count);
  for (const float error : errors)
    if (!std::isnan(error))
      squares += (static_cast<double>(error) - mean) * (static_cast<double>(error) - mean);
  const double variance = squares / static_cast<double>(count);
  if (!(variance > 0)) return {};
  const auto correlation = [&](std::size_t lag_from, std::size_t lag_to) {
    double products = 0;
    std::size_t pairs = 0;
    for (std::size_t window = 0; window + steps <= errors.size(); window += steps) {
      for (std::size_t lag = lag_from; lag < lag_to; ++lag) {
        for (std::size_t step = 0; step + lag < steps; ++step) {
          const auto a = static_cast<double>(errors[window + step]) - mean;
          const auto b = static_cast<double>(errors[window + step + lag]) - mean;
          if (std::isnan(a) || std::isnan(b)) continue;
          products += a * b;
          ++pairs;
        }
      }
    }
    return pairs > 0 ? products / static_cast<double>(pairs) / variance : 0.0;
  };
  Dependence result;
  if (steps < 2) return result;
  const double next = std::clamp(correlation(1, 2), 0.0, 0.99);
  if (steps >= 6) result.common = std::clamp(correlation(steps / 2, steps), 0.0, next);
  result.fading = result.common < 1 ? std::clamp((next - result.common) / (1 - result.common), 0.0, 0.99) : 0;
  return result;
}

/// Values whose ranks at each step the paths take: [path][step].
std::vector<double> rank_templates(std::span<const float> errors, std::size_t window_steps, std::size_t steps,
                                   const SamplePathOptions& options, Draws& draws) {
  std::vector<double> result(options.paths * steps);
  std::vector<std::size_t> whole;
  for (std::size_t window = 0; window_steps == steps && (window + 1) * steps <= errors.size(); ++window) {
    const auto of_window = errors.subspan(window * steps, steps);
    if (std::ranges::none_of(of_window, [](float error) { return std::isnan(error); }))
      whole.push_back(window);
  }
  if (whole.size() >= kShuffleMin) {
    for (std::size_t path = 0; path < options.paths; ++path) {
      // Each vector as often as the others before one is used again; a hair of noise parts equal errors.
      if (path % whole.size() == 0)
        for (std::size_t i = whole.size(); i > 1; --i)
          std::swap(whole[i - 1], whole[static_cast<std::size_t>(draws.uniform() * static_cast<double>(i))]);
      const std::size_t window = whole[path % whole.size()];
      for (std::size_t step = 0; step < steps; ++step)
        result[path * steps + step] =
            static_cast<double>(errors[window * steps + step]) + 1e-6 * draws.normal();
    }
    return result;
  }
  const Dependence dependence = errors.empty() ? Dependence{1, 0} : find_dependence(errors, window_steps);
  for (std::size_t path = 0; path < options.paths; ++path) {
    const double common = draws.normal();
    double fading = draws.normal();
    for (std::size_t step = 0; step < steps; ++step) {
      if (step > 0)
        fading = dependence.fading * fading +
                 std::sqrt(1 - dependence.fading * dependence.fading) * draws.normal();
      result[path * steps + step] =
          std::sqrt(dependence.common) * common + std::sqrt(1 - dependence.common) * fading;
    }
  }
  return result;
}

}  // namespace

PathRanks::PathRanks(std::span<const float> errors, std::size_t window_steps, std::size_t steps,
                     const SamplePathOptions& options)
    : steps_(steps), paths_(options.paths), order_(steps * options.paths) {
  TILLCAST_CHECK(window_steps > 0 && errors.size() % window_steps == 0, "whole windows of errors");
  Draws draws(options.seed);
  const std::vector<double> templates = rank_templates(errors, window_steps, steps, options, draws);
  for (std::size_t step = 0; step < steps; ++step) {
    const auto of_step = std::span(order_).subspan(step * paths_, paths_);
    std::iota(of_step.begin(), of_step.end(), std::uint32_t{0});
    std::ranges::stable_sort(of_step, {}, [&](std::uint32_t path) { return templates[path * steps + step]; });
  }
}

void scale_windows(std::span<float> errors) {
  double squares = 0;
  std::size_t count = 0;
  for (const float error : errors) {
    if (std::isnan(error)) continue;
    squares += static_cast<double>(error) * static_cast<double>(error);
    ++count;
  }
  if (!(squares > 0)) return;
  const double size = std::sqrt(squares / static_cast<double>(count));
  for (float& error : errors) error = static_cast<float>(static_cast<double>(error) / size);
}

bool all_whole(std::span<const float> quantiles) {
  return std::ranges::all_of(quantiles, [](float value) { return value == std::floor(value); });
}

void path_values(std::span<const double> shares, std::span<const float> of_step, bool whole,
                 std::span<double> out) {
  const auto count = static_cast<double>(out.size());
  std::size_t after = 0;  // the first share that is not below that of the path
  for (std::size_t place = 0; place < out.size(); ++place) {
    const double share = (static_cast<double>(place) + 0.5) / count;
    while (after < shares.size() && shares[after] < share) ++after;
    double value = 0;
    if (after == 0) {
      value = static_cast<double>(of_step.front());
    } else if (after == shares.size()) {
      value = static_cast<double>(of_step.back());
    } else {
      const double part = (share - shares[after - 1]) / (shares[after] - shares[after - 1]);
      const auto low = static_cast<double>(of_step[after - 1]);
      value = low + part * (static_cast<double>(of_step[after]) - low);
    }
    out[place] = whole ? std::round(value) : value;
  }
}

std::vector<double> quantiles_of_sorted(std::span<const double> sorted, std::span<const double> shares) {
  std::vector<double> result;
  result.reserve(shares.size());
  for (const double share : shares) {
    const double place = std::clamp(share * static_cast<double>(sorted.size()) - 0.5, 0.0,
                                    static_cast<double>(sorted.size() - 1));
    const auto low = static_cast<std::size_t>(place);
    const std::size_t high = std::min(low + 1, sorted.size() - 1);
    result.push_back(sorted[low] + (place - static_cast<double>(low)) * (sorted[high] - sorted[low]));
  }
  return result;
}

Result<std::vector<double>> sum_quantiles(const PathRanks& ranks, std::span<const double> shares,
                                          std::span<const float> quantiles,
                                          std::span<const std::size_t> places,
                                          std::span<const double> asked) {
  for (const auto of : {shares, asked})
    if (const char* fault = find_share_fault(of); *fault != '\0') return invalid_input(fault);
  if (shares.empty() || quantiles.size() != places.size() * shares.size() || ranks.paths() == 0) {
    return invalid_input("sum over days: " + std::to_string(quantiles.size()) + " quantiles for " +
                         std::to_string(places.size()) + " days and " + std::to_string(shares.size()) +
                         " shares");
  }
  const bool whole = all_whole(quantiles);
  std::vector<double> sums(ranks.paths(), 0.0);
  std::vector<double> values(ranks.paths());
  for (std::size_t k = 0; k < places.size(); ++k) {
    if (places[k] >= ranks.steps())
      return invalid_input("sum over days: step " + std::to_string(places[k]) + " of " +
                           std::to_string(ranks.steps()));
    path_values(shares, quantiles.subspan(k * shares.size(), shares.size()), whole, values);
    const auto order = ranks.order(places[k]);
    for (std::size_t place = 0; place < order.size(); ++place) sums[order[place]] += values[place];
  }
  std::ranges::sort(sums);
  return quantiles_of_sorted(sums, asked);
}

}  // namespace tillcast::forecast
