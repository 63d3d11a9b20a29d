#include "forecast/global_model.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <exception>
#include <numeric>
#include <sstream>
#include <thread>

#include "forecast/global_rows.h"
#include "forecast/parallel_internal.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kForecastBlock = 32;  ///< members forecast at once

/// What one of several boosters says of its rounds, to a sum that somebody else reports.
class RoundCount final : public Progress {
 public:
  RoundCount(std::atomic<std::uint64_t>& sum, const std::atomic<bool>& stop) : sum_(sum), stop_(stop) {}
  void update(std::uint64_t done, std::uint64_t) override {
    sum_ += done - done_;
    done_ = done;
  }
  bool cancelled() const override { return stop_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t>& sum_;
  const std::atomic<bool>& stop_;
  std::uint64_t done_ = 0;
};

/// Boosters with the seeds from options.seed on. With threads they train side by side, while the caller's
/// thread reports and asks whether to stop.
Result<std::vector<Booster>> train_seeds(const BoosterData& data, const BoosterOptions& options,
                                         std::size_t seeds, unsigned threads, Progress& progress) {
  std::vector<std::optional<Result<Booster>>> trained(seeds);
  const auto train = [&](std::size_t i, Progress& own) {
    BoosterOptions seeded = options;
    seeded.seed += static_cast<std::uint32_t>(i);
    trained[i] = Booster::train(data, nullptr, seeded, own);
  };
  const auto lanes =
      std::min<std::size_t>(seeds, threads > 0 ? threads : std::thread::hardware_concurrency());
  if (lanes <= 1) {
    for (std::size_t i = 0; i < seeds; ++i) {
      ProgressPart own(progress, static_cast<double>(i) / static_cast<double>(seeds),
                       static_cast<double>(i + 1) / static_cast<double>(seeds));
      train(i, own);
      if (!*trained[i]) break;
    }
  } else {
    std::atomic<std::uint64_t> rounds{0};
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> working{lanes};
    std::vector<std::exception_ptr> failures(lanes);
    std::vector<std::jthread> helpers;
    helpers.reserve(lanes);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      helpers.emplace_back([&, lane] {
        try {
          for (std::size_t i = next++; i < seeds && !stop; i = next++) {
            RoundCount own(rounds, stop);
            train(i, own);
          }
        } catch (...) {
          failures[lane] = std::current_exception();
          stop = true;
        }
        --working;
      });
    }
    constexpr auto kPatience = std::chrono::milliseconds(50);
    while (working > 0) {
      std::this_thread::sleep_for(kPatience);
      progress.update(rounds, seeds * static_cast<std::uint64_t>(std::max(options.rounds, 1)));
      if (progress.cancelled()) stop = true;
    }
    helpers.clear();
    for (const std::exception_ptr& failure : failures)
      if (failure) std::rethrow_exception(failure);
  }
  if (progress.cancelled()) return cancelled("training stopped on request");
  std::vector<Booster> boosters;
  for (auto& one : trained) {
    if (!one || !*one) return one ? one->error() : cancelled("training stopped on request");
    boosters.push_back(std::move(**one));
  }
  return boosters;
}

/// What the newest days say of trees that have not seen them.
struct NewestDays {
  int rounds = 0;     ///< that were best there, or all where none are stopped early
  double spread = 0;  ///< standard deviation of the logarithms' errors; 0 for units
};

Result<NewestDays> try_newest_days(const GlobalRows& rows, const BoosterOptions& options, bool logarithm,
                                   Progress& progress) {
  ProgressPart rows_part(progress, 0, 0.2);
  ProgressPart newest_part(progress, 0.2, 0.25);
  ProgressPart trees_part(progress, 0.25, 0.95);
  ProgressPart errors_part(progress, 0.95, 1);
  auto earlier = rows.make(RowPart::kEarlier, rows_part);
  if (!earlier) return earlier.error();
  auto newest = rows.make_like(*earlier, RowPart::kNewest, newest_part);
  if (!newest) return newest.error();
  auto trial = Booster::train(*earlier, &*newest, options, trees_part);
  if (!trial) return trial.error();
  NewestDays found{trial->rounds(), 0};
  if (!logarithm) return found;
  double count = 0;
  double sum = 0;
  double squares = 0;
  std::vector<double> scores;
  if (auto looked = rows.each(RowPart::kNewest, 1, errors_part,
                              [&](FeatureRows& made) -> Result<> {
                                scores.resize(made.size());
                                if (auto said = trial->predict(made.values, scores); !said) return said;
                                for (std::size_t i = 0; i < scores.size(); ++i) {
                                  const double error = static_cast<double>(rows.label(made, i)) - scores[i];
                                  count += 1;
                                  sum += error;
                                  squares += error * error;
                                }
                                return {};
                              });
      !looked)
    return looked.error();
  // The mean is what that stretch of days had in common; it says nothing of the next one.
  found.spread = std::sqrt(std::max(squares / count - sum / count * (sum / count), 0.0));
  return found;
}

}  // namespace

