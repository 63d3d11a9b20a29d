#include "cli/dispatch.h"

#include <algorithm>
#include <cstdlib>
#include <expected>
#include <iostream>
#include <iterator>

#include "core/log.h"
#include "pipeline/engine.h"
#include "pipeline/settings.h"

namespace tillcast::cli {
namespace {

constexpr std::string_view kDataVariable = "TILLCAST_DATA=";
constexpr std::string_view kUserVariable = "TILLCAST_USER=";

// --data, TILLCAST_DATA, else the nearest folder upwards that holds tillcast.toml, else the working
// directory.
std::filesystem::path find_data_directory(const CommandContext& context) {
  if (context.arguments.has("--data")) return context.resolve(context.arguments.text("--data"));
  for (const auto& variable : context.environment) {
    if (variable.starts_with(kDataVariable)) return context.resolve(variable.substr(kDataVariable.size()));
  }
  for (auto folder = context.directory;; folder = folder.parent_path()) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / pipeline::kSettingsFile, ignored)) return folder;
    if (folder == folder.parent_path()) return context.directory;
  }
}

void set_up_logging(const Arguments& arguments) {
  LogOptions options;
  const std::string level = arguments.text("--log-level", "info");
  options.level = level == "debug"     ? LogLevel::kDebug
                  : level == "warning" ? LogLevel::kWarning
                  : level == "error"   ? LogLevel::kError
                                       : LogLevel::kInfo;
  options.format = arguments.text("--log-format", "text") == "json" ? LogFormat::kJson : LogFormat::kText;
  configure_logging(options);
}

Result<int> run_here(const CommandSpec& command, CommandContext& context) {
  if (command.access != Access::kData) return command.run(context);
  auto config = settings_of(context);
  if (!config) return std::move(config.error());
  auto engine = pipeline::Engine::open(context.data_directory, std::move(*config));
  if (!engine) return std::move(engine.error());
  context.engine = engine->get();
  return command.run(context);
}

int finish(const CommandContext& context, const Result<int>& result) {
  if (result) return *result;
  const int code = report_error(context.terminal, result.error());
  return context.arguments.were_wrong() ? kExitUsage : code;
}

/// The call that the words make, or the exit code where they are wrong or ask for help alone.
std::expected<Call, int> understand(std::span<const std::string> words, Terminal& terminal) {
  auto parsed = parse_call(words);
  if (!parsed) {
    report_error(terminal, parsed.error());
    return std::unexpected(kExitUsage);
  }
  if (const auto* help = std::get_if<HelpText>(&*parsed)) {
    terminal.out(help->text);
    return std::unexpected(kExitOk);
  }
  return std::get<Call>(std::move(*parsed));
}

}  // namespace

int report_error(Terminal& terminal, const Error& error) {
  std::string message = error.message;
  // DuckDB adds the line of the statement with a caret below it, which is no help on one line.
  if (const auto excerpt = message.find("\n\nLINE "); excerpt != std::string::npos) {
    const auto colon = message.find(':', excerpt);
    message = message.substr(0, excerpt) + " (line " + message.substr(excerpt + 7, colon - excerpt - 7) +
              " of the statement)";
  }
  std::ranges::replace(message, '\n', ' ');
  const bool colour = terminal.traits().colour;
  terminal.note((colour ? "tillcast: \x1b[31merror\x1b[0m: " : "tillcast: error: ") + message);
  return error.code == ErrorCode::kCancelled ? kExitInterrupted : kExitFailed;
}

std::filesystem::path CommandContext::resolve(const std::string& typed) const {
  const std::filesystem::path path(typed);
  return (path.is_absolute() ? path : directory / path).lexically_normal();
}

std::string CommandContext::caller() const {
  for (const auto& variable : environment) {
    if (variable.starts_with(kUserVariable) && variable.size() > kUserVariable.size())
      return variable.substr(kUserVariable.size());
  }
  return "command line";
}

Result<Config> settings_of(const CommandContext& context) {
  std::vector<std::string> overrides = context.arguments.list("--set");
  return pipeline::load_settings(context.data_directory, context.environment, overrides);
}

int run_words(std::span<const std::string> words, const std::filesystem::path& directory,
              std::span<const std::string> environment, Terminal& terminal) {
  auto call = understand(words, terminal);
  if (!call) return call.error();
  CommandContext context{std::move(call->arguments),
                         terminal,
                         directory,
                         {},
                         {environment.begin(), environment.end()},
                         nullptr,
                         nullptr};
  context.data_directory = find_data_directory(context);
  set_up_logging(context.arguments);
  if (const auto& option = call->command->stdin_option;
      !option.empty() && context.arguments.text(option) == "-") {
    context.input.assign(std::istreambuf_iterator<char>(std::cin), {});
    if (terminal.interrupted()) return finish(context, cancelled("stopped on request"));
  }

  if (call->command->access == Access::kData) {
    const RemoteCall remote{{words.begin(), words.end()},
                            directory.string(),
                            context.environment,
                            terminal.traits(),
                            context.input};
    auto code = run_in_owner(context.data_directory, remote, terminal);
    if (!code) return report_error(terminal, code.error());
    if (*code) return **code;
  }
  return finish(context, run_here(*call->command, context));
}

int run_remote_call(const RemoteCall& call, Terminal& terminal, pipeline::Engine& engine,
                    pipeline::JobService* jobs) {
  auto understood = understand(call.words, terminal);
  if (!understood) return understood.error();
  CommandContext context{std::move(understood->arguments),
                         terminal,
                         call.directory,
                         engine.data_directory(),
                         call.environment,
                         &engine,
                         jobs,
                         call.input};
  if (context.arguments.has("--set")) {
    return report_error(
        terminal,
        invalid_input(
            "--set has no effect on a running server; stop it, or change tillcast.toml and restart it"));
  }
  return finish(context, understood->command->run(context));
}

}  // namespace tillcast::cli
