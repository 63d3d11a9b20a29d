#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tillcast::sources {

/// A sheet of the workbook, in tab order.
struct WorkbookSheet {
  std::string name;
  std::string relation;  ///< r:id, looked up in Relations
};

/// What workbook.xml says.
struct Workbook {
  std::vector<WorkbookSheet> sheets;
  bool epoch_1904 = false;
};

/// One relationship of a .rels part.
struct Relation {
  std::string id;
  std::string type;    ///< last segment of the type URI: "worksheet", "styles", "sharedStrings", …
  std::string target;  ///< resolved to a part name without a leading slash
};

/// The small XML parts, by expat (entity expansion is limited by it; DTDs are refused). Errors are one
/// phrase.
Result<Workbook> parse_workbook(std::string_view xml);

/// @param folder  the folder of the part that the relations belong to, e.g. "xl/"
Result<std::vector<Relation>> parse_relations(std::string_view xml, std::string_view folder);

/// For each cell style: 1 when its number format shows a date or time.
Result<std::vector<std::uint8_t>> parse_date_styles(std::string_view xml);

/// True when a number format code shows a date or time: a letter of y m d h s outside quotes, brackets (but
/// [h] [m] [s] count) and escapes, in its first section.
bool is_date_format(std::string_view code);

}  // namespace tillcast::sources
