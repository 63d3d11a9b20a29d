#include "cli/parser.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <deque>
#include <memory>
#include <set>
#include <sstream>

#include "core/check.h"
#include "core/config.h"
#include "core/text.h"

namespace tillcast::cli {
namespace {

std::string first_word(const std::string& name) { return name.substr(0, name.find(' ')); }
bool in_group(const std::string& name) { return name.find(' ') != std::string::npos; }

/// The values one option collects while CLI11 parses.
struct Sink {
  const OptionSpec* spec;
  std::vector<std::string> values;
  bool flag = false;
  CLI::Option* option = nullptr;
};

void add_option(CLI::App& app, const OptionSpec& spec, std::deque<Sink>& sinks) {
  Sink& sink = sinks.emplace_back(Sink{&spec, {}, false, nullptr});
  switch (spec.kind) {
    case OptionKind::kFlag:
      sink.option = app.add_flag(spec.name, sink.flag);
      break;
    case OptionKind::kValue:
      sink.option = app.add_option(spec.name, sink.values)
                        ->expected(1)
                        ->allow_extra_args(false)
                        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
      break;
    case OptionKind::kList:
      sink.option = app.add_option(spec.name, sink.values)->expected(1)->take_all()->allow_extra_args(false);
      break;
    case OptionKind::kPositional:
      sink.option = app.add_option(spec.name, sink.values)->expected(1)->allow_extra_args(false);
      break;
    case OptionKind::kPositionalList:
      sink.option = app.add_option(spec.name, sink.values)->expected(1, 1 << 20);
      break;
  }
  sink.option->required(spec.required);
  if (!spec.choices.empty()) sink.option->check(CLI::IsMember(spec.choices));
}

std::vector<std::string> command_words() {
  std::set<std::string> words;
  for (const auto& command : all_commands()) words.insert(first_word(command.name));
  words.insert("help");
  return {words.begin(), words.end()};
}

std::vector<const CommandSpec*> group_members(const std::string& group) {
  std::vector<const CommandSpec*> members;
  for (const auto& command : all_commands()) {
    if (in_group(command.name) && first_word(command.name) == group) members.push_back(&command);
  }
  return members;
}

const CommandSpec* find_command(const std::string& name) {
  const auto at = std::ranges::find(all_commands(), name, &CommandSpec::name);
  return at == all_commands().end() ? nullptr : &*at;
}

/// "-c,--command" -> "-c" and "--command".
std::vector<std::string> spellings(const OptionSpec& option) {
  std::vector<std::string> names;
  std::istringstream list(option.name);
  for (std::string name; std::getline(list, name, ',');) names.push_back(name);
  return names;
}

std::string pad(const std::string& text, std::size_t width) {
  return text.size() >= width ? text + "  " : text + std::string(width - text.size(), ' ');
}

std::string option_help(std::span<const OptionSpec> options) {
  std::string text;
  for (const auto& option : options) {
    const bool positional =
        option.kind == OptionKind::kPositional || option.kind == OptionKind::kPositionalList;
    std::string name = option.name;
    if (!positional && option.kind != OptionKind::kFlag)
      name += " " + (option.value_name.empty() ? "VALUE" : option.value_name);
    text += "  " + pad(name, 24) + option.help;
    if (!option.choices.empty()) {
      text += " [";
      for (std::size_t i = 0; i < option.choices.size(); ++i) text += (i == 0 ? "" : "|") + option.choices[i];
      text += "]";
    }
    if (!option.default_value.empty()) text += " (default " + option.default_value + ")";
    if (option.required && !positional) text += " (required)";
    text += "\n";
  }
  return text;
}

std::string command_help(const CommandSpec& command) {
  std::string text =
      command.summary + "\n\nExamples\n" + command.examples + "\nUsage: tillcast " + command.name;
  std::vector<OptionSpec> flags;
  std::vector<OptionSpec> positionals;
  for (const auto& option : command.options) {
    const bool positional =
        option.kind == OptionKind::kPositional || option.kind == OptionKind::kPositionalList;
    (positional ? positionals : flags).push_back(option);
  }
  if (!flags.empty()) text += " [options]";
  for (const auto& option : positionals) {
    std::string name = option.name;
    if (option.kind == OptionKind::kPositionalList) name += "...";
    text += option.required ? " " + name : " [" + name + "]";
  }
  text += "\n";
  if (!positionals.empty()) text += "\nArguments\n" + option_help(positionals);
  if (!flags.empty()) text += "\nOptions\n" + option_help(flags);
  return text + "\nOptions of every command\n" + option_help(global_options());
}

std::string program_help() {
  std::string text =
      "tillcast: from the till to the forecast, in one program.\n\n"
      "Examples\n"
      "  tillcast init shop && cd shop\n"
      "  tillcast run --input ../sales.csv     # a clean history, gold tables and forecasts\n"
      "  tillcast serve                        # the same as an API and a page in the browser\n\n"
      "Commands\n";
  for (const auto& command : all_commands()) text += "  " + pad(command.name, 20) + command.summary + "\n";
  text += "\nOptions of every command\n" + option_help(global_options());
  return text + "\n`tillcast help COMMAND` shows one command. Guide: docs/cli.md\n";
}

/// A word or text as fish's single quotes hold it.
std::string fish_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string fish_script() {
  std::string script =
      "complete -c tillcast -n __fish_use_subcommand -f -a " + fish_quoted(join(command_words(), " ")) + "\n";
  const auto add_option = [&script](const OptionSpec& option, const std::string& condition) {
    std::string names;
    for (const auto& name : spellings(option)) {
      if (name.starts_with("--"))
        names += " -l " + name.substr(2);
      else if (name.starts_with("-"))
        names += " -s " + name.substr(1);
    }
    if (!names.empty())
      script += "complete -c tillcast" + condition + names + " -d " + fish_quoted(option.help) + "\n";
  };
  for (const auto& command : all_commands()) {
    const std::string head = first_word(command.name);
    const std::string condition = " -n '__fish_seen_subcommand_from " + head + "'";
    if (in_group(command.name)) {
      script += "complete -c tillcast" + condition + " -f -a " + command.name.substr(head.size() + 1) +
                " -d " + fish_quoted(command.summary) + "\n";
    }
    for (const auto& option : command.options) add_option(option, condition);
  }
  for (const auto& option : global_options()) add_option(option, "");
  return script;
}

// CLI11's message for a wrong word, with the nearest right one.
Error usage_error(const CLI::ParseError& error, const std::string& command,
                  std::span<const OptionSpec> options) {
  std::string message = error.what();
  std::string hint = "`tillcast help" + (command.empty() ? "" : " " + command) + "` shows the options";
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const auto colon = message.rfind(": ");
    const std::string extra = colon == std::string::npos ? message : message.substr(colon + 2);
    // An option that is not known leaves its value over too: the option is the fault to name.
    std::string word = extra.substr(0, extra.find(' '));
    std::istringstream words(extra);
    for (std::string one; words >> one;) {
      if (one.starts_with("-")) word = one;
    }
    std::vector<std::string> known;
    for (const auto& of : {options, global_options()})
      for (const auto& option : of) std::ranges::copy(spellings(option), std::back_inserter(known));
    message = (word.starts_with("-") ? "unknown option " : "unexpected argument ") + ("'" + word + "'");
    const auto near = word.starts_with("-") ? nearest(word.substr(0, word.find('=')), known) : std::nullopt;
    if (near) hint = "did you mean '" + *near + "'?";
  }
  std::ranges::replace(message, '\n', ' ');
  return invalid_input((command.empty() ? "" : command + ": ") + message + "; " + hint);
}

}  // namespace

