#include "sources/text_encoding.h"

#include <immintrin.h>

#include <array>
#include <cstring>

namespace tillcast::sources {
namespace {

constexpr std::array<std::uint16_t, 32> kCp1252High = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

/// Bytes of plain ASCII at the start.
std::size_t ascii_prefix(std::string_view bytes) {
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    const __m256i chunk = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes.data() + at));
    const auto high = static_cast<std::uint32_t>(_mm256_movemask_epi8(chunk));
    if (high != 0) return at + static_cast<std::size_t>(__builtin_ctz(high));
  }
  while (at < bytes.size() && static_cast<signed char>(bytes[at]) >= 0) ++at;
  return at;
}

/// Length of the well-formed character that begins at `at`; 0 = broken; -1 = cut off by the end.
int character_length(std::string_view bytes, std::size_t at) {
  const auto byte = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = byte(at);
  const int length = lead >= 0xC2 && lead <= 0xDF   ? 2
                     : lead >= 0xE0 && lead <= 0xEF ? 3
                     : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                    : 0;
  if (length == 0) return 0;
  for (int i = 1; i < length; ++i) {
    if (at + static_cast<std::size_t>(i) >= bytes.size()) return -1;
    const unsigned next = byte(at + static_cast<std::size_t>(i));
    unsigned low = 0x80;
    unsigned high = 0xBF;
    if (i == 1) {
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    }
    if (next < low || next > high) return 0;
  }
  return length;
}

}  // namespace

bool is_ascii(std::string_view bytes) { return ascii_prefix(bytes) == bytes.size(); }

Utf8Check check_utf8(std::string_view bytes) {
  Utf8Check check;
  std::size_t at = 0;
  for (;;) {
    at += ascii_prefix(bytes.substr(at));
    if (at == bytes.size()) return check;
    const int length = character_length(bytes, at);
    if (length < 0) {
      check.incomplete = bytes.size() - at;
      return check;
    }
    if (length == 0) {
      ++check.invalid_bytes;
      ++at;
    } else {
      ++check.sequences;
      at += static_cast<std::size_t>(length);
    }
  }
}

Cp1252Result cp1252_to_utf8(std::string_view bytes, char* to) {
  Cp1252Result result;
  char* out = to;
  std::size_t at = 0;
  for (;;) {
    const std::size_t plain = ascii_prefix(bytes.substr(at));
    std::memcpy(out, bytes.data() + at, plain);
    out += plain;
    at += plain;
    if (at == bytes.size()) break;
    const unsigned byte = static_cast<unsigned char>(bytes[at++]);
    const unsigned code = byte < 0xA0 ? kCp1252High[byte - 0x80] : byte;
    if (code == 0xFFFD) result.undefined = true;
    if (code < 0x800) {
      *out++ = static_cast<char>(0xC0 | code >> 6);
    } else {
      *out++ = static_cast<char>(0xE0 | code >> 12);
      *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    }
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  }
  result.bytes = static_cast<std::size_t>(out - to);
  return result;
}

std::string printable(std::string_view bytes, std::size_t bytes_max) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string text;
  std::size_t at = 0;
  while (at < bytes.size() && text.size() < bytes_max) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const int length = byte == 0 ? 0 : byte < 0x80 ? 1 : character_length(bytes, at);
    if (length > 0) {
      text.append(bytes.substr(at, static_cast<std::size_t>(length)));
      at += static_cast<std::size_t>(length);
    } else {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
      ++at;
    }
  }
  if (at < bytes.size()) text += "…";
  return text;
}

}  // namespace tillcast::sources
