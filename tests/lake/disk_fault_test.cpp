// Full disks, read-only disks and the order of flushes. Each needs a mount or a tracer of its own: this
// program runs again as a child in a private mount namespace, or under strace.
#include <unistd.h>

#include <fstream>

#include "lake_builders.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::lake {
namespace {

using test::contents;
using test::load_file;
using ::tillcast::test::TempDir;

const Date kStart = date_from_civil(2011, 5, 25);

// LeakSanitizer cannot work under strace, and would fail every traced child.
const std::string kNoLeakCheck = "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 ";

std::string self() { return "/proc/" + std::to_string(::getpid()) + "/exe"; }
int shell(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }
bool may_mount() { return shell("unshare -m mount -t tmpfs -o size=64k tmpfs /mnt") == 0; }

TEST(LakeDiskFault, InsideASmallDisk) {
  const char* const mount = std::getenv("TILLCAST_LAKE_MOUNT");
  if (mount == nullptr)
    return;  // the work of a child process that FullDiskShowsNothingHalfAndRecovers starts
  const std::filesystem::path root = mount;
  ASSERT_OK_AND_ASSIGN(const Lake lake, Lake::open(root / "lake"));
  ASSERT_OK(load_file(lake, "a.csv", 100, kStart, "a"));
  const std::string before = contents(lake).value();
  // Fills up at many different places of a load: each failure names the cause and shows nothing.
  int failures = 0;
  for (std::size_t spare = 0; spare < 60'000; spare += 3'000) {
    const auto ballast = root / "ballast";
    const auto space = std::filesystem::space(root).available;
    std::ofstream(ballast) << std::string(space > spare ? space - spare : 0, 'x');
    const auto loaded = load_file(lake, "b.csv", 300, kStart, "b");
    std::filesystem::remove(ballast);
    if (loaded) break;
    ++failures;
    EXPECT_EQ(loaded.error().code, ErrorCode::kDiskFull);
    EXPECT_THAT(loaded.error().message, ::testing::HasSubstr("disk is full"));
    ASSERT_EQ(contents(lake).value(), before);
  }
  EXPECT_GT(failures, 3);
  if (!lake.find_load(test::load_info("b.csv").key)->has_value()) {
    ASSERT_OK(load_file(lake, "b.csv", 300, kStart, "b"));
  }
  NoProgress progress;
  EXPECT_TRUE(lake.verify(progress)->empty()) << "no repair is needed after space came back";
}

TEST(LakeDiskFault, InsideAReadOnlyDisk) {
  const char* const mount = std::getenv("TILLCAST_LAKE_MOUNT");
  if (mount == nullptr) return;  // the work of a child process that ReadOnlyDirectoryIsAClearError starts
  EXPECT_ERROR(Lake::open(std::filesystem::path(mount) / "lake"), ErrorCode::kIo,
               "read-only; choose a writable directory");
}

TEST(LakeDiskFault, FullDiskShowsNothingHalfAndRecovers) {
  if (!may_mount()) GTEST_SKIP() << "unshare -m and mount are not permitted here: a full disk is not tested";
  const TempDir dir;
  EXPECT_EQ(shell("unshare -m sh -c 'mount -t tmpfs -o size=400k tmpfs " + dir.path().string() +
                  " && TILLCAST_LAKE_MOUNT=" + dir.path().string() + " " + self() +
                  " --gtest_filter=LakeDiskFault.InsideASmallDisk'"),
            0);
}

TEST(LakeDiskFault, ReadOnlyDirectoryIsAClearError) {
  if (!may_mount())
    GTEST_SKIP() << "unshare -m and mount are not permitted here: read-only mounts are not tested";
  const TempDir dir;
  EXPECT_EQ(shell("unshare -m sh -c 'mount -t tmpfs -o ro tmpfs " + dir.path().string() +
                  " && TILLCAST_LAKE_MOUNT=" + dir.path().string() + " " + self() +
                  " --gtest_filter=LakeDiskFault.InsideAReadOnlyDisk'"),
            0);
}

TEST(LakeDiskFault, OneLoad) {
  const char* const directory = std::getenv("TILLCAST_LAKE_LOAD_DIR");
  if (directory == nullptr) return;  // the work of a child process that the tests under strace starts
  ASSERT_OK_AND_ASSIGN(const Lake lake, Lake::open(directory));
  ASSERT_OK(load_file(lake, "a.csv", 100, kStart, "a"));
}

// Every file is flushed before it gets its name, its folder after, and the entry comes last: a power cut at
// any moment leaves an entry only with whole files.
TEST(LakeDiskFault, EveryRenameIsFlushedBeforeAndAfterAndTheEntryComesLast) {
  if (shell("strace -qq -o /dev/null true") != 0) {
    GTEST_SKIP()
        << "strace cannot trace here (install strace, allow ptrace): the order of flushes is not tested";
  }
  const TempDir dir;
  const auto log = dir.file("strace.log");
  ASSERT_EQ(shell(kNoLeakCheck + "TILLCAST_LAKE_LOAD_DIR=" + (dir.path() / "lake").string() +
                  " strace -f -qq -y -e trace=fsync,renameat2 -o " + log.string() + " " + self() +
                  " --gtest_filter=LakeDiskFault.OneLoad"),
            0);
  std::ifstream lines(log);
  std::vector<std::string> flushed;  // since the last rename
  std::string folder_due;
  int renames = 0;
  bool entry_seen = false;
  const auto quoted = [](const std::string& line, std::size_t nth) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < 2 * nth; ++i) at = line.find('"', at) + 1;
    const std::size_t begin = line.find('"', at) + 1;
    return line.substr(begin, line.find('"', begin) - begin);
  };
  for (std::string line; std::getline(lines, line);) {
    if (line.find("fsync(") != std::string::npos) {
      const std::size_t begin = line.find('<') + 1;
      flushed.push_back(line.substr(begin, line.find('>', begin) - begin));
      if (flushed.back() == folder_due) folder_due.clear();
    } else if (line.find("renameat2(") != std::string::npos) {
      const std::string from = quoted(line, 0);
      const std::string to = quoted(line, 1);
      EXPECT_TRUE(folder_due.empty()) << "the folder of the rename before was not flushed: " << folder_due;
      EXPECT_THAT(flushed, ::testing::Contains(from)) << "renamed without a flush: " << to;
      EXPECT_FALSE(entry_seen) << "a file appeared after the entry: " << to;
      entry_seen = to.find("/manifest/") != std::string::npos;
      folder_due = std::filesystem::path(to).parent_path().string();
      flushed.clear();
      ++renames;
    }
  }
  EXPECT_TRUE(folder_due.empty()) << folder_due;
  EXPECT_TRUE(entry_seen);
  EXPECT_EQ(renames, 2 + 2 + 1 + 1) << "bronze and silver of two months, rejects, the entry";
}

