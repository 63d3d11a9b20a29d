#include "forecast/panel_features.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/check.h"
#include "forecast/panel_days_internal.h"

namespace tillcast::forecast {
namespace {

constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();
constexpr int kYearOfWeeks = 364;

/// Takes the columns of a row: their names, once, or their values.
class NameSink {
 public:
  static constexpr bool kNames = true;
  explicit NameSink(std::vector<FeatureColumn>& out) : out_(out) {}
  void group(const char* name) { group_ = name; }
  void stream(const std::string& name) { group_ = prefix_ = name; }
  void put(const char* name, float) { out_.push_back({prefixed(name), group_, false}); }
  void put_category(const char* name, float) { out_.push_back({prefixed(name), group_, true}); }
  void end_stream() { prefix_.clear(); }

 private:
  std::string prefixed(const char* name) const { return prefix_.empty() ? name : prefix_ + "_" + name; }
  std::vector<FeatureColumn>& out_;
  std::string group_;
  std::string prefix_;
};

/// Writes a row where there is room for it.
class ValueSink {
 public:
  static constexpr bool kNames = false;
  explicit ValueSink(float* to) : to_(to) {}
  void group(const char*) {}
  void stream(const std::string&) {}
  void put(const char*, float value) { *to_++ = value; }
  void put_category(const char*, float value) { *to_++ = value; }
  void end_stream() {}
  const float* end() const { return to_; }

 private:
  float* to_;
};

constexpr std::array<int, 7> kWindows = {7, 14, 28, 56, 91, 182, 365};

/// What all rows of a member have in common at one cut.
struct CutLevels {
  std::array<float, kWindows.size()> level{};  ///< of the member, against its decayed level
  std::array<float, 4> all{};                  ///< of all members: 7, 14, 28, 91 days
  float own_to_all = 0, own_year = 0, all_year = 0;
  std::array<float, 2> own_before{}, all_before{};  ///< the month before the cut one and two years ago
};

CutLevels levels_at(const MemberCut& own, const PanelCut& all) {
  const int cut = all.cut;
  const auto against = [&](float level, float reference) {
    return level_difference(all.logarithm, level, reference);
  };
  CutLevels levels;
  for (std::size_t i = 0; i < kWindows.size(); ++i)
    levels.level[i] = against(own.residuals.mean(cut - kWindows[i] + 1, cut), own.level);
  levels.all = {against(all.residual.mean(cut - 6, cut), all.level365),
                against(all.residual.mean(cut - 13, cut), all.level365), against(all.level28, all.level365),
                against(all.residual.mean(cut - 90, cut), all.level365)};
  levels.own_to_all = against(own.level28, all.level28);
  for (std::size_t year = 0; year < 2; ++year) {
    const int then = cut - static_cast<int>(year + 1) * kYearOfWeeks;
    levels.own_before[year] = own.residuals.mean(then - 27, then, 5);
    levels.all_before[year] = all.residual.mean(then - 27, then, 5);
  }
  levels.own_year = against(own.level28, levels.own_before[0]);
  levels.all_year = against(all.level28, levels.all_before[0]);
  return levels;
}

/// Letters, digits and _ alone, as LightGBM wants the names of columns.
std::string column_name(std::string_view name) {
  std::string out;
  for (const char c : name)
    out += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c : '_';
  return out;
}

float at_or_none(const std::vector<float>& values, int day, bool known) {
  return known && !values.empty() ? values[static_cast<std::size_t>(day)] : kNoValue;
}

}  // namespace

void FeatureRows::clear() {
  values.clear();
  offset.clear();
  label.clear();
  step.clear();
  cut.clear();
}

struct PanelFeatures::State {
  const Panel* panel = nullptr;
  PanelCalendar calendar;
  PanelShape shape;
  bool logarithm = true;
  std::vector<PanelCut> cuts;
  std::vector<std::string> stream_names;
  std::vector<std::string> driver_names;
  std::vector<std::string> attribute_names;
  std::vector<std::uint8_t> since_attribute;
  std::vector<std::vector<float>> share;  ///< of promotion, then of each driver: mean over members, by day
  int share_ahead = 0;

