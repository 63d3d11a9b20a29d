#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>
#include <vector>

#include "cli/accuracy_report.h"
#include "core/text.h"

namespace tillcast::cli {
namespace {

constexpr const char* kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Forecast accuracy</title><style>
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#d9dee5;--paper:#fff;--card:#f5f7fa;--main:#0b62c4;--other:#a8b3c2;--mark:#b4530a;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf0;--soft:#9aa6b5;--line:#333d4a;--paper:#12171e;--card:#1b222c;--main:#69aef5;--other:#55616f;--mark:#f0a35e;--bad:#ff8a80}}
body{margin:0 auto;max-width:74rem;padding:1.5rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.2rem;margin:2.5rem 0 .2rem}h3{font-size:1rem;margin:1.6rem 0 .3rem}
p{margin:.2rem 0;color:var(--soft)}nav a{margin-right:1rem}a{color:var(--main)}
.tiles{display:flex;flex-wrap:wrap;gap:.7rem;margin:.8rem 0}.tile{background:var(--card);border-radius:8px;padding:.6rem .9rem;min-width:8.5rem}
.tile b{display:block;font-size:1.35rem}.tile span{color:var(--soft);font-size:.85rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%;font-size:.88rem}
th,td{padding:.25rem .55rem;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}
th{color:var(--soft);font-weight:600}.n{text-align:right}tr.us td{font-weight:600}
svg{width:100%;height:auto;max-width:56rem;display:block}svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .s{fill:var(--soft)}
</style></head><body>
<h1>Forecast accuracy</h1>
<p>Back-test on the newest origin that the choice of models had not seen. Lower errors are better; value added is the share of the
seasonal naive forecast's error that was removed. Intervals of 80 % should hold 80 % of what came, no more and no less.</p>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// The rows of a result that belong to one plan, by column name.
class Rows {
 public:
  Rows(const database::QueryResult& result, const std::string& plan) : result_(&result) {
    const int column = result.find("plan");
    for (std::size_t row = 0; row < result.rows(); ++row)
      if (result.text(row, static_cast<std::size_t>(column)) == plan) rows_.push_back(row);
  }
  std::size_t size() const { return rows_.size(); }
  std::string text(std::size_t at, std::string_view column) const {
    const int place = result_->find(column);
    return place < 0 ? "" : result_->text(rows_[at], static_cast<std::size_t>(place));
  }
  std::optional<double> number(std::size_t at, std::string_view column) const {
    const int place = result_->find(column);
    return place < 0 ? std::nullopt : result_->number(rows_[at], static_cast<std::size_t>(place));
  }
  bool is(std::size_t at, std::string_view column, std::string_view value) const {
    return text(at, column) == value;
  }
  /// Only the rows that `keep` accepts.
  Rows where(const std::function<bool(const Rows&, std::size_t)>& keep) const {
    Rows some = *this;
    some.rows_.clear();
    for (std::size_t at = 0; at < rows_.size(); ++at)
      if (keep(*this, at)) some.rows_.push_back(rows_[at]);
    return some;
  }

