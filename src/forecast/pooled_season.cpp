#include "forecast/pooled_season.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "forecast/log_growth_internal.h"
#include "forecast/panel_sample_internal.h"
#include "forecast/parallel_internal.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kMembersMax = 2000;  // a panel's factors need no more
constexpr double kLevelYears = 2;          // of kSeason; its growth as well
constexpr double kBlockYears = 0.125;      // growth is a line through the ratios of such blocks
constexpr std::array<double, 6> kDecays = {0.02, 0.05, 0.08, 0.12, 0.2, 0.3};
constexpr std::size_t kFolds = 12;

enum Factor : std::size_t { kWeek, kHalf, kMonth, kFactors };

/// Where a date stands in the calendar; shared by all series of a panel.
struct Place {
  std::array<std::uint8_t, kFactors> cell{};
  double years = 0;  ///< from the cut, negative in the past
  double trend = 1;  ///< exp(growth x years)
};

/// Places from `periods` before `end` to `steps` after it.
class Calendar {
 public:
  Calendar(Date end, Grain grain, std::size_t periods, std::size_t steps) : periods_(periods) {
    places_.reserve(periods + steps);
    for (std::size_t i = 0; i < periods + steps; ++i) {
      const Date date =
          advance_period(end, grain, static_cast<std::int64_t>(i) - static_cast<std::int64_t>(periods));
      // Weeks count by their Thursday, as ISO does.
      const Date middle = grain == Grain::kWeekly ? Date{date.days + 3} : date;
      const CivilDate civil = civil_from_date(middle);
      Place& place = places_.emplace_back();
      place.years = (middle.days - end.days) / kMeanYearDays;
      if (grain == Grain::kDaily) {
        place.cell[kWeek] = static_cast<std::uint8_t>(iso_weekday(date) - 1);
        place.cell[kHalf] = civil.day > 15 ? 1 : 0;
      }
      place.cell[kMonth] = static_cast<std::uint8_t>(civil.month - 1);
    }
  }
  /// The place of period i of a history of n periods that ends at the cut.
  const Place& at(std::size_t i, std::size_t n) const { return places_[periods_ - n + i]; }
  void set_growth(double growth) {
    for (Place& place : places_) place.trend = std::exp(growth * place.years);
  }

 private:
  std::size_t periods_;
  std::vector<Place> places_;
};

/// All factors of one series in the order of Factor; cells beyond a factor's own stay 1.
using Factors = std::array<std::array<double, PooledSeason::kWeekCells>, kFactors>;

Factors factors_of(const PooledSeason& pooled) {
  Factors factors;
  for (auto& one : factors) one.fill(1);
  std::ranges::copy(pooled.week, factors[kWeek].begin());
  std::ranges::copy(pooled.half, factors[kHalf].begin());
  std::ranges::copy(pooled.month, factors[kMonth].begin());
  return factors;
}

std::size_t week_cell(const Place& place, const History& history, std::size_t i) {
  const bool promoted = i < history.promotion.size() && history.promotion[i] == 1;
  return place.cell[kWeek] + (promoted ? std::size_t{7} : std::size_t{0});
}

std::size_t cell_of(std::size_t factor, const Place& place, const History& history, std::size_t i) {
  return factor == kWeek ? week_cell(place, history, i) : place.cell[factor];
}

/// The shape of one period: everything but the level.
double shape(const Factors& factors, const Place& place, const History& history, std::size_t i) {
  return factors[kWeek][week_cell(place, history, i)] * factors[kHalf][place.cell[kHalf]] *
         factors[kMonth][place.cell[kMonth]] * place.trend;
}

std::size_t factor_count(PooledKind kind) { return kind == PooledKind::kSeason ? kFactors : kMonth; }

/// Week and halves change; they are those of the last two years. Months need all there is.
bool counts_for(std::size_t factor, const Place& place) {
  return factor == kMonth || place.years >= -kLevelYears;
}

using Sums = ActualAndExpected;
using CellSums = std::array<Sums, PooledSeason::kWeekCells>;

