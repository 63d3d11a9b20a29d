#include "pipeline/generate.h"
#include "core/text.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "cli/commands/commands.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"

namespace tillcast::cli {
namespace {

Result<double> share(const Arguments& arguments, const std::string& name, double otherwise) {
  if (!arguments.has(name)) return otherwise;
  const std::string text = arguments.text(name);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return invalid_input(name + " must be a number, found '" + text + "'");
  return value;
}

}  // namespace

CommandSpec generate_command() {
  CommandSpec command;
  command.name = "generate";
  command.summary = "write a synthetic sales file whose true demand is known";
  command.examples =
      "  tillcast generate --out sales.csv\n"
      "  tillcast generate --stores 20 --products 500 --days 1095 --seed 7 --out sales.parquet --truth "
      "truth.parquet\n";
  command.access = Access::kNone;
  command.options = {
      {"--out", OptionKind::kValue, "file to write: .csv or .parquet", "FILE", "", true},
      {"--truth", OptionKind::kValue, "also write the true mean demand of every store, product and day",
       "FILE"},
      {"--seed", OptionKind::kValue, "same seed and options, same bytes", "N", "42"},
      {"--stores", OptionKind::kValue, "shops", "N", "5"},
      {"--products", OptionKind::kValue, "products", "N", "40"},
      {"--days", OptionKind::kValue, "days of sales", "N", "730"},
      {"--from", OptionKind::kValue, "first day", "YYYY-MM-DD", "2023-01-02"},
      {"--holdout-days", OptionKind::kValue, "days after the last sale that the truth goes on", "N", "0"},
      {"--units-per-day", OptionKind::kValue, "mean units of a product in a shop on a day", "X", "2.0"},
      {"--intermittent", OptionKind::kValue, "share of products that sell rarely", "SHARE", "0.20"},
      {"--stockouts", OptionKind::kValue, "share of product-days without stock", "SHARE", "0.01"},
      {"--returns", OptionKind::kValue, "share of orders of which a line comes back", "SHARE", "0.02"},
      {"--anonymous", OptionKind::kValue, "share of orders without a customer", "SHARE", "0.30"},
  };
  command.run = [](CommandContext& context) -> Result<int> {
    const auto& arguments = context.arguments;
    sources::GeneratorOptions options;
    options.seed = static_cast<std::uint64_t>(
        TILLCAST_TRY_PLAIN(arguments.integer("--seed", 0, 1'000'000'000'000'000, 42)));
    options.stores =
        static_cast<int>(TILLCAST_TRY_PLAIN(arguments.integer("--stores", 1, 100'000, options.stores)));
    options.products =
        static_cast<int>(TILLCAST_TRY_PLAIN(arguments.integer("--products", 1, 1'000'000, options.products)));
    options.days = static_cast<int>(TILLCAST_TRY_PLAIN(arguments.integer("--days", 1, 36'500, options.days)));
    options.holdout_days =
        static_cast<int>(TILLCAST_TRY_PLAIN(arguments.integer("--holdout-days", 0, 3'650, 0)));
    if (arguments.has("--from")) {
      const auto from = parse_date(arguments.text("--from"));
      if (!from)
        return arguments.wrong("--from must be a date like 2023-01-02, found '" + arguments.text("--from") +
                               "'");
      options.first_day = *from;
    }
    options.units_per_day = TILLCAST_TRY_PLAIN(share(arguments, "--units-per-day", options.units_per_day));
    options.intermittent_share =
        TILLCAST_TRY_PLAIN(share(arguments, "--intermittent", options.intermittent_share));
    options.stockout_share = TILLCAST_TRY_PLAIN(share(arguments, "--stockouts", options.stockout_share));
    options.return_share = TILLCAST_TRY_PLAIN(share(arguments, "--returns", options.return_share));
    options.anonymous_share = TILLCAST_TRY_PLAIN(share(arguments, "--anonymous", options.anonymous_share));
    options.truth = arguments.has("--truth");

    pipeline::GenerateTarget target;
    target.sales = context.resolve(arguments.text("--out"));
    if (options.truth) target.truth = context.resolve(arguments.text("--truth"));
    const std::string extension = target.sales.extension().string();
    if (extension != ".csv" && extension != ".parquet")
      return invalid_input("--out must end in .csv or .parquet, found " + target.sales.string());
    target.format =
        extension == ".parquet" ? pipeline::GeneratedFormat::kParquet : pipeline::GeneratedFormat::kCsv;

    ProgressLine progress(context.terminal, arguments.has("--quiet"));
    const auto summary = TILLCAST_TRY_PLAIN(pipeline::generate_files(options, target, progress));
    progress.note(with_thousands(static_cast<std::int64_t>(summary.rows)) + " lines of " +
                  with_thousands(static_cast<std::int64_t>(summary.orders)) + " orders, " +
                  with_thousands(static_cast<std::int64_t>(summary.returns)) + " returned, in " +
                  target.sales.string());
    const Date last{options.first_day.days + options.days - 1};
    if (const Date today = utc_date(SystemClock().now()); last.days > today.days + 1) {
      progress.note("its days go on to " + format_date(last) +
                    ", after today: load it with --set ingest.future_days_max=" +
                    std::to_string(last.days - today.days));
    }
    progress.note("noise floor: even the true mean misses by WAPE " +
                  fixed(summary.wape_floor_store_product_day, 3) + " per shop, product and day, " +
                  fixed(summary.wape_floor_store_day, 3) + " per shop and day");
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
