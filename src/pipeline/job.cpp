#include "pipeline/job.h"

#include <array>

#include "io/json_record.h"

namespace tillcast::pipeline {
namespace {

using io::Json;

constexpr std::array<std::string_view, 2> kKinds = {"train", "ingest_upload"};
constexpr std::array<std::string_view, 6> kStates = {"queued", "running",   "succeeded",
                                                     "failed", "cancelled", "interrupted"};
constexpr int kJobFormat = 1;

template <std::size_t kCount>
std::optional<std::size_t> place_of(const std::array<std::string_view, kCount>& names,
                                    std::string_view name) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) return i;
  }
  return std::nullopt;
}

void write(io::JsonOut& out, const char* name, std::string_view text) { io::write_text(out, name, text); }
void write(io::JsonOut& out, const char* name, std::int64_t number) { io::write_number(out, name, number); }

void write_result(io::JsonOut& out, const JobResult& result) {
  out.Key("result");
  out.StartObject();
  out.Key("runs");
  out.StartArray();
  for (const auto& run : result.runs) {
    out.StartObject();
    write(out, "plan", run.plan);
    write(out, "run_id", run.run_id);
    write(out, "series", run.series);
    write(out, "fallbacks", run.fallbacks);
    io::write_flag(out, "unchanged", run.unchanged);
    write(out, "fitted_version", run.fitted_version);
    write(out, "verdict", run.verdict);
    out.EndObject();
  }
  out.EndArray();
  write(out, "rows_in", result.rows_in);
  write(out, "rows_loaded", result.rows_loaded);
  write(out, "rows_rejected", result.rows_rejected);
  write(out, "rows_known", result.rows_known);
  io::write_flag(out, "already_loaded", result.already_loaded);
  out.Key("rejects");
  out.StartArray();
  for (const auto& reject : result.rejects) {
    out.StartObject();
    write(out, "reason", reject.reason);
    write(out, "rows", reject.rows);
    out.EndObject();
  }
  out.EndArray();
  out.Key("reject_examples");
  out.StartArray();
  for (const auto& example : result.reject_examples)
    out.String(example.data(), static_cast<rapidjson::SizeType>(example.size()));
  out.EndArray();
  out.Key("notes");
  out.StartArray();
  for (const auto& note : result.notes)
    out.String(note.data(), static_cast<rapidjson::SizeType>(note.size()));
  out.EndArray();
  write(out, "checks", result.checks);
  write(out, "checks_failed", result.checks_failed);
  out.Key("seconds");
  out.Double(result.seconds);
  out.EndObject();
}

JobResult read_result(io::JsonIn& in, const Json& object) {
  JobResult result;
  if (const Json* const runs = in.array(object, "runs")) {
    for (const Json& run : runs->GetArray()) {
      result.runs.push_back({in.text(run, "plan"), in.text(run, "run_id"), in.number(run, "series"),
                             in.number(run, "fallbacks"), in.flag(run, "unchanged"),
                             in.optional_number(run, "fitted_version").value_or(0),
                             in.optional_text(run, "verdict").value_or("")});
    }
  }
  result.rows_in = in.number(object, "rows_in");
  result.rows_loaded = in.number(object, "rows_loaded");
  result.rows_rejected = in.number(object, "rows_rejected");
  result.rows_known = in.number(object, "rows_known");
  result.already_loaded = in.flag(object, "already_loaded");
  if (const Json* const rejects = in.array(object, "rejects")) {
    for (const Json& reject : rejects->GetArray())
      result.rejects.push_back({in.text(reject, "reason"), in.number(reject, "rows")});
  }
  result.reject_examples = in.texts(object, "reject_examples");
  if (object.IsObject() && object.HasMember("notes")) result.notes = in.texts(object, "notes");
  result.checks = in.number(object, "checks");
  result.checks_failed = in.number(object, "checks_failed");
  result.seconds = in.decimal(object, "seconds");
  return result;
}

}  // namespace

std::string_view job_kind_name(JobKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view job_state_name(JobState state) { return kStates[static_cast<std::size_t>(state)]; }

std::optional<JobState> find_job_state(std::string_view name) {
  const auto at = place_of(kStates, name);
  if (!at) return std::nullopt;
  return static_cast<JobState>(*at);
}

bool is_finished(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kFailed || state == JobState::kCancelled;
}
bool is_waiting(JobState state) { return state == JobState::kQueued || state == JobState::kInterrupted; }

std::string job_to_json(const Job& job) {
  rapidjson::StringBuffer buffer;
  io::JsonOut out(buffer);
  out.StartObject();
  write(out, "format", kJobFormat);
  write(out, "id", job.id);
  write(out, "kind", job_kind_name(job.kind));
  write(out, "state", job_state_name(job.state));
  out.Key("arguments");
  out.StartObject();
  write(out, "plan", job.arguments.plan);
  write(out, "series_id", job.arguments.series_id);
  write(out, "upload_id", job.arguments.upload_id);
  write(out, "trigger", job.arguments.trigger);
  out.EndObject();
  write(out, "idempotency_key", job.idempotency_key);
  write(out, "attempt", job.attempt);
  io::write_flag(out, "cancel_requested", job.cancel_requested);
  write(out, "created_micros", job.created_at.micros);
  if (job.started_at) write(out, "started_micros", job.started_at->micros);
  if (job.finished_at) write(out, "finished_micros", job.finished_at->micros);
  write(out, "error", job.error);
  write_result(out, job.result);
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<Job> job_from_json(const std::string& text, const std::string& origin) {
  io::JsonIn in(text, origin, {.format_known = kJobFormat, .checked = false});
  if (!in.ok()) return in.take_error();
  const Json& root = in.root();
  Job job;
  job.id = in.text(root, "id");
  const std::string kind_name = in.text(root, "kind");
  const std::string state_name = in.text(root, "state");
  const auto kind = place_of(kKinds, kind_name);
  const auto state = find_job_state(state_name);
  if (job.id.empty()) in.fault("it has no id");
  if (!kind) in.fault("no kind of job is named '" + kind_name + "'");
  if (!state) in.fault("no state of a job is named '" + state_name + "'");
  if (const Json* const arguments = in.object(root, "arguments")) {
    job.arguments = {in.text(*arguments, "plan"), in.text(*arguments, "series_id"),
                     in.text(*arguments, "upload_id"), in.text(*arguments, "trigger")};
  }
  job.idempotency_key = in.text(root, "idempotency_key");
  job.attempt = static_cast<int>(in.number(root, "attempt"));
  job.cancel_requested = in.flag(root, "cancel_requested");
  job.created_at = {in.number(root, "created_micros")};
  if (const auto started = in.optional_number(root, "started_micros")) job.started_at = Timestamp{*started};
  if (const auto finished = in.optional_number(root, "finished_micros"))
    job.finished_at = Timestamp{*finished};
  job.error = in.text(root, "error");
  if (const Json* const result = in.object(root, "result")) job.result = read_result(in, *result);
  if (!in.ok()) return in.take_error();
  job.kind = static_cast<JobKind>(*kind);
  job.state = *state;
  return job;
}

}  // namespace tillcast::pipeline
