#include "io/durable_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "io/file_error.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::io {
namespace {

TEST(DurableFile, WritesWhatItReads) {
  const test::TempDir dir;
  const std::string content(3'000'001, 'x');
  ASSERT_OK(write_file_atomically(dir.file("a"), content));
  ASSERT_OK_AND_ASSIGN(const std::string back, read_file(dir.file("a")));
  EXPECT_EQ(back, content);
}

TEST(DurableFile, ReplacesAtomicallyAndLeavesNoTemporary) {
  const test::TempDir dir;
  ASSERT_OK(write_file_atomically(dir.file("a"), "one"));
  ASSERT_OK(write_file_atomically(dir.file("a"), "two"));
  ASSERT_OK_AND_ASSIGN(const std::string back, read_file(dir.file("a")));
  EXPECT_EQ(back, "two");
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path())) ++entries;
  EXPECT_EQ(entries, 1U);
}

TEST(DurableFile, SecondExclusiveCreateIsAConflictAndKeepsTheFirst) {
  const test::TempDir dir;
  ASSERT_OK(create_file_exclusively(dir.file("1.json"), "first"));
  EXPECT_ERROR(create_file_exclusively(dir.file("1.json"), "second"), ErrorCode::kConflict, "1.json");
  ASSERT_OK_AND_ASSIGN(const std::string back, read_file(dir.file("1.json")));
  EXPECT_EQ(back, "first");
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path())) ++entries;
  EXPECT_EQ(entries, 1U) << "the loser's temporary file must be gone";
}

TEST(DurableFile, OfManyRacersExactlyOneCreates) {
  const test::TempDir dir;
  for (int round = 0; round < 20; ++round) {
    const auto path = dir.file(std::to_string(round));
    std::atomic<int> winners{0};
    std::vector<std::jthread> racers;
    for (int i = 0; i < 4; ++i) {
      racers.emplace_back([&, i] { winners += create_file_exclusively(path, std::to_string(i)) ? 1 : 0; });
    }
    racers.clear();
    EXPECT_EQ(winners, 1);
  }
}

TEST(DurableFile, MissingFileIsNotFoundAndNamesThePath) {
  EXPECT_ERROR(read_file("/nonexistent/a"), ErrorCode::kNotFound, "/nonexistent/a");
}

TEST(DurableFile, RefusesFilesLongerThanAsked) {
  const test::TempDir dir;
  dir.write("a", "0123456789");
  EXPECT_ERROR(read_file(dir.file("a"), 5), ErrorCode::kInvalidInput, "longer than the 5 bytes");
}

TEST(DurableFile, CreatesNestedDirectoriesAndRefusesAFileInTheWay) {
  const test::TempDir dir;
  ASSERT_OK(make_directories(dir.path() / "a" / "b" / "c"));
  EXPECT_TRUE(std::filesystem::is_directory(dir.path() / "a" / "b" / "c"));
  ASSERT_OK(make_directories(dir.path() / "a" / "b" / "c"));
  dir.write("f", "");
  EXPECT_ERROR(make_directories(dir.file("f")), ErrorCode::kInvalidInput, "directory was expected");
}

TEST(DurableFile, ErrorsSayWhatToDo) {
  EXPECT_THAT(file_error("write", "/data/x", ENOSPC).message,
              ::testing::StartsWith("cannot write /data/x: the disk is full; free"));
  EXPECT_THAT(file_error("create", "/x", EROFS).message,
              ::testing::HasSubstr("read-only; choose a writable"));
  EXPECT_THAT(file_error("create", "/x", EACCES).message, ::testing::HasSubstr("permission denied; change"));
  EXPECT_EQ(file_error("flush", "/x", EIO).code, ErrorCode::kIo);
}

// A full disk or a read-only mount needs a mount of our own: this binary runs again inside a private
// namespace.
bool run_mounted(const std::filesystem::path& dir, const std::string& mount_options,
                 const std::string& filter) {
  const std::string command = "unshare -m sh -c 'mount -t tmpfs -o " + mount_options + " tmpfs " +
                              dir.string() + " && TILLCAST_IO_MOUNT=" + dir.string() + " /proc/" +
                              std::to_string(::getpid()) + "/exe --gtest_filter=" + filter +
                              "' >/dev/null 2>&1";
  return std::system(command.c_str()) == 0;
}

