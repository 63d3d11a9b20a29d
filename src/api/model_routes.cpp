#include "api/json_writer.h"
#include "api/routes.h"

namespace tillcast::api {
namespace {

using pipeline::PlanModels;
using registry::VersionInfo;

constexpr const char* kChecked =
    "The files of champion and challenger are compared with their checksums, those of other versions with "
    "their sizes: problems says what is damaged and what to do. Stored forecasts are served all the same.";

Schema version_schema() {
  const Schema column = object_schema({{"name", string_schema("")}, {"type", string_schema("SQL type")}},
                                      "A column of the signature.")
                            .with_name("ModelColumn");
  const Schema file = object_schema({{"name", string_schema("")},
                                     {"bytes", integer_schema("")},
                                     {"sha256", string_schema("64 hex digits")}},
                                    "A file of a model version.")
                          .with_name("ModelFile");
  Schema settings = object_schema({}, "the plan and what it was fitted with, text by name");
  settings.open = true;
  Schema metrics = object_schema({}, "numbers by name, measured on the newest back-test origin");
  metrics.open = true;
  return object_schema({{"plan", string_schema("forecast plan")},
                        {"version", integer_schema("1, 2, …")},
                        {"alias", enum_schema({"champion", "challenger"}, "null for neither").or_null()},
                        {"created_at", string_schema("when it was fitted, UTC")},
                        {"data_from", string_schema("first day; empty without data")},
                        {"data_until", string_schema("the cut: nothing after this day was learnt from")},
                        {"data_hash", string_schema("of everything the models saw")},
                        {"series", integer_schema("")},
                        {"periods", integer_schema("values of all series together")},
                        {"settings", settings},
                        {"metrics", metrics},
                        {"inputs", array_schema(column, "what it takes")},
                        {"outputs", array_schema(column, "what it gives")},
                        {"verdict", enum_schema({"champion", "challenger"}, "what the promotion gate said")},
                        {"verdict_reason", string_schema("why")},
                        {"tool_version", string_schema("the program that fitted it")},
                        {"code_revision", string_schema("the commit that program was built from")},
                        {"parent", integer_schema("the champion at that time; 0 = none")},
                        {"files", array_schema(file, "")},
                        {"problem", string_schema("which of its files is damaged and what to do; null when "
                                                  "none is, as far as they were checked")
                                        .or_null()}},
                       "A fitted version of a plan's models. Never changes, but for its alias.")
      .with_name("ModelVersion");
}

Schema plan_schema() {
  const Schema change = object_schema({{"at", string_schema("when, UTC")},
                                       {"alias", enum_schema({"champion", "challenger"}, "")},
                                       {"from", integer_schema("0 = none")},
                                       {"to", integer_schema("0 = none")},
                                       {"by", string_schema("who")},
                                       {"reason", string_schema("why")},
                                       {"forced", boolean_schema("against or without the gate")}},
                                      "A change of an alias.")
                            .with_name("AliasChange");
  const Schema experiment =
      object_schema({{"name", string_schema("")},
                     {"champion", integer_schema("version")},
                     {"challenger", integer_schema("version")},
                     {"share_percent", integer_schema("of the series that the challenger forecasts")},
                     {"created_at", string_schema("when, UTC")},
                     {"ended_at", string_schema("null while it runs").or_null()},
                     {"outcome", string_schema("how it ended").or_null()}},
                    "Champion against challenger on shares of the series.")
          .with_name("Experiment");
  const Schema problem =
      object_schema({{"version", integer_schema("one of versions, or one that cannot be read at all")},
                     {"problem", string_schema("which file is damaged and what to do")}},
                    "A damaged version.")
          .with_name("ModelProblem");
  return object_schema(
             {{"plan", string_schema("forecast plan")},
              {"champion", integer_schema("the version that forecasts; null without one").or_null()},
              {"challenger", integer_schema("null without one").or_null()},
              {"versions", array_schema(version_schema(), "newest first")},
              {"problems", array_schema(problem, "damaged versions, oldest first")},
              {"changes", array_schema(change, "oldest first")},
              {"experiments", array_schema(experiment, "newest first")}},
             "The model versions of a plan.")
      .with_name("PlanModels");
}

void write_columns(JsonWriter& out, std::string_view name,
                   const std::vector<registry::SignatureColumn>& columns) {
  out.key(name);
  out.begin_array();
  for (const auto& column : columns) {
    out.begin_object();
    out.field("name", column.name);
    out.field("type", column.type);
    out.end_object();
  }
  out.end_array();
}

void version_or_null(JsonWriter& out, std::string_view name, int version) {
  out.integer_or_null(name, version == 0 ? std::nullopt : std::optional<std::int64_t>(version));
}

void write_version(JsonWriter& out, const PlanModels& models, const VersionInfo& info) {
  out.begin_object();
  out.field("plan", info.plan);
  out.field("version", info.number);
  out.field_or_null("alias", info.number == models.aliases.champion     ? "champion"
                             : info.number == models.aliases.challenger ? "challenger"
                                                                        : "");
  out.field("created_at", info.created_at);
  out.field("data_from", info.data_from);
  out.field("data_until", info.data_until);
  out.field("data_hash", info.data_hash);
  out.field("series", info.series);
  out.field("periods", info.periods);
  out.key("settings");
  out.begin_object();
  for (const auto& [name, value] : info.settings) {
    out.text_key(name);
    out.text(value);
  }
  out.end_object();
  out.key("metrics");
  out.begin_object();
  for (const auto& [name, value] : info.metrics) {
    out.text_key(name);
    out.number(value);
  }
  out.end_object();
  write_columns(out, "inputs", info.inputs);
  write_columns(out, "outputs", info.outputs);
  out.field("verdict", info.verdict);
  out.field("verdict_reason", info.verdict_reason);
  out.field("tool_version", info.tool_version);
  out.field("code_revision", info.code_revision);
  out.field("parent", info.parent);
  out.key("files");
  out.begin_array();
  for (const auto& file : info.files) {
    out.begin_object();
    out.field("name", file.name);
    out.field("bytes", file.bytes);
    out.field("sha256", file.sha256);
    out.end_object();
  }
  out.end_array();
  const auto problem = models.problems.find(info.number);
  out.field_or_null("problem", problem == models.problems.end() ? "" : problem->second);
  out.end_object();
}

void write_plan(JsonWriter& out, const PlanModels& models) {
  out.begin_object();
  out.field("plan", models.plan);
  version_or_null(out, "champion", models.aliases.champion);
  version_or_null(out, "challenger", models.aliases.challenger);
  out.key("versions");
  out.begin_array();
  for (const auto& info : models.versions) write_version(out, models, info);
  out.end_array();
  out.key("problems");
  out.begin_array();
  for (const auto& [version, problem] : models.problems) {
    out.begin_object();
    out.field("version", version);
    out.field("problem", problem);
    out.end_object();
  }
  out.end_array();
  out.key("changes");
  out.begin_array();
  for (const auto& change : models.aliases.changes) {
    out.begin_object();
    out.field("at", change.at);
    out.field("alias", change.alias);
    out.field("from", change.from);
    out.field("to", change.to);
    out.field("by", change.by);
    out.field("reason", change.reason);
    out.field("forced", change.forced);
    out.end_object();
  }
  out.end_array();
  out.key("experiments");
  out.begin_array();
  for (const auto& experiment : models.experiments) {
    out.begin_object();
    out.field("name", experiment.name);
    out.field("champion", experiment.champion);
    out.field("challenger", experiment.challenger);
    out.field("share_percent", experiment.share_percent);
    out.field("created_at", experiment.created_at);
    out.field_or_null("ended_at", experiment.ended_at);
    out.field_or_null("outcome", experiment.outcome);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

Route model_route(std::string path, std::string operation, std::string summary, Schema answer) {
  Route route;
  route.path = std::move(path);
  route.operation_id = std::move(operation);
  route.tag = "models";
  route.summary = std::move(summary);
  route.answers = {{200, "Found.", "application/json", std::move(answer), {}}};
  return route;
}

Parameter plan_parameter() {
  return path_parameter("plan", string_schema("name of the forecast plan").with_length(1, 200));
}

// A name that no plan can have is one that is not there.
Result<PlanModels> find_plan(pipeline::Service& service, const std::string& plan, int version) {
  auto found = service.models_of(plan, version);
  if (!found && found.error().code == ErrorCode::kInvalidInput) return not_found(found.error().message);
  return found;
}

}  // namespace

void add_model_routes(std::vector<Route>& routes, pipeline::Service& service) {
  Route list = model_route("/api/v1/models", "list_models", "The model versions of all plans",
                           object_schema({{"data", array_schema(plan_schema(), "by name of the plan")}},
                                         "All plans that have model versions.")
                               .with_name("ModelList"));
  list.description = kChecked;
  list.handle = [&service](const RouteRequest&) -> Result<RouteAnswer> {
    const auto found = TILLCAST_TRY_PLAIN(service.models());
    JsonWriter out;
    out.begin_object();
    out.key("data");
    out.begin_array();
    for (const auto& models : found) write_plan(out, models);
    out.end_array();
    out.end_object();
    return json_answer(out);
  };
  routes.push_back(std::move(list));

  Route plan =
      model_route("/api/v1/models/{plan}", "get_models",
                  "The model versions of a plan: champion, challenger, history, experiments", plan_schema());
  plan.description = kChecked;
  plan.parameters = {plan_parameter()};
  plan.problems = {404};
  plan.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    const auto found = TILLCAST_TRY_PLAIN(find_plan(service, request.text("plan"), 0));
    JsonWriter out;
    write_plan(out, found);
    return json_answer(out);
  };
  routes.push_back(std::move(plan));

  Route one = model_route("/api/v1/models/{plan}/{version}", "get_model_version",
                          "Everything about one version", version_schema());
  one.parameters = {plan_parameter(),
                    path_parameter("version", integer_schema("its number").with_range(1, 1'000'000'000))};
  one.description = "Its files are compared with their checksums; see problem.";
  one.problems = {404};
  one.handle = [&service](const RouteRequest& request) -> Result<RouteAnswer> {
    const auto version = static_cast<int>(request.integer("version").value_or(0));
    const auto found = TILLCAST_TRY_PLAIN(find_plan(service, request.text("plan"), version));
    for (const auto& info : found.versions) {
      if (info.number != version) continue;
      JsonWriter out;
      write_version(out, found, info);
      return json_answer(out);
    }
    if (const auto problem = found.problems.find(version); problem != found.problems.end())
      return corrupt_data(problem->second);
    return not_found("plan '" + found.plan + "' has no version " + std::to_string(version) +
                     "; GET /api/v1/models/" + found.plan + " lists them");
  };
  routes.push_back(std::move(one));
}

}  // namespace tillcast::api
