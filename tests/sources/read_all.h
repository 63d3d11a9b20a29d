#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "retail/record_converter.h"
#include "sources/record_reader.h"

namespace tillcast::sources::test {

/// All records of a file, copied out of the reader's batches.
struct AllRecords {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<std::int64_t> numbers;
  std::vector<std::vector<retail::CellFlag>> flags;  ///< per row
  std::vector<retail::BadRecord> bad;
  std::string description;
};

/// Opens and reads everything; what fails first is the error.
Result<AllRecords> read_all(const std::filesystem::path& path, const ReaderOptions& options = {});

/// A converted file: the typed rows of all batches as text per column, and the rejects.
struct Converted {
  std::vector<std::string> columns;               ///< names of the typed columns
  std::vector<std::vector<std::string>> rows;     ///< "" is null
  std::vector<std::vector<std::string>> rejects;  ///< row, column, reason, message, raw
  retail::ConvertedCounts counts;

  std::string at(std::size_t row, std::string_view column) const;
};

/// Reads and converts with the mapping, or with the preset that fits.
Result<Converted> convert_file(const std::filesystem::path& path,
                               const retail::ColumnMapping* mapping = nullptr,
                               const ReaderOptions& options = {});

/// One value of a column as text; "" is null.
std::string value_text(const Column& column, std::size_t row);

/// A ZIP of stored or deflated parts, as xlsx files are.
struct ZipPart {
  std::string name;
  std::string content;
};
void write_zip(const std::filesystem::path& path, const std::vector<ZipPart>& parts);

/// A workbook with one sheet: `sheet_data` is what stands inside <sheetData>.
struct WorkbookParts {
  std::string sheet_data = {};
  std::vector<std::string> shared = {};  ///< <si> contents, for example "<t>a</t>"
  std::vector<int> styles = {0};         ///< numFmtId per style
  std::string custom_format = {};        ///< code of numFmtId 164
  bool epoch_1904 = false;
  std::string worksheet = {};  ///< instead of sheet_data: the whole sheet XML
};
void write_workbook(const std::filesystem::path& path, const WorkbookParts& parts);

}  // namespace tillcast::sources::test
