#include <sys/resource.h>

#include <fstream>

#include "sources/read_all.h"
#include "sources/workbook_parts.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::sources {
namespace {

using retail::CellFlag;
using test::AllRecords;
using test::read_all;
using test::WorkbookParts;
using ::testing::ElementsAre;
using Rows = std::vector<std::vector<std::string>>;

class XlsxReader : public ::testing::Test {
 protected:
  Result<AllRecords> read(const WorkbookParts& parts, const ReaderOptions& options = {}) {
    test::write_workbook(dir_.file("book.xlsx"), parts);
    return read_all(dir_.file("book.xlsx"), options);
  }
  tillcast::test::TempDir dir_;
};

const char* const kHeader = R"(<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>)";

TEST_F(XlsxReader, ReadsEveryTypeOfCell) {
  ASSERT_OK_AND_ASSIGN(
      const AllRecords all,
      read(
          {.sheet_data =
               std::string(kHeader) +
               R"(<row r="2"><c r="A2"><v>2.5499999999999998</v></c><c r="B2" t="s"><v>2</v></c></row>)"
               R"(<row r="3"><c r="A3" t="b"><v>1</v></c><c r="B3" t="str"><f>A2&amp;"x"</f><v>a &lt; b</v></c></row>)"
               R"(<row r="4"><c r="A4" t="e"><v>#N/A</v></c><c r="B4" t="inlineStr"><is><r><t>rich</t></r><r><t xml:space="preserve"> text</t></r></is></c></row>)"
               R"(<row r="5"><c r="A5" t="d"><v>2024-03-01</v></c><c r="B5" t='s' ><v>3</v></c></row>)",
           .shared = {"<t>id</t>", "<t>name</t>", "<t>Fish &amp; Chips_x000D_</t>",
                      "<r><t>two</t></r><rPh><t>no</t></rPh><r><t> parts</t></r>"}}));
  EXPECT_THAT(all.header, ElementsAre("id", "name"));
  EXPECT_EQ(all.rows, (Rows{{"2.5499999999999998", "Fish & Chips\r"},
                            {"TRUE", "a < b"},
                            {"#N/A", "rich text"},
                            {"2024-03-01", "two parts"}}));
  EXPECT_EQ(all.flags[2][0], CellFlag::kError);
  EXPECT_EQ(all.flags[0][0], CellFlag::kPlain);
  EXPECT_EQ(all.description, "xlsx, sheet 'Data'");  // the first sheet is empty
}

TEST_F(XlsxReader, FlagsNumbersWithADateStyle) {
  const std::string row =
      R"(<row r="2"><c r="A2" s="1"><v>40513.35138888888</v></c><c r="B2" s="2"><v>7</v></c></row>)";
  WorkbookParts parts{.sheet_data = kHeader + row,
                      .shared = {"<t>at</t>", "<t>n</t>"},
                      .styles = {0, 164, 4},
                      .custom_format = "m/d/yy h:mm"};
  ASSERT_OK_AND_ASSIGN(const AllRecords all, read(parts));
  EXPECT_EQ(all.flags[0][0], CellFlag::kSerial1900);
  EXPECT_EQ(all.flags[0][1], CellFlag::kPlain);
  parts.epoch_1904 = true;
  ASSERT_OK_AND_ASSIGN(const AllRecords mac, read(parts));
  EXPECT_EQ(mac.flags[0][0], CellFlag::kSerial1904);
}

TEST_F(XlsxReader, FillsMissingCellsAndCountsSheetRows) {
  ASSERT_OK_AND_ASSIGN(
      const AllRecords all,
      read(
          {.sheet_data =
               R"(<row r="3"><c r="B3" t="inlineStr"><is><t>b</t></is></c><c r="D3" t="inlineStr"><is><t>d</t></is></c></row>)"
               R"(<row r="4"/><row r="5" spans="1:4"><c r="D5"><v>4</v></c><c r="B5"><v>2</v></c></row><row r="6"><c r="A6" s="1"/></row>)"
               R"(<row r="7"><c r="A7"><v>1</v></c></row>)"}));
  EXPECT_THAT(all.header, ElementsAre("column_1", "b", "column_3", "d"));
  EXPECT_EQ(all.rows, (Rows{{"", "2", "", "4"}, {"1", "", "", ""}}));
  EXPECT_THAT(all.numbers, ElementsAre(2, 4));
}

TEST_F(XlsxReader, WorksWithoutReferences) {
  ASSERT_OK_AND_ASSIGN(
      const AllRecords all,
      read(
          {.sheet_data =
               R"(<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c><v>1</v></c><c/></row><row><c/><c><v>2</v></c></row>)",
           .shared = {"<t>a</t>", "<t>b</t>"}}));
  EXPECT_EQ(all.rows, (Rows{{"1", ""}, {"", "2"}}));
  EXPECT_THAT(all.numbers, ElementsAre(1, 2));
}

TEST_F(XlsxReader, AcceptsANamespacePrefixAndOddSpacing) {
  ASSERT_OK_AND_ASSIGN(
      const AllRecords all,
      read({.worksheet =
                "<?xml version=\"1.0\"?>\n<x:worksheet xmlns:x=\"y\"><!-- <x:row> --><x:sheetData>\n <x:row "
                "r='1'>\n  <x:c r='A1' t='inlineStr'><x:is><x:t>a</x:t></x:is></x:c>\n"
                " </x:row>\n<x:row\n r=\"2\"><x:c\n "
                "r=\"A2\"\ts=\"0\"><x:v>5</x:v></x:c></x:row></x:sheetData></x:worksheet>"}));
  EXPECT_THAT(all.header, ElementsAre("a"));
  EXPECT_EQ(all.rows, (Rows{{"5"}}));
}

TEST_F(XlsxReader, RejectsValuesBesideTheTable) {
  ASSERT_OK_AND_ASSIGN(
      const AllRecords all,
      read(
          {.sheet_data =
               std::string(kHeader) +
               R"(<row r="2"><c r="A2"><v>1</v></c><c r="AB2"><v>9</v></c></row><row r="3"><c r="A3"><v>2</v></c></row>)",
           .shared = {"<t>a</t>", "<t>b</t>"}}));
  EXPECT_EQ(all.rows, (Rows{{"2", ""}}));
  ASSERT_EQ(all.bad.size(), 1U);
  EXPECT_EQ(all.bad[0].reason, "wrong_field_count");
  EXPECT_EQ(all.bad[0].message, "a value in column AB, but the header ends at B");
}

TEST_F(XlsxReader, TakesTheNamedSheet) {
  const WorkbookParts parts{.sheet_data = kHeader, .shared = {"<t>a</t>", "<t>b</t>"}};
  ASSERT_OK(read(parts, {.sheet = "Data"}));
  EXPECT_ERROR(read(parts, {.sheet = "Empty"}), ErrorCode::kInvalidInput, "has no data");
  EXPECT_ERROR(read(parts, {.sheet = "Other"}), ErrorCode::kInvalidInput,
               "does not exist; sheets: 'Empty', 'Data'");
}

TEST_F(XlsxReader, AnyCutOfBlocksGivesTheSameRecords) {
  std::string data = kHeader;
  for (int i = 2; i < 60; ++i) {
    const std::string n = std::to_string(i);
    data += "<row r=\"" + n + "\"><c r=\"A" + n + "\"><v>" + n + "</v></c>";
    data += i % 3 == 0 ? "<c r=\"B" + n + "\" t=\"inlineStr\"><is><t>x&amp;y</t></is></c></row>"
                       : "<c r=\"B" + n + "\" t=\"s\"><v>2</v></c></row>";
  }
  const WorkbookParts parts{.sheet_data = data, .shared = {"<t>a</t>", "<t>b</t>", "<t>shared</t>"}};
  ASSERT_OK_AND_ASSIGN(const AllRecords whole, read(parts));
  ASSERT_EQ(whole.rows.size(), 58U);
  for (std::size_t block = 1; block < 400; block += 3) {
    ASSERT_OK_AND_ASSIGN(const AllRecords cut, read(parts, {.block_bytes = block}));
    ASSERT_EQ(cut.rows, whole.rows) << "block of " << block << " bytes";
  }
}

TEST_F(XlsxReader, ReportsDamageInOneLine) {
  const WorkbookParts parts{
      .sheet_data = std::string(kHeader) + R"(<row r="2"><c r="A2" t="s"><v>99</v></c></row>)",
      .shared = {"<t>a</t>", "<t>b</t>"}};
  EXPECT_ERROR(read(parts), ErrorCode::kInvalidInput, "shared text 99 does not exist");
  EXPECT_ERROR(read({.worksheet = "<worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>"}),
               ErrorCode::kInvalidInput, "ends before");
  EXPECT_ERROR(
      read({.worksheet = "<worksheet><sheetData><row r=\"1\"><c r=\"A1><v>1</v></c></row></sheetData>"}),
      ErrorCode::kInvalidInput, "near row 1");
  EXPECT_ERROR(read({.sheet_data = "<row><c t=\"inlineStr\"><is><t>\xE9</t></is></c></row>"}),
               ErrorCode::kInvalidInput, "not UTF-8");
}

TEST_F(XlsxReader, ATruncatedFileIsAClearErrorAtAnyCut) {
  std::string data = kHeader;
  for (int i = 2; i < 400; ++i)
    data += "<row r=\"" + std::to_string(i) + "\"><c><v>" + std::to_string(i * 7919) +
            "</v></c><c t=\"s\"><v>0</v></c></row>";
  test::write_workbook(dir_.file("book.xlsx"), {.sheet_data = data, .shared = {"<t>a</t>", "<t>b</t>"}});
  std::ifstream file(dir_.file("book.xlsx"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  ASSERT_OK(read_all(dir_.write("whole.xlsx", bytes)));
  for (std::size_t cut = 4; cut < bytes.size(); cut += 37) {
    const auto result = read_all(dir_.write("cut.xlsx", bytes.substr(0, cut)));
    ASSERT_FALSE(result.has_value()) << "cut at " << cut;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidInput);
    EXPECT_EQ(result.error().message.find('\n'), std::string::npos);
    EXPECT_THAT(result.error().message, ::testing::HasSubstr("cut.xlsx"));
  }
}

TEST_F(XlsxReader, AFlippedByteInTheSheetIsFound) {
  std::string data = kHeader;
  for (int i = 2; i < 400; ++i)
    data += "<row r=\"" + std::to_string(i) + "\"><c><v>" + std::to_string(i * 7919) + "</v></c></row>";
  test::write_workbook(dir_.file("book.xlsx"), {.sheet_data = data, .shared = {"<t>a</t>", "<t>b</t>"}});
  std::ifstream file(dir_.file("book.xlsx"), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t sheet = bytes.find("xl/worksheets/sheet1.xml") + 24;
  for (std::size_t at = sheet + 40; at < sheet + 900; at += 41) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_FALSE(read_all(dir_.write("damaged.xlsx", damaged)).has_value()) << "byte " << at;
  }
}

TEST_F(XlsxReader, AZipBombFailsFastWithoutFillingMemory) {
  // 150 MiB of spaces deflate to 150 KB; the limits are looked at before and while inflating.
  const tillcast::test::TempDir dir;
  std::string sheet = "<worksheet><sheetData><row><c><v>";
  sheet.resize(150U << 20, ' ');
  test::write_zip(
      dir.file("bomb.xlsx"),
      {{"xl/workbook.xml", R"(<workbook xmlns:r="r"><sheets><sheet name="S" r:id="a"/></sheets></workbook>)"},
       {"xl/_rels/workbook.xml.rels",
        R"(<Relationships><Relationship Id="a" Type="x/worksheet" Target="sheet.xml"/></Relationships>)"},
       {"xl/sheet.xml", sheet}});
  sheet = {};
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  EXPECT_ERROR(open_record_reader(dir.file("bomb.xlsx")), ErrorCode::kInvalidInput, "zip bomb");
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_utime.tv_sec - before.ru_utime.tv_sec, 2);

  // A directory that claims a harmless size is found out while inflating.
  std::fstream file(dir.file("bomb.xlsx"), std::ios::in | std::ios::out | std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t entry = bytes.rfind("xl/sheet.xml") - 46;
  ASSERT_EQ(bytes.substr(entry, 4), "PK\x01\x02");
  file.clear();
  file.seekp(static_cast<std::streamoff>(entry + 24));
  file.write("\0\0\0\1", 4);  // 16 MiB
  file.close();
  auto lying = open_record_reader(dir.file("bomb.xlsx"));
  ASSERT_FALSE(lying.has_value());
}

TEST_F(XlsxReader, SaysWhatOtherZipFilesAre) {
  test::write_zip(dir_.file("a.zip"), {{"data.csv", "a,b\n"}});
  EXPECT_ERROR(open_record_reader(dir_.file("a.zip")), ErrorCode::kInvalidInput, "without a workbook");
  test::write_zip(dir_.file("a.xlsb"), {{"xl/workbook.bin", "x"}});
  EXPECT_ERROR(open_record_reader(dir_.file("a.xlsb")), ErrorCode::kInvalidInput, "binary workbook");
  test::write_zip(dir_.file("a.ods"), {{"content.xml", "x"}});
  EXPECT_ERROR(open_record_reader(dir_.file("a.ods")), ErrorCode::kInvalidInput, "OpenDocument");
  EXPECT_ERROR(open_record_reader(dir_.write("short.xlsx", "PK\x03\x04 and nothing")),
               ErrorCode::kInvalidInput, "cut short");
}

TEST_F(XlsxReader, LimitsSharedStringsAndEntries) {
  WorkbookParts parts{.sheet_data = kHeader, .shared = {"<t>a</t>", "<t>b</t>"}};
  for (int i = 0; i < 3000; ++i) parts.shared.push_back("<t>some text</t>");
  ReaderOptions options;
  options.limits.shared_strings_bytes_max = 20'000;
  EXPECT_ERROR(read(parts, options), ErrorCode::kInvalidInput, "sharedStrings.xml");
  options = {};
  options.limits.zip_entries_max = 3;
  EXPECT_ERROR(read(parts, options), ErrorCode::kInvalidInput, "ZIP entries");
}

TEST(DateFormats, AreToldFromNumberFormats) {
  for (const char* code : {"m/d/yy h:mm", "yyyy\\-mm\\-dd", "[h]:mm:ss", "[$-409]d mmm yyyy;@", "h:mm AM/PM"})
    EXPECT_TRUE(is_date_format(code)) << code;
  for (const char* code :
       {"General", "0.00", "#,##0 \"days\"", "[Red]0.00", "0.00E+00", "_-* #,##0.00", "0;\"m\""})
    EXPECT_FALSE(is_date_format(code)) << code;
}

TEST(WorkbookParts, RefuseDocumentTypes) {
  EXPECT_ERROR(parse_workbook("<!DOCTYPE a [<!ENTITY b \"c\">]><workbook>&b;</workbook>"),
               ErrorCode::kInvalidInput, "document type");
}

}  // namespace
}  // namespace tillcast::sources
