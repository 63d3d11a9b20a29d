#pragma once

#include <cstddef>

namespace tillcast::sources {

// What one batch of a reader holds at most, so that memory stays the same for files of any size.

constexpr std::size_t kRowsPerBatch = 16 << 10;
constexpr std::size_t kCellsPerBatch = 128 << 10;  ///< wide files: a cell becomes a row
constexpr std::size_t kBadRecordsPerBatch = 4096;
constexpr std::size_t kRawBytesMax = 4096;  ///< of a rejected record that are kept
constexpr std::size_t kPaddingBytes = 64;   ///< the scanners read past the end of a block

}  // namespace tillcast::sources
