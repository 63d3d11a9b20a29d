// Quality of the quantiles of src/forecast with default settings. M5 (280 series, d_1914 to d_1941): mean
// scaled pinball loss over nine quantiles, by the protocol of the published figures, coverage at each level
// and by class. Rossmann (1,115 stores, the last 42 days, open days with sales): coverage and width of the 80
// and 95 % intervals. Everything is chosen before the hold-out. `--sums`: days and sums of days at many
// origins instead. Exit 0: as expected; 1: a figure is off; 2: no data.
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "answers.h"
#include "datasets.h"
#include "forecast/error_windows.h"
#include "forecast/forecast.h"
#include "forecast/path_ranks.h"
#include "rossmann.h"

namespace {

using namespace tillcast;
using namespace tillcast::forecast;
using namespace tillcast::bench;

constexpr std::array<double, 9> kShares = {0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995};

ForecastRun run(const std::vector<Series>& series, std::size_t horizon, Metric metric) {
  ForecastOptions options;
  options.backtest.horizon = horizon;
  options.choice.metric = metric;
  options.quantile_shares.assign(kShares.begin(), kShares.end());
  options.keep_errors = true;
  ForecastRun result = run_forecast(series, std::move(options));
  for (std::size_t c = 0; c < kDemandClassCount; ++c)
    if (result.recipes[c].residual_weight < 1)
      std::printf("  %s: %.0f %% residuals, %.0f %% history (memory %zu, shift %.1f), pinball %.1f %% less\n",
                  std::string(demand_class_name(static_cast<DemandClass>(c))).c_str(),
                  100 * result.recipes[c].residual_weight, 100 - 100 * result.recipes[c].residual_weight,
                  result.recipes[c].half_life, result.recipes[c].shift, 100 * result.recipes[c].gain);
  return result;
}

struct Score {
  std::array<QuantileAccuracy, kShares.size()> quantile{};
  Coverage coverage;
};

void print_score(const char* name, const Score& score) {
  std::printf("  %-13s", name);
  for (const QuantileAccuracy& one : score.quantile) std::printf(" %.3f", one.share_below());
  std::printf("  80 %%: %.3f  95 %%: %.3f  (%zu)\n", score.coverage.share80(), score.coverage.share95(),
              score.coverage.count);
}

struct SumScore {
  std::size_t days = 0;
  Coverage drawn;
  Coverage added;  ///< quantiles of single days added up
  double cpu_s = 0;
};

/// Sums over the first days of the horizon: how many lie inside their 80 and 95 % intervals, and inside those
/// that quantiles of single days added up would give.
std::vector<SumScore> score_sums(const ForecastRun& result, const std::vector<Series>& complete,
                                 std::span<const std::size_t> lengths) {
  constexpr std::array<double, 4> kBounds = {0.025, 0.1, 0.9, 0.975};
  const auto windows = error_windows(result, {}, 500);
  const std::size_t horizon = result.series[0].points.size();
  std::vector<PathRanks> ranks;
  for (std::size_t c = 0; c < kDemandClassCount; ++c) {
    const ErrorWindows of_class =
        windows_for(windows, "", std::string(demand_class_name(static_cast<DemandClass>(c))));
    ranks.emplace_back(of_class.errors, horizon, horizon, SamplePathOptions{});
  }
  std::vector<SumScore> scores;
  for (const std::size_t days : lengths) {
    SumScore& score = scores.emplace_back();
    score.days = days;
    std::vector<std::size_t> places;
    for (std::size_t step = 0; step < days; ++step) places.push_back(step);
    const double started = cpu_seconds();
    for (std::size_t i = 0; i < result.series.size(); ++i) {
      const SeriesForecast& forecast = result.series[i];
      double actual = 0;
      std::array<double, 4> bounds{};
      for (std::size_t step = 0; step < days; ++step) {
        const auto at = static_cast<std::size_t>(forecast.points[step].date.days - complete[i].start.days);
        actual += complete[i].value.at(at);
        const auto of_step = std::span(forecast.quantiles).subspan(step * kShares.size(), kShares.size());
        for (std::size_t b = 0; b < 4; ++b) bounds[b] += interpolate_quantile(kShares, of_step, kBounds[b]);
      }
      const auto sum =
          sum_quantiles(ranks[static_cast<std::size_t>(forecast.demand_class)], kShares,
                        std::span(forecast.quantiles).first(days * kShares.size()), places, kBounds);
      if (!sum) {
        std::fprintf(stderr, "%s\n", sum.error().message.c_str());
        std::exit(1);
      }
      score.drawn.add(actual, (*sum)[1], (*sum)[2], (*sum)[0], (*sum)[3]);
      score.added.add(actual, bounds[1], bounds[2], bounds[0], bounds[3]);
    }
    score.cpu_s = cpu_seconds() - started;
  }
  return scores;
}

void sums(const ForecastRun& result, const std::vector<Series>& complete, const char* name) {
  const std::array<std::size_t, 3> lengths = {7, 14, result.series[0].points.size()};
  for (const SumScore& score : score_sums(result, complete, lengths)) {
    const Coverage& drawn = score.drawn;
    const Coverage& added = score.added;
    std::printf(
        "  sums of %2zu days  80 %%: %.3f  95 %%: %.3f   quantiles added up: %.3f  %.3f   width of 80 %%, "
        "of theirs: %.3f   %.0f us each\n",
        score.days, drawn.share80(), drawn.share95(), added.share80(), added.share95(),
        drawn.mean_width80() / added.mean_width80(),
        1e6 * score.cpu_s / static_cast<double>(result.series.size()));
    expect(std::abs(drawn.share80() - 0.8) < std::abs(added.share80() - 0.8) || drawn.share80() >= 0.76,
           name);
  }
}

bool m5(const std::string& folder) {
  constexpr std::int32_t kHorizon = 28;
  SalesRows rows;
  if (!read_m5(folder, rows)) return false;
  const Date last{m5_first_day().days + kM5Days - 1};
  const std::vector<Series> complete = build(rows, Grain::kDaily, last);
  const std::vector<Series> known = build(rows, Grain::kDaily, Date{last.days - kHorizon});
  const double started = cpu_seconds();
  const ForecastRun result = run(known, kHorizon, Metric::kRmse);
  const double used = cpu_seconds() - started;
  std::array<Score, kDemandClassCount + 1> scores;
  double scaled = 0;
  bool crossed = false;
  bool fractions = false;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const SeriesForecast& forecast = result.series[i];
    double steps = 0;
    for (std::size_t t = 1; t < known[i].size(); ++t)
      steps += std::abs(known[i].value[t] - known[i].value[t - 1]);
    const double scale = steps / static_cast<double>(known[i].size() - 1);
    double loss = 0;
    for (std::size_t step = 0; step < forecast.points.size(); ++step) {
      const ForecastPoint& point = forecast.points[step];
      const double actual =
          complete[i].value.at(static_cast<std::size_t>(point.date.days - complete[i].start.days));
      for (Score* to : {&scores[static_cast<std::size_t>(forecast.demand_class)], &scores.back()}) {
        to->coverage.add(actual, point.lo80, point.hi80, point.lo95, point.hi95);
        for (std::size_t q = 0; q < kShares.size(); ++q)
          to->quantile[q].add(actual, forecast.quantiles[step * kShares.size() + q], kShares[q], {});
      }
      for (std::size_t q = 0; q < kShares.size(); ++q) {
        const double quantile = forecast.quantiles[step * kShares.size() + q];
        loss += pinball(actual, quantile, kShares[q]);
        crossed = crossed || (q > 0 && quantile < forecast.quantiles[step * kShares.size() + q - 1]);
        fractions = fractions || quantile != std::floor(quantile) || quantile < 0;
      }
    }
    scaled += loss / static_cast<double>(kShares.size() * forecast.points.size()) / scale;
  }
  scaled /= static_cast<double>(known.size());
  std::printf(
      "M5, %zu series, %d days: scaled pinball %.4f (quantile LightGBM .264, AutoETS .286, last 364 "
      "days .278), %.1f CPU s\n  at or below  ",
      known.size(), kHorizon, scaled, used);
  for (const double share : kShares) std::printf(" %5.3f", share);
  std::printf("\n");
  for (std::size_t c = 0; c < kDemandClassCount; ++c)
    if (scores[c].coverage.count > 0)
      print_score(std::string(demand_class_name(static_cast<DemandClass>(c))).c_str(), scores[c]);
  print_score("all", scores.back());
  sums(result, complete, "M5: sums");
  print_figures("forecast_quantiles/m5", {{"scaled_pinball", scaled},
                                          {"cover80", scores.back().coverage.share80()},
                                          {"cover95", scores.back().coverage.share95()},
                                          {"cpu_s", used}});
  expect(known.size() == 280, "280 series");
  expect(scaled <= 0.265, "M5: scaled pinball <= 0.265");
  expect(!crossed, "M5: quantiles do not cross");
  expect(!fractions, "M5: quantiles of unit counts are whole numbers, 0 or more");
  // Of the demand 41 % are zeros: only the upper levels can hold what they say.
  expect(std::abs(scores.back().quantile[7].share_below() - 0.975) <= 0.02, "M5: 97.5 % hold");
  expect(scores.back().coverage.share95() >= 0.925, "M5: 95 % intervals cover 92.5 % or more");
  return true;
}

