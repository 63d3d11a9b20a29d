#include "forecast/decompose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <set>

#include "forecast/driver_median.h"
#include "forecast/least_squares_internal.h"
#include "forecast/loess.h"

namespace tillcast::forecast {
namespace {

constexpr double kDaysOfYear = 365.25;

Date date_at(const History& history, std::size_t period) {
  return advance_period(history.start, history.grain, static_cast<std::int64_t>(period));
}

std::size_t weekday_at(const History& history, std::size_t period) {
  return static_cast<std::size_t>(iso_weekday(date_at(history, period)) - 1);
}

/// The columns of the regression, one after the other, and which part each belongs to.
class Columns {
 public:
  enum class Part : std::uint8_t { kWeekday, kYear, kPromotion, kDays };

  Columns(const History& history, std::span<const double> weights, std::span<const Driver> days)
      : history_(history), weights_(weights) {
    if (history.grain == Grain::kDaily) add_weekdays();
    add_year();
    if (!history.promotion.empty())
      add(Part::kPromotion, 0, [&history](std::size_t i) { return history.promotion[i] > 0 ? 1.0 : 0.0; });
    for (std::size_t d = 0; d < days.size(); ++d) add_days(days[d], d);
  }

  std::size_t count() const { return parts_.size(); }
  std::span<const double> column(std::size_t k) const {
    return std::span(values_).subspan(k * history_.size(), history_.size());
  }
  Part part(std::size_t k) const { return parts_[k].part; }
  std::size_t driver(std::size_t k) const { return parts_[k].driver; }

 private:
  struct Place {
    Part part;
    std::size_t driver;
  };

  template <class ValueAt>
  void add(Part part, std::size_t driver, ValueAt value_at) {
    const std::size_t n = history_.size();
    const std::size_t from = values_.size();
    std::size_t zero = 0;
    std::size_t as_the_first = 0;
    std::size_t seen = 0;
    double first = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double value = value_at(i);
      values_.push_back(value);
      if (!(weights_[i] > 0)) continue;
      if (seen++ == 0) first = value;
      zero += value == 0 ? 1 : 0;
      as_the_first += value == first ? 1 : 0;
    }
    // What happened less than twice, or always, cannot be told from its day or from the level.
    if (seen - zero < 2 || seen - as_the_first < 2)
      values_.resize(from);
    else
      parts_.push_back({part, driver});
  }

  /// Effects that sum to 0 over the weekdays that were open: each against the last of them.
  void add_weekdays() {
    std::array<std::size_t, 7> seen{};
    for (std::size_t i = 0; i < history_.size(); ++i)
      if (weights_[i] > 0) ++seen[weekday_at(history_, i)];
    std::size_t last = 7;
    for (std::size_t d = 0; d < 7; ++d)
      if (seen[d] >= 2) last = d;
    for (std::size_t d = 0; d < last && last < 7; ++d) {
      if (seen[d] < 2) continue;
      add(Part::kWeekday, 0, [&](std::size_t i) {
        const std::size_t own = weekday_at(history_, i);
        return own == d ? 1.0 : own == last ? -1.0 : 0.0;
      });
    }
  }

  void add_year() {
    const double span = date_at(history_, history_.size()).days - history_.start.days;
    if (span < 2 * kDaysOfYear) return;
    const int waves = history_.grain == Grain::kMonthly ? 5 : 8;
    const double half = history_.grain == Grain::kDaily ? 0 : history_.grain == Grain::kWeekly ? 3 : 15;
    for (int wave = 1; wave <= waves; ++wave) {
      for (const bool sine : {true, false}) {
        add(Part::kYear, 0, [&](std::size_t i) {
          const double angle = 2 * std::numbers::pi * wave *
                               (static_cast<double>(date_at(history_, i).days) + half) / kDaysOfYear;
          return sine ? std::sin(angle) : std::cos(angle);
        });
      }
    }
  }

  void add_days(const Driver& driver, std::size_t number) {
    if (driver.kind == DriverKind::kNumber || driver.value.size() < history_.size()) return;
    const auto known = [&driver](std::size_t i) {
      return std::isfinite(driver.value[i]) ? static_cast<double>(driver.value[i]) : 0.0;
    };
    if (driver.kind == DriverKind::kFlag || history_.grain != Grain::kDaily) {
      add(Part::kDays, number, known);
      return;
    }
    std::set<double> kinds;
    for (std::size_t i = 0; i < history_.size(); ++i)
      if (known(i) != 0) kinds.insert(known(i));
    for (const double kind : kinds)
      add(Part::kDays, number, [&](std::size_t i) { return known(i) == kind ? 1.0 : 0.0; });
  }

  const History& history_;
  std::span<const double> weights_;
  std::vector<double> values_;
  std::vector<Place> parts_;
};

/// Trend and coefficients by Speckman's partial residuals: the smoother is applied to both sides.
class PartlyLinear {
 public:
  PartlyLinear(std::span<const double> target, const Columns& columns, const LoessOptions& smoother)
      : target_(target), columns_(columns), smoother_(smoother), trend_(target.size()) {}

  void fit(std::span<const double> weights) {
    const std::size_t n = target_.size();
    std::vector<double> matrix(columns_.count() * n);
    std::vector<double> right(n);
    const auto rest_of = [&](std::span<const double> values, std::span<double> to) {
      loess_.smooth(values, weights, smoother_, trend_);
      for (std::size_t i = 0; i < n; ++i) to[i] = (values[i] - trend_[i]) * std::sqrt(weights[i]);
    };
    for (std::size_t k = 0; k < columns_.count(); ++k)
      rest_of(columns_.column(k), std::span(matrix).subspan(k * n, n));
    rest_of(target_, right);
    coefficients_.clear();
    if (columns_.count() > 0) coefficients_ = solve_least_squares(matrix, right, columns_.count(), 1e-9);
    coefficients_.resize(columns_.count(), 0.0);
    for (std::size_t i = 0; i < n; ++i) right[i] = target_[i] - explained(i);
    loess_.smooth(right, weights, smoother_, trend_);
  }
  double explained(std::size_t period) const {
    double sum = 0;
    for (std::size_t k = 0; k < columns_.count(); ++k) sum += effect(k, period);
    return sum;
  }
  double effect(std::size_t k, std::size_t period) const {
    return coefficients_[k] * columns_.column(k)[period];
  }
  double trend(std::size_t period) const { return trend_[period]; }

