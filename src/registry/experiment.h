#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tillcast::registry {

/// Champion against challenger: each forecasts its share of a plan's series.
struct Experiment {
  std::string name;
  std::string plan;
  int champion = 0;
  int challenger = 0;
  int share_percent = 50;  ///< of the series that the challenger forecasts, 1..99
  std::string salt;        ///< makes the splits of two experiments independent
  std::string created_at;  ///< ISO 8601 in UTC
  std::string ended_at;    ///< empty = running
  std::string outcome;     ///< how it ended, for people
  bool running() const { return ended_at.empty(); }
};

/// True when the challenger forecasts this series: XXH3 of salt and id, so the same on every machine, for
/// every order and number of series. Pure.
bool in_challenger_share(const Experiment& experiment, std::string_view series_id);

/// Sample-ratio check: the probability that a fair split at `share_percent` gives counts this far from it
/// (chi-square, one degree of freedom; Fabijan et al. 2019, KDD). Below 0.001 the split is broken and its
/// figures mean nothing. 1 when there is nothing to compare.
double sample_ratio_probability(std::int64_t champion_series, std::int64_t challenger_series,
                                int share_percent);

/// JSON of experiments.json, and back: all experiments of a plan, oldest first.
std::string format_experiments(const std::vector<Experiment>& experiments);
Result<std::vector<Experiment>> parse_experiments(std::string_view json, std::string_view name);

/// All experiments of the plan whose folder this is; none when there is no file.
Result<std::vector<Experiment>> read_experiments(const std::filesystem::path& plan_folder);
/// Replaces the plan's experiments in one step, durable when it returns.
Result<> store_experiments(const std::filesystem::path& plan_folder,
                           const std::vector<Experiment>& experiments);

}  // namespace tillcast::registry
