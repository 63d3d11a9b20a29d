#include "io/directory_lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::io {
namespace {

TEST(DirectoryLock, SecondOwnerIsToldThePidOfTheFirst) {
  const test::TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto lock, DirectoryLock::acquire(dir.path()));
  EXPECT_ERROR(DirectoryLock::acquire(dir.path()), ErrorCode::kUnavailable,
               "pid " + std::to_string(::getpid()));
  EXPECT_EQ(DirectoryLock::owner(dir.path()), ::getpid());
}

TEST(DirectoryLock, IsFreeAfterItsOwnerIsGone) {
  const test::TempDir dir;
  {
    ASSERT_OK_AND_ASSIGN(const auto lock, DirectoryLock::acquire(dir.path()));
  }
  EXPECT_EQ(DirectoryLock::owner(dir.path()), 0);
  EXPECT_OK(DirectoryLock::acquire(dir.path()));
}

TEST(DirectoryLock, DiesWithAKilledProcess) {
  const test::TempDir dir;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = DirectoryLock::acquire(dir.path());
    [[maybe_unused]] const auto told = ::write(ready[1], lock ? "y" : "n", 1);
    ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_ERROR(DirectoryLock::acquire(dir.path()), ErrorCode::kUnavailable, std::to_string(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_OK(DirectoryLock::acquire(dir.path()));
}

TEST(DirectoryLock, MissingDirectoryIsNamed) {
  EXPECT_ERROR(DirectoryLock::acquire("/nonexistent"), ErrorCode::kNotFound, "/nonexistent");
}

}  // namespace
}  // namespace tillcast::io
