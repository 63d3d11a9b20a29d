#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "forecast/hierarchy.h"

namespace tillcast::forecast {

enum class ReconcileMethod : std::uint8_t {
  kBottomUp,    ///< the leaves' forecasts, added up
  kTopDown,     ///< leaves scaled to the forecast of the top level, step by step
  kMiddleOut,   ///< leaves scaled to the forecasts of one level
  kOls,         ///< MinT with equal variances
  kWlsStruct,   ///< MinT with variances by number of leaves
  kWlsVar,      ///< MinT with the variances of the errors
  kMintShrink,  ///< MinT with covariances of the errors, shrunk towards their diagonal
};
std::string_view reconcile_method_name(ReconcileMethod method);
/// nullopt for a name that is none of "bottom_up", "top_down", "middle_out", "ols", "wls_struct", "wls_var",
/// "mint_shrink", or "mint", which is the last.
std::optional<ReconcileMethod> find_reconcile_method(std::string_view name);

struct ReconcileOptions {
  ReconcileMethod method = ReconcileMethod::kMintShrink;
  std::size_t middle = 0;  ///< level whose forecasts kMiddleOut keeps
  bool non_negative = true;
  /// Hears how many steps are done, and may stop MinT within one. nullptr = nobody.
  Progress* progress = nullptr;
};

/// Forecasts of all nodes, each made for itself, and what is known of their errors.
struct BaseForecasts {
  std::span<const double> forecast;  ///< [node][step], finite
  std::size_t steps = 0;
  std::span<const double> error;  ///< [node][observation], finite; for kWlsVar and kMintShrink
  std::size_t errors = 0;         ///< observations for each node
  /// [leaf][step], 1 = stays 0: closed days; may be empty.
  std::span<const std::uint8_t> closed{};
};

struct Reconciled {
  std::vector<double> forecast;  ///< [node][step], coherent
  double shrinkage = 0;          ///< weight of the diagonal found for kMintShrink
};

/// Makes forecasts of all levels add up. Top-level and middle-out scaling use the proportions of the leaves'
/// own forecasts (Athanasopoulos, Ahmed & Hyndman 2009, Int. J. Forecasting 25(1)); a group with sales to
/// share and leaves that forecast nothing shares them equally. MinT: the coherent forecasts of least variance
/// (Wickramasuriya, Athanasopoulos & Hyndman 2019, J. Am. Stat. Assoc. 114), shrinkage after Schäfer &
/// Strimmer 2005 with errors of mean 0 as its authors do it. Non-negative by an active set on the leaves,
/// which is the quadratic programme of Wickramasuriya, Turlach & Hyndman 2020 (Stat. Comput. 30).
///
/// MinT solves with one equation for each *upper* node, sparse, and the covariances stay a product of the
/// errors: no matrix of leaves by leaves exists. Memory is a few doubles per leaf and level, per upper node
/// and per error. Pure, thread-safe.
/// @return kInvalidInput when sizes do not match or a value is not finite, or for a method that needs errors
/// and has fewer than two per node; kCancelled when options.progress asked to stop.
Result<Reconciled> reconcile(const Hierarchy& hierarchy, const BaseForecasts& base,
                             const ReconcileOptions& options);

}  // namespace tillcast::forecast
