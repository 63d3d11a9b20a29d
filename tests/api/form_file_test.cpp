// A form with one file, cut into pieces anywhere.
#include "api/form_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/result_matchers.h"

namespace tillcast::api {
namespace {

using ::testing::HasSubstr;

constexpr const char* kType = "multipart/form-data; boundary=----xyz";

struct TextSink final : pipeline::UploadSink {
  explicit TextSink(std::string& into) : text(into) {}
  Result<> write(std::string_view bytes) override {
    text += bytes;
    largest = std::max(largest, bytes.size());
    return {};
  }
  std::string& text;
  std::size_t largest = 0;
};

struct Taken {
  std::string name;
  std::string text;
};

Result<Taken> take(const std::string& body, std::size_t piece, const std::string& type = kType) {
  Taken taken;
  auto form = FormFileSink::open(type, std::make_unique<TextSink>(taken.text));
  if (!form) return form.error();
  for (std::size_t at = 0; at < body.size(); at += piece) {
    if (auto written = (*form)->write(std::string_view(body).substr(at, piece)); !written)
      return written.error();
  }
  auto file = (*form)->finish();
  if (!file) return file.error();
  EXPECT_NE(file->content, nullptr);
  taken.name = file->name;
  return taken;
}

std::string part(const std::string& disposition, const std::string& content) {
  return "------xyz\r\nContent-Disposition: form-data; " + disposition +
         "\r\nContent-Type: text/csv\r\n\r\n" + content + "\r\n";
}
std::string form(const std::string& content) {
  return part("name=\"file\"; filename=\"sales.csv\"", content) + "------xyz--\r\n";
}

TEST(FormFile, GivesTheBytesOfTheFileHoweverTheyArrive) {
  for (const std::string& content :
       {std::string("a,b\r\n1,2\r\n"), std::string(), std::string("x\r\n------xy\r\n--\r\n----"),
        std::string(3000, '\n'), std::string("\0\xFF\r\n\r\n------", 12)}) {
    const std::string body = form(content);
    for (std::size_t piece = 1; piece <= body.size(); piece += piece < 200 ? 1 : 97) {
      ASSERT_OK_AND_ASSIGN(const auto taken, take(body, piece));
      ASSERT_EQ(taken.text, content) << "pieces of " << piece;
      ASSERT_EQ(taken.name, "sales.csv");
    }
  }
}

TEST(FormFile, TakesQuotedBoundariesAndNames) {
  const std::string body =
      "--a b\r\ncontent-disposition: form-data; name=f; filename=\"a \\\"b\\\"; c.csv\"\r\n\r\nx\r\n--a b--";
  ASSERT_OK_AND_ASSIGN(const auto taken,
                       take(body, 7, "Multipart/Form-Data; charset=utf-8; boundary=\"a b\""));
  EXPECT_EQ(taken.name, "a \"b\"; c.csv");
  EXPECT_EQ(taken.text, "x");
}

TEST(FormFile, RefusesAllButOneWholeFile) {
  const std::string file = part("name=\"file\"; filename=\"sales.csv\"", "a,b");
  struct Case {
    std::string body;
    std::string says;
  };
  const Case cases[] = {
      {"", "the form is empty"},
      {"a,b\r\n1,2\r\n0123456789", "does not begin with the boundary"},
      {"------xyz--\r\n....", "does not begin with the boundary"},
      {file.substr(0, file.size() - 1), "ends in the middle"},
      {file, "ends in the middle"},
      {file + file + "------xyz--\r\n", "more than one field"},
      {part("name=\"mapping\"", "sales_csv") + file, "the form's field 'mapping' is no file"},
      {part("name=\"file\"; filename=\"\"", ""), "no file was chosen"},
      {part("name=\"file\"; filename=\"" + std::string(501, 'x') + "\"", ""), "longer than 500 bytes"},
      {"------xyz\r\n\r\na,b\r\n------xyz--\r\n", "the form's field '' is no file"},
      {"------xyz\r\nX: 1\r\n\r\na,b\r\n------xyz--\r\n", "the form's field '' is no file"},
      {"------xyz\r\nX: " + std::string(9000, 'x'), "longer than 8 KiB"},
      {"------xyz\r\nContent-Disposition: form-data; filename=a.csv\r\nContent-Transfer-Encoding: "
       "base64\r\n\r\nYQ==\r\n------xyz--",
       "sent as base64"},
  };
  for (const auto& one : cases) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100'000}})
      EXPECT_ERROR(take(one.body, piece), ErrorCode::kInvalidInput, one.says);
  }
  for (const char* type :
       {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\""})
    EXPECT_ERROR(take("", 1, type), ErrorCode::kInvalidInput, "needs a boundary");
  EXPECT_ERROR(take("", 1, "multipart/form-data; boundary=" + std::string(71, 'b')), ErrorCode::kInvalidInput,
               "needs a boundary");
}

}  // namespace
}  // namespace tillcast::api