bool rossmann(const std::string& folder) {
  RossmannRows rows;
  if (!read_rossmann(folder + "/rossmann", rows)) return false;
  constexpr std::int32_t kHorizon = 42;
  const Date cut = date_from_civil(2015, 6, 19);
  const std::vector<Series> complete = rossmann_series(rows, Date{cut.days + kHorizon});
  const std::vector<Series> known = rossmann_series(rows, cut);
  const double started = cpu_seconds();
  const ForecastRun result = run(known, kHorizon, Metric::kRmspe);
  const double used = cpu_seconds() - started;
  Score score;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const SeriesForecast& forecast = result.series[i];
    for (std::size_t step = 0; step < forecast.points.size(); ++step) {
      const ForecastPoint& point = forecast.points[step];
      const double actual =
          complete[i].value.at(static_cast<std::size_t>(point.date.days - complete[i].start.days));
      if (actual <= 0) continue;
      score.coverage.add(actual, point.lo80, point.hi80, point.lo95, point.hi95);
      for (std::size_t q = 0; q < kShares.size(); ++q)
        score.quantile[q].add(actual, forecast.quantiles[step * kShares.size() + q], kShares[q], {});
    }
  }
  std::printf(
      "Rossmann, 1,115 stores, 42 days from 2015-06-20: width of 80 %% intervals %.3f of mean sales, of "
      "95 %% %.3f, %.1f CPU s\n",
      score.coverage.mean_width80(), score.coverage.mean_width95(), used);
  print_score("all", score);
  sums(result, complete, "Rossmann: sums");
  print_figures("forecast_quantiles/rossmann", {{"cover80", score.coverage.share80()},
                                                {"cover95", score.coverage.share95()},
                                                {"width80", score.coverage.mean_width80()},
                                                {"width95", score.coverage.mean_width95()},
                                                {"cpu_s", used}});
  expect(score.coverage.count == 40282, "40,282 rows scored");
  expect(score.coverage.share80() >= 0.76 && score.coverage.share80() <= 0.84, "80 % cover 76 to 84 %");
  expect(score.coverage.share95() >= 0.925 && score.coverage.share95() <= 0.97, "95 % cover 92.5 to 97 %");
  return true;
}

