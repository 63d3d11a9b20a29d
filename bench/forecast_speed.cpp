// Speed of each model of src/forecast, fit and 42 steps, in series per CPU second on one thread, as JSON. The
// series are generated: 942 shop days (closed on Sundays, promotion every other week), 1,826 item days (no
// zeros, weekly and yearly season) and their rare kin for the intermittent methods. Answers are checked
// against the formula behind the data. Exit 1 when one is off. Usage: forecast_speed [SECONDS_PER_MODEL]
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "forecast/backtest.h"
#include "forecast/model.h"
#include "forecast/outliers.h"

namespace {

using namespace tillcast;
using namespace tillcast::forecast;

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

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.4;
  struct Data {
    const char* name;
    Kind kind;
    std::size_t days;
  };
  const std::array<Data, 4> data = {{{"shop", Kind::kShop, 942},
                                     {"item", Kind::kItem, 1826},
                                     {"rare", Kind::kRare, 942},
                                     {"rare", Kind::kRare, 1826}}};
  BacktestOptions options;
  options.horizon = kHorizon;
  bool faults = false;
  bool first = true;
  std::printf("{\"benchmark\": \"forecast_speed\", \"horizon\": %zu, \"results\": [", kHorizon);
  for (const Data& one : data) {
    constexpr std::uint32_t kSamples = 50;
    std::vector<Sample> samples;
    for (std::uint32_t seed = 1; seed <= kSamples; ++seed) samples.push_back(make(one.kind, one.days, seed));
    for (const Model& which : all_models()) {
      const bool for_rare = which.id >= ModelId::kCroston && which.id <= ModelId::kImapa;
      if (for_rare != (one.kind == Kind::kRare)) continue;
      std::vector<double> out(kHorizon);
      double error = 0;
      double actual = 0;
      bool finite = true;
      std::size_t done = 0;
      const double started = cpu_seconds();
      // Whole rounds over the samples, so that every model meets the same series.
      do {
        for (const Sample& sample : samples) {
          const History history = history_at(sample.series, sample.series.size(), options);
          finite = predict_steps(which, history, which.fit(history), true, out) && finite;
          ++done;
          for (std::size_t s = 0; s < kHorizon; ++s) {
            error += std::abs(out[s] - sample.truth[s]);
            actual += sample.truth[s];
          }
        }
      } while (cpu_seconds() - started < budget);
      const double seconds = cpu_seconds() - started;
      const double wape = actual > 0 ? error / actual : 0;
      std::printf(
          "%s\n  {\"model\": \"%s\", \"data\": \"%s\", \"days\": %zu, \"series\": %zu, \"cpu_seconds\": "
          "%.3f, "
          "\"series_per_cpu_second\": %.0f, \"wape_to_truth\": %.3f}",
          first ? "" : ",", std::string(which.name).c_str(), one.name, one.days, done, seconds,
          static_cast<double>(done) / seconds, wape);
      first = false;
      // The drivers of shops are known to one model alone; the yearly season of items to two.
      const double limit = which.id == ModelId::kDriverMedian && one.kind == Kind::kShop    ? 0.03
                           : which.id == ModelId::kSeasonProduct && one.kind == Kind::kItem ? 0.03
                           : which.id == ModelId::kZero                                     ? 1.01
                           : one.kind == Kind::kRare                                        ? 0.6
                                                                                            : 0.85;
      if (!finite || wape > limit) {
        std::fprintf(stderr, "OFF: %s on %s, %zu days: %s, WAPE to the truth %.3f, at most %.2f\n",
                     std::string(which.name).c_str(), one.name, one.days, finite ? "finite" : "not finite",
                     wape, limit);
        faults = true;
      }
    }
  }
  std::printf("\n]}\n");
  return faults ? 1 : 0;
}
