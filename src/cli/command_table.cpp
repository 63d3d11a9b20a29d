#include "cli/commands/commands.h"

namespace tillcast::cli {

std::span<const CommandSpec> all_commands() {
  static const std::vector<CommandSpec> kCommands = {
      init_command(),
      run_command(),
      ingest_command(),
      build_command(),
      check_command(),
      forecast_fit_command(),
      forecast_update_command(),
      forecast_predict_command(),
      forecast_explain_command(),
      forecast_backtest_command(),
      forecast_accuracy_command(),
      forecast_monitor_command(),
      forecast_tune_command(),
      model_ls_command(),
      model_show_command(),
      model_promote_command(),
      model_rollback_command(),
      model_diff_command(),
      experiment_create_command(),
      experiment_status_command(),
      experiment_stop_command(),
      experiment_switch_command(),
      train_command(),
      jobs_ls_command(),
      jobs_show_command(),
      jobs_cancel_command(),
      sql_command(),
      serve_command(),
      lake_ls_command(),
      lake_verify_command(),
      lake_remove_command(),
      lake_compact_command(),
      generate_command(),
      doctor_command(),
      config_show_command(),
      completion_command(),
      version_command(),
  };
  return kCommands;
}

std::span<const OptionSpec> global_options() {
  static const std::vector<OptionSpec> kOptions = {
      {"--data", OptionKind::kValue, "the data directory", "DIR",
       "the nearest folder upwards with tillcast.toml"},
      {"--set", OptionKind::kList, "overrides one setting, e.g. --set serve.port=9000", "KEY=VALUE"},
      {"--quiet", OptionKind::kFlag, "no progress, only results and errors"},
      {"--color", OptionKind::kValue, "colours on the terminal", "WHEN", "auto", false, {"auto", "never"}},
      {"--log-level",
       OptionKind::kValue,
       "least severe log line shown",
       "LEVEL",
       "info",
       false,
       {"debug", "info", "warning", "error"}},
      {"--log-format",
       OptionKind::kValue,
       "log lines as text or ECS JSON",
       "FORMAT",
       "text",
       false,
       {"text", "json"}},
      {"--help", OptionKind::kFlag, "this text"},
  };
  return kOptions;
}

}  // namespace tillcast::cli
