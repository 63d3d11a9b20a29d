#include "warehouse/template_lexer.h"

#include <cctype>

#include "core/text.h"

namespace tillcast::warehouse {
namespace {

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_name_part(char c) { return is_name_start(c) || is_ascii_digit(c); }

class Lexer {
 public:
  Lexer(std::string_view source, std::string_view file) : source_(source), file_(file) {}

  Result<std::vector<Token>> run() {
    if (source_.ends_with('\n')) source_.remove_suffix(1);
    while (at_ < source_.size()) {
      const std::size_t tag = next_tag();
      add_text(tag);
      if (tag == source_.size()) break;
      if (source_[tag + 1] == '#') {
        TILLCAST_TRY_PLAIN(skip_comment());
      } else {
        TILLCAST_TRY_PLAIN(read_tag());
      }
    }
    add(TokenKind::kEnd, {}, position_);
    return std::move(tokens_);
  }

  Result<std::vector<Token>> run_expression() {
    for (skip_spaces(); at_ < source_.size(); skip_spaces()) {
      TILLCAST_TRY_PLAIN(read_token());
    }
    add(TokenKind::kEnd, {}, position_);
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return source_.substr(at_); }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }

  void advance(std::size_t bytes) {
    for (; bytes > 0 && at_ < source_.size(); --bytes, ++at_) {
      if (source_[at_] == '\n') {
        ++position_.line;
        position_.column = 1;
      } else {
        ++position_.column;
      }
    }
  }
  void skip_spaces() {
    while (at_ < source_.size() && is_ascii_space(source_[at_])) advance(1);
  }
  void add(TokenKind kind, std::string text, Position at) { tokens_.push_back({kind, std::move(text), at}); }
  Error fail(Position at, std::string_view message) const { return template_error(file_, at, message); }