std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  const auto at = values_.find(name);
  return at == values_.end() || at->second.empty() ? otherwise : at->second.back();
}

std::vector<std::string> Arguments::list(const std::string& name) const {
  const auto at = values_.find(name);
  return at == values_.end() ? std::vector<std::string>{} : at->second;
}

Result<std::int64_t> Arguments::integer(const std::string& name, std::int64_t low, std::int64_t high,
                                        std::int64_t otherwise) const {
  if (!has(name)) return otherwise;
  const std::string value = text(name);
  std::int64_t number = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != value.data() + value.size() || number < low ||
      number > high) {
    return wrong(name + " must be a whole number from " + std::to_string(low) + " to " +
                 std::to_string(high) + ", found '" + value + "'");
  }
  return number;
}

bool colour_allowed(std::span<const std::string> words) {
  constexpr std::string_view kOption = "--color";
  std::string_view when;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == kOption && i + 1 < words.size()) when = words[i + 1];
    if (word.starts_with("--color=")) when = word.substr(kOption.size() + 1);
  }
  return when != "never";
}

Error Arguments::wrong(std::string message) const {
  were_wrong_ = true;
  return invalid_input(std::move(message));
}

Result<std::variant<Call, HelpText>> parse_call(std::span<const std::string> words) {
  using Answer = std::variant<Call, HelpText>;
  const auto is_help = [](const std::string& word) { return word == "-h" || word == "--help"; };
  if (words.empty() || is_help(words[0])) return Answer{HelpText{program_help()}};
  if (words[0] == "help") {
    std::string name;
    for (const auto& word : words.subspan(1)) name += (name.empty() ? "" : " ") + word;
    const std::string text = help_text(name);
    if (text.empty()) return invalid_input("there is no command '" + name + "'; `tillcast help` lists them");
    return Answer{HelpText{text}};
  }

  // Global options may stand before the command: find the command's words first.
  std::vector<std::string> before;
  std::size_t at = 0;
  while (at < words.size() && words[at].starts_with("-") && words[at] != "--version") {
    if (is_help(words[at])) return Answer{HelpText{program_help()}};
    before.push_back(words[at]);
    const auto spec = std::ranges::find(global_options(), words[at], &OptionSpec::name);
    ++at;
    if (spec != global_options().end() && spec->kind != OptionKind::kFlag && at < words.size())
      before.push_back(words[at++]);
  }
  if (at == words.size()) return invalid_input("no command given; `tillcast help` lists them");

  std::string name = words[at];
  if (name == "--version") name = "version";
  std::size_t rest = at + 1;
  const auto members = group_members(name);
  if (!members.empty()) {
    if (rest < words.size() && !words[rest].starts_with("-")) {
      std::vector<std::string> actions;
      actions.reserve(members.size());
      for (const auto* member : members) actions.push_back(member->name.substr(name.size() + 1));
      const std::string full = name + " " + words[rest];
      if (find_command(full) == nullptr && find_command(name) == nullptr) {
        const auto near = nearest(words[rest], actions);
        return invalid_input("unknown command '" + full + "'" +
                             (near ? "; did you mean '" + name + " " + *near + "'?"
                                   : "; `tillcast help " + name + "` lists them"));
      }
      if (find_command(full) != nullptr) {
        name = full;
        ++rest;
      }
    } else if (find_command(name) == nullptr) {
      if (rest < words.size() && is_help(words[rest])) return Answer{HelpText{help_text(name)}};
      return invalid_input("'" + name + "' needs one of its commands; `tillcast help " + name +
                           "` lists them");
    }
  }
  const CommandSpec* const command = find_command(name);
  if (command == nullptr) {
    const auto near = nearest(name, command_words());
    return invalid_input("unknown command '" + name + "'" +
                         (near ? "; did you mean '" + *near + "'?" : "; `tillcast help` lists them"));
  }
  for (const auto& word : words.subspan(rest)) {
    if (word == "--") break;
    if (is_help(word)) return Answer{HelpText{command_help(*command)}};
  }

  CLI::App app;
  app.set_help_flag();
  std::deque<Sink> sinks;
  for (const auto& option : command->options) add_option(app, option, sinks);
  for (const auto& option : global_options()) add_option(app, option, sinks);
  std::vector<std::string> reversed(before);
  reversed.insert(reversed.end(), words.begin() + static_cast<std::ptrdiff_t>(rest), words.end());
  std::ranges::reverse(reversed);  // CLI11 takes the words last first
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    return usage_error(error, command->name, command->options);
  }
  Call call{command, {}};
  for (auto& sink : sinks) {
    if (sink.option->count() == 0) continue;
    call.arguments.add(sink.spec->name, sink.spec->kind == OptionKind::kFlag
                                            ? std::vector<std::string>{"true"}
                                            : std::move(sink.values));
  }
  return Answer{std::move(call)};
}