/// Coverage of the first days of the horizon, one by one and added up, as means over origins: one origin says
/// little, as its series share their errors.
class SumsOverOrigins {
 public:
  explicit SumsOverOrigins(std::size_t horizon) : lengths_{7, 14, horizon} {}

  void add(Date cut, const ForecastRun& result, const std::vector<Series>& complete) {
    const std::vector<SumScore> sums = score_sums(result, complete, lengths_);
    std::printf("  %s, %zu series:", format_date(cut).c_str(), complete.size());
    for (std::size_t k = 0; k < lengths_.size(); ++k) {
      Coverage days;
      for (std::size_t i = 0; i < complete.size(); ++i) {
        for (std::size_t step = 0; step < lengths_[k]; ++step) {
          const ForecastPoint& point = result.series[i].points[step];
          const auto at = static_cast<std::size_t>(point.date.days - complete[i].start.days);
          if (complete[i].masked.at(at) == 0)
            days.add(complete[i].value[at], point.lo80, point.hi80, point.lo95, point.hi95);
        }
      }
      const std::array inside = {days.share80(), days.share95(), sums[k].drawn.share80(),
                                 sums[k].drawn.share95()};
      for (std::size_t c = 0; c < inside.size(); ++c) {
        inside_[k][c] += inside[c];
        std::printf("%s%.3f", c == 0 ? "  " : " ", inside[c]);
      }
    }
    std::printf("\n");
    std::fflush(stdout);
    ++origins_;
  }
  /// @param apart  sums may hold so much more or less than their days
  void print(double apart) const {
    const auto count = static_cast<double>(origins_);
    for (std::size_t k = 0; k < lengths_.size(); ++k) {
      std::printf(
          "  %2zu days, mean of %zu origins: each 80 %%: %.3f  95 %%: %.3f  sum 80 %%: %.3f  95 %%: %.3f\n",
          lengths_[k], origins_, inside_[k][0] / count, inside_[k][1] / count, inside_[k][2] / count,
          inside_[k][3] / count);
      expect(std::abs(inside_[k][2] - inside_[k][0]) <= apart * count, "sums hold what their days hold");
    }
  }

