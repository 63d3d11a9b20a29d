// A run that was stopped goes on from its checkpoint and ends as one that was left alone.
#include "forecast/checkpoint.h"

#include <cmath>
#include <map>

#include "forecast/fitted_model.h"
#include "forecast/global_model.h"
#include "generated_series.h"
#include "support/result_matchers.h"

namespace tillcast::forecast {
namespace {

using test::daily_series;
using test::reference_series;
using test::shop_series;

constexpr std::size_t kHorizon = 7;

/// Keeps in memory; can ask the run to stop once so many steps are new.
class MemoryCheckpoint final : public Checkpoint, public Progress {
 public:
  std::optional<std::string> find(const std::string& step) override {
    ++asked;
    const auto at = kept.find(step);
    return at == kept.end() ? std::nullopt : std::optional(at->second);
  }
  void keep(const std::string& step, std::string_view bytes) override {
    ++added;
    if (!full) kept[step] = bytes;
  }
  void resumed(std::size_t found, std::size_t series) override {
    said += std::to_string(found) + " of " + std::to_string(series) + "\n";
  }
  void update(std::uint64_t done, std::uint64_t) override {
    EXPECT_GE(done, shown);
    shown = done;
  }
  bool cancelled() const override { return added >= stop_after; }
  /// For the next run.
  void begin(std::size_t stops_after) {
    added = asked = 0;
    shown = 0;
    said.clear();
    stop_after = stops_after;
  }

  std::map<std::string, std::string> kept;
  bool full = false;
  std::size_t asked = 0;
  std::size_t added = 0;
  std::size_t stop_after = kNever;
  std::uint64_t shown = 0;
  std::string said;
  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
};

/// Shops and reference series, among them a short one, an empty one and one that is refused.
std::vector<Series> shops() {
  std::vector<Series> series;
  for (std::uint32_t seed = 1; seed <= 4; ++seed) series.push_back(shop_series(230, kHorizon, seed));
  for (const char* name : {"weekly", "walk", "rare"}) series.push_back(daily_series(reference_series(name)));
  series.push_back(daily_series({3, 4}));
  series.push_back(daily_series({}));
  series.push_back(daily_series({1, std::nan(""), 2}));
  series.push_back(shop_series(230, kHorizon, 9));
  series[4].start = series[0].date_at(20);  // ends with the shops: a member of the panels
  for (std::size_t i = 5; i < 8; ++i) series[i].start = series[0].start;  // end before
  for (std::size_t i = 0; i < series.size(); ++i) series[i].index = i;
  return series;
}

std::vector<std::string> ids_of(const std::vector<Series>& series) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < series.size(); ++i) ids.push_back("shop " + std::to_string(i));
  return ids;
}

/// Every step is kept: each series is a stretch of its own.
ForecastOptions options_for(Checkpoint* checkpoint, unsigned threads = 1) {
  ForecastOptions options;
  options.backtest.horizon = kHorizon;
  GlobalModelOptions trees;
  trees.booster.rounds = 5;
  trees.booster.leaves = 4;
  trees.booster.leaf_rows_min = 5;
  options.panel_models = {{std::make_shared<GlobalModel>(trees), nullptr}};
  options.keep_errors = true;
  options.threads = threads;
  options.checkpoint = checkpoint;
  options.checkpoint_seconds = 1e-12;
  return options;
}

