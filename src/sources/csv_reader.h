#pragma once

#include <memory>

#include "core/result.h"
#include "sources/input_file.h"
#include "sources/record_reader.h"

namespace tillcast::sources {

/// Reads delimited text (RFC 4180 and what people really have): quoted fields with delimiters, line breaks
/// and doubled quotes; LF, CRLF or CR; a byte order mark; UTF-8 or Windows-1252; an Excel "sep=;" line. A
/// quote inside an unquoted field is text. A record that cannot be split is reported in bad_records and
/// reading goes on after its first line, so that one stray quote costs one line.
///
/// Encoding: as long as all bytes are ASCII nothing is decided. At the first other byte the rest of the file
/// is scanned once: UTF-8 when well-formed characters outnumber broken bytes (rows with broken ones are then
/// rejected as bad_encoding), else Windows-1252 (rows with its five undefined bytes are rejected). So a
/// single damaged byte in a UTF-8 file costs its row and does not turn every name of the file into nonsense.
Result<std::unique_ptr<RecordReader>> open_csv_reader(InputFile file, const ReaderOptions& options);

}  // namespace tillcast::sources
