#include "api/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <random>

#include "api/json_writer.h"
#include "core/civil_time.h"
#include "core/text.h"

namespace tillcast::api {
namespace {

std::string first_fault(const Schema& schema, const char* json) {
  rapidjson::Document document;
  document.Parse(json);
  EXPECT_FALSE(document.HasParseError()) << json;
  std::vector<std::string> loc;
  std::vector<FieldError> errors;
  check_value(schema, document, loc, errors);
  if (errors.empty()) return "";
  std::string text = errors[0].type + " at";
  for (const auto& step : errors[0].loc) text += " " + step;
  return text;
}

TEST(JsonSchema, NamesPlaceAndKindOfWhatIsWrong) {
  Schema schema = object_schema(
      {{"items",
        array_schema(object_schema({{"id", string_schema("").with_length(1, 3)}}, ""), "").with_length(1, 2)},
       {"horizon", integer_schema("").with_range(1, 366), false},
       {"dates", array_schema(date_schema(""), ""), false}},
      "");
  schema.exactly_one_of = {"horizon", "dates"};
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}],"horizon":14})"), "");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}],"horizon":14.0})"), "");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"é☕a"}],"dates":["2015-08-01"]})"), "");
  EXPECT_EQ(first_fault(schema, "[]"), "object_type at");
  EXPECT_EQ(first_fault(schema, R"({"horizon":1})"), "missing at items");
  EXPECT_EQ(first_fault(schema, R"({"items":[],"horizon":1})"), "too_short at items");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"},{"id":"b"},{"id":"c"}],"horizon":1})"),
            "too_long at items");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"},{"id":7}],"horizon":1})"),
            "string_type at items 1 id");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":""}],"horizon":1})"), "string_too_short at items 0 id");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"abcd"}],"horizon":1})"), "string_too_long at items 0 id");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a","x":1}],"horizon":1})"),
            "extra_forbidden at items 0 x");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a","id":"b"}],"horizon":1})"), "duplicate at items 0 id");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}],"horizon":0})"), "greater_than_equal at horizon");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}],"horizon":367})"), "less_than_equal at horizon");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}],"horizon":1.5})"), "integer_type at horizon");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}],"horizon":1e300})"), "less_than_equal at horizon");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}],"horizon":null})"), "integer_type at horizon");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}],"dates":["2015-02-29"]})"),
            "date_parsing at dates 0");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}]})"), "one_of at");
  EXPECT_EQ(first_fault(schema, R"({"items":[{"id":"a"}],"horizon":1,"dates":[]})"), "one_of at");
}

TEST(JsonWriter, KeepsDecimalsDigitForDigit) {
  JsonWriter out;
  out.begin_array();
  out.decimal("9747747.930");
  out.decimal("-0.10");
  out.number(0.1);
  out.number(1e21);
  out.end_array();
  EXPECT_EQ(out.take(), "[9747747.930,-0.10,0.1,1e+21]");
  EXPECT_EQ(out.broken(), "");
}

TEST(JsonWriter, EscapesAnyTextSoThatItReadsBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    std::string text(random() % 30, '\0');
    for (char& c : text)
      c = static_cast<char>(random() % 3 == 0 ? "\"\\\n\t/é"[random() % 7] : random() % 256);
    JsonWriter out;
    out.begin_object();
    out.text_key(text);
    out.begin_array();
    out.text(text);
    out.date(Date{static_cast<std::int32_t>(random() % 30000)});
    out.end_array();
    out.field("last", true);
    out.end_object();
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag>(out.take().c_str());
    ASSERT_FALSE(document.HasParseError());
    const auto& read = document.MemberBegin()->value[0];
    EXPECT_EQ(std::string(read.GetString(), read.GetStringLength()), repaired_utf8(text));
    EXPECT_TRUE(parse_date(document.MemberBegin()->value[1].GetString()).has_value());
  }
}

TEST(JsonWriter, SaysWhatJsonCannotSay) {
  for (const char* const bad : {"", "-", "+1", "01", "1.", ".5", "NaN", "1 ", "1e", "0x1", "1,5"}) {
    JsonWriter out;
    out.decimal(bad);
    EXPECT_NE(out.broken(), "") << bad;
  }
  JsonWriter out;
  out.number(std::numeric_limits<double>::quiet_NaN());
  EXPECT_NE(out.broken(), "");
}

TEST(JsonWriter, RepairsTextThatIsNotUtf8) {
  JsonWriter out;
  out.text("caf\xE9 \xC3\xA9 \xED\xA0\x80");
  EXPECT_EQ(out.take(), "\"caf\xEF\xBF\xBD \xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace tillcast::api