/// A member's sales and shapes by cell of one factor, with its level put to 1.
struct MemberSums {
  CellSums cells{};
  Sums whole;
};

MemberSums sum_by_cell(const History& history, const Calendar& calendar, const Factors& factors,
                       std::size_t factor) {
  MemberSums sums;
  const std::size_t n = history.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (history.masked[i] != 0) continue;
    const Place& place = calendar.at(i, n);
    if (!counts_for(factor, place)) continue;
    Sums& cell = sums.cells[cell_of(factor, place, history, i)];
    cell.actual += std::max(history.value[i], 0.0);
    cell.expected += shape(factors, place, history, i);
  }
  for (const Sums& cell : sums.cells) {
    sums.whole.actual += cell.actual;
    sums.whole.expected += cell.expected;
  }
  return sums;
}

/// Variance over mean of a member's values around level x shape, in its own units: 1 for a Poisson's.
double dispersion(const History& history, const Calendar& calendar, const Factors& factors) {
  const std::size_t n = history.size();
  Sums whole;
  std::vector<double> shapes(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const Place& place = calendar.at(i, n);
    if (history.masked[i] != 0 || place.years < -kLevelYears) continue;
    shapes[i] = shape(factors, place, history, i);
    whole.actual += std::max(history.value[i], 0.0);
    whole.expected += shapes[i];
  }
  if (whole.actual <= 0 || whole.expected <= 0) return 0;
  const double level = whole.actual / whole.expected;
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (shapes[i] <= 0) continue;
    const double expected = level * shapes[i];
    sum += (history.value[i] - expected) * (history.value[i] - expected) / expected;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

/// The series' own factors, as far as its data can be believed.
Factors own_factors(const PooledSeason& pooled, const History& history, const Calendar& calendar) {
  Factors factors = factors_of(pooled);
  const double spread = dispersion(history, calendar, factors);
  if (spread <= 0) return factors;
  for (std::size_t factor = 0; factor < factor_count(pooled.kind); ++factor) {
    const MemberSums sums = sum_by_cell(history, calendar, factors, factor);
    if (sums.whole.actual <= 0) continue;
    const double level = sums.whole.actual / sums.whole.expected;
    const double prior = spread / std::max(pooled.between[factor], 1e-9);
    for (std::size_t c = 0; c < sums.cells.size(); ++c)
      factors[factor][c] *= (sums.cells[c].actual + prior) / (level * sums.cells[c].expected + prior);
  }
  return factors;
}

void update_growth(std::span<const PanelMember* const> members, const Calendar& calendar,
                   const Factors& factors, double& growth) {
  constexpr auto kBlocks = static_cast<std::size_t>(kLevelYears / kBlockYears);
  std::array<Sums, kBlocks> blocks{};
  double oldest = 0;
  for (const PanelMember* member : members) {
    const History& history = member->history;
    const std::size_t n = history.size();
    // The level is taken with the growth of the turn before, the blocks without any.
    const MemberSums whole = sum_by_cell(history, calendar, factors, kWeek);
    if (whole.whole.actual <= 0) continue;
    const double level = whole.whole.actual / whole.whole.expected;
    for (std::size_t i = 0; i < n; ++i) {
      const Place& place = calendar.at(i, n);
      const auto block = static_cast<std::size_t>(std::max(-place.years, 0.0) / kBlockYears);
      if (history.masked[i] != 0 || block >= kBlocks) continue;
      oldest = std::max(oldest, -place.years);
      blocks[block].actual += std::max(history.value[i], 0.0);
      blocks[block].expected += level * shape(factors, place, history, i) / place.trend;
    }
  }
  constexpr double kYearsMin = 1.5;  // less cannot tell growth from season
  if (oldest < kYearsMin) return;
  growth = log_growth(blocks, kBlockYears, 6).value_or(growth);
}

/// How much the factors of series really differ: the variance of their ratios to the pooled ones, less what
/// chance alone gives a series of its dispersion.
double between_series(std::span<const PanelMember* const> members, const Calendar& calendar,
                      const Factors& factors, std::size_t factor) {
  double sum = 0;
  double weights = 0;
  for (const PanelMember* member : members) {
    const double spread = dispersion(member->history, calendar, factors);
    if (spread <= 0) continue;
    const MemberSums sums = sum_by_cell(member->history, calendar, factors, factor);
    const double level = sums.whole.actual / sums.whole.expected;
    for (const Sums& cell : sums.cells) {
      if (cell.expected <= 0) continue;
      const double expected = level * cell.expected;
      const double chance = spread / expected;
      const double ratio = cell.actual / expected - 1;
      constexpr double kGuess = 0.01;  // weighs noisy cells down before the variance is known
      const double weight = 1 / ((chance + kGuess) * (chance + kGuess));
      sum += weight * (ratio * ratio - chance);
      weights += weight;
    }
  }
  return weights > 0 ? std::clamp(sum / weights, 1e-6, 1.0) : 1e-6;
}

/// Sums for the level of a series at some point in time, one per decay.
struct SmoothedSums {
  std::array<Sums, kDecays.size()> of{};

  void add(double actual, double expected) {
    for (std::size_t k = 0; k < kDecays.size(); ++k) {
      of[k].actual += actual;
      of[k].expected += expected;
    }
  }
  void age() {
    for (std::size_t k = 0; k < kDecays.size(); ++k) {
      of[k].actual *= 1 - kDecays[k];
      of[k].expected *= 1 - kDecays[k];
    }
  }
};

double best_decay(std::span<const PanelMember* const> members, const Calendar& calendar,
                  const PooledSeason& pooled, std::size_t horizon) {
  std::array<double, kDecays.size()> errors{};
  for (const PanelMember* member : members) {
    const History& history = member->history;
    const std::size_t n = history.size();
    const Factors factors = own_factors(pooled, history, calendar);
    std::vector<double> shapes(n);
    for (std::size_t i = 0; i < n; ++i) shapes[i] = shape(factors, calendar.at(i, n), history, i);
    double squares = 0;
    double count = 0;
    for (std::size_t i = 1; i < n; ++i) {
      if (history.masked[i] != 0 || history.masked[i - 1] != 0) continue;
      squares += (history.value[i] - history.value[i - 1]) * (history.value[i] - history.value[i - 1]);
      count += 1;
    }
    if (squares <= 0) continue;
    SmoothedSums sums;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t left = n - i;
      // Here a fold begins: every decay forecasts its horizon. The first quarter only warms up.
      if (left % horizon == 0 && left / horizon <= kFolds && i >= n / 4 && i > 0) {
        for (std::size_t k = 0; k < kDecays.size(); ++k) {
          if (sums.of[k].expected <= 0) continue;
          const double level = sums.of[k].actual / sums.of[k].expected;
          double fold = 0;
          for (std::size_t t = i; t < i + horizon; ++t) {
            if (history.masked[t] != 0) continue;
            const double error = history.value[t] - level * shapes[t];
            fold += error * error;
          }
          errors[k] += std::sqrt(fold * count / squares);
        }
      }
      sums.age();
      if (history.masked[i] == 0) sums.add(std::max(history.value[i], 0.0), shapes[i]);
    }
  }
  return kDecays[static_cast<std::size_t>(std::ranges::min_element(errors) - errors.begin())];
}

