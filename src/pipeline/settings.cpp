#include "pipeline/settings.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "core/text.h"
#include "forecast/accuracy.h"
#include "forecast/global_options.h"
#include "forecast/holidays.h"
#include "pipeline/plan_quantiles.h"
#include "pipeline/retrain_schedule.h"

namespace tillcast::pipeline {
namespace {

// Levels of sums, and what a plan must be by to have them.
struct LevelNeed {
  std::string_view level;
  std::string_view column;
};
constexpr LevelNeed kLevels[] = {
    {"total", ""}, {"country", "store"}, {"store", "store"}, {"category", "product"}, {"product", "product"}};

constexpr std::string_view kArrayTables[] = {"forecast.plan", "forecast.drivers"};

constexpr SettingSpec kSpecs[] = {
    {"ingest.inputs", SettingType::kTextList, "", "files that `tillcast run` loads when no --input is given"},
    {"ingest.mapping", SettingType::kText, "",
     "column mapping (TOML file or preset name) for all inputs; empty = picked by header"},
    {"ingest.future_days_max", SettingType::kInteger, "1",
     "days after today (UTC) that a sale may be dated; later ones are refused"},
    {"warehouse.project", SettingType::kText, "warehouse",
     "folder of the SQL models; the built-in ones when it does not exist"},
    {"warehouse.memory_limit_mb", SettingType::kInteger, "4096",
     "memory that queries and builds may use before they spill to disk"},
    {"warehouse.threads", SettingType::kInteger, "0",
     "threads of queries and builds; 0 = all cores from 5 million rows on, else 1"},
    {"forecast.enabled", SettingType::kBool, "true", "false: `tillcast run` stops after the checks"},
    {"forecast.threads", SettingType::kInteger, "0", "threads of the forecast; 0 = all cores"},
    {"forecast.origins", SettingType::kInteger, "4",
     "back-test origins; the newest judges what was chosen on the others"},
    {"forecast.checkpoint_ms", SettingType::kInteger, "5000",
     "a training keeps what it found each time it worked so long (CPU time, as estimated), and goes on from "
     "there after it was stopped or killed; 0 = it begins again"},
    {"forecast.refit_days", SettingType::kInteger, "7",
     "days of new data that `tillcast run` forecasts by updating the champion; more: a new fit"},
    {"forecast.gate_margin_percent", SettingType::kInteger, "1",
     "how much better than the champion a new version must be on held-out data, in percent of the error; "
     "less, or a "
     "tie, leaves it a challenger"},
    {"forecast.retrain_on_alert", SettingType::kBool, "false",
     "true: `tillcast run` fits a plan again when its forecasts degraded since the newest version"},
    {"forecast.versions_kept", SettingType::kInteger, "10",
     "newest model versions kept of each plan; champion, challenger and the last champion always are"},
    {"forecast.retrain", SettingType::kText, "",
     "when `tillcast serve` trains by itself, UTC: \"daily 03:00\", \"weekly monday 03:00\", \"every 24h\"; "
     "empty = never"},
    {"forecast.country", SettingType::kText, "",
     "country whose holidays count; empty = that of each store, else the one that most orders come from"},
    {"forecast.region", SettingType::kText, "",
     "state or part of that country, for holidays that hold there alone; empty = that of each store"},
    {"forecast.holidays", SettingType::kText, "",
     "csv of your own holidays: date,name[,country][,region][,kind]; besides the built-in calendars"},
    {"forecast.cut", SettingType::kText, "",
     "last day whose sales may be seen, to look back as of then: 2015-06-19; empty = all days"},
    {"monitor.points_min", SettingType::kInteger, "7", "forecasts that came due before a state is given"},
    {"monitor.wape_percent", SettingType::kInteger, "150",
     "a forecast is degraded when its error is more than this share of that in the back-test"},
    {"monitor.bias_percent", SettingType::kInteger, "30",
     "a plan is degraded when its forecasts are off in one direction by more than this share of sales"},
    {"monitor.coverage80_percent", SettingType::kInteger, "55",
     "a plan is degraded when its 80 % intervals hold less than this share"},
    {"monitor.days_kept", SettingType::kInteger, "400", "days that outcomes of forecasts are kept"},
    {"sql.rows_max", SettingType::kInteger, "10000", "rows that one `tillcast sql` answer may have"},
    {"sql.seconds_max", SettingType::kInteger, "30", "seconds that one `tillcast sql` statement may take"},
    {"serve.host", SettingType::kText, "127.0.0.1",
     "address to listen on; only loopback until authentication is set up"},
    {"serve.port", SettingType::kInteger, "8080", "TCP port to listen on; 0 = any free one"},
    {"serve.upload_mb_max", SettingType::kInteger, "512",
     "size of the largest file that may be uploaded, in MB"},
    {"serve.grpc_port", SettingType::kInteger, "0",
     "TCP port of the gRPC service, usually 50051; 0 = no gRPC"},
    {"serve.history_mb", SettingType::kInteger, "256",
     "memory for the histories behind the forecasts, read when first asked for; longer horizons and "
     "explanations may take as much again"},
    {"serve.query_threads", SettingType::kInteger, "2", "queries that run at the same time"},
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> items;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    if (!item.empty()) items.push_back(item);
  }
  return items;
}

Result<int> whole_number(const std::string& plan, const std::string& key, const std::string& text, int low,
                         int high) {
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || number < low || number > high) {
    return invalid_input("[[forecast.plan]] '" + plan + "': " + key + " must be a whole number from " +
                         std::to_string(low) + " to " + std::to_string(high) + ", found '" + text + "'");
  }
  return number;
}

