#include <charconv>
#include <optional>

#include "warehouse/template_lexer.h"
#include "warehouse/template_syntax.h"

namespace tillcast::warehouse {
namespace {

constexpr int kExprDepthMax = 100;
constexpr int kBlockDepthMax = 30;

class Parser {
 public:
  Parser(std::vector<Token> tokens, std::string_view file) : tokens_(std::move(tokens)), file_(file) {}

  Result<Block> parse_all() {
    Block body = TILLCAST_TRY_PLAIN(parse_block(0));
    if (current().kind != TokenKind::kEnd)
      return fail("found '" + end_word_ + "' but no block that it ends is open");
    return body;
  }

  Result<Expr> parse_whole_expression() {
    Expr expr = TILLCAST_TRY_PLAIN(parse_expr());
    if (current().kind != TokenKind::kEnd) return unexpected("the end of the expression");
    return expr;
  }

 private:
  const Token& current() const { return tokens_[at_]; }
  const Token& next() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  void advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool at_operator(std::string_view op) const {
    return current().kind == TokenKind::kOperator && current().text == op;
  }
  bool at_name(std::string_view name) const { return current().kind == TokenKind::kName && current().text == name; }
  bool take_operator(std::string_view op) {
    if (!at_operator(op)) return false;
    advance();
    return true;
  }
  bool take_name(std::string_view name) {
    if (!at_name(name)) return false;
    advance();
    return true;
  }
  Error fail(std::string_view message) const { return template_error(file_, current().at, message); }
  Error unexpected(std::string_view expected) const {
    std::string found;
    switch (current().kind) {
      case TokenKind::kEnd: found = "the end of the file"; break;
      case TokenKind::kText: found = "text"; break;
      case TokenKind::kOutputBegin: found = "'{{'"; break;
      case TokenKind::kOutputEnd: found = "'}}'"; break;
      case TokenKind::kBlockBegin: found = "'{%'"; break;
      case TokenKind::kBlockEnd: found = "'%}'"; break;
      case TokenKind::kString: found = "a string"; break;
      default: found = "'" + current().text + "'";
    }
    return fail("expected " + std::string(expected) + ", found " + found);
  }
  Result<> expect_operator(std::string_view op) {
    if (take_operator(op)) return {};
    return unexpected("'" + std::string(op) + "'");
  }
  Result<std::string> expect_name(std::string_view what) {
    if (current().kind != TokenKind::kName) return unexpected(what);
    std::string name = current().text;
    advance();
    return name;
  }
  Result<> expect_block_end() {
    if (current().kind != TokenKind::kBlockEnd) return unexpected("'%}'");
    advance();
    return {};
  }

  // --- statements ---------------------------------------------------------------------------------------

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
                          "this " + std::string(word) + " is not ended: expected '{% end" + std::string(word) +
                              " %}', found " + found);
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
      return template_error(file_, start,
                            "the tag '" + word +
                                "' is not supported; expected if, for, set, do, macro, test or raw");
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

  // --- expressions --------------------------------------------------------------------------------------

  Result<Expr> combine(ExprKind kind, Position at, std::string text, std::vector<Expr> children) {
    Expr expr;
    expr.kind = kind;
    expr.at = at;
    expr.text = std::move(text);
    for (const Expr& child : children) expr.depth = std::max(expr.depth, child.depth + 1);
    if (expr.depth > kExprDepthMax)
      return template_error(file_, at, "this expression is nested more than 100 deep; split it with {% set %}");
    expr.children = std::move(children);
    return expr;
  }
  Result<Expr> combine(ExprKind kind, Position at, std::string text, Expr first, Expr second) {
    std::vector<Expr> children;
    children.push_back(std::move(first));
    children.push_back(std::move(second));
    return combine(kind, at, std::move(text), std::move(children));
  }
  Result<Expr> combine(ExprKind kind, Position at, std::string text, Expr only) {
    std::vector<Expr> children;
    children.push_back(std::move(only));
    return combine(kind, at, std::move(text), std::move(children));
  }
  static Expr literal(Position at, Value value) {
    Expr expr;
    expr.at = at;
    expr.literal = std::move(value);
    return expr;
  }

  Result<Expr> parse_tuple() {
    const Position at = current().at;
    Expr first = TILLCAST_TRY_PLAIN(parse_expr());
    if (!at_operator(",")) return first;
    std::vector<Expr> items;
    items.push_back(std::move(first));
    while (take_operator(",")) items.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
    return combine(ExprKind::kList, at, {}, std::move(items));
  }

