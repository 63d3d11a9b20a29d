#include "forecast/season_product.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "forecast/log_growth_internal.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kWeekdays = 7;
constexpr std::size_t kMonths = 12;

struct Period {
  double value;
  double years;  ///< from the origin, negative in the past
  std::size_t weekday;
  std::size_t month;
};

/// The calendar position of a period; weeks count by their Thursday, as ISO does.
Period place(Date date, Grain grain, Date origin, double value) {
  const Date middle = grain == Grain::kWeekly ? Date{date.days + 3} : date;
  Period period;
  period.value = value;
  period.years = (middle.days - origin.days) / kMeanYearDays;
  period.weekday = grain == Grain::kDaily ? static_cast<std::size_t>(iso_weekday(date) - 1) : 0;
  period.month = static_cast<std::size_t>(civil_from_date(middle).month - 1);
  return period;
}

}  // namespace

void season_product(const History& history, std::span<double> out) {
  const Date origin = advance_period(history.start, history.grain, static_cast<std::int64_t>(history.size()));
  std::vector<Period> periods;
  periods.reserve(history.size());
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history.masked[i] != 0) continue;
    const Date date = advance_period(history.start, history.grain, static_cast<std::int64_t>(i));
    periods.push_back(place(date, history.grain, origin, std::max(history.value[i], 0.0)));
  }
  std::array<double, kWeekdays> weekday;
  std::array<double, kMonths> month;
  weekday.fill(1);
  month.fill(1);
  double growth = 0;  // log per year
  double level = 0;
  const double oldest = periods.empty() ? 0.0 : -periods.front().years;
  const auto trend = [&](const Period& p) { return std::exp(growth * p.years); };
  constexpr int kTurns = 4;
  for (int turn = 0; turn < kTurns; ++turn) {
    double sum = 0;
    double expected = 0;
    for (const Period& p : periods) {
      sum += p.value;
      expected += weekday[p.weekday] * month[p.month] * trend(p);
    }
    level = expected > 0 ? sum / expected : 0.0;
    if (level <= 0) break;
    const auto refit = [&](auto& factors, auto key) {
      std::array<double, kMonths> sums{};
      std::array<double, kMonths> wanted{};
      for (const Period& p : periods) {
        sums[key(p)] += p.value;
        wanted[key(p)] += level * weekday[p.weekday] * month[p.month] * trend(p);
      }
      for (std::size_t i = 0; i < factors.size(); ++i)
        if (wanted[i] > 0) factors[i] *= sums[i] / wanted[i];
    };
    refit(weekday, [](const Period& p) { return p.weekday; });
    refit(month, [](const Period& p) { return p.month; });
    if (oldest < 1.5) continue;
    // Ratios of whole blocks of a quarter year to what season alone expects, regressed on time.
    constexpr double kBlockYears = 0.25;
    std::vector<ActualAndExpected> blocks(static_cast<std::size_t>(oldest / kBlockYears));
    for (const Period& p : periods) {
      const auto block = static_cast<std::size_t>(-p.years / kBlockYears);
      if (block >= blocks.size()) continue;
      blocks[block].actual += p.value;
      blocks[block].expected += level * weekday[p.weekday] * month[p.month];
    }
    growth = log_growth(blocks, kBlockYears, 4).value_or(growth);
  }
  // The level of the last two years decides; older ones only shape the factors.
  double sum = 0;
  double expected = 0;
  for (const Period& p : periods) {
    if (p.years < -2) continue;
    sum += p.value;
    expected += weekday[p.weekday] * month[p.month] * trend(p);
  }
  level = expected > 0 ? sum / expected : level;
  for (std::size_t step = 0; step < out.size(); ++step) {
    const Date date =
        advance_period(history.start, history.grain, static_cast<std::int64_t>(history.size() + step));
    const Period p = place(date, history.grain, origin, 0);
    out[step] = level * weekday[p.weekday] * month[p.month] * trend(p);
  }
}

}  // namespace tillcast::forecast
