#pragma once

#include <memory>

#include "core/result.h"
#include "sources/input_file.h"
#include "sources/record_reader.h"

namespace tillcast::sources {

/// Reads one sheet of an Office Open XML workbook (ECMA-376) as a stream: the sheet is inflated block by
/// block and scanned in place; only shared strings are held whole. The first row with a value is the header.
/// Numbers keep the digits of the file; cells with a date style carry a flag, booleans read TRUE and FALSE.
/// Only the named or first sheet with data is read. The sheet's checksum and the limits of ReaderLimits are
/// enforced.
Result<std::unique_ptr<RecordReader>> open_xlsx_reader(InputFile file, const ReaderOptions& options);

}  // namespace tillcast::sources
