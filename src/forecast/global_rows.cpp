#include "forecast/global_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string_view>
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

}  // namespace

std::vector<int> snapshot_cuts(const Panel& panel, const PanelTask& task, const GlobalModelOptions& options) {
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

GlobalRows::GlobalRows(const Panel& panel, const PanelTask& task, const GlobalModelOptions& options,
                       bool logarithm, Progress& progress)
    : members_(panel.members.size()),
      task_(task),
      options_(options),
      logarithm_(logarithm),
      cuts_(snapshot_cuts(panel, task, options)),
      features_(panel, task, cuts_, logarithm, &progress) {
  const std::size_t candidates = members_ * cuts_.size() * task.horizon;
  for (const PanelMember& member : panel.members) rows_wanted_ += member.history.size();
  rows_wanted_ = std::min({rows_wanted_, candidates, options.rows_max});
  const auto shifts = static_cast<double>(std::clamp(options.shifts, 1, static_cast<int>(task.horizon)));
  share_ = std::min(1 / shifts, static_cast<double>(options.rows_max) /
                                    static_cast<double>(std::max<std::size_t>(candidates, 1)));
  for (std::size_t i = 0; i < columns().size(); ++i)
    if (is_left_out(columns()[i].name, options.left_out)) blank_.push_back(i);
}

bool GlobalRows::keeps(RowPart part, std::size_t member, std::size_t cut, int step, float label) const {
  if (step < static_cast<int>(task_.gap) || std::isnan(label)) return false;
  if (part == RowPart::kNewest) return cut == 0;
  if (part == RowPart::kEarlier && cuts_[cut] < 2 * static_cast<int>(task_.steps())) return false;
  return share_ >= 1 || share_of(member, cut, static_cast<std::uint64_t>(step)) < share_;
}

Result<> GlobalRows::each(RowPart part, std::size_t stride, Progress& progress,
                          const std::function<Result<>(FeatureRows&)>& take) const {
  const std::size_t blocks = (members_ + kBlock * stride - 1) / (kBlock * stride);
  const std::size_t lanes =
      std::max(task_.threads > 0 ? task_.threads : std::thread::hardware_concurrency(), 1U);
  std::vector<FeatureRows> rows(lanes);
  NoProgress silent;
  for (std::size_t first = 0; first < blocks; first += lanes) {
    const std::size_t count = std::min(lanes, blocks - first);
    for_each_index(count, task_.threads, silent, 0, count, [&](std::size_t lane) {
      rows[lane].clear();
      const std::size_t begin = (first + lane) * kBlock * stride;
      for (std::size_t m = begin; m < std::min(members_, begin + kBlock * stride); m += stride) {
        features_.add_rows(
            m, [&](std::size_t cut, int step, float label) { return keeps(part, m, cut, step, label); },
            rows[lane]);
      }
      blank_columns(rows[lane], blank_);
    });
    for (std::size_t lane = 0; lane < count; ++lane)
      if (auto taken = take(rows[lane]); !taken) return taken;
    progress.update(first + count, blocks);
    if (progress.cancelled()) return cancelled("training stopped on request");
  }
  return {};
}

std::size_t GlobalRows::count(RowPart part) const {
  std::vector<std::size_t> counts((members_ + kBlock - 1) / kBlock);
  NoProgress silent;
  for_each_index(counts.size(), task_.threads, silent, 0, counts.size(), [&](std::size_t block) {
    for (std::size_t m = block * kBlock; m < std::min(members_, (block + 1) * kBlock); ++m)
      counts[block] += features_.count_rows(
          m, [&](std::size_t cut, int step, float label) { return keeps(part, m, cut, step, label); });
  });
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

Result<BoosterData> GlobalRows::make(RowPart part, Progress& progress) const {
  BoosterColumns names;
  for (const FeatureColumn& column : columns()) {
    names.names.push_back(column.name);
    names.category.push_back(column.category ? 1 : 0);
  }
  constexpr std::size_t kSampleRows = 100'000;
  std::vector<float> sample;
  const std::size_t stride = std::max<std::size_t>(rows_wanted_ / kSampleRows, 1);
  ProgressPart sample_part(progress, 0, 0.12);
  if (auto sampled = each(part, stride, sample_part,
                          [&](FeatureRows& rows) -> Result<> {
                            sample.insert(sample.end(), rows.values.begin(), rows.values.end());
                            return {};
                          });
      !sampled)
    return sampled.error();
  if (sample.empty()) return invalid_input("no series has enough days to learn from");
  // LightGBM wants to know how many rows will come, and keeps a byte of each value where rows have four.
  const std::size_t rows = count(part);
  if (progress.cancelled()) return cancelled("training stopped on request");
  auto data = BoosterData::create(names, sample, rows);
  if (!data) return data;
  std::vector<float>().swap(sample);
  ProgressPart rows_part(progress, 0.12, 1);
  if (auto filled = fill(*data, part, rows, rows_part); !filled) return filled.error();
  return data;
}

Result<BoosterData> GlobalRows::make_like(const BoosterData& reference, RowPart part,
                                          Progress& progress) const {
  const std::size_t rows = count(part);
  if (rows == 0) return invalid_input("no series has sales in the newest days");
  auto data = BoosterData::create_like(reference, rows);
  if (!data) return data;
  if (auto filled = fill(*data, part, rows, progress); !filled) return filled.error();
  return data;
}

Result<> GlobalRows::fill(BoosterData& data, RowPart part, std::size_t rows, Progress& progress) const {
  std::vector<float> labels;
  std::vector<double> offsets;
  std::vector<float> weights;
  labels.reserve(rows);
  if (!logarithm_) offsets.reserve(rows);
  if (options_.half_life > 0) weights.reserve(rows);
  if (auto made = each(part, 1, progress,
                       [&](FeatureRows& made_rows) -> Result<> {
                         for (std::size_t i = 0; i < made_rows.size(); ++i) {
                           labels.push_back(label(made_rows, i));
                           if (!logarithm_) offsets.push_back(made_rows.offset[i]);
                           if (options_.half_life > 0) {
                             const double age = cuts_[static_cast<std::size_t>(made_rows.cut[i])];
                             weights.push_back(static_cast<float>(std::exp2(-age / options_.half_life)));
                           }
                         }
                         return data.push(made_rows.values);
                       });
      !made)
    return made;
  return data.set_labels(labels, weights, offsets);
}

}  // namespace tillcast::forecast
