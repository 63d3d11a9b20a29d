#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <random>

#include "crash/data_directory.h"
#include "io/durable_file.h"
#include "lake/lake.h"
#include "support/process.h"
#include "support/temp_dir.h"

namespace tillcast::test {
namespace {

constexpr int kRandomKills = 100;

/// Two sales files, and what an undisturbed run makes of it.
class Crash : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir;
    files_ = make_sales_files(folder_->path(), 120);
    const auto shop = folder_->file("undisturbed");
    make_data_directory(shop);
    const auto started = std::chrono::steady_clock::now();
    const auto result = run_on(shop, files_);
    run_time_ = std::chrono::steady_clock::now() - started;
    ASSERT_EQ(result.exit_code, 0) << result.err;
    expected_ = visible_content(shop);
    ASSERT_NE(expected_, "");
    expect_clean_lake(shop);
  }
  static void TearDownTestSuite() { delete folder_; }

  // A fresh data directory in which nothing ran yet.
  std::filesystem::path fresh(const std::string& name) {
    const auto shop = folder_->file(name);
    std::filesystem::remove_all(shop);
    make_data_directory(shop);
    return shop;
  }
  // What every test ends with: repeating the run gives what an undisturbed run gives.
  void expect_repeat_heals(const std::filesystem::path& shop, const std::string& what) {
    const auto repeated = run_on(shop, files_);
    ASSERT_EQ(repeated.exit_code, 0) << what << ": " << repeated.err;
    EXPECT_EQ(visible_content(shop), expected_) << what;
    expect_clean_lake(shop);
    std::filesystem::remove_all(shop);
  }

  static inline TempDir* folder_ = nullptr;
  static inline std::vector<std::filesystem::path> files_;
  static inline std::string expected_;
  static inline std::chrono::nanoseconds run_time_{};
};

TEST_F(Crash, AtEveryNamedPointARepeatedRunGivesTheUndisturbedTables) {
  int reached = 0;
  for (const char* point : lake::crash_points()) {
    const auto shop = fresh("point");
    ProcessOptions crash;
    crash.environment = {std::string("TILLCAST_CRASH_AT=") + point};
    auto result = run_on(shop, files_, crash);
    if (result.exit_code == 0) {
      // Not on a load's way: the points of compaction are.
      result = tillcast({"lake", "compact", "--data", shop.string()}, crash);
    }
    if (result.signal == SIGKILL) ++reached;
    expect_repeat_heals(shop, point);
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(reached, 10) << "most points must be on the way of a load or a compaction";
}

TEST_F(Crash, AtRandomMomentsARepeatedRunGivesTheUndisturbedTables) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  int killed = 0;
  for (int round = 0; round < kRandomKills; ++round) {
    const auto shop = fresh("random");
    ProcessOptions crash;
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(run_time_).count();
    crash.kill_after =
        std::chrono::microseconds(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(micros)));
    const auto result = run_on(shop, files_, crash);
    if (result.signal == SIGKILL) ++killed;
    expect_repeat_heals(shop, "killed after " + std::to_string(crash.kill_after->count()) + " us");
    if (HasFatalFailure()) return;
  }
  EXPECT_GE(killed, kRandomKills / 2);
}

// What a training left: its versions' content and the forecasts.
std::string trained_content(const std::filesystem::path& shop) {
  std::string text;
  for (const char* name : {"model.txt", "backtest.txt"})
    text += io::read_file(shop / "models/pairs/000001" / name).value_or(name);
  const auto points = tillcast({"sql", "--data", shop.string(), "--format", "csv",
                                "SELECT count(*), sum(hash(series_id, business_date, mean, lo80, hi95)) "
                                "FROM forecast_point"});
  EXPECT_EQ(points.exit_code, 0) << points.err;
  return text + points.out;
}

TEST_F(Crash, ATrainingKilledAfterAnyKeptStepGoesOnAndEndsAsAnUndisturbedOne) {
  const auto loaded = fresh("loaded");
  ASSERT_EQ(run_on(loaded, files_).exit_code, 0);
  std::ofstream(loaded / "tillcast.toml")
      << "[forecast]\ncheckpoint_ms = 1\nthreads = 1\n[[forecast.plan]]\nname = \"pairs\"\n"
         "measure = \"units\"\nby = [\"store\", \"product\"]\nhorizon = 7\n";
  const auto train = [](const std::filesystem::path& shop, const ProcessOptions& options = {}) {
    return tillcast({"forecast", "fit", "--data", shop.string()}, options);
  };
  const auto copy = [&](const char* name) {
    const auto shop = folder_->file(name);
    std::filesystem::remove_all(shop);
    std::filesystem::copy(loaded, shop, std::filesystem::copy_options::recursive);
    return shop;
  };
  const auto undisturbed = copy("trained");
  ASSERT_EQ(train(undisturbed).exit_code, 0);
  const std::string expected = trained_content(undisturbed);
  int killed = 0;
  for (int step = 1;; ++step) {
    const auto shop = copy("killed");
    ProcessOptions crash;
    crash.environment = {"TILLCAST_CRASH_AT=checkpoint.kept:" + std::to_string(step)};
    const auto result = train(shop, crash);
    if (result.signal == SIGKILL) {
      ++killed;
      const auto again = train(shop);
      ASSERT_EQ(again.exit_code, 0) << again.err;
      EXPECT_NE((again.out + again.err).find("pairs: resumed: "), std::string::npos)
          << again.out << again.err;
    }
    EXPECT_TRUE(trained_content(shop) == expected) << "killed after step " << step;
    if (result.signal != SIGKILL || HasFailure()) break;
  }
  EXPECT_GE(killed, 6);
}

}  // namespace
}  // namespace tillcast::test
