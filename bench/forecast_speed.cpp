// Speed of each model of src/forecast, fit and 42 steps, in series per CPU second on one thread, as JSON: the
// median of three rounds. The series are generated: 942 shop days (closed on Sundays, promotion every other
// week), 1,826 item days (no zeros, weekly and yearly season) and their rare kin for the intermittent
// methods. Answers are checked against the formula behind the data, and the speeds against DESIGN's least
// ones. Also features for a global model, in values per CPU second, and 1,115 shops through forecast_all:
// five origins of the default models and the forecast. Exit 1 when one is off. Usage: forecast_speed
// [SECONDS_PER_MODEL]
//        forecast_speed --write DIR    the same series and their truth as text, for the peers
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "answers.h"
#include "forecast/backtest.h"
#include "forecast/forecast.h"
#include "forecast/model.h"
#include "forecast/panel_features.h"

namespace {

using namespace tillcast;
using namespace tillcast::forecast;
using tillcast::bench::cpu_seconds;

constexpr std::size_t kHorizon = 42;
constexpr std::array<double, 7> kWeek = {0.8, 0.9, 1.0, 1.1, 1.3, 1.5, 0.6};
constexpr std::array<double, 12> kYear = {0.7, 0.75, 0.9, 0.95, 1.0, 1.05, 1.0, 0.95, 1.0, 1.1, 1.2, 1.4};

/// Numerical Recipes' linear congruential generator.
struct Noise {
  std::uint32_t state;
  double operator()() {
    state = 1664525U * state + 1013904223U;
    return static_cast<double>(state) / 4294967296.0;
  }
};

struct Sample {
  Series series;
  std::vector<double> truth;  ///< expected demand of the horizon
};

enum class Kind { kShop, kItem, kRare };

Sample make(Kind kind, std::size_t days, std::uint32_t seed) {
  Noise u{seed * 7919U + 17U};
  for (int i = 0; i < 8; ++i) u();
  Sample sample;
  Series& series = sample.series;
  series.start = date_from_civil(2020, 1, 6);
  const double level = kind == Kind::kShop   ? 3000 + 5000 * u()
                       : kind == Kind::kItem ? 20 + 60 * u()
                                             : 0.5 + u();
  for (std::size_t t = 0; t < days + kHorizon; ++t) {
    const auto month = static_cast<std::size_t>(civil_from_date(series.date_at(t)).month - 1);
    const bool closed = kind == Kind::kShop && t % 7 == 6;
    const bool promoted = kind == Kind::kShop && (t / 7) % 2 == 0;
    double expected = level * kWeek[t % 7];
    if (kind == Kind::kShop) expected *= promoted ? 1.3 : 1.0;
    if (kind == Kind::kItem) expected *= kYear[month];
    if (kind == Kind::kShop) {
      series.open.push_back(closed ? 0 : 1);
      series.promotion.push_back(promoted ? 1 : 0);
    }
    if (t >= days) {
      sample.truth.push_back(closed ? 0 : expected);
      continue;
    }
    series.masked.push_back(closed ? 1 : 0);
    double value = closed ? 0 : expected * (0.8 + 0.4 * u());
    if (kind == Kind::kRare) value = u() < 0.3 ? std::ceil(value * 3) : 0;
    series.value.push_back(value);
  }
  return sample;
}

struct Data {
  const char* name;
  Kind kind;
  std::size_t days;
};
constexpr std::array<Data, 4> kData = {{{"shop", Kind::kShop, 942},
                                        {"item", Kind::kItem, 1826},
                                        {"rare", Kind::kRare, 942},
                                        {"rare", Kind::kRare, 1826}}};
constexpr std::uint32_t kSamples = 50;

std::vector<Sample> samples_of(const Data& data) {
  std::vector<Sample> samples;
  for (std::uint32_t seed = 1; seed <= kSamples; ++seed) samples.push_back(make(data.kind, data.days, seed));
  return samples;
}

/// One line per series: its values, or what is expected of the horizon.
int write_series(const std::string& folder) {
  for (const Data& data : kData) {
    const std::string stem = folder + "/" + data.name + "_" + std::to_string(data.days);
    std::ofstream values(stem + ".txt");
    std::ofstream truth(stem + ".truth.txt");
    for (const Sample& sample : samples_of(data)) {
      for (const double value : sample.series.value) values << value << ' ';
      for (const double value : sample.truth) truth << value << ' ';
      values << '\n';
      truth << '\n';
    }
    if (!values.flush() || !truth.flush()) {
      std::fprintf(stderr, "cannot write %s.txt\n", stem.c_str());
      return 1;
    }
  }
  return 0;
}

/// Least series per CPU second, DESIGN's bars; 0 = none.
double least_speed(ModelId id) {
  switch (id) {
    case ModelId::kAutoEts:
      return 20;
    case ModelId::kDynamicTheta:
      return 150;
    case ModelId::kCroston:
    case ModelId::kSba:
    case ModelId::kTsb:
      return 20000;
    default:
      return 0;
  }
}

/// Rows for a global model, as its training makes them: a snapshot every horizon, over a year.
bool bench_features() {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 400; ++seed) series.push_back(make(Kind::kShop, 942, seed).series);
  BacktestOptions options;
  options.horizon = kHorizon;
  const std::vector<std::uint8_t> usable(series.size(), 1);
  const Panel panel = panel_at(series, usable, {}, 0, options);
  std::vector<int> cuts;
  for (int back = static_cast<int>(kHorizon); back < 400; back += 42) cuts.push_back(back);
  const PanelTask task{0, kHorizon, 1};
  const double started = cpu_seconds();
  const PanelFeatures features(panel, task, cuts, true);
  FeatureRows rows;
  std::size_t values = 0;
  bool finite = true;
  for (std::size_t member = 0; member < panel.members.size(); ++member) {
    rows.clear();
    features.add_rows(member, [](std::size_t, int, float) { return true; }, rows);
    values += rows.values.size();
    for (const double offset : rows.offset) finite = finite && std::isfinite(offset);
  }
  const double seconds = cpu_seconds() - started;
  std::printf(
      "  {\"features\": \"panel\", \"columns\": %zu, \"values\": %zu, \"cpu_seconds\": %.3f, "
      "\"values_per_cpu_second\": %.0f}",
      features.columns().size(), values, seconds, static_cast<double>(values) / seconds);
  if (finite && values > 0) return true;
  std::fprintf(stderr, "OFF: features: %zu values, base forecasts %s\n", values,
               finite ? "finite" : "not finite");
  return false;
}

