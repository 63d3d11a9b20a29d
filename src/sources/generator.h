#pragma once

#include <cstdint>

#include "core/civil_time.h"
#include "core/column_batch.h"
#include "core/progress.h"
#include "core/result.h"

namespace tillcast::sources {

/// A synthetic retailer whose true demand is known. Every default gives a plausible small chain; shares are
/// fractions of one. docs/generator.md describes the model behind each field.
struct GeneratorOptions {
  std::uint64_t seed = 42;  ///< same options and seed = same bytes, on any compiler and standard library
  int stores = 5;           ///< 1..100,000
  int products = 40;        ///< 1..1,000,000
  int days = 730;           ///< calendar days of sales, 1..36,500
  Date first_day = date_from_civil(2023, 1, 2);
  int holdout_days = 0;  ///< the truth goes on this many days after the last sale; 0..3,650

  double units_per_day = 2.0;        ///< mean expected units of a product in a store on a day; > 0, <= 1,000
  double growth_per_year = 0.06;     ///< log-linear trend of the chain; categories differ around it; -1..1
  double season_strength = 1.0;      ///< scales the weekly and yearly season; 0 = none, at most 2
  double popularity_exponent = 0.8;  ///< Zipf exponent of product popularity; 0 = all alike, at most 2
  double promotion_share = 0.08;     ///< product-weeks on promotion
  double intermittent_share = 0.20;  ///< products that sell on few days, in small lots (mean gap > 1.32 days)
  double stockout_share = 0.01;      ///< store-product-days without stock; at most 0.1
  double return_share = 0.02;        ///< orders of which a line comes back within three weeks
  double anonymous_share = 0.30;     ///< orders without a customer
  double late_launch_share = 0.10;   ///< products launched after the first day
  double sunday_closed_share =
      0.40;                   ///< shops closed on Sundays; all shops close on 25 December and 1 January
  double basket_lines = 3.0;  ///< mean lines of an order, >= 1
  int customers = 0;          ///< known customers of the chain; 0 = 300 a store

  bool truth = false;               ///< also hand the true demand to GeneratorSink::truth
  std::size_t batch_rows = 65'536;  ///< rows of a full batch, >= 1
};

/// What a run produced. The WAPE floors are the error that the true mean itself makes as a forecast (sum of
/// |units - expected| over sum of units, days out of stock left out): no model can be expected to do
/// better than about this, except that a median beats the mean a little where units are few.
struct GeneratorSummary {
  std::uint64_t rows = 0;     ///< sales and return lines
  std::uint64_t orders = 0;   ///< sales orders
  std::uint64_t returns = 0;  ///< return lines
  std::int64_t units_sold = 0;
  std::int64_t units_returned = 0;  ///< positive
  std::int64_t units_lost = 0;      ///< demand that met an empty shelf
  std::int64_t net_cents = 0;       ///< sum of amount
  std::uint64_t truth_rows = 0;     ///< store-product-days on sale, also counted without the truth output
  std::uint64_t stockout_rows = 0;  ///< of which out of stock
  int intermittent_products = 0;
  double expected_units = 0;  ///< sum of the true means over the days of sales
  double wape_floor_store_product_day = 0;
  double wape_floor_product_day = 0;  ///< all shops together
  double wape_floor_store_day = 0;    ///< all products together
};

/// Receives the rows, in order of day and store. Batches own their text and may be kept.
class GeneratorSink {
 public:
  virtual ~GeneratorSink() = default;
  /// order_id, line_no, kind, ordered_at, store_id, product_id, product_name, quantity, unit_price, amount,
  /// currency, customer_id, country, channel, promotion: the canonical sales file.
  virtual Result<> sales(const ColumnBatch& batch) = 0;
  /// store_id, product_id, date, expected_units, promotion, price, stockout, demand_units.
  virtual Result<> truth(const ColumnBatch& batch) = 0;
};

/// Generates the sales day by day; memory does not grow with the days (about 100 bytes a product and a store,
/// and one batch). Progress counts days.
/// @return kInvalidInput names the option that is out of range; the sink's error ends the run; kCancelled.
Result<GeneratorSummary> generate(const GeneratorOptions& options, GeneratorSink& sink, Progress& progress);

}  // namespace tillcast::sources
