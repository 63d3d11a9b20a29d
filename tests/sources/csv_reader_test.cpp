#include <fstream>
#include <random>

#include "sources/csv_index.h"
#include "sources/read_all.h"
#include "sources/text_encoding.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::sources {
namespace {

using test::AllRecords;
using test::read_all;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Rows = std::vector<std::vector<std::string>>;

class CsvReader : public ::testing::Test {
 protected:
  Result<AllRecords> read(std::string_view content, const ReaderOptions& options = {}) {
    return read_all(dir_.write("input.csv", content), options);
  }
  tillcast::test::TempDir dir_;
};

TEST_F(CsvReader, SplitsQuotedFieldsWithSeparatorsQuotesAndLineBreaks) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all,
                       read("a,b,c\n1,\"x, y\",\"he said \"\"no\"\"\"\n2,\"two\nlines\",\n"));
  EXPECT_EQ(all.rows, (Rows{{"1", "x, y", "he said \"no\""}, {"2", "two\nlines", ""}}));
  EXPECT_THAT(all.numbers, ElementsAre(1, 2));
}

TEST_F(CsvReader, AcceptsByteOrderMarkCrlfAndAMissingLastLineEnd) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all,
                       read("\xEF\xBB\xBFname,\"city\"\r\nAnn,\"K\xC3\xB6ln\"\r\n\r\nBob,Bonn"));
  EXPECT_THAT(all.header, ElementsAre("name", "city"));
  EXPECT_EQ(all.rows, (Rows{{"Ann", "K\xC3\xB6ln"}, {"Bob", "Bonn"}}));
}

TEST_F(CsvReader, AcceptsOldMacLineEnds) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read("a,b\r1,2\r3,4\r"));
  EXPECT_EQ(all.rows, (Rows{{"1", "2"}, {"3", "4"}}));
}

TEST_F(CsvReader, FindsTheDelimiter) {
  for (const std::string delimiter : {",", ";", "\t", "|"}) {
    ASSERT_OK_AND_ASSIGN(const AllRecords all, read("a" + delimiter + "b" + delimiter + "c\n1,5" + delimiter +
                                                    "\"x|;y\"" + delimiter + "z\n"));
    EXPECT_EQ(all.header.size(), 3U) << "delimiter " << delimiter;
  }
  ASSERT_OK_AND_ASSIGN(const AllRecords named, read("sep=;\na;b\n1,0;2\n"));
  EXPECT_EQ(named.rows, (Rows{{"1,0", "2"}}));
  EXPECT_EQ(named.description, "csv, UTF-8, semicolon");
}

TEST_F(CsvReader, KeepsQuotesInsideUnquotedFields) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read("size,name\n5\" pipe,x\n12\",\"y\"\n"));
  EXPECT_EQ(all.rows, (Rows{{"5\" pipe", "x"}, {"12\"", "y"}}));
}

TEST_F(CsvReader, RejectsRowsWithTheWrongNumberOfFieldsAndGoesOn) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read("a,b\n1\n2,3,4\n5,6\n7,8,\n"));
  EXPECT_EQ(all.rows, (Rows{{"5", "6"}, {"7", "8"}}));  // an empty surplus field says nothing
  EXPECT_THAT(all.numbers, ElementsAre(3, 4));
  ASSERT_EQ(all.bad.size(), 2U);
  EXPECT_EQ(all.bad[0].reason, "wrong_field_count");
  EXPECT_EQ(all.bad[0].message, "2 fields expected, 1 found");
  EXPECT_EQ(all.bad[1].row, 2);
  EXPECT_EQ(all.bad[1].raw, "2,3,4");
}

TEST_F(CsvReader, AStrayQuoteCostsOneLine) {
  ASSERT_OK_AND_ASSIGN(const AllRecords open, read("a,b\n1,\"never closed\n2,x\n3,y\n"));
  EXPECT_EQ(open.rows, (Rows{{"2", "x"}, {"3", "y"}}));
  ASSERT_EQ(open.bad.size(), 1U);
  EXPECT_EQ(open.bad[0].reason, "unterminated_quote");
  EXPECT_EQ(open.bad[0].raw, "1,\"never closed");

  ASSERT_OK_AND_ASSIGN(const AllRecords text, read("a,b\n1,\"x\"y\n2,\"z\"\n"));
  EXPECT_EQ(text.rows, (Rows{{"2", "z"}}));
  ASSERT_EQ(text.bad.size(), 1U);
  EXPECT_EQ(text.bad[0].reason, "bad_quoting");

  ASSERT_OK_AND_ASSIGN(const AllRecords swallowed, read("a,b\n\"1,x\n2,y\n\"3,z\n4,w\n"));
  EXPECT_EQ(swallowed.rows, (Rows{{"2", "y"}, {"4", "w"}}));
  EXPECT_EQ(swallowed.bad.size(), 2U);
}

TEST_F(CsvReader, ReadsWindows1252) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read("name,price\nCaf\xE9,\x80 5\nM\xFCller,\xA3 7\n"));
  EXPECT_EQ(all.rows, (Rows{{"Café", "€ 5"}, {"Müller", "£ 7"}}));
  EXPECT_EQ(all.description, "csv, Windows-1252, comma");
}