bool is_aim(Metric metric) {
  return metric == Metric::kRmspe || metric == Metric::kMape || metric == Metric::kRmse;
}

double aim_factor(Metric metric, double spread) {
  const double square = spread * spread;
  switch (metric) {
    case Metric::kRmspe:
      return std::exp(-1.5 * square);  // E(1/y) / E(1/y^2)
    case Metric::kMape:
      return std::exp(-square);  // the median where each y weighs 1/y
    case Metric::kRmse:
      return std::exp(0.5 * square);  // the mean
    default:
      return 1;
  }
}

GlobalTarget choose_target(const Panel& panel) {
  double zeros = 0, seen = 0, whole = 0, sum = 0;
  for (const PanelMember& member : panel.members) {
    for (std::size_t i = 0; i < member.history.size(); ++i) {
      if (member.history.masked[i] != 0) continue;
      const double value = member.history.value[i];
      seen += 1;
      sum += value;
      zeros += value <= 0 ? 1 : 0;
      whole += value == std::floor(value) ? 1 : 0;
    }
  }
  if (seen == 0) return GlobalTarget::kLogarithm;
  const bool small_counts = whole >= 0.999 * seen && sum / seen < 20;
  return zeros > 0.05 * seen || small_counts ? GlobalTarget::kUnits : GlobalTarget::kLogarithm;
}

double GlobalModel::fit_seconds(std::size_t values) const {
  constexpr double kRow = 10e-6;         // features
  constexpr double kRowRound = 0.16e-6;  // of one booster
  const auto rows = static_cast<double>(std::min(values, options_.rows_max));
  const double seeds = std::max(options_.seeds, 1) + (holds_out() ? 1 : 0);
  return rows * (kRow * (holds_out() ? 2 : 1) + kRowRound * options_.booster.rounds * seeds);
}

std::string GlobalModel::refuses(const Panel& panel, const PanelTask& task) const {
  if (panel.grain != Grain::kDaily) return "works by day alone";
  if (panel.members.size() < 2)
    return "needs at least two series, has " + std::to_string(panel.members.size());
  const auto steps = static_cast<int>(task.steps());
  const std::vector<int> cuts = snapshot_cuts(panel, task, options_);
  if (cuts.empty()) return "needs " + std::to_string(options_.history_min + steps) + " days of history";
  if (holds_out() && cuts.back() < 2 * steps)
    return "needs " + std::to_string(options_.history_min + 2 * steps) +
           " days of history to keep the newest ones aside (stop, aim)";
  return {};
}

