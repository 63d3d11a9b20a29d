#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "forecast/panel_model.h"

// What panel_features.h works on. Private to src/forecast.
namespace tillcast::forecast {

/// The days of a panel, counted from the first day of its first member; what the calendar says of each.
struct PanelCalendar {
  std::int32_t first = 0;  ///< day number of day 0
  int end = 0;             ///< first day after the cut of the panel
  int steps = 0;           ///< days after it
  std::vector<std::uint8_t> weekday, day_of_month, days_left, month;  ///< weekday 0 = Monday
  std::vector<std::int16_t> day_of_year;

  int days() const { return end + steps; }
};
PanelCalendar calendar_of(const Panel& panel, const PanelTask& task);

/// Distances -3..3 from the nearest day that is on, and 7 = none near.
constexpr int kNear = 3;
constexpr std::size_t kPositions = 2 * kNear + 2;

/// Days on which something is on (a promotion, a holiday, a closing), with the way to the next and last ones.
struct EventStream {
  int ahead = 0;                       ///< days after a cut that are known
  std::vector<std::uint8_t> on;        ///< by day; 0 before the member begins
  std::vector<std::int16_t> last_on;   ///< last day <= this one that is on, -1 = none
  std::vector<std::int16_t> next_on;   ///< first day >= this one that is on, kNever = none
  std::vector<std::int16_t> last_off;  ///< likewise
  std::vector<std::int16_t> next_off;
  std::vector<std::int16_t> count;  ///< days on before this one
  /// By position: the days with a value that stand there when all days ahead are known.
  std::array<std::vector<std::int16_t>, kPositions - 1> near;

  static constexpr std::int16_t kNever = 32000;
};
/// Where a day stands, as it is known at a cut.
std::size_t position_near(const EventStream& stream, int day, int cut);

/// Cells of the base of a member: weekday x promotion (no, yes, unknown).
constexpr int kPromotionStates = 3;
inline std::size_t cell_of(int weekday, int promoted) {
  return static_cast<std::size_t>(weekday) * kPromotionStates +
         static_cast<std::size_t>(promoted < 0 ? 2 : promoted);
}
/// The cell of the same weekday when nothing is known of a promotion.
inline std::size_t unknown_cell(std::size_t cell) { return cell - cell % kPromotionStates + 2; }
using Cells = std::array<float, 7 * kPromotionStates>;

constexpr int kLongClosing = 5;  ///< days

/// One member on the calendar of its panel.
struct MemberDays {
  int begin = 0;             ///< its first day
  std::vector<float> value;  ///< by day, what the target counts (logarithm or units); NaN = do not learn
  std::vector<std::int16_t> known;  ///< the days with a value
  std::vector<std::int16_t> seen;   ///< days with a value before this one
  std::vector<std::uint8_t> cell;   ///< by day: see cell_of
  int promotion_ahead = 0;          ///< days after a cut of which the cell is known
  std::vector<float> price;
  int price_ahead = 0;
  std::vector<std::vector<float>> drivers;
  std::vector<int> driver_ahead;
  std::vector<EventStream> streams;  ///< promotion, then flags and categories, then closings
  // Closings of kLongClosing days and more.
  std::vector<std::int16_t> long_begin;  ///< of the last long closing that began by this day, -1 = none
  std::vector<std::int16_t> long_end;    ///< first day after it

  /// Those of [from, to] with a value.
  std::span<const std::int16_t> known_days(int from, int to) const {
    const std::int16_t before = seen[static_cast<std::size_t>(std::max(from, 0))];
    return std::span(known).subspan(
        static_cast<std::size_t>(before),
        static_cast<std::size_t>(seen[static_cast<std::size_t>(to) + 1] - before));
  }
  /// The cell of a day as it is known at a cut.
  std::size_t cell_at(int day, int cut) const {
    const std::size_t found = cell[static_cast<std::size_t>(day)];
    return day > cut + promotion_ahead ? unknown_cell(found) : found;
  }
};

/// @param logarithm  values are logarithms, and days without sales are not learnt from; else units
MemberDays member_days(const PanelMember& member, const PanelCalendar& calendar, bool logarithm);
/// Its first day and its values alone.
MemberDays member_values(const PanelMember& member, const PanelCalendar& calendar, bool logarithm);

/// Which streams the members of a panel have.
struct PanelShape {
  bool promotion = false;
  bool open = false;
  bool price = false;
  std::vector<std::string> drivers;  ///< names, of the first member
  std::vector<DriverKind> kinds;
};
PanelShape shape_of(const Panel& panel);

/// Sums of residuals by what a day is: the experience of a member, or of all members together.
struct Experience {
  struct Mean {
    float sum = 0;
    float count = 0;
    void add(float value, float weight) {
      sum = std::fma(value, weight, sum);  // said, not left to the compiler: the same sums in every loop
      count += weight;
    }
    float value(float missing) const { return count > 0 ? sum / count : missing; }
  };
  std::array<Mean, 31> by_day_of_month{};          ///< of the last year
  std::array<Mean, 31> by_days_left{};             ///< likewise
  std::vector<std::array<Mean, kPositions>> near;  ///< by stream: position to its days
  std::vector<std::array<Mean, 2>> flag;           ///< by stream: on or off, of the last year

