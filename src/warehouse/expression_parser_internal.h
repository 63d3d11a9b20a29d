#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/template_lexer.h"
#include "warehouse/template_syntax.h"

namespace tillcast::warehouse {

/// Walks tokens and parses expressions by recursive descent, with Jinja's precedence; the statements' parser
/// in template_parser.cpp builds on it.
class ExpressionParser {
 public:
  ExpressionParser(std::vector<Token> tokens, std::string_view file)
      : file_(file), tokens_(std::move(tokens)) {}

  /// One expression and nothing behind it.
  Result<Expr> parse_whole_expression();

 protected:
  const Token& current() const { return tokens_[at_]; }
  const Token& next() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  void advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool at_operator(std::string_view op) const {
    return current().kind == TokenKind::kOperator && current().text == op;
  }
  bool at_name(std::string_view name) const {
    return current().kind == TokenKind::kName && current().text == name;
  }
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
  Error unexpected(std::string_view expected) const;
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

  Result<Expr> parse_tuple();
  Result<Expr> parse_expr();
  Result<Expr> parse_or();

  std::string_view file_;

 private:
  Result<Expr> combine(ExprKind kind, Position at, std::string text, std::vector<Expr> children);
  Result<Expr> combine(ExprKind kind, Position at, std::string text, Expr first, Expr second);
  Result<Expr> combine(ExprKind kind, Position at, std::string text, Expr only);
  static Expr literal(Position at, Value value);
  Result<Expr> parse_conditional();
  Result<Expr> parse_and();
  Result<Expr> parse_not();
  std::optional<std::string> take_comparison();
  Result<Expr> parse_compare();
  Result<Expr> parse_sum();
  Result<Expr> parse_concat();
  Result<Expr> parse_product();
  Result<Expr> parse_power();
  /// As in Jinja a sign binds tighter than ** and filters: -2 ** 2 is 4, -3|abs is 3.
  Result<Expr> parse_unary(bool with_filters);
  Result<Expr> parse_primary();
  Result<Expr> parse_parenthesis(Position at);
  Result<Expr> parse_postfix(Expr value);
  Result<Expr> parse_subscript(Expr value, Position at);
  /// At "(": the arguments of a call, filter or test.
  Result<Expr> parse_call(ExprKind kind, std::string text, Expr callee, Position at);
  Result<Expr> parse_filters(Expr value);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace tillcast::warehouse
