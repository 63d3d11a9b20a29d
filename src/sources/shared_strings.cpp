#include "sources/shared_strings.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "sources/text_encoding.h"

namespace tillcast::sources {
namespace {

constexpr std::size_t kBlockBytes = 256 << 10;
constexpr std::size_t kItemBytesMax = 4 << 20;  // Excel allows 32,767 characters

/// Appends a code point as UTF-8; what XML forbids becomes U+FFFD.
void append_code_point(std::string& text, std::uint32_t code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    text += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (code & 0x3F));
  }
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Digits of `base` as a number; false when there are others or none.
bool read_code(std::string_view digits, std::uint32_t base, std::uint32_t& code) {
  code = 0;
  for (const char c : digits) {
    const int value = digit_value(c);
    if (value < 0 || static_cast<std::uint32_t>(value) >= base || code > 0x10FFFF) return false;
    code = code * base + static_cast<std::uint32_t>(value);
  }
  return !digits.empty();
}

/// Decodes the entity at the start of `text`; 0 = it is none, else its length.
std::size_t decode_entity(std::string_view text, std::string& out) {
  const std::size_t end = text.substr(0, 12).find(';');
  if (end == std::string_view::npos) return 0;
  const std::string_view name = text.substr(1, end - 1);
  std::uint32_t code = 0;
  if (name == "amp") {
    out += '&';
  } else if (name == "lt") {
    out += '<';
  } else if (name == "gt") {
    out += '>';
  } else if (name == "quot") {
    out += '"';
  } else if (name == "apos") {
    out += '\'';
  } else if (name.starts_with("#x") && read_code(name.substr(2), 16, code)) {
    append_code_point(out, code);
  } else if (name.starts_with('#') && read_code(name.substr(1), 10, code)) {
    append_code_point(out, code);
  } else {
    return 0;
  }
  return end + 1;
}

/// True when the name at `text` (behind '<' or "</") is `prefix` + `name`.
bool names(std::string_view text, std::string_view prefix, std::string_view name) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  if (!text.starts_with(name) || text.size() == name.size()) return false;
  const char next = text[name.size()];
  return next == '>' || next == '/' || next == ' ' || next == '\t' || next == '\n' || next == '\r';
}

}  // namespace

std::string_view decode_xml_text(std::string_view raw, TextArena& arena) {
  if (raw.find('&') == std::string_view::npos && raw.find("_x") == std::string_view::npos &&
      raw.find('<') == std::string_view::npos) {
    return raw;
  }
  std::string text;
  text.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size();) {
    const std::string_view rest = raw.substr(at);
    std::uint32_t code = 0;
    if (rest[0] == '&') {
      const std::size_t length = decode_entity(rest, text);
      if (length > 0) {
        at += length;
        continue;
      }
    } else if (rest.starts_with("<![CDATA[")) {
      const std::size_t end = rest.find("]]>");
      const std::string_view inside = rest.substr(9, end == std::string_view::npos ? end : end - 9);
      text += inside;
      at += end == std::string_view::npos ? rest.size() : end + 3;
      continue;
    } else if (rest.size() >= 7 && rest.starts_with("_x") && rest[6] == '_' &&
               read_code(rest.substr(2, 4), 16, code)) {
      append_code_point(text, code);
      at += 7;
      continue;
    }
    text += rest[0];
    ++at;
  }
  return arena.add(text);
}

