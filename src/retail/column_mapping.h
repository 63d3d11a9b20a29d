#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/civil_time.h"
#include "core/result.h"
#include "retail/dataset_schema.h"

namespace tillcast::retail {

/// Where one column of the dataset comes from.
struct ColumnSource {
  std::string field;                     ///< a name of dataset_fields()
  std::vector<std::string> from;         ///< header names, the first present one is taken
  bool required = true;                  ///< the header must have it
  bool trim_decimal = true;              ///< ids: "17850.0" is 17850
  std::vector<std::string> formats;      ///< dates and instants; empty = ISO 8601
  std::vector<std::string> null_values;  ///< texts that mean "none"
  std::string year, month,
      week;  ///< a date put together from header columns (year + month, or year + ISO week)
};

/// Columns that are days of a series: `prefix`1, `prefix`2, … are first_date, the day after, …
struct WideDays {
  std::string prefix;
  Date first_date;
};

enum class LineNumbers : std::uint8_t {
  kByOrder,  ///< all lines of the file with one order id are one order
  kByRun,  ///< an order id that comes back far (over 1,000 rows) below its last line begins the order again:
           ///< a second copy
};

struct KindRules {
  std::vector<std::pair<std::string, std::string>> order_prefixes;  ///< prefix of the order id -> kind
  std::string negative = "return";                                  ///< kind of lines with quantity < 0
  std::string negative_unpriced;  ///< the same with price 0; empty = as `negative`
};

/// Turns the columns of a source into those of a silver dataset. docs/formats/mappings.md is the format.
struct ColumnMapping {
  std::string name;   ///< bronze topic, with '_' for '-'
  std::string title;  ///< for people
  Dataset dataset = Dataset::kSaleLine;
  std::string source;
  std::string time_zone = "UTC";
  char decimal_separator = '.';
  LineNumbers line_numbers = LineNumbers::kByOrder;
  std::vector<ColumnSource> columns;
  std::vector<std::pair<std::string, std::string>> constants;  ///< field -> text
  KindRules kinds;
  std::optional<WideDays> wide;

  const ColumnSource* find(std::string_view field) const;
  /// `name` with '_' for '-'.
  std::string topic() const;
};

/// Parses and checks a mapping. `origin` names it in messages: "shop.toml: columns.qty: ...".
/// @return kInvalidInput that says which key is wrong and what was expected. Pure.
Result<ColumnMapping> parse_mapping(std::string_view toml, std::string_view origin);

/// The built-in mappings, in warehouse/mappings/ order of names. Thread-safe.
const std::vector<ColumnMapping>& preset_mappings();

/// A preset by name; kNotFound lists the names.
Result<ColumnMapping> preset_mapping(std::string_view name);

/// The mapping whose required columns are all in the header; among several, the one that uses most columns.
/// @return kInvalidInput lists, closest first, what each mapping misses, and what the header has.
Result<ColumnMapping> pick_mapping(std::span<const ColumnMapping> mappings,
                                   std::span<const std::string> header);

/// Lower case without spaces, '_' and '-': how header names are compared.
std::string normalise_header(std::string_view name);

/// Index of the header column that `name` means (exact match first), or -1.
int find_header(std::span<const std::string> header, std::string_view name);

/// The number N of a wide column `prefix`N, or 0.
int wide_day(const WideDays& wide, std::string_view header_name);

/// What the header lacks for this mapping, as people should read it; empty = it fits.
std::vector<std::string> missing_columns(const ColumnMapping& mapping, std::span<const std::string> header);

}  // namespace tillcast::retail