std::size_t longest(const Panel& panel) {
  std::size_t periods = 0;
  for (const PanelMember& member : panel.members) periods = std::max(periods, member.history.size());
  return periods;
}

void predict_with(const PooledSeason& pooled, const History& history, const Calendar& calendar,
                  std::span<double> out) {
  const std::size_t n = history.size();
  const Factors factors = own_factors(pooled, history, calendar);
  Sums sums;
  for (std::size_t i = 0; i < n; ++i) {
    sums.actual *= 1 - pooled.decay;
    sums.expected *= 1 - pooled.decay;
    const Place& place = calendar.at(i, n);
    if (history.masked[i] != 0) continue;
    if (pooled.kind == PooledKind::kSeason && place.years < -kLevelYears) continue;
    sums.actual += std::max(history.value[i], 0.0);
    sums.expected += shape(factors, place, history, i);
  }
  if (sums.expected <= 0) {  // silent for two years: the level of what there was before
    for (std::size_t i = 0; i < n; ++i) {
      if (history.masked[i] != 0) continue;
      sums.actual += std::max(history.value[i], 0.0);
      sums.expected += shape(factors, calendar.at(i, n), history, i);
    }
  }
  const double level = sums.expected > 0 ? sums.actual / sums.expected : 0.0;
  for (std::size_t step = 0; step < out.size(); ++step)
    out[step] = level * shape(factors, calendar.at(n + step, n), history, n + step);
}

