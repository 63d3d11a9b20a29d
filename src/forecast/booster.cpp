#include "forecast/booster.h"

#include <LightGBM/c_api.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

#include "core/text.h"

namespace tillcast::forecast {
namespace {

/// LightGBM logs to standard output unless told otherwise, and starts OpenMP's spinning threads by default.
void prepare_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    LGBM_RegisterLogCallback([](const char*) {});
    LGBM_SetMaxThreads(1);
  });
}

Error failure(const char* doing) { return invalid_input(std::string(doing) + ": " + LGBM_GetLastError()); }

std::string parameter_text(const BoosterOptions& options) {
  const auto seed = std::to_string(options.seed);
  return "objective=" + std::string(objective_name(options.objective)) +
         " tweedie_variance_power=" + std::to_string(options.tweedie_power) +
         " alpha=" + std::to_string(options.quantile) + " num_leaves=" + std::to_string(options.leaves) +
         " learning_rate=" + std::to_string(options.learning_rate) +
         " feature_fraction=" + std::to_string(options.column_share) +
         " bagging_fraction=" + std::to_string(options.row_share) +
         " bagging_freq=" + (options.row_share < 1 ? "1" : "0") +
         " min_data_in_leaf=" + std::to_string(options.leaf_rows_min) +
         " lambda_l2=" + std::to_string(options.l2) + " seed=" + seed + " bagging_seed=" + seed +
         " feature_fraction_seed=" + seed + " data_random_seed=" + seed +
         " num_threads=1 force_col_wise=true deterministic=true verbosity=-1";
}

std::string category_text(const BoosterColumns& columns) {
  std::string text;
  for (std::size_t i = 0; i < columns.category.size(); ++i)
    if (columns.category[i] != 0) text += (text.empty() ? " categorical_feature=" : ",") + std::to_string(i);
  return text;
}

/// First line of a saved booster: LightGBM may end the process over a damaged text, so that it never gets
/// one.
std::string check_line(std::string_view trees) {
  return "trees " + std::to_string(trees.size()) + " " + std::to_string(fnv1a(trees)) + "\n";
}

constexpr const char* kQuiet = "num_threads=1 verbosity=-1";

}  // namespace

std::string_view objective_name(Objective objective) {
  switch (objective) {
    case Objective::kL2:
      return "regression";
    case Objective::kL1:
      return "regression_l1";
    case Objective::kTweedie:
      return "tweedie";
    case Objective::kPoisson:
      return "poisson";
    case Objective::kQuantile:
      return "quantile";
  }
  return "regression";
}

bool has_log_link(Objective objective) {
  return objective == Objective::kTweedie || objective == Objective::kPoisson;
}

struct BoosterData::Handle {
  DatasetHandle raw = nullptr;
  ~Handle() {
    if (raw != nullptr) LGBM_DatasetFree(raw);
  }
};

BoosterData::BoosterData() : handle_(std::make_unique<Handle>()) {}
BoosterData::BoosterData(BoosterData&&) noexcept = default;
BoosterData& BoosterData::operator=(BoosterData&&) noexcept = default;
BoosterData::~BoosterData() = default;

Result<BoosterData> BoosterData::create(const BoosterColumns& columns, std::span<const float> sample,
                                        std::size_t rows) {
  prepare_library();
  const std::size_t count = columns.names.size();
  constexpr std::size_t kRowsMax = std::numeric_limits<std::int32_t>::max();
  if (count == 0 || rows == 0 || rows > kRowsMax || sample.empty() || sample.size() % count != 0)
    return invalid_input("training set of " + std::to_string(rows) + " rows and " + std::to_string(count) +
                         " columns with a sample of " + std::to_string(sample.size()) + " values");
  // LightGBM takes the sample by columns, zeros left out.
  const std::size_t sample_rows = sample.size() / count;
  std::vector<std::vector<double>> values(count);
  std::vector<std::vector<int>> places(count);
  for (std::size_t row = 0; row < sample_rows; ++row) {
    for (std::size_t column = 0; column < count; ++column) {
      const auto value = static_cast<double>(sample[row * count + column]);
      if (std::abs(value) <= 1e-35) continue;
      values[column].push_back(value);
      places[column].push_back(static_cast<int>(row));
    }
  }
  std::vector<double*> value_at(count);
  std::vector<int*> place_at(count);
  std::vector<int> sizes(count);
  for (std::size_t column = 0; column < count; ++column) {
    value_at[column] = values[column].data();
    place_at[column] = places[column].data();
    sizes[column] = static_cast<int>(values[column].size());
  }
  const std::string parameters = std::string(kQuiet) + " force_col_wise=true deterministic=true max_bin=" +
                                 std::to_string(columns.bins) + category_text(columns);
  BoosterData data;
  if (LGBM_DatasetCreateFromSampledColumn(value_at.data(), place_at.data(), static_cast<int>(count),
                                          sizes.data(), static_cast<int>(sample_rows), static_cast<int>(rows),
                                          static_cast<std::int64_t>(rows), parameters.c_str(),
                                          &data.handle_->raw) != 0)
    return failure("cut columns into bins");
  std::vector<const char*> names;
  names.reserve(columns.names.size());
  for (const std::string& name : columns.names) names.push_back(name.c_str());
  if (LGBM_DatasetSetFeatureNames(data.handle_->raw, names.data(), static_cast<int>(count)) != 0)
    return failure("name columns");
  data.columns_ = count;
  data.rows_ = rows;
  return data;
}

