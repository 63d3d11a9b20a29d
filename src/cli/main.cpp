#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/dispatch.h"

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    std::vector<std::string> environment;
    for (char** variable = ::environ; *variable != nullptr; ++variable) {
      if (std::string_view(*variable).starts_with("TILLCAST_")) environment.emplace_back(*variable);
    }
    tillcast::cli::ProcessTerminal::catch_signals();
    tillcast::cli::ProcessTerminal terminal(tillcast::cli::colour_allowed(words));
    return tillcast::cli::run_words(words, std::filesystem::current_path(), environment, terminal);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tillcast: internal error: %s\n", error.what());
    return tillcast::cli::kExitFailed;
  }
}