template <class T>
void add_bits(std::string& out, const T& value) {
  static_assert(std::has_unique_object_representations_v<T> || std::is_floating_point_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void add_bits(std::string& out, const Accuracy& sums) {
  for (const std::size_t value : {sums.count, sums.nonzero, sums.scaled, sums.square_scaled})
    add_bits(out, value);
  for (const double value : {sums.absolute_error, sums.error, sums.squared_error, sums.absolute_actual,
                             sums.squared_relative_error, sums.symmetric_error, sums.scaled_error,
                             sums.relative_error, sums.square_scaled_error})
    add_bits(out, value);
}

/// What a version, the gate and the tables take from a run, as bits.
std::string bits_of(const FitResult& fit) {
  std::string out = format_fitted(fit.fitted);
  for (const SeriesForecast& one : fit.run.series) {
    out += one.reason + std::string(series_status_name(one.status)) + std::string(model(one.model).name);
    for (const std::size_t value : {one.index, one.observed, one.outliers_capped}) add_bits(out, value);
    for (const ForecastPoint& point : one.points)
      for (const double value : {point.mean, point.lo80, point.hi80, point.lo95, point.hi95})
        add_bits(out, value);
    for (const float value : one.quantiles) add_bits(out, value);
    for (const float value : one.errors) add_bits(out, value);
    for (const ModelAccuracy& row : one.backtest) {
      out += row.refused + std::string(model(row.model).name);
      add_bits(out, row.accuracy);
    }
    for (const HeldOut& part : one.held_out)
      for (const Accuracy& sums : {part.own, part.rival, part.naive}) add_bits(out, sums);
  }
  for (const AccuracyRow& row : fit.run.accuracy)
    for (const Accuracy& sums : {row.newest, row.newest_benchmark, row.all}) add_bits(out, sums);
  for (const CoverageRow& row : fit.run.coverage)
    for (const std::size_t value : {row.coverage.count, row.coverage.inside80, row.coverage.inside95})
      add_bits(out, value);
  add_bits(out, fit.run.total_factor);
  return out;
}

class Resume : public ::testing::Test {
 protected:
  void SetUp() override { run_undisturbed(); }
  void run_undisturbed() {
    NoProgress progress;
    ASSERT_OK_AND_ASSIGN(const FitResult alone, fit_all(series_, ids_, options(nullptr, 1), progress));
    expected_ = bits_of(alone);
  }
  ForecastOptions options(Checkpoint* checkpoint, unsigned threads) const {
    ForecastOptions made = options_for(checkpoint, threads);
    if (!models_.empty()) made.panel_models.clear();
    made.models = models_;
    return made;
  }
  Result<FitResult> fit(MemoryCheckpoint& checkpoint, unsigned threads = 1) {
    return fit_all(series_, ids_, options(&checkpoint, threads), checkpoint);
  }
  void expect_undisturbed(MemoryCheckpoint& checkpoint, unsigned threads = 1) {
    ASSERT_OK_AND_ASSIGN(const FitResult resumed, fit(checkpoint, threads));
    EXPECT_TRUE(bits_of(resumed) == expected_) << "the result differs";
  }
  void expect_undisturbed_after_any_stop(std::size_t steps) {
    MemoryCheckpoint whole;
    expect_undisturbed(whole, 2);
    EXPECT_EQ(whole.added, steps);
    EXPECT_EQ(whole.kept.size(), steps);
    for (std::size_t stop = 1; stop < steps && !HasFailure(); ++stop) {
      SCOPED_TRACE("stopped after step " + std::to_string(stop));
      MemoryCheckpoint checkpoint;
      checkpoint.begin(stop);
      EXPECT_ERROR(fit(checkpoint), ErrorCode::kCancelled, "stopped on request");
      EXPECT_EQ(checkpoint.kept.size(), stop);
      checkpoint.begin(MemoryCheckpoint::kNever);
      expect_undisturbed(checkpoint, stop % 2 == 0 ? 1 : 3);
      EXPECT_EQ(checkpoint.added, steps - stop) << "nothing is done twice";
    }
  }

  std::vector<Series> series_ = shops();
  std::vector<std::string> ids_ = ids_of(series_);
  std::vector<ModelId> models_;  ///< when named, local ones alone
  std::string expected_;
};

TEST_F(Resume, StoppedAfterAnyStepTheNextRunEqualsAnUndisturbedOneBitForBit) {
  // Back-tests and final fits of ten stretches, two fits of trees and of pooled_level.
  expect_undisturbed_after_any_stop(2 * 10 + 2 * 2);
}

TEST_F(Resume, ParametersOfLocalModelsReadBackBitForBit) {
  models_ = {ModelId::kSeasonalNaive, ModelId::kDynamicTheta, ModelId::kAutoEts, ModelId::kBlend};
  run_undisturbed();
  expect_undisturbed_after_any_stop(2 * 10);
}

TEST_F(Resume, StoppedAgainAndAgainItComesToItsEnd) {
  MemoryCheckpoint checkpoint;
  int stops = 0;
  for (;; ++stops) {
    ASSERT_LT(stops, 100);
    checkpoint.begin(2);
    if (fit(checkpoint)) break;
  }
  EXPECT_GE(stops, 12);
  checkpoint.begin(MemoryCheckpoint::kNever);
  expect_undisturbed(checkpoint);
  EXPECT_EQ(checkpoint.added, 0U) << "all was there";
  EXPECT_EQ(checkpoint.said, "11 of 11\n");
}

TEST_F(Resume, FitsAtEveryOriginAreKeptApart) {
  MemoryCheckpoint checkpoint;
  ForecastOptions options = options_for(&checkpoint);
  options.backtest.refit = true;
  NoProgress progress;
  ASSERT_OK_AND_ASSIGN(const FitResult first, fit_all(series_, ids_, options, progress));
  EXPECT_EQ(checkpoint.added, 2 * 10 + 2 * 4U);
  checkpoint.begin(MemoryCheckpoint::kNever);
  ASSERT_OK_AND_ASSIGN(const FitResult again, fit_all(series_, ids_, options, progress));
  EXPECT_TRUE(bits_of(again) == bits_of(first));
  EXPECT_EQ(checkpoint.added, 0U);
}

TEST_F(Resume, WhatIsDamagedWasNeverKept) {
  MemoryCheckpoint whole;
  expect_undisturbed(whole);
  const auto intact = whole.kept;
  int damage = 0;
  for (const auto& [step, bytes] : intact) {
    SCOPED_TRACE(step);
    std::string other = bytes;
    switch (damage++ % 4) {
      case 0:
        other[other.size() / 2] = static_cast<char>(other[other.size() / 2] ^ 1);
        break;
      case 1:
        other.resize(other.size() - 1);
        break;
      case 2:
        other.clear();
        break;
      default:
        other = intact.begin()->second;  // of another step
        break;
    }
    if (other == bytes) continue;
    whole.kept = intact;
    whole.kept[step] = other;
    whole.begin(MemoryCheckpoint::kNever);
    expect_undisturbed(whole);
    EXPECT_EQ(whole.added, 1U);
    EXPECT_TRUE(whole.kept == intact) << "and is kept again";
  }
}

TEST_F(Resume, ACheckpointThatCannotKeepFailsNothing) {
  MemoryCheckpoint full;
  full.full = true;
  expect_undisturbed(full);
  EXPECT_TRUE(full.kept.empty());
  EXPECT_EQ(full.said, "");
}

TEST_F(Resume, ShortRunsAndUpdatesLeaveItAlone) {
  MemoryCheckpoint checkpoint;
  ForecastOptions options = options_for(&checkpoint);
  options.checkpoint_seconds = ForecastOptions{}.checkpoint_seconds;
  ASSERT_OK_AND_ASSIGN(const FitResult fitted, fit_all(series_, ids_, options, checkpoint));
  EXPECT_TRUE(bits_of(fitted) == expected_);
  checkpoint.begin(MemoryCheckpoint::kNever);
  EXPECT_OK(predict_all(fitted.fitted, series_, ids_, options_for(&checkpoint), checkpoint));
  EXPECT_EQ(checkpoint.asked, 0U);
  EXPECT_EQ(checkpoint.added, 0U);
}

}  // namespace
}  // namespace tillcast::forecast