/// All stores of a chain: five origins of the default models and the forecast, on one thread.
bool bench_chain() {
  constexpr std::uint32_t kStores = 1115;
  constexpr double kSecondsMost = 120;
  std::vector<Series> series;
  std::vector<std::vector<double>> truth;
  for (std::uint32_t seed = 1; seed <= kStores; ++seed) {
    Sample sample = make(Kind::kShop, 942, seed);
    series.push_back(std::move(sample.series));
    truth.push_back(std::move(sample.truth));
  }
  ForecastOptions options;
  options.backtest.horizon = kHorizon;
  options.backtest.origins = 5;
  options.threads = 1;
  NoProgress progress;
  const double started = cpu_seconds();
  const auto run = forecast_all(series, options, progress);
  const double seconds = cpu_seconds() - started;
  double error = 0;
  double actual = 0;
  for (std::size_t i = 0; run && i < series.size(); ++i) {
    for (std::size_t s = 0; s < kHorizon; ++s) {
      error += std::abs(run->series[i].points[s].mean - truth[i][s]);
      actual += truth[i][s];
    }
  }
  const double wape = actual > 0 ? error / actual : 1;
  std::printf(
      "  {\"chain\": \"forecast_all\", \"series\": %u, \"origins\": 5, \"cpu_seconds\": %.2f, "
      "\"wape_to_truth\": %.3f}",
      kStores, seconds, wape);
  if (run && run->ok == kStores && wape < 0.05 && seconds <= kSecondsMost) return true;
  std::fprintf(stderr, "OFF: a chain of %u stores took %.1f CPU s, at most %.0f; WAPE to the truth %.3f\n",
               kStores, seconds, kSecondsMost, wape);
  return false;
}

