#include "pipeline/reports.h"

#include <algorithm>

namespace tillcast::pipeline {
namespace {

using database::Value;

/// Where the headline figures of a data directory come from: lines with orders and customers, or the daily
/// totals that a source states.
struct Basis {
  bool has_lines = false;
  Date first;
  Date last;
  std::string currency;
};

// Empty for several, and for gold of a data directory's own models or of an older build, which has no table
// of them.
Result<std::string> find_currency(database::Connection& connection) {
  const auto table = TILLCAST_TRY_PLAIN(
      connection.query("SELECT count(*) FROM information_schema.tables WHERE table_name = 'dim_currency'"));
  if (table.integer(0, 0).value_or(0) == 0) return std::string();
  const auto found = TILLCAST_TRY_PLAIN(connection.query("SELECT currency FROM dim_currency"));
  return found.rows() == 1 ? found.text(0, 0) : std::string();
}

Result<Basis> find_basis(database::Connection& connection) {
  const auto bounds = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT min(business_date), max(business_date), (SELECT count(*) FROM kpi_daily) FROM sales_daily"));
  const auto first = bounds.date(0, 0);
  const auto last = bounds.date(0, 1);
  if (!first || !last)
    return not_found("the gold tables are empty; load a file with `tillcast run --input FILE`");
  Basis basis;
  basis.first = *first;
  basis.last = *last;
  basis.has_lines = bounds.integer(0, 2).value_or(0) > 0;
  basis.currency = TILLCAST_TRY_PLAIN(find_currency(connection));
  return basis;
}

/// Figures of one span; texts are exact decimals.
struct Figures {
  std::string net, gross, returned, orders, units, customers, average;
};

// Money has two decimals on a price tag: "1325346.2100" -> "1325346.21", but "0.1234" stays.
std::string tidy_money(std::string text) {
  const auto point = text.find('.');
  if (point == std::string::npos) return text;
  while (text.size() > point + 3 && text.back() == '0') text.pop_back();
  return text;
}

std::string tidy_units(std::string text) {
  const auto point = text.find('.');
  if (point == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

Value text_value(const std::string& text) { return Value(text); }

Result<Figures> figures_of(database::Connection& connection, const Basis& basis, Date from, Date to,
                           const KpiRequest& request) {
  Figures figures;
  if (!basis.has_lines) {
    const auto sums = TILLCAST_TRY_PLAIN(connection.query(
        "SELECT coalesce(sum(day.sales), 0), coalesce(sum(day.customers), 0) FROM sales_daily AS day "
        "INNER JOIN dim_store AS store ON store.store_key = day.store_key "
        "WHERE day.business_date BETWEEN $1 AND $2 AND ($3 = '' OR store.store_id = $3) AND ($4 = '' OR "
        "store.country = $4)",
        {Value(from), Value(to), text_value(request.store_id), text_value(request.country)}));
    figures.net = tidy_money(sums.text(0, 0));
    figures.customers = sums.text(0, 1);
    return figures;
  }
  const auto sums = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT coalesce(sum(day.net_sales), 0), coalesce(sum(day.gross_sales), 0), "
      "coalesce(sum(day.returned_amount), 0), "
      "coalesce(sum(day.orders), 0), coalesce(sum(day.units), 0), "
      "coalesce(CAST(sum(day.gross_sales) / nullif(sum(day.orders), 0) AS DECIMAL(18, 2)), 0) "
      "FROM kpi_daily AS day INNER JOIN dim_store AS store ON store.store_key = day.store_key "
      "INNER JOIN dim_country AS country ON country.country_key = day.country_key "
      "WHERE day.business_date BETWEEN $1 AND $2 AND ($3 = '' OR store.store_id = $3) AND ($4 = '' OR "
      "country.country = $4)",
      {Value(from), Value(to), text_value(request.store_id), text_value(request.country)}));
  const auto customers = TILLCAST_TRY_PLAIN(
      connection.query("SELECT count(DISTINCT o.customer_key) FROM fact_order AS o INNER JOIN dim_store AS "
                       "store ON store.store_key = o.store_key "
                       "INNER JOIN dim_country AS country ON country.country_key = o.country_key "
                       "WHERE o.is_sale AND o.customer_key <> 0 AND o.business_date BETWEEN $1 AND $2 AND "
                       "($3 = '' OR store.store_id = $3) "
                       "AND ($4 = '' OR country.country = $4)",
                       {Value(from), Value(to), text_value(request.store_id), text_value(request.country)}));
  figures.net = tidy_money(sums.text(0, 0));
  figures.gross = tidy_money(sums.text(0, 1));
  figures.returned = tidy_money(sums.text(0, 2));
  figures.orders = sums.text(0, 3);
  figures.units = tidy_units(sums.text(0, 4));
  figures.average = tidy_money(sums.text(0, 5));
  figures.customers = customers.text(0, 0);
  return figures;
}

std::vector<Kpi> headline(const Basis& basis, const Figures& now, const std::optional<Figures>& before) {
  std::vector<Kpi> kpis;
  const auto add = [&](const char* name, const char* label, const char* definition, const std::string& unit,
                       std::string Figures::* member) {
    std::optional<std::string> previous;
    if (before) previous = (*before).*member;
    kpis.push_back({name, label, definition, unit, now.*member, previous});
  };
  const std::string money = basis.currency.empty() ? "money" : basis.currency;
  if (!basis.has_lines) {
    add("net_sales", "Sales", "Daily sales as the source states them, summed over stores and days.", money,
        &Figures::net);
    add("customers", "Customers",
        "Customers a day as the source states them; one who comes twice counts twice.", "customers",
        &Figures::customers);
    return kpis;
  }
  add("net_sales", "Net sales", "All lines: sales and fees minus cancellations, returns and adjustments.",
      money, &Figures::net);
  add("gross_sales", "Gross sales", "Sale and fee lines with a price, before anything was taken back.", money,
      &Figures::gross);
  add("returns", "Returned", "Value of cancellation and return lines.", money, &Figures::returned);
  add("orders", "Orders", "Distinct orders with at least one priced sale line; cancellations are not orders.",
      "orders", &Figures::orders);
  add("units", "Units sold", "Units of priced sale lines; returned units are not taken off.", "units",
      &Figures::units);
  add("customers", "Customers",
      "Distinct known customers with an order; anonymous sales count in sales, not here.", "customers",
      &Figures::customers);
  add("average_order_value", "Average order", "Gross sales divided by orders.", money, &Figures::average);
  return kpis;
}

Result<void> add_months(database::Connection& connection, const Basis& basis, const KpiRequest& request,
                        KpiReport& report) {
  const std::string source =
      basis.has_lines
          ? "SELECT date_trunc('month', day.business_date) AS month, sum(day.net_sales) AS revenue, "
            "sum(day.orders) AS orders, sum(day.units) AS units "
            "FROM kpi_daily AS day INNER JOIN dim_store AS store ON store.store_key = day.store_key "
            "INNER JOIN dim_country AS country ON country.country_key = day.country_key "
            "WHERE day.business_date BETWEEN $1 AND $2 AND ($3 = '' OR store.store_id = $3) AND ($4 = '' OR "
            "country.country = $4) GROUP BY 1"
          : "SELECT date_trunc('month', day.business_date) AS month, sum(day.sales) AS revenue, 0 AS orders, "
            "0 AS units "
            "FROM sales_daily AS day INNER JOIN dim_store AS store ON store.store_key = day.store_key "
            "WHERE day.business_date BETWEEN $1 AND $2 AND ($3 = '' OR store.store_id = $3) AND ($4 = '' OR "
            "store.country = $4) GROUP BY 1";
  const auto rows = TILLCAST_TRY_PLAIN(connection.query(
      "WITH sold AS (" + source +
          "), months AS (SELECT DISTINCT month_start AS month FROM dim_date WHERE business_date BETWEEN $1 "
          "AND $2) "
          "SELECT CAST(months.month AS DATE), coalesce(sold.revenue, 0), coalesce(CAST(sold.orders AS "
          "BIGINT), 0), coalesce(sold.units, 0) "
          "FROM months LEFT JOIN sold ON CAST(sold.month AS DATE) = months.month ORDER BY 1",
      {Value(report.from), Value(report.to), text_value(request.store_id), text_value(request.country)}));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    report.by_month.push_back({rows.date(i, 0).value_or(Date{}), tidy_money(rows.text(i, 1)),
                               rows.integer(i, 2).value_or(0), tidy_units(rows.text(i, 3))});
  }
  return {};
}

Result<void> add_countries(database::Connection& connection, const KpiRequest& request, KpiReport& report) {
  const auto rows = TILLCAST_TRY_PLAIN(connection.query(
      "SELECT country.country, sum(day.net_sales), CAST(sum(day.orders) AS BIGINT), "
      "coalesce(CAST(sum(day.net_sales) AS DOUBLE) / nullif(CAST(sum(sum(day.net_sales)) OVER () AS DOUBLE), "
      "0), 0) "
      "FROM kpi_daily AS day INNER JOIN dim_store AS store ON store.store_key = day.store_key "
      "INNER JOIN dim_country AS country ON country.country_key = day.country_key "
      "WHERE day.business_date BETWEEN $1 AND $2 AND ($3 = '' OR store.store_id = $3) AND ($4 = '' OR "
      "country.country = $4) "
      "GROUP BY 1 ORDER BY 2 DESC, 1",
      {Value(report.from), Value(report.to), text_value(request.store_id), text_value(request.country)}));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    report.by_country.push_back({rows.text(i, 0), tidy_money(rows.text(i, 1)), rows.integer(i, 2).value_or(0),
                                 rows.number(i, 3).value_or(0)});
  }
  return {};
}