TEST_F(CsvReader, ADamagedByteInUtf8CostsItsRowOnly) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read("a,b\n1,Köln\n2,M\xFCller\n3,Zürich\n"));
  EXPECT_EQ(all.rows, (Rows{{"1", "Köln"}, {"3", "Zürich"}}));
  ASSERT_EQ(all.bad.size(), 1U);
  EXPECT_EQ(all.bad[0].reason, "bad_encoding");
  EXPECT_EQ(all.bad[0].raw, "2,M\\xFCller");
}

TEST_F(CsvReader, EncodingIsDecidedByTheWholeFileNotItsStart) {
  // Long after an ASCII start, and after one pair of bytes that happens to be well-formed UTF-8.
  std::string text = "a,b\n";
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + ",plain\n";
  text += "x,\xC3\xA9\n";
  for (int i = 0; i < 3; ++i) text += "y,\xE9t\xE9\n";
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read(text, {.block_bytes = 4096}));
  EXPECT_EQ(all.rows.back(), (std::vector<std::string>{"y", "été"}));
  EXPECT_TRUE(all.bad.empty());
}

TEST_F(CsvReader, RejectsBytesWithoutACharacter) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read("a,b\n1,\xE9\n2,\x81\n"));
  EXPECT_EQ(all.rows.size(), 1U);
  ASSERT_EQ(all.bad.size(), 1U);
  EXPECT_EQ(all.bad[0].reason, "bad_encoding");
  std::string nul = "a,b\n";
  for (int i = 0; i < 20'000; ++i) nul += "1,2\n";
  nul += std::string("3,\0x\n", 5);
  ASSERT_OK_AND_ASSIGN(const AllRecords with_nul, read(nul));
  ASSERT_EQ(with_nul.bad.size(), 1U);
  EXPECT_EQ(with_nul.bad[0].raw, "3,\\x00x");
}

TEST_F(CsvReader, LimitsFieldsAndRecords) {
  ReaderOptions options{.block_bytes = 256};
  options.limits.field_bytes_max = 100;
  options.limits.record_bytes_max = 1000;
  const std::string text = "a,b\n1," + std::string(101, 'x') + "\n2,y\n" + std::string(5000, 'z') +
                           "\n3,w\n4,\"" + std::string(3000, 'q') + "\n5,v\n";
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read(text, options));
  EXPECT_EQ(all.rows, (Rows{{"2", "y"}, {"3", "w"}, {"5", "v"}}));
  ASSERT_EQ(all.bad.size(), 3U);
  EXPECT_EQ(all.bad[0].reason, "field_too_long");
  EXPECT_EQ(all.bad[1].reason, "record_too_long");
  EXPECT_THAT(all.bad[1].message, HasSubstr("1000"));
}

TEST_F(CsvReader, MakesHeaderNamesUnique) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read("Price,price,,_row, x \n1,2,3,4,5\n"));
  EXPECT_THAT(all.header, ElementsAre("Price", "price_2", "column_3", "_row_2", "x"));
}

TEST_F(CsvReader, HeaderOnlyGivesNoRecords) {
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read("a,b\n"));
  EXPECT_TRUE(all.rows.empty());
}

/// A random table with every quirk, and what it holds.
struct RandomCsv {
  std::string text;
  Rows rows;
};

RandomCsv random_csv(std::mt19937_64& random) {
  RandomCsv csv;
  const std::string pieces[] = {"a", "7", ",", "\"", "\n", "\r\n", "é", "€", " ", "xyz", ""};
  const auto pick = [&random](std::size_t count) { return static_cast<std::size_t>(random() % count); };
  const std::size_t columns = 1 + pick(5);
  const std::string line_end = pick(2) == 0 ? "\n" : "\r\n";
  if (pick(3) == 0) csv.text = "\xEF\xBB\xBF";
  for (std::size_t i = 0; i < columns; ++i) csv.text += (i == 0 ? "h" : ",h") + std::to_string(i);
  csv.text += line_end;
  const std::size_t rows = pick(30);
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<std::string> fields;
    for (std::size_t i = 0; i < columns; ++i) {
      std::string field;
      for (std::size_t n = pick(6); n > 0; --n) field += pieces[pick(std::size(pieces))];
      const bool needs_quotes =
          field.find_first_of(",\"\r\n") != std::string::npos || (columns == 1 && field.empty());
      if (i > 0) csv.text += ',';
      if (needs_quotes || pick(4) == 0) {
        csv.text += '"';
        for (const char c : field) csv.text += c == '"' ? "\"\"" : std::string(1, c);
        csv.text += '"';
      } else {
        csv.text += field;
      }
      fields.push_back(std::move(field));
    }
    csv.rows.push_back(std::move(fields));
    if (row + 1 < rows || pick(2) == 0) csv.text += line_end;
  }
  return csv;
}

