// Records in files: what is written comes back, and whatever else is there is named.
#include "io/json_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/result_matchers.h"

namespace tillcast::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string record(int format = 1) {
  rapidjson::StringBuffer buffer;
  JsonOut out(buffer);
  out.StartObject();
  write_number(out, "format", format);
  write_text(out, "name", std::string_view("a\0\"ü", 5));
  write_flag(out, "done", true);
  out.Key("share");
  out.Double(0.1);
  out.Key("list");
  out.StartArray();
  out.String("x");
  out.EndArray();
  return finish_checked(out, buffer);
}

Error fault_of(std::string_view json, const JsonRules& rules = {}) {
  JsonIn in(json, "a.json", rules);
  EXPECT_FALSE(in.ok()) << json;
  return in.ok() ? Error{} : in.take_error();
}

TEST(JsonRecord, GivesBackWhatWasWritten) {
  const std::string json = record();
  JsonIn in(json, "a.json", {});
  ASSERT_TRUE(in.ok());
  EXPECT_EQ(in.text(in.root(), "name"), std::string("a\0\"ü", 5));
  EXPECT_TRUE(in.flag(in.root(), "done"));
  EXPECT_EQ(in.decimal(in.root(), "share"), 0.1);
  EXPECT_THAT(in.texts(in.root(), "list"), ElementsAre("x"));
  EXPECT_EQ(in.optional_number(in.root(), "since"), std::nullopt);
  EXPECT_EQ(in.optional_number(in.root(), "format"), 1);
  EXPECT_TRUE(in.ok()) << "what may be missing is no fault";
}

TEST(JsonRecord, EveryFlippedBitIsSeen) {
  const std::string json = record();
  for (std::size_t at = 0; at < json.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = json;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      EXPECT_FALSE(JsonIn(damaged, "a.json", {}).ok()) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(JsonRecord, NamesTheFileAndTheFirstFault) {
  const JsonRules unchecked{.format_known = 1, .checked = false};
  EXPECT_EQ(fault_of("").code, ErrorCode::kCorruptData);
  EXPECT_THAT(fault_of("[1]").message, HasSubstr("a.json is damaged: it is no JSON object"));
  EXPECT_THAT(fault_of("{}").message, HasSubstr("the field \"format\" is missing"));
  EXPECT_THAT(fault_of(R"({"format":1})").message, HasSubstr("checksum"));
  const Error newer = fault_of(record(2));
  EXPECT_EQ(newer.code, ErrorCode::kInvalidInput);
  EXPECT_THAT(newer.message, HasSubstr("has format 2, this tillcast reads up to 1; update tillcast"));
  JsonIn in(R"({"format":1,"a":1,"b":[1]})", "a.json", unchecked);
  EXPECT_EQ(in.text(in.root(), "a"), "");
  EXPECT_TRUE(in.texts(in.root(), "b").empty());
  EXPECT_THAT(in.take_error().message, HasSubstr("\"a\" is no text"));
}

TEST(JsonRecord, TheFormatMayHaveAnotherName) {
  EXPECT_TRUE(JsonIn(R"({"format":"csv","format_version":1})", "a.json",
                     {.format_known = 1, .format_name = "format_version", .checked = false})
                  .ok());
}

}  // namespace
}  // namespace tillcast::io