// A failed flush is final: the load fails and nothing is visible.
TEST(LakeDiskFault, FailedFlushFailsTheLoad) {
  if (shell("strace -qq -o /dev/null true") != 0) {
    GTEST_SKIP() << "strace cannot trace here (install strace, allow ptrace): failed flushes are not tested";
  }
  for (int nth = 8; nth <= 14; ++nth) {  // the first ones make folders
    const TempDir dir;
    const int status =
        shell(kNoLeakCheck + "TILLCAST_LAKE_LOAD_DIR=" + (dir.path() / "lake").string() +
              " strace -f -qq -o /dev/null -e inject=fsync:error=EIO:when=" + std::to_string(nth) + " " +
              self() + " --gtest_filter=LakeDiskFault.OneLoad");
    EXPECT_NE(status, 0) << "flush " << nth << " failed and nobody noticed";
    ASSERT_OK_AND_ASSIGN(const Lake lake, Lake::open(dir.path() / "lake"));
    NoProgress progress;
    ASSERT_OK_AND_ASSIGN(const auto findings, lake.verify(progress));
    for (const Finding& finding : findings) {
      EXPECT_EQ(finding.severity, Finding::Severity::kRemark) << finding.kind << " " << finding.path;
    }
  }
}

}  // namespace
}  // namespace tillcast::lake