TEST_F(CsvReader, AnyCutOfBlocksGivesTheSameRecords) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    const RandomCsv csv = random_csv(random);
    const auto path = dir_.write("random.csv", csv.text);
    for (std::size_t block = 1; block <= csv.text.size() + 1; block += block < 70 ? 1 : 1 + random() % 40) {
      ReaderOptions options{.delimiter = ',', .block_bytes = block};
      ASSERT_OK_AND_ASSIGN(const AllRecords all, read_all(path, options));
      ASSERT_EQ(all.rows, csv.rows) << "block of " << block << " bytes, round " << round << "\n" << csv.text;
      ASSERT_TRUE(all.bad.empty());
    }
  }
}

TEST_F(CsvReader, AnyCutOfBlocksGivesTheSameRejects) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string pieces[] = {"a", "1", ",", ",", "\"", "\n", "\r\n", "\xE9", "é", "\x81"};
  for (int round = 0; round < 200; ++round) {
    std::string text = "a,b\n";
    for (int i = 0; i < 60; ++i) text += pieces[random() % std::size(pieces)];
    const auto path = dir_.write("random.csv", text);
    ASSERT_OK_AND_ASSIGN(const AllRecords whole, read_all(path, {.delimiter = ','}));
    for (std::size_t block = 1; block < text.size(); block += 1 + random() % 5) {
      ASSERT_OK_AND_ASSIGN(const AllRecords cut, read_all(path, {.delimiter = ',', .block_bytes = block}));
      ASSERT_EQ(cut.rows, whole.rows) << "block of " << block << " bytes\n" << text;
      ASSERT_EQ(cut.numbers, whole.numbers);
      ASSERT_EQ(cut.bad.size(), whole.bad.size()) << "block of " << block << " bytes\n" << text;
      for (std::size_t i = 0; i < cut.bad.size(); ++i) {
        ASSERT_EQ(cut.bad[i].reason, whole.bad[i].reason);
        ASSERT_EQ(cut.bad[i].raw, whole.bad[i].raw);
      }
    }
  }
}

TEST(OpenRecordReader, NamesTheFileAndWhatToDo) {
  const tillcast::test::TempDir dir;
  EXPECT_ERROR(open_record_reader(dir.file("none.csv")), ErrorCode::kNotFound, "none.csv: no such file");
  EXPECT_ERROR(open_record_reader(dir.path()), ErrorCode::kInvalidInput, "not a regular file");
  EXPECT_ERROR(open_record_reader(dir.write("empty.csv", "")), ErrorCode::kInvalidInput, "is empty");
  EXPECT_ERROR(open_record_reader(dir.write("blank.csv", "\n\r\n\n")), ErrorCode::kInvalidInput, "is empty");
  EXPECT_ERROR(open_record_reader(dir.write("a.csv.gz", "\x1f\x8b\x08\x00")), ErrorCode::kInvalidInput,
               "gunzip");
  EXPECT_ERROR(open_record_reader(dir.write("a.csv.zst", "\x28\xb5\x2f\xfd\x01")), ErrorCode::kInvalidInput,
               "zstd -d");
  EXPECT_ERROR(open_record_reader(dir.write("old.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
               ErrorCode::kInvalidInput, "save it as .xlsx");
  EXPECT_ERROR(open_record_reader(dir.write("utf16.csv", std::string("\xff\xfe"
                                                                     "a\0,\0",
                                                                     6))),
               ErrorCode::kInvalidInput, "UTF-16");
  EXPECT_ERROR(open_record_reader(dir.write("page.csv", "<!DOCTYPE html><p>Sign in")),
               ErrorCode::kInvalidInput, "HTML");
  EXPECT_ERROR(open_record_reader(dir.write("no.xlsx", "a,b\n"), {.format = FileFormat::kXlsx}),
               ErrorCode::kInvalidInput, "not an xlsx");
  EXPECT_ERROR(open_record_reader(dir.write("header.csv", "a,\"b\n")), ErrorCode::kInvalidInput,
               "header line");
}

TEST(OpenRecordReader, RefusesBinaryGarbage) {
  const tillcast::test::TempDir dir;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::string garbage(100'000, '\0');
  for (char& c : garbage) c = static_cast<char>(random());
  EXPECT_ERROR(open_record_reader(dir.write("garbage.csv", garbage)), ErrorCode::kInvalidInput,
               "binary data");
}

TEST(SniffDelimiter, PrefersTheOneThatSplitsLinesEvenly) {
  EXPECT_EQ(sniff_delimiter("a;b;c\n1,5;2,5;3,5\n", '\n'), ';');
  EXPECT_EQ(sniff_delimiter("a,b\n\"x;y;z\",1\n", '\n'), ',');
  EXPECT_EQ(sniff_delimiter("one\n", '\n'), ',');
}

TEST(TextEncoding, KnowsWellFormedUtf8) {
  EXPECT_TRUE(is_utf8("plain, K\xC3\xB6ln, \xE2\x82\xAC, \xF0\x9F\x9B\x92"));
  EXPECT_FALSE(is_utf8("\xC0\x80"));          // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_EQ(check_utf8("ab\xE2\x82").incomplete, 2U);
}

}  // namespace
}  // namespace tillcast::sources