  std::size_t next_tag() const {
    for (std::size_t i = at_; i + 1 < source_.size(); ++i)
      if (source_[i] == '{' && (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#'))
        return i;
    return source_.size();
  }

  /// The text up to `end`, trimmed where the tags on its sides ask for it.
  void add_text(std::size_t end) {
    if (strip_next_) {
      while (at_ < end && is_ascii_space(source_[at_])) advance(1);
      strip_next_ = false;
    }
    std::size_t stop = end;
    if (end + 2 < source_.size() && source_[end + 2] == '-')
      while (stop > at_ && is_ascii_space(source_[stop - 1])) --stop;
    if (stop > at_) add(TokenKind::kText, std::string(source_.substr(at_, stop - at_)), position_);
    advance(end - at_);
  }

  Result<> skip_comment() {
    const Position start = position_;
    const std::size_t end = source_.find("#}", at_ + 2);
    if (end == std::string_view::npos) return fail(start, "this comment is not closed: expected '#}'");
    strip_next_ = end > at_ + 2 && source_[end - 1] == '-';
    advance(end + 2 - at_);
    return {};
  }

  Result<> read_tag() {
    const Position start = position_;
    const bool output = peek(1) == '{';
    const std::string_view close = output ? "}}" : "%}";
    const bool was_raw = !output && is_raw_tag();
    advance(2);
    if (peek() == '-' || peek() == '+') advance(1);
    if (was_raw) return read_raw(start);
    add(output ? TokenKind::kOutputBegin : TokenKind::kBlockBegin, {}, start);
    open_brackets_ = 0;
    while (true) {
      skip_spaces();
      if (at_ >= source_.size())
        return fail(start, std::string("this tag is not closed: expected '") + std::string(close) + "'");
      const bool trims = peek() == '-' && rest().substr(1).starts_with(close);
      if (open_brackets_ == 0 && (trims || rest().starts_with(close))) {
        const Position end = position_;
        strip_next_ = trims;
        advance(trims ? 3 : 2);
        add(output ? TokenKind::kOutputEnd : TokenKind::kBlockEnd, {}, end);
        return {};
      }
      TILLCAST_TRY_PLAIN(read_token());
    }
  }

  /// True at "{% raw %}" with any spacing and trim marks.
  bool is_raw_tag() const {
    std::size_t i = at_ + 2;
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
    while (i < source_.size() && is_ascii_space(source_[i])) ++i;
    if (!source_.substr(i).starts_with("raw")) return false;
    return i + 3 >= source_.size() || !is_name_part(source_[i + 3]);
  }

  Result<> read_raw(Position start) {
    const std::size_t begin_close = source_.find("%}", at_);
    if (begin_close == std::string_view::npos) return fail(start, "this tag is not closed: expected '%}'");
    advance(begin_close + 2 - at_);
    for (std::size_t i = at_; (i = source_.find("{%", i)) != std::string_view::npos; i += 2) {
      std::size_t word = i + 2;
      if (word < source_.size() && source_[word] == '-') ++word;
      while (word < source_.size() && is_ascii_space(source_[word])) ++word;
      if (!source_.substr(word).starts_with("endraw")) continue;
      if (i > at_) add(TokenKind::kText, std::string(source_.substr(at_, i - at_)), position_);
      const std::size_t close = source_.find("%}", word);
      if (close == std::string_view::npos) break;
      strip_next_ = source_[close - 1] == '-';
      advance(close + 2 - at_);
      return {};
    }
    return fail(start, "this raw block is not closed: expected '{% endraw %}'");
  }

  Result<> read_token() {
    const Position start = position_;
    const char c = peek();
    if (is_name_start(c)) {
      std::size_t end = at_;
      while (end < source_.size() && is_name_part(source_[end])) ++end;
      std::string name(source_.substr(at_, end - at_));
      advance(end - at_);
      add(TokenKind::kName, std::move(name), start);
      return {};
    }
    if (is_ascii_digit(c)) return read_number(start);
    if (c == '\'' || c == '"') return read_string(start);
    for (const std::string_view op : {"==", "!=", "<=", ">=", "//", "**"}) {
      if (!rest().starts_with(op)) continue;
      advance(2);
      add(TokenKind::kOperator, std::string(op), start);
      return {};
    }
    if (std::string_view("+-*/%~<>=()[]{},.:|").find(c) == std::string_view::npos) {
      const bool printable = c >= ' ' && c < 0x7F;
      return fail(start, printable ? std::string("unexpected character '") + c + "' in a tag"
                                   : "unexpected byte " + std::to_string(static_cast<unsigned char>(c)) +
                                         " in a tag");
    }
    if (c == '(' || c == '[' || c == '{') ++open_brackets_;
    if ((c == ')' || c == ']' || c == '}') && open_brackets_ > 0) --open_brackets_;
    advance(1);
    add(TokenKind::kOperator, std::string(1, c), start);
    return {};
  }

  Result<> read_number(Position start) {
    std::size_t end = at_;
    bool is_float = false;
    while (end < source_.size() && (is_ascii_digit(source_[end]) || source_[end] == '_')) ++end;
    if (end + 1 < source_.size() && source_[end] == '.' && is_ascii_digit(source_[end + 1])) {
      is_float = true;
      ++end;
      while (end < source_.size() && is_ascii_digit(source_[end])) ++end;
    }
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      std::size_t exponent = end + 1;
      if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) ++exponent;
      if (exponent < source_.size() && is_ascii_digit(source_[exponent])) {
        is_float = true;
        end = exponent;
        while (end < source_.size() && is_ascii_digit(source_[end])) ++end;
      }
    }
    std::string digits;
    for (const char c : source_.substr(at_, end - at_))
      if (c != '_') digits += c;
    advance(end - at_);
    add(is_float ? TokenKind::kFloat : TokenKind::kInt, std::move(digits), start);
    return {};
  }

  Result<> read_string(Position start) {
    const char quote = peek();
    advance(1);
    std::string text;
    while (at_ < source_.size() && peek() != quote) {
      if (peek() != '\\' || at_ + 1 >= source_.size()) {
        text += peek();
        advance(1);
        continue;
      }
      const char escaped = peek(1);
      switch (escaped) {
        case 'n':
          text += '\n';
          break;
        case 't':
          text += '\t';
          break;
        case 'r':
          text += '\r';
          break;
        case '\\':
        case '\'':
        case '"':
          text += escaped;
          break;
        default:
          text += '\\';
          text += escaped;  // kept, so that regular expressions need no doubling
      }
      advance(2);
    }
    if (at_ >= source_.size())
      return fail(start, std::string("this string is not closed: expected ") + quote);
    advance(1);
    add(TokenKind::kString, std::move(text), start);
    return {};
  }

  std::string_view source_;
  std::string_view file_;
  std::size_t at_ = 0;
  Position position_;
  int open_brackets_ = 0;
  bool strip_next_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

Error template_error(std::string_view file, Position at, std::string_view message) {
  std::string text(file);
  text += ':';
  text += std::to_string(at.line);
  text += ':';
  text += std::to_string(at.column);
  text += ": ";
  text += message;
  return invalid_input(std::move(text));
}

Result<std::vector<Token>> tokenize_template(std::string_view source, std::string_view file) {
  return Lexer(source, file).run();
}

Result<std::vector<Token>> tokenize_expression(std::string_view source, std::string_view file) {
  return Lexer(source, file).run_expression();
}

}  // namespace tillcast::warehouse