  Result<Expr> parse_expr() {
    // Recursion through brackets is what could exhaust the stack; each level comes through here.
    if (++nesting_ > kExprDepthMax) return fail("this expression is nested more than 100 deep");
    auto result = parse_conditional();
    --nesting_;
    return result;
  }

  Result<Expr> parse_conditional() {
    Expr value = TILLCAST_TRY_PLAIN(parse_or());
    while (at_name("if")) {
      const Position at = current().at;
      advance();
      std::vector<Expr> children;
      children.push_back(std::move(value));
      children.push_back(TILLCAST_TRY_PLAIN(parse_or()));
      if (take_name("else")) {
        children.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
      } else {
        children.push_back(literal(at, Value("")));  // Jinja's undefined: prints nothing
      }
      value = TILLCAST_TRY_PLAIN(combine(ExprKind::kConditional, at, {}, std::move(children)));
    }
    return value;
  }

  Result<Expr> parse_or() {
    Expr left = TILLCAST_TRY_PLAIN(parse_and());
    while (at_name("or")) {
      const Position at = current().at;
      advance();
      Expr right = TILLCAST_TRY_PLAIN(parse_and());
      left = TILLCAST_TRY_PLAIN(combine(ExprKind::kOr, at, "or", std::move(left), std::move(right)));
    }
    return left;
  }

  Result<Expr> parse_and() {
    Expr left = TILLCAST_TRY_PLAIN(parse_not());
    while (at_name("and")) {
      const Position at = current().at;
      advance();
      Expr right = TILLCAST_TRY_PLAIN(parse_not());
      left = TILLCAST_TRY_PLAIN(combine(ExprKind::kAnd, at, "and", std::move(left), std::move(right)));
    }
    return left;
  }

  Result<Expr> parse_not() {
    if (!at_name("not")) return parse_compare();
    const Position at = current().at;
    advance();
    if (++nesting_ > kExprDepthMax) return fail("this expression is nested more than 100 deep");
    auto operand = parse_not();
    --nesting_;
    Expr value = TILLCAST_TRY_PLAIN(std::move(operand));
    return combine(ExprKind::kUnary, at, "not", std::move(value));
  }

  std::optional<std::string> take_comparison() {
    if (current().kind == TokenKind::kOperator) {
      for (const std::string_view op : {"==", "!=", "<=", ">=", "<", ">"})
        if (take_operator(op)) return std::string(op);
    }
    if (take_name("in")) return "in";
    if (at_name("not") && next().kind == TokenKind::kName && next().text == "in") {
      advance();
      advance();
      return "not in";
    }
    return std::nullopt;
  }

  Result<Expr> parse_compare() {
    const Position at = current().at;
    Expr first = TILLCAST_TRY_PLAIN(parse_sum());
    std::vector<Expr> operands;
    std::vector<std::string> operators;
    while (auto op = take_comparison()) {
      if (operands.empty()) operands.push_back(std::move(first));
      operators.push_back(std::move(*op));
      operands.push_back(TILLCAST_TRY_PLAIN(parse_sum()));
    }
    if (operands.empty()) return first;
    Expr compare = TILLCAST_TRY_PLAIN(combine(ExprKind::kCompare, at, {}, std::move(operands)));
    compare.names = std::move(operators);
    return compare;
  }

  Result<Expr> parse_sum() {
    Expr left = TILLCAST_TRY_PLAIN(parse_concat());
    while (at_operator("+") || at_operator("-")) {
      const Token op = current();
      advance();
      Expr right = TILLCAST_TRY_PLAIN(parse_concat());
      left = TILLCAST_TRY_PLAIN(combine(ExprKind::kBinary, op.at, op.text, std::move(left), std::move(right)));
    }
    return left;
  }

  Result<Expr> parse_concat() {
    Expr left = TILLCAST_TRY_PLAIN(parse_product());
    while (at_operator("~")) {
      const Position at = current().at;
      advance();
      Expr right = TILLCAST_TRY_PLAIN(parse_product());
      left = TILLCAST_TRY_PLAIN(combine(ExprKind::kBinary, at, "~", std::move(left), std::move(right)));
    }
    return left;
  }

  Result<Expr> parse_product() {
    Expr left = TILLCAST_TRY_PLAIN(parse_power());
    while (at_operator("*") || at_operator("/") || at_operator("//") || at_operator("%")) {
      const Token op = current();
      advance();
      Expr right = TILLCAST_TRY_PLAIN(parse_power());
      left = TILLCAST_TRY_PLAIN(combine(ExprKind::kBinary, op.at, op.text, std::move(left), std::move(right)));
    }
    return left;
  }