  void clear() {
    by_day_of_month = {};
    by_days_left = {};
    near.assign(near.size(), {});
    flag.assign(flag.size(), {});
  }
};

/// How far back from a cut the residuals are read: two years, a month before them, and what smooths both.
constexpr int kLookBack = 2 * 364 + 40;

/// Means of any window of days in constant time.
class WindowMeans {
 public:
  void assign(int first, std::span<const float> values);  ///< by day from `first`; NaN = unknown
  /// Mean over days [from, to], as far as there are any; NaN when fewer than `least` are known.
  float mean(int from, int to, double least = 1) const {  // here, as every row asks for some
    from = std::max(from - first_, 0);
    to = std::min(to - first_, static_cast<int>(before_.size()) - 2);
    if (to < from) return std::numeric_limits<float>::quiet_NaN();
    const Sums& begin = before_[static_cast<std::size_t>(from)];
    const Sums& end = before_[static_cast<std::size_t>(to) + 1];
    const double count = end.count - begin.count;
    if (count < least) return std::numeric_limits<float>::quiet_NaN();
    return static_cast<float>((end.sum - begin.sum) / count);
  }

 private:
  struct Sums {
    double sum = 0;
    double count = 0;
  };
  int first_ = 0;
  std::vector<Sums> before_;  ///< of the days before each
};

/// What a member is expected to sell on a day.
struct MemberBase {
  Cells cell{};    ///< of each weekday x promotion: logarithm, or units
  float mean = 0;  ///< logarithm of the mean size
};

/// What all members did, as it was known at one cut.
struct PanelCut {
  int cut = 0;  ///< last known day
  bool logarithm = true;
  std::vector<MemberBase> bases;  ///< by member; empty where a sample of the members was read
  Cells pooled{};                 ///< for units: factor of each cell over all members
  WindowMeans residual;
  Experience experience;
  float level28 = 0, level365 = 0;
};

/// What one member did, as it was known at one cut.
struct MemberCut {
  MemberBase base;
  float level = 0;  ///< decayed mean of the latest residuals
  float level28 = 0, level365 = 0;
  float spread91 = 0, spread365 = 0, slope91 = 0, slope365 = 0;
  float zeros28 = 0, zeros91 = 0, since_sale = 0;
  int from = 0;                 ///< first day of `residual`
  std::vector<float> residual;  ///< by day from `from` to the cut; NaN = unknown
  WindowMeans residuals;
  Experience experience;
  float price28 = 0, price365 = 0;

  float residual_at(int day) const { return residual[static_cast<std::size_t>(day - from)]; }
};

/// Whether a member has enough days up to a cut.
bool is_usable(const MemberDays& days, int cut);

/// Fills `out` from the days of a usable member up to `panel.cut`, a cut of cut_panel(). Reuses the memory of
/// `out`.
void cut_member(std::size_t member, const MemberDays& days, const PanelCalendar& calendar,
                const PanelCut& panel, MemberCut& out);

/// The panel at each of the cuts, from all members, or from every so manyth of thousands.
/// @return empty when progress asked to stop
std::vector<PanelCut> cut_panel(const Panel& panel, const PanelCalendar& calendar, std::span<const int> cuts,
                                bool logarithm, unsigned threads, Progress& progress);

/// Difference of two residual levels on the scale of the score.
inline float level_difference(bool logarithm, float level, float reference) {
  constexpr float kFloor = 0.05F;  // under ratios of unit levels
  return logarithm ? level - reference : std::log((level + kFloor) / (reference + kFloor));
}

}  // namespace tillcast::forecast
