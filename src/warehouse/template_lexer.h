#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/template_syntax.h"

namespace tillcast::warehouse {

enum class TokenKind : std::uint8_t {
  kText,         ///< SQL between tags, whitespace control applied
  kOutputBegin,  ///< {{
  kOutputEnd,
  kBlockBegin,  ///< {%
  kBlockEnd,
  kName,
  kString,  ///< unescaped
  kInt,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  Position at;
};

/// Splits a template into tokens; comments and {% raw %} are resolved here. One newline at the very end is
/// dropped, as Jinja does. kInvalidInput with file:line:column for unclosed tags, strings and stray
/// characters.
Result<std::vector<Token>> tokenize_template(std::string_view source, std::string_view file);
/// The tokens of a bare expression.
Result<std::vector<Token>> tokenize_expression(std::string_view source, std::string_view file);

}  // namespace tillcast::warehouse
