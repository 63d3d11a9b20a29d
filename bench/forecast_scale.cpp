// Many series at once: demand in the shape of M5 (m5_shape.h) through the production path, build_series and
// forecast_all with back-test, choice, quantiles and, from 50 series on, the global trees; the global trees
// alone on many rows; MinT over 30,000 leaves. Prints CPU seconds and peak memory by step. Checks the
// answers: exactly 28 finite values >= 0 for each series, better than the seasonal naive, coverage near its
// name, local models that do not depend on the other series, memory within 12 GB.
//
// Usage: forecast_scale [--series N] [--days N] [--threads N] [--local] [--resume]
//                                                     forecast_all; --local without the trees, --resume with
//                                                     a checkpoint in memory, and once more from it
//        forecast_scale --rows N [--rounds N] [--series N]                   the trees alone, on N rows
//        forecast_scale --reconcile                                          MinT, 28 steps of 30,000 leaves
// Without arguments: forecast_all of 1,000 series and --reconcile. All of M5: --series 30490.
// Exit 0: as expected; 1: a figure is off.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forecast/forecast.h"
#include "forecast/global_model.h"
#include "forecast/reconcile.h"
#include "m5_shape.h"

namespace {

using namespace tillcast;
using namespace tillcast::forecast;
using bench::M5Demand;
using bench::M5Shape;

constexpr double kGigabytesMost = 12;
bool faults = false;

void expect(bool held, const std::string& what) {
  if (held) return;
  std::fprintf(stderr, "OFF: %s\n", what.c_str());
  faults = true;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// "VmHWM" (the most since reset_peak) or "VmRSS", in GB.
double memory(std::string_view which) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(which)) return std::atof(line.c_str() + which.size() + 1) / 1e6;
  return 0;
}
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// Measures the steps that a run reports, and that its progress only grows.
class StepMeter final : public Progress {
 public:
  void update(std::uint64_t done, std::uint64_t total) override {
    expect(done >= done_ && done <= total, "progress went from " + std::to_string(done_) + " to " +
                                               std::to_string(done) + " of " + std::to_string(total));
    done_ = done;
    total_ = total;
  }
  void step(std::string_view name) override {
    end();
    name_ = name;
    started_ = asked_ = cpu_seconds();
    longest_ = 0;
    reset_peak();
  }
  /// Never stops, but sees how long a wish to stop would have to wait.
  bool cancelled() const override {
    const double now = cpu_seconds();
    longest_ = std::max(longest_, now - asked_);
    asked_ = now;
    return false;
  }
  void end() {
    if (!name_.empty()) {
      const double peak = memory("VmHWM");
      most_ = std::max(most_, peak);
      (void)cancelled();
      std::printf("  %-28s %8.1f CPU s  %6.2f GB at most  %3.0f %% done  stops within %.1f CPU s\n",
                  name_.c_str(), cpu_seconds() - started_, peak,
                  total_ > 0 ? 100.0 * static_cast<double>(done_) / static_cast<double>(total_) : 0.0,
                  longest_);
      std::fflush(stdout);
    }
    name_.clear();
  }
  double most() const { return most_; }

