#include <chrono>
#include <thread>

#include "cli/commands/commands.h"
#include "cli/commands/forecast_report.h"
#include "cli/progress_line.h"
#include "cli/result_format.h"
#include "pipeline/job_service.h"
#include "pipeline/job_store.h"

namespace tillcast::cli {
namespace {

using pipeline::Job;
using pipeline::JobState;

constexpr auto kPollInterval = std::chrono::milliseconds(200);

// Without a server nobody works on the jobs, but they can be looked at and cancelled.
Result<std::unique_ptr<pipeline::JobStore>> stored_jobs(const CommandContext& context) {
  static const SystemClock kClock;
  return pipeline::JobStore::open(context.engine->data_directory(), kClock);
}

Result<Job> find_job(CommandContext& context, const std::string& id) {
  if (context.jobs != nullptr) return context.jobs->job(id);
  const auto store = TILLCAST_TRY_PLAIN(stored_jobs(context));
  if (auto found = store->find(id)) return *found;
  return not_found("there is no job '" + id + "'; `tillcast jobs ls` lists them");
}

std::string target_of(const Job& job) {
  if (!job.arguments.upload_id.empty()) return "upload " + job.arguments.upload_id.substr(0, 12);
  if (!job.arguments.series_id.empty()) return job.arguments.series_id;
  return job.arguments.plan.empty() ? "all plans" : job.arguments.plan;
}

std::string progress_of(const Job& job) {
  if (job.state != JobState::kRunning || job.progress.total <= 0) return "";
  std::string text = std::to_string(100 * job.progress.done / job.progress.total) + " %";
  if (job.progress.eta_seconds >= 0) text += ", " + format_seconds(job.progress.eta_seconds) + " left";
  return text;
}

void print_job(const Job& job, Terminal& terminal) {
  std::vector<std::vector<std::string>> rows = {{"field", "value"}};
  const auto add = [&rows](const char* name, const std::string& value) {
    if (!value.empty()) rows.push_back({name, value});
  };
  add("id", job.id);
  add("kind", std::string(pipeline::job_kind_name(job.kind)));
  add("what", target_of(job));
  add("asked by", job.arguments.trigger);
  add("state", std::string(pipeline::job_state_name(job.state)));
  add("attempt", std::to_string(job.attempt));
  add("created", format_timestamp(job.created_at));
  add("started", job.started_at ? format_timestamp(*job.started_at) : "");
  add("finished", job.finished_at ? format_timestamp(*job.finished_at) : "");
  add("stage", job.state == JobState::kRunning ? job.progress.stage : "");
  add("progress", progress_of(job));
  add("error", job.error);
  const auto& result = job.result;
  if (result.rows_in > 0) {
    add("rows", with_thousands(result.rows_in) + " in = " + with_thousands(result.rows_loaded) + " new + " +
                    with_thousands(result.rows_rejected) + " rejected + " +
                    with_thousands(result.rows_known) + " known");
  }
  for (const auto& reject : result.rejects)
    add("rejects", reject.reason + ": " + with_thousands(reject.rows));
  for (const auto& example : result.reject_examples) add("example", example);
  for (const auto& note : result.notes) add("note", note);
  for (const auto& run : result.runs) {
    add("run", run.plan + "  " + run.run_id + "  " + with_thousands(run.series) + " series" +
                   (run.unchanged ? ", unchanged" : ""));
  }
  terminal.out(text_table(rows, {false, false}));
}

// Shows a job of the server until it is finished.
Result<int> follow(CommandContext& context, Job job) {
  ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
  std::string stage;
  while (!is_finished(job.state)) {
    if (context.terminal.interrupted()) {
      return cancelled(job.id + " goes on in the server; `tillcast jobs show " + job.id +
                       "` shows it, `tillcast jobs cancel " + job.id + "` ends it");
    }
    if (job.progress.stage != stage && !job.progress.stage.empty()) {
      stage = job.progress.stage;
      progress.stage_started(stage, job.progress.unit);
    }
    progress.step(job.progress.step);
    if (job.progress.total > 0)
      progress.update(static_cast<std::uint64_t>(job.progress.done),
                      static_cast<std::uint64_t>(job.progress.total));
    std::this_thread::sleep_for(kPollInterval);
    job = TILLCAST_TRY_PLAIN(context.jobs->job(job.id));
  }
  for (const auto& run : job.result.runs) {
    progress.stage_finished(
        {"forecast " + run.plan,
         run.unchanged ? pipeline::StageReport::Status::kUnchanged : pipeline::StageReport::Status::kDone, 0,
         job.result.seconds, with_thousands(run.series) + " series, run " + run.run_id});
  }
  if (job.state == JobState::kCancelled) return cancelled(job.id + " was cancelled");
  if (job.state == JobState::kFailed) return Error{ErrorCode::kIo, job.id + " failed: " + job.error};
  context.terminal.out(job.id + "\n");
  return kExitOk;
}

}  // namespace

CommandSpec jobs_ls_command() {
  CommandSpec command;
  command.name = "jobs ls";
  command.summary = "the jobs of the server, newest first";
  command.examples = "  tillcast jobs ls\n  tillcast jobs ls --state failed\n";
  command.options = {
      {"--state",
       OptionKind::kValue,
       "only jobs in this state",
       "STATE",
       "all",
       false,
       {"queued", "running", "succeeded", "failed", "cancelled", "interrupted"}},
      {"--limit", OptionKind::kValue, "jobs shown", "N", "20"},
  };
  command.run = [](CommandContext& context) -> Result<int> {
    const auto limit = TILLCAST_TRY_PLAIN(context.arguments.integer("--limit", 1, 1000, 20));
    const auto state = pipeline::find_job_state(context.arguments.text("--state"));
    std::vector<Job> jobs;
    if (context.jobs != nullptr) {
      jobs = TILLCAST_TRY_PLAIN(context.jobs->jobs(state, "", static_cast<int>(limit))).jobs;
    } else {
      const auto store = TILLCAST_TRY_PLAIN(stored_jobs(context));
      jobs = TILLCAST_TRY_PLAIN(store->page(state, "", static_cast<std::size_t>(limit))).jobs;
    }
    std::vector<std::vector<std::string>> rows = {
        {"job", "kind", "what", "state", "attempt", "created", "progress", "error"}};
    for (const auto& job : jobs) {
      rows.push_back({job.id, std::string(pipeline::job_kind_name(job.kind)), target_of(job),
                      std::string(pipeline::job_state_name(job.state)), std::to_string(job.attempt),
                      format_timestamp(job.created_at), progress_of(job), job.error.substr(0, 60)});
    }
    context.terminal.out(text_table(rows, {false, false, false, false, true, false, false, false}));
    return kExitOk;
  };
  return command;
}

CommandSpec jobs_show_command() {
  CommandSpec command;
  command.name = "jobs show";
  command.summary = "one job: state, progress, error, result";
  command.examples = "  tillcast jobs show job-000001\n";
  command.options = {{"JOB", OptionKind::kPositional, "id, as jobs ls shows it", "", "", true}};
  command.run = [](CommandContext& context) -> Result<int> {
    print_job(TILLCAST_TRY_PLAIN(find_job(context, context.arguments.text("JOB"))), context.terminal);
    return kExitOk;
  };
  return command;
}

CommandSpec jobs_cancel_command() {
  CommandSpec command;
  command.name = "jobs cancel";
  command.summary = "cancel a job that waits or runs";
  command.examples = "  tillcast jobs cancel job-000001\n";
  command.options = {{"JOB", OptionKind::kPositional, "id, as jobs ls shows it", "", "", true}};
  command.run = [](CommandContext& context) -> Result<int> {
    const std::string id = context.arguments.text("JOB");
    Job job;
    if (context.jobs != nullptr) {
      job = TILLCAST_TRY_PLAIN(context.jobs->cancel_job(id));
    } else {
      const auto store = TILLCAST_TRY_PLAIN(stored_jobs(context));
      job = TILLCAST_TRY_PLAIN(store->cancel(id));
    }
    context.terminal.note(job.state == JobState::kCancelled ? id + " is cancelled"
                                                            : id + " ends at its next safe point");
    return kExitOk;
  };
  return command;
}

CommandSpec train_command() {
  CommandSpec command;
  command.name = "train";
  command.summary = "train all plans, one plan or one series: as a job of the server, else here and now";
  command.examples =
      "  tillcast train\n  tillcast train store_daily\n  tillcast train store_daily/12 --detach\n";
  command.options = {
      {"TARGET", OptionKind::kPositional, "a plan, or a series as forecast predict --list shows it", "",
       "all"},
      {"--detach", OptionKind::kFlag, "with a server: print the job's id and do not wait"},
  };
  command.run = [](CommandContext& context) -> Result<int> {
    const std::string target = context.arguments.text("TARGET");
    const bool series = target.find('/') != std::string::npos;
    if (context.jobs != nullptr) {
      const auto started =
          TILLCAST_TRY_PLAIN(context.jobs->train({series ? "" : target, series ? target : "", ""}));
      if (!context.arguments.has("--detach")) return follow(context, started.job);
      context.terminal.out(started.job.id + "\n");
      return kExitOk;
    }
    ProgressLine progress(context.terminal, context.arguments.has("--quiet"));
    if (series) {
      TILLCAST_TRY_PLAIN(context.engine->refit_series(target, progress));
      return kExitOk;
    }
    std::vector<std::string> plans;
    if (!target.empty()) plans.push_back(target);
    print_plan_reports(TILLCAST_TRY_PLAIN(context.engine->fit_forecasts(plans, progress)), context.terminal);
    return kExitOk;
  };
  return command;
}

}  // namespace tillcast::cli
