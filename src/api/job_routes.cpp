#include <rapidjson/document.h>

#include <algorithm>
#include <iterator>

#include "api/job_json.h"
#include "api/json_writer.h"
#include "api/paging.h"
#include "api/prediction_answer.h"
#include "api/routes.h"

namespace tillcast::api {
namespace {

using pipeline::JobService;
using pipeline::JobState;

constexpr std::size_t kKeyLengthMax = 200;

Parameter id_parameter() {
  return path_parameter("job_id", string_schema("id of the job").with_length(1, 100));
}

// A key goes into files and logs: printable ASCII only.
Result<> check_key(const std::string& key) {
  const bool plain = std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7F; });
  if (!plain) return invalid_input("Idempotency-Key must be printable ASCII without spaces");
  return {};
}

Result<RouteAnswer> job_answer(const pipeline::Job& job, int status) {
  JsonWriter out;
  write_job(out, job);
  auto answer = json_answer(out);
  if (answer) answer->status = status;
  return answer;
}

std::string text_member(const rapidjson::Value& body, const char* name) {
  if (!body.HasMember(name)) return "";
  return {body[name].GetString(), body[name].GetStringLength()};
}

void add_train(std::vector<Route>& routes, JobService& jobs) {
  Route route;
  route.method = Method::kPost;
  route.path = "/api/v1/train";
  route.operation_id = "train";
  route.tag = "jobs";
  route.summary = "Train forecasts again: all plans, one plan or one series";
  route.description =
      "Starts a job and answers at once; Location leads to its state. Readers keep the forecasts they have "
      "until "
      "the job ends. With an Idempotency-Key that was used before, the answer is the job it started then.";
  route.parameters = {header_parameter(
      "Idempotency-Key", string_schema("a text of your choice, printable ASCII, new for each new wish")
                             .with_length(1, kKeyLengthMax))};
  route.body = object_schema({{"plan", string_schema("this plan alone").with_length(1, 200), false},
                              {"series_id", string_schema("this series alone").with_length(1, 500), false}},
                             "What to train; neither member, or no body: everything.")
                   .with_name("TrainRequest")
                   .with_example(R"({"plan":"store_daily"})");
  route.body_may_be_absent = true;
  route.body_bytes_max = 16 * 1024;
  constexpr const char* kLinks =
      R"({"state":{"operationId":"get_job","parameters":{"path.job_id":"$response.body#/id"}},)"
      R"("cancel":{"operationId":"cancel_job","parameters":{"path.job_id":"$response.body#/id"}}})";
  route.answers = {{202, "The job.", "application/json", job_schema(), kLinks, {}, true}};
  route.problems = {404, 507};
  route.handle = [&jobs](const RouteRequest& request) -> Result<RouteAnswer> {
    const std::string& key = request.text("Idempotency-Key");
    if (auto checked = check_key(key); !checked) return std::move(checked.error());
    const auto started = TILLCAST_TRY_PLAIN(
        jobs.train({text_member(request.body(), "plan"), text_member(request.body(), "series_id"), key}));
    auto answer = job_answer(started.job, 202);
    if (answer) answer->location = job_location(started.job.id);
    return answer;
  };
  routes.push_back(std::move(route));
}

void add_list(std::vector<Route>& routes, JobService& jobs) {
  Route route;
  route.path = "/api/v1/jobs";
  route.operation_id = "list_jobs";
  route.tag = "jobs";
  route.summary = "Jobs, newest first";
  route.parameters = {
      query_parameter("state",
                      enum_schema({"queued", "running", "succeeded", "failed", "cancelled", "interrupted"},
                                  "only jobs in this state")),
  };
  std::ranges::move(page_parameters("jobs"), std::back_inserter(route.parameters));
  constexpr const char* kFirstJob =
      R"({"first":{"operationId":"get_job","parameters":{"path.job_id":"$response.body#/data/0/id"}}})";
  route.answers = {
      {200, "A page.", "application/json", page_schema(job_schema(), "jobs", "JobPage"), kFirstJob}};
  route.handle = [&jobs](const RouteRequest& request) -> Result<RouteAnswer> {
    const std::string& state = request.text("state");
    const int limit = page_limit(request);
    const auto found = TILLCAST_TRY_PLAIN(jobs.jobs(
        state.empty() ? std::nullopt : pipeline::find_job_state(state), request.text("cursor"), limit));
    JsonWriter out;
    begin_page(out);
    for (const auto& job : found.jobs) write_job(out, job);
    end_page(out, found.next_cursor);
    auto answer = json_answer(out);
    if (answer)
      answer->link =
          next_page_link("/api/v1/jobs", found.next_cursor, limit, state.empty() ? "" : "&state=" + state);
    return answer;
  };
  routes.push_back(std::move(route));
}