 private:
  std::string name_;
  double started_ = 0;
  double most_ = 0;
  mutable double asked_ = 0;
  mutable double longest_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

struct Settings {
  M5Shape shape{.series = 1000};
  unsigned threads = 1;
  bool local = false;
  bool resume = false;
  std::size_t rows = 0;
  int rounds = 350;
  bool reconcile = false;
};

class MemoryCheckpoint final : public Checkpoint {
 public:
  std::optional<std::string> find(const std::string& step) override {
    const auto at = kept_.find(step);
    return at == kept_.end() ? std::nullopt : std::optional(at->second);
  }
  void keep(const std::string& step, std::string_view bytes) override {
    bytes_ += bytes.size();
    kept_[step] = bytes;
  }
  std::size_t steps() const { return kept_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::map<std::string, std::string> kept_;
  std::size_t bytes_ = 0;
};

ForecastOptions options_of(const M5Demand& demand, const Settings& settings) {
  ForecastOptions options;
  options.backtest.horizon = settings.shape.ahead;
  options.attributes = demand.attributes;
  options.threads = settings.threads;
  if (!settings.local)
    options.panel_models = {{std::make_shared<GlobalModel>(GlobalModelOptions{}), nullptr}};
  return options;
}

/// WAPE and mean RMSSE of the run, and of the seasonal naive, over what really came.
void check_accuracy(const M5Demand& demand, const ForecastRun& run, const Settings& settings) {
  Accuracy own;
  Accuracy naive;
  double own_sum = 0;
  double naive_sum = 0;
  double scaled = 0;
  Coverage coverage;
  std::size_t incomplete = 0;
  for (std::size_t i = 0; i < demand.series.size(); ++i) {
    const Series& series = demand.series[i];
    const std::vector<ForecastPoint>& points = run.series[i].points;
    bool complete = points.size() == settings.shape.ahead;
    for (const ForecastPoint& point : points)
      complete = complete && std::isfinite(point.mean) && point.mean >= 0 && point.lo95 <= point.lo80 &&
                 point.lo80 <= point.mean && point.mean <= point.hi80 && point.hi80 <= point.hi95;
    incomplete += complete ? 0 : 1;
    if (!complete || series.size() < 60) continue;
    const ErrorScale scale = error_scale(series.value, series.masked, 7);
    Accuracy one;
    Accuracy one_naive;
    for (std::size_t step = 0; step < points.size(); ++step) {
      const auto actual = static_cast<double>(demand.truth[i * settings.shape.ahead + step]);
      one.add(actual, points[step].mean, scale);
      one_naive.add(actual, series.value[series.size() - 7 + step % 7], scale);
      coverage.add(actual, points[step].lo80, points[step].hi80, points[step].lo95, points[step].hi95);
    }
    own.merge(one);
    naive.merge(one_naive);
    if (!std::isfinite(one.rmsse()) || !std::isfinite(one_naive.rmsse())) continue;
    own_sum += one.rmsse();
    naive_sum += one_naive.rmsse();
    ++scaled;
  }
  std::printf(
      "  hold-out of %zu days: WAPE %.3f (seasonal naive %.3f), bias %+.3f, RMSSE %.3f (%.3f), coverage %.1f "
      "and %.1f %%\n",
      settings.shape.ahead, own.wape(), naive.wape(), own.bias(), own_sum / scaled, naive_sum / scaled,
      100 * coverage.share80(), 100 * coverage.share95());
  expect(incomplete == 0, std::to_string(incomplete) + " series have not exactly " +
                              std::to_string(settings.shape.ahead) + " ordered, finite values");
  expect(own_sum < 0.85 * naive_sum && own.wape() < naive.wape(), "no better than the seasonal naive");
  expect(coverage.share80() > 0.76 && coverage.share80() < 0.95, "80 % intervals cover something else");
  expect(coverage.share95() > 0.92 && coverage.share95() < 0.995, "95 % intervals cover something else");
}

/// Local models of some series, forecast without the others, give the same figures to the last bit.
void check_alone(const M5Demand& demand, const ForecastRun& run, const Settings& settings) {
  Settings alone = settings;
  alone.local = true;
  M5Demand some;
  std::vector<std::size_t> taken;
  for (std::size_t i = 3; i < demand.series.size(); i += demand.series.size() / 20 + 1) taken.push_back(i);
  for (const std::size_t i : taken) some.series.push_back(demand.series[i]);
  NoProgress progress;
  const auto again = forecast_all(some.series, options_of(some, alone), progress);
  if (!again) return expect(false, again.error().message);
  std::size_t compared = 0;
  std::size_t differ = 0;
  for (std::size_t k = 0; k < taken.size(); ++k)
    for (const ModelAccuracy& row : again->series[k].backtest) {
      const auto& rows = run.series[taken[k]].backtest;
      const auto same = std::ranges::find(rows, row.model, &ModelAccuracy::model);
      const bool local = !is_panel_model(row.model) && row.model != ModelId::kBlend;
      if (!local || !row.refused.empty()) continue;
      ++compared;
      differ +=
          same == rows.end() || std::memcmp(&same->accuracy, &row.accuracy, sizeof(Accuracy)) != 0 ? 1 : 0;
    }
  std::printf("  %zu back-tests of local models of %zu series are the same without the others\n",
              compared - differ, taken.size());
  expect(compared >= 5 * taken.size() && differ == 0, std::to_string(differ) + " of " +
                                                          std::to_string(compared) +
                                                          " local back-tests depend on other series");
}

/// A run whose steps are all there.
void run_resumed(const M5Demand& demand, const ForecastRun& run, const Settings& settings,
                 MemoryCheckpoint& checkpoint) {
  const std::size_t bytes = checkpoint.bytes();
  ForecastOptions options = options_of(demand, settings);
  options.checkpoint = &checkpoint;
  StepMeter meter;
  const double started = cpu_seconds();
  const auto again = forecast_all(demand.series, options, meter);
  meter.end();
  if (!again) return expect(false, again.error().message);
  std::printf("  %zu steps kept, %.0f bytes per series; resumed from all of them in %.1f CPU s\n",
              checkpoint.steps(), static_cast<double>(bytes) / static_cast<double>(demand.series.size()),
              cpu_seconds() - started);
  expect(checkpoint.bytes() == bytes, "the resumed run did some steps again");
  std::size_t differ = 0;
  for (std::size_t i = 0; i < run.series.size(); ++i)
    differ += std::ranges::equal(run.series[i].points, again->series[i].points, {}, &ForecastPoint::mean,
                                 &ForecastPoint::mean)
                  ? 0
                  : 1;
  expect(differ == 0, std::to_string(differ) + " series differ in the resumed run");
}

void run_all(const Settings& settings) {
  const double started = cpu_seconds();
  StepMeter meter;
  std::printf("%zu series x %zu days, %u threads%s\n", settings.shape.series, settings.shape.days,
              settings.threads, settings.local ? ", local models" : ", with the global trees");
  meter.step("generate and build_series");
  const M5Demand demand = bench::make_m5_shape(settings.shape);
  meter.end();
  std::size_t values = 0;
  double zeros = 0;
  for (const Series& one : demand.series) {
    values += one.size();
    zeros += static_cast<double>(std::ranges::count(one.value, 0.0));
  }
  const double built = cpu_seconds();
  MemoryCheckpoint checkpoint;
  ForecastOptions options = options_of(demand, settings);
  if (settings.resume) options.checkpoint = &checkpoint;
  const auto run = forecast_all(demand.series, options, meter);
  meter.end();
  if (!run) return expect(false, run.error().message);
  const double seconds = cpu_seconds() - built;
  const auto count = static_cast<double>(demand.series.size());
  std::printf(
      "  %.1f million values, %.0f %% zero; forecast_all %.1f CPU s, %.1f series per CPU second, %.2f GB\n",
      static_cast<double>(values) / 1e6, 100 * zeros / static_cast<double>(values), seconds, count / seconds,
      meter.most());
  for (std::size_t c = 0; c < kDemandClassCount; ++c) {
    const auto of_class = static_cast<DemandClass>(c);
    const auto members = std::ranges::count(run->series, of_class, &SeriesForecast::demand_class);
    if (members > 0)
      std::printf("  %s: %td series\n", std::string(demand_class_name(of_class)).c_str(), members);
  }
  check_accuracy(demand, *run, settings);
  check_alone(demand, *run, settings);
  if (settings.resume) run_resumed(demand, *run, settings, checkpoint);
  expect(run->refused == 0, std::to_string(run->refused) + " series refused");
  expect(meter.most() < kGigabytesMost, "more than 12 GB");
  std::printf(
      "{\"benchmark\": \"forecast_scale\", \"series\": %zu, \"days\": %zu, \"trees\": %s, \"cpu_seconds\": "
      "%.1f, "
      "\"series_per_cpu_second\": %.1f, \"peak_gb\": %.2f, \"all_cpu_seconds\": %.1f}\n",
      demand.series.size(), settings.shape.days, settings.local ? "false" : "true", seconds, count / seconds,
      meter.most(), cpu_seconds() - started);
}

void run_trees(const Settings& settings) {
  StepMeter meter;
  std::printf("global trees: %zu series, at most %zu rows, %d rounds, one seed\n", settings.shape.series,
              settings.rows, settings.rounds);
  meter.step("generate and build_series");
  const M5Demand demand = bench::make_m5_shape(settings.shape);
  meter.step("panel");
  BacktestOptions test;
  test.horizon = settings.shape.ahead;
  const Panel panel = panel_at(demand.series, {}, demand.attributes, 0, test);
  const PanelTask task{0, settings.shape.ahead, settings.threads};
  GlobalModelOptions options;
  options.rows_max = settings.rows;
  options.seeds = 1;
  options.booster.rounds = settings.rounds;
  const double started = cpu_seconds();
  const auto fitted = GlobalModel(options).fit(panel, task, meter);
  if (!fitted) return expect(false, fitted.error().message);
  const double trained = cpu_seconds();
  meter.step("forecast");
  const auto values = (*fitted)->predict(panel, task);
  meter.end();
  if (!values) return expect(false, values.error().message);
  Accuracy own;
  Accuracy naive;
  for (std::size_t m = 0; m < panel.members.size(); ++m)
    for (std::size_t step = 0; step < task.horizon; ++step) {
      const std::size_t i = panel.members[m].series;
      const double forecast = (*values)[m * task.horizon + step];
      if (std::isnan(forecast)) continue;  // too young a series
      const auto actual = static_cast<double>(demand.truth[i * settings.shape.ahead + step]);
      const Series& series = demand.series[i];
      own.add(actual, forecast, 0);
      naive.add(actual, series.value[series.size() - 7 + step % 7], 0);
    }
  const std::size_t rows = static_cast<const FittedGlobal&>(**fitted).learnt_rows;
  std::printf("  %zu rows; WAPE %.3f (seasonal naive %.3f), RMSE %.3f (%.3f), bias %+.3f\n", rows, own.wape(),
              naive.wape(), own.rmse(), naive.rmse(), own.bias());
  expect(own.rmse() < 0.85 * naive.rmse(), "the trees are no better than the seasonal naive");
  expect(meter.most() < kGigabytesMost, "more than 12 GB");
  std::printf(
      "{\"benchmark\": \"forecast_scale\", \"trees_rows\": %zu, \"rounds\": %d, \"fit_cpu_seconds\": %.1f, "
      "\"peak_gb\": %.2f}\n",
      rows, settings.rounds, trained - started, meter.most());
}

/// MinT over 30,000 leaves, 28 steps, 84 errors: levels that cross in a few groups (M5's own levels, by
/// factor), and in more than 4,000 (by conjugate gradients).
void run_reconcile() {
  constexpr std::size_t kLeaves = 30'000;
  constexpr std::size_t kSteps = 28;
  constexpr std::size_t kErrors = 84;
  for (const bool many : {false, true}) {
    std::vector<LevelLabels> levels = {{"total", {}},    {"state", {}},      {"store", {}},
                                       {"category", {}}, {"department", {}}, {"store_department", {}},
                                       {"item", {}},     {"state_item", {}}};
    if (many) levels.push_back({"supplier", {}});
    for (std::size_t leaf = 0; leaf < kLeaves; ++leaf) {
      const std::size_t store = leaf % 10;
      const std::size_t item = leaf / 10;
      const std::size_t state = store * 3 / 10;
      std::vector<std::string> labels = {"all",
                                         std::to_string(state),
                                         std::to_string(store),
                                         std::to_string(item % 3),
                                         std::to_string(item % 7),
                                         std::to_string(store) + "/" + std::to_string(item % 7),
                                         std::to_string(item),
                                         std::to_string(state) + "/" + std::to_string(item)};
      if (many) labels.push_back(std::to_string(leaf * 7919 % 4999));
      for (std::size_t l = 0; l < levels.size(); ++l) levels[l].label.push_back(std::move(labels[l]));
    }
    const auto hierarchy = make_hierarchy(levels, kLeaves);
    if (!hierarchy) return expect(false, hierarchy.error().message);
    std::uint32_t state = 7;
    const auto u = [&state] {
      state = 1664525U * state + 1013904223U;
      return static_cast<double>(state) / 4294967296.0;
    };
    std::vector<double> leaves(kLeaves * kSteps);
    for (double& one : leaves) one = u() < 0.4 ? 0.05 : 3 * u();
    std::vector<double> forecast = aggregate(*hierarchy, leaves, kSteps);
    for (std::size_t i = 0; i < hierarchy->upper_nodes() * kSteps; ++i) forecast[i] *= 0.9 + 0.2 * u();
    std::vector<double> leaf_error(kLeaves * kErrors);
    for (double& one : leaf_error) one = u() - 0.5;
    const std::vector<double> error = aggregate(*hierarchy, leaf_error, kErrors);
    for (const ReconcileMethod method : {ReconcileMethod::kWlsVar, ReconcileMethod::kMintShrink}) {
      reset_peak();
      const double started = cpu_seconds();
      const auto found = reconcile(*hierarchy, {forecast, kSteps, error, kErrors}, {.method = method});
      const double seconds = cpu_seconds() - started;
      if (!found) return expect(false, found.error().message);
      const double off = incoherence(*hierarchy, found->forecast, kSteps);
      const double peak = memory("VmHWM");
      std::printf(
          "MinT %s, %zu leaves, %zu upper nodes, %zu steps, %s: %.1f CPU s, %.2f GB, sums off by %.1e\n",
          std::string(reconcile_method_name(method)).c_str(), kLeaves, hierarchy->upper_nodes(), kSteps,
          many ? "more than 4,000 crossing groups" : "few crossing groups", seconds, peak, off);
      std::fflush(stdout);
      expect(off < 1e-6 && std::ranges::min(found->forecast) >= 0,
             "reconciled forecasts do not add up or are below 0");
      std::printf(
          "{\"benchmark\": \"forecast_scale\", \"reconcile\": \"%s\", \"crossing\": \"%s\", \"cpu_seconds\": "
          "%.1f, "
          "\"peak_gb\": %.2f}\n",
          std::string(reconcile_method_name(method)).c_str(), many ? "many" : "few", seconds, peak);
    }
  }
}

bool read_settings(int argc, char** argv, Settings& settings) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--local") {
      settings.local = true;
      continue;
    }
    if (word == "--resume") {
      settings.resume = true;
      continue;
    }
    if (word == "--reconcile") {
      settings.reconcile = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const long number = std::atol(argv[++i]);
    if (number < 1) return false;
    if (word == "--series")
      settings.shape.series = static_cast<std::size_t>(number);
    else if (word == "--days")
      settings.shape.days = static_cast<std::size_t>(number);
    else if (word == "--threads")
      settings.threads = static_cast<unsigned>(number);
    else if (word == "--rows")
      settings.rows = static_cast<std::size_t>(number);
    else if (word == "--rounds")
      settings.rounds = static_cast<int>(number);
    else
      return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  if (!read_settings(argc, argv, settings)) {
    std::fprintf(
        stderr,
        "usage: forecast_scale [--series N] [--days N] [--threads N] [--local] [--rows N] [--rounds N] "
        "[--reconcile], numbers from 1 on\n");
    return 2;
  }
  if (settings.rows > 0)
    run_trees(settings);
  else if (!settings.reconcile)
    run_all(settings);
  if (settings.reconcile || argc == 1) run_reconcile();
  return faults ? 1 : 0;
}
