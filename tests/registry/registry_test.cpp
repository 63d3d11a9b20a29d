#include "registry/registry.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "registry/code_revision.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"
#include "version_builder.h"

namespace tillcast::registry {
namespace {

using ::tillcast::test::TempDir;

TEST(Registry, GivesBackWhatWasStoredToTheLastBit) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  ASSERT_OK_AND_ASSIGN(const VersionInfo stored, test::add(registry, "a"));
  ASSERT_OK_AND_ASSIGN(const VersionInfo found, registry.version("shops", 1));
  EXPECT_EQ(format_version(found), format_version(stored));
  EXPECT_EQ(found.metrics, stored.metrics);
  EXPECT_EQ(found.settings, stored.settings);
  EXPECT_EQ(registry.read_file(found, "model.txt").value(), "model of a");
  EXPECT_EQ(registry.plans().value(), std::vector<std::string>{"shops"});
}

TEST(Registry, NumbersGoOnAndAreNeverGivenTwice) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(test::add(registry, std::to_string(i)).value().number, i);
  ASSERT_OK(registry.switch_aliases("shops", test::promote(4)));
  std::filesystem::remove_all(dir.file("models/shops/000004"));
  EXPECT_EQ(test::add(registry, "5").value().number, 5);
}

TEST(Registry, AliasesSwitchTogetherAndTellTheirHistory) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  for (const char* id : {"a", "b", "c"}) ASSERT_OK(test::add(registry, id));
  ASSERT_OK(registry.switch_aliases("shops", test::promote(1)));
  AliasSwitch both = test::promote(2, "better");
  both.challenger = 3;
  both.forced = true;
  ASSERT_OK_AND_ASSIGN(const Aliases named, registry.switch_aliases("shops", both));
  EXPECT_EQ(named.champion, 2);
  EXPECT_EQ(named.challenger, 3);
  ASSERT_EQ(named.changes.size(), 3U);
  EXPECT_EQ(named.changes[1].from, 1);
  EXPECT_EQ(named.changes[1].to, 2);
  EXPECT_EQ(named.changes[1].reason, "better");
  EXPECT_TRUE(named.changes[1].forced);
  ASSERT_OK(registry.switch_aliases("shops", both));
  EXPECT_EQ(registry.aliases("shops").value().changes.size(), 3U) << "nothing changed, nothing to tell";
  EXPECT_ERROR(registry.switch_aliases("shops", test::promote(9)), ErrorCode::kNotFound,
               "there are: 1, 2, 3");
}

TEST(Registry, RollBackGoesToTheChampionBeforeAndFurther) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  for (const char* id : {"a", "b", "c"}) ASSERT_OK(test::add(registry, id));
  for (const int number : {1, 2, 3}) ASSERT_OK(registry.switch_aliases("shops", test::promote(number)));
  EXPECT_EQ(registry.aliases("shops").value().before_champion(), 2);
  ASSERT_OK(registry.switch_aliases("shops", test::promote(2, "roll-back")));
  EXPECT_EQ(registry.aliases("shops").value().before_champion(), 1) << "not back to 3";
  ASSERT_OK(registry.switch_aliases("shops", test::promote(1, "roll-back")));
  EXPECT_EQ(registry.aliases("shops").value().before_champion(), 0);
}

TEST(Registry, DamageIsNamed) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  ASSERT_OK_AND_ASSIGN(const VersionInfo first, test::add(registry, "a"));
  ASSERT_OK(test::add(registry, "b"));
  EXPECT_TRUE(registry.verify().value().empty());
  dir.write("models/shops/000001/model.txt", "model of x");
  EXPECT_ERROR(registry.read_file(first, "model.txt"), ErrorCode::kCorruptData, "checksum");
  ASSERT_EQ(registry.verify().value().size(), 1U);
  EXPECT_EQ(registry.verify().value()[0].version, 1);
  std::string text = format_version(registry.version("shops", 2).value());
  text[text.find("730")] = '9';
  dir.write("models/shops/000002/version.json", text);
  EXPECT_ERROR(registry.version("shops", 2), ErrorCode::kCorruptData, "damaged");
  EXPECT_EQ(registry.verify().value().size(), 2U);
}

TEST(Registry, SaysWhichFileOfAVersionIsDamaged) {
  using Look = Registry::Look;
  const TempDir dir;
  Registry registry(dir.file("models"));
  ASSERT_OK_AND_ASSIGN(const VersionInfo info, test::add(registry, "a"));
  EXPECT_EQ(registry.problem_of(info, Look::kContent), "");
  const auto has = [&](Look look, const std::string& what) {
    const std::string problem = registry.problem_of(info, look);
    return problem.find("000001/model.txt") != std::string::npos && problem.find(what) != std::string::npos &&
           problem.find("tillcast model rollback") != std::string::npos;
  };
  dir.write("models/shops/000001/model.txt", "model of b");
  EXPECT_EQ(registry.problem_of(info, Look::kSizes), "") << "as long as before";
  EXPECT_TRUE(has(Look::kContent, "checksum"));
  dir.write("models/shops/000001/model.txt", "model");
  EXPECT_TRUE(has(Look::kSizes, "has 5 bytes, expected 10"));
  std::filesystem::remove(dir.file("models/shops/000001/model.txt"));
  EXPECT_TRUE(has(Look::kSizes, "No such file"));
  std::filesystem::remove_all(dir.file("models/shops/000001"));
  EXPECT_EQ(registry.problem_of(info, Look::kContent), "") << "deleted, not damaged";
}