void add_one(std::vector<Route>& routes, JobService& jobs) {
  Route route;
  route.path = "/api/v1/jobs/{job_id}";
  route.operation_id = "get_job";
  route.tag = "jobs";
  route.summary = "One job: its state, progress, error and result";
  route.parameters = {id_parameter()};
  route.answers = {{200, "The job.", "application/json", job_schema(), {}}};
  route.problems = {404};
  route.handle = [&jobs](const RouteRequest& request) -> Result<RouteAnswer> {
    return job_answer(TILLCAST_TRY_PLAIN(jobs.job(request.text("job_id"))), 200);
  };
  routes.push_back(std::move(route));
}

void add_cancel(std::vector<Route>& routes, JobService& jobs) {
  Route route;
  // No DELETE: the job stays, as cancelled, and can be looked at.
  route.method = Method::kPost;
  route.path = "/api/v1/jobs/{job_id}/cancel";
  route.operation_id = "cancel_job";
  route.tag = "jobs";
  route.summary = "Cancel a job";
  route.description =
      "A job that waits is cancelled at once (200). One that runs ends at its next safe point (202): nothing "
      "half-done stays. A finished one is a conflict.";
  route.parameters = {id_parameter()};
  route.answers = {{200, "The job, cancelled.", "application/json", job_schema(), {}},
                   {202, "The job, which ends soon.", "application/json", job_schema(), {}}};
  route.problems = {404, 409, 507};
  route.handle = [&jobs](const RouteRequest& request) -> Result<RouteAnswer> {
    const auto job = TILLCAST_TRY_PLAIN(jobs.cancel_job(request.text("job_id")));
    return job_answer(job, job.state == JobState::kCancelled ? 200 : 202);
  };
  routes.push_back(std::move(route));
}

void add_predictions(std::vector<Route>& routes, pipeline::Service& service, JobService& jobs) {
  Route route;
  route.path = "/api/v1/jobs/{job_id}/predictions";
  route.operation_id = "get_job_predictions";
  route.tag = "jobs";
  route.summary = "The forecasts that a job made, as JSON or CSV";
  route.description =
      "Only while they are the current ones: after a later training the problem 409 names that run. " +
      std::string(prediction_paging());
  route.parameters = prediction_parameters();
  route.parameters.insert(route.parameters.begin(), id_parameter());
  route.answers = {prediction_page_answer()};
  route.problems = {404, 409};
  route.handle = [&service, &jobs](const RouteRequest& request) -> Result<RouteAnswer> {
    const auto job = TILLCAST_TRY_PLAIN(jobs.job(request.text("job_id")));
    if (job.state != JobState::kSucceeded)
      return conflict(job.id + " is " + std::string(pipeline::job_state_name(job.state)) +
                      "; forecasts are there when it has succeeded");
    auto asked = prediction_request(request);
    asked.series_id = job.arguments.series_id;
    if (asked.plan.empty()) asked.plan = job.arguments.plan;
    const auto page = TILLCAST_TRY_PLAIN(service.predictions(asked));
    for (const auto* one : page.series) {
      const bool made = std::ranges::any_of(
          job.result.runs, [one](const pipeline::JobRun& run) { return run.run_id == one->run_id; });
      if (!made)
        return conflict("the forecasts of " + job.id + " were superseded: " + one->info.id +
                        " is now of run " + one->run_id);
    }
    return prediction_answer(request, page, job_location(job.id) + "/predictions");
  };
  routes.push_back(std::move(route));
}

}  // namespace

void add_job_routes(std::vector<Route>& routes, pipeline::Service& service, JobService& jobs) {
  add_train(routes, jobs);
  add_list(routes, jobs);
  add_one(routes, jobs);
  add_cancel(routes, jobs);
  add_predictions(routes, service, jobs);
}

}  // namespace tillcast::api
