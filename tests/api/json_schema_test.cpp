#include "api/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "api/json_writer.h"

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
