#include <algorithm>
#include <cmath>
#include <numeric>
#include <ranges>
#include <utility>

#include "forecast/panel_days_internal.h"
#include "forecast/panel_sample_internal.h"
#include "forecast/parallel_internal.h"

namespace tillcast::forecast {
namespace {

constexpr int kYear = 365;

/// Values of a member by weekday x promotion (no or unknown, yes), one after the other, in order within each:
/// the medians of any window can be read off.
struct OrderedValues {
  static constexpr std::size_t kCells = 14;
  struct DayValue {
    float value = 0;
    std::int16_t day = 0;
  };
  std::array<std::uint16_t, kCells + 1> begin{};
  std::vector<DayValue> entries;

  std::span<const DayValue> in_cell(std::size_t cell) const {
    return std::span(entries).subspan(begin[cell], begin[cell + 1] - begin[cell]);
  }
};

/// Values of the years before the cuts from `first` to `last`.
OrderedValues order_values(const MemberDays& days, int first, int last) {
  const std::span<const std::int16_t> known = days.known_days(first - kYear + 1, last);
  const auto cell_of_day = [&](std::int16_t day) {
    const std::size_t cell = days.cell[static_cast<std::size_t>(day)];
    return 2 * (cell / kPromotionStates) + (cell % kPromotionStates == 1 ? 1 : 0);
  };
  OrderedValues out;
  for (const std::int16_t day : known) ++out.begin[cell_of_day(day) + 1];
  std::partial_sum(out.begin.begin(), out.begin.end(), out.begin.begin());
  auto next = out.begin;
  out.entries.resize(known.size());
  for (const std::int16_t day : known)
    out.entries[next[cell_of_day(day)]++] = {days.value[static_cast<std::size_t>(day)], day};
  for (std::size_t cell = 0; cell < OrderedValues::kCells; ++cell)
    std::sort(out.entries.begin() + out.begin[cell], out.entries.begin() + out.begin[cell + 1],
              [](const auto& a, const auto& b) { return a.value < b.value; });
  return out;
}

/// Logarithms: the median of each weekday x promotion over a year, drawn to weekday plus promotion.
MemberBase logarithm_base(const OrderedValues& values, int cut) {
  MemberBase out;
  std::array<float, kYear + 1> in_year{};
  std::array<float, OrderedValues::kCells> median{};
  std::array<float, OrderedValues::kCells> count{};
  double total = 0;
  double days_seen = 0;
  for (std::size_t cell = 0; cell < median.size(); ++cell) {
    std::size_t size = 0;
    for (const auto& [value, day] : values.in_cell(cell)) {
      in_year[size] = value;  // without a branch: what lies outside is overwritten
      size += day > cut - kYear && day <= cut ? 1 : 0;
    }
    count[cell] = static_cast<float>(size);
    if (size == 0) continue;
    median[cell] = size % 2 == 1 ? in_year[size / 2] : (in_year[size / 2] + in_year[size / 2 - 1]) / 2;
    total += static_cast<double>(median[cell] * count[cell]);
    days_seen += static_cast<double>(count[cell]);
  }
  const float mean = days_seen > 0 ? static_cast<float>(total / days_seen) : 0;
  std::array<float, 7> weekday{};
  std::array<float, 2> promotion{};
  constexpr float kShrink = 2;
  for (int round = 0; round < 8; ++round) {
    for (std::size_t w = 0; w < 7; ++w) {
      float sum = 0;
      float weight = kShrink;
      for (std::size_t p = 0; p < 2; ++p) {
        sum += count[2 * w + p] * (median[2 * w + p] - mean - promotion[p]);
        weight += count[2 * w + p];
      }
      weekday[w] = sum / weight;
    }
    for (std::size_t p = 0; p < 2; ++p) {
      float sum = 0;
      float weight = kShrink;
      for (std::size_t w = 0; w < 7; ++w) {
        sum += count[2 * w + p] * (median[2 * w + p] - mean - weekday[w]);
        weight += count[2 * w + p];
      }
      promotion[p] = sum / weight;
    }
  }
  for (int w = 0; w < 7; ++w) {
    float both = 0;
    float seen = 0;
    for (int p = 0; p < 2; ++p) {
      const auto cell = 2 * static_cast<std::size_t>(w) + static_cast<std::size_t>(p);
      const float additive =
          mean + weekday[static_cast<std::size_t>(w)] + promotion[static_cast<std::size_t>(p)];
      constexpr float kCellShrink = 2;
      const float value = (count[cell] * median[cell] + kCellShrink * additive) / (count[cell] + kCellShrink);
      out.cell[cell_of(w, p)] = value;
      both += (count[cell] + 0.01F) * value;
      seen += count[cell] + 0.01F;
    }
    out.cell[cell_of(w, -1)] = both / seen;
  }
  out.mean = mean;
  return out;
}

/// A day counts in its own cell, and in that of its weekday when nothing is known of a promotion.
void for_cells(const MemberDays& days, int day, const auto& add) {
  const std::size_t cell = days.cell[static_cast<std::size_t>(day)];
  add(cell);
  if (cell != unknown_cell(cell)) add(unknown_cell(cell));
}

/// Units: the mean of a year times the factor of the weekday x promotion, drawn to that of all members.
MemberBase unit_base(const MemberDays& days, const PanelCut& panel) {
  MemberBase out;
  std::array<float, 7 * kPromotionStates> sum{};
  std::array<float, 7 * kPromotionStates> count{};
  float total = 0;
  float seen = 0;
  for (const std::int16_t day : days.known_days(panel.cut - kYear + 1, panel.cut)) {
    const float value = days.value[static_cast<std::size_t>(day)];
    for_cells(days, day, [&](std::size_t cell) {
      sum[cell] += value;
      count[cell] += 1;
    });
    total += value;
    seen += 1;
  }
  const float mean = seen > 0 ? total / seen : 0;
  constexpr float kUnits = 30;  // so many units of own experience weigh as much as that of all members
  for (std::size_t cell = 0; cell < sum.size(); ++cell)
    out.cell[cell] =
        std::max(mean, 1e-3F) * (sum[cell] + kUnits * panel.pooled[cell]) / (count[cell] * mean + kUnits);
  out.mean = std::log(std::max(mean, 1e-3F));
  return out;
}

struct Trend {
  float spread = 0;
  float slope = 0;  ///< of a hundred days
  float zeros = 0;
};

Trend trend_of(const MemberDays& days, int cut, int window, const MemberCut& member) {
  double r = 0, rr = 0, tr = 0, t = 0, tt = 0, zeros = 0;
  const std::span<const std::int16_t> known = days.known_days(cut - window + 1, cut);
  for (const std::int16_t day : known) {
    const auto residual = static_cast<double>(member.residual_at(day));
    const double x = day - cut;
    t += x, tt += x * x, r += residual, rr += residual * residual, tr += x * residual;
    zeros += residual == 0 ? 1 : 0;
  }
  const auto n = static_cast<double>(known.size());
  const double variance = n > 1 ? rr / n - (r / n) * (r / n) : 0;
  const double spread_x = n * tt - t * t;
  return {static_cast<float>(std::sqrt(std::max(variance, 0.0))),
          static_cast<float>(n > 6 && spread_x > 0 ? (n * tr - t * r) / spread_x * 100 : 0),
          static_cast<float>(n > 0 ? zeros / n : 0)};
}

/// Decayed mean, spread and slope of the latest residuals.
void summarise(const MemberDays& days, int cut, bool logarithm, MemberCut& out) {
  static const auto kDecay = [] {  // weights that halve in 28 days, by days before the cut
    std::array<float, 731> weights{};
    const float decay = std::exp2(-1.0F / 28);
    float weight = 1;
    for (float& each : weights) each = std::exchange(weight, weight * decay);
    return weights;
  }();
  float sum = 0;
  float weights = 0;
  const auto decayed = days.known_days(cut - static_cast<int>(kDecay.size()) + 1, cut);
  for (const std::int16_t day : std::views::reverse(decayed)) {
    const float residual = out.residual_at(day);
    const float weight = kDecay[static_cast<std::size_t>(cut - day)];
    sum += weight * (logarithm ? std::clamp(residual, -0.6F, 0.6F) : residual);
    weights += weight;
  }
  out.level = weights > 0 ? sum / weights : logarithm ? 0.0F : 1.0F;
  out.level28 = out.residuals.mean(cut - 27, cut);
  out.level365 = out.residuals.mean(cut - 364, cut);
  const Trend quarter = trend_of(days, cut, 91, out);
  const Trend year = trend_of(days, cut, kYear, out);
  out.spread91 = quarter.spread, out.slope91 = quarter.slope, out.zeros91 = quarter.zeros;
  out.spread365 = year.spread, out.slope365 = year.slope;
  if (logarithm) return;
  const auto month = days.known_days(cut - 27, cut);
  const auto zeros = std::ranges::count_if(month, [&](int day) { return out.residual_at(day) == 0; });
  out.zeros28 = month.empty() ? 0 : static_cast<float>(zeros) / static_cast<float>(month.size());
  int day = cut;
  while (day >= days.begin && !(days.value[static_cast<std::size_t>(day)] > 0)) --day;
  out.since_sale = static_cast<float>(cut - day);
}

float residual_of(const MemberDays& days, bool logarithm, const Cells& base, int day) {
  const auto at = static_cast<std::size_t>(day);
  const float expected = base[days.cell[at]];
  return logarithm ? days.value[at] - expected : days.value[at] / expected;
}

void learn_experience(const MemberDays& days, const PanelCalendar& calendar, const PanelCut& panel,
                      const MemberCut& member, float weight, Experience& into) {
  const int cut = panel.cut;
  if (into.near.size() < days.streams.size()) {
    into.near.resize(days.streams.size());
    into.flag.resize(days.streams.size());
  }
  const std::span<const std::int16_t> year = days.known_days(cut - kYear + 1, cut);
  for (const std::int16_t day : year) {
    const auto at = static_cast<std::size_t>(day);
    const float residual = member.residual_at(day);
    into.by_day_of_month[static_cast<std::size_t>(calendar.day_of_month[at] - 1)].add(residual, weight);
    into.by_days_left[static_cast<std::size_t>(calendar.days_left[at])].add(residual, weight);
  }
  for (std::size_t s = 0; s < days.streams.size(); ++s) {
    const EventStream& stream = days.streams[s];
    // Both means in registers: events are too irregular for a branch.
    auto [off, on] = into.flag[s];
    for (const std::int16_t day : year) {
      const float residual = member.residual_at(day);
      const float weight_on = weight * static_cast<float>(stream.on[static_cast<std::size_t>(day)]);
      on.add(residual, weight_on);
      off.add(residual, weight - weight_on);
    }
    into.flag[s] = {off, on};
    // Events go back as far as the member does; close to the cut not all that come after are known.
    for (std::size_t position = 0; position + 1 < kPositions; ++position) {
      Experience::Mean mean = into.near[s][position];
      const std::vector<std::int16_t>& near = stream.near[position];
      auto day = near.begin();
      for (; day != near.end() && *day < member.from; ++day)
        mean.add(residual_of(days, panel.logarithm, member.base.cell, *day), weight);
      for (; day != near.end() && *day <= cut - kNear; ++day) mean.add(member.residual_at(*day), weight);
      into.near[s][position] = mean;
    }
    for (const std::int16_t day : days.known_days(cut - kNear + 1, cut))
      into.near[s][position_near(stream, day, cut)].add(member.residual_at(day), weight);
  }
}

float mean_price(const MemberDays& days, int cut, int window) {
  float sum = 0;
  float count = 0;
  for (int day = std::max(days.begin, cut - window + 1); day <= cut; ++day) {
    const float price = days.price[static_cast<std::size_t>(day)];
    if (!(price > 0)) continue;
    sum += price;
    count += 1;
  }
  return count > 0 ? sum / count : std::nanf("");
}

/// Residuals from `out.base`, which the panel needs of each member; the rest is for the member's own rows.
void find_residuals(const MemberDays& days, const PanelCut& panel, MemberCut& out) {
  out.from = std::max(days.begin, panel.cut - kLookBack + 1);
  out.residual.resize(static_cast<std::size_t>(panel.cut - out.from) + 1);
  for (int day = out.from; day <= panel.cut; ++day)
    out.residual[static_cast<std::size_t>(day - out.from)] =
        residual_of(days, panel.logarithm, out.base.cell, day);
}

}  // namespace

bool is_usable(const MemberDays& days, int cut) {
  constexpr int kDaysMin = 21;
  return days.begin <= cut && days.seen[static_cast<std::size_t>(cut) + 1] >= kDaysMin;
}

void cut_member(std::size_t member, const MemberDays& days, const PanelCalendar& calendar,
                const PanelCut& panel, MemberCut& out) {
  if (!panel.bases.empty())
    out.base = panel.bases[member];
  else if (panel.logarithm)
    out.base = logarithm_base(order_values(days, panel.cut, panel.cut), panel.cut);
  else
    out.base = unit_base(days, panel);
  find_residuals(days, panel, out);
  out.residuals.assign(out.from, out.residual);
  summarise(days, panel.cut, panel.logarithm, out);
  out.experience.clear();
  learn_experience(days, calendar, panel, out, 1, out.experience);
  if (!days.price.empty()) {
    out.price28 = mean_price(days, panel.cut, 28);
    out.price365 = mean_price(days, panel.cut, kYear);
  }
}

std::vector<PanelCut> cut_panel(const Panel& panel, const PanelCalendar& calendar, std::span<const int> cuts,
                                bool logarithm, unsigned threads, Progress& progress) {
  struct Sums {
    std::array<double, 7 * kPromotionStates> units{};
    std::array<double, 7 * kPromotionStates> expected{};
    std::vector<double> residual;  ///< of the days from look_back_from
    std::vector<double> weight;
    Experience experience;
  };
  if (cuts.empty()) return {};
  const auto [oldest, newest] = std::ranges::minmax(cuts);
  const auto look_back_from = [](int cut) { return std::max(cut - kLookBack + 1, 0); };
  constexpr std::size_t kMembersMost = 4000;  // thousands more say nothing else of a day
  const std::vector<std::size_t> sample = sample_members(panel.members.size(), kMembersMost);
  // Members in blocks of fixed size, added up in order: the sums do not depend on the number of threads.
  constexpr std::size_t kBlock = 64;
  const std::size_t blocks = (sample.size() + kBlock - 1) / kBlock;
  const std::size_t rounds = logarithm ? 1 : 2;
  std::vector<PanelCut> result(cuts.size());
  for (std::size_t k = 0; k < cuts.size(); ++k) {
    result[k].cut = cuts[k];
    result[k].logarithm = logarithm;
    result[k].pooled.fill(1);
    if (sample.size() == panel.members.size()) result[k].bases.resize(sample.size());
  }
  const auto each_block = [&](bool pooling, std::vector<std::vector<Sums>>& sums) {
    sums.assign(blocks, std::vector<Sums>(cuts.size()));
    const std::size_t done = !logarithm && !pooling ? blocks : 0;
    return for_each_index(blocks, threads, progress, done, rounds * blocks, [&](std::size_t block) {
      MemberCut member;
      for (std::size_t i = block * kBlock; i < std::min(sample.size(), (block + 1) * kBlock); ++i) {
        const MemberDays days = member_days(panel.members[sample[i]], calendar, logarithm);
        OrderedValues ordered;
        if (logarithm) ordered = order_values(days, oldest, newest);
        for (std::size_t k = 0; k < cuts.size(); ++k) {
          if (days.begin > cuts[k]) continue;
          Sums& to = sums[block][k];
          if (pooling) {
            const auto year = days.known_days(cuts[k] - kYear + 1, cuts[k]);
            double total = 0;
            for (const std::int16_t day : year)
              total += static_cast<double>(days.value[static_cast<std::size_t>(day)]);
            if (total <= 0) continue;
            for (const std::int16_t day : year) {
              for_cells(days, day, [&](std::size_t cell) {
                to.units[cell] += static_cast<double>(days.value[static_cast<std::size_t>(day)]);
                to.expected[cell] += total / static_cast<double>(year.size());
              });
            }
            continue;
          }
          if (!is_usable(days, cuts[k])) continue;
          member.base = logarithm ? logarithm_base(ordered, cuts[k]) : unit_base(days, result[k]);
          if (!result[k].bases.empty()) result[k].bases[sample[i]] = member.base;
          find_residuals(days, result[k], member);
          const float weight = logarithm ? 1.0F : std::exp(member.base.mean);
          const int from = look_back_from(cuts[k]);
          to.residual.resize(static_cast<std::size_t>(cuts[k] - from) + 1);
          to.weight.resize(to.residual.size());
          for (const std::int16_t day : days.known_days(from, cuts[k])) {
            const auto at = static_cast<std::size_t>(day - from);
            to.residual[at] += static_cast<double>(weight * member.residual_at(day));
            to.weight[at] += static_cast<double>(weight);
          }
          learn_experience(days, calendar, result[k], member, weight, to.experience);
        }
      }
    });
  };
  std::vector<std::vector<Sums>> sums;
  if (!logarithm) {
    if (!each_block(true, sums)) return {};
    for (std::size_t k = 0; k < cuts.size(); ++k) {
      for (std::size_t cell = 0; cell < result[k].pooled.size(); ++cell) {
        double units = 0, expected = 0;
        for (const auto& block : sums) units += block[k].units[cell], expected += block[k].expected[cell];
        // One unit is added to both: a cell in which nobody happened to sell is small, but never 0, of which
        // there is no logarithm and by which no residual is divided.
        if (expected > 0) result[k].pooled[cell] = static_cast<float>((units + 1) / (expected + 1));
      }
    }
  }
  if (!each_block(false, sums)) return {};
  const auto merge = [](auto& into, const auto& from) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i].sum += from[i].sum, into[i].count += from[i].count;
  };
  for (std::size_t k = 0; k < cuts.size(); ++k) {
    PanelCut& to = result[k];
    const int first = look_back_from(cuts[k]);
    std::vector<double> residual(static_cast<std::size_t>(cuts[k] - first) + 1);
    std::vector<double> weight(residual.size());
    for (const auto& block : sums) {
      const Sums& from = block[k];
      for (std::size_t day = 0; day < from.residual.size(); ++day)
        residual[day] += from.residual[day], weight[day] += from.weight[day];
      merge(to.experience.by_day_of_month, from.experience.by_day_of_month);
      merge(to.experience.by_days_left, from.experience.by_days_left);
      to.experience.near.resize(std::max(to.experience.near.size(), from.experience.near.size()));
      to.experience.flag.resize(to.experience.near.size());
      for (std::size_t s = 0; s < from.experience.near.size(); ++s) {
        merge(to.experience.near[s], from.experience.near[s]);
        merge(to.experience.flag[s], from.experience.flag[s]);
      }
    }
    // Days on which hardly anybody sold say nothing of the others. Weights of one: all days count the same.
    const double least = weight.empty() ? 0 : 0.1 * std::ranges::max(weight);
    std::vector<float> mean(weight.size(), std::nanf(""));
    for (std::size_t day = 0; day < weight.size(); ++day)
      if (weight[day] > least) mean[day] = static_cast<float>(residual[day] / weight[day]);
    to.residual.assign(first, mean);
    to.level28 = to.residual.mean(cuts[k] - 27, cuts[k]);
    to.level365 = to.residual.mean(cuts[k] - 364, cuts[k]);
  }
  return result;
}

}  // namespace tillcast::forecast
