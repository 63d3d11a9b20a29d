#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/result.h"

#define TILLCAST_CONCAT_INNER(a, b) a##b
#define TILLCAST_CONCAT(a, b) TILLCAST_CONCAT_INNER(a, b)

/// Fails the test with the error's text when a Result holds one.
#define ASSERT_OK(expr)                                              \
  do {                                                               \
    const auto& ok_result = (expr);                                  \
    ASSERT_TRUE(ok_result.has_value()) << ok_result.error().message; \
  } while (false)
#define EXPECT_OK(expr)                                              \
  do {                                                               \
    const auto& ok_result = (expr);                                  \
    EXPECT_TRUE(ok_result.has_value()) << ok_result.error().message; \
  } while (false)

/// ASSERT_OK_AND_ASSIGN(auto table, read(path)): unwraps or fails the test.
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_IMPL(TILLCAST_CONCAT(ok_result_, __COUNTER__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_IMPL(name, lhs, expr)       \
  auto name = (expr);                                    \
  ASSERT_TRUE(name.has_value()) << name.error().message; \
  lhs = std::move(name).value()

/// The call fails with this code and a message that holds `text`.
#define EXPECT_ERROR(expr, expected_code, text)                                      \
  do {                                                                               \
    const auto& bad_result = (expr);                                                 \
    ASSERT_FALSE(bad_result.has_value()) << "expected an error";                     \
    EXPECT_EQ(bad_result.error().code, expected_code) << bad_result.error().message; \
    EXPECT_THAT(bad_result.error().message, ::testing::HasSubstr(text));             \
  } while (false)
