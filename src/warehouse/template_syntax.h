#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "warehouse/template_value.h"

namespace tillcast::warehouse {

/// A place in a template, both from 1; columns count bytes.
struct Position {
  int line = 1;
  int column = 1;
};

/// "models/a.sql:3:14: message", the form of every error of the template engine.
Error template_error(std::string_view file, Position at, std::string_view message);

enum class ExprKind : std::uint8_t {
  kLiteral,    ///< literal
  kName,       ///< text
  kList,       ///< children
  kDict,       ///< children: key, value, key, value...
  kAttribute,  ///< children[0].text
  kIndex,      ///< children[0][children[1]]
  kSlice,      ///< children[0][children[1]:children[2]], an absent bound is a literal none
  kCall,       ///< children[0](children[1..], names[i] empty for positional)
  kFilter,     ///< children[0] | text(children[1..])
  kTest,       ///< children[0] is [not] text(children[1..])
  kUnary,      ///< text in - + not
  kBinary,     ///< text in + - ~ * / // % **
  kCompare,    ///< a < b <= c: children, names = the operators
  kAnd,
  kOr,
  kConditional,  ///< children[0] if children[1] else children[2]
};

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  Position at;
  bool negated = false;
  int depth = 1;  ///< levels below, so that evaluation needs no deep stack
  std::string text;
  Value literal;
  std::vector<Expr> children;
  std::vector<std::string> names;
};

enum class StatementKind : std::uint8_t {
  kText,      ///< text
  kOutput,    ///< expr
  kIf,        ///< branches
  kFor,       ///< names in expr [if condition]: body, else_body
  kSet,       ///< names = expr, or names[0].attribute = expr
  kSetBlock,  ///< names[0] = body
  kDo,        ///< expr
  kMacro,     ///< macro
};

struct Statement;
using Block = std::vector<Statement>;

struct Branch {
  Expr condition;  ///< a literal true for else
  Block body;
};

struct MacroParameter {
  std::string name;
  bool has_default = false;
  Expr default_value;
};

/// {% macro name(a, b=1) %} or {% test name(model, column_name) %} (then the name is test_<name>, as in dbt).
struct MacroDefinition {
  std::string name;
  std::string file;
  Position at;
  std::vector<MacroParameter> parameters;
  Block body;
};

struct Statement {
  StatementKind kind = StatementKind::kText;
  Position at;
  std::string text;
  std::string attribute;
  Expr expr;
  Expr condition;
  bool has_condition = false;
  std::vector<std::string> names;
  std::vector<Branch> branches;
  Block body;
  Block else_body;
  std::shared_ptr<const MacroDefinition> macro;
};

/// What the parser makes of one file. Immutable; shared between threads.
struct ParsedTemplate {
  std::string file;
  Block body;
};

/// Parses a template of the Jinja subset of docs/formats/sql_template.md.
/// @param file  only for messages: the path as the user knows it
/// @return kInvalidInput "file:line:column: ..." for anything outside the subset. Pure, thread-safe.
Result<std::shared_ptr<const ParsedTemplate>> parse_template(std::string_view source, std::string_view file);
/// Parses one expression, as yaml files hold them ("ref('x')").
Result<Expr> parse_expression(std::string_view source, std::string_view file);

/// The macros at the top level of a template, tests included.
std::vector<std::shared_ptr<const MacroDefinition>> macros_of(const ParsedTemplate& parsed);

}  // namespace tillcast::warehouse