std::string_view rich_text(std::string_view content, std::string_view prefix, TextArena& arena) {
  std::string_view first;
  std::string joined;
  int parts = 0;
  for (std::size_t at = content.find('<'); at != std::string_view::npos; at = content.find('<', at + 1)) {
    const std::string_view name = content.substr(at + 1);
    if (name.starts_with("![CDATA[")) {
      at = std::min(content.find("]]>", at), content.size() - 1);
      continue;
    }
    if (names(name, prefix, "rPh")) {
      const std::string close = "</" + std::string(prefix) + "rPh";
      at = std::min(content.find(close, at), content.size() - 1);
      continue;
    }
    if (!names(name, prefix, "t")) continue;
    const std::size_t open_end = content.find('>', at);
    if (open_end == std::string_view::npos) break;
    if (content[open_end - 1] == '/') {
      at = open_end;
      continue;
    }
    const std::size_t close = content.find("</" + std::string(prefix) + "t", open_end);
    if (close == std::string_view::npos) break;
    const std::string_view piece = decode_xml_text(content.substr(open_end + 1, close - open_end - 1), arena);
    if (parts == 0) {
      first = piece;
    } else {
      if (parts == 1) joined = first;
      joined += piece;
    }
    ++parts;
    at = close;
  }
  return parts > 1 ? arena.add(joined) : first;
}

Result<std::shared_ptr<const SharedStrings>> SharedStrings::read(ZipEntryStream& source,
                                                                 std::uint64_t bytes_max) {
  auto strings = std::make_shared<SharedStrings>();
  const auto fault = [&source](const std::string& what) {
    return invalid_input(source.entry().name + " " + what);
  };
  std::string buffer;
  std::string prefix;
  bool first = true;
  bool end = false;
  while (!end) {
    const std::size_t kept = buffer.size();
    buffer.resize(kept + kBlockBytes);
    const std::size_t got = TILLCAST_TRY_PLAIN(source.read(buffer.data() + kept, kBlockBytes));
    buffer.resize(kept + got);
    end = got == 0;
    if (first) {
      // "<x:sst": the prefix of the root goes for all elements.
      const std::size_t root = buffer.find("sst");
      if (root != std::string::npos) {
        const std::size_t open = buffer.rfind('<', root);
        if (open != std::string::npos) prefix = buffer.substr(open + 1, root - open - 1);
        if (!prefix.empty() && (prefix.back() != ':' || prefix.size() > 32)) prefix.clear();
        first = false;
      }
    }
    const std::string open_tag = "<" + prefix + "si";
    const std::string close_tag = "</" + prefix + "si>";
    std::size_t at = 0;
    for (;;) {
      std::size_t open = buffer.find(open_tag, at);
      while (open != std::string::npos && open + open_tag.size() < buffer.size() &&
             !names(std::string_view(buffer).substr(open + 1, open_tag.size() + 1), prefix, "si")) {
        open = buffer.find(open_tag, open + 1);
      }
      if (open == std::string::npos) {
        // Nothing begins here; a tag cut by the block's end is kept.
        at = std::max(at, buffer.size() - std::min(buffer.size(), open_tag.size()));
        break;
      }
      const std::size_t open_end = buffer.find('>', open);
      if (open_end == std::string::npos) {
        at = open;
        break;
      }
      if (buffer[open_end - 1] == '/') {
        strings->texts_.emplace_back();
        at = open_end + 1;
      } else {
        const std::size_t close = buffer.find(close_tag, open_end);
        if (close == std::string::npos) {
          at = open;
          break;
        }
        const std::string_view content = std::string_view(buffer).substr(open_end + 1, close - open_end - 1);
        if (!is_utf8(content)) return fault("is not UTF-8 text");
        std::string_view text = rich_text(content, prefix, strings->arena_);
        const bool in_buffer = text.data() >= buffer.data() && text.data() < buffer.data() + buffer.size();
        if (in_buffer) text = strings->arena_.add(text);
        strings->texts_.push_back(text);
        at = close + close_tag.size();
      }
      if (strings->arena_.bytes() + strings->texts_.size() * sizeof(std::string_view) > bytes_max) {
        return fault("holds more than " + std::to_string(bytes_max >> 20) +
                     " MiB of text; export the sheet as csv");
      }
    }
    buffer.erase(0, at);
    if (buffer.size() > kItemBytesMax)
      return fault("has a text of more than " + std::to_string(kItemBytesMax >> 20) + " MiB");
  }
  return std::shared_ptr<const SharedStrings>(std::move(strings));
}

}  // namespace tillcast::sources