Result<std::shared_ptr<const FittedPanel>> GlobalModel::fit(const Panel& panel, const PanelTask& task,
                                                            Progress& progress) const {
  if (const std::string reason = refuses(panel, task); !reason.empty()) return invalid_input(reason);
  auto fitted = std::make_shared<FittedGlobal>();
  const GlobalTarget target = options_.target == GlobalTarget::kAuto ? choose_target(panel) : options_.target;
  fitted->logarithm = target == GlobalTarget::kLogarithm;
  // Shares of the time as measured: features, then boosting; a look at newest days costs as much again.
  const double features_share = options_.booster.rounds * options_.seeds >= 100 ? 0.15 : 0.6;
  const double trial_share = holds_out() ? 0.4 : 0;
  progress.step(std::string(name()) + ": features");
  ProgressPart panel_part(progress, 0, 0.2 * features_share);
  const GlobalRows rows(panel, task, options_, fitted->logarithm, panel_part);
  if (progress.cancelled()) return cancelled("training stopped on request");
  fitted->codes = AttributeCodes(panel.attributes);
  fitted->columns = rows.columns();
  BoosterOptions booster = options_.booster;
  const bool poisson = booster.tweedie_power <= 1;
  booster.objective = fitted->logarithm ? Objective::kL2
                      : poisson         ? Objective::kPoisson
                                        : Objective::kTweedie;
  ProgressPart rest(progress, 0.2 * features_share, 1);
  if (holds_out()) {
    progress.step(std::string(name()) + ": newest days");
    ProgressPart trial_part(rest, 0, trial_share);
    auto found = try_newest_days(rows, booster, fitted->logarithm, trial_part);
    if (!found) return found.error();
    booster.rounds = found->rounds;
    booster.early_stopping_rounds = 0;
    if (fitted->logarithm && options_.aim) fitted->factor = aim_factor(*options_.aim, found->spread);
    progress.step(std::string(name()) + ": features");
  }
  const double made = trial_share + (1 - trial_share) * 0.8 * features_share;
  ProgressPart rows_part(rest, trial_share, made);
  auto data = rows.make(RowPart::kAll, rows_part);
  if (!data) return data.error();
  fitted->learnt_rows = data->rows();

  progress.step(std::string(name()) + ": trees");
  ProgressPart trees_part(rest, made, 1);
  auto boosters = train_seeds(*data, booster, static_cast<std::size_t>(std::max(options_.seeds, 1)),
                              task.threads, trees_part);
  if (!boosters) return boosters.error();
  fitted->boosters = std::move(*boosters);
  return fitted;
}

Result<> FittedGlobal::check_columns(const PanelFeatures& features) const {
  const auto& now = features.columns();
  if (std::ranges::equal(now, columns, {}, &FeatureColumn::name, &FeatureColumn::name)) return {};
  return invalid_input("the trees learnt from " + std::to_string(columns.size()) +
                       " columns, the panel gives " + std::to_string(now.size()) +
                       " or other ones: drivers must be those of the fit");
}

Result<std::vector<double>> FittedGlobal::predict(const Panel& panel, const PanelTask& task) const {
  std::vector<double> out(panel.members.size() * task.steps(), std::nan(""));
  if (panel.members.empty()) return out;
  NoProgress silent;
  Progress& progress = task.progress != nullptr ? *task.progress : silent;
  ProgressPart panel_part(progress, 0, 0.1);
  const RecodedPanel known(panel, codes);
  const PanelFeatures features(known.panel, task, {0}, logarithm, &panel_part);
  if (progress.cancelled()) return cancelled("forecast by trees stopped on request");
  if (Result<> checked = check_columns(features); !checked) return checked.error();
  const std::size_t blocks = (panel.members.size() + kForecastBlock - 1) / kForecastBlock;
  std::vector<Result<>> results(blocks);
  ProgressPart rows_part(progress, 0.1, 1);
  const bool finished = for_each_index(blocks, task.threads, rows_part, 0, blocks, [&](std::size_t block) {
    FeatureRows rows;
    for (std::size_t m = block * kForecastBlock;
         m < std::min(panel.members.size(), (block + 1) * kForecastBlock); ++m) {
      rows.clear();
      features.add_rows(
          m, [&](std::size_t, int step, float) { return step >= static_cast<int>(task.gap); }, rows);
      const auto values = predict_rows(rows, task.steps());
      if (!values) {
        results[block] = values.error();
        return;
      }
      std::ranges::copy(*values, out.begin() + static_cast<std::ptrdiff_t>(m * task.steps()));
    }
  });
  if (!finished) return cancelled("forecast by trees stopped on request");
  for (const Result<>& result : results)
    if (!result) return result.error();
  return out;
}

Result<std::vector<double>> FittedGlobal::predict_rows(const FeatureRows& rows, std::size_t steps) const {
  std::vector<double> out(steps, std::nan(""));
  std::vector<double> sum(rows.size());
  std::vector<double> scores(rows.size());
  for (const Booster& booster : boosters) {
    if (auto predicted = booster.predict(rows.values, scores); !predicted) return predicted.error();
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += scores[i] / static_cast<double>(boosters.size());
  }
  for (std::size_t i = 0; i < rows.size(); ++i)
    out[static_cast<std::size_t>(rows.step[i])] = factor * std::exp(rows.offset[i] + sum[i]);
  return out;
}

