#include "rossmann.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "answers.h"
#include "csv_lines.h"

namespace tillcast::bench {
namespace {

using namespace forecast;

struct Promo2 {
  bool takes_part = false;
  Date since;
  std::array<bool, 13> begins{};
};

bool read_stores(const std::string& text, RossmannRows& rows, std::vector<Promo2>& promo2) {
  const float unknown = std::nanf("");
  const auto column = [&](const char* name, bool category) {
    rows.attributes.push_back({name, category, std::vector<float>(kRossmannStores, unknown)});
  };
  column("store_type", true);
  column("assortment", true);
  column("competition_distance", false);
  column("competition_since", false);
  column("promo2", false);
  promo2.resize(kRossmannStores);
  // Store,StoreType,Assortment,CompetitionDistance,CompetitionOpenSinceMonth,CompetitionOpenSinceYear,Promo2,
  // Promo2SinceWeek,Promo2SinceYear,PromoInterval
  return each_line(text, "Store", [&](const auto& field) {
    if (field.size() != 10) return false;
    const int store = number<int>(field[0]) - 1;
    if (store < 0 || store >= static_cast<int>(kRossmannStores) || field[1].empty()) return false;
    const auto at = static_cast<std::size_t>(store);
    rows.attributes[0].value[at] = static_cast<float>(field[1][0] - 'a');
    rows.attributes[1].value[at] = static_cast<float>(field[2][0] - 'a');
    if (!field[3].empty()) rows.attributes[2].value[at] = static_cast<float>(number<int>(field[3]));
    if (!field[4].empty())
      rows.attributes[3].value[at] =
          static_cast<float>(date_from_civil(number<int>(field[5]), number<int>(field[4]), 1).days);
    rows.attributes[4].value[at] = static_cast<float>(number<int>(field[6]));
    if (number<int>(field[6]) != 1) return true;
    Promo2& own = promo2[at];
    own.takes_part = true;
    own.since = Date{date_from_civil(number<int>(field[8]), 1, 1).days + 7 * (number<int>(field[7]) - 1)};
    static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (std::size_t month = 0; month < 12; ++month)
      own.begins[month + 1] = field[9].find(kMonths[month]) != std::string_view::npos;
    return true;
  });
}

}  // namespace

bool read_rossmann(const std::string& folder, RossmannRows& rows) {
  std::vector<Promo2> promo2;
  if (!read_stores(content_of(folder + "/store.csv"), rows, promo2)) return false;
  // Store,DayOfWeek,Date,Sales,Customers,Open,Promo,StateHoliday,SchoolHoliday
  return each_line(content_of(folder + "/train.csv"), "Store", [&](const auto& field) {
    if (field.size() != 9) return false;
    const auto date = parse_date(field[2]);
    const int store = number<int>(field[0]) - 1;
    if (!date || store < 0 || store >= static_cast<int>(kRossmannStores)) return false;
    rows.store.push_back(static_cast<std::int32_t>(store));
    rows.date.push_back(*date);
    rows.sales.push_back(static_cast<double>(number<int>(field[3])));
    rows.open.push_back(static_cast<std::int8_t>(number<int>(field[5])));
    rows.promotion.push_back(static_cast<std::int8_t>(number<int>(field[6])));
    const char kind = field[7].empty() ? '0' : field[7][0];
    rows.state_holiday.push_back(kind == 'a' ? 1.0F : kind == 'b' ? 2.0F : kind == 'c' ? 3.0F : 0.0F);
    rows.school_holiday.push_back(number<int>(field[8]) == 1 ? 1.0F : 0.0F);
    const Promo2& own = promo2[static_cast<std::size_t>(store)];
    const auto month = static_cast<std::size_t>(civil_from_date(*date).month);
    rows.promo2.push_back(own.takes_part && *date >= own.since && own.begins[month] ? 1.0F : 0.0F);
    return true;
  });
}

std::vector<Series> rossmann_series(const RossmannRows& rows, Date cut, int stride) {
  LongTable table{rows.store, rows.date, rows.sales, rows.promotion, rows.open, {}, kRossmannStores};
  table.drivers = {{"state_holiday", DriverKind::kCategory, rows.state_holiday},
                   {"school_holiday", DriverKind::kFlag, rows.school_holiday},
                   {"promo2", DriverKind::kFlag, rows.promo2}};
  SeriesOptions options;
  options.cut = cut;
  options.drivers_until = Date{cut.days + static_cast<std::int32_t>(kRossmannHorizon)};
  auto built = build_series(table, options);
  if (!built) {
    std::fprintf(stderr, "%s\n", built.error().message.c_str());
    std::exit(1);
  }
  if (stride > 1)
    for (std::size_t i = 0; i < built->size(); ++i)
      if (i % static_cast<std::size_t>(stride) != 0) (*built)[i] = Series{};
  return std::move(*built);
}

void print_rossmann(Date origin, const std::string& model, const RossmannScore& score, double seconds) {
  const std::string name = "forecast_rossmann/" + format_date(origin) + "/" + model;
  print_figures(name, {{"rmspe", score.all.rmspe()},
                       {"wape", score.all.wape()},
                       {"bias", score.all.bias()},
                       {"rmspe_sample", score.sample.rmspe()},
                       {"cpu_s", seconds}});
}

}  // namespace tillcast::bench
