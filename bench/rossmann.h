#pragma once

#include <array>
#include <string>
#include <vector>

#include "forecast/accuracy.h"
#include "forecast/panel_model.h"
#include "forecast/series.h"

namespace tillcast::bench {

/// Rossmann Store Sales: train.csv by columns, and what store.csv adds.
struct RossmannRows {
  std::vector<std::int32_t> store;
  std::vector<Date> date;
  std::vector<double> sales;
  std::vector<std::int8_t> open;
  std::vector<std::int8_t> promotion;
  std::vector<float> state_holiday;   ///< 0 none, 1 public, 2 Easter, 3 Christmas
  std::vector<float> school_holiday;  ///< 0 or 1
  std::vector<float> promo2;          ///< 1 in the months in which the store's long promotion begins anew
  std::vector<forecast::AttributeColumn> attributes;  ///< of the 1,115 stores
};
constexpr std::size_t kRossmannStores = 1115;
constexpr std::size_t kRossmannHorizon = 42;
/// Every so many stores, from the first on: 51 stores, on which peers are measured that are too slow for all.
constexpr std::size_t kRossmannSample = 22;
/// The horizon of the last one ends with the data. The last three have bars.
constexpr std::array<Date, 5> kRossmannOrigins = {date_from_civil(2015, 1, 2), date_from_civil(2015, 2, 13),
                                                  date_from_civil(2015, 3, 27), date_from_civil(2015, 5, 8),
                                                  date_from_civil(2015, 6, 19)};

/// Reads train.csv and store.csv of a folder; false when one is not there or is another file.
bool read_rossmann(const std::string& folder, RossmannRows& rows);

/// The stores as series known up to `cut`, with what is published of the 42 days after it. Ends the program
/// on an error. Every `stride`-th store has days, the others are empty.
std::vector<forecast::Series> rossmann_series(const RossmannRows& rows, Date cut, int stride = 1);

/// Accuracy on days with sales, of all stores and of the sample.
struct RossmannScore {
  forecast::Accuracy all;
  forecast::Accuracy sample;

  void add(std::size_t store, double actual, double forecast) {
    if (actual <= 0) return;
    all.add(actual, forecast, 0);
    if (store % kRossmannSample == 0) sample.add(actual, forecast, 0);
  }
};
/// One line of JSON; CPU seconds unless NaN.
void print_rossmann(Date origin, const std::string& model, const RossmannScore& score, double seconds);

struct GlobalRun {
  bool full = false;  ///< several models blended instead of the default settings
  int stride = 1;     ///< every so many stores, to explore
  std::vector<Date> origins;
  std::vector<std::string> settings;  ///< "rounds=300" and the like, to explore
};
/// Prints RMSPE, WAPE and CPU seconds of the global model at each origin; false when a bar is missed. Bars
/// hold for all stores and default settings.
bool run_rossmann_global(const RossmannRows& rows, const GlobalRun& run);

}  // namespace tillcast::bench
