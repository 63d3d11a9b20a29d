#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "forecast/forecast.h"

namespace tillcast::bench {

/// A driver beside the sales, one value per row.
struct DriverRows {
  std::string name;
  forecast::DriverKind kind = forecast::DriverKind::kNumber;
  std::vector<float> value;
};

/// Daily sales of a public data set in long form. Price, drivers and attributes where the set has them.
struct SalesRows {
  std::vector<std::int32_t> series;  ///< 0 .. count - 1
  std::vector<Date> date;
  std::vector<double> value;
  std::size_t count = 0;
  std::vector<double> price{};
  std::vector<DriverRows> drivers{};
  std::vector<forecast::AttributeColumn> attributes{};  ///< one value per series
};

/// The folder of the data sets: TILLCAST_DATASETS, or shared/data beside the checkout.
inline std::string datasets_folder() {
  const char* folder = std::getenv("TILLCAST_DATASETS");
  return folder ? folder : "../shared/data";
}

/// Says on stderr that `file` cannot be read and what to do. @return the exit status for missing data
int missing_data(const std::string& folder, const char* file);

constexpr std::size_t kStoreItemStores = 10;
constexpr std::size_t kStoreItemItems = 50;
/// Store-Item Demand, 2013-01-01 to 2017-12-31: series (store - 1) * 50 + item - 1. False without
/// store-item-demand/train.csv, like the two below without their file.
bool read_store_item(const std::string& folder, SalesRows& rows);

constexpr std::int32_t kM5Days = 1941;
inline constexpr Date m5_first_day() { return date_from_civil(2011, 1, 29); }
/// M5's subset of 280 bottom-level series, d_1 to d_1941: m5/sales_train_evaluation_280.csv; with what the
/// competition publishes ahead: events and food-aid days (calendar.csv), prices (sell_prices_280.csv, the
/// last one carried on), and item, department, category, store and state.
bool read_m5(const std::string& folder, SalesRows& rows);

/// Units of the 500 codes of UCI Online Retail that sold most up to `ranked_until`: lines with quantity and
/// price above 0, no cancellations, codes that begin with five digits. online-retail/online-retail.csv.
bool read_online_retail(const std::string& folder, Date ranked_until, SalesRows& rows);

/// Series of rows known up to `cut`, drivers and prices to the last row. Ends the program on an error.
std::vector<forecast::Series> build(const SalesRows& rows, forecast::Grain grain, Date cut);

/// forecast_all on one thread. Ends the program on an error.
forecast::ForecastRun run_forecast(const std::vector<forecast::Series>& series,
                                   forecast::ForecastOptions options);

}  // namespace tillcast::bench
