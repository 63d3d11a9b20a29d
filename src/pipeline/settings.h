#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/config.h"
#include "core/result.h"

namespace tillcast::pipeline {

constexpr std::string_view kSettingsFile = "tillcast.toml";
constexpr int kPeriodsAheadMax = 366;  ///< longest horizon of a plan or of a question

/// True for 1 to 64 letters, digits and underscores: names of plans and experiments.
bool is_plan_name(std::string_view text);

/// What is forecast: one sum of a measure per member of `by`, per period.
struct ForecastPlan {
  std::string name;                 ///< letters, digits, _; part of every series id
  std::string measure = "units";    ///< units, revenue, or sales (daily totals of a store)
  std::vector<std::string> by;      ///< of store, product; empty = one total
  std::string frequency = "daily";  ///< daily, weekly (from Monday), monthly
  int horizon = 28;                 ///< periods ahead, 1..366
  int top = 0;                      ///< only the largest so many series by total; 0 = all
  std::string metric = "auto";      ///< error that decides which model a series gets; see forecast/accuracy.h
  /// Drivers that must be known for all periods ahead; nullopt = those that are; {} = none.
  std::optional<std::vector<std::string>> drivers = std::nullopt;
  std::string global = "auto";  ///< models that learn from all series at once: auto, on, off, blend
  std::optional<Date> cut = std::nullopt;  ///< last day whose sales may be seen; nullopt = all of them
  /// Makes the sums of several series add up: none, bottom_up, top_down or mint (forecast/reconcile.h).
  std::string reconcile = "none";
  /// Levels of sums, of total, country, store, category, product; empty = all that `by` allows.
  std::vector<std::string> levels = {};
  /// Shares of the quantiles kept beside the intervals: nullopt = the usual eleven, {} = none; see
  /// stored_shares() in plan_quantiles.h.
  std::optional<std::vector<double>> quantiles = std::nullopt;
  std::string trees = {};  ///< settings of the trees of a daily plan, see forecast/global_options.h
  bool operator==(const ForecastPlan&) const = default;

  bool groups_by(std::string_view column) const { return std::ranges::find(by, column) != by.end(); }
};

/// A file of drivers, one row per day and, where it has their ids, per store and product.
struct DriverFile {
  std::filesystem::path file;                ///< as written; relative to the data directory
  std::vector<std::string> columns = {};     ///< taken; empty = all but date and ids
  std::vector<std::string> categories = {};  ///< columns that hold kinds, not amounts
  std::vector<std::string> flags = {};       ///< columns of 0 and 1
  bool operator==(const DriverFile&) const = default;
};

/// All settings with their defaults and help; tillcast.toml, TILLCAST_* and flags fill the same table.
std::span<const SettingSpec> setting_specs();

/// Reads `<data_directory>/tillcast.toml` (when there) and the environment's TILLCAST_* variables;
/// `overrides` are "key=value" words of --set.
Result<Config> load_settings(const std::filesystem::path& data_directory,
                             std::span<const std::string> environment,
                             std::span<const std::string> overrides);

/// The [[forecast.plan]] tables of the file; empty when it has none (the data then decides, see
/// default_plans).
Result<std::vector<ForecastPlan>> configured_plans(const Config& config);

/// The [[forecast.drivers]] tables of the file.
Result<std::vector<DriverFile>> configured_driver_files(const Config& config);

/// The commented tillcast.toml that `tillcast init` writes.
std::string settings_template();

}  // namespace tillcast::pipeline
