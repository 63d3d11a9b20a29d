#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/column_batch.h"
#include "core/result.h"
#include "sources/zip_entry_stream.h"

namespace tillcast::sources {

/// The workbook's table of texts. Immutable once read, thread-safe.
class SharedStrings {
 public:
  SharedStrings() = default;

  /// Reads sharedStrings.xml as a stream. Rich text is joined, phonetic guides are left out.
  /// @param bytes_max  of the texts and their index together
  static Result<std::shared_ptr<const SharedStrings>> read(ZipEntryStream& source, std::uint64_t bytes_max);

  std::size_t size() const { return texts_.size(); }
  std::string_view operator[](std::size_t index) const { return texts_[index]; }

 private:
  TextArena arena_;
  std::vector<std::string_view> texts_;
};

/// XML text as characters: entities, character references, CDATA and Excel's _x000D_ escapes. Returns `raw`
/// itself when there is nothing to decode, else text in the arena.
std::string_view decode_xml_text(std::string_view raw, TextArena& arena);

/// The text of an <si> or <is> element's content: its <t> elements joined, without <rPh>.
std::string_view rich_text(std::string_view content, std::string_view prefix, TextArena& arena);

}  // namespace tillcast::sources