Result<BoosterData> BoosterData::create_like(const BoosterData& reference, std::size_t rows) {
  BoosterData data;
  if (LGBM_DatasetCreateByReference(reference.handle_->raw, static_cast<std::int64_t>(rows),
                                    &data.handle_->raw) != 0)
    return failure("make a validation set");
  data.columns_ = reference.columns_;
  data.rows_ = rows;
  return data;
}

Result<> BoosterData::push(std::span<const float> rows) {
  if (rows.empty()) return {};
  const std::size_t count = rows.size() / columns_;
  if (rows.size() % columns_ != 0 || pushed_ + count > rows_) {
    return invalid_input("push of " + std::to_string(rows.size()) + " values into a training set of " +
                         std::to_string(columns_) + " columns with room for " +
                         std::to_string(rows_ - pushed_) + " rows");
  }
  if (LGBM_DatasetPushRows(handle_->raw, rows.data(), C_API_DTYPE_FLOAT32, static_cast<std::int32_t>(count),
                           static_cast<std::int32_t>(columns_), static_cast<std::int32_t>(pushed_)) != 0)
    return failure("add training rows");
  pushed_ += count;
  return {};
}

Result<> BoosterData::set_labels(std::span<const float> labels, std::span<const float> weights,
                                 std::span<const double> offsets) {
  const auto fits = [&](std::size_t size) { return size == rows_ || size == 0; };
  if (labels.size() != rows_ || !fits(weights.size()) || !fits(offsets.size()) || pushed_ != rows_)
    return invalid_input("training set of " + std::to_string(rows_) + " rows has " + std::to_string(pushed_) +
                         " rows and " + std::to_string(labels.size()) + " labels");
  const auto count = static_cast<int>(rows_);
  if (LGBM_DatasetSetField(handle_->raw, "label", labels.data(), count, C_API_DTYPE_FLOAT32) != 0)
    return failure("set labels");
  if (!weights.empty() &&
      LGBM_DatasetSetField(handle_->raw, "weight", weights.data(), count, C_API_DTYPE_FLOAT32) != 0)
    return failure("set weights");
  if (!offsets.empty() &&
      LGBM_DatasetSetField(handle_->raw, "init_score", offsets.data(), count, C_API_DTYPE_FLOAT64) != 0)
    return failure("set offsets");
  return {};
}

struct Booster::Handle {
  BoosterHandle raw = nullptr;
  ~Handle() {
    if (raw != nullptr) LGBM_BoosterFree(raw);
  }
};

Booster::Booster() : handle_(std::make_unique<Handle>()) {}
Booster::Booster(Booster&&) noexcept = default;
Booster& Booster::operator=(Booster&&) noexcept = default;
Booster::~Booster() = default;