  void find_shares() {
    const auto size = static_cast<std::size_t>(calendar.days());
    std::vector<std::vector<double>> sum(1 + shape.drivers.size(), std::vector<double>(size));
    std::vector<std::vector<double>> count = sum;
    for (const PanelMember& member : panel->members) {
      const int begin = std::max(member.history.start.days - calendar.first, 0);
      const auto skipped = static_cast<std::size_t>(calendar.first + begin - member.history.start.days);
      const auto add = [&](std::size_t which, std::size_t i, double value) {
        const std::size_t day = static_cast<std::size_t>(begin) + i - skipped;
        if (i < skipped || day >= size || std::isnan(value)) return;
        sum[which][day] += value;
        count[which][day] += 1;
      };
      for (std::size_t i = 0; i < member.history.promotion.size(); ++i)
        if (member.history.promotion[i] >= 0) add(0, i, member.history.promotion[i]);
      for (std::size_t d = 0; d < std::min(member.drivers.size(), shape.drivers.size()); ++d) {
        for (std::size_t i = 0; i < member.drivers[d].value.size(); ++i) {
          const auto value = static_cast<double>(member.drivers[d].value[i]);
          add(1 + d, i, shape.kinds[d] == DriverKind::kCategory ? (value > 0 ? 1 : value) : value);
        }
      }
      for (const DriverView& driver : member.drivers)
        share_ahead = std::max(
            share_ahead, static_cast<int>(driver.value.size()) - static_cast<int>(member.history.size()));
      share_ahead = std::max(share_ahead, static_cast<int>(member.history.promotion.size()) -
                                              static_cast<int>(member.history.size()));
    }
    share.assign(sum.size(), std::vector<float>(size, kNoValue));
    for (std::size_t which = 0; which < sum.size(); ++which) {
      for (std::size_t day = 0; day < size; ++day)
        if (count[which][day] > 0)
          share[which][day] = static_cast<float>(sum[which][day] / count[which][day]);
    }
  }

  /// Weekday x promotion of a day ahead, as it is known at the cut.
  std::size_t cell(const MemberDays& days, int day, int cut) const {
    const int promoted = days.promoted.empty()              ? 0
                         : day > cut + days.promotion_ahead ? -1
                                                            : days.promoted[static_cast<std::size_t>(day)];
    return cell_of(calendar.weekday[static_cast<std::size_t>(day)], promoted);
  }

  template <class Sink>
  void stream_columns(const EventStream& stream, const MemberCut& own, const PanelCut& all, std::size_t which,
                      int day, Sink& sink) const {
    const auto at = static_cast<std::size_t>(day);
    const int limit = all.cut + stream.ahead;
    const bool known = day <= limit;
    const bool on = known && stream.on[at] != 0;
    const auto days_if = [&](bool holds, int days) {
      return holds && known ? static_cast<float>(days) : kNoValue;
    };
    sink.put("since_begin", days_if(on, day - stream.last_off[at]));
    sink.put("since_end", days_if(!on && stream.last_on[at] >= 0, day - stream.last_on[at]));
    sink.put("to_begin", days_if(!on && stream.next_on[at] <= limit, stream.next_on[at] - day));
    sink.put("to_end", days_if(on && stream.next_off[at] <= limit, stream.next_off[at] - day));
    const int week_ahead = std::min(std::min(day + 7, limit), calendar.days() - 1);
    sink.put("days_next_week",
             days_if(week_ahead > day, stream.count[static_cast<std::size_t>(std::max(week_ahead, day)) + 1] -
                                           stream.count[at + 1]));
    sink.put(
        "days_last_week",
        days_if(day >= 7, stream.count[at] - stream.count[at - static_cast<std::size_t>(std::min(day, 7))]));
    // What such days were worth so far, to the member and to all.
    const std::size_t position = known ? position_near(stream, day, all.cut) : kPositions - 1;
    const bool near = position + 1 < kPositions;
    const auto experience = [&](const Experience& from, float reference) {
      if (from.near.size() <= which || !near) return kNoValue;
      const auto& mean = from.near[which][position];
      if (mean.count <= 0) return kNoValue;
      return level_difference(all.logarithm, mean.value(reference), reference);
    };
    sink.put("own_near", experience(own.experience, own.level365));
    sink.put("all_near", experience(all.experience, all.level365));
    const auto flagged = [&](const Experience& from, float reference) {
      if (from.flag.size() <= which || !known) return kNoValue;
      return level_difference(all.logarithm, from.flag[which][on ? 1 : 0].value(reference), reference);
    };
    sink.put("own_effect", flagged(own.experience, own.level365));
    sink.put("all_effect", flagged(all.experience, all.level365));
  }

