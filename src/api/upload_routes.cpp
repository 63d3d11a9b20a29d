#include "api/form_file.h"
#include "api/header_text.h"
#include "api/job_json.h"
#include "api/json_writer.h"
#include "api/paging.h"
#include "api/routes.h"
#include "retail/column_mapping.h"

namespace tillcast::api {
namespace {

using pipeline::JobService;

constexpr std::string_view kForm = "multipart/form-data";

Parameter upload_id_parameter() {
  return path_parameter("upload_id", string_schema("SHA-256 of the file, 64 hex digits").with_length(1, 100));
}

Result<RouteAnswer> upload_answer(const pipeline::UploadStatus& status, int code) {
  JsonWriter out;
  write_upload(out, status);
  auto answer = json_answer(out);
  if (answer) {
    answer->status = code;
    answer->location = upload_location(status.upload.id);
  }
  return answer;
}

void add_upload(std::vector<Route>& routes, JobService& jobs, std::size_t bytes_max) {
  Route route;
  route.method = Method::kPost;
  route.path = "/api/v1/uploads";
  route.operation_id = "upload";
  route.tag = "uploads";
  route.summary = "Send a sales file (csv or xlsx); it is loaded and the forecasts are trained";
  route.description =
      "The body is the file itself (curl --data-binary @sales.csv -H 'Content-Type: text/csv') or a form "
      "with "
      "this one file (curl -F file=@sales.csv). It is kept "
      "under "
      "its SHA-256 once its header is known and its first rows can be read, and starts exactly one job: "
      "load, "
      "build, check, train. The same file again is the same upload (200) and starts nothing.";
  std::vector<std::string> mappings;
  for (const auto& mapping : retail::preset_mappings()) mappings.push_back(mapping.name);
  route.parameters = {
      query_parameter(
          "name", string_schema("what to call the file; a label, never a path; default: its name in the form")
                      .with_length(0, 500)),
      query_parameter("mapping",
                      enum_schema(std::move(mappings), "column mapping; absent = picked by header")),
  };
  route.body_media_types = {"text/csv", "application/octet-stream",
                            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                            std::string(kForm)};
  route.body_bytes_max = bytes_max;
  constexpr const char* kLinks =
      R"({"status":{"operationId":"get_upload","parameters":{"path.upload_id":"$response.body#/id"}},)"
      R"("replay":{"operationId":"replay_upload","parameters":{"path.upload_id":"$response.body#/id"}}})";
  route.answers = {
      {202, "Kept; its job is under way.", "application/json", upload_schema(), kLinks, {}, true},
      {200, "Kept before; nothing new was started.", "application/json", upload_schema(), kLinks, {}, true}};
  route.open_sink = [&jobs](const RouteRequest& request,
                            std::optional<std::uint64_t> bytes) -> Result<std::unique_ptr<BodySink>> {
    auto file = TILLCAST_TRY_PLAIN(jobs.begin_upload(bytes));
    if (!is_content(request.content_type(), kForm)) return file;
    return std::unique_ptr<BodySink>(
        TILLCAST_TRY_PLAIN(FormFileSink::open(request.content_type(), std::move(file))));
  };
  route.handle = [&jobs](const RouteRequest& request) -> Result<RouteAnswer> {
    auto file = request.take_sink();
    std::string name = request.text("name");
    if (is_content(request.content_type(), kForm)) {
      auto sent = TILLCAST_TRY_PLAIN(static_cast<FormFileSink&>(*file).finish());
      file = std::move(sent.content);
      if (name.empty()) name = std::move(sent.name);
    }
    const auto accepted =
        TILLCAST_TRY_PLAIN(jobs.accept_upload(std::move(file), name, request.text("mapping")));
    return upload_answer(accepted.status, accepted.existing ? 200 : 202);
  };
  routes.push_back(std::move(route));
}

void add_upload_list(std::vector<Route>& routes, JobService& jobs) {
  Route route;
  route.path = "/api/v1/uploads";
  route.operation_id = "list_uploads";
  route.tag = "uploads";
  route.summary = "Uploaded files, newest first";
  route.parameters = page_parameters("uploads");
  route.answers = {
      {200, "A page.", "application/json", page_schema(upload_schema(), "uploads", "UploadPage"), {}}};
  route.handle = [&jobs](const RouteRequest& request) -> Result<RouteAnswer> {
    const int limit = page_limit(request);
    const auto found = TILLCAST_TRY_PLAIN(jobs.uploads(request.text("cursor"), limit));
    JsonWriter out;
    begin_page(out);
    for (const auto& upload : found.uploads) write_upload(out, upload);
    end_page(out, found.next_cursor);
    auto answer = json_answer(out);
    if (answer) answer->link = next_page_link("/api/v1/uploads", found.next_cursor, limit);
    return answer;
  };
  routes.push_back(std::move(route));
}

void add_one_upload(std::vector<Route>& routes, JobService& jobs) {
  Route route;
  route.path = "/api/v1/uploads/{upload_id}";
  route.operation_id = "get_upload";
  route.tag = "uploads";
  route.summary = "One uploaded file and what became of it";
  route.parameters = {upload_id_parameter()};
  route.answers = {{200, "The upload.", "application/json", upload_schema(), {}}};
  route.problems = {404};
  route.handle = [&jobs](const RouteRequest& request) -> Result<RouteAnswer> {
    auto answer = upload_answer(TILLCAST_TRY_PLAIN(jobs.upload(request.text("upload_id"))), 200);
    if (answer) answer->location.clear();
    return answer;
  };
  routes.push_back(std::move(route));
}

void add_replay(std::vector<Route>& routes, JobService& jobs) {
  Route route;
  route.method = Method::kPost;
  route.path = "/api/v1/uploads/{upload_id}/replay";
  route.operation_id = "replay_upload";
  route.tag = "uploads";
  route.summary = "Start the job of a dead-lettered or cancelled upload again";
  route.parameters = {upload_id_parameter()};
  route.answers = {
      {202, "The upload; its new job is under way.", "application/json", upload_schema(), {}, {}, true}};
  route.problems = {404, 409, 507};
  route.handle = [&jobs](const RouteRequest& request) -> Result<RouteAnswer> {
    return upload_answer(TILLCAST_TRY_PLAIN(jobs.replay_upload(request.text("upload_id"))), 202);
  };
  routes.push_back(std::move(route));
}

}  // namespace

void add_upload_routes(std::vector<Route>& routes, JobService& jobs, std::size_t upload_bytes_max) {
  add_upload(routes, jobs, upload_bytes_max);
  add_upload_list(routes, jobs);
  add_one_upload(routes, jobs);
  add_replay(routes, jobs);
}

}  // namespace tillcast::api
