#include "forecast/global_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/text.h"

namespace tillcast::forecast {
namespace {

struct OptionWord {
  std::string_view name;
  double least;
  double most;
  bool whole;
  void (*set)(GlobalModelOptions& options, double value);
  double (*get)(const GlobalModelOptions& options);
  bool always = true;  ///< written even where it is the default: what a search varies, and the seeds
};

constexpr std::array<OptionWord, 14> kWords = {{
    {"rounds", 1, 100'000, true, [](auto& o, double v) { o.booster.rounds = static_cast<int>(v); },
     [](const auto& o) { return static_cast<double>(o.booster.rounds); }},
    {"rate", 0.001, 1, false, [](auto& o, double v) { o.booster.learning_rate = v; },
     [](const auto& o) { return o.booster.learning_rate; }},
    {"leaves", 2, 10'000, true, [](auto& o, double v) { o.booster.leaves = static_cast<int>(v); },
     [](const auto& o) { return static_cast<double>(o.booster.leaves); }},
    {"columns", 0.01, 1, false, [](auto& o, double v) { o.booster.column_share = v; },
     [](const auto& o) { return o.booster.column_share; }},
    {"rows", 0.01, 1, false, [](auto& o, double v) { o.booster.row_share = v; },
     [](const auto& o) { return o.booster.row_share; }},
    {"leaf", 1, 1'000'000, true, [](auto& o, double v) { o.booster.leaf_rows_min = static_cast<int>(v); },
     [](const auto& o) { return static_cast<double>(o.booster.leaf_rows_min); }},
    {"l2", 0, 1e6, false, [](auto& o, double v) { o.booster.l2 = v; },
     [](const auto& o) { return o.booster.l2; }},
    {"half_life", 0, 36'500, false, [](auto& o, double v) { o.half_life = v; },
     [](const auto& o) { return o.half_life; }},
    {"seeds", 1, 64, true, [](auto& o, double v) { o.seeds = static_cast<int>(v); },
     [](const auto& o) { return static_cast<double>(o.seeds); }},
    {"seed", 0, 1e9, true, [](auto& o, double v) { o.booster.seed = static_cast<std::uint32_t>(v); },
     [](const auto& o) { return static_cast<double>(o.booster.seed); }, false},
    {"shifts", 1, 64, true, [](auto& o, double v) { o.shifts = static_cast<int>(v); },
     [](const auto& o) { return static_cast<double>(o.shifts); }, false},
    {"history", 28, 3650, true, [](auto& o, double v) { o.history_min = static_cast<int>(v); },
     [](const auto& o) { return static_cast<double>(o.history_min); }, false},
    {"power", 1, 1.99, false, [](auto& o, double v) { o.booster.tweedie_power = v; },
     [](const auto& o) { return o.booster.tweedie_power; }, false},
    {"stop", 0, 1000, true, [](auto& o, double v) { o.booster.early_stopping_rounds = static_cast<int>(v); },
     [](const auto& o) { return static_cast<double>(o.booster.early_stopping_rounds); }, false},
}};

std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

}  // namespace

Result<GlobalModelOptions> parse_global_options(std::string_view words, GlobalModelOptions start) {
  while (!words.empty()) {
    const std::size_t blank = words.find_first_of(" \t\n,");
    const std::string_view word = words.substr(0, blank);
    words.remove_prefix(blank == std::string_view::npos ? words.size() : blank + 1);
    if (word.empty()) continue;
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    if (name == "drop" && !value.empty()) {
      start.left_out.emplace_back(value);
      continue;
    }
    if (name == "aim") {
      start.aim = find_metric(value);
      if (!start.aim || !is_aim(*start.aim))
        return invalid_input("aim: expected rmspe, mape or rmse, found '" + std::string(value.substr(0, 60)) +
                             "'");
      continue;
    }
    const auto known = std::ranges::find(kWords, name, &OptionWord::name);
    if (known == kWords.end()) {
      std::vector<std::string> names;
      names.reserve(kWords.size());
      for (const OptionWord& one : kWords) names.emplace_back(one.name);
      return invalid_input("there is no setting of trees '" + std::string(name.substr(0, 60)) +
                           "'; there are " + join(names, ", ") + ", drop, aim");
    }
    double number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || !(number >= known->least) ||
        number > known->most || (known->whole && number != std::floor(number))) {
      return invalid_input(std::string(name) + ": expected " +
                           (known->whole ? "a whole number" : "a number") + " from " +
                           number_text(known->least) + " to " + number_text(known->most) + ", found '" +
                           std::string(value.substr(0, 60)) + "'");
    }
    known->set(start, number);
  }
  return start;
}

std::string format_global_options(const GlobalModelOptions& options) {
  const GlobalModelOptions usual;
  std::vector<std::string> words;
  for (const OptionWord& one : kWords)
    if (one.always || one.get(options) != one.get(usual))
      words.push_back(std::string(one.name) + "=" + number_text(one.get(options)));
  if (options.aim) words.push_back("aim=" + std::string(metric_name(*options.aim)));
  for (const std::string& column : options.left_out) words.push_back("drop=" + column);
  return join(words, " ");
}

}  // namespace tillcast::forecast
