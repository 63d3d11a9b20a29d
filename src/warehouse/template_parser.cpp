#include "warehouse/expression_parser_internal.h"

namespace tillcast::warehouse {
namespace {

constexpr int kBlockDepthMax = 30;

class StatementParser : private ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Result<Block> parse_all() {
    Block body = TILLCAST_TRY_PLAIN(parse_block(0));
    if (current().kind != TokenKind::kEnd)
      return fail("found '" + end_word_ + "' but no block that it ends is open");
    return body;
  }

 private:
  /// Statements up to the end of the file or a tag that ends or divides a block; that tag's word is then in
  /// end_word_ and the parser stands behind it.
  Result<Block> parse_block(int depth) {
    if (depth > kBlockDepthMax) return fail("blocks are nested more than 30 deep");
    Block block;
    while (current().kind != TokenKind::kEnd) {
      if (current().kind == TokenKind::kText) {
        Statement& text = block.emplace_back();
        text.at = current().at;
        text.text = current().text;
        advance();
      } else if (current().kind == TokenKind::kOutputBegin) {
        Statement output;
        output.kind = StatementKind::kOutput;
        output.at = current().at;
        advance();
        output.expr = TILLCAST_TRY_PLAIN(parse_expr());
        if (current().kind != TokenKind::kOutputEnd) return unexpected("'}}'");
        advance();
        block.push_back(std::move(output));
      } else if (current().kind == TokenKind::kBlockBegin) {
        const Position start = current().at;
        advance();
        std::string word = TILLCAST_TRY_PLAIN(expect_name("a tag such as if, for, set or macro"));
        if (word == "elif" || word == "else" || word.starts_with("end")) {
          end_word_ = std::move(word);
          return block;
        }
        block.push_back(TILLCAST_TRY_PLAIN(parse_statement(word, start, depth)));
      } else {
        return unexpected("text or a tag");
      }
    }
    end_word_.clear();
    return block;
  }

  Error not_ended(Position start, std::string_view word) const {
    const std::string found = end_word_.empty() ? "the end of the file" : "'{% " + end_word_ + " %}'";
    return template_error(file_, start,
                          "this " + std::string(word) + " is not ended: expected '{% end" +
                              std::string(word) + " %}', found " + found);
  }

  Result<Statement> parse_statement(const std::string& word, Position start, int depth) {
    Statement statement;
    statement.at = start;
    if (word == "if") {
      TILLCAST_TRY_PLAIN(parse_if(statement, depth));
    } else if (word == "for") {
      TILLCAST_TRY_PLAIN(parse_for(statement, depth));
    } else if (word == "set") {
      TILLCAST_TRY_PLAIN(parse_set(statement, depth));
    } else if (word == "do") {
      statement.kind = StatementKind::kDo;
      statement.expr = TILLCAST_TRY_PLAIN(parse_expr());
      TILLCAST_TRY_PLAIN(expect_block_end());
    } else if (word == "macro" || word == "test" || word == "data_test") {
      TILLCAST_TRY_PLAIN(parse_macro(statement, word, depth));
    } else {
      return template_error(
          file_, start,
          "the tag '" + word + "' is not supported; expected if, for, set, do, macro, test or raw");
    }
    return statement;
  }

  Result<> parse_if(Statement& statement, int depth) {
    statement.kind = StatementKind::kIf;
    Branch branch;
    branch.condition = TILLCAST_TRY_PLAIN(parse_expr());
    while (true) {
      TILLCAST_TRY_PLAIN(expect_block_end());
      branch.body = TILLCAST_TRY_PLAIN(parse_block(depth + 1));
      statement.branches.push_back(std::move(branch));
      branch = {};
      if (end_word_ == "endif") return expect_block_end();
      if (end_word_ != "elif" && end_word_ != "else") return not_ended(statement.at, "if");
      if (end_word_ == "else") break;
      branch.condition = TILLCAST_TRY_PLAIN(parse_expr());
    }
    TILLCAST_TRY_PLAIN(expect_block_end());
    branch.condition.literal = Value(true);
    branch.body = TILLCAST_TRY_PLAIN(parse_block(depth + 1));
    if (end_word_ != "endif") return not_ended(statement.at, "if");
    statement.branches.push_back(std::move(branch));
    return expect_block_end();
  }