Error wrong_choice(const std::string& plan, const std::string& key, const std::string& found,
                   std::string_view allowed) {
  return invalid_input("[[forecast.plan]] '" + plan + "': " + key + " must be " + std::string(allowed) +
                       ", found '" + found + "'");
}

Result<Date> date_of(const std::string& what, const std::string& text) {
  const auto date = parse_date(text);
  if (!date) return invalid_input(what + " must be a day like 2015-06-19, found '" + text + "'");
  return *date;
}

std::string known_key(const std::string& key, std::span<const std::string> known) {
  const auto near = nearest(key, known);
  return "unknown key '" + key + "'" + (near ? "; did you mean '" + *near + "'?" : "");
}

Result<DriverFile> parse_driver_file(const ConfigTable& table) {
  const auto file = table.find("file");
  if (file == table.end() || file->second.empty())
    return invalid_input("every [[forecast.drivers]] needs a file, for example file = \"weather.csv\"");
  DriverFile parsed{file->second};
  for (const auto& [key, value] : table) {
    if (key == "file") continue;
    if (key == "columns") {
      parsed.columns = split(value);
    } else if (key == "categories") {
      parsed.categories = split(value);
    } else if (key == "flags") {
      parsed.flags = split(value);
    } else {
      const std::string known[] = {"file", "columns", "categories", "flags"};
      return invalid_input("[[forecast.drivers]] '" + file->second + "': " + known_key(key, known));
    }
  }
  return parsed;
}

