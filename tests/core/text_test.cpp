#include "core/text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tillcast {
namespace {

TEST(Text, LowersAsciiAndLeavesTheRestOfUtf8) {
  EXPECT_EQ(ascii_lower("AZ az 09 @[ \xC3\x84"), "az az 09 @[ \xC3\x84");
  EXPECT_EQ(ascii_lower(""), "");
}

TEST(Text, KnowsDigitsAndBlanks) {
  for (int code = 0; code < 256; ++code) {
    const char c = static_cast<char>(code);
    EXPECT_EQ(is_ascii_digit(c), std::string("0123456789").find(c) != std::string::npos) << code;
    EXPECT_EQ(is_ascii_space(c), std::string(" \t\n\v\f\r").find(c) != std::string::npos) << code;
  }
}

TEST(Text, JoinsWithTheSeparatorBetweenOnly) {
  EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
  EXPECT_EQ(join(std::vector<std::string>{"a"}, ", "), "a");
  EXPECT_EQ(join(std::vector<std::string>{"", "b", ""}, ", "), ", b, ");
}

TEST(Text, KnowsWellFormedUtf8AndRepairsTheRest) {
  for (const char* const good : {"", "Tee", "Caf\u00e9", "\u20ac", "\U0001F375", "\uFFFD"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
    EXPECT_EQ(repaired_utf8(good), good);
  }
  // Latin-1, a cut sequence, an overlong slash, a surrogate, beyond U+10FFFF.
  for (const char* const bad : {"caf\xe9.csv", "\xe2\x82", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
    EXPECT_TRUE(is_valid_utf8(repaired_utf8(bad)));
  }
  EXPECT_EQ(repaired_utf8("caf\xe9.csv"), "caf\uFFFD.csv");
}

TEST(Text, CountsCharactersAndNotBytes) {
  EXPECT_EQ(characters("aü€\U0001F375"), 4U);
  EXPECT_EQ(characters(""), 0U);
}

TEST(Text, TrimsBlanksAndTabsOnly) {
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed("\n"), "\n");
  EXPECT_EQ(trimmed(" \t"), "");
}

TEST(Text, QuotesCsvCellsWhereTheyHaveToBe) {
  std::string line;
  for (const char* const cell : {"plain", "a,b", "say \"x\"", "two\nlines", ""})
    append_csv_cell(line += '|', cell);
  EXPECT_EQ(line, "|plain|\"a,b\"|\"say \"\"x\"\"\"|\"two\nlines\"|");
}

TEST(Text, NumbersReadBackAndAreShort) {
  std::string text;
  for (const double value : {0.1, -2.5, 1e300, 3.0}) append_number(text += ' ', value);
  EXPECT_EQ(text, " 0.1 -2.5 1e+300 3");
}

TEST(Text, FixesDigitsOfNumbersOfAnySize) {
  EXPECT_EQ(fixed(-0.125, 2), "-0.12");
  EXPECT_EQ(fixed(1234.5, 0), "1234");
  EXPECT_EQ(fixed(1e300, 3).size(), 305U);
}

}  // namespace
}  // namespace tillcast
