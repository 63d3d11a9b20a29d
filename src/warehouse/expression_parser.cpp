#include <algorithm>
#include <charconv>

#include "warehouse/expression_parser_internal.h"

namespace tillcast::warehouse {
namespace {

constexpr int kExprDepthMax = 100;

}  // namespace

Error ExpressionParser::unexpected(std::string_view expected) const {
  std::string found;
  switch (current().kind) {
    case TokenKind::kEnd:
      found = "the end of the file";
      break;
    case TokenKind::kText:
      found = "text";
      break;
    case TokenKind::kOutputBegin:
      found = "'{{'";
      break;
    case TokenKind::kOutputEnd:
      found = "'}}'";
      break;
    case TokenKind::kBlockBegin:
      found = "'{%'";
      break;
    case TokenKind::kBlockEnd:
      found = "'%}'";
      break;
    case TokenKind::kString:
      found = "a string";
      break;
    default:
      found = "'" + current().text + "'";
  }
  return fail("expected " + std::string(expected) + ", found " + found);
}

Result<Expr> ExpressionParser::combine(ExprKind kind, Position at, std::string text,
                                       std::vector<Expr> children) {
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

Result<Expr> ExpressionParser::combine(ExprKind kind, Position at, std::string text, Expr first,
                                       Expr second) {
  std::vector<Expr> children;
  children.push_back(std::move(first));
  children.push_back(std::move(second));
  return combine(kind, at, std::move(text), std::move(children));
}

Result<Expr> ExpressionParser::combine(ExprKind kind, Position at, std::string text, Expr only) {
  std::vector<Expr> children;
  children.push_back(std::move(only));
  return combine(kind, at, std::move(text), std::move(children));
}

Expr ExpressionParser::literal(Position at, Value value) {
  Expr expr;
  expr.at = at;
  expr.literal = std::move(value);
  return expr;
}

Result<Expr> ExpressionParser::parse_tuple() {
  const Position at = current().at;
  Expr first = TILLCAST_TRY_PLAIN(parse_expr());
  if (!at_operator(",")) return first;
  std::vector<Expr> items;
  items.push_back(std::move(first));
  while (take_operator(",")) items.push_back(TILLCAST_TRY_PLAIN(parse_expr()));
  return combine(ExprKind::kList, at, {}, std::move(items));
}

Result<Expr> ExpressionParser::parse_expr() {
  // Recursion through brackets is what could exhaust the stack; each level comes through here.
  if (++nesting_ > kExprDepthMax) return fail("this expression is nested more than 100 deep");
  auto result = parse_conditional();
  --nesting_;
  return result;
}

Result<Expr> ExpressionParser::parse_conditional() {
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

Result<Expr> ExpressionParser::parse_or() {
  Expr left = TILLCAST_TRY_PLAIN(parse_and());
  while (at_name("or")) {
    const Position at = current().at;
    advance();
    Expr right = TILLCAST_TRY_PLAIN(parse_and());
    left = TILLCAST_TRY_PLAIN(combine(ExprKind::kOr, at, "or", std::move(left), std::move(right)));
  }
  return left;
}

Result<Expr> ExpressionParser::parse_and() {
  Expr left = TILLCAST_TRY_PLAIN(parse_not());
  while (at_name("and")) {
    const Position at = current().at;
    advance();
    Expr right = TILLCAST_TRY_PLAIN(parse_not());
    left = TILLCAST_TRY_PLAIN(combine(ExprKind::kAnd, at, "and", std::move(left), std::move(right)));
  }
  return left;
}

Result<Expr> ExpressionParser::parse_not() {
  if (!at_name("not")) return parse_compare();
  const Position at = current().at;
  advance();
  if (++nesting_ > kExprDepthMax) return fail("this expression is nested more than 100 deep");
  auto operand = parse_not();
  --nesting_;
  Expr value = TILLCAST_TRY_PLAIN(std::move(operand));
  return combine(ExprKind::kUnary, at, "not", std::move(value));
}

std::optional<std::string> ExpressionParser::take_comparison() {
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

Result<Expr> ExpressionParser::parse_compare() {
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

Result<Expr> ExpressionParser::parse_sum() {
  Expr left = TILLCAST_TRY_PLAIN(parse_concat());
  while (at_operator("+") || at_operator("-")) {
    const Token op = current();
    advance();
    Expr right = TILLCAST_TRY_PLAIN(parse_concat());
    left = TILLCAST_TRY_PLAIN(combine(ExprKind::kBinary, op.at, op.text, std::move(left), std::move(right)));
  }
  return left;
}

Result<Expr> ExpressionParser::parse_concat() {
  Expr left = TILLCAST_TRY_PLAIN(parse_product());
  while (at_operator("~")) {
    const Position at = current().at;
    advance();
    Expr right = TILLCAST_TRY_PLAIN(parse_product());
    left = TILLCAST_TRY_PLAIN(combine(ExprKind::kBinary, at, "~", std::move(left), std::move(right)));
  }
  return left;
}

Result<Expr> ExpressionParser::parse_product() {
  Expr left = TILLCAST_TRY_PLAIN(parse_power());
  while (at_operator("*") || at_operator("/") || at_operator("//") || at_operator("%")) {
    const Token op = current();
    advance();
    Expr right = TILLCAST_TRY_PLAIN(parse_power());
    left = TILLCAST_TRY_PLAIN(combine(ExprKind::kBinary, op.at, op.text, std::move(left), std::move(right)));
  }
  return left;
}

Result<Expr> ExpressionParser::parse_power() {
  Expr left = TILLCAST_TRY_PLAIN(parse_unary(true));
  while (at_operator("**")) {
    const Position at = current().at;
    advance();
    Expr right = TILLCAST_TRY_PLAIN(parse_unary(true));
    left = TILLCAST_TRY_PLAIN(combine(ExprKind::kBinary, at, "**", std::move(left), std::move(right)));
  }
  return left;
}

Result<Expr> ExpressionParser::parse_unary(bool with_filters) {
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

Result<Expr> ExpressionParser::parse_primary() {
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
    default:
      break;
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

Result<Expr> ExpressionParser::parse_parenthesis(Position at) {
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

Result<Expr> ExpressionParser::parse_postfix(Expr value) {
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

Result<Expr> ExpressionParser::parse_subscript(Expr value, Position at) {
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

Result<Expr> ExpressionParser::parse_call(ExprKind kind, std::string text, Expr callee, Position at) {
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

Result<Expr> ExpressionParser::parse_filters(Expr value) {
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
        value = TILLCAST_TRY_PLAIN(
            combine(ExprKind::kTest, at, std::move(name), std::move(value), std::move(argument)));
      } else {
        value = TILLCAST_TRY_PLAIN(combine(ExprKind::kTest, at, std::move(name), std::move(value)));
      }
      value.negated = negated;
    } else {
      return value;
    }
  }
}

Result<Expr> ExpressionParser::parse_whole_expression() {
  Expr expr = TILLCAST_TRY_PLAIN(parse_expr());
  if (current().kind != TokenKind::kEnd) return unexpected("the end of the expression");
  return expr;
}

}  // namespace tillcast::warehouse
