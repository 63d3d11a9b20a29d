// Trainings that are stopped half-way in a plan, through the Engine and as files.
#include "pipeline/file_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "io/durable_file.h"
#include "pipeline/small_shop.h"
#include "support/result_matchers.h"

namespace tillcast::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kStores = 16;
constexpr int kDays = 150;

/// Hears the notes, and asks to stop when so much of the training is done.
class Stopper final : public StageObserver {
 public:
  explicit Stopper(std::uint64_t percent) : percent_(percent) {}
  void note(const std::string& line) override { notes += line + "\n"; }
  void update(std::uint64_t done, std::uint64_t total) override {
    stop_ = stop_ || 100 * done >= percent_ * total;
  }
  bool cancelled() const override { return stop_; }
  std::string notes;

 private:
  std::uint64_t percent_;
  std::atomic<bool> stop_ = false;
};
constexpr std::uint64_t kNever = 1000;

/// A shop whose sales are loaded, with one plan that was never trained.
struct UntrainedShop {
  explicit UntrainedShop(const std::string& settings = "checkpoint_ms = 1") {
    EXPECT_OK(Engine::init(path(), false));
    folder.write("shop/tillcast.toml", "[forecast]\nthreads = 2\n" + settings +
                                           "\n[[forecast.plan]]\nname = \"stores\"\nmeasure = \"units\"\n"
                                           "by = [\"store\"]\nhorizon = 14\n");
    engine = test::open_shop(path());
    load(0, kDays);
  }
  void load(int from, int to) {
    test::load_only(*engine, folder.write(std::to_string(to) + ".csv", test::sales(from, to, kStores)));
  }
  bool fit(StageObserver& observer) const { return engine->fit_forecasts({}, observer).has_value(); }
  std::filesystem::path path() const { return folder.file("shop"); }
  std::filesystem::path steps() const { return path() / "runs/checkpoints/stores"; }
  std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const auto& one : std::filesystem::directory_iterator(steps()))
      names.push_back(one.path().filename().string());
    return names;
  }
  /// What the first version learnt, and how good it was.
  std::string version() const {
    std::string text;
    for (const char* name : {"model.txt", "backtest.txt"})
      text += io::read_file(path() / "models/stores/000001" / name).value_or(name);
    return text;
  }

  test::TempDir folder;
  std::unique_ptr<Engine> engine;
};

TEST(FileCheckpoint, ATrainingStoppedAgainAndAgainEndsAsOneThatWasLeftAlone) {
  const UntrainedShop alone;
  Stopper never(kNever);
  ASSERT_TRUE(alone.fit(never));
  EXPECT_THAT(never.notes, Not(HasSubstr("resumed")));
  EXPECT_FALSE(std::filesystem::exists(alone.steps())) << "the version is stored";

  const UntrainedShop shop;
  for (const std::uint64_t percent : {10, 20, 30, 50, 80}) {
    Stopper stopper(percent);
    ASSERT_FALSE(shop.fit(stopper));
    EXPECT_TRUE(std::filesystem::exists(shop.steps())) << percent;
  }
  Stopper last(kNever);
  ASSERT_TRUE(shop.fit(last));
  EXPECT_THAT(last.notes, HasSubstr("of 16 series were back-tested before"));
  EXPECT_TRUE(shop.version() == alone.version());
  EXPECT_FALSE(std::filesystem::exists(shop.steps()));
}

TEST(FileCheckpoint, OtherDataBeginAnewAndRemoveWhatWasKept) {
  UntrainedShop shop;
  Stopper stopper(20);
  ASSERT_FALSE(shop.fit(stopper));
  const auto before = shop.keys();
  ASSERT_EQ(before.size(), 1U);
  shop.load(kDays, kDays + 1);
  Stopper again(20);
  ASSERT_FALSE(shop.fit(again));
  EXPECT_THAT(again.notes, Not(HasSubstr("resumed")));
  const auto after = shop.keys();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_NE(after, before);
}

TEST(FileCheckpoint, AFailingWriteIsNotedOnceAndStopsNothing) {
  const UntrainedShop shop;
  shop.folder.write("shop/runs/checkpoints", "in the way");
  Stopper observer(kNever);
  ASSERT_TRUE(shop.fit(observer));
  const auto at = observer.notes.find("cannot be kept");
  ASSERT_NE(at, std::string::npos) << observer.notes;
  EXPECT_EQ(observer.notes.find("cannot be kept", at + 1), std::string::npos);
}

TEST(FileCheckpoint, SmallTrainingsWriteNothing) {
  for (const char* settings : {"", "checkpoint_ms = 0"}) {
    const UntrainedShop shop(settings);
    Stopper stopper(20);
    ASSERT_FALSE(shop.fit(stopper));
    EXPECT_FALSE(std::filesystem::exists(shop.steps().parent_path()));
  }
}

TEST(FileCheckpoint, WhatFitIdDoesNotTellIsInTheKey) {
  const test::TempDir folder;
  StageObserver silent;
  PlanSeries data;
  data.series.resize(1);
  data.series[0].drivers = {{"weather", forecast::DriverKind::kNumber, {1, 2}}};
  data.attributes = {{"type", true, {0}, {"small"}}};
  const auto checkpoint = [&] { return FileCheckpoint(folder.path(), "stores", "fit", data, silent); };
  auto first = checkpoint();
  first.keep("step", "bytes");
  folder.write("stores/" +
                   std::filesystem::directory_iterator(folder.file("stores"))->path().filename().string() +
                   "/.step.1-1.tmp",
               "half");
  auto second = checkpoint();
  EXPECT_EQ(second.find("step"), "bytes");
  EXPECT_EQ(second.find(".step.1-1.tmp"), std::nullopt) << "what a killed writer left is removed";
  data.attributes[0].words = {"large"};
  EXPECT_EQ(checkpoint().find("step"), std::nullopt);
  EXPECT_EQ(second.find("step"), std::nullopt) << "removed by the other";
  checkpoint().keep("step", "bytes");
  EXPECT_EQ(checkpoint().find("step"), "bytes");
  data.series[0].drivers[0].kind = forecast::DriverKind::kCategory;
  EXPECT_EQ(checkpoint().find("step"), std::nullopt);
}

}  // namespace
}  // namespace tillcast::pipeline
