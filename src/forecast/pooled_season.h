#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forecast/panel_model.h"

namespace tillcast::forecast {

/// What the level of a series remembers, and which calendar stands around it.
enum class PooledKind : std::uint8_t {
  kLevel,   ///< week and halves of the month; the level is smoothed: it follows the last weeks
  kSeason,  ///< also months and growth; the level is that of the last two years
};

/// Calendar factors of a whole panel: demand = level x week x half of the month [x month x growth]. What one
/// series alone cannot tell for noise, all together can. A series keeps as much of its own pattern as its
/// data support: own and pooled factors are weighed by credibility (Buehlmann & Straub 1970, Mitteilungen der
/// Vereinigung Schweizerischer Versicherungsmathematiker 70), with the variance between series estimated from
/// the panel, so a panel of unlike series is pooled little. Factors are ratios of sums found by turns
/// (iterative proportional fitting; Deming & Stephan 1940, Ann. Math. Stat. 11(4)); growth is the log-linear
/// trend of the last two years; the level is a ratio of exponentially weighted sums (Brown 1956).
struct PooledSeason {
  static constexpr std::size_t kWeekCells =
      14;                                    ///< weekday + 7 where a promotion is known; others use 0 and 7
  static constexpr std::size_t kHalves = 2;  ///< days 1-15 and 16-31; daily series only
  static constexpr std::size_t kMonths = 12;

  PooledKind kind = PooledKind::kLevel;
  std::array<double, kWeekCells> week;
  std::array<double, kHalves> half;
  std::array<double, kMonths> month;
  /// Variance between series of their own factors relative to the pooled ones: of week, half, month.
  std::array<double, 3> between{};
  double growth = 0;  ///< log per year
  double decay = 0;   ///< kLevel: the weight of a value shrinks by this share with each period of age

  PooledSeason() {
    week.fill(1);
    half.fill(1);
    month.fill(1);
  }
};

/// Learns the factors from the members' histories; from an even sample of 2,000 when there are more. kLevel
/// also picks the decay: the one with the least sum of scaled root mean squared errors over the last twelve
/// horizons of the members. `horizon` is at least 1. Pure, thread-safe.
PooledSeason fit_pooled_season(const Panel& panel, PooledKind kind, std::size_t horizon);

/// Forecasts the periods after a history with factors learnt at its own or an earlier cut; zero for a history
/// without any observed period. Pure, thread-safe.
void predict_pooled_season(const PooledSeason& pooled, const History& history, std::span<double> out);

/// The factors as text, one line per field, and back. @return kCorruptData for any other text.
std::string save_pooled_season(const PooledSeason& pooled);
Result<PooledSeason> load_pooled_season(std::string_view text);

/// ModelId::kPooledLevel or kPooledSeason behind the seam of panel models. kLevel is for days and refuses
/// panels with less than 28 of them; kSeason refuses those with less than a year. Both refuse a single
/// series, which has nobody to learn from.
std::shared_ptr<const PanelModel> pooled_season_model(PooledKind kind);

}  // namespace tillcast::forecast
