#include "forecast/global_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <random>
#include <string>

#include "core/text.h"

namespace tillcast::forecast {
namespace {

GlobalModelOptions draw(const GlobalModelOptions& start, std::uint32_t seed, std::size_t trial) {
  if (trial == 0) return start;
  std::mt19937 random(seed * 7919U + static_cast<std::uint32_t>(trial));
  // Standard distributions differ between libraries, remainders do not.
  const auto pick = [&](const auto& from) { return from[random() % from.size()]; };
  GlobalModelOptions options = start;
  options.booster.leaves = pick(std::array{16, 24, 31, 40, 63, 95});
  options.booster.learning_rate = pick(std::array{0.03, 0.04, 0.06, 0.08, 0.1});
  options.booster.rounds = static_cast<int>(pick(std::array{0.6, 0.8, 1.0, 1.3}) * start.booster.rounds *
                                            start.booster.learning_rate / options.booster.learning_rate);
  options.booster.column_share = pick(std::array{0.15, 0.2, 0.3, 0.4, 0.6});
  options.booster.row_share = pick(std::array{0.5, 0.7, 0.9});
  options.booster.leaf_rows_min = pick(std::array{30, 100, 300, 1000});
  options.booster.l2 = pick(std::array{0.0, 1.0, 10.0, 100.0});
  options.half_life = pick(std::array{0.0, 0.0, 730.0, 365.0});
  options.booster.rounds = std::max(options.booster.rounds, 1);
  return options;
}

/// Passes a stop on, keeps the reports of a fit to itself.
class OnlyStops final : public Progress {
 public:
  explicit OnlyStops(const Progress& whole) : whole_(whole) {}
  void update(std::uint64_t, std::uint64_t) override {}
  bool cancelled() const override { return whole_.cancelled(); }

 private:
  const Progress& whole_;
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

Result<std::vector<SearchTrial>> search_options(std::span<const Series> series,
                                                std::span<const AttributeColumn> attributes,
                                                const PanelTask& task, const GlobalModelOptions& start,
                                                const SearchOptions& options,
                                                std::vector<SearchTrial> earlier, Progress& progress) {
  BacktestOptions test;
  test.horizon = task.horizon;
  test.gap = task.gap;
  const Panel panel = panel_at(series, {}, attributes, task.steps(), test);
  if (const std::string reason = GlobalModel(start).refuses(panel, task); !reason.empty())
    return invalid_input("search: the model " + reason);
  std::vector<SearchTrial> trials = std::move(earlier);
  const double started = cpu_seconds();
  OnlyStops stops(progress);
  while (trials.size() < options.trials_max &&
         (trials.empty() || cpu_seconds() - started < options.seconds)) {
    SearchTrial trial;
    trial.options = draw(start, options.seed, trials.size());
    trial.error = std::nan("");
    const double before = cpu_seconds();
    progress.step(trials.empty() ? "trial 1"
                                 : "trial " + std::to_string(trials.size() + 1) + ", best so far " +
                                       fixed(best_trial(trials).error, 4));
    const auto fitted = GlobalModel(trial.options).fit(panel, task, stops);
    if (!fitted && fitted.error().code == ErrorCode::kCancelled) break;
    if (fitted) {
      const auto values = (*fitted)->predict(panel, task);
      if (!values) return values.error();
      Accuracy sums;
      for (std::size_t m = 0; m < panel.members.size(); ++m) {
        const Series& truth = series[panel.members[m].series];
        const std::size_t end = panel.members[m].history.size();
        const std::vector<std::uint8_t> closed = closed_steps(panel.members[m].history, task.steps());
        for (std::size_t step = task.gap; step < task.steps(); ++step) {
          const double forecast = (*values)[m * task.steps() + step];
          if (truth.masked[end + step] != 0 || closed[step] != 0 || std::isnan(forecast)) continue;
          sums.add(truth.value[end + step], forecast, 0);
        }
      }
      trial.error = sums.value(options.metric);
    }
    trial.cpu_seconds = cpu_seconds() - before;
    trials.push_back(std::move(trial));
    // Whichever ends first, the trials or the seconds.
    const double spent = options.seconds > 0 ? (cpu_seconds() - started) / options.seconds : 1;
    const double tried = static_cast<double>(trials.size()) / static_cast<double>(options.trials_max);
    constexpr std::uint64_t kUnits = 1000;
    progress.update(static_cast<std::uint64_t>(kUnits * std::min(1.0, std::max(spent, tried))), kUnits);
  }
  if (trials.empty()) return cancelled("search stopped on request");
  return trials;
}

const SearchTrial& best_trial(std::span<const SearchTrial> trials) {
  return *std::ranges::min_element(trials, {}, [](const SearchTrial& trial) {
    return std::isnan(trial.error) ? std::numeric_limits<double>::infinity() : trial.error;
  });
}

}  // namespace tillcast::forecast
