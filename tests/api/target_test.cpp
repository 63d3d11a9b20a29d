#include "api/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace tillcast::api {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Target, SplitsBeforeDecodingSoThatASegmentMayHoldASlash) {
  const auto target = parse_target("/api/v1/series/products%2F85123A%7CUnited%20Kingdom?history=0");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("api", "v1", "series", "products/85123A|United Kingdom"));
  EXPECT_THAT(target->query, ElementsAre(Pair("history", "0")));
}

TEST(Target, PlusIsASpaceInTheQueryAndItselfInThePath) {
  const auto target = parse_target("/a+b?c+d=e+f%2B");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("a+b"));
  EXPECT_THAT(target->query, ElementsAre(Pair("c d", "e f+")));
}

TEST(Target, RootHasNoSegmentsAndATrailingSlashIsAnEmptyOne) {
  EXPECT_THAT(parse_target("/")->segments, ElementsAre());
  EXPECT_THAT(parse_target("/docs/")->segments, ElementsAre("docs", ""));
}

TEST(Target, AbsoluteFormCarriesTheAuthority) {
  const auto target = parse_target("http://evil.example:80/livez");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->authority, "evil.example:80");
  EXPECT_THAT(target->segments, ElementsAre("livez"));
}

TEST(Target, RefusesBrokenEscapesAndBytesThatAreNotUtf8) {
  for (const char* const bad :
       {"", "livez", "*", "/%", "/%2", "/%zz", "/%ff", "/a?b=%C3", "/%ED%A0%80", "http://"}) {
    EXPECT_FALSE(parse_target(bad)) << bad;
  }
}

TEST(Target, EncodingAndDecodingAreInverseForAnyBytes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const std::string encoded = percent_encoded(text);
    EXPECT_EQ(encoded.find_first_of("/?#&+ "), std::string::npos);
    EXPECT_EQ(percent_decoded(encoded, false), text);
    EXPECT_EQ(percent_decoded(encoded, true), text);
  }
}

}  // namespace
}  // namespace tillcast::api