/// The largest WAPE to the truth that a model may have. The drivers of shops are known to one model alone;
/// the yearly season of items to two.
double most_error(ModelId id, Kind kind) {
  if (id == ModelId::kDriverMedian && kind == Kind::kShop) return 0.03;
  if (id == ModelId::kSeasonProduct && kind == Kind::kItem) return 0.03;
  if (id == ModelId::kZero) return 1.01;
  return kind == Kind::kRare ? 0.6 : 0.85;
}

/// Fits and forecasts in three rounds, each of whole passes over the samples, so that every model meets the
/// same series; the speed is that of the median round.
bool bench_model(const Model& which, const Data& data, const std::vector<Sample>& samples, double budget) {
  constexpr std::size_t kRounds = 3;
  BacktestOptions options;
  options.horizon = kHorizon;
  std::vector<double> out(kHorizon);
  double error = 0;
  double actual = 0;
  bool finite = true;
  std::size_t done = 0;
  std::array<double, kRounds> speeds{};
  for (double& speed : speeds) {
    const std::size_t before = done;
    const double started = cpu_seconds();
    double spent = 0;
    while (spent < budget / kRounds) {
      for (const Sample& sample : samples) {
        const History history = history_at(sample.series, sample.series.size(), options);
        finite = predict_steps(which, history, which.fit(history), true, out) && finite;
        ++done;
        for (std::size_t s = 0; s < kHorizon; ++s) {
          error += std::abs(out[s] - sample.truth[s]);
          actual += sample.truth[s];
        }
      }
      spent = cpu_seconds() - started;
    }
    speed = static_cast<double>(done - before) / spent;
  }
  std::ranges::sort(speeds);
  const double speed = speeds[kRounds / 2];
  const double wape = actual > 0 ? error / actual : 0;
  const std::string name(which.name);
  std::printf(
      "  {\"model\": \"%s\", \"data\": \"%s\", \"days\": %zu, \"series\": %zu, \"series_per_cpu_second\": "
      "%.0f",
      name.c_str(), data.name, data.days, done, speed);
  if (std::isfinite(wape)) std::printf(", \"wape_to_truth\": %.3f", wape);
  std::printf("},\n");
  const double limit = most_error(which.id, data.kind);
  const bool right = finite && wape <= limit;  // false for NaN
  if (!right)
    std::fprintf(stderr, "OFF: %s on %s, %zu days: %s, WAPE to the truth %.3f, at most %.2f\n", name.c_str(),
                 data.name, data.days, finite ? "finite" : "not finite", wape, limit);
  const bool fast = speed >= least_speed(which.id);
  if (!fast)
    std::fprintf(stderr, "OFF: %s on %s, %zu days: %.0f series per CPU second, at least %.0f\n", name.c_str(),
                 data.name, data.days, speed, least_speed(which.id));
  return right && fast;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (argc == 3 && first == "--write") return write_series(argv[2]);
  if (argc == 2 && first == "--features") {
    const bool held = bench_features();
    std::printf("\n");
    return held ? 0 : 1;
  }
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.4;
  if (argc > 2 || !(budget > 0)) {
    std::fprintf(stderr, "usage: bench_forecast_speed [SECONDS_A_MODEL | --features | --write FOLDER]\n");
    return 2;
  }
  bool held = true;
  std::printf("{\"benchmark\": \"forecast_speed\", \"horizon\": %zu, \"results\": [\n", kHorizon);
  for (const Data& data : kData) {
    const std::vector<Sample> samples = samples_of(data);
    for (const Model& which : all_models()) {
      // These need a whole run.
      if (is_panel_model(which.id) || which.id == ModelId::kBlend || which.id == ModelId::kColdStart)
        continue;
      const bool for_rare = which.id >= ModelId::kCroston && which.id <= ModelId::kImapa;
      if (for_rare == (data.kind == Kind::kRare)) held = bench_model(which, data, samples, budget) && held;
    }
  }
  held = bench_features() && held;
  std::printf(",\n");
  held = bench_chain() && held;
  std::printf("\n]}\n");
  return held ? 0 : 1;
}