class FittedPooledSeason final : public FittedPanel {
 public:
  explicit FittedPooledSeason(const PooledSeason& pooled) : pooled_(pooled) {}
  std::string save() const override { return save_pooled_season(pooled_); }
  Result<std::vector<double>> predict(const Panel& panel, const PanelTask& task) const override {
    std::vector<double> values(panel.members.size() * task.steps());
    Calendar calendar(panel.end, panel.grain, longest(panel), task.steps());
    calendar.set_growth(pooled_.growth);
    const std::size_t count = panel.members.size();
    NoProgress silent;
    const bool finished =
        for_each_index(count, task.threads, task.progress != nullptr ? *task.progress : silent, 0, count,
                       [&](std::size_t m) {
                         predict_with(pooled_, panel.members[m].history, calendar,
                                      std::span(values).subspan(m * task.steps(), task.steps()));
                       });
    if (!finished) return cancelled("pooled season stopped on request");
    return values;
  }

 private:
  PooledSeason pooled_;
};

class PooledSeasonModel final : public PanelModel {
 public:
  explicit PooledSeasonModel(PooledKind kind) : kind_(kind) {}
  ModelId id() const override {
    return kind_ == PooledKind::kSeason ? ModelId::kPooledSeason : ModelId::kPooledLevel;
  }
  double fit_seconds(std::size_t values) const override { return 0.04e-6 * static_cast<double>(values); }
  std::string refuses(const Panel& panel, const PanelTask&) const override {
    if (panel.members.size() < 2) return "needs at least two series";
    if (kind_ == PooledKind::kLevel && panel.grain != Grain::kDaily) return "is for daily series";
    const std::size_t periods = longest(panel);
    std::size_t needed = 28;
    if (kind_ == PooledKind::kSeason)
      needed = panel.grain == Grain::kDaily ? 364 : panel.grain == Grain::kWeekly ? 52 : 12;
    if (periods >= needed) return {};
    return "has " + std::to_string(periods) + " periods, needs " + std::to_string(needed);
  }
  Result<std::shared_ptr<const FittedPanel>> fit(const Panel& panel, const PanelTask& task,
                                                 Progress& progress) const override {
    if (progress.cancelled()) return cancelled("pooled season stopped on request");
    return std::make_shared<const FittedPooledSeason>(fit_pooled_season(panel, kind_, task.steps()));
  }
  Result<std::shared_ptr<const FittedPanel>> load(std::string_view text) const override {
    const PooledSeason pooled = TILLCAST_TRY_PLAIN(load_pooled_season(text));
    if (pooled.kind != kind_) return corrupt_data("pooled season: the fit is of another kind");
    return std::make_shared<const FittedPooledSeason>(pooled);
  }

 private:
  PooledKind kind_;
};

/// The numbers of a fit in the order in which they are written.
template <class Visit>
void each_number(auto& pooled, Visit visit) {
  for (auto& one : pooled.week) visit(one);
  for (auto& one : pooled.half) visit(one);
  for (auto& one : pooled.month) visit(one);
  for (auto& one : pooled.between) visit(one);
  visit(pooled.growth);
  visit(pooled.decay);
}

}  // namespace