Result<ForecastPlan> parse_plan(const ConfigTable& table) {
  ForecastPlan plan;
  const auto name = table.find("name");
  if (name == table.end() || !is_plan_name(name->second)) {
    return invalid_input("every [[forecast.plan]] needs a name of letters, digits and _" +
                         (name == table.end() ? std::string() : ", found '" + name->second + "'"));
  }
  plan.name = name->second;
  for (const auto& [key, value] : table) {
    if (key == "name") continue;
    if (key == "measure") {
      if (value != "units" && value != "revenue" && value != "sales")
        return wrong_choice(plan.name, key, value, "units, revenue or sales");
      plan.measure = value;
    } else if (key == "by") {
      plan.by = split(value);
      for (const auto& by : plan.by) {
        if (by != "store" && by != "product")
          return wrong_choice(plan.name, key, by, "a list of store and product");
      }
      std::ranges::sort(plan.by,
                        std::greater<>{});  // store before product, so that ids do not depend on the order
      const auto repeated = std::ranges::unique(plan.by);
      plan.by.erase(repeated.begin(), repeated.end());
    } else if (key == "frequency") {
      if (value != "daily" && value != "weekly" && value != "monthly")
        return wrong_choice(plan.name, key, value, "daily, weekly or monthly");
      plan.frequency = value;
    } else if (key == "horizon") {
      plan.horizon = TILLCAST_TRY_PLAIN(whole_number(plan.name, key, value, 1, kPeriodsAheadMax));
    } else if (key == "top") {
      plan.top = TILLCAST_TRY_PLAIN(whole_number(plan.name, key, value, 0, 10'000'000));
    } else if (key == "metric") {
      if (!forecast::find_metric(value))
        return wrong_choice(plan.name, key, value,
                            "auto, wape, wape_bias, rmse, rmspe, mase, mae, mape, smape or rmsse");
      plan.metric = value;
    } else if (key == "drivers") {
      plan.drivers = split(value);
    } else if (key == "global") {
      if (value != "auto" && value != "on" && value != "off" && value != "blend")
        return wrong_choice(plan.name, key, value, "auto, on, off or blend");
      plan.global = value;
    } else if (key == "trees") {
      if (const auto read = forecast::parse_global_options(value); !read)
        return invalid_input("[[forecast.plan]] '" + plan.name + "': trees: " + read.error().message);
      plan.trees = value;
    } else if (key == "reconcile") {
      if (value != "none" && value != "bottom_up" && value != "top_down" && value != "mint")
        return wrong_choice(plan.name, key, value, "none, bottom_up, top_down or mint");
      plan.reconcile = value;
    } else if (key == "levels") {
      plan.levels = split(value);
      for (const auto& level : plan.levels) {
        if (std::ranges::find(kLevels, level, &LevelNeed::level) == std::end(kLevels))
          return wrong_choice(plan.name, key, level, "a list of total, country, store, category and product");
      }
    } else if (key == "quantiles") {
      plan.quantiles = TILLCAST_TRY(parse_shares(value), "[[forecast.plan]] '" + plan.name + "': quantiles");
    } else if (key == "cut") {
      plan.cut = TILLCAST_TRY_PLAIN(date_of("[[forecast.plan]] '" + plan.name + "': cut", value));
    } else {
      const std::string known[] = {"name", "measure",   "by",      "frequency", "horizon",
                                   "top",  "metric",    "drivers", "global",    "trees",
                                   "cut",  "reconcile", "levels",  "quantiles"};
      return invalid_input("[[forecast.plan]] '" + plan.name + "': " + known_key(key, known));
    }
  }
  for (const LevelNeed& level : kLevels) {
    const bool asked = std::ranges::find(plan.levels, level.level) != plan.levels.end();
    if (asked && !level.column.empty() && std::ranges::find(plan.by, level.column) == plan.by.end())
      return invalid_input("[[forecast.plan]] '" + plan.name + "': the level " + std::string(level.level) +
                           " needs by = [\"" + std::string(level.column) + "\"]");
  }
  if (plan.reconcile == "top_down" && !plan.levels.empty() &&
      std::ranges::find(plan.levels, "total") == plan.levels.end())
    return invalid_input("[[forecast.plan]] '" + plan.name + "': top_down needs the level total");
  if (plan.global == "on" && plan.frequency == "weekly") {
    return invalid_input("[[forecast.plan]] '" + plan.name +
                         "': global = \"on\" is for daily and monthly plans; there is no such model by week");
  }
  if (plan.global == "blend" && plan.frequency != "daily") {
    return invalid_input("[[forecast.plan]] '" + plan.name + "': global = \"blend\" is for daily plans");
  }
  if (!plan.trees.empty() && plan.frequency != "daily") {
    return invalid_input("[[forecast.plan]] '" + plan.name + "': trees = is for daily plans");
  }
  if (plan.measure == "sales" && std::ranges::find(plan.by, "product") != plan.by.end()) {
    return invalid_input("[[forecast.plan]] '" + plan.name +
                         "': sales are known per store and day only; forecast units or revenue by product");
  }
  return plan;
}

}  // namespace

bool is_plan_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_ascii_digit(c) || c == '_';
  });
}

std::span<const SettingSpec> setting_specs() { return kSpecs; }

Result<Config> load_settings(const std::filesystem::path& data_directory,
                             std::span<const std::string> environment,
                             std::span<const std::string> overrides) {
  Config config(setting_specs());
  const auto path = data_directory / kSettingsFile;
  if (std::ifstream file(path, std::ios::binary); file) {
    std::ostringstream content;
    content << file.rdbuf();
    if (auto loaded = config.load_toml(content.view(), path.string(), kArrayTables); !loaded)
      return std::move(loaded.error());
  }
  if (auto loaded = config.load_environment(environment); !loaded) return std::move(loaded.error());
  for (const auto& word : overrides) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) return invalid_input("--set takes key=value, found '" + word + "'");
    if (auto assigned = config.set(word.substr(0, equals), word.substr(equals + 1), "--set"); !assigned)
      return std::move(assigned.error());
  }
  if (auto schedule = RetrainSchedule::parse(config.text("forecast.retrain")); !schedule)
    return std::move(schedule.error());
  if (auto plans = configured_plans(config); !plans)
    return std::move(plans.error()).with_context(path.string());
  if (auto files = configured_driver_files(config); !files)
    return std::move(files.error()).with_context(path.string());
  if (const auto cut = config.text("forecast.cut"); !cut.empty()) {
    if (auto date = date_of("setting 'forecast.cut'", cut); !date) return std::move(date.error());
  }
  const auto country = config.text("forecast.country");
  if (!country.empty() && forecast::holiday_country(country).empty()) {
    std::string known;
    for (const auto code : forecast::holiday_countries()) known += " " + std::string(code);
    return invalid_input("setting 'forecast.country': there is no holiday calendar for '" + country +
                         "'; there are" + known + "; give others with forecast.holidays");
  }
  // Regions of a file of holidays are its own.
  const auto region = config.text("forecast.region");
  if (!region.empty() && !country.empty() && config.text("forecast.holidays").empty() &&
      !forecast::is_holiday_region(country, region)) {
    const auto regions = forecast::holiday_regions(country);
    return invalid_input("setting 'forecast.region': the holiday calendar of " + country +
                         " knows no region '" + region + "'; it knows " +
                         (regions.empty() ? "none" : join(regions, ", ")) +
                         "; give others with forecast.holidays");
  }
  if (const auto origins = config.integer("forecast.origins"); origins < 2 || origins > 100)
    return invalid_input("setting 'forecast.origins' must be 2 to 100, found " + std::to_string(origins));
  return config;
}