  template <class Sink>
  void row(std::size_t member, const MemberDays& days, const MemberCut& own, const PanelCut& all,
           const CutLevels& levels, int day, Sink& sink) const {
    const auto at = static_cast<std::size_t>(day);
    const int cut = all.cut;
    const int weekday = calendar.weekday[at];
    const std::size_t here = cell(days, day, cut);
    const auto against = [&](float level, float reference) {
      return level_difference(logarithm, level, reference);
    };
    sink.group("calendar");
    sink.put("weekday", static_cast<float>(weekday));
    sink.put("day_of_year", calendar.day_of_year[at]);
    sink.put("day_of_month", calendar.day_of_month[at]);
    sink.put("days_left", calendar.days_left[at]);
    sink.put("month", calendar.month[at]);
    const auto around = [&](const std::array<Experience::Mean, 31>& means, int middle, float reference) {
      Experience::Mean sum;
      for (int i = std::max(middle - 1, 0); i <= std::min(middle + 1, 30); ++i)
        sum.sum += means[static_cast<std::size_t>(i)].sum,
            sum.count += means[static_cast<std::size_t>(i)].count;
      return against(sum.value(reference), reference);
    };
    const int month_day = calendar.day_of_month[at] - 1;
    sink.put("own_day_of_month", around(own.experience.by_day_of_month, month_day, own.level365));
    sink.put("all_day_of_month", around(all.experience.by_day_of_month, month_day, all.level365));
    sink.put("own_days_left", around(own.experience.by_days_left, calendar.days_left[at], own.level365));
    sink.put("all_days_left", around(all.experience.by_days_left, calendar.days_left[at], all.level365));
    sink.group("horizon");
    sink.put("step", static_cast<float>(day - cut));

    for (std::size_t s = 0; s < stream_names.size(); ++s) {
      if (stream_names[s].empty()) continue;
      sink.stream(stream_names[s]);
      stream_columns(days.streams[s], own, all, s, day, sink);
      sink.end_stream();
    }
    for (std::size_t d = 0; d < driver_names.size(); ++d) {
      sink.stream(driver_names[d]);
      const bool known = d < days.drivers.size() && day <= cut + days.driver_ahead[d];
      sink.put("value", known ? days.drivers[d][at] : kNoValue);
      sink.put("share", at_or_none(share[1 + d], day, day <= cut + share_ahead));
      sink.end_stream();
    }
    if (shape.promotion) {
      sink.stream("promotion");
      sink.put("value", static_cast<float>(here % kPromotionStates));
      sink.put("share", at_or_none(share[0], day, day <= cut + share_ahead));
      sink.put("gain", own.base.cell[cell_of(weekday, 1)] - own.base.cell[cell_of(weekday, 0)]);
      sink.end_stream();
    }
    if (shape.open) {
      sink.group("closing");
      const std::size_t last_known = static_cast<std::size_t>(std::min(day, cut + days.streams.back().ahead));
      int begin = days.long_begin[last_known];
      int end = days.long_end[last_known];
      // A closing that goes on where the known days end is over the day after, as far as anybody knows: so it
      // is for a forecast, and rows to learn from must not know better.
      if (end > static_cast<int>(last_known) + 1) {
        end = static_cast<int>(last_known) + 1;
        if (end - begin < kLongClosing) {
          const auto before = static_cast<std::size_t>(std::max(begin - 1, 0));
          end = begin > 0 ? days.long_end[before] : -1;
          begin = begin > 0 ? days.long_begin[before] : -1;
        }
      }
      sink.put("since_long_closing", end >= 0 && end <= day ? static_cast<float>(day - end) : kNoValue);
      sink.put("long_closing_days", end >= 0 && end <= day ? static_cast<float>(end - begin) : kNoValue);
    }
    if (shape.price) {
      sink.group("price");
      const bool known = day <= cut + days.price_ahead;
      const float price = at_or_none(days.price, day, known);
      sink.put("price_28", std::log(price / own.price28));
      sink.put("price_365", std::log(price / own.price365));
    }

    sink.group("level");
    static constexpr std::array<const char*, kWindows.size()> kWindowNames = {
        "level_7", "level_14", "level_28", "level_56", "level_91", "level_182", "level_365"};
    for (std::size_t i = 0; i < kWindows.size(); ++i) sink.put(kWindowNames[i], levels.level[i]);
    sink.put("spread_91", own.spread91);
    sink.put("spread_365", own.spread365);
    sink.put("slope_91", own.slope91);
    sink.put("slope_365", own.slope365);
    sink.put("size", own.base.mean);
    constexpr int kYoung =
        200;  // beyond it an age is a date, which tells the snapshots apart and nothing else
    sink.put("age", static_cast<float>(std::min(day - days.begin, kYoung)));
    if (!logarithm) {
      sink.put("zeros_28", own.zeros28);
      sink.put("zeros_91", own.zeros91);
      sink.put("since_sale", own.since_sale);
    }
    sink.group("same weekdays");
    const float all_days = logarithm ? own.base.mean : std::exp(own.base.mean);
    sink.put("weekday_base",
             logarithm ? own.base.cell[here] - all_days : std::log(own.base.cell[here] / all_days));
    same_days(days, own, cut, day, here, sink);

    sink.group("all series");
    sink.put("all_7", levels.all[0]);
    sink.put("all_14", levels.all[1]);
    sink.put("all_28", levels.all[2]);
    sink.put("all_91", levels.all[3]);
    sink.put("own_to_all", levels.own_to_all);

    sink.group("last year");
    for (const int years : {1, 2}) {
      const bool first = years == 1;
      const int then = day - years * kYearOfWeeks;
      const float own_before = levels.own_before[first ? 0 : 1];
      const float all_before = levels.all_before[first ? 0 : 1];
      const auto growth = [&](const WindowMeans& means, int width, float reference) {
        return against(means.mean(then - width, std::min(then + width, cut)), reference);
      };
      sink.put(first ? "own_growth_3" : "own_growth_3_two", growth(own.residuals, 3, own_before));
      sink.put(first ? "own_growth_10" : "own_growth_10_two", growth(own.residuals, 10, own_before));
      sink.put(first ? "all_growth_1" : "all_growth_1_two", growth(all.residual, 1, all_before));
      sink.put(first ? "all_growth_3" : "all_growth_3_two", growth(all.residual, 3, all_before));
      sink.put(first ? "all_growth_10" : "all_growth_10_two", growth(all.residual, 10, all_before));
      sink.put(first ? "all_same_day" : "all_same_day_two", growth(all.residual, 0, all_before));
      sink.put(first ? "own_then" : "own_then_two", growth(own.residuals, 7, own.level365));
    }
    sink.put("own_year", levels.own_year);
    sink.put("all_year", levels.all_year);

    sink.group("attributes");
    for (std::size_t a = 0; a < attribute_names.size(); ++a) {
      const AttributeColumn& attribute = panel->attributes[a];
      const float value = attribute.value[panel->members[member].series];
      const char* name = attribute_names[a].c_str();
      if (since_attribute[a] != 0)
        sink.put(name, std::max(static_cast<float>(calendar.first + day) - value, -1.0F));
      else if (attribute.is_category)
        sink.put_category(name, value);
      else
        sink.put(name, value);
    }
  }

