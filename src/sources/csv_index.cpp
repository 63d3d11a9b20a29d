#include "sources/csv_index.h"

#include <immintrin.h>

#include <array>

namespace tillcast::sources {
namespace {

std::uint64_t equal_mask(__m256i low, __m256i high, __m256i value) {
  const auto first = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, value)));
  const auto second = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, value)));
  return std::uint64_t{second} << 32 | first;
}

}  // namespace

CsvIndexResult index_csv(std::string_view block, char delimiter, char line_end,
                         std::vector<std::uint32_t>& positions) {
  const __m256i delimiters = _mm256_set1_epi8(delimiter);
  const __m256i line_ends = _mm256_set1_epi8(line_end);
  const __m256i quotes = _mm256_set1_epi8('"');
  const __m256i zero = _mm256_setzero_si256();
  __m256i any_high = zero;
  std::uint64_t nuls = 0;

  positions.resize(block.size() / 6 + 128);
  std::size_t count = 0;
  for (std::size_t at = 0; at < block.size(); at += 64) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block.data() + at));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block.data() + at + 32));
    std::uint64_t mask =
        equal_mask(low, high, delimiters) | equal_mask(low, high, line_ends) | equal_mask(low, high, quotes);
    std::uint64_t nul = equal_mask(low, high, zero);
    __m256i bytes = _mm256_or_si256(low, high);
    const std::size_t left = block.size() - at;
    if (left < 64) {
      const std::uint64_t inside = (std::uint64_t{1} << left) - 1;
      mask &= inside;
      nul &= inside;
      bytes = zero;
      for (std::size_t i = at; i < block.size(); ++i) {
        if (static_cast<signed char>(block[i]) < 0) bytes = _mm256_set1_epi8(-1);
      }
    }
    nuls |= nul;
    any_high = _mm256_or_si256(any_high, bytes);
    if (count + 64 > positions.size()) positions.resize(positions.size() * 2);
    std::uint32_t* to = positions.data() + count;
    count += static_cast<std::size_t>(__builtin_popcountll(mask));
    // Several at a time without a branch per position: the surplus is overwritten by the next chunk.
    while (mask != 0) {
      for (int i = 0; i < 8; ++i) {
        to[i] = static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(_tzcnt_u64(mask));
        mask = _blsr_u64(mask);
      }
      to += 8;
    }
  }
  positions.resize(count);
  return {.has_nul = nuls != 0, .has_non_ascii = _mm256_movemask_epi8(any_high) != 0};
}

char sniff_delimiter(std::string_view sample, char line_end) {
  constexpr std::size_t kLinesMax = 50;
  constexpr std::array<char, 4> kCandidates = {',', ';', '\t', '|'};
  char best = ',';
  std::size_t best_score = 0;
  for (const char candidate : kCandidates) {
    std::size_t header_fields = 0;
    std::size_t fields = 1;
    std::size_t lines = 0;
    std::size_t even_lines = 0;
    bool quoted = false;
    bool blank = true;
    for (std::size_t i = 0; i <= sample.size() && lines < kLinesMax; ++i) {
      const bool last = i == sample.size();
      // A sample cut inside a line says nothing about it, unless it is all there is.
      if (last && (blank || lines > 0)) break;
      const char c = last ? line_end : sample[i];
      if (c == '"') quoted = !quoted;
      if (c == candidate && !quoted) ++fields;
      if ((c == line_end && !quoted) || last) {
        if (!blank) {
          if (lines == 0) header_fields = fields;
          if (fields == header_fields) ++even_lines;
          ++lines;
        }
        fields = 1;
        blank = true;
      } else if (c != '\r') {
        blank = false;
      }
    }
    if (header_fields < 2) continue;
    const std::size_t score = even_lines * 100'000 / lines * 1'000 + header_fields;
    if (score > best_score) {
      best_score = score;
      best = candidate;
    }
  }
  return best;
}

}  // namespace tillcast::sources
