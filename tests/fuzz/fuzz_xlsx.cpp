// Three ways in: even first byte = the rest is the whole file; odd = the rest is the XML of the sheet, or (by
// the second byte) of the shared strings, styles or workbook of an otherwise sound workbook, stored without
// compression.
#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

#include "import_all.h"
#include "memory_file.h"

namespace {

void append(std::string& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(i < 8 ? value >> (8 * i) & 0xFF : 0);
}

/// A ZIP file of stored parts.
std::string zip(const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string file;
  std::string directory;
  for (const auto& [name, content] : parts) {
    const std::uint64_t offset = file.size();
    std::string fields;
    append(fields, 20, 2);
    append(fields, 0, 8);  // flags, method, time, date
    append(fields,
           ::crc32(0, reinterpret_cast<const unsigned char*>(content.data()),
                   static_cast<unsigned>(content.size())),
           4);
    append(fields, content.size(), 4);
    append(fields, content.size(), 4);
    append(fields, name.size(), 2);
    append(fields, 0, 2);
    file += "PK\x03\x04" + fields + name + content;
    directory += "PK\x01\x02";
    append(directory, 20, 2);
    directory += fields;
    append(directory, 0, 10);  // comment, disk, attributes
    append(directory, offset, 4);
    directory += name;
  }
  const std::uint64_t at = file.size();
  file += directory;
  file += "PK\x05\x06";
  append(file, 0, 4);
  append(file, parts.size(), 2);
  append(file, parts.size(), 2);
  append(file, directory.size(), 4);
  append(file, at, 4);
  append(file, 0, 2);
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string rest(reinterpret_cast<const char*>(data + 2), size - 2);
  std::string file = rest;
  if (data[0] % 2 == 1) {
    const int target = data[1] % 4;
    const std::string sheet =
        R"(<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>)"
        R"(<row r="2"><c r="A2" s="1"><v>40513.35</v></c><c r="B2"><v>2</v></c></row></sheetData></worksheet>)";
    file = zip(
        {{"xl/workbook.xml",
          target == 3 ? rest
                      : R"(<workbook xmlns:r="r"><sheets><sheet name="S" r:id="a"/></sheets></workbook>)"},
         {"xl/_rels/workbook.xml.rels",
          R"(<R><Relationship Id="a" Type="x/worksheet" Target="sheet.xml"/><Relationship Id="b" Type="x/styles" )"
          R"(Target="styles.xml"/><Relationship Id="c" Type="x/sharedStrings" Target="strings.xml"/></R>)"},
         {"xl/sheet.xml", target == 0 ? rest : sheet},
         {"xl/strings.xml", target == 1 ? rest : "<sst><si><t>a</t></si></sst>"},
         {"xl/styles.xml",
          target == 2 ? rest : R"(<s><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></s>)"}});
  }
  const tillcast::fuzz::MemoryFile memory(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  tillcast::sources::ReaderOptions options{.format = tillcast::sources::FileFormat::kXlsx,
                                           .block_bytes = data[0] % 128 + 1U};
  options.limits.record_bytes_max = 4000;
  options.limits.columns_max = 200;
  options.limits.inflated_bytes_max = 4 << 20;
  tillcast::fuzz::import_all(memory.path(), options);
  return 0;
}
