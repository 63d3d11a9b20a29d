#include "pipeline/job.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>

namespace tillcast::pipeline {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
using Json = rapidjson::Value;

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

void write(Writer& out, const char* name, std::string_view text) {
  out.Key(name);
  out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}
void write(Writer& out, const char* name, std::int64_t number) {
  out.Key(name);
  out.Int64(number);
}
void write_flag(Writer& out, const char* name, bool value) {
  out.Key(name);
  out.Bool(value);
}

std::string text_of(const Json& object, const char* name) {
  const auto at = object.FindMember(name);
  if (at == object.MemberEnd() || !at->value.IsString()) return "";
  return {at->value.GetString(), at->value.GetStringLength()};
}
std::int64_t integer_of(const Json& object, const char* name) {
  const auto at = object.FindMember(name);
  return at != object.MemberEnd() && at->value.IsInt64() ? at->value.GetInt64() : 0;
}
bool flag_of(const Json& object, const char* name) {
  const auto at = object.FindMember(name);
  return at != object.MemberEnd() && at->value.IsBool() && at->value.GetBool();
}
std::optional<Timestamp> instant_of(const Json& object, const char* name) {
  const auto at = object.FindMember(name);
  if (at == object.MemberEnd() || !at->value.IsInt64()) return std::nullopt;
  return Timestamp{at->value.GetInt64()};
}

void write_result(Writer& out, const JobResult& result) {
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
    write_flag(out, "unchanged", run.unchanged);
    out.EndObject();
  }
  out.EndArray();
  write(out, "rows_in", result.rows_in);
  write(out, "rows_loaded", result.rows_loaded);
  write(out, "rows_rejected", result.rows_rejected);
  write(out, "rows_known", result.rows_known);
  write_flag(out, "already_loaded", result.already_loaded);
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
  for (const auto& example : result.reject_examples) out.String(example.c_str());
  out.EndArray();
  write(out, "checks", result.checks);
  write(out, "checks_failed", result.checks_failed);
  out.Key("seconds");
  out.Double(result.seconds);
  out.EndObject();
}

const Json* array_of(const Json& object, const char* name) {
  const auto at = object.FindMember(name);
  return at != object.MemberEnd() && at->value.IsArray() ? &at->value : nullptr;
}

JobResult read_result(const Json& object) {
  JobResult result;
  if (const Json* runs = array_of(object, "runs")) {
    for (const auto& run : runs->GetArray()) {
      if (!run.IsObject()) continue;
      result.runs.push_back({text_of(run, "plan"), text_of(run, "run_id"), integer_of(run, "series"),
                             integer_of(run, "fallbacks"), flag_of(run, "unchanged")});
    }
  }
  result.rows_in = integer_of(object, "rows_in");
  result.rows_loaded = integer_of(object, "rows_loaded");
  result.rows_rejected = integer_of(object, "rows_rejected");
  result.rows_known = integer_of(object, "rows_known");
  result.already_loaded = flag_of(object, "already_loaded");
  if (const Json* rejects = array_of(object, "rejects")) {
    for (const auto& reject : rejects->GetArray()) {
      if (reject.IsObject())
        result.rejects.push_back({text_of(reject, "reason"), integer_of(reject, "rows")});
    }
  }
  if (const Json* examples = array_of(object, "reject_examples")) {
    for (const auto& example : examples->GetArray()) {
      if (example.IsString())
        result.reject_examples.emplace_back(example.GetString(), example.GetStringLength());
    }
  }
  result.checks = integer_of(object, "checks");
  result.checks_failed = integer_of(object, "checks_failed");
  const auto seconds = object.FindMember("seconds");
  if (seconds != object.MemberEnd() && seconds->value.IsNumber()) result.seconds = seconds->value.GetDouble();
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
  Writer out(buffer);
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
  write_flag(out, "cancel_requested", job.cancel_requested);
  write(out, "created_micros", job.created_at.micros);
  if (job.started_at) write(out, "started_micros", job.started_at->micros);
  if (job.finished_at) write(out, "finished_micros", job.finished_at->micros);
  write(out, "error", job.error);
  write_result(out, job.result);
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<Job> job_from_json(const std::string& text, const std::string& origin) {
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  const auto broken = [&origin](std::string_view what) {
    return corrupt_data(origin + " is no stored job: " + std::string(what));
  };
  if (document.HasParseError() || !document.IsObject()) return broken("it is no JSON object");
  if (integer_of(document, "format") != kJobFormat)
    return broken("format " + std::to_string(integer_of(document, "format")) + ", expected " +
                  std::to_string(kJobFormat));
  Job job;
  job.id = text_of(document, "id");
  const auto kind = place_of(kKinds, text_of(document, "kind"));
  const auto state = find_job_state(text_of(document, "state"));
  const auto created = instant_of(document, "created_micros");
  if (job.id.empty() || !kind || !state || !created) return broken("id, kind, state or created_micros");
  job.kind = static_cast<JobKind>(*kind);
  job.state = *state;
  job.created_at = *created;
  job.started_at = instant_of(document, "started_micros");
  job.finished_at = instant_of(document, "finished_micros");
  job.idempotency_key = text_of(document, "idempotency_key");
  job.attempt = static_cast<int>(integer_of(document, "attempt"));
  job.cancel_requested = flag_of(document, "cancel_requested");
  job.error = text_of(document, "error");
  if (const auto at = document.FindMember("arguments"); at != document.MemberEnd() && at->value.IsObject()) {
    job.arguments = {text_of(at->value, "plan"), text_of(at->value, "series_id"),
                     text_of(at->value, "upload_id"), text_of(at->value, "trigger")};
  }
  if (const auto at = document.FindMember("result"); at != document.MemberEnd() && at->value.IsObject())
    job.result = read_result(at->value);
  return job;
}

}  // namespace tillcast::pipeline