  Result<> parse_for(Statement& statement, int depth) {
    statement.kind = StatementKind::kFor;
    const bool bracket = take_operator("(");
    do {
      statement.names.push_back(TILLCAST_TRY_PLAIN(expect_name("a loop variable")));
    } while (take_operator(","));
    if (bracket) TILLCAST_TRY_PLAIN(expect_operator(")"));
    if (!take_name("in")) return unexpected("'in'");
    statement.expr = TILLCAST_TRY_PLAIN(parse_or());  // no conditional: its 'if' is the loop's filter
    if (take_name("if")) {
      statement.has_condition = true;
      statement.condition = TILLCAST_TRY_PLAIN(parse_expr());
    }
    TILLCAST_TRY_PLAIN(expect_block_end());
    statement.body = TILLCAST_TRY_PLAIN(parse_block(depth + 1));
    if (end_word_ == "else") {
      TILLCAST_TRY_PLAIN(expect_block_end());
      statement.else_body = TILLCAST_TRY_PLAIN(parse_block(depth + 1));
    }
    if (end_word_ != "endfor") return not_ended(statement.at, "for");
    return expect_block_end();
  }

  Result<> parse_set(Statement& statement, int depth) {
    statement.kind = StatementKind::kSet;
    do {
      statement.names.push_back(TILLCAST_TRY_PLAIN(expect_name("a variable name")));
    } while (take_operator(","));
    if (statement.names.size() == 1 && take_operator("."))
      statement.attribute = TILLCAST_TRY_PLAIN(expect_name("an attribute name"));
    if (take_operator("=")) {
      statement.expr = TILLCAST_TRY_PLAIN(parse_tuple());
      return expect_block_end();
    }
    if (statement.names.size() > 1 || !statement.attribute.empty()) return unexpected("'='");
    statement.kind = StatementKind::kSetBlock;
    TILLCAST_TRY_PLAIN(expect_block_end());
    statement.body = TILLCAST_TRY_PLAIN(parse_block(depth + 1));
    if (end_word_ != "endset") return not_ended(statement.at, "set");
    return expect_block_end();
  }

  Result<> parse_macro(Statement& statement, const std::string& word, int depth) {
    statement.kind = StatementKind::kMacro;
    auto macro = std::make_shared<MacroDefinition>();
    macro->at = statement.at;
    macro->file = std::string(file_);
    macro->name = TILLCAST_TRY_PLAIN(expect_name("the macro's name"));
    if (word != "macro") macro->name.insert(0, "test_");
    TILLCAST_TRY_PLAIN(expect_operator("("));
    while (!at_operator(")")) {
      MacroParameter parameter;
      parameter.name = TILLCAST_TRY_PLAIN(expect_name("a parameter name"));
      if (take_operator("=")) {
        parameter.has_default = true;
        parameter.default_value = TILLCAST_TRY_PLAIN(parse_expr());
      }
      macro->parameters.push_back(std::move(parameter));
      if (!take_operator(",")) break;
    }
    TILLCAST_TRY_PLAIN(expect_operator(")"));
    TILLCAST_TRY_PLAIN(expect_block_end());
    macro->body = TILLCAST_TRY_PLAIN(parse_block(depth + 1));
    if (end_word_ != "end" + word) return not_ended(statement.at, word);
    if (current().kind == TokenKind::kName) advance();  // {% endmacro name %}
    statement.macro = std::move(macro);
    return expect_block_end();
  }

  std::string end_word_;
};

}  // namespace

Result<std::shared_ptr<const ParsedTemplate>> parse_template(std::string_view source, std::string_view file) {
  auto parsed = std::make_shared<ParsedTemplate>();
  parsed->file = std::string(file);
  std::vector<Token> tokens = TILLCAST_TRY_PLAIN(tokenize_template(source, file));
  parsed->body = TILLCAST_TRY_PLAIN(StatementParser(std::move(tokens), file).parse_all());
  return parsed;
}

Result<Expr> parse_expression(std::string_view source, std::string_view file) {
  std::vector<Token> tokens = TILLCAST_TRY_PLAIN(tokenize_expression(source, file));
  return ExpressionParser(std::move(tokens), file).parse_whole_expression();
}

std::vector<std::shared_ptr<const MacroDefinition>> macros_of(const ParsedTemplate& parsed) {
  std::vector<std::shared_ptr<const MacroDefinition>> macros;
  for (const Statement& statement : parsed.body)
    if (statement.kind == StatementKind::kMacro) macros.push_back(statement.macro);
  return macros;
}

}  // namespace tillcast::warehouse
