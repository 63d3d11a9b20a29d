#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>
#include <random>

#include "crash/data_directory.h"
#include "support/process.h"
#include "support/temp_dir.h"

namespace tillcast::test {
namespace {

constexpr int kPowerCuts = 30;
constexpr unsigned long kExt4Shutdown = 0x8004587D;  // EXT4_IOC_SHUTDOWN
constexpr std::uint32_t kWithoutLogFlush = 2;

int shell(const std::string& command) { return run_process({"/bin/sh", "-c", command}).exit_code; }

/// An ext4 file system in a file, whose power can be cut: what was not flushed is gone.
class CutDisk {
 public:
  explicit CutDisk(const TempDir& folder) : image_(folder.file("disk.img")), mount_(folder.file("disk")) {
    std::filesystem::create_directories(mount_);
    ok_ = shell("truncate -s 256M " + image_.string() + " && mkfs.ext4 -q -F " + image_.string() +
                " 2>/dev/null") == 0 &&
          attach();
  }
  ~CutDisk() { shell("umount -l " + mount_.string() + " 2>/dev/null"); }
  bool ok() const { return ok_; }
  const std::filesystem::path& path() const { return mount_; }
  void cut() const {
    const int folder = ::open(mount_.c_str(), O_RDONLY | O_DIRECTORY);
    std::uint32_t flags = kWithoutLogFlush;
    if (folder >= 0) {
      ::ioctl(folder, kExt4Shutdown, &flags);
      ::close(folder);
    }
  }
  bool reattach() { return shell("umount " + mount_.string()) == 0 && attach(); }

 private:
  bool attach() const {
    return shell("mount -o loop " + image_.string() + " " + mount_.string() + " 2>/dev/null") == 0;
  }
  std::filesystem::path image_;
  std::filesystem::path mount_;
  bool ok_ = false;
};

TEST(PowerCut, AtRandomMomentsLosesNothingThatWasAcknowledged) {
  if (::geteuid() != 0) TILLCAST_SKIP_OR_FAIL("a loop-mounted ext4 needs root; run the tests as root");
  const TempDir folder;
  const auto files = make_sales_files(folder.path(), 120);
  const auto reference = folder.file("undisturbed");
  make_data_directory(reference);
  const auto started = std::chrono::steady_clock::now();
  ASSERT_EQ(run_on(reference, files).exit_code, 0);
  const auto run_time = std::chrono::steady_clock::now() - started;
  const std::string expected = visible_content(reference);

  CutDisk disk(folder);
  if (!disk.ok()) TILLCAST_SKIP_OR_FAIL("no ext4 could be made and mounted here (mkfs.ext4, mount -o loop)");
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto shop = disk.path() / "shop";
  for (int round = 0; round < kPowerCuts; ++round) {
    std::filesystem::remove_all(shop);
    make_data_directory(shop);
    ProcessOptions crash;
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(run_time).count();
    crash.kill_after =
        std::chrono::microseconds(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(micros)));
    crash.at_kill = [&disk] { disk.cut(); };
    const auto result = run_on(shop, files, crash);
    const bool acknowledged = result.exit_code == 0;
    if (acknowledged) disk.cut();  // it ended before the cut: now cut, and all of it must be there
    ASSERT_TRUE(disk.reattach());
    if (acknowledged) {
      const auto loads = tillcast({"lake", "ls", "--loads", "--data", shop.string()});
      EXPECT_NE(loads.out.find("sales-2.csv"), std::string::npos)
          << "an acknowledged load is gone after a power cut\n"
          << loads.err;
    }
    if (!std::filesystem::exists(shop / "tillcast.toml"))
      make_data_directory(shop);  // cut before init was durable
    const auto repeated = run_on(shop, files);
    ASSERT_EQ(repeated.exit_code, 0) << "after " << crash.kill_after->count() << " us: " << repeated.err;
    EXPECT_EQ(visible_content(shop), expected) << "after " << crash.kill_after->count() << " us";
    expect_clean_lake(shop);
  }
}

}  // namespace
}  // namespace tillcast::test
