#include "forecast/future_drivers.h"

#include <algorithm>

namespace tillcast::forecast {
namespace {

constexpr std::size_t kLookBack = 16 * 7;
constexpr double kRepeatShareMin = 0.85;

// How often the flag of an open day is that of the day one cycle before.
double repeat_share(const Series& series, std::size_t cycle) {
  const std::size_t n = series.size();
  std::size_t seen = 0;
  std::size_t same = 0;
  for (std::size_t at = n > kLookBack ? n - kLookBack : 0; at < n; ++at) {
    if (at < cycle || series.masked[at] != 0 || series.masked[at - cycle] != 0) continue;
    if (series.promotion[at] < 0 || series.promotion[at - cycle] < 0) continue;
    ++seen;
    same += series.promotion[at] == series.promotion[at - cycle] ? 1 : 0;
  }
  return seen < 2 * 14 ? 0 : static_cast<double>(same) / static_cast<double>(seen);
}

}  // namespace

PromotionPlan extend_promotions(Series& series, std::size_t periods) {
  const std::size_t n = series.size();
  const std::size_t wanted = n + periods;
  if (series.grain != Grain::kDaily || series.promotion.size() < n) return PromotionPlan::kNone;
  const bool any = std::any_of(series.promotion.begin(), series.promotion.end(),
                               [](std::int8_t flag) { return flag == 1; });
  if (!any) return PromotionPlan::kNone;
  const auto known = [&series](std::size_t at) {
    return at < series.promotion.size() && series.promotion[at] >= 0;
  };
  bool complete = true;
  for (std::size_t at = n; at < wanted; ++at) complete = complete && known(at);
  if (complete) return PromotionPlan::kKnown;

  std::size_t cycle = 0;
  if (repeat_share(series, 14) >= kRepeatShareMin) cycle = 14;
  if (repeat_share(series, 7) >= std::max(kRepeatShareMin, repeat_share(series, 14))) cycle = 7;
  if (cycle == 0) return PromotionPlan::kUnknown;
  if (series.promotion.size() < wanted) series.promotion.resize(wanted, -1);
  for (std::size_t at = n; at < wanted; ++at) {
    if (series.promotion[at] < 0) series.promotion[at] = series.promotion[at - cycle];
  }
  return PromotionPlan::kInferred;
}

}  // namespace tillcast::forecast
