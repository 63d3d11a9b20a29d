#include "pipeline/backtest_figures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

namespace tillcast::pipeline {
namespace {

constexpr std::string_view kMagic = "tillcast-backtest 1";

void keep(std::map<std::string, double>& into, const char* name, double value) {
  if (std::isfinite(value)) into[name] = value;
}

double wape_of(const forecast::SeriesForecast& series, forecast::ModelId model) {
  const auto at = std::ranges::find(series.backtest, model, &forecast::ModelAccuracy::model);
  if (at == series.backtest.end() || !at->refused.empty()) return -1;
  const double wape = at->accuracy.wape();
  return std::isfinite(wape) ? wape : -1;
}

std::string hex(double value) {
  std::array<char, 40> text{};
  return {text.data(),
          std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::hex).ptr};
}

bool read_hex(const std::string& text, double& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::hex);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

// An id may hold anything but must stay on its line.
std::string one_line(const std::string& id) {
  std::string line;
  for (const char c : id) {
    if (c == '\n') line += "\\n";
    if (c == '\\') line += "\\\\";
    if (c != '\n' && c != '\\') line += c;
  }
  return line;
}

std::string from_one_line(const std::string& line) {
  std::string id;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) {
      id += line[++i] == 'n' ? '\n' : '\\';
    } else {
      id += line[i];
    }
  }
  return id;
}

void put_measures(std::string& out, const std::map<std::string, double>& measures) {
  for (const auto& [name, value] : measures) out += " " + name + " " + hex(value);
  out += "\n";
}

bool read_measures(std::istringstream& words, std::map<std::string, double>& measures) {
  std::string name;
  std::string number;
  while (words >> name) {
    double value = 0;
    if (!(words >> number) || !read_hex(number, value)) return false;
    measures[name] = value;
  }
  return true;
}

bool read_line(const std::string& line, BacktestFigures& figures) {
  std::istringstream words(line);
  std::string kind;
  words >> kind;
  if (kind == "run") return read_measures(words, figures.run);
  if (kind == "model") {
    BacktestFigures::ModelRow row;
    if (!(words >> row.model >> row.demand_class >> row.points) || !read_measures(words, row.measures))
      return false;
    figures.models.push_back(std::move(row));
    return true;
  }
  if (kind != "series") return false;
  std::string wape;
  std::string naive;
  BacktestFigures::SeriesRow row;
  if (!(words >> wape >> naive) || !read_hex(wape, row.wape) || !read_hex(naive, row.wape_seasonal_naive))
    return false;
  words.get();
  std::string id;
  std::getline(words, id);
  figures.series[from_one_line(id)] = row;
  return true;
}

}  // namespace

double BacktestFigures::of(const std::string& name, double otherwise) const {
  const auto at = run.find(name);
  return at == run.end() ? otherwise : at->second;
}

BacktestFigures figures_of(const forecast::ForecastRun& run, const PlanSeries& data) {
  BacktestFigures figures;
  for (const auto& row : run.accuracy) {
    const auto& newest = row.newest;
    if (!row.model && !row.demand_class) {
      keep(figures.run, "wape", newest.wape());
      keep(figures.run, "wape_seasonal_naive", row.newest_benchmark.wape());
      keep(figures.run, "rmspe", newest.rmspe());
      keep(figures.run, "rmspe_seasonal_naive", row.newest_benchmark.rmspe());
      keep(figures.run, "bias", newest.bias());
    }
    auto& shown = figures.models.emplace_back();
    shown.model = row.model ? forecast::model(*row.model).name : "chosen";
    shown.demand_class = row.demand_class ? forecast::demand_class_name(*row.demand_class) : "all";
    shown.points = static_cast<std::int64_t>(newest.count);
    keep(shown.measures, "wape", newest.wape());
    keep(shown.measures, "rmspe", newest.rmspe());
    keep(shown.measures, "mae", newest.mae());
    keep(shown.measures, "rmse", newest.rmse());
    keep(shown.measures, "mase", newest.mase());
    keep(shown.measures, "smape", newest.smape());
    keep(shown.measures, "bias", newest.bias());
    keep(shown.measures, "mape", newest.mape());
    keep(shown.measures, "rmsse", newest.rmsse());
    keep(shown.measures, "wape_seasonal_naive", row.newest_benchmark.wape());
    keep(shown.measures, "value_added",
         forecast::value_added(newest, row.newest_benchmark, forecast::Metric::kWape));
  }
  for (const auto& row : run.coverage) {
    if (row.demand_class) continue;
    keep(figures.run, "coverage80", row.coverage.share80());
    keep(figures.run, "coverage95", row.coverage.share95());
    keep(figures.run, "width80", row.coverage.mean_width80());
    keep(figures.run, "width95", row.coverage.mean_width95());
  }
  for (std::size_t i = 0; i < run.series.size(); ++i) {
    const auto& one = run.series[i];
    figures.series[data.members[i].id] = {wape_of(one, one.model),
                                          wape_of(one, forecast::ModelId::kSeasonalNaive)};
  }
  return figures;
}

std::string format_figures(const BacktestFigures& figures) {
  std::string out = std::string(kMagic) + "\nrun";
  put_measures(out, figures.run);
  for (const auto& row : figures.models) {
    out += "model " + row.model + " " + row.demand_class + " " + std::to_string(row.points);
    put_measures(out, row.measures);
  }
  for (const auto& [id, row] : figures.series)
    out += "series " + hex(row.wape) + " " + hex(row.wape_seasonal_naive) + " " + one_line(id) + "\n";
  return out;
}

Result<BacktestFigures> parse_figures(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string line;
  if (!std::getline(lines, line) || line != kMagic)
    return corrupt_data("these are no figures of a back-test; fit again with `tillcast forecast fit`");
  BacktestFigures figures;
  for (std::size_t number = 2; std::getline(lines, line); ++number) {
    if (!read_line(line, figures))
      return corrupt_data("figures of a back-test, line " + std::to_string(number) + ": cannot be read");
  }
  return figures;
}

}  // namespace tillcast::pipeline
