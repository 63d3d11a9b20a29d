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
