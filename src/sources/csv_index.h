#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tillcast::sources {

/// What a block of csv holds besides its structure.
struct CsvIndexResult {
  bool has_nul = false;
  bool has_non_ascii = false;
};

/// Writes the positions of every delimiter, quote and line end of `block` to `positions`, in order. The 64
/// bytes after the block's end must be readable; blocks are below 4 GB.
CsvIndexResult index_csv(std::string_view block, char delimiter, char line_end,
                         std::vector<std::uint32_t>& positions);

/// The delimiter (one of , ; tab |) that splits the first lines of `sample` most evenly; ',' when none does.
char sniff_delimiter(std::string_view sample, char line_end);

}  // namespace tillcast::sources
