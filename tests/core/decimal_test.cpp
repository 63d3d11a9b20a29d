#include "core/decimal.h"

#include <gtest/gtest.h>

#include <random>

namespace tillcast {
namespace {

TEST(Decimal, ParsesWhatTillsWrite) {
  EXPECT_EQ(parse_decimal("2.55", 4), 25500);
  EXPECT_EQ(parse_decimal("-11062.06", 4), -110620600);
  EXPECT_EQ(parse_decimal("6", 3), 6000);
  EXPECT_EQ(parse_decimal(".5", 2), 50);
  EXPECT_EQ(parse_decimal("5.", 2), 500);
  EXPECT_EQ(parse_decimal("+1e3", 0), 1000);
  EXPECT_EQ(parse_decimal("1.2E-2", 4), 120);
  EXPECT_EQ(parse_decimal("0", 4), 0);
}

TEST(Decimal, RoundsHalfAwayFromZero) {
  EXPECT_EQ(parse_decimal("0.00005", 4), 1);
  EXPECT_EQ(parse_decimal("-0.00005", 4), -1);
  EXPECT_EQ(parse_decimal("0.00004999", 4), 0);
  EXPECT_EQ(parse_decimal("18.000000000000004", 4), 180000);
  EXPECT_EQ(parse_decimal("1.29999999999999982", 4), 13000);
}

TEST(Decimal, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", "+", ".", "abc", "1,5", "1.2.3", "12a", "e5", "1e", "1e99", "0x10", " 1",
                           "1 ", "nan", "inf"}) {
    EXPECT_EQ(parse_decimal(text, 4), std::nullopt) << text;
  }
}

TEST(Decimal, RefusesMoreThanEighteenDigits) {
  EXPECT_EQ(parse_decimal("99999999999999.9999", 4), 999999999999999999);
  EXPECT_EQ(parse_decimal("100000000000000", 4), std::nullopt);
  EXPECT_EQ(parse_decimal("12345678901234567890", 0), std::nullopt);
}

TEST(Decimal, FormatReadsBackExactly) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const auto units =
        static_cast<std::int64_t>(random() % 1'999'999'999'999'999'999) - 999'999'999'999'999'999;
    const int scale = static_cast<int>(random() % 7);
    ASSERT_EQ(parse_decimal(format_decimal(units, scale), scale), units) << format_decimal(units, scale);
  }
}

TEST(Decimal, MultipliesExactly) {
  EXPECT_EQ(multiply_decimals(6000, 3, 25500, 4, 4), 153000);            // 6 x 2.55 = 15.30
  EXPECT_EQ(multiply_decimals(-80995000, 3, 20800, 4, 4), -1684696000);  // -80,995 x 2.08
  EXPECT_EQ(multiply_decimals(333, 3, 3333, 4, 4), 1110);                // 0.333 x 0.3333 = 0.1109889
  EXPECT_EQ(multiply_decimals(999999999999999999, 3, 999999999999999999, 4, 4), std::nullopt);
}

}  // namespace
}  // namespace tillcast