namespace {

/// The features of a whole panel, kept for its members.
class PreparedTrees final : public PreparedPanel {
 public:
  PreparedTrees(const FittedGlobal& fitted, const Panel& panel, const PanelTask& task)
      : fitted_(fitted),
        known_(panel, fitted.codes),
        task_(task),
        features_(known_.panel, task, {0}, fitted.logarithm) {}
  Result<> check() const { return fitted_.check_columns(features_); }
  Result<std::vector<double>> predict(std::size_t member) const override {
    return fitted_.predict_rows(rows_of(member), task_.steps());
  }
  Result<std::vector<ExplainedStep>> explain(std::size_t member) const override {
    return fitted_.explain_rows(rows_of(member));
  }

 private:
  FeatureRows rows_of(std::size_t member) const {
    FeatureRows rows;
    features_.add_rows(
        member, [&](std::size_t, int step, float) { return step >= static_cast<int>(task_.gap); }, rows);
    return rows;
  }
  const FittedGlobal& fitted_;
  RecodedPanel known_;
  PanelTask task_;
  PanelFeatures features_;  // borrows known_
};

}  // namespace

Result<std::shared_ptr<const PreparedPanel>> FittedGlobal::prepare(const Panel& panel,
                                                                   const PanelTask& task) const {
  auto prepared = std::make_shared<PreparedTrees>(*this, panel, task);
  if (Result<> checked = prepared->check(); !checked) return checked.error();
  return std::shared_ptr<const PreparedPanel>(std::move(prepared));
}

std::string FittedGlobal::save() const {
  std::string attributes;
  codes.save(attributes);
  std::ostringstream text;
  text << "tillcast global model 2\nattributes " << attributes << "logarithm " << (logarithm ? 1 : 0)
       << "\nfactor " << std::hexfloat << factor << std::defaultfloat << "\nrows " << learnt_rows
       << "\ncolumns " << columns.size() << "\n";
  for (const FeatureColumn& column : columns)
    text << column.name << '\t' << (column.category ? 1 : 0) << '\t' << column.group << "\n";
  text << "boosters " << boosters.size() << "\n";
  for (const Booster& booster : boosters) text << booster.save().size() << "\n" << booster.save() << "\n";
  return text.str();
}

Result<std::shared_ptr<const FittedPanel>> GlobalModel::load(std::string_view text) const {
  auto fitted = std::make_shared<FittedGlobal>();
  const auto broken = [](const char* what) {
    return corrupt_data(std::string("global model does not read back: ") + what);
  };
  const auto line = [&]() {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view found = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return found;
  };
  const auto number_after = [&](std::string_view word) -> std::optional<std::size_t> {
    std::string_view from = line();
    if (!from.starts_with(word)) return std::nullopt;
    from.remove_prefix(word.size());
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), value);
    return error == std::errc() && end == from.data() + from.size() ? std::optional(value) : std::nullopt;
  };
  if (line() != "tillcast global model 2") return broken("its first line is not ours");
  if (!text.starts_with("attributes ")) return broken("its head is damaged");
  text.remove_prefix(std::string_view("attributes ").size());
  auto codes = AttributeCodes::load(text);
  if (!codes) return codes.error();
  fitted->codes = std::move(*codes);
  const auto logarithm = number_after("logarithm ");
  const std::string factor(line());
  const auto rows = number_after("rows ");
  const auto columns = number_after("columns ");
  if (!logarithm || !factor.starts_with("factor ") || !rows || !columns || *columns > 100'000)
    return broken("its head is damaged");
  fitted->logarithm = *logarithm != 0;
  fitted->factor = std::strtod(factor.c_str() + 7, nullptr);
  fitted->learnt_rows = *rows;
  for (std::size_t i = 0; i < *columns; ++i) {
    const std::string_view from = line();
    const std::size_t first = from.find('\t');
    if (first == std::string_view::npos || first + 2 >= from.size()) return broken("a column is damaged");
    fitted->columns.push_back(
        {std::string(from.substr(0, first)), std::string(from.substr(first + 3)), from[first + 1] == '1'});
  }
  const auto boosters = number_after("boosters ");
  if (!boosters || *boosters == 0) return broken("it has no trees");
  for (std::size_t i = 0; i < *boosters; ++i) {
    const auto size = number_after("");
    if (!size || *size > text.size()) return broken("its trees are cut off");
    auto booster = Booster::load(text.substr(0, *size));
    if (!booster) return booster.error();
    if (booster->columns() != fitted->columns.size()) return broken("its trees have other columns");
    fitted->boosters.push_back(std::move(*booster));
    text.remove_prefix(*size);
    line();
  }
  return fitted;
}

}  // namespace tillcast::forecast