TEST(Registry, ADamagedVersionIsNamedAndDoesNotStopTheOthers) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  for (const char* id : {"a", "b", "c"}) ASSERT_OK(test::add(registry, id));
  dir.write("models/shops/000001/version.json", "{");
  std::filesystem::remove(dir.file("models/shops/000002/version.json"));
  std::vector<Finding> damaged;
  ASSERT_OK_AND_ASSIGN(const auto versions, registry.versions("shops", &damaged));
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_EQ(versions[0].number, 3);
  ASSERT_EQ(damaged.size(), 2U);
  for (const int number : {1, 2}) {
    const auto& one = damaged[static_cast<std::size_t>(number) - 1];
    EXPECT_EQ(one.version, number);
    EXPECT_NE(one.message.find("00000" + std::to_string(number) + "/version.json"), std::string::npos);
    EXPECT_NE(one.message.find("left out"), std::string::npos) << one.message;
  }
}

TEST(Registry, ReadingWhileOldVersionsAreDeletedNeverFails) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  for (int i = 1; i <= 3; ++i) ASSERT_OK(test::add(registry, std::to_string(i)));
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&] {
      while (!done) {
        std::vector<Finding> damaged;
        const auto versions = registry.versions("shops", &damaged);
        ASSERT_TRUE(versions.has_value()) << versions.error().message;
        ASSERT_FALSE(versions->empty());
        for (const auto& one : damaged) FAIL() << one.message;
      }
    });
  }
  for (int i = 4; i <= 60; ++i) {
    ASSERT_OK(test::add(registry, std::to_string(i)));
    ASSERT_OK(registry.collect_garbage("shops", 2, {}));
  }
  done = true;
}

TEST(Registry, GarbageLeavesAliasesNewestAndTheWayBack) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  for (int i = 1; i <= 7; ++i) ASSERT_OK(test::add(registry, std::to_string(i)));
  ASSERT_OK(registry.switch_aliases("shops", test::promote(1)));
  ASSERT_OK(registry.switch_aliases("shops", test::promote(2)));
  AliasSwitch challenger;
  challenger.challenger = 4;
  ASSERT_OK(registry.switch_aliases("shops", challenger));
  dir.write("models/shops/.new-1-1/model.txt", "left by a killed writer");
  const int pinned[] = {3};
  EXPECT_EQ(registry.collect_garbage("shops", 2, pinned).value(), std::vector<int>{5});
  std::vector<int> left;
  ASSERT_OK_AND_ASSIGN(const auto versions, registry.versions("shops"));
  for (const auto& info : versions) left.push_back(info.number);
  EXPECT_EQ(left, (std::vector<int>{1, 2, 3, 4, 6, 7}));
  EXPECT_FALSE(std::filesystem::exists(dir.file("models/shops/.new-1-1")));
}

std::vector<std::string> hidden_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (const auto name = entry.path().filename().string(); name.starts_with('.')) names.push_back(name);
  return names;
}

// In a container the next process has the pid of the killed one, and counts from one as well.
TEST(Registry, WhatAKilledWriterOfTheSamePidLeftIsInNobodysWay) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  const std::string name = "models/shops/.new-" + std::to_string(::getpid()) + "-";
  for (int i = 1; i <= 300; ++i) dir.write(name + std::to_string(i) + "/model.txt", "half");
  ASSERT_OK(test::add(registry, "a"));
  EXPECT_TRUE(hidden_in(dir.file("models/shops")).empty());
  for (int i = 1; i <= 300; ++i) dir.write(name + std::to_string(i), "half");
  ASSERT_OK(registry.switch_aliases("shops", test::promote(1)));
  ASSERT_OK(test::add(registry, "b"));
  EXPECT_TRUE(hidden_in(dir.file("models/shops")).empty());
}

TEST(Registry, AVersionThatCannotBeStoredLeavesNothingBehind) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  const NewFile twice[] = {{"model.txt", "a"}, {"model.txt", "b"}};
  EXPECT_ERROR(registry.add(test::described("shops", "a"), twice), ErrorCode::kConflict, "model.txt");
  EXPECT_TRUE(hidden_in(dir.file("models/shops")).empty());
  std::filesystem::create_directories(dir.file("models/shops/aliases.json/in_the_way"));
  EXPECT_FALSE(replace_file(dir.file("models/shops/aliases.json"), "{}", "", ""));
  EXPECT_TRUE(hidden_in(dir.file("models/shops")).empty());
}

TEST(Registry, NamesCannotLeaveTheFolder) {
  const TempDir dir;
  Registry registry(dir.file("models"));
  EXPECT_ERROR(test::add(registry, "a", "m", "../x"), ErrorCode::kInvalidInput, "letters, digits");
  EXPECT_ERROR(registry.versions("a/b"), ErrorCode::kInvalidInput, "letters, digits");
  const NewFile bad[] = {{"../model.txt", ""}};
  EXPECT_ERROR(registry.add(test::described("shops", "a"), bad), ErrorCode::kInvalidInput, "../model.txt");
  EXPECT_TRUE(registry.versions("shops").value().empty());
}

TEST(Registry, KnowsTheCodeItWasBuiltFrom) { EXPECT_FALSE(code_revision().empty()); }

}  // namespace
}  // namespace tillcast::registry