PooledSeason fit_pooled_season(const Panel& panel, PooledKind kind, std::size_t horizon) {
  PooledSeason pooled;
  pooled.kind = kind;
  std::vector<const PanelMember*> members;
  for (const std::size_t m : sample_members(panel.members.size(), kMembersMax))
    members.push_back(&panel.members[m]);
  Calendar calendar(panel.end, panel.grain, longest(panel), 0);
  Factors factors = factors_of(pooled);
  const int turns = kind == PooledKind::kSeason ? 4 : 2;
  for (int turn = 0; turn < turns; ++turn) {
    for (std::size_t factor = 0; factor < factor_count(kind); ++factor) {
      if (factor != kMonth && panel.grain != Grain::kDaily && factor != kWeek) continue;
      CellSums cells{};
      for (const PanelMember* member : members) {
        const MemberSums sums = sum_by_cell(member->history, calendar, factors, factor);
        if (sums.whole.actual <= 0) continue;
        const double level = sums.whole.actual / sums.whole.expected;
        for (std::size_t c = 0; c < cells.size(); ++c) {
          cells[c].actual += sums.cells[c].actual;
          cells[c].expected += level * sums.cells[c].expected;
        }
      }
      for (std::size_t c = 0; c < cells.size(); ++c)
        if (cells[c].expected > 0) factors[factor][c] *= cells[c].actual / cells[c].expected;
    }
    if (kind != PooledKind::kSeason) continue;
    update_growth(members, calendar, factors, pooled.growth);
    calendar.set_growth(pooled.growth);
  }
  for (std::size_t factor = 0; factor < factor_count(kind); ++factor)
    pooled.between[factor] = between_series(members, calendar, factors, factor);
  std::ranges::copy(factors[kWeek], pooled.week.begin());
  std::copy_n(factors[kHalf].begin(), pooled.half.size(), pooled.half.begin());
  std::copy_n(factors[kMonth].begin(), pooled.month.size(), pooled.month.begin());
  if (kind == PooledKind::kLevel) pooled.decay = best_decay(members, calendar, pooled, horizon);
  return pooled;
}

void predict_pooled_season(const PooledSeason& pooled, const History& history, std::span<double> out) {
  const Date end = advance_period(history.start, history.grain, static_cast<std::int64_t>(history.size()));
  Calendar calendar(end, history.grain, history.size(), out.size());
  calendar.set_growth(pooled.growth);
  predict_with(pooled, history, calendar, out);
}

std::string save_pooled_season(const PooledSeason& pooled) {
  std::string text = "pooled_season 1 ";
  text += pooled.kind == PooledKind::kSeason ? "season" : "level";
  each_number(pooled, [&text](double number) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    text.append("\n").append(digits.data(), end.ptr);
  });
  return text + "\n";
}

Result<PooledSeason> load_pooled_season(std::string_view text) {
  PooledSeason pooled;
  const auto next_line = [&text] {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    return line;
  };
  const std::string_view head = next_line();
  if (head != "pooled_season 1 season" && head != "pooled_season 1 level")
    return corrupt_data("pooled season: begins with \"" + std::string(head.substr(0, 40)) +
                        "\", expected \"pooled_season 1 level\" or \"season\"");
  pooled.kind = head.ends_with("season") ? PooledKind::kSeason : PooledKind::kLevel;
  bool whole = true;
  each_number(pooled, [&](double& number) {
    const std::string_view line = next_line();
    const auto read = std::from_chars(line.data(), line.data() + line.size(), number);
    whole = whole && read.ec == std::errc() && read.ptr == line.data() + line.size() && std::isfinite(number);
  });
  if (!whole || !text.empty()) return corrupt_data("pooled season: a number is missing or damaged");
  return pooled;
}

std::shared_ptr<const PanelModel> pooled_season_model(PooledKind kind) {
  return std::make_shared<const PooledSeasonModel>(kind);
}

}  // namespace tillcast::forecast
