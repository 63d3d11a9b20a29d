#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/civil_time.h"
#include "registry/aliases.h"
#include "registry/experiment.h"
#include "registry/version.h"

namespace tillcast::pipeline {

/// The model versions of one plan and what is known of their standing.
struct PlanModels {
  std::string plan;
  registry::Aliases aliases;
  std::vector<registry::VersionInfo> versions;    ///< newest first
  std::vector<registry::Experiment> experiments;  ///< newest first
  std::map<int, std::string> problems;  ///< of damaged versions: which file, and what to do. A version that
                                        ///< cannot be read at all is here and not among `versions`.
};

struct PromoteRequest {
  std::string plan;
  int version = 0;
  std::string reason;  ///< for the history
  std::string by;      ///< who asks
  bool force = false;  ///< although the gate said challenger
};

struct RollbackRequest {
  std::string plan;
  int version = 0;  ///< 0 = the champion before the present one
  std::string reason;
  std::string by;
};

struct ExperimentRequest {
  std::string name;  ///< letters, digits, _
  std::string plan;
  int challenger = 0;  ///< 0 = the plan's challenger
  int share_percent = 50;
};

/// What one variant of an experiment has achieved so far. Errors in shares of sales; NaN = nothing came due
/// yet.
struct VariantFigures {
  std::string variant;
  int version = 0;
  std::int64_t series = 0;    ///< that it forecasts; of an ended experiment: those measured
  std::int64_t measured = 0;  ///< of them with forecasts that came due
  std::int64_t points = 0;
  double wape = 0, wape_low = 0, wape_high = 0;  ///< with a 90 % bootstrap interval over series
  double bias = 0, bias_low = 0, bias_high = 0;
  double relative = 0, relative_low = 0, relative_high = 0;  ///< error over that of the seasonal naive
};

struct ExperimentReport {
  registry::Experiment experiment;
  VariantFigures champion;
  VariantFigures challenger;
  double sample_ratio_probability = 1;  ///< below 0.001 the split is broken
  std::string winner;                   ///< "champion", "challenger", or empty = undecided
  std::string advice;                   ///< for people
};

struct AlertRequest {
  std::string plan;     ///< empty = all
  bool closed = false;  ///< those that recovered as well
  int limit = 100;
};

/// What the monitor found when forecasts were compared with what came. Errors in shares of sales.
struct ForecastAlert {
  std::string plan;
  std::string series_id;  ///< empty: the plan as a whole
  int model_version = 0;
  Timestamp opened_at;
  std::optional<Timestamp> closed_at;
  std::string reason;
  std::optional<double> wape;
  std::optional<double> wape_expected;  ///< by the back-test
  std::optional<double> wape_seasonal_naive;
};

struct MonitorRequest {
  std::string plan;       ///< empty = all
  std::string series_id;  ///< empty = plans as a whole
  int limit = 100;
};

/// Forecasts of one version over one window that ended, against what came. Errors in shares of sales.
struct MonitorFigures {
  std::string plan;
  std::string series_id;  ///< empty: the plan as a whole
  int model_version = 0;
  int window_periods = 0;
  Date until;               ///< last period of the window
  std::int64_t points = 0;  ///< forecasts that came due in it
  std::optional<double> wape;
  std::optional<double> wape_expected;  ///< by the back-test
  std::optional<double> wape_seasonal_naive;
  std::optional<double> bias;
  std::optional<double> coverage80;
  std::optional<double> coverage95;
  std::string state;   ///< ok, few (points, to tell), degraded
  std::string reason;  ///< what degraded; empty when nothing did
};

}  // namespace tillcast::pipeline
