#pragma once

#include "cli/command.h"

namespace tillcast::cli {

// One function per file of this folder; all_commands() in command_table.cpp lists them.
CommandSpec init_command();
CommandSpec run_command();
CommandSpec ingest_command();
CommandSpec build_command();
CommandSpec check_command();
CommandSpec forecast_fit_command();
CommandSpec forecast_predict_command();
CommandSpec forecast_explain_command();
CommandSpec forecast_accuracy_command();
CommandSpec forecast_backtest_command();
CommandSpec forecast_tune_command();
CommandSpec forecast_update_command();
CommandSpec forecast_monitor_command();
CommandSpec model_ls_command();
CommandSpec model_show_command();
CommandSpec model_promote_command();
CommandSpec model_rollback_command();
CommandSpec model_diff_command();
CommandSpec experiment_create_command();
CommandSpec experiment_status_command();
CommandSpec experiment_stop_command();
CommandSpec experiment_switch_command();
CommandSpec train_command();
CommandSpec jobs_ls_command();
CommandSpec jobs_show_command();
CommandSpec jobs_cancel_command();
CommandSpec sql_command();
CommandSpec serve_command();
CommandSpec lake_ls_command();
CommandSpec lake_verify_command();
CommandSpec lake_remove_command();
CommandSpec lake_compact_command();
CommandSpec generate_command();
CommandSpec doctor_command();
CommandSpec config_show_command();
CommandSpec completion_command();
CommandSpec version_command();

}  // namespace tillcast::cli
