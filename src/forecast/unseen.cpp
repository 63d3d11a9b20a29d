#include "forecast/unseen.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tillcast::forecast {
namespace {

constexpr int kRounds = 20;
constexpr double kTrustMax = 5;  // series that no effect may weigh more than
constexpr double kEffectMin = 1e-6;
constexpr std::size_t kExamplesMax = 200;
constexpr std::size_t kExamplesMin = 20;  // fewer with the same store or product: those of others too
constexpr double kCoursePrior = 5;        // series of the plan's course in that of a store or product

/// Quantiles of a forecast that its mean and intervals give away, the median taken for the mean.
constexpr std::array<double, 5> kShares = {0.025, 0.1, 0.5, 0.9, 0.975};
/// Where each example's distribution is read: the middle of nine equal parts.
constexpr std::size_t kReadings = 9;

double quantile_of(const ForecastPoint& point, double share) {
  const std::array<double, 5> values = {point.lo95, point.lo80, point.mean, point.hi80, point.hi95};
  if (share <= kShares.front()) return values.front();
  for (std::size_t i = 1; i < kShares.size(); ++i) {
    if (share > kShares[i]) continue;
    const double part = (share - kShares[i - 1]) / (kShares[i] - kShares[i - 1]);
    return values[i - 1] + part * (values[i] - values[i - 1]);
  }
  return values.back();
}

/// The empirical quantile of values at a share in [0, 1].
double pick(std::span<double> values, double share) {
  const auto last = static_cast<double>(values.size() - 1);
  const auto at = static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * last));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
  return values[at];
}

template <class Keep>
std::vector<double> add_up(std::span<const KnownSeries> known, std::size_t steps, const Keep& keep) {
  std::vector<double> sum(steps, 0.0);
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (!keep(i)) continue;
    for (std::size_t step = 0; step < steps; ++step) sum[step] += known[i].points[step].mean;
  }
  return sum;
}

}  // namespace

Result<UnseenPool> UnseenPool::create(std::vector<KnownSeries> known) {
  if (known.size() < kSeriesMin)
    return invalid_input(std::to_string(known.size()) + " series are known, " + std::to_string(kSeriesMin) +
                         " are needed to forecast one that was never seen");
  UnseenPool pool;
  pool.known_ = std::move(known);
  pool.steps_ = pool.known_[0].points.size();
  std::array<int, 2> codes{};
  for (const KnownSeries& one : pool.known_) {
    if (one.points.size() != pool.steps_ || pool.steps_ == 0)
      return invalid_input("the known series are forecast " + std::to_string(one.points.size()) + " and " +
                           std::to_string(pool.steps_) + " periods ahead");
    double sum = 0;
    for (const ForecastPoint& point : one.points) sum += point.mean;
    pool.size_.push_back(sum / static_cast<double>(pool.steps_));
    for (std::size_t part = 0; part < 2; ++part) codes[part] = std::max(codes[part], one.key[part] + 1);
  }
  pool.mean_ =
      std::accumulate(pool.size_.begin(), pool.size_.end(), 0.0) / static_cast<double>(pool.size_.size());
  for (std::size_t part = 0; part < 2; ++part) {
    const auto count = static_cast<std::size_t>(codes[part]);
    pool.parts_[part] = {std::vector<double>(count, 0.0), std::vector<double>(count, 0.0),
                         std::vector<double>(count, 1.0), std::vector<std::size_t>(count, 0), 0};
  }
  pool.fit_effects();
  return pool;
}

void UnseenPool::fit_effects() {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    for (std::size_t part = 0; part < 2; ++part) {
      const auto code = static_cast<std::size_t>(known_[i].key[part]);
      parts_[part].sum[code] += size_[i];
      ++parts_[part].series[code];
    }
  }
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t part = 0; part < 2; ++part) {
      Part& own = parts_[part];
      const Part& other = parts_[1 - part];
      std::ranges::fill(own.expected, 0.0);
      for (const KnownSeries& one : known_)
        own.expected[static_cast<std::size_t>(one.key[part])] +=
            mean_ * other.effect[static_cast<std::size_t>(one.key[1 - part])];
      for (std::size_t code = 0; code < own.effect.size(); ++code)
        own.effect[code] =
            own.expected[code] > 0 ? std::max(own.sum[code] / own.expected[code], kEffectMin) : 1.0;
    }
  }
  for (std::size_t part = 0; part < 2; ++part) parts_[part].doubt = doubt_of(part);
  for (Part& part : parts_)
    for (std::size_t code = 0; code < part.effect.size(); ++code)
      part.effect[code] = part.drawn(part.effect[code], static_cast<double>(part.series[code]));
}

