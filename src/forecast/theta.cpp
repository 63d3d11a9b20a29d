#include "forecast/theta.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "forecast/minimise_internal.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kBurnIn = 3;  // first errors left out, as in the reference implementations

/// Intercept and slope of the line through the first periods; for the standard model through all of them.
class TrendLine {
 public:
  TrendLine(std::span<const double> values, ThetaKind kind) : dynamic_(kind == ThetaKind::kDynamicOptimised) {
    if (values.empty()) return;
    mean_ = values[0];
    intercept_ = values[0];
    if (dynamic_) return;
    const auto n = static_cast<double>(values.size());
    double sum = 0;
    double weighted = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += values[i];
      weighted += values[i] * static_cast<double>(i + 1);
    }
    const double mean = sum / n;
    slope_ = n > 1 ? 6 * (2 * weighted / n - (n + 1) * mean) / (n * n - 1) : 0.0;
    intercept_ = mean - (n + 1) * slope_ / 2;
  }
  /// Takes in the value that follows the first `seen` ones.
  void add(double value, std::size_t seen) {
    if (!dynamic_) return;
    const auto i = static_cast<double>(seen);
    const double mean = (i * mean_ + value) / (i + 1);
    slope_ = ((i - 1) * slope_ + 6 * (value - mean_) / (i + 1)) / (i + 2);
    mean_ = mean;
    intercept_ = mean - slope_ * (i + 2) / 2;
  }
  double intercept() const { return intercept_; }
  double slope() const { return slope_; }

 private:
  bool dynamic_;
  double mean_ = 0;
  double intercept_ = 0;
  double slope_ = 0;
};

/// Searches alpha; level and omega follow in closed form.
class ThetaSearch {
 public:
  ThetaSearch(std::span<const double> values, ThetaKind kind) : values_(values), kind_(kind) {
    TrendLine line(values, kind);
    intercepts_.resize(values.size());
    slopes_.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) line.add(values[i], i);
      intercepts_[i] = line.intercept();
      slopes_[i] = line.slope();
    }
  }

  /// Sum of squared errors at the best level and omega, which are kept.
  double operator()(double alpha) {
    const double keep = 1 - alpha;
    double level = alpha * (values_.empty() ? 0.0 : values_[0]);  // with level 0 before the first period
    double power = keep;                                          // keep^i at the top of step i
    double aa = 0, ap = 0, ag = 0, pp = 0, pg = 0, gg = 0;
    for (std::size_t i = 1; i < values_.size(); ++i) {
      const double next_power = power * keep;
      const double line = intercepts_[i - 1] * power + slopes_[i - 1] * (1 - next_power) / alpha;
      const double rest = values_[i] - level;
      if (i >= kBurnIn) {
        aa += rest * rest;
        ap += rest * power;
        ag += rest * line;
        pp += power * power;
        pg += power * line;
        gg += line * line;
      }
      level = alpha * values_[i] + keep * level;
      power = next_power < 1e-30 ? 0.0 : next_power;  // denormals would cost more than the model
    }
    const auto squares = [&](double start, double omega) {
      return aa - 2 * (start * ap + omega * ag) + start * start * pp + 2 * start * omega * pg +
             omega * omega * gg;
    };
    const auto solve_level = [&](double omega) { return pp > 0 ? (ap - omega * pg) / pp : 0.0; };
    double omega = 0.5;
    if (kind_ == ThetaKind::kDynamicOptimised) {
      const double determinant = pp * gg - pg * pg;
      if (determinant > 1e-10 * pp * gg) omega = std::clamp((pp * ag - pg * ap) / determinant, 0.0, 1.0);
    }
    omega_ = omega;
    level_ = solve_level(omega);
    return std::max(squares(level_, omega_), 0.0);
  }

  double level() const { return level_; }
  double omega() const { return omega_; }

 private:
  std::span<const double> values_;
  ThetaKind kind_;
  std::vector<double> intercepts_;
  std::vector<double> slopes_;
  double level_ = 0;
  double omega_ = 0.5;
};

