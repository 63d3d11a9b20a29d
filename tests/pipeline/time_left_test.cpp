#include "pipeline/time_left.h"

#include <gtest/gtest.h>

namespace tillcast::pipeline {
namespace {

using std::chrono::seconds;

TEST(TimeLeft, FollowsFromTheRateSinceTheFirstReport) {
  const TimeLeft::TimePoint start{};
  TimeLeft left;
  EXPECT_EQ(left.after(0, 100, start), std::nullopt);
  EXPECT_EQ(left.after(20, 100, start + seconds(10)), 40);
  EXPECT_EQ(left.after(100, 100, start + seconds(50)), 0);
  EXPECT_EQ(left.after(120, 100, start + seconds(60)), std::nullopt) << "more than all";
  EXPECT_EQ(TimeLeft().after(0, 0, start), std::nullopt) << "total unknown";
}

TEST(TimeLeft, WhatAnEarlierRunDidIsNoTimeSaved) {
  const TimeLeft::TimePoint start{};
  TimeLeft left;
  EXPECT_EQ(left.after(60, 100, start), std::nullopt);
  EXPECT_EQ(left.after(60, 100, start + seconds(5)), std::nullopt);
  EXPECT_EQ(left.after(70, 100, start + seconds(10)), 30);
}

}  // namespace
}  // namespace tillcast::pipeline