  /// Latest residuals of the same weekday, and of the same weekday and promotion.
  template <class Sink>
  void same_days(const MemberDays& days, const MemberCut& own, int cut, int day, std::size_t here,
                 Sink& sink) const {
    float last = kNoValue;
    float sum = 0;
    int count = 0;
    float weekday_sum = 0;
    int weekday_count = 0;
    float months_sum = 0;
    int months_count = 0;
    if constexpr (!Sink::kNames) {
      const int distance = (day - cut + 6) / 7 * 7;
      for (int then = day - distance; then > cut - 182 && then >= days.begin; then -= 7) {
        const float residual = own.residual_at(then);
        if (std::isnan(residual)) continue;
        if (weekday_count < 4) weekday_sum += residual, ++weekday_count;
        months_sum += residual, ++months_count;
        if (count < 4 && cell(days, then, cut) == here) {
          if (count == 0) last = residual;
          sum += residual, ++count;
        }
      }
    }
    const auto mean = [&](float total, int n) {
      return n > 0 ? level_difference(logarithm, total / static_cast<float>(n), own.level) : kNoValue;
    };
    sink.put("same_weekday_4", mean(weekday_sum, weekday_count));
    sink.put("same_weekday_26", mean(months_sum, months_count));
    sink.put("same_cell_4", mean(sum, count));
    sink.put("same_cell_last", std::isnan(last) ? last : level_difference(logarithm, last, own.level));
  }
};

PanelFeatures::PanelFeatures(const Panel& panel, const PanelTask& task, const std::vector<int>& cuts,
                             bool logarithm, Progress* progress)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.panel = &panel;
  state.calendar = calendar_of(panel, task);
  state.shape = shape_of(panel);
  state.logarithm = logarithm;
  std::vector<int> days;
  days.reserve(cuts.size());
  for (const int back : cuts) days.push_back(state.calendar.end - 1 - back);
  NoProgress silent;
  state.cuts = cut_panel(panel, state.calendar, days, logarithm, task.threads,
                         progress != nullptr ? *progress : silent);
  state.find_shares();
  state.stream_names.push_back(state.shape.promotion ? "promotion" : "");
  for (std::size_t d = 0; d < state.shape.drivers.size(); ++d) {
    state.driver_names.push_back(column_name(state.shape.drivers[d]));
    if (state.shape.kinds[d] != DriverKind::kNumber) state.stream_names.push_back(state.driver_names.back());
  }
  state.stream_names.push_back(state.shape.open ? "closing" : "");
  for (const AttributeColumn& attribute : panel.attributes) {
    state.attribute_names.push_back("is_" + column_name(attribute.name));
    state.since_attribute.push_back(attribute.name.ends_with("_since") ? 1 : 0);
  }
  // The names come from the code that writes the values, so that the two cannot part.
  if (panel.members.empty() || state.cuts.empty()) return;
  NameSink names(columns_);
  const MemberDays first = member_days(panel.members.front(), state.calendar, logarithm);
  MemberCut nothing;
  nothing.residuals.start(0, 1);
  nothing.residuals.finish();
  state.row(0, first, nothing, state.cuts.front(), {}, std::max(state.cuts.front().cut + 1, 0), names);
}

