#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/civil_time.h"
#include "core/result.h"
#include "forecast/drivers.h"
#include "forecast/holidays.h"
#include "pipeline/settings.h"

namespace tillcast::pipeline {

/// Keys of the stores and products that gold knows, by id.
struct KnownIds {
  std::map<std::string, std::int64_t, std::less<>> stores;
  std::map<std::string, std::int64_t, std::less<>> products;
};

/// The rows of a driver file by store, product and day.
struct DriverTable {
  struct Column {
    std::string name;
    forecast::DriverKind kind = forecast::DriverKind::kNumber;
    /// One per row; NaN = unknown; of a category 0 = none, else 1.. by first day, then alphabet.
    std::vector<float> value;
  };
  /// Rows of one store and product.
  struct Rows {
    std::size_t begin = 0;
    std::size_t count = 0;
  };

  std::string file;  ///< as the settings name it
  bool by_store = false;
  bool by_product = false;
  std::vector<Column> columns;
  std::vector<Date> date;  ///< ascending within one store and product
  /// By (store key, product key); 0 where the file does not tell them apart.
  std::map<std::pair<std::int64_t, std::int64_t>, Rows> rows;
  std::vector<std::string> notes;  ///< one line each: days that are missing inside the file

  /// The values of a store and product; empty when the file has none for it.
  forecast::DatedValues values(const Column& column, std::int64_t store_key, std::int64_t product_key) const;
};

/// Reads a csv or xlsx of drivers: date (or business_date, day), maybe store_id (store) and product_id
/// (product), and a column per driver. Numbers with a decimal point; empty = unknown. A column of 0 and 1 is
/// a flag, one without numbers a category. Streamed; memory is 4 bytes per value and 8 per row.
///
/// @return kInvalidInput names file, line (the header is line 1; blank lines do not count) and column of: a
/// day that is none, text among numbers, two rows for one day, ids that gold does not know, a column that is
/// only known after the day (sales, customers) or that the file does not have. kNotFound without the file.
Result<DriverTable> read_driver_file(const std::filesystem::path& directory, const DriverFile& file,
                                     const KnownIds& ids);

/// The same drivers without the stores or the products that a plan does not tell apart: the mean over them.
/// Categories have no mean and become unknown.
DriverTable coarsened(const DriverTable& table, bool by_store, bool by_product);

/// A holiday of the user's own.
struct UserHoliday {
  forecast::Holiday day;
  std::string country;  ///< empty = everywhere
  std::string region;   ///< empty = in all of the country
};

/// Reads `date,name[,country][,region][,kind]`; kind is public (the default), easter, christmas or event.
/// @return kInvalidInput with file, line and column; kNotFound without the file.
Result<std::vector<UserHoliday>> read_holiday_file(const std::filesystem::path& directory,
                                                   const std::filesystem::path& file);

}  // namespace tillcast::pipeline
