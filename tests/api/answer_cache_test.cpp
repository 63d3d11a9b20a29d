#include "api/answer_cache.h"

#include <gtest/gtest.h>

namespace tillcast::api {
namespace {

std::shared_ptr<const AnswerCache::Entry> entry(const std::string& target, std::size_t bytes) {
  return std::make_shared<AnswerCache::Entry>(AnswerCache::Entry{target, std::string(bytes, 'x'), {}});
}

TEST(AnswerCache, KeepsTheMostRecentlyUsedWithinItsRoom) {
  AnswerCache cache(100'000);
  EXPECT_EQ(cache.find("v1", "/0"), nullptr);
  for (int i = 0; i < 20; ++i) {
    cache.keep("v1", entry("/" + std::to_string(i), 9'000));
    EXPECT_NE(cache.find("v1", "/0"), nullptr) << i;  // asked for all the time, so never the one to go
  }
  EXPECT_EQ(cache.find("v1", "/1"), nullptr);
  EXPECT_NE(cache.find("v1", "/19"), nullptr);
  cache.keep("v1", entry("/big", 50'000));
  EXPECT_EQ(cache.find("v1", "/big"), nullptr);
}

TEST(AnswerCache, ForgetsEverythingWhenTheVersionChanges) {
  AnswerCache cache(100'000);
  EXPECT_EQ(cache.find("v1", "/a"), nullptr);
  cache.keep("v1", entry("/a", 10));
  EXPECT_EQ(cache.find("v2", "/a"), nullptr);
  cache.keep("v1", entry("/a", 10));  // computed before the change: too late
  EXPECT_EQ(cache.find("v2", "/a"), nullptr);
}

}  // namespace
}  // namespace tillcast::api
