#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.h"

namespace tillcast::cli {

/// A call that names a command.
struct Call {
  const CommandSpec* command = nullptr;
  Arguments arguments;  ///< the command's own and the global ones together
};

/// A call that only wants text: help or the version; goes to stdout, exit 0.
struct HelpText {
  std::string text;
};

/// Understands the words after the program's name. Wrong words are kInvalidInput with the nearest right one.
Result<std::variant<Call, HelpText>> parse_call(std::span<const std::string> words);

/// False where --color forbids colours. Asked before the words are parsed: errors in them are coloured too.
bool colour_allowed(std::span<const std::string> words);

/// Help of the program, of a group ("lake") or of one command.
std::string help_text(const std::string& name);

/// A completion script for bash, zsh or fish, made from the same table as the parser.
Result<std::string> completion_script(const std::string& shell);

}  // namespace tillcast::cli