double UnseenPool::Part::drawn(double raw, double count) const {
  return count > 0 ? std::pow(raw, count / (count + doubt)) : 1.0;
}

// Credibility (Bühlmann & Straub 1970) on the scale of logarithms: how many series it takes to trust an
// effect by half, from the spread of series within a store or product and between them.
double UnseenPool::doubt_of(std::size_t part) const {
  const Part& own = parts_[part];
  std::vector<double> sum(own.effect.size(), 0.0);
  std::vector<double> squares(own.effect.size(), 0.0);
  std::vector<double> count(own.effect.size(), 0.0);
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const double expected =
        mean_ * parts_[1 - part].effect[static_cast<std::size_t>(known_[i].key[1 - part])];
    if (!(size_[i] > 0) || !(expected > 0)) continue;
    const auto code = static_cast<std::size_t>(known_[i].key[part]);
    const double ratio = std::log(size_[i] / expected);
    sum[code] += ratio, squares[code] += ratio * ratio, count[code] += 1;
  }
  double within = 0;
  double freedom = 0;
  double means = 0;
  double mean_squares = 0;
  double codes = 0;
  double per_code = 0;
  for (std::size_t code = 0; code < sum.size(); ++code) {
    if (count[code] == 0) continue;
    const double mean = sum[code] / count[code];
    within += squares[code] - count[code] * mean * mean;
    freedom += count[code] - 1;
    means += mean, mean_squares += mean * mean, codes += 1, per_code += count[code];
  }
  if (codes < 2 || freedom < 1) return 0;
  within /= freedom;
  const double between = (mean_squares - means * means / codes) / (codes - 1) - within / (per_code / codes);
  return between > 0 ? std::min(within / between, kTrustMax) : kTrustMax;
}

// The effect of the store or product of a series as it would be without that series.
double UnseenPool::effect_without(std::size_t part, std::size_t series) const {
  const Part& own = parts_[part];
  const auto code = static_cast<std::size_t>(known_[series].key[part]);
  const auto other = static_cast<std::size_t>(known_[series].key[1 - part]);
  const double expected = own.expected[code] - mean_ * parts_[1 - part].effect[other];
  const auto others = static_cast<double>(own.series[code]) - 1;
  if (others < 1 || !(expected > 1e-9 * mean_)) return 1;
  return own.drawn(std::max((own.sum[code] - size_[series]) / expected, kEffectMin), others);
}

double UnseenPool::new_effect(std::size_t part, std::span<const int> alike,
                              std::optional<int> without) const {
  const Part& own = parts_[part];
  double sum = 0;
  double count = 0;
  const auto add = [&](std::size_t code) {
    if (code >= own.effect.size() || own.series[code] == 0 || static_cast<int>(code) == without.value_or(-1))
      return;
    sum += own.effect[code];
    count += 1;
  };
  if (alike.empty())
    for (std::size_t code = 0; code < own.effect.size(); ++code) add(code);
  for (const int code : alike) add(static_cast<std::size_t>(code));
  return count > 0 ? sum / count : 1.0;
}

// Whether a series can stand for one with this key: alike where the key is new.
bool UnseenPool::is_example(const UnseenKey& key, std::size_t series, bool same_known) const {
  for (std::size_t part = 0; part < 2; ++part) {
    const int code = known_[series].key[part];
    if (key.known[part]) {
      if (same_known && code != *key.known[part]) return false;
    } else if (!key.alike[part].empty() &&
               std::ranges::find(key.alike[part], code) == key.alike[part].end()) {
      return false;
    }
  }
  return true;
}

std::vector<std::size_t> UnseenPool::examples_of(const UnseenKey& key) const {
  std::vector<std::size_t> examples;
  for (const bool same_known : {true, false}) {
    examples.clear();
    for (std::size_t i = 0; i < known_.size(); ++i)
      if (size_[i] > 0 && is_example(key, i, same_known)) examples.push_back(i);
    if (examples.size() >= kExamplesMin) break;
  }
  if (examples.size() < kSeriesMin) {
    examples.clear();
    for (std::size_t i = 0; i < known_.size(); ++i)
      if (size_[i] > 0) examples.push_back(i);
  }
  return examples;
}