 private:
  std::span<const double> target_;
  const Columns& columns_;
  LoessOptions smoother_;
  Loess loess_;
  std::vector<double> trend_;
  std::vector<double> coefficients_;
};

LoessOptions trend_smoother(const History& history) {
  const double span = date_at(history, history.size()).days - history.start.days;
  const double days = span >= 2 * kDaysOfYear ? 1.5 * kDaysOfYear : kDaysOfYear / 4;
  const double period = history.grain == Grain::kDaily ? 1 : history.grain == Grain::kWeekly ? 7 : 30.4;
  const auto window = std::max<std::size_t>(static_cast<std::size_t>(days / period) | 1U, 7);
  return {window, 1, (window + 19) / 20};
}

/// Bisquare weights by the size of the rest; periods of weight 0 keep it.
void weigh_by_rest(std::span<const double> rest, std::span<const double> known,
                   std::vector<double>& weights) {
  std::vector<double> sizes;
  for (std::size_t i = 0; i < rest.size(); ++i)
    if (known[i] > 0) sizes.push_back(std::abs(rest[i]));
  const double limit = 6 * median_of(sizes);
  if (!(limit > 0)) return;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const double share = std::min(std::abs(rest[i]) / limit, 1.0);
    weights[i] = known[i] * (1 - share * share) * (1 - share * share);
  }
}

}  // namespace

double Decomposition::value_at(std::size_t period) const {
  double value = trend[period];
  const auto take_in = [&](double part) { value = multiplicative ? value * part : value + part; };
  take_in(weekday[period]);
  take_in(year[period]);
  take_in(promotion[period]);
  for (const NamedEffect& one : days) take_in(one.effect[period]);
  take_in(remainder[period]);
  return value;
}

Decomposition decompose(const History& history, std::span<const Driver> days,
                        const DecomposeOptions& options) {
  const std::size_t n = history.size();
  Decomposition result;
  std::size_t observed = 0;
  std::size_t positive = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (history.masked[i] != 0) continue;
    ++observed;
    positive += history.value[i] > 0 ? 1 : 0;
  }
  result.multiplicative = options.allow_multiplicative && observed > 0 && positive * 50 >= observed * 49;
  const double neutral = result.multiplicative ? 1 : 0;
  for (auto* part : {&result.weekday, &result.year, &result.promotion, &result.remainder})
    part->assign(n, neutral);
  for (const Driver& driver : days)
    if (driver.kind != DriverKind::kNumber)
      result.days.push_back({driver.name, std::vector<double>(n, neutral)});
  result.trend.assign(n, neutral);
  if (observed == 0) {
    for (std::size_t i = 0; i < n; ++i) {
      result.trend[i] = 0;
      result.remainder[i] = history.value[i];
    }
    return result;
  }

  std::vector<double> target(n, 0.0);
  std::vector<double> known(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    if (history.masked[i] != 0 || (result.multiplicative && history.value[i] <= 0)) continue;
    known[i] = 1;
    target[i] = result.multiplicative ? std::log(history.value[i]) : history.value[i];
  }
  // Where a whole window is closed the trend goes on from the last period that was not.
  double last = target[static_cast<std::size_t>(std::ranges::find(known, 1.0) - known.begin())];
  for (std::size_t i = 0; i < n; ++i) last = target[i] = known[i] > 0 ? target[i] : last;

  const Columns columns(history, known, days);
  PartlyLinear model(target, columns, trend_smoother(history));
  std::vector<double> weights = known;
  model.fit(weights);
  std::vector<double> rest(n);
  for (int round = 0; round < options.robust_rounds; ++round) {
    for (std::size_t i = 0; i < n; ++i) rest[i] = target[i] - model.trend(i) - model.explained(i);
    weigh_by_rest(rest, known, weights);
    model.fit(weights);
  }

  std::vector<std::size_t> place_of(days.size(), 0);  // numbers among the drivers have no place
  for (std::size_t d = 0, place = 0; d < days.size(); ++d) {
    place_of[d] = place;
    place += days[d].kind != DriverKind::kNumber ? 1 : 0;
  }
  const auto put = [&](double& part, double effect) {
    part = result.multiplicative ? part * std::exp(effect) : part + effect;
  };
  for (std::size_t i = 0; i < n; ++i) {
    result.trend[i] = result.multiplicative ? std::exp(model.trend(i)) : model.trend(i);
    for (std::size_t k = 0; k < columns.count(); ++k) {
      const double effect = model.effect(k, i);
      switch (columns.part(k)) {
        case Columns::Part::kWeekday:
          put(result.weekday[i], effect);
          break;
        case Columns::Part::kYear:
          put(result.year[i], effect);
          break;
        case Columns::Part::kPromotion:
          put(result.promotion[i], effect);
          break;
        case Columns::Part::kDays:
          put(result.days[place_of[columns.driver(k)]].effect[i], effect);
          break;
      }
    }
    const double expected = result.value_at(i);  // the remainder is neutral still
    result.remainder[i] = result.multiplicative ? history.value[i] / expected : history.value[i] - expected;
  }
  return result;
}

}  // namespace tillcast::forecast
