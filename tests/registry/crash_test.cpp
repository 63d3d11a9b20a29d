// Kills a child at every named step of adding versions, switching aliases and deleting old ones: what is left
// is the old state or the new one, and repeating the work gives what an undisturbed run gives.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "registry/experiment.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include "version_builder.h"

namespace tillcast::registry {
namespace {

using ::tillcast::test::TempDir;

// Three fits, each made champion, an experiment, then only the newest kept; what is done already is skipped.
Result<> work(const std::filesystem::path& directory) {
  Registry registry(directory / "models");
  for (const std::string fit : {"a", "b", "c"}) {
    const auto known = TILLCAST_TRY_PLAIN(registry.versions("shops"));
    int number = 0;
    for (const auto& info : known) number = info.fit_id == fit ? info.number : number;
    if (number == 0 && !known.empty() && known.back().fit_id > fit) continue;  // deleted as garbage
    if (number == 0) number = TILLCAST_TRY_PLAIN(test::add(registry, fit)).number;
    const auto named = TILLCAST_TRY_PLAIN(registry.aliases("shops"));
    if (named.champion < number) TILLCAST_TRY_PLAIN(registry.switch_aliases("shops", test::promote(number)));
  }
  const Experiment experiment{"spring", "shops", 3, 2, 50, "salt", "2026-01-01T00:00:00Z", "", ""};
  TILLCAST_TRY_PLAIN(store_experiments(registry.folder("shops"), {experiment}));
  TILLCAST_TRY_PLAIN(registry.collect_garbage("shops", 1, {}));
  return {};
}

std::string state(const std::filesystem::path& directory) {
  Registry registry(directory / "models");
  std::string text;
  const auto versions = registry.versions("shops").value();
  for (const auto& info : versions)
    text += format_version(info) + registry.read_file(info, "model.txt").value() + "\n";
  text += format_aliases(registry.aliases("shops").value());
  return text + format_experiments(read_experiments(registry.folder("shops")).value());
}

int run_child(const std::filesystem::path& directory, const std::string& crash_at) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TILLCAST_CRASH_AT", crash_at.c_str(), 1);
    ::setenv("TILLCAST_CRASH_TEST_DIR", directory.c_str(), 1);
    ::execl("/proc/self/exe", "registry_test", "--gtest_filter=RegistryCrash.ChildWorks", "--gtest_brief=1",
            static_cast<char*>(nullptr));
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(RegistryCrash, ChildWorks) {
  const char* const directory = std::getenv("TILLCAST_CRASH_TEST_DIR");
  if (directory == nullptr) return;  // the work of the child that the next test starts
  ASSERT_OK(work(directory));
}

TEST(RegistryCrash, KilledAtEveryPointLeavesOldOrNewAndRepeatsToTheSame) {
  const TempDir undisturbed;
  ASSERT_OK(work(undisturbed.path()));
  const std::string wanted = state(undisturbed.path());
  ASSERT_GT(wanted.size(), 1000U);
  for (const char* const point : crash_points()) {
    for (const int nth : {1, 2, 3}) {
      SCOPED_TRACE(std::string(point) + ":" + std::to_string(nth));
      const TempDir dir;
      const int status = run_child(dir.path(), std::string(point) + ":" + std::to_string(nth));
      const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
      if (nth == 1) {
        EXPECT_TRUE(killed) << "the point was never reached";
      }
      const Registry after(dir.file("models"));
      EXPECT_TRUE(after.verify().value().empty()) << "a version or alias is half there";
      ASSERT_OK_AND_ASSIGN(const auto versions, after.versions("shops"));
      for (const auto& info : versions)
        EXPECT_EQ(after.read_file(info, "model.txt").value(), "model of " + info.fit_id);
      const Aliases named = after.aliases("shops").value();
      for (std::size_t i = 0; i < named.changes.size(); ++i)
        EXPECT_EQ(named.changes[i].to, static_cast<int>(i) + 1) << "a switch was lost or done twice";
      ASSERT_OK(work(dir.path()));
      EXPECT_EQ(state(dir.path()), wanted);
    }
  }
}

}  // namespace
}  // namespace tillcast::registry