std::vector<std::size_t> UnseenPool::nearest(const UnseenKey& key, std::size_t count) const {
  std::vector<std::size_t> from = examples_of(key);
  if (from.size() <= count) return from;
  std::vector<std::size_t> spread;
  spread.reserve(count);
  for (std::size_t k = 0; k < count; ++k) spread.push_back(from[k * from.size() / count]);
  return spread;
}

// Mean 1 over the periods. A period in which a whole store or product sells nothing stays one.
std::vector<double> UnseenPool::course_of(const UnseenKey& key) const {
  std::vector<double> course = add_up(known_, steps_, [](std::size_t) { return true; });
  double total = std::accumulate(course.begin(), course.end(), 0.0);
  if (total <= 0) return std::vector<double>(steps_, 0.0);
  for (double& one : course) one *= static_cast<double>(steps_) / total;
  const std::vector<double> all = course;
  for (std::size_t part = 0; part < 2; ++part) {
    if (!key.known[part] && key.alike[part].empty()) continue;
    double examples = 0;
    const std::vector<double> own = add_up(known_, steps_, [&](std::size_t i) {
      const int code = known_[i].key[part];
      const bool same = key.known[part] ? code == *key.known[part]
                                        : std::ranges::find(key.alike[part], code) != key.alike[part].end();
      examples += same ? 1 : 0;
      return same;
    });
    const double sum = std::accumulate(own.begin(), own.end(), 0.0);
    if (sum <= 0) continue;
    for (std::size_t step = 0; step < steps_; ++step) {
      const double share = own[step] * static_cast<double>(steps_) / sum;
      const double drawn =
          share <= 0 ? 0 : (examples * share + kCoursePrior * all[step]) / (examples + kCoursePrior);
      course[step] *= all[step] > 0 ? drawn / all[step] : 0;
    }
  }
  total = std::accumulate(course.begin(), course.end(), 0.0);
  for (double& one : course) one *= total > 0 ? static_cast<double>(steps_) / total : 0;
  return course;
}

UnseenForecast UnseenPool::forecast(const UnseenKey& key) const {
  UnseenForecast made;
  double size = mean_;
  for (std::size_t part = 0; part < 2; ++part)
    size *= key.known[part] ? parts_[part].effect[static_cast<std::size_t>(*key.known[part])]
                            : new_effect(part, key.alike[part], {});
  const std::vector<double> course = course_of(key);

  const std::vector<std::size_t> examples = nearest(key, kExamplesMax);
  made.examples = examples.size();
  std::vector<double> as_new;  // what each example would have been forecast, over what it is
  as_new.reserve(examples.size());
  for (const std::size_t i : examples) {
    double guess = mean_;
    for (std::size_t part = 0; part < 2; ++part)
      guess *=
          key.known[part] ? effect_without(part, i) : new_effect(part, key.alike[part], known_[i].key[part]);
    as_new.push_back(guess > 0 ? size_[i] / guess : 0);
  }
  const double count = static_cast<double>(std::max<std::size_t>(1, examples.size()));
  std::vector<double> ratios;
  for (std::size_t step = 0; step < steps_; ++step) {
    ForecastPoint point = known_[0].points[step];
    point = {.date = point.date, .mean = size * course[step]};
    ratios.clear();
    for (std::size_t e = 0; e < examples.size(); ++e) {
      const ForecastPoint& of = known_[examples[e]].points[step];
      if (of.mean <= 0) continue;
      for (std::size_t k = 0; k < kReadings; ++k) {
        const double share = (static_cast<double>(k) + 0.5) / static_cast<double>(kReadings);
        ratios.push_back(as_new[e] * quantile_of(of, share) / of.mean);
      }
    }
    if (point.mean <= 0 || ratios.empty()) {
      point.mean = 0;
      point.closed = course[step] <= 0;
    } else {
      // The order statistic (n + 1) p of n examples, as a share of their distributions together.
      const auto bound = [&](double share) {
        return point.mean * pick(ratios, share + (share - 0.5) / count);
      };
      point.lo80 = std::min(point.mean, bound(0.1));
      point.lo95 = std::min(point.lo80, bound(0.025));
      point.hi80 = std::max(point.mean, bound(0.9));
      point.hi95 = std::max(point.hi80, bound(0.975));
    }
    made.points.push_back(point);
  }
  return made;
}

}  // namespace tillcast::forecast