PanelFeatures::~PanelFeatures() = default;

std::size_t PanelFeatures::count_rows(std::size_t member,
                                      const std::function<bool(std::size_t, int, float)>& keep) const {
  const State& state = *state_;
  const MemberDays days = member_days(state.panel->members[member], state.calendar, state.logarithm);
  std::size_t count = 0;
  for (std::size_t k = 0; k < state.cuts.size(); ++k) {
    const int cut = state.cuts[k].cut;
    if (!is_usable(days, cut)) continue;
    for (int step = 0; step < state.calendar.steps && cut + 1 + step < state.calendar.days(); ++step) {
      const int day = cut + 1 + step;
      const float label = day < state.calendar.end ? days.value[static_cast<std::size_t>(day)] : kNoValue;
      count += keep(k, step, label) ? 1 : 0;
    }
  }
  return count;
}

void PanelFeatures::add_rows(std::size_t member, const std::function<bool(std::size_t, int, float)>& keep,
                             FeatureRows& out) const {
  const State& state = *state_;
  const MemberDays days = member_days(state.panel->members[member], state.calendar, state.logarithm);
  const std::size_t width = columns_.size();
  MemberCut own;
  CutLevels levels;
  for (std::size_t k = 0; k < state.cuts.size(); ++k) {
    const PanelCut& all = state.cuts[k];
    if (!is_usable(days, all.cut)) continue;
    bool begun = false;
    for (int step = 0; step < state.calendar.steps; ++step) {
      const int day = all.cut + 1 + step;
      if (day >= state.calendar.days()) break;
      const float label = day < state.calendar.end ? days.value[static_cast<std::size_t>(day)] : kNoValue;
      if (!keep(k, step, label)) continue;
      if (!begun) {
        cut_member(member, days, state.calendar, all, own);
        levels = levels_at(own, all);
      }
      begun = true;
      out.values.resize(out.values.size() + width);
      ValueSink sink(out.values.data() + out.values.size() - width);
      state.row(member, days, own, all, levels, day, sink);
      TILLCAST_CHECK(sink.end() == out.values.data() + out.values.size(), "a row has all columns");
      const float base = own.base.cell[state.cell(days, day, all.cut)];
      out.offset.push_back(state.logarithm
                               ? static_cast<double>(base + own.level)
                               : std::log(static_cast<double>(base * std::max(own.level, 0.02F))));
      out.label.push_back(label);
      out.step.push_back(step);
      out.cut.push_back(static_cast<int>(k));
    }
  }
}

}  // namespace tillcast::forecast
