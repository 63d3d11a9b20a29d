#include "forecast/panel_features.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/check.h"
#include "forecast/panel_days_internal.h"

namespace tillcast::forecast {
namespace {

constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();
constexpr std::array<int, 2> kYearsBack = {364, 2 * 364};  ///< in whole weeks

/// Takes the columns of a row: their names, once, or their values.
class NameSink {
 public:
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

/// What days of a kind were worth so far, as a difference from what all days were.
struct Worth {
  struct OfStream {
    std::array<float, kPositions> near{};
    std::array<float, 2> flag{};
  };
  std::array<float, 31> day_of_month{}, days_left{};  ///< with the days before and after
  std::vector<OfStream> streams;
};

void find_worth(const Experience& from, std::size_t streams, float reference, bool logarithm, Worth& out) {
  const auto worth = [&](const Experience::Mean& mean) {
    return level_difference(logarithm, mean.value(reference), reference);
  };
  const auto smooth = [&](const std::array<Experience::Mean, 31>& means, std::array<float, 31>& to) {
    for (int day = 0; day < 31; ++day) {
      Experience::Mean sum;
      for (int i = std::max(day - 1, 0); i <= std::min(day + 1, 30); ++i) {
        sum.sum += means[static_cast<std::size_t>(i)].sum;
        sum.count += means[static_cast<std::size_t>(i)].count;
      }
      to[static_cast<std::size_t>(day)] = worth(sum);
    }
  };
  smooth(from.by_day_of_month, out.day_of_month);
  smooth(from.by_days_left, out.days_left);
  out.streams.resize(streams);
  for (std::size_t s = 0; s < streams; ++s) {
    auto& [near, flag] = out.streams[s];
    near.fill(kNoValue);
    flag.fill(kNoValue);
    if (s >= from.near.size()) continue;
    for (std::size_t position = 0; position + 1 < kPositions; ++position)
      if (from.near[s][position].count > 0) near[position] = worth(from.near[s][position]);
    for (std::size_t on = 0; on < 2; ++on) flag[on] = worth(from.flag[s][on]);
  }
}

/// What the rows of all members have in common at one cut.
struct AllColumns {
  /// Around the same date of an earlier year, against the month before the cut in that year.
  struct Growth {
    float days1 = 0, days3 = 0, days10 = 0, same_day = 0;
  };
  std::array<float, 4> level{};               ///< 7, 14, 28, 91 days
  std::array<float, 2> before{};              ///< the month before the cut one and two years ago
  std::vector<std::array<Growth, 2>> growth;  ///< by step; one and two years ago
  Worth worth;
};

float growth_around(const WindowMeans& means, int day, int cut, int width, float before, bool logarithm) {
  return level_difference(logarithm, means.mean(day - width, std::min(day + width, cut)), before);
}

AllColumns all_columns(const PanelCut& all, std::size_t streams, int steps) {
  const int cut = all.cut;
  const auto level = [&](int days) {
    return level_difference(all.logarithm, all.residual.mean(cut - days + 1, cut), all.level365);
  };
  AllColumns out;
  out.level = {level(7), level(14), level(28), level(91)};
  for (std::size_t year = 0; year < 2; ++year)
    out.before[year] = all.residual.mean(cut - kYearsBack[year] - 27, cut - kYearsBack[year], 5);
  out.growth.resize(static_cast<std::size_t>(steps));
  for (int step = 0; step < steps; ++step) {
    for (std::size_t year = 0; year < 2; ++year) {
      const auto around = [&](int width) {
        return growth_around(all.residual, cut + 1 + step - kYearsBack[year], cut, width, out.before[year],
                             all.logarithm);
      };
      out.growth[static_cast<std::size_t>(step)][year] = {around(1), around(3), around(10), around(0)};
    }
  }
  find_worth(all.experience, streams, all.level365, all.logarithm, out.worth);
  return out;
}

constexpr std::array<int, 7> kWindows = {7, 14, 28, 56, 91, 182, 365};

/// What all rows of a member have in common at one cut.
struct OwnColumns {
  std::array<float, kWindows.size()> level{};      ///< against the decayed level
  std::array<float, 7> weekday_4{}, weekday_26{};  ///< latest residuals of the weekday
  Cells cell_4{}, cell_last{};                     ///< of the weekday and promotion
  float own_to_all = 0, own_year = 0, all_year = 0;
  std::array<float, 2> before{};  ///< the month before the cut one and two years ago
  Worth worth;
};

/// Latest residuals of each weekday, and of each weekday and promotion.
void find_same_days(const MemberDays& days, const MemberCut& own, int cut, bool logarithm, OwnColumns& out) {
  struct Sum {
    float sum = 0;
    int count = 0;
    void add_up_to(int most, float value) {
      if (count < most) sum += value, ++count;
    }
  };
  for (int first = cut - 6; first <= cut; ++first) {
    constexpr int kWeeks = 26;
    Sum four, all;
    std::array<Sum, kPromotionStates> cells;
    std::array<float, kPromotionStates> last;
    last.fill(kNoValue);
    for (int day = first; day > cut - 7 * kWeeks && day >= days.begin; day -= 7) {
      const float residual = own.residual_at(day);
      if (std::isnan(residual)) continue;
      const std::size_t state = days.cell[static_cast<std::size_t>(day)] % kPromotionStates;
      four.add_up_to(4, residual);
      all.add_up_to(kWeeks, residual);
      if (cells[state].count == 0) last[state] = residual;
      cells[state].add_up_to(4, residual);
    }
    const auto mean = [&](const Sum& sum) {
      return sum.count > 0 ? level_difference(logarithm, sum.sum / static_cast<float>(sum.count), own.level)
                           : kNoValue;
    };
    const std::size_t weekday = days.cell[static_cast<std::size_t>(first)] / kPromotionStates;
    out.weekday_4[weekday] = mean(four);
    out.weekday_26[weekday] = mean(all);
    for (std::size_t state = 0; state < kPromotionStates; ++state) {
      const std::size_t cell = weekday * kPromotionStates + state;
      out.cell_4[cell] = mean(cells[state]);
      out.cell_last[cell] =
          cells[state].count > 0 ? level_difference(logarithm, last[state], own.level) : kNoValue;
    }
  }
}

void find_own_columns(const MemberDays& days, const MemberCut& own, const PanelCut& all,
                      const AllColumns& columns, OwnColumns& out) {
  const int cut = all.cut;
  const auto against = [&](float level, float reference) {
    return level_difference(all.logarithm, level, reference);
  };
  for (std::size_t i = 0; i < kWindows.size(); ++i)
    out.level[i] = against(own.residuals.mean(cut - kWindows[i] + 1, cut), own.level);
  out.own_to_all = against(own.level28, all.level28);
  for (std::size_t year = 0; year < 2; ++year)
    out.before[year] = own.residuals.mean(cut - kYearsBack[year] - 27, cut - kYearsBack[year], 5);
  out.own_year = against(own.level28, out.before[0]);
  out.all_year = against(all.level28, columns.before[0]);
  find_same_days(days, own, cut, all.logarithm, out);
  find_worth(own.experience, days.streams.size(), own.level365, all.logarithm, out.worth);
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
  std::vector<AllColumns> all_columns;  ///< by cut
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

  template <class Sink>
  void stream_columns(const EventStream& stream, const Worth::OfStream& own, const Worth::OfStream& all,
                      int day, int cut, Sink& sink) const {
    const auto at = static_cast<std::size_t>(day);
    const int limit = cut + stream.ahead;
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
    const std::size_t position = known ? position_near(stream, day, cut) : kPositions - 1;
    sink.put("own_near", own.near[position]);
    sink.put("all_near", all.near[position]);
    sink.put("own_effect", known ? own.flag[on ? 1 : 0] : kNoValue);
    sink.put("all_effect", known ? all.flag[on ? 1 : 0] : kNoValue);
  }

  template <class Sink>
  void closing_columns(const MemberDays& days, int day, int cut, Sink& sink) const {
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

  /// Last year around the same date.
  template <class Sink>
  void growth_columns(const MemberCut& own, const OwnColumns& own_columns, const AllColumns::Growth& growth,
                      std::size_t year, int day, int cut, Sink& sink) const {
    const bool first = year == 0;
    const auto own_growth = [&](int width, float before) {
      return growth_around(own.residuals, day - kYearsBack[year], cut, width, before, logarithm);
    };
    sink.put(first ? "own_growth_3" : "own_growth_3_two", own_growth(3, own_columns.before[year]));
    sink.put(first ? "own_growth_10" : "own_growth_10_two", own_growth(10, own_columns.before[year]));
    sink.put(first ? "all_growth_1" : "all_growth_1_two", growth.days1);
    sink.put(first ? "all_growth_3" : "all_growth_3_two", growth.days3);
    sink.put(first ? "all_growth_10" : "all_growth_10_two", growth.days10);
    sink.put(first ? "all_same_day" : "all_same_day_two", growth.same_day);
    sink.put(first ? "own_then" : "own_then_two", own_growth(7, own.level365));
  }

  template <class Sink>
  void attribute_columns(std::size_t series, int day, Sink& sink) const {
    for (std::size_t a = 0; a < attribute_names.size(); ++a) {
      const AttributeColumn& attribute = panel->attributes[a];
      const float value = attribute.value[series];
      const char* name = attribute_names[a].c_str();
      if (since_attribute[a] != 0)
        sink.put(name, std::max(static_cast<float>(calendar.first + day) - value, -1.0F));
      else if (attribute.is_category)
        sink.put_category(name, value);
      else
        sink.put(name, value);
    }
  }

  template <class Sink>
  void row(std::size_t member, const MemberDays& days, const MemberCut& own, const OwnColumns& own_columns,
           const AllColumns& all, int cut, int step, Sink& sink) const {
    const int day = cut + 1 + step;
    const auto at = static_cast<std::size_t>(day);
    const int weekday = calendar.weekday[at];
    const std::size_t here = days.cell_at(day, cut);
    sink.group("calendar");
    sink.put("weekday", static_cast<float>(weekday));
    sink.put("day_of_year", calendar.day_of_year[at]);
    sink.put("day_of_month", calendar.day_of_month[at]);
    sink.put("days_left", calendar.days_left[at]);
    sink.put("month", calendar.month[at]);
    const std::size_t month_day = calendar.day_of_month[at] - 1U;
    sink.put("own_day_of_month", own_columns.worth.day_of_month[month_day]);
    sink.put("all_day_of_month", all.worth.day_of_month[month_day]);
    sink.put("own_days_left", own_columns.worth.days_left[calendar.days_left[at]]);
    sink.put("all_days_left", all.worth.days_left[calendar.days_left[at]]);
    sink.group("horizon");
    sink.put("step", static_cast<float>(step + 1));

    for (std::size_t s = 0; s < stream_names.size(); ++s) {
      if (stream_names[s].empty()) continue;
      sink.stream(stream_names[s]);
      stream_columns(days.streams[s], own_columns.worth.streams[s], all.worth.streams[s], day, cut, sink);
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
    if (shape.open) closing_columns(days, day, cut, sink);
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
    for (std::size_t i = 0; i < kWindows.size(); ++i) sink.put(kWindowNames[i], own_columns.level[i]);
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
    sink.put("same_weekday_4", own_columns.weekday_4[static_cast<std::size_t>(weekday)]);
    sink.put("same_weekday_26", own_columns.weekday_26[static_cast<std::size_t>(weekday)]);
    sink.put("same_cell_4", own_columns.cell_4[here]);
    sink.put("same_cell_last", own_columns.cell_last[here]);

    sink.group("all series");
    sink.put("all_7", all.level[0]);
    sink.put("all_14", all.level[1]);
    sink.put("all_28", all.level[2]);
    sink.put("all_91", all.level[3]);
    sink.put("own_to_all", own_columns.own_to_all);

    sink.group("last year");
    for (std::size_t year = 0; year < 2; ++year)
      growth_columns(own, own_columns, all.growth[static_cast<std::size_t>(step)][year], year, day, cut,
                     sink);
    sink.put("own_year", own_columns.own_year);
    sink.put("all_year", own_columns.all_year);

    sink.group("attributes");
    attribute_columns(panel->members[member].series, day, sink);
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
  const std::size_t streams = state.stream_names.size();
  for (const PanelCut& cut : state.cuts)
    state.all_columns.push_back(all_columns(cut, streams, state.calendar.steps));
  OwnColumns nothing;
  nothing.worth.streams.resize(streams);
  state.row(0, first, {}, nothing, state.all_columns.front(), 0, 0, names);
}

PanelFeatures::~PanelFeatures() = default;

std::size_t PanelFeatures::count_rows(std::size_t member,
                                      const std::function<bool(std::size_t, int, float)>& keep) const {
  const State& state = *state_;
  const MemberDays days = member_values(state.panel->members[member], state.calendar, state.logarithm);
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
  OwnColumns own_columns;
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
        find_own_columns(days, own, all, state.all_columns[k], own_columns);
      }
      begun = true;
      out.values.resize(out.values.size() + width);
      ValueSink sink(out.values.data() + out.values.size() - width);
      state.row(member, days, own, own_columns, state.all_columns[k], all.cut, step, sink);
      TILLCAST_CHECK(sink.end() == out.values.data() + out.values.size(), "a row has all columns");
      const float base = own.base.cell[days.cell_at(day, all.cut)];
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
