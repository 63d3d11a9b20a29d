#include "cli/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "support/result_matchers.h"

namespace tillcast::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Result<std::variant<Call, HelpText>> parse(std::vector<std::string> words) { return parse_call(words); }

TEST(Parser, UnderstandsOptionsBeforeAndAfterTheCommand) {
  ASSERT_OK_AND_ASSIGN(const auto parsed,
                       parse({"--data", "shop", "run", "--input", "a.csv", "--input", "b.csv", "--quiet"}));
  const auto& call = std::get<Call>(parsed);
  EXPECT_EQ(call.command->name, "run");
  EXPECT_EQ(call.arguments.text("--data"), "shop");
  EXPECT_EQ(call.arguments.list("--input"), (std::vector<std::string>{"a.csv", "b.csv"}));
  EXPECT_TRUE(call.arguments.has("--quiet"));
}

TEST(Parser, AnOptionTakesOneWordAndLeavesTheNextToTheArgument) {
  ASSERT_OK_AND_ASSIGN(const auto parsed, parse({"sql", "--format", "csv", "SELECT 1"}));
  EXPECT_EQ(std::get<Call>(parsed).arguments.text("--format"), "csv");
  EXPECT_EQ(std::get<Call>(parsed).arguments.text("STATEMENT"), "SELECT 1");
}

TEST(Parser, FindsTwoWordCommands) {
  ASSERT_OK_AND_ASSIGN(const auto parsed, parse({"lake", "compact", "silver.sale_line"}));
  EXPECT_EQ(std::get<Call>(parsed).command->name, "lake compact");
  EXPECT_EQ(std::get<Call>(parsed).arguments.text("DATASET"), "silver.sale_line");
}

TEST(Parser, SuggestsTheNearestWord) {
  EXPECT_ERROR(parse({"ingst", "a.csv"}), ErrorCode::kInvalidInput, "did you mean 'ingest'?");
  EXPECT_ERROR(parse({"lake", "verfy"}), ErrorCode::kInvalidInput, "did you mean 'lake verify'?");
  EXPECT_ERROR(parse({"run", "--inptu", "a.csv"}), ErrorCode::kInvalidInput, "did you mean '--input'?");
  EXPECT_ERROR(parse({"sql", "--format", "xml", "SELECT 1"}), ErrorCode::kInvalidInput, "xml");
  EXPECT_ERROR(parse({"ingest"}), ErrorCode::kInvalidInput, "FILE");
}

TEST(Parser, NumbersOutOfRangeNameTheOption) {
  Arguments arguments;
  arguments.add("--limit", {"0"});
  EXPECT_ERROR(arguments.integer("--limit", 1, 10, 5), ErrorCode::kInvalidInput,
               "--limit must be a whole number from 1 to 10, found '0'");
  arguments.add("--limit", {"7x"});
  EXPECT_ERROR(arguments.integer("--limit", 1, 10, 5), ErrorCode::kInvalidInput, "found '7x'");
  EXPECT_EQ(*arguments.integer("--other", 1, 10, 5), 5);
}

TEST(Parser, EveryCommandHasHelpWithExamplesThatNameIt) {
  for (const auto& command : all_commands()) {
    const std::string help = help_text(command.name);
    EXPECT_NE(help.find("Examples"), std::string::npos) << command.name;
    EXPECT_NE(command.examples.find("tillcast " + command.name), std::string::npos) << command.name;
    std::vector<std::string> words = {"help"};
    for (std::size_t at = 0; at < command.name.size();) {
      const auto space = std::min(command.name.find(' ', at), command.name.size());
      words.push_back(command.name.substr(at, space - at));
      at = space + 1;
    }
    ASSERT_OK_AND_ASSIGN(const auto parsed, parse(words));
    EXPECT_EQ(std::get<HelpText>(parsed).text, help);
  }
}

TEST(Parser, HelpMayFollowOptionsOfEveryCommand) {
  ASSERT_OK_AND_ASSIGN(const auto parsed, parse({"--data", "shop", "--help"}));
  EXPECT_EQ(std::get<HelpText>(parsed).text, help_text(""));
}

TEST(Parser, ColoursAreForbiddenInEitherSpelling) {
  const auto allowed = [](const std::vector<std::string>& words) { return colour_allowed(words); };
  EXPECT_TRUE(allowed({"run"}));
  EXPECT_FALSE(allowed({"run", "--color", "never"}));
  EXPECT_FALSE(allowed({"--color=never", "run"}));
  EXPECT_TRUE(allowed({"--color=never", "run", "--color", "auto"})) << "the last one counts, as everywhere";
}

TEST(Parser, CompletionOffersEachSpellingOfAnOption) {
  EXPECT_THAT(*completion_script("bash"), AllOf(HasSubstr("-c --command "), Not(HasSubstr("-c,"))));
  EXPECT_THAT(*completion_script("fish"), AllOf(HasSubstr(" -s c -l command "), HasSubstr(" -l data ")));
  EXPECT_ERROR(parse({"sql", "--comand", "SELECT 1"}), ErrorCode::kInvalidInput, "did you mean '--command'?");
}

TEST(Parser, QuotesInTextsDoNotEndThoseOfFish) {
  std::istringstream lines(*completion_script("fish"));
  for (std::string line; std::getline(lines, line);) {
    bool quoted = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
      if (quoted && line[at] == '\\') {
        ++at;
      } else if (line[at] == '\'') {
        quoted = !quoted;
      }
    }
    EXPECT_FALSE(quoted) << line;
  }
}

TEST(Parser, CompletionKnowsEveryCommand) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    ASSERT_OK_AND_ASSIGN(const auto script, completion_script(shell));
    for (const auto& command : all_commands()) {
      EXPECT_NE(script.find(command.name.substr(0, command.name.find(' '))), std::string::npos)
          << shell << " " << command.name;
    }
  }
  EXPECT_ERROR(completion_script("tcsh"), ErrorCode::kInvalidInput, "tcsh");
}

}  // namespace
}  // namespace tillcast::cli
