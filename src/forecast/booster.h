#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "core/result.h"

namespace tillcast::forecast {

/// What gradient boosting minimises. kTweedie and kPoisson take labels >= 0 and forecast on a log scale.
enum class Objective : std::uint8_t { kL2, kL1, kTweedie, kPoisson, kQuantile };
std::string_view objective_name(Objective objective);
/// True where a score is the logarithm of the forecast.
bool has_log_link(Objective objective);

struct BoosterOptions {
  Objective objective = Objective::kL2;
  double tweedie_power = 1.1;  ///< 1 < power < 2
  double quantile = 0.5;       ///< for kQuantile, 0 < quantile < 1
  int rounds = 600;            ///< trees, at most
  int leaves = 40;             ///< of a tree
  double learning_rate = 0.05;
  double column_share = 0.3;  ///< of the columns, drawn for every tree
  double row_share = 0.7;     ///< of the rows, drawn for every tree
  int leaf_rows_min = 100;
  double l2 = 1.0;                ///< ridge on the leaves
  int early_stopping_rounds = 0;  ///< stop after so many rounds without gain on the validation set; 0 = never
  std::uint32_t seed = 1;
};

/// What the columns of a training set are.
struct BoosterColumns {
  std::vector<std::string> names;      ///< letters, digits and _; unique
  std::vector<std::uint8_t> category;  ///< 1 = codes 0.. without order
  int bins = 255;                      ///< steps into which a column is cut
};

/// Rows for training: cut into bins as they come, so that the float matrix is never held as a whole. A row is
/// one float per column; NaN = missing. Not thread-safe while it is filled.
class BoosterData {
 public:
  /// @param sample  whole rows, at most some 200,000, from which the bins are found
  /// @param rows    rows that will be pushed
  static Result<BoosterData> create(const BoosterColumns& columns, std::span<const float> sample,
                                    std::size_t rows);
  /// A set with the bins of `reference`, for validation.
  static Result<BoosterData> create_like(const BoosterData& reference, std::size_t rows);
  /// The next rows, in order; the last one of all finishes the set.
  Result<> push(std::span<const float> rows);
  /// One value per row each; weights and offsets (scores before the first tree) may be empty.
  Result<> set_labels(std::span<const float> labels, std::span<const float> weights,
                      std::span<const double> offsets);

  std::size_t rows() const { return rows_; }

  BoosterData(BoosterData&&) noexcept;
  BoosterData& operator=(BoosterData&&) noexcept;
  ~BoosterData();

 private:
  friend class Booster;
  struct Handle;
  BoosterData();
  std::unique_ptr<Handle> handle_;
  std::size_t columns_ = 0;
  std::size_t rows_ = 0;
  std::size_t pushed_ = 0;
};

/// Gradient boosted trees (Friedman 2001; Ke et al. 2017, NeurIPS) by LightGBM 4.7, on one thread. Immutable
/// once trained; every const member may be called from several threads. Equal data, options and seed give
/// equal trees on any machine.
class Booster {
 public:
  /// @param validation  scored after every round for early stopping; nullptr = none
  /// @return kCancelled when progress asked to stop, between two rounds; kInvalidInput for options LightGBM
  /// refuses
  static Result<Booster> train(const BoosterData& data, const BoosterData* validation,
                               const BoosterOptions& options, Progress& progress);
  /// What save() wrote; kCorruptData for anything else (a check sum is looked at first).
  static Result<Booster> load(std::string_view text);
  const std::string& save() const { return text_; }

  /// Raw scores of whole rows, one each: without the offset, before the link of the objective.
  Result<> predict(std::span<const float> rows, std::span<double> out) const;
  /// Share of every column in the raw score of each row (SHAP values; Lundberg & Lee 2017), [row][columns +
  /// 1]: the last one is the mean score. A row of them sums to its score.
  Result<std::vector<double>> contributions(std::span<const float> rows) const;
  /// Sum of the gains of a column's splits, one per column.
  std::vector<double> gains() const;

  std::size_t columns() const { return columns_; }
  int rounds() const { return rounds_; }
  /// Error of the validation set at the last kept round; NaN without one.
  double validation_error() const { return validation_error_; }

  Booster(Booster&&) noexcept;
  Booster& operator=(Booster&&) noexcept;
  ~Booster();

 private:
  struct Handle;
  Booster();
  std::unique_ptr<Handle> handle_;
  std::string text_;
  std::size_t columns_ = 0;
  int rounds_ = 0;
  double validation_error_ = 0;
};

}  // namespace tillcast::forecast
