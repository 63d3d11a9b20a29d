#include <algorithm>
#include <cmath>
#include <mutex>

#include "forecast/panel_days_internal.h"
#include "forecast/panel_sample_internal.h"
#include "forecast/parallel_internal.h"

namespace tillcast::forecast {
namespace {

constexpr int kYear = 365;

int promoted_at(const MemberDays& days, int day, int cut) {
  if (days.promoted.empty()) return 0;
  return day > cut + days.promotion_ahead ? -1 : days.promoted[static_cast<std::size_t>(day)];
}

float median_in_place(std::span<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Logarithms: the median of each weekday x promotion over a year, drawn to weekday plus promotion.
MemberBase logarithm_base(const MemberDays& days, const PanelCalendar& calendar, int cut) {
  MemberBase out;
  // Values by cell, one cell after the other.
  std::array<std::uint16_t, 15> begin{};
  std::array<std::uint8_t, kYear> cell_at{};
  std::array<float, kYear> values{};
  const int first = std::max(days.begin, cut - kYear + 1);
  for (int day = first; day <= cut; ++day) {
    if (std::isnan(days.value[static_cast<std::size_t>(day)])) continue;
    const bool promoted = promoted_at(days, day, cut) == 1;
    const auto cell =
        static_cast<std::uint8_t>(2 * calendar.weekday[static_cast<std::size_t>(day)] + (promoted ? 1 : 0));
    cell_at[static_cast<std::size_t>(day - first)] = cell;
    ++begin[cell + 1U];
  }
  for (std::size_t cell = 0; cell < 14; ++cell)
    begin[cell + 1] = static_cast<std::uint16_t>(begin[cell + 1] + begin[cell]);
  std::array<std::uint16_t, 15> next = begin;
  for (int day = first; day <= cut; ++day)
    if (const float value = days.value[static_cast<std::size_t>(day)]; !std::isnan(value))
      values[next[cell_at[static_cast<std::size_t>(day - first)]]++] = value;
  std::array<float, 14> median{};
  std::array<float, 14> count{};
  double total = 0;
  double days_seen = 0;
  for (std::size_t cell = 0; cell < 14; ++cell) {
    const auto size = static_cast<std::size_t>(begin[cell + 1] - begin[cell]);
    count[cell] = static_cast<float>(size);
    if (size == 0) continue;
    median[cell] = median_in_place(std::span(values).subspan(begin[cell], size));
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

/// Units: the mean of a year times the factor of the weekday x promotion, drawn to that of all members.
MemberBase unit_base(const MemberDays& days, const PanelCalendar& calendar, const PanelCut& panel) {
  MemberBase out;
  std::array<float, 7 * kPromotionStates> sum{};
  std::array<float, 7 * kPromotionStates> count{};
  float total = 0;
  float seen = 0;
  for (int day = std::max(days.begin, panel.cut - kYear + 1); day <= panel.cut; ++day) {
    const float value = days.value[static_cast<std::size_t>(day)];
    if (std::isnan(value)) continue;
    const int weekday = calendar.weekday[static_cast<std::size_t>(day)];
    for (const int promoted : {promoted_at(days, day, panel.cut), -1}) {
      sum[cell_of(weekday, promoted)] += value;
      count[cell_of(weekday, promoted)] += 1;
      if (promoted < 0) break;
    }
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

/// Decayed mean, spread and slope of the latest residuals.
void summarise(const MemberDays& days, int cut, bool logarithm, MemberCut& out) {
  const float decay = std::exp2(-1.0F / 28);
  float weight = 1;
  float sum = 0;
  float weights = 0;
  for (int day = cut; day >= std::max(days.begin, cut - 730); --day, weight *= decay) {
    const float residual = out.residual_at(day);
    if (std::isnan(residual)) continue;
    sum += weight * (logarithm ? std::clamp(residual, -0.6F, 0.6F) : residual);
    weights += weight;
  }
  out.level = weights > 0 ? sum / weights : logarithm ? 0.0F : 1.0F;
  out.level28 = out.residuals.mean(cut - 27, cut);
  out.level91 = out.residuals.mean(cut - 90, cut);
  out.level365 = out.residuals.mean(cut - 364, cut);
  for (const int window : {91, kYear}) {
    double n = 0, t = 0, tt = 0, r = 0, rr = 0, tr = 0, zeros = 0;
    for (int day = std::max(days.begin, cut - window + 1); day <= cut; ++day) {
      const auto residual = static_cast<double>(out.residual_at(day));
      if (std::isnan(residual)) continue;
      const double x = day - cut;
      n += 1, t += x, tt += x * x, r += residual, rr += residual * residual, tr += x * residual;
      zeros += residual == 0 ? 1 : 0;
    }
    const double variance = n > 1 ? rr / n - (r / n) * (r / n) : 0;
    const double spread_x = n * tt - t * t;
    const auto spread = static_cast<float>(std::sqrt(std::max(variance, 0.0)));
    const auto slope = static_cast<float>(n > 6 && spread_x > 0 ? (n * tr - t * r) / spread_x * 100 : 0);
    (window == 91 ? out.spread91 : out.spread365) = spread;
    (window == 91 ? out.slope91 : out.slope365) = slope;
    if (window == 91) out.zeros91 = static_cast<float>(n > 0 ? zeros / n : 0);
  }
  if (logarithm) return;
  float seen = 0;
  float zeros = 0;
  for (int day = std::max(days.begin, cut - 27); day <= cut; ++day) {
    const float residual = out.residual_at(day);
    if (std::isnan(residual)) continue;
    seen += 1;
    zeros += residual == 0 ? 1 : 0;
  }
  out.zeros28 = seen > 0 ? zeros / seen : 0;
  int day = cut;
  while (day >= days.begin && !(days.value[static_cast<std::size_t>(day)] > 0)) --day;
  out.since_sale = static_cast<float>(cut - day);
}

float residual_of(const MemberDays& days, const PanelCalendar& calendar, bool logarithm, const Cells& base,
                  int day) {
  const auto at = static_cast<std::size_t>(day);
  const int promoted = days.promoted.empty() ? 0 : days.promoted[at];  // known: the day is past
  const float expected = base[cell_of(calendar.weekday[at], promoted)];
  return logarithm ? days.value[at] - expected : days.value[at] / expected;
}

void learn_experience(const MemberDays& days, const PanelCalendar& calendar, const PanelCut& panel,
                      const MemberCut& member, float weight, Experience& into) {
  const int cut = panel.cut;
  if (into.near.size() < days.streams.size()) {
    into.near.resize(days.streams.size());
    into.flag.resize(days.streams.size());
  }
  std::array<std::size_t, kYear> known_day;
  std::array<float, kYear> known_value;
  std::size_t known = 0;
  for (int day = std::max(days.begin, cut - kYear + 1); day <= cut; ++day) {
    const float value = member.residual_at(day);
    if (std::isnan(value)) continue;
    known_day[known] = static_cast<std::size_t>(day);
    known_value[known++] = value;
  }
  for (std::size_t i = 0; i < known; ++i) {
    const std::size_t at = known_day[i];
    into.by_day_of_month[static_cast<std::size_t>(calendar.day_of_month[at] - 1)].add(known_value[i], weight);
    into.by_days_left[static_cast<std::size_t>(calendar.days_left[at])].add(known_value[i], weight);
  }
  for (std::size_t s = 0; s < days.streams.size(); ++s) {
    // Both means in registers: events are too irregular for a branch.
    std::array<Experience::Mean, 2> mean = into.flag[s];
    const std::uint8_t* on = days.streams[s].on.data();
    for (std::size_t i = 0; i < known; ++i) {
      const float weight_on = on[known_day[i]] != 0 ? weight : 0;
      mean[1].add(known_value[i], weight_on);
      mean[0].add(known_value[i], weight - weight_on);
    }
    into.flag[s] = mean;
  }
  // Events go back as far as the member does; close to the cut not all that come after are known.
  for (std::size_t s = 0; s < days.streams.size(); ++s) {
    const EventStream& stream = days.streams[s];
    const auto add = [&](int day, std::size_t position) {
      const float value = day >= member.from
                              ? member.residual_at(day)
                              : residual_of(days, calendar, panel.logarithm, member.base.cell, day);
      if (!std::isnan(value)) into.near[s][position].add(value, weight);
    };
    const auto first = std::ranges::lower_bound(stream.near_day, days.begin) - stream.near_day.begin();
    for (auto i = static_cast<std::size_t>(first);
         i < stream.near_day.size() && stream.near_day[i] <= cut - kNear; ++i)
      add(stream.near_day[i], stream.near_position[i]);
    for (int day = std::max(days.begin, cut - kNear + 1); day <= cut; ++day)
      add(day, position_near(stream, day, cut));
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

MemberBase base_of(const MemberDays& days, const PanelCalendar& calendar, const PanelCut& panel) {
  return panel.logarithm ? logarithm_base(days, calendar, panel.cut) : unit_base(days, calendar, panel);
}

/// Residuals from `out.base`, which the panel needs of each member; the rest is for the member's own rows.
void find_residuals(const MemberDays& days, const PanelCalendar& calendar, const PanelCut& panel,
                    MemberCut& out) {
  const int cut = panel.cut;
  out.from = std::max(days.begin, cut - kLookBack + 1);
  out.residual.resize(static_cast<std::size_t>(cut - out.from) + 1);
  for (int day = out.from; day <= cut; ++day)
    out.residual[static_cast<std::size_t>(day - out.from)] =
        residual_of(days, calendar, panel.logarithm, out.base.cell, day);
  out.usable = is_usable(days, cut);
}

}  // namespace

bool is_usable(const MemberDays& days, int cut) {
  constexpr int kDaysMin = 21;
  return days.begin <= cut && days.seen[static_cast<std::size_t>(cut) + 1] >= kDaysMin;
}

void cut_member(std::size_t member, const MemberDays& days, const PanelCalendar& calendar,
                const PanelCut& panel, MemberCut& out) {
  out.usable = is_usable(days, panel.cut);
  if (!out.usable) return;
  out.base = panel.bases.empty() ? base_of(days, calendar, panel) : panel.bases[member];
  find_residuals(days, calendar, panel, out);
  out.residuals.start(out.from, panel.cut + 1);
  for (int day = out.from; day <= panel.cut; ++day)
    if (const float residual = out.residual_at(day); !std::isnan(residual))
      out.residuals.add(day, residual, 1);
  out.residuals.finish();
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
        for (std::size_t k = 0; k < cuts.size(); ++k) {
          if (days.begin > cuts[k]) continue;
          Sums& to = sums[block][k];
          if (pooling) {
            double total = 0, seen = 0;
            for (int day = std::max(days.begin, cuts[k] - kYear + 1); day <= cuts[k]; ++day)
              if (const float value = days.value[static_cast<std::size_t>(day)]; !std::isnan(value))
                total += static_cast<double>(value), seen += 1;
            if (total <= 0) continue;
            for (int day = std::max(days.begin, cuts[k] - kYear + 1); day <= cuts[k]; ++day) {
              const auto at = static_cast<std::size_t>(day);
              if (std::isnan(days.value[at])) continue;
              for (const int promoted : {promoted_at(days, day, cuts[k]), -1}) {
                const std::size_t cell = cell_of(calendar.weekday[at], promoted);
                to.units[cell] += static_cast<double>(days.value[at]);
                to.expected[cell] += total / seen;
                if (promoted < 0) break;
              }
            }
            continue;
          }
          if (!is_usable(days, cuts[k])) continue;
          member.base = base_of(days, calendar, result[k]);
          if (!result[k].bases.empty()) result[k].bases[sample[i]] = member.base;
          find_residuals(days, calendar, result[k], member);
          const float weight = logarithm ? 1.0F : std::exp(member.base.mean);
          const int from = look_back_from(cuts[k]);
          to.residual.resize(static_cast<std::size_t>(cuts[k] - from) + 1);
          to.weight.resize(to.residual.size());
          for (int day = member.from; day <= cuts[k]; ++day) {
            const float residual = member.residual_at(day);
            if (std::isnan(residual)) continue;
            const auto at = static_cast<std::size_t>(day - from);
            to.residual[at] += static_cast<double>(weight * residual);
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
    to.residual.start(first, cuts[k] + 1);
    double most = 0;
    for (const double each : weight) most = std::max(most, each);
    for (std::size_t day = 0; day < weight.size(); ++day) {
      // Days on which hardly anybody sold say nothing of the others. Weights of one: all days count the same.
      if (weight[day] <= 0.1 * most) continue;
      to.residual.add(first + static_cast<int>(day), static_cast<float>(residual[day] / weight[day]), 1);
    }
    to.residual.finish();
    to.level28 = to.residual.mean(cuts[k] - 27, cuts[k]);
    to.level365 = to.residual.mean(cuts[k] - 364, cuts[k]);
  }
  return result;
}

}  // namespace tillcast::forecast