std::vector<double> adjust(std::vector<double> values, SeasonType type, int period,
                           std::vector<double>& indices) {
  if (type == SeasonType::kNone) return values;
  indices = seasonal_indices(values, period, type);
  const auto length = static_cast<std::size_t>(period);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double index = indices[i % length];
    if (type == SeasonType::kAdditive)
      values[i] -= index;
    else
      values[i] /= std::max(index, 0.01);
  }
  return values;
}

SeasonType season_type(std::span<const double> values, int period) {
  if (!has_season(values, period)) return SeasonType::kNone;
  if (std::ranges::min(values) < 0) return SeasonType::kAdditive;
  const std::vector<double> indices = seasonal_indices(values, period, SeasonType::kMultiplicative);
  return std::ranges::min(indices) < 0.01 ? SeasonType::kAdditive : SeasonType::kMultiplicative;
}

}  // namespace

ThetaFit theta_fit(const History& history, ThetaKind kind, int period) {
  ThetaFit fit;
  fit.kind = kind;
  fit.period = period;
  std::vector<double> filled = fill_masked(history, period);
  if (filled.empty()) return fit;
  fit.season = season_type(filled, period);
  std::vector<double> indices;
  const std::vector<double> adjusted = adjust(std::move(filled), fit.season, period, indices);
  ThetaSearch search(adjusted, kind);
  double alpha = 0.5;
  constexpr double kAlphaMin = 0.1;
  constexpr double kAlphaMax = 0.99;
  minimise(std::span(&alpha, 1), std::span(&kAlphaMin, 1), std::span(&kAlphaMax, 1),
           {.evaluations_max = 40, .tolerance = 1e-4},
           [&search](std::span<const double> at) { return search(at[0]); });
  fit.alpha = alpha;
  fit.sum_of_squares = search(alpha);
  fit.level = search.level();
  fit.omega = search.omega();
  return fit;
}

void theta_filter(std::span<const double> adjusted, const ThetaFit& fit, std::span<double> errors,
                  std::span<double> out) {
  const double keep = 1 - fit.alpha;
  TrendLine line(adjusted, fit.kind);
  if (adjusted.empty()) {
    std::ranges::fill(out, 0.0);
    return;
  }
  double level = fit.alpha * adjusted[0] + keep * fit.level;
  if (!errors.empty())
    errors[0] = fit.kind == ThetaKind::kDynamicOptimised
                    ? 0.0
                    : adjusted[0] - fit.level - fit.omega * (line.intercept() + line.slope());
  double power = keep;
  const auto expected = [&] {
    return level + fit.omega * (line.intercept() * power + line.slope() * (1 - power * keep) / fit.alpha);
  };
  const auto advance = [&](double value, std::size_t seen) {
    level = fit.alpha * value + keep * level;
    line.add(value, seen);
    power = power * keep < 1e-30 ? 0.0 : power * keep;
  };
  for (std::size_t i = 1; i < adjusted.size(); ++i) {
    if (!errors.empty()) errors[i] = adjusted[i] - expected();
    advance(adjusted[i], i);
  }
  for (std::size_t step = 0; step < out.size(); ++step) {
    out[step] = expected();
    advance(out[step], adjusted.size() + step);
  }
}

void theta_forecast(const History& history, const ThetaFit& fit, std::span<double> out) {
  std::vector<double> indices;
  const std::vector<double> adjusted =
      adjust(fill_masked(history, fit.period), fit.season, fit.period, indices);
  theta_filter(adjusted, fit, {}, out);
  if (fit.season == SeasonType::kNone) return;
  const auto period = static_cast<std::size_t>(fit.period);
  for (std::size_t step = 0; step < out.size(); ++step) {
    const double index = indices[(adjusted.size() + step) % period];
    if (fit.season == SeasonType::kAdditive)
      out[step] += index;
    else
      out[step] *= std::max(index, 0.01);
  }
}

}  // namespace tillcast::forecast
