#include "forecast/driver_median.h"

#include <algorithm>
#include <array>

namespace tillcast::forecast {
namespace {

constexpr std::size_t kSlotCount = 12;  // weekdays or months of the year
constexpr std::size_t kPromotionCount = 2;

struct DriverCells {
  std::array<std::array<std::vector<double>, kPromotionCount>, kSlotCount> cell;
  std::array<std::vector<double>, kSlotCount> slot;
  std::array<std::vector<double>, kPromotionCount> promotion;
  std::vector<double> all;
};

struct Medians {
  std::array<std::array<double, kPromotionCount>, kSlotCount> cell{};
  std::array<double, kSlotCount> slot{};
  std::array<double, kPromotionCount> promotion{};
  double all = 0;
};

std::size_t slot_of(Date date, Grain grain) {
  switch (grain) {
    case Grain::kDaily:
      return static_cast<std::size_t>(iso_weekday(date) - 1);
    case Grain::kWeekly:
      return 0;
    case Grain::kMonthly:
      return static_cast<std::size_t>(civil_from_date(date).month - 1);
  }
  return 0;
}

std::int64_t window_periods(const DriverMedianOptions& options, Grain grain) {
  switch (grain) {
    case Grain::kDaily:
      return options.window_days;
    case Grain::kWeekly:
      return (options.window_days + 6) / 7;
    case Grain::kMonthly:
      return std::max(options.window_days / 30, 36);
  }
  return options.window_days;
}

void collect(const History& history, std::size_t from, bool positive_only, DriverCells& cells) {
  const std::size_t n = history.size();
  for (std::size_t i = from; i < n; ++i) {
    const double value = history.value[i];
    if (history.masked[i] != 0 || (positive_only && value <= 0)) continue;
    const Date date = advance_period(history.start, history.grain, static_cast<std::int64_t>(i));
    const std::size_t slot = slot_of(date, history.grain);
    cells.all.push_back(value);
    cells.slot[slot].push_back(value);
    if (history.promotion.empty() || history.promotion[i] < 0) continue;
    const std::size_t promotion = history.promotion[i] > 0 ? 1 : 0;
    cells.cell[slot][promotion].push_back(value);
    cells.promotion[promotion].push_back(value);
  }
}

}  // namespace

double median_of(std::span<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

void driver_median(const History& history, const DriverMedianOptions& options, std::span<double> out) {
  const std::size_t n = history.size();
  const auto window = static_cast<std::size_t>(window_periods(options, history.grain));
  DriverCells cells;
  const bool open_known = !history.open.empty();
  collect(history, n > window ? n - window : 0, open_known, cells);
  if (cells.all.empty()) collect(history, 0, open_known, cells);
  if (cells.all.empty()) collect(history, 0, false, cells);
  Medians medians;
  medians.all = median_of(cells.all);
  for (std::size_t promotion = 0; promotion < kPromotionCount; ++promotion)
    medians.promotion[promotion] = median_of(cells.promotion[promotion]);
  for (std::size_t slot = 0; slot < kSlotCount; ++slot) {
    medians.slot[slot] = median_of(cells.slot[slot]);
    for (std::size_t promotion = 0; promotion < kPromotionCount; ++promotion)
      medians.cell[slot][promotion] = median_of(cells.cell[slot][promotion]);
  }
  const auto count_min = static_cast<std::size_t>(std::max(options.cell_count_min, 1));
  for (std::size_t step = 0; step < out.size(); ++step) {
    const Date date = advance_period(history.start, history.grain, static_cast<std::int64_t>(n + step));
    const std::size_t slot = slot_of(date, history.grain);
    const bool slot_known = cells.slot[slot].size() >= count_min;
    const int flag = n + step < history.promotion.size() ? history.promotion[n + step] : -1;
    if (flag < 0) {
      out[step] = slot_known ? medians.slot[slot] : medians.all;
      continue;
    }
    const std::size_t promotion = flag > 0 ? 1 : 0;
    const bool promotion_known = cells.promotion[promotion].size() >= count_min;
    if (cells.cell[slot][promotion].size() >= count_min)
      out[step] = medians.cell[slot][promotion];
    else if (slot_known && promotion_known && medians.all > 0)
      out[step] = medians.slot[slot] * medians.promotion[promotion] / medians.all;
    else if (slot_known)
      out[step] = medians.slot[slot];
    else if (promotion_known)
      out[step] = medians.promotion[promotion];
    else
      out[step] = medians.all;
  }
}

}  // namespace tillcast::forecast