 private:
  std::array<std::size_t, 3> lengths_;
  std::array<std::array<double, 4>, 3> inside_{};  ///< summed over origins: days in 80, 95; sums in 80, 95 %
  std::size_t origins_ = 0;
};

bool has_christmas(Date before, std::int32_t days) {
  for (std::int32_t day = 1; day <= days; ++day) {
    const CivilDate date = civil_from_date(Date{before.days + day});
    if (date.month == 12 && date.day == 24) return true;
  }
  return false;
}

/// Every fifth store at origins three weeks apart before 2015-06-19, without Christmas ahead.
void rossmann_origins(const RossmannRows& rows) {
  constexpr std::int32_t kHorizon = 42;
  SumsOverOrigins ordinary(kHorizon);
  SumsOverOrigins after_christmas(kHorizon);
  for (int back = 1; back <= 19; ++back) {
    const Date cut{date_from_civil(2015, 6, 19).days - 21 * back};
    if (has_christmas(cut, kHorizon)) continue;
    const std::vector<Series> complete = rossmann_series(rows, Date{cut.days + kHorizon}, 5);
    const std::vector<Series> known = rossmann_series(rows, cut, 5);
    std::vector<Series> kept_complete;
    std::vector<Series> kept;
    for (std::size_t i = 0; i < known.size(); ++i) {
      bool usable = known[i].size() > 0;
      // Closed for months: nothing to add up.
      for (std::size_t t = known[i].size(); usable && t < complete[i].size(); ++t)
        usable = complete[i].masked[t] == 0 || complete[i].open[t] == 0;
      if (!usable) continue;
      kept.push_back(known[i]);
      kept_complete.push_back(complete[i]);
    }
    SumsOverOrigins& to =
        has_christmas(Date{cut.days - 3 * kHorizon}, 3 * kHorizon) ? after_christmas : ordinary;
    to.add(cut, run(kept, kHorizon, Metric::kRmspe), kept_complete);
  }
  std::printf(" Christmas in the back-test:\n");
  after_christmas.print(0.1);
  std::printf(" without:\n");
  ordinary.print(0.05);
}

void m5_origins(const SalesRows& rows) {
  constexpr std::int32_t kHorizon = 28;
  SumsOverOrigins means(kHorizon);
  for (int back = 2; back <= 12; ++back) {
    const Date cut{m5_first_day().days + kM5Days - 1 - kHorizon * back};
    if (has_christmas(cut, kHorizon)) continue;
    std::vector<Series> complete = build(rows, Grain::kDaily, Date{cut.days + kHorizon});
    std::vector<Series> known = build(rows, Grain::kDaily, cut);
    for (std::size_t i = known.size(); i-- > 0;) {
      if (known[i].size() > 0) continue;  // not yet sold
      known.erase(known.begin() + static_cast<std::ptrdiff_t>(i));
      complete.erase(complete.begin() + static_cast<std::ptrdiff_t>(i));
    }
    means.add(cut, run(known, kHorizon, Metric::kRmse), complete);
  }
  means.print(0.1);  // days of whole numbers hold more
}

int sums_over_origins(const std::string& folder) {
  SalesRows m5_rows;
  RossmannRows rossmann_rows;
  if (!read_m5(folder, m5_rows)) return missing_data(folder, "m5/sales_train_evaluation_280.csv");
  if (!read_rossmann(folder + "/rossmann", rossmann_rows)) return missing_data(folder, "rossmann/train.csv");
  std::printf(
      "By origin, of the first 7 days, 14 days, the horizon: share of days in 80 and in 95 %%, of sums in 80 "
      "and in 95 %%\n");
  std::printf("Rossmann, every fifth store\n");
  rossmann_origins(rossmann_rows);
  std::printf("M5, 280 series\n");
  m5_origins(m5_rows);
  return faults ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = datasets_folder();
  if (argc == 2 && std::string_view(argv[1]) == "--sums") return sums_over_origins(folder);
  if (!m5(folder)) return missing_data(folder, "m5/sales_train_evaluation_280.csv");
  if (!rossmann(folder)) return missing_data(folder, "rossmann/train.csv");
  return faults ? 1 : 0;
}
