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

#include "forecast/parallel_internal.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kBlock = 32;  ///< members whose rows are made at once

/// A number in [0, 1) that depends on nothing but its arguments (Steele, Lea & Flood 2014, SplitMix64).
double share_of(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  std::uint64_t z =
      a * 0x9E3779B97F4A7C15U + b * 0xBF58476D1CE4E5B9U + c * 0x94D049BB133111EBU + 0x2545F4914F6CDD1DU;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}

/// Days before the end of the panel of each snapshot, as far back as history_min allows.
std::vector<int> snapshots(const Panel& panel, const PanelTask& task, const GlobalModelOptions& options) {
  std::size_t longest = 0;
  for (const PanelMember& member : panel.members) longest = std::max(longest, member.history.size());
  std::vector<int> cuts;
  const auto horizon = static_cast<int>(task.horizon);
  const int shifts = std::clamp(options.shifts, 1, horizon);
  for (int k = 0; k < options.snapshots_max; ++k) {
    const int back = static_cast<int>(task.steps()) + k * horizon / shifts;
    if (static_cast<int>(longest) - back < options.history_min) break;
    cuts.push_back(back);
  }
  return cuts;
}

/// Rows of all members, block by block in order: made in parallel, taken one after the other.
template <class Keep, class Take>
Result<> each_block(const PanelFeatures& features, std::size_t members, std::size_t stride, unsigned threads,
                    Progress& progress, const Keep& keep, const Take& take) {
  const std::size_t blocks = (members + kBlock * stride - 1) / (kBlock * stride);
  const std::size_t lanes = std::max(threads > 0 ? threads : std::thread::hardware_concurrency(), 1U);
  std::vector<FeatureRows> rows(lanes);
  NoProgress silent;
  for (std::size_t first = 0; first < blocks; first += lanes) {
    const std::size_t count = std::min(lanes, blocks - first);
    for_each_index(count, threads, silent, 0, count, [&](std::size_t lane) {
      rows[lane].clear();
      const std::size_t begin = (first + lane) * kBlock * stride;
      for (std::size_t m = begin; m < std::min(members, begin + kBlock * stride); m += stride)
        features.add_rows(
            m, [&](std::size_t cut, int step, float label) { return keep(m, cut, step, label); }, rows[lane]);
    });
    for (std::size_t lane = 0; lane < count; ++lane)
      if (auto taken = take(rows[lane]); !taken) return taken;
    progress.update(first + count, blocks);
    if (progress.cancelled()) return cancelled("training stopped on request");
  }
  return {};
}

std::size_t count_rows(const PanelFeatures& features, std::size_t members, unsigned threads,
                       const auto& keep) {
  std::vector<std::size_t> counts((members + kBlock - 1) / kBlock);
  NoProgress silent;
  for_each_index(counts.size(), threads, silent, 0, counts.size(), [&](std::size_t block) {
    for (std::size_t m = block * kBlock; m < std::min(members, (block + 1) * kBlock); ++m)
      counts[block] += features.count_rows(
          m, [&](std::size_t cut, int step, float label) { return keep(m, cut, step, label); });
  });
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

bool is_left_out(std::string_view name, std::span<const std::string> left_out) {
  return std::ranges::any_of(left_out, [&](std::string_view one) {
    return one.ends_with('*') ? name.starts_with(one.substr(0, one.size() - 1)) : name == one;
  });
}

/// A column that is missing everywhere is never split on.
void blank_columns(FeatureRows& rows, std::span<const std::size_t> columns) {
  if (columns.empty() || rows.size() == 0) return;
  const std::size_t width = rows.values.size() / rows.size();
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (const std::size_t column : columns) rows.values[row * width + column] = std::nanf("");
}

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

}  // namespace

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
  return rows * (kRow + kRowRound * options_.booster.rounds * std::max(options_.seeds, 1));
}

std::string GlobalModel::refuses(const Panel& panel, const PanelTask& task) const {
  if (panel.grain != Grain::kDaily) return "works by day alone";
  if (panel.members.size() < 2)
    return "needs at least two series, has " + std::to_string(panel.members.size());
  if (snapshots(panel, task, options_).empty())
    return "needs " + std::to_string(options_.history_min + static_cast<int>(task.steps())) +
           " days of history";
  return {};
}