  Result<Expr> parse_power() {
    Expr left = TILLCAST_TRY_PLAIN(parse_unary(true));
    while (at_operator("**")) {
      const Position at = current().at;
      advance();
      Expr right = TILLCAST_TRY_PLAIN(parse_unary(true));
      left = TILLCAST_TRY_PLAIN(combine(ExprKind::kBinary, at, "**", std::move(left), std::move(right)));
    }
    return left;
  }

  /// As in Jinja a sign binds tighter than ** and filters: -2 ** 2 is 4, -3|abs is 3.
  Result<Expr> parse_unary(bool with_filters) {
    Expr value;
    if (at_operator("-") || at_operator("+")) {
      const Token op = current();
      advance();
      if (++nesting_ > kExprDepthMax) return fail("this expression is nested more than 100 deep");
      auto operand = parse_unary(false);
      --nesting_;
      Expr inner = TILLCAST_TRY_PLAIN(std::move(operand));
      value = TILLCAST_TRY_PLAIN(combine(ExprKind::kUnary, op.at, op.text, std::move(inner)));
    } else {
      value = TILLCAST_TRY_PLAIN(parse_primary());
      value = TILLCAST_TRY_PLAIN(parse_postfix(std::move(value)));
    }
    if (!with_filters) return value;
    return parse_filters(std::move(value));
  }

  Result<Expr> parse_primary() {
    const Token token = current();
    switch (token.kind) {
      case TokenKind::kName:
        advance();
        if (token.text == "true" || token.text == "True") return literal(token.at, Value(true));
        if (token.text == "false" || token.text == "False") return literal(token.at, Value(false));
        if (token.text == "none" || token.text == "None") return literal(token.at, Value());
        return combine(ExprKind::kName, token.at, token.text, std::vector<Expr>());
      case TokenKind::kString: {
        std::string text;
        for (; current().kind == TokenKind::kString; advance()) text += current().text;
        return literal(token.at, Value(std::move(text)));
      }
      case TokenKind::kInt: {
        std::int64_t number = 0;
        const char* end = token.text.data() + token.text.size();
        if (std::from_chars(token.text.data(), end, number).ec != std::errc())
          return fail("the number " + token.text + " does not fit 64 bits");
        advance();
        return literal(token.at, Value(number));
      }
      case TokenKind::kFloat: {
        double number = 0;
        const char* end = token.text.data() + token.text.size();
        if (std::from_chars(token.text.data(), end, number).ec != std::errc())
          return fail("the number " + token.text + " is out of range");
        advance();
        return literal(token.at, Value(number));
      }
      default: break;
    }
    if (take_operator("(")) return parse_parenthesis(token.at);
    if (take_operator("[")) {
      std::vector<Expr> items;
      while (!at_operator("]")) {
        items.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
        if (!take_operator(",")) break;
      }
      TILLCAST_TRY_PLAIN(expect_operator("]"));
      return combine(ExprKind::kList, token.at, {}, std::move(items));
    }
    if (take_operator("{")) {
      std::vector<Expr> items;
      while (!at_operator("}")) {
        items.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
        TILLCAST_TRY_PLAIN(expect_operator(":"));
        items.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
        if (!take_operator(",")) break;
      }
      TILLCAST_TRY_PLAIN(expect_operator("}"));
      return combine(ExprKind::kDict, token.at, {}, std::move(items));
    }
    return unexpected("an expression");
  }

  Result<Expr> parse_parenthesis(Position at) {
    std::vector<Expr> items;
    bool tuple = at_operator(")");
    while (!at_operator(")")) {
      items.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
      if (!take_operator(",")) break;
      tuple = true;
    }
    TILLCAST_TRY_PLAIN(expect_operator(")"));
    if (!tuple) return std::move(items.front());
    return combine(ExprKind::kList, at, {}, std::move(items));
  }

  Result<Expr> parse_postfix(Expr value) {
    while (true) {
      const Position at = current().at;
      if (take_operator(".")) {
        std::string name = current().text;
        if (current().kind != TokenKind::kName && current().kind != TokenKind::kInt)
          return unexpected("an attribute name");
        advance();
        value = TILLCAST_TRY_PLAIN(combine(ExprKind::kAttribute, at, std::move(name), std::move(value)));
      } else if (take_operator("[")) {
        value = TILLCAST_TRY_PLAIN(parse_subscript(std::move(value), at));
      } else if (at_operator("(")) {
        value = TILLCAST_TRY_PLAIN(parse_call(ExprKind::kCall, {}, std::move(value), at));
      } else {
        return value;
      }
    }
  }