Result<std::vector<ForecastPlan>> configured_plans(const Config& config) {
  std::vector<ForecastPlan> plans;
  for (const auto& table : config.tables("forecast.plan")) {
    plans.push_back(TILLCAST_TRY_PLAIN(parse_plan(table)));
    const auto same = std::ranges::count(plans, plans.back().name, &ForecastPlan::name);
    if (same > 1) return invalid_input("two [[forecast.plan]] tables are named '" + plans.back().name + "'");
  }
  return plans;
}

Result<std::vector<DriverFile>> configured_driver_files(const Config& config) {
  std::vector<DriverFile> files;
  for (const auto& table : config.tables("forecast.drivers"))
    files.push_back(TILLCAST_TRY_PLAIN(parse_driver_file(table)));
  return files;
}

std::string settings_template() {
  std::string text =
      "# Settings of this data directory. Every line is a default: take off the '# ' to change it.\n"
      "# Flags beat the environment (TILLCAST_SERVE__PORT) beats this file; `tillcast config show` tells "
      "what is in force.\n";
  std::string section;
  for (const auto& spec : kSpecs) {
    const auto dot = spec.key.find('.');
    const std::string group(spec.key.substr(0, dot));
    if (group != section) {
      text += "\n[" + group + "]\n";
      section = group;
    }
    text += "# " + std::string(spec.help) + "\n";
    std::string value(spec.default_value);
    if (spec.type == SettingType::kText) value = "\"" + value + "\"";
    if (spec.type == SettingType::kTextList) value = "[]";
    text += "# " + std::string(spec.key.substr(dot + 1)) + " = " + value + "\n";
  }
  return text +
         "\n# What is forecast. Without any plan the data decides: the total by day, every store by day "
         "where there are\n"
         "# several, and the 500 products that sell most by week.\n"
         "# [[forecast.plan]]\n"
         "# name = \"product_weekly\"\n"
         "# measure = \"units\"          # units, revenue or sales (a store's daily totals)\n"
         "# by = [\"product\"]           # of store and product; [] = one total\n"
         "# frequency = \"weekly\"       # daily, weekly, monthly\n"
         "# horizon = 8                # periods ahead\n"
         "# top = 500                  # only the largest series; 0 = all\n"
         "# metric = \"auto\"            # the error that chooses a series' model: auto, wape, wape_bias, "
         "rmse, rmspe, mase,\n"
         "#                            # mae, mape, smape, rmsse\n"
         "# drivers = [\"promotion\"]    # must be known for all days ahead; without this line those that "
         "are\n"
         "# global = \"auto\"            # models that learn from all series at once: auto, on, off, blend\n"
         "# trees = \"\"                 # settings of the trees of a daily plan, as `tillcast forecast "
         "tune` "
         "prints them\n"
         "# cut = \"2015-06-19\"         # last day whose sales this plan may see; without this line all "
         "days\n"
         "# reconcile = \"none\"         # sums that add up: none, bottom_up, top_down, mint\n"
         "# levels = [\"total\"]         # of total, country, store, category, product; without this line "
         "all\n"
         "# quantiles = [0.5, 0.99]    # kept beside the intervals; without this line eleven from 0.005 to "
         "0.995, [] = none\n"
         "\n# What else moves the sales: one row per day and, where it has the columns, per store_id and "
         "product_id.\n"
         "# [[forecast.drivers]]\n"
         "# file = \"weather.csv\"       # date[,store_id][,product_id], then a column per driver\n"
         "# columns = [\"temperature\"]  # taken; without this line all\n"
         "# categories = []            # columns that hold kinds, not amounts\n"
         "# flags = []                 # columns of 0 and 1\n";
}

}  // namespace tillcast::pipeline