std::string help_text(const std::string& name) {
  if (name.empty()) return program_help();
  if (const auto* const command = find_command(name)) return command_help(*command);
  const auto members = group_members(name);
  if (members.empty()) return {};
  std::string text = "Commands of tillcast " + name + "\n";
  for (const auto* member : members) text += "  " + pad(member->name, 24) + member->summary + "\n";
  return text;
}

Result<std::string> completion_script(const std::string& shell) {
  if (shell == "fish") return fish_script();
  const std::string commands = join(command_words(), " ");
  std::string cases;
  std::set<std::string> groups;
  for (const auto& command : all_commands()) {
    if (in_group(command.name)) groups.insert(first_word(command.name));
  }
  const auto options_of = [](const CommandSpec& command) {
    std::string words;
    for (const auto& of : {std::span<const OptionSpec>(command.options), global_options()}) {
      for (const auto& option : of) {
        for (const auto& name : spellings(option)) words += name.starts_with("-") ? name + " " : "";
      }
    }
    return words;
  };
  if (shell != "bash" && shell != "zsh")
    return invalid_input("completion is made for bash, zsh and fish, found '" + shell + "'");
  for (const auto& group : groups) {
    std::string actions;
    for (const auto* member : group_members(group)) actions += member->name.substr(group.size() + 1) + " ";
    cases += "    " + group + ") words=\"" + actions + "\" ;;\n";
  }
  for (const auto& command : all_commands()) {
    std::string pattern = command.name;
    std::ranges::replace(pattern, ' ', '_');
    cases += "    " + pattern + ") words=\"" + options_of(command) + "\" ;;\n";
  }
  std::string script = shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "";
  script +=
      "_tillcast() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" command=\"${COMP_WORDS[1]}\" "
      "action=\"${COMP_WORDS[2]}\" words\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W \"" +
      commands +
      "\" -- \"$current\")); return; fi\n"
      "  case \"$current\" in -*) ;; *) [ \"$COMP_CWORD\" -gt 2 ] && { COMPREPLY=($(compgen -f -- "
      "\"$current\")); return; } ;; esac\n"
      "  local key=\"$command\"\n"
      "  case \" ";
  for (const auto& group : groups) script += group + " ";
  script +=
      "\" in *\" $command \"*) [ \"$COMP_CWORD\" -gt 2 ] && key=\"${command}_${action}\" ;; esac\n"
      "  case \"$key\" in\n" +
      cases +
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  [ ${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "}\n"
      "complete -F _tillcast tillcast\n";
  return script;
}

}  // namespace tillcast::cli