  Result<Expr> parse_subscript(Expr value, Position at) {
    std::vector<Expr> children;
    children.push_back(std::move(value));
    if (at_operator(":")) {
      children.push_back(literal(at, Value()));
    } else {
      children.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
    }
    ExprKind kind = ExprKind::kIndex;
    if (take_operator(":")) {
      kind = ExprKind::kSlice;
      if (at_operator("]")) {
        children.push_back(literal(at, Value()));
      } else {
        children.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
      }
    }
    TILLCAST_TRY_PLAIN(expect_operator("]"));
    return combine(kind, at, {}, std::move(children));
  }

  /// At "(": the arguments of a call, filter or test.
  Result<Expr> parse_call(ExprKind kind, std::string text, Expr callee, Position at) {
    std::vector<Expr> children;
    std::vector<std::string> names;
    children.push_back(std::move(callee));
    TILLCAST_TRY_PLAIN(expect_operator("("));
    while (!at_operator(")")) {
      std::string name;
      if (at_operator("*") || at_operator("**"))
        return fail("unpacking with * or ** is not supported; pass the arguments one by one");
      if (current().kind == TokenKind::kName && next().kind == TokenKind::kOperator && next().text == "=") {
        name = current().text;
        advance();
        advance();
      } else if (!names.empty() && !names.back().empty()) {
        return fail("a positional argument cannot follow a named one");
      }
      names.push_back(std::move(name));
      children.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
      if (!take_operator(",")) break;
    }
    TILLCAST_TRY_PLAIN(expect_operator(")"));
    Expr call = TILLCAST_TRY_PLAIN(combine(kind, at, std::move(text), std::move(children)));
    call.names = std::move(names);
    return call;
  }

  Result<Expr> parse_filters(Expr value) {
    while (true) {
      const Position at = current().at;
      if (take_operator("|")) {
        std::string name = TILLCAST_TRY_PLAIN(expect_name("a filter name"));
        if (at_operator("(")) {
          value = TILLCAST_TRY_PLAIN(parse_call(ExprKind::kFilter, std::move(name), std::move(value), at));
        } else {
          value = TILLCAST_TRY_PLAIN(combine(ExprKind::kFilter, at, std::move(name), std::move(value)));
        }
      } else if (take_name("is")) {
        const bool negated = take_name("not");
        std::string name = TILLCAST_TRY_PLAIN(expect_name("a test such as none, defined or string"));
        if (at_operator("(")) {
          value = TILLCAST_TRY_PLAIN(parse_call(ExprKind::kTest, std::move(name), std::move(value), at));
        } else if (name == "in" || name == "divisibleby" || name == "sameas") {
          Expr argument = TILLCAST_TRY_PLAIN(parse_primary());
          value = TILLCAST_TRY_PLAIN(combine(ExprKind::kTest, at, std::move(name), std::move(value), std::move(argument)));
        } else {
          value = TILLCAST_TRY_PLAIN(combine(ExprKind::kTest, at, std::move(name), std::move(value)));
        }
        value.negated = negated;
      } else {
        return value;
      }
    }
  }

  std::vector<Token> tokens_;
  std::string_view file_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  std::string end_word_;
};

}  // namespace

Result<std::shared_ptr<const ParsedTemplate>> parse_template(std::string_view source, std::string_view file) {
  auto parsed = std::make_shared<ParsedTemplate>();
  parsed->file = std::string(file);
  std::vector<Token> tokens = TILLCAST_TRY_PLAIN(tokenize_template(source, file));
  parsed->body = TILLCAST_TRY_PLAIN(Parser(std::move(tokens), file).parse_all());
  return parsed;
}

Result<Expr> parse_expression(std::string_view source, std::string_view file) {
  std::vector<Token> tokens = TILLCAST_TRY_PLAIN(tokenize_expression(source, file));
  return Parser(std::move(tokens), file).parse_whole_expression();
}

std::vector<std::shared_ptr<const MacroDefinition>> macros_of(const ParsedTemplate& parsed) {
  std::vector<std::shared_ptr<const MacroDefinition>> macros;
  for (const Statement& statement : parsed.body)
    if (statement.kind == StatementKind::kMacro) macros.push_back(statement.macro);
  return macros;
}

}  // namespace tillcast::warehouse