bool may_mount() { return std::system("unshare -m mount -t tmpfs -o size=64k tmpfs /mnt 2>/dev/null") == 0; }

TEST(DurableFile, InsideAFullDisk) {
  const char* const mount = std::getenv("TILLCAST_IO_MOUNT");
  if (mount == nullptr)
    return;  // the work of a child process that FullDiskIsAnErrorAndKeepsTheOldContent starts
  const std::filesystem::path path = std::filesystem::path(mount) / "a";
  ASSERT_OK(write_file_atomically(path, "old"));
  EXPECT_ERROR(write_file_atomically(path, std::string(200'000, 'x')), ErrorCode::kDiskFull,
               "the disk is full");
  ASSERT_OK_AND_ASSIGN(const std::string back, read_file(path));
  EXPECT_EQ(back, "old");
  ASSERT_OK(write_file_atomically(path, std::string(20'000, 'y')));
}

TEST(DurableFile, InsideAReadOnlyFileSystem) {
  const char* const mount = std::getenv("TILLCAST_IO_MOUNT");
  if (mount == nullptr) return;  // the work of a child process that ReadOnlyFileSystemIsAnError starts
  EXPECT_ERROR(write_file_atomically(std::filesystem::path(mount) / "a", "x"), ErrorCode::kIo, "read-only");
}

TEST(DurableFile, FullDiskIsAnErrorAndKeepsTheOldContent) {
  if (!may_mount()) GTEST_SKIP() << "unshare -m and mount are not permitted here: a full disk is not tested";
  const test::TempDir dir;
  EXPECT_TRUE(run_mounted(dir.path(), "size=64k", "DurableFile.InsideAFullDisk"));
}

TEST(DurableFile, ReadOnlyFileSystemIsAnError) {
  if (!may_mount())
    GTEST_SKIP() << "unshare -m and mount are not permitted here: read-only mounts are not tested";
  const test::TempDir dir;
  EXPECT_TRUE(run_mounted(dir.path(), "ro", "DurableFile.InsideAReadOnlyFileSystem"));
}

// Counts the system calls of one step under strace in a child: flushes must come before the rename, the flush
// of the directory after it. Looking at the calls is the only test of this that needs no power cut.
std::vector<std::string> traced_calls(const std::filesystem::path& dir, const std::string& step) {
  const auto log = dir / "strace.log";
  // LeakSanitizer cannot run in a traced process.
  const std::string command = "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 TILLCAST_IO_STEP=" + step +
                              " TILLCAST_IO_DIR=" + dir.string() +
                              " strace -f -qq -e trace=fsync,rename,renameat2,link -o " + log.string() +
                              " /proc/" + std::to_string(::getpid()) +
                              "/exe --gtest_filter=DurableFile.StepForStrace >/dev/null 2>&1";
  if (std::system(command.c_str()) != 0) return {};
  std::vector<std::string> calls;
  std::ifstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    for (const char* name : {"fsync", "renameat2", "rename", "link"}) {
      if (line.find(std::string(" ") + name + "(") != std::string::npos) {
        calls.emplace_back(name);
        break;
      }
    }
  }
  return calls;
}

TEST(DurableFile, StepForStrace) {
  const char* const step = std::getenv("TILLCAST_IO_STEP");
  if (step == nullptr) return;  // the work of a child process that the next test starts
  const std::filesystem::path dir = std::getenv("TILLCAST_IO_DIR");
  if (std::string_view(step) == "replace") ASSERT_OK(write_file_atomically(dir / "a", "x"));
  if (std::string_view(step) == "create") ASSERT_OK(create_file_exclusively(dir / "b", "x"));
}

TEST(DurableFile, FlushesFileBeforeRenameAndDirectoryAfter) {
  if (std::system("strace -qq -o /dev/null true 2>/dev/null") != 0) {
    GTEST_SKIP()
        << "strace cannot trace here (install strace, allow ptrace): the order of flushes is not tested";
  }
  const test::TempDir dir;
  EXPECT_EQ(traced_calls(dir.path(), "replace"), (std::vector<std::string>{"fsync", "rename", "fsync"}));
  EXPECT_EQ(traced_calls(dir.path(), "create"), (std::vector<std::string>{"fsync", "renameat2", "fsync"}));
}

}  // namespace
}  // namespace tillcast::io