Result<void> fill(database::Connection& inside, const KpiRequest& request, KpiReport& report) {
  const Basis basis = TILLCAST_TRY_PLAIN(find_basis(inside));
  report.data_until = basis.last;
  report.from = request.from.value_or(basis.first);
  report.to = request.to.value_or(basis.last);
  if (report.from > report.to) {
    return invalid_input("from (" + format_date(report.from) + ") must not be after to (" +
                         format_date(report.to) + "); the data goes from " + format_date(basis.first) +
                         " to " + format_date(basis.last));
  }
  const Figures now = TILLCAST_TRY_PLAIN(figures_of(inside, basis, report.from, report.to, request));
  const Date before_to{report.from.days - 1};
  const Date before_from{report.from.days - (report.to.days - report.from.days + 1)};
  std::optional<Figures> before;
  if (before_from >= basis.first)
    before = TILLCAST_TRY_PLAIN(figures_of(inside, basis, before_from, before_to, request));
  report.kpis = headline(basis, now, before);
  if (auto added = add_months(inside, basis, request, report); !added) return added;
  if (basis.has_lines) return add_countries(inside, request, report);
  return {};
}

}  // namespace

Result<KpiReport> kpi_report(Workspace& workspace, const KpiRequest& request) {
  TILLCAST_TRY_PLAIN(require_gold(workspace));
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  KpiReport report;
  // One transaction: a build that commits between two of the questions must not show in half of the answer.
  auto filled =
      connection.transaction([&](database::Connection& inside) { return fill(inside, request, report); });
  if (!filled) return std::move(filled.error());
  return report;
}

}  // namespace tillcast::pipeline
