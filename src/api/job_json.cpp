#include "api/job_json.h"

#include "api/json_writer.h"

namespace tillcast::api {
namespace {

using pipeline::JobState;

void instant_or_null(JsonWriter& out, std::string_view name, std::optional<Timestamp> value) {
  out.field_or_null(name, value ? format_timestamp(*value) : "");
}

Schema instant_schema(std::string description) {
  return string_schema(std::move(description)).with_format("date-time");
}

Schema result_schema() {
  const Schema run =
      object_schema({{"plan", string_schema("forecast plan")},
                     {"run_id", string_schema("as forecasts name it")},
                     {"series", integer_schema("series forecast")},
                     {"fallbacks", integer_schema("of which by a simpler model, or not at all")},
                     {"unchanged", boolean_schema("same data as before: the stored run was kept")},
                     {"fitted_version", integer_schema("model version that was made; 0 = none")},
                     {"verdict", string_schema("what the gate said of it; null without one").or_null()}},
                    "One plan that was trained.")
          .with_name("JobRun");
  const Schema reject = object_schema({{"reason", string_schema("stable word, e.g. bad_number")},
                                       {"rows", integer_schema("rows with it")}},
                                      "Rows of the file that were not taken over.")
                            .with_name("JobReject");
  return object_schema(
             {{"runs", array_schema(run, "plans trained")},
              {"rows_in", integer_schema("rows of the file = loaded + rejected + known")},
              {"rows_loaded", integer_schema("new rows")},
              {"rows_rejected", integer_schema("rows that could not be read")},
              {"rows_known", integer_schema("rows that were loaded before, by another file or by this one")},
              {"already_loaded", boolean_schema("the very same file was loaded before")},
              {"rejects", array_schema(reject, "by reason, most frequent first")},
              {"reject_examples", array_schema(string_schema("row, column, what was found"), "a few")},
              {"notes", array_schema(string_schema("one line"), "what looks odd in what was loaded")},
              {"checks", integer_schema("data checks run")},
              {"checks_failed", integer_schema("of which failed")},
              {"seconds", number_schema("time of the newest attempt")}},
             "What the job did.")
      .with_name("JobResult");
}

void write_result(JsonWriter& out, const pipeline::JobResult& result) {
  out.begin_object();
  out.key("runs");
  out.begin_array();
  for (const auto& run : result.runs) {
    out.begin_object();
    out.field("plan", run.plan);
    out.field("run_id", run.run_id);
    out.field("series", run.series);
    out.field("fallbacks", run.fallbacks);
    out.field("unchanged", run.unchanged);
    out.field("fitted_version", run.fitted_version);
    out.field_or_null("verdict", run.verdict);
    out.end_object();
  }
  out.end_array();
  out.field("rows_in", result.rows_in);
  out.field("rows_loaded", result.rows_loaded);
  out.field("rows_rejected", result.rows_rejected);
  out.field("rows_known", result.rows_known);
  out.field("already_loaded", result.already_loaded);
  out.key("rejects");
  out.begin_array();
  for (const auto& reject : result.rejects) {
    out.begin_object();
    out.field("reason", reject.reason);
    out.field("rows", reject.rows);
    out.end_object();
  }
  out.end_array();
  out.key("reject_examples");
  out.begin_array();
  for (const auto& example : result.reject_examples) out.text(example);
  out.end_array();
  out.key("notes");
  out.begin_array();
  for (const auto& note : result.notes) out.text(note);
  out.end_array();
  out.field("checks", result.checks);
  out.field("checks_failed", result.checks_failed);
  out.field("seconds", result.seconds);
  out.end_object();
}

}  // namespace

std::string job_location(const std::string& id) { return "/api/v1/jobs/" + id; }
std::string upload_location(const std::string& id) { return "/api/v1/uploads/" + id; }

Schema job_schema() {
  const Schema progress =
      object_schema(
          {{"stage", string_schema("what is being done")},
           {"step", string_schema("within the stage, such as back-test; may be empty")},
           {"unit", string_schema("bytes, steps, or shares of the time that the stage usually takes")},
           {"done", integer_schema("units done")},
           {"total", integer_schema("units in all; null when unknown").or_null()},
           {"eta_seconds", number_schema("time left of this stage; null when unknown").or_null()}},
          "How far a running job is.")
          .or_null()
          .with_name("JobProgress");
  return object_schema(
             {{"id", string_schema("id").with_example(R"("job-000042")")},
              {"kind", enum_schema({"train", "ingest_upload"}, "what is done")},
              {"trigger", enum_schema({"request", "upload", "schedule"}, "what asked for it")},
              {"plan", string_schema("train: this plan alone; null = all").or_null()},
              {"series_id", string_schema("train: this series alone").or_null()},
              {"upload_id", string_schema("ingest_upload: the file").or_null()},
              {"state", enum_schema({"queued", "running", "succeeded", "failed", "cancelled", "interrupted"},
                                    "interrupted: the server ended meanwhile; it is tried once more")},
              {"attempt", integer_schema("0 before it starts, 2 for the one retry")},
              {"cancel_requested", boolean_schema("it ends at its next safe point")},
              {"created_at", instant_schema("UTC")},
              {"started_at", instant_schema("of the newest attempt").or_null()},
              {"finished_at", instant_schema("null until finished").or_null()},
              {"progress", progress},
              {"error", string_schema("why the newest attempt failed; null otherwise").or_null()},
              {"result", result_schema()}},
             "Work that outlives the request that asked for it.")
      .with_name("Job");
}

void write_job(JsonWriter& out, const pipeline::Job& job) {
  out.begin_object();
  out.field("id", job.id);
  out.field("kind", pipeline::job_kind_name(job.kind));
  out.field("trigger", job.arguments.trigger);
  out.field_or_null("plan", job.arguments.plan);
  out.field_or_null("series_id", job.arguments.series_id);
  out.field_or_null("upload_id", job.arguments.upload_id);
  out.field("state", pipeline::job_state_name(job.state));
  out.field("attempt", job.attempt);
  out.field("cancel_requested", job.cancel_requested);
  out.field("created_at", format_timestamp(job.created_at));
  instant_or_null(out, "started_at", job.started_at);
  instant_or_null(out, "finished_at", job.finished_at);
  out.key("progress");
  if (job.state == JobState::kRunning && !job.progress.stage.empty()) {
    out.begin_object();
    const pipeline::JobProgress& at = job.progress;
    out.field("stage", at.stage);
    out.field("step", at.step);
    out.field("unit", at.unit);
    out.field("done", at.done);
    out.integer_or_null("total", at.total > 0 ? std::optional(at.total) : std::nullopt);
    out.number_or_null("eta_seconds", at.eta_seconds >= 0 ? std::optional(at.eta_seconds) : std::nullopt);
    out.end_object();
  } else {
    out.null();
  }
  out.field_or_null("error", job.error);
  out.key("result");
  write_result(out, job.result);
  out.end_object();
}

Schema upload_schema() {
  return object_schema(
             {{"id", string_schema("SHA-256 of the file, 64 hex digits")},
              {"sha256", string_schema("the same")},
              {"name", string_schema("what the client called it; a label")},
              {"format", enum_schema({"csv", "xlsx"}, "by content")},
              {"mapping", string_schema("column mapping that fits its header")},
              {"bytes", integer_schema("size")},
              {"received_at", instant_schema("UTC")},
              {"state",
               enum_schema({"queued", "running", "succeeded", "dead_letter", "cancelled", "interrupted"},
                           "of its newest job; dead_letter: failed for good, see reason")},
              {"reason", string_schema("why it is a dead letter").or_null()},
              {"job_id", string_schema("its newest job").or_null()},
              {"status", string_schema("path of this upload's state").with_format("uri-reference")}},
             "A sales file that was received whole.")
      .with_name("Upload");
}

void write_upload(JsonWriter& out, const pipeline::UploadStatus& status) {
  const auto& upload = status.upload;
  out.begin_object();
  out.field("id", upload.id);
  out.field("sha256", upload.id);
  out.field("name", upload.name);
  out.field("format", upload.format);
  out.field("mapping", upload.mapping);
  out.field("bytes", upload.bytes);
  out.field("received_at", format_timestamp(upload.received_at));
  out.field("state", status.state());
  out.field_or_null("reason", status.reason());
  out.field_or_null("job_id", upload.job_id);
  out.field("status", upload_location(upload.id));
  out.end_object();
}

}  // namespace tillcast::api
