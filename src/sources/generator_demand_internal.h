#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/civil_time.h"
#include "sources/generator.h"
#include "sources/generator_random_internal.h"

namespace tillcast::sources {

/// One product, and what holds for it on the day that DemandModel stands on.
struct GeneratedProduct {
  std::string id;
  std::string name;
  double units = 0;                      ///< expected units a day in an average store, at an average time
  double elasticity = 0;                 ///< of price, positive
  double display_uplift = 1;             ///< of a promotion, besides its price
  double lot_size = 0;                   ///< > 1: sells on few days, in lots of this mean size; 0: every day
  std::uint32_t line_quantity_odds = 0;  ///< of one more unit on a line, of 2^32
  std::int32_t base_cents = 0;
  std::int32_t companion = -1;  ///< an earlier product that shares baskets with this one
  std::int32_t launch_day = 0;
  std::uint8_t category = 0;
  std::uint8_t noise_class = 0;
  // of the day
  bool on_sale = false;
  bool in_flyer = false;  ///< promoted, in the shops that take part
  std::int32_t regular_cents = 0;
  std::int32_t flyer_cents = 0;
  double regular_units = 0;  ///< units x season x trend x price; times the shop's size it is the mean
  double flyer_units = 0;
};

struct GeneratedStore {
  std::string id;
  const char* country = "";
  const char* channel = "store";
  double size = 1;
  bool sunday_closed = false;
  int first_customer = 0;
  int customers = 0;
};

/// The true demand: who sells what, at which price, and the law of each day's units.
class DemandModel {
 public:
  explicit DemandModel(const GeneratorOptions& options);

  const std::vector<GeneratedProduct>& products() const { return products_; }
  const std::vector<GeneratedStore>& stores() const { return stores_; }
  int intermittent_products() const { return intermittent_products_; }

  /// Steps to a day, counted from the first; days must follow each other from 0.
  void start_day(int day);
  Date date() const { return {options_.first_day.days + day_}; }
  bool is_open(int store) const;

  struct Cell {
    double expected_units = 0;  ///< mean of the law that `demand` was drawn from
    std::int32_t demand = 0;    ///< what customers wanted
    std::int32_t sold = 0;      ///< what the shelf allowed
    std::int32_t price_cents = 0;
    bool promotion = false;
    bool stockout = false;
  };
  /// A common factor of mean 1 for a shop's day (weather, traffic).
  double draw_traffic(deterministic::Random& random) const { return traffic_.at(random.next()); }
  /// True when the shop takes part in this week's flyer.
  bool takes_flyer(int store) const;
  /// Draws one product's day in a shop. The product must be on sale and the shop open.
  Cell draw(int store, int product, bool takes_flyer, double traffic, deterministic::Random& random) const;

 private:
  struct Category {
    double weekly[7];
    double growth;
    double amplitude[2];
    double phase[2];
    double christmas;
    double factor = 1;  ///< of the day
  };
  void make_categories();
  void make_products();
  void make_stores();
  void start_product_day(GeneratedProduct& product, int index);
  bool in_flyer(int product, int week) const;
  double stock_share(int store, int product) const;

  GeneratorOptions options_;
  std::vector<Category> categories_;
  std::vector<GeneratedProduct> products_;
  std::vector<GeneratedStore> stores_;
  deterministic::UnitMeanFactors traffic_{0.10};
  deterministic::UnitMeanFactors affinity_{0.35};
  std::vector<deterministic::UnitMeanFactors> noise_;
  double inflation_ = 1;  ///< of the day, since the first
  int intermittent_products_ = 0;
  int day_ = -1;
  int week_ = 0;
};

}  // namespace tillcast::sources
