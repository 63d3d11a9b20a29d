#include "forecast/reconcile.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "forecast/min_trace_internal.h"

namespace tillcast::forecast {
namespace {

struct MethodName {
  ReconcileMethod method;
  std::string_view name;
};
constexpr std::array<MethodName, 8> kNames = {{{ReconcileMethod::kBottomUp, "bottom_up"},
                                               {ReconcileMethod::kTopDown, "top_down"},
                                               {ReconcileMethod::kMiddleOut, "middle_out"},
                                               {ReconcileMethod::kOls, "ols"},
                                               {ReconcileMethod::kWlsStruct, "wls_struct"},
                                               {ReconcileMethod::kWlsVar, "wls_var"},
                                               {ReconcileMethod::kMintShrink, "mint_shrink"},
                                               {ReconcileMethod::kMintShrink, "mint"}}};

Result<> check(const Hierarchy& hierarchy, const BaseForecasts& base, const ReconcileOptions& options) {
  const std::size_t nodes = hierarchy.nodes();
  if (base.steps == 0 || base.forecast.size() != nodes * base.steps)
    return invalid_input("reconcile: " + std::to_string(base.forecast.size()) + " forecasts for " +
                         std::to_string(nodes) + " nodes of " + std::to_string(base.steps) + " steps");
  if (!base.closed.empty() && base.closed.size() != hierarchy.leaves * base.steps)
    return invalid_input("reconcile: closed days do not match leaves and steps");
  const bool learns =
      options.method == ReconcileMethod::kWlsVar || options.method == ReconcileMethod::kMintShrink;
  if (learns && (base.errors < 2 || base.error.size() != nodes * base.errors))
    return invalid_input("reconcile: " + std::string(reconcile_method_name(options.method)) +
                         " needs two or more errors for each node");
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::ranges::all_of(base.forecast, finite) || (learns && !std::ranges::all_of(base.error, finite)))
    return invalid_input("reconcile: a forecast or error is not a finite number");
  if (options.method == ReconcileMethod::kMiddleOut && options.middle >= hierarchy.levels.size())
    return invalid_input("reconcile: the hierarchy has no level " + std::to_string(options.middle));
  if (options.method == ReconcileMethod::kTopDown &&
      (hierarchy.levels.empty() || hierarchy.levels.front().groups() != 1))
    return invalid_input("reconcile: top_down needs a first level of one group");
  return {};
}

/// Scales the leaves of each group of a level to the group's forecast.
void scale_to_level(const Hierarchy& hierarchy, std::size_t level_at, const BaseForecasts& base,
                    bool non_negative, std::span<double> leaves) {
  const HierarchyLevel& level = hierarchy.levels[level_at];
  std::vector<double> sum(level.groups());
  std::vector<double> open(level.groups());
  const auto is_closed = [&](std::size_t leaf, std::size_t step) {
    return !base.closed.empty() && base.closed[leaf * base.steps + step] != 0;
  };
  for (std::size_t step = 0; step < base.steps; ++step) {
    std::ranges::fill(sum, 0.0);
    std::ranges::fill(open, 0.0);
    for (std::size_t leaf = 0; leaf < hierarchy.leaves; ++leaf) {
      const auto group = static_cast<std::size_t>(level.group[leaf]);
      sum[group] += leaves[leaf * base.steps + step];
      open[group] += is_closed(leaf, step) ? 0 : 1;
    }
    for (std::size_t leaf = 0; leaf < hierarchy.leaves; ++leaf) {
      const auto group = static_cast<std::size_t>(level.group[leaf]);
      double target = base.forecast[(level.first_node + group) * base.steps + step];
      if (non_negative) target = std::max(target, 0.0);
      double& value = leaves[leaf * base.steps + step];
      if (std::abs(sum[group]) > 1e-12 * std::max(1.0, std::abs(target)))
        value *= target / sum[group];
      else if (!is_closed(leaf, step))
        value = target / open[group];
    }
  }
}

}  // namespace

std::string_view reconcile_method_name(ReconcileMethod method) {
  return std::ranges::find(kNames, method, &MethodName::method)->name;
}

std::optional<ReconcileMethod> find_reconcile_method(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name, &MethodName::name);
  return found == kNames.end() ? std::nullopt : std::optional(found->method);
}

Result<Reconciled> reconcile(const Hierarchy& hierarchy, const BaseForecasts& base,
                             const ReconcileOptions& options) {
  if (Result<> checked = check(hierarchy, base, options); !checked) return checked.error();
  const std::size_t upper = hierarchy.upper_nodes();
  const std::size_t steps = base.steps;
  std::vector<double> leaves(base.forecast.begin() + static_cast<std::ptrdiff_t>(upper * steps),
                             base.forecast.end());
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (options.non_negative) leaves[i] = std::max(leaves[i], 0.0);
    if (!base.closed.empty() && base.closed[i] != 0) leaves[i] = 0;
  }
  Reconciled result;
  switch (options.method) {
    case ReconcileMethod::kBottomUp:
      break;
    case ReconcileMethod::kTopDown:
      scale_to_level(hierarchy, 0, base, options.non_negative, leaves);
      break;
    case ReconcileMethod::kMiddleOut:
      scale_to_level(hierarchy, options.middle, base, options.non_negative, leaves);
      break;
    case ReconcileMethod::kOls:
    case ReconcileMethod::kWlsStruct:
    case ReconcileMethod::kWlsVar:
    case ReconcileMethod::kMintShrink: {
      ErrorCovariance covariance;
      if (options.method == ReconcileMethod::kMintShrink) {
        covariance = shrunk_covariance(base.error, base.errors);
      } else if (options.method == ReconcileMethod::kWlsVar) {
        covariance.variance = error_variances(base.error, base.errors);
      } else {
        covariance.variance.assign(hierarchy.nodes(), 1.0);
        if (options.method == ReconcileMethod::kWlsStruct) {
          const std::vector<double> ones(hierarchy.leaves, 1.0);
          covariance.variance = aggregate(hierarchy, ones, 1);
        }
      }
      result.shrinkage = covariance.shrinkage;
      NoProgress silent;
      Progress& progress = options.progress != nullptr ? *options.progress : silent;
      MinTrace least(hierarchy, covariance, progress);
      std::vector<double> forecast(hierarchy.nodes());
      std::vector<double> of_step(hierarchy.leaves);
      std::vector<std::uint8_t> closed(base.closed.empty() ? 0 : hierarchy.leaves);
      for (std::size_t step = 0; step < steps; ++step) {
        for (std::size_t node = 0; node < forecast.size(); ++node)
          forecast[node] = base.forecast[node * steps + step];
        for (std::size_t leaf = 0; leaf < closed.size(); ++leaf)
          closed[leaf] = base.closed[leaf * steps + step];
        least.solve(forecast, closed, options.non_negative, of_step);
        if (progress.cancelled()) return cancelled("making the levels add up was stopped on request");
        progress.update(step + 1, steps);
        for (std::size_t leaf = 0; leaf < of_step.size(); ++leaf) leaves[leaf * steps + step] = of_step[leaf];
      }
      break;
    }
  }
  result.forecast = aggregate(hierarchy, leaves, steps);
  return result;
}

}  // namespace tillcast::forecast