Result<std::shared_ptr<const FittedPanel>> GlobalModel::fit(const Panel& panel, const PanelTask& task,
                                                            Progress& progress) const {
  if (const std::string reason = refuses(panel, task); !reason.empty()) return invalid_input(reason);
  auto fitted = std::make_shared<FittedGlobal>();
  const GlobalTarget target = options_.target == GlobalTarget::kAuto ? choose_target(panel) : options_.target;
  fitted->logarithm = target == GlobalTarget::kLogarithm;
  const std::vector<int> cuts = snapshots(panel, task, options_);
  progress.step(std::string(name()) + ": features");
  // Shares of the time as measured: features, then boosting.
  const double features_share = options_.booster.rounds * options_.seeds >= 100 ? 0.15 : 0.6;
  ProgressPart panel_part(progress, 0, 0.2 * features_share);
  const PanelFeatures features(panel, task, cuts, fitted->logarithm, &panel_part);
  if (progress.cancelled()) return cancelled("training stopped on request");
  fitted->codes = AttributeCodes(panel.attributes);
  fitted->columns = features.columns();
  const auto gap = static_cast<int>(task.gap);

  // About as many rows as there are days, or rows_max: those sampled keep the shares of series and snapshots.
  const std::size_t candidates = panel.members.size() * cuts.size() * task.horizon;
  std::size_t rows_wanted = 0;
  for (const PanelMember& member : panel.members) rows_wanted += member.history.size();
  rows_wanted = std::min({rows_wanted, candidates, options_.rows_max});
  const auto shifts = static_cast<double>(std::clamp(options_.shifts, 1, static_cast<int>(task.horizon)));
  const double share = std::min(1 / shifts, static_cast<double>(options_.rows_max) /
                                                static_cast<double>(std::max<std::size_t>(candidates, 1)));
  const auto keep = [&](std::size_t member, std::size_t cut, int step, float label) {
    return step >= gap && !std::isnan(label) &&
           (share >= 1 || share_of(member, cut, static_cast<std::uint64_t>(step)) < share);
  };

  std::vector<std::size_t> blank;
  for (std::size_t i = 0; i < fitted->columns.size(); ++i)
    if (is_left_out(fitted->columns[i].name, options_.left_out)) blank.push_back(i);
  BoosterColumns columns;
  for (const FeatureColumn& column : fitted->columns) {
    columns.names.push_back(column.name);
    columns.category.push_back(column.category ? 1 : 0);
  }
  constexpr std::size_t kSampleRows = 100'000;
  std::vector<float> sample;
  const std::size_t stride = std::max<std::size_t>(rows_wanted / kSampleRows, 1);
  ProgressPart sample_part(progress, 0.2 * features_share, 0.3 * features_share);
  if (auto sampled = each_block(features, panel.members.size(), stride, task.threads, sample_part, keep,
                                [&](FeatureRows& rows) -> Result<> {
                                  blank_columns(rows, blank);
                                  sample.insert(sample.end(), rows.values.begin(), rows.values.end());
                                  return {};
                                });
      !sampled)
    return sampled.error();
  if (sample.empty()) return invalid_input("no series has enough days to learn from");

  // LightGBM wants to know how many rows will come, and keeps a byte of each value where rows have four.
  const std::size_t row_count = count_rows(features, panel.members.size(), task.threads, keep);
  if (progress.cancelled()) return cancelled("training stopped on request");
  auto data = BoosterData::create(columns, sample, row_count);
  if (!data) return data.error();
  std::vector<float>().swap(sample);
  std::vector<float> labels;
  std::vector<double> offsets;
  std::vector<float> weights;
  labels.reserve(row_count);
  if (!fitted->logarithm) offsets.reserve(row_count);
  if (options_.half_life > 0) weights.reserve(row_count);
  ProgressPart rows_part(progress, 0.3 * features_share, features_share);
  if (auto made =
          each_block(features, panel.members.size(), 1, task.threads, rows_part, keep,
                     [&](FeatureRows& rows) -> Result<> {
                       for (std::size_t i = 0; i < rows.size(); ++i) {
                         const auto base = static_cast<float>(rows.offset[i]);
                         labels.push_back(fitted->logarithm ? rows.label[i] - base : rows.label[i]);
                         if (!fitted->logarithm) offsets.push_back(rows.offset[i]);
                         if (options_.half_life > 0) {
                           const double age = cuts[static_cast<std::size_t>(rows.cut[i])];
                           weights.push_back(static_cast<float>(std::exp2(-age / options_.half_life)));
                         }
                       }
                       blank_columns(rows, blank);
                       return data->push(rows.values);
                     });
      !made)
    return made.error();
  if (auto labelled = data->set_labels(labels, weights, offsets); !labelled) return labelled.error();
  fitted->learnt_rows = labels.size();

  progress.step(std::string(name()) + ": trees");
  BoosterOptions booster = options_.booster;
  const bool poisson = booster.tweedie_power <= 1;
  booster.objective = fitted->logarithm ? Objective::kL2
                      : poisson         ? Objective::kPoisson
                                        : Objective::kTweedie;
  ProgressPart trees_part(progress, features_share, 1);
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
  const std::size_t blocks = (panel.members.size() + kBlock - 1) / kBlock;
  std::vector<Result<>> results(blocks);
  ProgressPart rows_part(progress, 0.1, 1);
  const bool finished = for_each_index(blocks, task.threads, rows_part, 0, blocks, [&](std::size_t block) {
    FeatureRows rows;
    for (std::size_t m = block * kBlock; m < std::min(panel.members.size(), (block + 1) * kBlock); ++m) {
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
