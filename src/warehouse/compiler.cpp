#include "warehouse/compiler.h"

#include <algorithm>
#include <cstdlib>

#include "warehouse/compiler_internal.h"
#include "warehouse/node_config.h"

namespace tillcast::warehouse {
namespace {

enum class Pass : std::uint8_t { kConfig, kReferences, kCompile };

/// What one rendering of one node sees and leaves behind.
struct Session {
  const Project& project;
  const Node* node = nullptr;
  Pass pass = Pass::kCompile;
  bool incremental = false;
  const std::vector<std::string>* disabled = nullptr;
  Dict config;                          ///< what config() was given
  std::vector<std::string> references;  ///< unique ids
  std::vector<const Node*> ephemerals;  ///< referenced in order
};

Value relation_value(const Node& node) {
  Dict attributes;
  attributes.emplace_back("schema", Value(node.schema));
  attributes.emplace_back("identifier", Value(node.identifier));
  attributes.emplace_back("name", Value(node.identifier));
  attributes.emplace_back("table", Value(node.identifier));
  attributes.emplace_back("database", Value());
  return Value::object(node.relation, std::move(attributes));
}

Result<std::string> text_argument(const CallArguments& arguments, std::size_t at, std::string_view name,
                                  std::string_view function) {
  const Value* value = arguments.find(at, name);
  if (value == nullptr || !value->is_text())
    return invalid_input(std::string(function) + "() needs a text as argument " + std::to_string(at + 1));
  return value->as_text();
}

Result<Value> use_node(Session& session, const Node& node) {
  session.references.push_back(node.unique_id);
  if (node.kind == NodeKind::kModel && node.config.materialized == Materialization::kEphemeral &&
      session.pass == Pass::kCompile) {
    if (std::find(session.ephemerals.begin(), session.ephemerals.end(), &node) == session.ephemerals.end())
      session.ephemerals.push_back(&node);
    return Value::object("__dbt__cte__" + node.name, {{"identifier", Value("__dbt__cte__" + node.name)}});
  }
  return relation_value(node);
}

Result<Value> call_ref(Session& session, const CallArguments& arguments) {
  const bool packaged = arguments.positional.size() > 1;
  if (packaged) {
    const std::string package = TILLCAST_TRY_PLAIN(text_argument(arguments, 0, "package", "ref"));
    if (package != session.project.name)
      return invalid_input("ref('" + package + "', ...): this project is '" + session.project.name +
                           "'; other packages are not supported");
  }
  const std::string name = TILLCAST_TRY_PLAIN(text_argument(arguments, packaged ? 1 : 0, "name", "ref"));
  if (const Node* node = session.project.find_by_name(name)) return use_node(session, *node);
  if (session.pass == Pass::kConfig) return Value::object(name, {{"identifier", Value(name)}});
  if (session.disabled != nullptr &&
      std::find(session.disabled->begin(), session.disabled->end(), name) != session.disabled->end())
    return invalid_input("ref('" + name + "'): that model is disabled (enabled: false)");
  std::vector<std::string> known;
  for (const Node& node : session.project.nodes)
    if (node.kind == NodeKind::kModel || node.kind == NodeKind::kSeed) known.push_back(node.name);
  const std::string near = nearest_name(name, known);
  return invalid_input("ref('" + name + "'): there is no model or seed of that name" +
                       (near.empty() ? "" : "; did you mean '" + near + "'?"));
}

Result<Value> call_source(Session& session, const CallArguments& arguments) {
  const std::string source = TILLCAST_TRY_PLAIN(text_argument(arguments, 0, "source_name", "source"));
  const std::string table = TILLCAST_TRY_PLAIN(text_argument(arguments, 1, "table_name", "source"));
  std::vector<std::string> known;
  for (const Node& node : session.project.nodes) {
    if (node.kind != NodeKind::kSource) continue;
    if (node.source_name == source && node.name == table) return use_node(session, node);
    known.push_back(node.source_name + "." + node.name);
  }
  if (session.pass == Pass::kConfig) return Value::object(source + "." + table, {});
  const std::string near = nearest_name(source + "." + table, known);
  return invalid_input("source('" + source + "', '" + table + "'): no yaml file declares that table" +
                       (near.empty() ? "" : "; did you mean '" + near + "'?"));
}

Result<Value> call_var(const Project& project, const CallArguments& arguments) {
  const std::string name = TILLCAST_TRY_PLAIN(text_argument(arguments, 0, "name", "var"));
  for (const Dict* vars : {&project.options.vars, &project.vars})
    for (const auto& [key, value] : *vars)
      if (key == name) return value;
  if (const Value* fallback = arguments.find(1, "default")) return *fallback;
  std::vector<std::string> known;
  for (const auto& [key, unused] : project.vars) known.push_back(key);
  const std::string near = nearest_name(name, known);
  return invalid_input("var('" + name +
                       "') has no value: set it under vars in dbt_project.yml or give a default" +
                       (near.empty() ? "" : "; did you mean '" + near + "'?"));
}

bool names_a_secret(std::string_view name) {
  for (const std::string_view word : {"SECRET", "PASSWORD", "TOKEN", "KEY", "CREDENTIAL"})
    if (name.find(word) != std::string_view::npos) return true;
  return false;
}

Result<Value> call_env_var(const Project& project, const CallArguments& arguments) {
  const std::string name = TILLCAST_TRY_PLAIN(text_argument(arguments, 0, "name", "env_var"));
  if (!name.starts_with("DBT_") && !name.starts_with("TILLCAST_"))
    return invalid_input("env_var('" + name + "') is refused: only DBT_* and TILLCAST_* may be read");
  if (names_a_secret(name))
    return invalid_input("env_var('" + name +
                         "') is refused: it looks like a secret, which must not get into SQL");
  std::optional<std::string> found;
  if (project.options.environment) {
    found = project.options.environment(name);
  } else if (const char* text = std::getenv(name.c_str())) {
    found = text;
  }
  if (found) return Value(*found);
  if (const Value* fallback = arguments.find(1, "default")) return *fallback;
  return invalid_input("env_var('" + name + "') is not set and has no default");
}

/// A function that also has attributes: config(...) and config.get(...).
Value callable_object(std::string name, Function function, Dict attributes) {
  attributes.emplace_back("__call__", Value::function(name, std::move(function)));
  return Value::object(std::move(name), std::move(attributes));
}

Value config_value(Session& session) {
  const Function get = [&session](const CallArguments& arguments) -> Result<Value> {
    const std::string name = TILLCAST_TRY_PLAIN(text_argument(arguments, 0, "name", "config.get"));
    for (const auto& [key, value] : session.config)
      if (key == name) return value;
    if (session.node != nullptr)
      for (const auto& [key, value] : session.node->config.raw)
        if (key == name) return value;
    const Value* fallback = arguments.find(1, "default");
    return fallback != nullptr ? *fallback : Value();
  };
  const Function set = [&session](const CallArguments& arguments) -> Result<Value> {
    Dict entries = arguments.named;
    for (const Value& value : arguments.positional) {
      if (!value.is_dict()) return invalid_input("config() takes key=value arguments");
      entries.insert(entries.end(), value.as_dict().begin(), value.as_dict().end());
    }
    NodeConfig checked;
    TILLCAST_TRY_PLAIN(apply_config(entries, checked));
    session.config.insert(session.config.end(), entries.begin(), entries.end());
    return Value("");
  };
  return callable_object(
      "config", set,
      {{"get", Value::function("config.get", get)}, {"require", Value::function("config.require", get)}});
}

void add_log_functions(const Project& project, bool speaks, Dict& globals) {
  const auto writer = [&project, speaks](std::string prefix) {
    return [&project, speaks, prefix](const CallArguments& arguments) -> Result<Value> {
      if (speaks && project.options.log && !arguments.positional.empty())
        project.options.log(prefix + arguments.positional.front().to_text());
      return Value("");
    };
  };
  globals.emplace_back("log", Value::function("log", writer("")));
  globals.emplace_back("print", Value::function("print", writer("")));
  const Function raise = [](const CallArguments& arguments) -> Result<Value> {
    return invalid_input(arguments.positional.empty() ? "the template raised an error"
                                                      : arguments.positional.front().to_text());
  };
  globals.emplace_back(
      "exceptions",
      Value::object("exceptions", {{"raise_compiler_error", Value::function("raise_compiler_error", raise)},
                                   {"warn", Value::function("warn", writer("warning: "))}}));
}

Value target_value(const Project& project) {
  return Value::dict({{"name", Value(project.options.target_name)},
                      {"profile_name", Value(project.name)},
                      {"type", Value("duckdb")},
                      {"schema", Value(project.options.schema)},
                      {"database", Value()},
                      {"threads", Value(1)}});
}

void add_adapter(Dict& globals) {
  const Function quote = [](const CallArguments& arguments) -> Result<Value> {
    std::string text = TILLCAST_TRY_PLAIN(text_argument(arguments, 0, "identifier", "adapter.quote"));
    return Value("\"" + text + "\"");
  };
  const Function type = [](const CallArguments&) -> Result<Value> { return Value("duckdb"); };
  globals.emplace_back("adapter", Value::object("adapter", {{"quote", Value::function("quote", quote)},
                                                            {"type", Value::function("type", type)}}));
}

RenderContext node_context(Session& session) {
  const Project& project = session.project;
  RenderContext context = project_context(project);
  Dict& globals = context.globals;
  const auto add = [&](const char* name, Function function) {
    globals.emplace_back(name, Value::function(name, std::move(function)));
  };
  add("ref", [&session](const CallArguments& arguments) { return call_ref(session, arguments); });
  add("source", [&session](const CallArguments& arguments) { return call_source(session, arguments); });
  add("is_incremental",
      [&session](const CallArguments&) -> Result<Value> { return Value(session.incremental); });
  add("doc", [](const CallArguments&) -> Result<Value> { return Value(""); });
  add("should_store_failures", [](const CallArguments&) -> Result<Value> { return Value(false); });
  for (const char* name : {"run_query", "statement", "load_result"})
    add(name, [name](const CallArguments&) -> Result<Value> {
      return invalid_input(std::string(name) +
                           "() is not supported: a template cannot run SQL while it is compiled");
    });
  globals.emplace_back("config", config_value(session));
  globals.emplace_back("execute", Value(session.pass == Pass::kCompile));
  add_adapter(globals);
  add_log_functions(project, session.pass == Pass::kCompile, globals);
  if (session.node != nullptr) {
    const Node& node = *session.node;
    if (!node.relation.empty() || session.pass == Pass::kConfig)
      globals.emplace_back("this", relation_value(node));
    List tags;
    for (const std::string& tag : node.config.tags) tags.emplace_back(tag);
    globals.emplace_back("model", Value::dict({{"name", Value(node.name)},
                                               {"unique_id", Value(node.unique_id)},
                                               {"alias", Value(node.identifier)},
                                               {"schema", Value(node.schema)},
                                               {"resource_type", Value(kind_name(node.kind))},
                                               {"original_file_path", Value(node.path)},
                                               {"tags", Value::list(std::move(tags))},
                                               {"config", Value::dict(node.config.raw)}}));
  }
  return context;
}

/// The name after which CTEs go: past comments and an existing WITH [RECURSIVE].
std::string with_ctes(const std::string& sql, const std::vector<std::pair<std::string, std::string>>& ctes) {
  if (ctes.empty()) return sql;
  std::string list;
  for (const auto& [name, body] : ctes) list += (list.empty() ? "" : ", ") + name + " as (\n" + body + "\n)";
  std::size_t at = 0;
  while (at < sql.size()) {
    if (sql[at] == ' ' || (sql[at] >= '\t' && sql[at] <= '\r')) {
      ++at;
    } else if (sql.compare(at, 2, "--") == 0) {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.compare(at, 2, "/*") == 0) {
      const auto end = sql.find("*/", at + 2);
      at = end == std::string::npos ? sql.size() : end + 2;
    } else {
      break;
    }
  }
  const auto word_at = [&](std::size_t from, std::string_view word) {
    if (from + word.size() >= sql.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i)
      if ((sql[from + i] | 0x20) != word[i]) return false;
    const char after = sql[from + word.size()];
    return after == ' ' || (after >= '\t' && after <= '\r');
  };
  if (!word_at(at, "with")) return sql.substr(0, at) + "with " + list + "\n" + sql.substr(at);
  at += 4;
  std::size_t next = at;
  while (next < sql.size() && (sql[next] == ' ' || (sql[next] >= '\t' && sql[next] <= '\r'))) ++next;
  if (word_at(next, "recursive")) at = next + 9;
  return sql.substr(0, at) + " " + list + "," + sql.substr(at);
}

Result<std::string> render_test(Session& session, const RenderContext& context) {
  const Node& node = *session.node;
  const GenericTest& test = *node.generic;
  const Node* attached = session.project.find(test.attached_to);
  if (attached == nullptr) return invalid_input(node.name + ": the table it tests does not exist");
  CallArguments arguments;
  Value model = TILLCAST_TRY_PLAIN(use_node(session, *attached));
  if (!node.config.where.empty())
    model = Value("(select * from " + model.to_text() + " where " + node.config.where + ") dbt_subquery");
  arguments.named.emplace_back("model", std::move(model));
  for (const auto& [name, value] : test.arguments) {
    if (name == "column_name") {
      arguments.named.emplace_back(name, value);
      continue;
    }
    Value rendered = TILLCAST_TRY_PLAIN(
        render_yaml_value(value, node.path + ":" + std::to_string(node.line), context, true));
    arguments.named.emplace_back(name, std::move(rendered));
  }
  auto called = call_macro("test_" + test.name, arguments, context);
  if (!called) {
    if (called.error().code == ErrorCode::kNotFound)
      return template_error(node.path, {node.line, 1}, "there is no generic test '" + test.name + "'");
    return std::move(called.error())
        .with_context(node.path + ":" + std::to_string(node.line) + ": test " + node.name);
  }
  return called->to_text();
}

Result<std::string> render_body(Session& session) {
  const RenderContext context = node_context(session);
  if (session.node->generic) return render_test(session, context);
  if (!session.node->parsed) return std::string();
  return render(*session.node->parsed, context);
}

using Ctes = std::vector<std::pair<std::string, std::string>>;

Result<std::string> compile_body(const Project& project, const Node& node, CompileMode mode, Ctes& ctes) {
  Session session{project, &node, Pass::kCompile, mode == CompileMode::kIncremental, nullptr, {}, {}, {}};
  std::string sql = TILLCAST_TRY_PLAIN(render_body(session));
  for (const Node* ephemeral : session.ephemerals) {
    const std::string name = "__dbt__cte__" + ephemeral->name;
    if (std::any_of(ctes.begin(), ctes.end(), [&](const auto& cte) { return cte.first == name; })) continue;
    std::string body = TILLCAST_TRY_PLAIN(compile_body(project, *ephemeral, CompileMode::kFull, ctes));
    ctes.emplace_back(name, std::move(body));
  }
  return sql;
}

}  // namespace

RenderContext project_context(const Project& project) {
  RenderContext context;
  context.macros = project.macros.get();
  context.package = project.name;
  context.limits = project.options.limits;
  const Function var = [&project](const CallArguments& arguments) { return call_var(project, arguments); };
  const Function has_var = [&project](const CallArguments& arguments) -> Result<Value> {
    return Value(call_var(project, CallArguments{arguments.positional, {}}).has_value());
  };
  context.globals.emplace_back(
      "var", callable_object("var", var, {{"has_var", Value::function("has_var", has_var)}}));
  const Function env = [&project](const CallArguments& arguments) {
    return call_env_var(project, arguments);
  };
  context.globals.emplace_back("env_var", Value::function("env_var", env));
  context.globals.emplace_back("target", target_value(project));
  context.globals.emplace_back("project_name", Value(project.name));
  context.globals.emplace_back("flags", Value::dict({{"FULL_REFRESH", Value(project.options.full_refresh)}}));
  return context;
}

Result<> read_node_config(const Project& project, Node& node) {
  Session session{project, &node, Pass::kConfig, false, nullptr, {}, {}, {}};
  auto rendered = node.generic ? Result<std::string>(std::string()) : render_body(session);
  auto applied = apply_config(session.config, node.config);
  if (!applied) return std::move(applied.error()).with_context(node.path);
  if (!rendered && node.config.enabled) return std::move(rendered.error());
  return {};
}

Result<> resolve_references(const Project& project, const std::vector<std::string>& disabled, Node& node) {
  for (const bool incremental : {false, true}) {
    if (incremental && node.config.materialized != Materialization::kIncremental) break;
    Session session{project, &node, Pass::kReferences, incremental, &disabled, {}, {}, {}};
    TILLCAST_TRY_PLAIN(render_body(session));
    node.depends_on.insert(node.depends_on.end(), session.references.begin(), session.references.end());
  }
  std::sort(node.depends_on.begin(), node.depends_on.end());
  node.depends_on.erase(std::unique(node.depends_on.begin(), node.depends_on.end()), node.depends_on.end());
  return {};
}

Result<Value> render_yaml_value(const Value& value, std::string_view file, const RenderContext& context,
                                bool functions) {
  if (value.is_list()) {
    List items;
    for (const Value& item : value.as_list())
      items.push_back(TILLCAST_TRY_PLAIN(render_yaml_value(item, file, context, functions)));
    return Value::list(std::move(items));
  }
  if (value.is_dict()) {
    Dict items;
    for (const auto& [name, item] : value.as_dict()) {
      Value rendered = TILLCAST_TRY_PLAIN(render_yaml_value(item, file, context, functions));
      items.emplace_back(name, std::move(rendered));
    }
    return Value::dict(std::move(items));
  }
  if (!value.is_text()) return value;
  const std::string& text = value.as_text();
  if (functions && text.ends_with(')'))
    for (const std::string_view start : {"ref(", "source(", "var(", "env_var(", "ref (", "source (", "var ("})
      if (text.starts_with(start))
        return evaluate(TILLCAST_TRY_PLAIN(parse_expression(text, file)), file, context);
  if (text.find("{{") == std::string::npos && text.find("{%") == std::string::npos) return value;
  if (text.starts_with("{{") && text.ends_with("}}") && text.find("{{", 2) == std::string::npos)
    return evaluate(TILLCAST_TRY_PLAIN(parse_expression(text.substr(2, text.size() - 4), file)), file,
                    context);
  const auto parsed = TILLCAST_TRY_PLAIN(parse_template(text, file));
  std::string rendered = TILLCAST_TRY_PLAIN(render(*parsed, context));
  return Value(std::move(rendered));
}

Result<std::string> compile_node(const Project& project, const Node& node, CompileMode mode) {
  if (node.kind == NodeKind::kSeed || node.kind == NodeKind::kSource) return std::string();
  Ctes ctes;
  const std::string sql = TILLCAST_TRY_PLAIN(compile_body(project, node, mode, ctes));
  return with_ctes(sql, ctes);
}

Result<std::string> compile_text(const Project& project, const Node* node, std::string_view text,
                                 std::string_view file) {
  Session session{project, node, Pass::kCompile, false, nullptr, {}, {}, {}};
  const RenderContext context = node_context(session);
  const auto parsed = TILLCAST_TRY_PLAIN(parse_template(text, file));
  return render(*parsed, context);
}

}  // namespace tillcast::warehouse
