#include "lake/event_id_set.h"

#include <random>
#include <string>
#include <unordered_set>

#include "support/result_matchers.h"

namespace tillcast::lake {
namespace {

TEST(EventIdSet, AgreesWithAStandardSet) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  EventIdSet ids;
  std::unordered_set<std::string> known;
  for (int i = 0; i < 100'000; ++i) {
    std::string id = std::to_string(random() % 60'000);
    if (i % 2 == 0) id = std::string(32 - id.size(), '0') + id;  // hex digits: taken as a number
    ASSERT_EQ(ids.contains(id), known.contains(id));
    ASSERT_EQ(ids.insert(id), known.insert(id).second) << id;
  }
  EXPECT_EQ(ids.size(), known.size());
}

TEST(EventIdSet, ManyAtOnceAreTheSameAsOneByOne) {
  std::mt19937_64 random(std::random_device{}());
  EventIdSet one;
  EventIdSet many;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> texts;
    for (int i = 0; i < 1'000; ++i)
      texts.push_back(random() % 50 == 0 ? "" : "id" + std::to_string(random() % 15'000));
    const std::vector<std::string_view> ids(texts.begin(), texts.end());
    std::vector<bool> duplicate;
    std::size_t wanted = 0;
    const std::size_t found = many.insert_all(ids, duplicate);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const bool is_new = one.insert(ids[i]);
      wanted += is_new ? 0U : 1U;
      ASSERT_EQ(!duplicate.empty() && duplicate[i], !is_new) << ids[i];
    }
    EXPECT_EQ(found, wanted);
  }
  EXPECT_EQ(one.size(), many.size());
}

TEST(EventIdSet, TheIdOfZerosIsAnIdOfItsOwn) {
  EventIdSet ids;
  EXPECT_TRUE(ids.insert(std::string(32, '0')));
  EXPECT_TRUE(ids.insert(std::string(31, '0') + "1"));
  EXPECT_FALSE(ids.insert(std::string(32, '0')));
  EXPECT_EQ(ids.size(), 2U);
}

TEST(EventIdSet, CaseMatters) {
  EventIdSet ids;
  EXPECT_TRUE(ids.insert("0123456789abcdef0123456789abcdef"));
  EXPECT_TRUE(ids.insert("0123456789ABCDEF0123456789ABCDEF"));
}

TEST(EventIdSet, EmptyIdsAreAlwaysNew) {
  EventIdSet ids;
  EXPECT_TRUE(ids.insert(""));
  EXPECT_TRUE(ids.insert(""));
  EXPECT_FALSE(ids.contains(""));
}

TEST(EventIdSet, HoldsTheZeroId) {
  EventIdSet ids;
  const std::string zero(32, '0');
  EXPECT_FALSE(ids.contains(zero));
  EXPECT_TRUE(ids.insert(zero));
  EXPECT_FALSE(ids.insert(zero));
}

}  // namespace
}  // namespace tillcast::lake