 private:
  const database::QueryResult* result_;
  std::vector<std::size_t> rows_;
};

std::string shown(const std::optional<double>& value, int digits, bool percent = false) {
  if (!value || !std::isfinite(*value)) return "–";
  return percent ? fixed(100 * *value, digits) + " %" : fixed(*value, digits);
}

struct TableColumn {
  const char* name;
  const char* title;
  int digits = -1;  ///< -1 = text
  bool percent = false;
};

std::string table(const Rows& rows, const std::vector<TableColumn>& columns, std::size_t rows_max = 1000) {
  // The chosen models stand out where they stand beside others.
  const bool compares = std::ranges::any_of(
      columns, [](const TableColumn& one) { return std::string_view(one.name) == "model"; });
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (const TableColumn& column : columns)
    html +=
        std::string("<th") + (column.digits >= 0 ? " class=\"n\">" : ">") + escaped(column.title) + "</th>";
  html += "</tr></thead><tbody>\n";
  for (std::size_t at = 0; at < std::min(rows.size(), rows_max); ++at) {
    html += compares && rows.is(at, "model", "chosen") ? "<tr class=\"us\">" : "<tr>";
    for (const TableColumn& column : columns) {
      html += column.digits < 0
                  ? "<td>" + escaped(rows.text(at, column.name))
                  : "<td class=\"n\">" + shown(rows.number(at, column.name), column.digits, column.percent);
      html += "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string line(double x1, double y1, double x2, double y2, const char* style) {
  return "<line x1=\"" + fixed(x1, 1) + "\" y1=\"" + fixed(y1, 1) + "\" x2=\"" + fixed(x2, 1) + "\" y2=\"" +
         fixed(y2, 1) + "\" style=\"" + style + "\"/>";
}

std::string label(double x, double y, std::string_view text, const char* anchor = "start",
                  const char* extra = "") {
  return "<text x=\"" + fixed(x, 1) + "\" y=\"" + fixed(y, 1) + "\" text-anchor=\"" + anchor + "\"" + extra +
         ">" + escaped(text) + "</text>";
}

/// Bars of the WAPE of each model, the seasonal naive as a line across.
std::string model_bars(const Rows& rows) {
  constexpr double kLeft = 150;
  constexpr double kWidth = 500;
  constexpr double kRow = 22;
  double most = 0;
  for (std::size_t at = 0; at < rows.size(); ++at) most = std::max(most, rows.number(at, "wape").value_or(0));
  const auto naive = rows.number(0, "wape_seasonal_naive");
  if (naive) most = std::max(most, *naive);
  if (!(most > 0)) return "";
  // One absurd model must not hide the differences among the others.
  if (naive && *naive > 0) most = std::min(most, 2.5 * *naive);
  const double height = kRow * static_cast<double>(rows.size()) + 26;
  std::string svg =
      "<svg viewBox=\"0 0 720 " + fixed(height, 0) + "\" role=\"img\" aria-label=\"WAPE of each model\">";
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const double wape = rows.number(at, "wape").value_or(0);
    const double y = kRow * static_cast<double>(at);
    const double length = kWidth * std::min(wape, most) / most;
    svg += label(kLeft - 8, y + 15, rows.text(at, "model"), "end") + "<rect x=\"" + fixed(kLeft, 0) +
           "\" y=\"" + fixed(y + 4, 1) + "\" width=\"" + fixed(length, 1) +
           "\" height=\"14\" rx=\"2\" fill=\"var(--" + (rows.is(at, "model", "chosen") ? "main" : "other") +
           ")\"/>" + label(kLeft + length + 6, y + 15, fixed(wape, 3), "start", " class=\"s\"");
  }
  if (naive) {
    const double x = kLeft + kWidth * *naive / most;
    svg += line(x, 0, x, height - 18, "stroke:var(--mark);stroke-dasharray:4 3") +
           label(x, height - 4, "seasonal naive " + fixed(*naive, 3), "middle");
  }
  return svg + "</svg>\n";
}

/// WAPE along the horizon: chosen models against the seasonal naive.
std::string horizon_lines(const Rows& rows) {
  constexpr double kLeft = 46;
  constexpr double kTop = 12;
  constexpr double kWidth = 600;
  constexpr double kHeight = 170;
  if (rows.size() < 2) return "";
  double most = 0;
  for (std::size_t at = 0; at < rows.size(); ++at)
    for (const char* column : {"wape", "wape_seasonal_naive"})
      most = std::max(most, rows.number(at, column).value_or(0));
  if (!(most > 0)) return "";
  const double step = kWidth / static_cast<double>(rows.size() - 1);
  const auto y_of = [&](double value) { return kTop + kHeight * (1 - value / most); };
  std::string svg = "<svg viewBox=\"0 0 720 222\" role=\"img\" aria-label=\"WAPE along the horizon\">";
  for (int tick = 0; tick <= 4; ++tick) {
    const double value = most * tick / 4;
    svg += line(kLeft, y_of(value), kLeft + kWidth, y_of(value), "stroke:var(--line)") +
           label(kLeft - 6, y_of(value) + 4, fixed(value, 2), "end", " class=\"s\"");
  }
  for (std::size_t at = 0; at < rows.size(); ++at)
    svg += label(kLeft + step * static_cast<double>(at), kTop + kHeight + 18, rows.text(at, "steps"),
                 "middle", " class=\"s\"");
  const std::size_t end = rows.size() - 1;
  const bool naive_below =
      rows.number(end, "wape_seasonal_naive").value_or(0) < rows.number(end, "wape").value_or(0);
  const auto draw = [&](const char* column, const char* colour, const char* name, double shift) {
    std::string points;
    double last = 0;
    for (std::size_t at = 0; at < rows.size(); ++at) {
      const auto value = rows.number(at, column);
      if (!value) continue;
      last = y_of(*value);
      points += fixed(kLeft + step * static_cast<double>(at), 1) + "," + fixed(last, 1) + " ";
    }
    svg += std::string("<polyline fill=\"none\" stroke-width=\"2.2\" style=\"stroke:var(--") + colour +
           ")\" points=\"" + points + "\"/>" + label(kLeft + kWidth + 6, last + shift, name);
  };
  draw("wape_seasonal_naive", "mark", "naive", naive_below ? 12 : -3);
  draw("wape", "main", "chosen", naive_below ? -3 : 12);
  return svg + label(kLeft + kWidth / 2, 218, "steps ahead", "middle", " class=\"s\"") + "</svg>\n";
}

/// Coverage of each group as a dot against its target.
std::string coverage_dots(const Rows& rows) {
  constexpr double kLeft = 150;
  constexpr double kWidth = 500;
  constexpr double kRow = 22;
  static constexpr double kFrom = 0.5;
  if (rows.size() == 0) return "";
  const auto x_of = [](double share) {
    return kLeft + kWidth * (std::clamp(share, kFrom, 1.0) - kFrom) / (1 - kFrom);
  };
  std::vector<std::string> groups;
  std::string dots;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    std::string group = rows.text(at, "demand_class");
    if (!rows.is(at, "steps", "all")) group = "steps " + rows.text(at, "steps");
    if (groups.empty() || groups.back() != group) groups.push_back(group);
    const auto coverage = rows.number(at, "coverage");
    if (!coverage) continue;
    const bool wide = rows.is(at, "percent", "95");
    const double y = kRow * static_cast<double>(groups.size() - 1) + 11;
    dots += "<circle cx=\"" + fixed(x_of(*coverage), 1) + "\" cy=\"" + fixed(y, 1) +
            "\" r=\"5\" fill=\"var(--" + (wide ? "mark" : "main") + ")\"><title>" + escaped(group) + ": " +
            fixed(100 * *coverage, 1) + " % of " + rows.text(at, "percent") + "</title></circle>";
  }
  const double height = kRow * static_cast<double>(groups.size());
  std::string svg = "<svg viewBox=\"0 0 720 " + fixed(height + 24, 0) +
                    "\" role=\"img\" aria-label=\"Coverage of the intervals\">";
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const double y = kRow * static_cast<double>(g) + 11;
    svg +=
        label(kLeft - 8, y + 4, groups[g], "end") + line(kLeft, y, kLeft + kWidth, y, "stroke:var(--line)");
  }
  for (const double target : {0.8, 0.95})
    svg += line(x_of(target), 0, x_of(target), height, "stroke:var(--soft);stroke-dasharray:4 3") +
           label(x_of(target), height + 16, fixed(100 * target, 0) + " %", "middle", " class=\"s\"");
  return svg + dots + "</svg>\n";
}

std::string tile(const std::string& value, const std::string& name) {
  return "<div class=\"tile\"><b>" + escaped(value) + "</b><span>" + escaped(name) + "</span></div>";
}

std::string plan_section(const AccuracyTables& tables, std::size_t run_at) {
  const auto run_text = [&](std::string_view column) {
    const int place = tables.runs.find(column);
    return place < 0 ? "" : tables.runs.text(run_at, static_cast<std::size_t>(place));
  };
  const auto run_number = [&](std::string_view column) {
    const int place = tables.runs.find(column);
    return place < 0 ? std::nullopt : tables.runs.number(run_at, static_cast<std::size_t>(place));
  };
  const std::string plan = run_text("plan");
  const Rows models(tables.models, plan);
  const Rows intervals(tables.intervals, plan);
  const Rows series(tables.series, plan);
  const auto newest =
      models.where([](const Rows& r, std::size_t at) { return r.is(at, "is_newest", "true"); });
  const auto whole = newest.where([](const Rows& r, std::size_t at) {
    return r.is(at, "demand_class", "all") && r.is(at, "steps", "all") && r.is(at, "level", "all");
  });
  const auto chosen = newest.where([](const Rows& r, std::size_t at) { return r.is(at, "model", "chosen"); });

  std::string html = "<h2 id=\"" + escaped(plan) + "\">" + escaped(plan) + "</h2>\n<p>" +
                     escaped(run_text("measure")) + ", " + escaped(run_text("frequency")) +
                     (run_text("by_columns").empty() ? "" : ", by " + escaped(run_text("by_columns"))) +
                     "; " + run_text("series") + " series (" + run_text("fallbacks") + " with a fallback, " +
                     run_text("failed") + " refused), " + run_text("horizon") +
                     " periods ahead, data until " + run_text("data_until") + ", run " +
                     escaped(run_text("run_id")) + "</p>\n";
  const auto wape = run_number("wape");
  const auto naive = run_number("wape_seasonal_naive");
  html += "<div class=\"tiles\">" + tile(shown(wape, 3), "WAPE") +
          tile(shown(naive, 3), "WAPE of the seasonal naive");
  if (wape && naive && *naive > 0) html += tile(shown(1 - *wape / *naive, 1, true), "value added");
  html += tile(shown(run_number("rmspe"), 4), "RMSPE") + tile(shown(run_number("bias"), 1, true), "bias") +
          tile(shown(run_number("coverage80"), 1, true), "held by 80 % intervals") +
          tile(shown(run_number("coverage95"), 1, true), "held by 95 % intervals") + "</div>\n";
  if (models.size() == 0) return html + "<p>No back-test: every series was too short.</p>\n";

  const std::vector<TableColumn> measures = {{"series", "series", 0},
                                             {"points", "points", 0},
                                             {"wape", "WAPE", 3},
                                             {"value_added", "value added", 1, true},
                                             {"bias", "bias", 1, true},
                                             {"mae", "MAE", 2},
                                             {"median_error", "median error", 2},
                                             {"rmse", "RMSE", 2},
                                             {"mape", "MAPE", 3},
                                             {"smape", "sMAPE", 3},
                                             {"rmspe", "RMSPE", 4},
                                             {"mase", "MASE", 3},
                                             {"rmsse", "RMSSE", 3}};
  const auto with = [&measures](const std::vector<TableColumn>& before) {
    std::vector<TableColumn> columns = before;
    columns.insert(columns.end(), measures.begin(), measures.end());
    return columns;
  };
  html += "<h3>Models</h3>\n" + model_bars(whole) + table(whole, with({{"model", "model"}}));
  const auto steps = chosen.where([](const Rows& r, std::size_t at) { return !r.is(at, "steps", "all"); });
  if (steps.size() > 1)
    html += "<h3>Along the horizon</h3>\n" + horizon_lines(steps) + table(steps, with({{"steps", "steps"}}));
  const auto classes =
      chosen.where([](const Rows& r, std::size_t at) { return !r.is(at, "demand_class", "all"); });
  html += "<h3>By class of demand</h3>\n" + table(classes, with({{"demand_class", "class"}}));
  const auto levels = chosen.where([](const Rows& r, std::size_t at) { return !r.is(at, "level", "all"); });
  if (levels.size() > 0) {
    html +=
        "<h3>By level</h3>\n<p>Forecasts of the series, added up and compared with what came of the "
        "sum.</p>\n";
    const auto all = whole.where([](const Rows& r, std::size_t at) { return r.is(at, "model", "chosen"); });
    if (all.size() > 0 && all.number(0, "wrmsse")) {
      html += "<p>WRMSSE " + shown(all.number(0, "wrmsse"), 3) + ", seasonal naive " +
              shown(all.number(0, "wrmsse_seasonal_naive"), 3) +
              ": the mean over these levels and the series of their weighted RMSSE.</p>\n";
    }
    html += table(levels, {{"level", "level"},
                           {"series", "groups", 0},
                           {"points", "points", 0},
                           {"wape", "WAPE", 3},
                           {"wape_seasonal_naive", "seasonal naive", 3},
                           {"value_added", "value added", 1, true},
                           {"bias", "bias", 1, true},
                           {"mae", "MAE", 2},
                           {"median_error", "median error", 2},
                           {"rmse", "RMSE", 2},
                           {"smape", "sMAPE", 3},
                           {"rmspe", "RMSPE", 4},
                           {"weighted_rmsse", "weighted RMSSE", 3}});
  }
  const auto older =
      models.where([](const Rows& r, std::size_t at) { return !r.is(at, "is_newest", "true"); });
  if (older.size() > 0)
    html += "<h3>Older origins</h3>\n<p>The choice was made on these.</p>\n" +
            table(older, with({{"origin", "known until"}, {"model", "model"}}));
  if (intervals.size() > 0) {
    html += "<h3>Intervals</h3>\n<p>Share of actual values inside: blue 80 %, orange 95 %.</p>\n" +
            coverage_dots(intervals) +
            table(intervals, {{"demand_class", "class"},
                              {"steps", "steps"},
                              {"percent", "interval %", 0},
                              {"points", "points", 0},
                              {"coverage", "coverage", 1, true},
                              {"relative_width", "width / mean", 3},
                              {"score", "interval score", 3},
                              {"pinball_low", "pinball, low", 3},
                              {"pinball_high", "pinball, high", 3},
                              {"scaled_pinball", "scaled pinball", 3}});
  }
  constexpr std::size_t kWorst = 25;
  html += "<h3>Series with most of the error</h3>\n";
  if (series.size() > kWorst)
    html += "<p>The first " + std::to_string(kWorst) + " of " + std::to_string(series.size()) +
            "; <code>--json</code> has all.</p>\n";
  html += table(series,
                {{"series_id", "series"},
                 {"label", "label"},
                 {"model", "model"},
                 {"demand_class", "class"},
                 {"error_share", "share of all error", 2, true},
                 {"wape", "WAPE", 3},
                 {"wape_seasonal_naive", "seasonal naive", 3},
                 {"value_added", "value added", 1, true},
                 {"bias", "bias", 1, true},
                 {"mase", "MASE", 3},
                 {"median_error", "median error", 2}},
                kWorst);
  return html;
}

}  // namespace

std::string accuracy_html(const AccuracyTables& tables) {
  std::string html = kHead;
  const int plan = tables.runs.find("plan");
  if (tables.runs.rows() > 1 && plan >= 0) {
    html += "<nav>";
    for (std::size_t run = 0; run < tables.runs.rows(); ++run) {
      const std::string name = escaped(tables.runs.text(run, static_cast<std::size_t>(plan)));
      html += "<a href=\"#" + name + "\">" + name + "</a>";
    }
    html += "</nav>\n";
  }
  for (std::size_t run = 0; run < tables.runs.rows(); ++run) html += plan_section(tables, run);
  return html + "</body></html>\n";
}

}  // namespace tillcast::cli