Result<Booster> Booster::train(const BoosterData& data, const BoosterData* validation,
                               const BoosterOptions& options, Progress& progress) {
  prepare_library();
  Handle training;
  const std::string parameters = parameter_text(options);
  if (LGBM_BoosterCreate(data.handle_->raw, parameters.c_str(), &training.raw) != 0)
    return failure("start training");
  if (validation != nullptr && LGBM_BoosterAddValidData(training.raw, validation->handle_->raw) != 0)
    return failure("add the validation set");
  int best_rounds = 0;
  double best_error = std::numeric_limits<double>::infinity();
  int trained = 0;
  while (trained < options.rounds) {
    if (progress.cancelled()) return cancelled("training stopped on request");
    int finished = 0;
    if (LGBM_BoosterUpdateOneIter(training.raw, &finished) != 0) return failure("grow a tree");
    ++trained;
    progress.update(static_cast<std::uint64_t>(trained), static_cast<std::uint64_t>(options.rounds));
    if (finished != 0) break;
    if (validation == nullptr) continue;
    int length = 0;
    double errors[8] = {};
    if (LGBM_BoosterGetEval(training.raw, 1, &length, errors) != 0 || length < 1)
      return failure("score the validation set");
    if (errors[0] < best_error) {
      best_error = errors[0];
      best_rounds = trained;
    }
    if (options.early_stopping_rounds > 0 && trained - best_rounds >= options.early_stopping_rounds) break;
  }
  const bool stops_early = validation != nullptr && options.early_stopping_rounds > 0;
  const int kept = stops_early ? std::max(best_rounds, 1) : -1;
  std::int64_t length = 0;
  std::string text;
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (LGBM_BoosterSaveModelToString(training.raw, 0, kept, C_API_FEATURE_IMPORTANCE_GAIN,
                                      static_cast<std::int64_t>(text.size()), &length, text.data()) != 0)
      return failure("save the trees");
    if (length <= static_cast<std::int64_t>(text.size())) break;
    text.resize(static_cast<std::size_t>(length));
  }
  text.resize(static_cast<std::size_t>(std::max<std::int64_t>(length - 1, 0)));  // without its end mark
  // Read back: a model that only predicts, free of the training set.
  auto booster = load(check_line(text) + text);
  if (booster) booster->validation_error_ = validation != nullptr ? best_error : std::nan("");
  return booster;
}

Result<Booster> Booster::load(std::string_view text) {
  prepare_library();
  Booster booster;
  booster.text_ = text;
  const std::size_t head = std::min(text.find('\n'), text.size() - 1) + 1;
  const std::string_view trees = text.substr(std::min(head, text.size()));
  if (text.empty() || text.substr(0, head) != check_line(trees) || !trees.starts_with("tree\n"))
    return corrupt_data("trees do not read back: the text is cut off or damaged");
  if (LGBM_BoosterLoadModelFromString(booster.text_.c_str() + head, &booster.rounds_,
                                      &booster.handle_->raw) != 0)
    return corrupt_data(std::string("trees do not read back: ") + LGBM_GetLastError());
  int columns = 0;
  if (LGBM_BoosterGetNumFeature(booster.handle_->raw, &columns) != 0 || columns < 1)
    return corrupt_data("trees do not read back: no columns");
  booster.columns_ = static_cast<std::size_t>(columns);
  booster.validation_error_ = std::nan("");
  return booster;
}

Result<> Booster::predict(std::span<const float> rows, std::span<double> out) const {
  if (rows.size() != out.size() * columns_)
    return invalid_input("forecast of " + std::to_string(out.size()) + " rows from " +
                         std::to_string(rows.size()) + " values of " + std::to_string(columns_) + " columns");
  if (out.empty()) return {};
  std::int64_t length = 0;
  if (LGBM_BoosterPredictForMat(handle_->raw, rows.data(), C_API_DTYPE_FLOAT32,
                                static_cast<std::int32_t>(out.size()), static_cast<std::int32_t>(columns_), 1,
                                C_API_PREDICT_RAW_SCORE, 0, -1, kQuiet, &length, out.data()) != 0)
    return failure("forecast by trees");
  return {};
}

Result<std::vector<double>> Booster::contributions(std::span<const float> rows) const {
  const std::size_t count = rows.size() / columns_;
  std::vector<double> out(count * (columns_ + 1));
  if (rows.size() != count * columns_)
    return invalid_input("contributions of " + std::to_string(rows.size()) + " values in " +
                         std::to_string(columns_) + " columns");
  if (count == 0) return out;
  std::int64_t length = 0;
  if (LGBM_BoosterPredictForMat(handle_->raw, rows.data(), C_API_DTYPE_FLOAT32,
                                static_cast<std::int32_t>(count), static_cast<std::int32_t>(columns_), 1,
                                C_API_PREDICT_CONTRIB, 0, -1, kQuiet, &length, out.data()) != 0)
    return failure("contributions of columns");
  return out;
}

std::vector<double> Booster::gains() const {
  std::vector<double> out(columns_, 0.0);
  if (LGBM_BoosterFeatureImportance(handle_->raw, 0, C_API_FEATURE_IMPORTANCE_GAIN, out.data()) != 0)
    std::ranges::fill(out, std::nan(""));
  return out;
}

}  // namespace tillcast::forecast
