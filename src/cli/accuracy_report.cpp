#include "cli/accuracy_report.h"

#include "cli/result_format.h"
#include "database/database.h"
#include "pipeline/engine.h"

namespace tillcast::cli {

Result<AccuracyTables> load_accuracy(pipeline::Engine& engine, const std::string& plan) {
  const std::string where = plan.empty() ? "" : " WHERE plan = " + std::string(database::sql_quote(plan));
  constexpr std::int64_t kRowsMax = 1'000'000;
  AccuracyTables tables;
  tables.runs =
      TILLCAST_TRY_PLAIN(engine.sql("SELECT * FROM forecast_run" + where + " ORDER BY plan", kRowsMax));
  if (tables.runs.rows() == 0) {
    return not_found(plan.empty() ? "nothing has been forecast yet; run `tillcast forecast fit`"
                                  : "no forecast of plan " + plan + " is stored; `tillcast forecast fit " +
                                        plan + "` makes one");
  }
  tables.models = TILLCAST_TRY_PLAIN(engine.sql(
      "SELECT * FROM forecast_accuracy_detail" + where +
          " ORDER BY plan, is_newest DESC, origin DESC, level, demand_class, first_step, last_step DESC, "
          "wape NULLS LAST, model",
      kRowsMax));
  tables.intervals =
      TILLCAST_TRY_PLAIN(engine.sql("SELECT * FROM forecast_interval_accuracy" + where +
                                        " ORDER BY plan, demand_class, first_step, last_step DESC, "
                                        "percent",
                                    kRowsMax));
  tables.series = TILLCAST_TRY_PLAIN(engine.sql(
      "SELECT * FROM forecast_series_accuracy" + where + " ORDER BY plan, error_share DESC, series_id",
      kRowsMax));
  return tables;
}

Result<std::string> accuracy_json(const AccuracyTables& tables) {
  std::string text = "{";
  const auto add = [&text](const char* name, const database::QueryResult& rows) -> Result<> {
    text += (text.size() > 1 ? ",\n\"" : "\n\"") + std::string(name) + "\": ";
    text += TILLCAST_TRY_PLAIN(format_result(rows, "json", 0));
    while (text.back() == '\n') text.pop_back();
    return {};
  };
  TILLCAST_TRY_PLAIN(add("runs", tables.runs));
  TILLCAST_TRY_PLAIN(add("models", tables.models));
  TILLCAST_TRY_PLAIN(add("intervals", tables.intervals));
  TILLCAST_TRY_PLAIN(add("series", tables.series));
  return text + "\n}\n";
}

}  // namespace tillcast::cli
