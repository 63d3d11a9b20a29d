#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "forecast/panel_model.h"

namespace tillcast::forecast {

/// The attributes a model learnt from, with the words of its codes. A later run numbers its categories anew:
/// a new store or a type that is gone moves every code. Here a panel is given the codes of the fit again.
class AttributeCodes {
 public:
  AttributeCodes() = default;
  explicit AttributeCodes(std::span<const AttributeColumn> columns);

  /// The columns of the fit, in its order, for all series: words that it never saw, and columns that a run no
  /// longer has, are unknown. Columns it did not have are left out; columns without words keep their codes.
  std::vector<AttributeColumn> recode(std::span<const AttributeColumn> now, std::size_t series_count) const;

  std::size_t size() const { return columns_.size(); }

  /// Appends to `text` what load() reads back; words may hold any byte.
  void save(std::string& text) const;
  /// Takes what save() wrote off the front of `text`. @return kCorruptData for anything else
  static Result<AttributeCodes> load(std::string_view& text);

 private:
  std::vector<AttributeColumn> columns_;  // without values
};

/// A panel whose attributes have the codes of a fit. Borrows what the panel borrows.
struct RecodedPanel {
  RecodedPanel(const Panel& from, const AttributeCodes& codes);
  RecodedPanel(const RecodedPanel&) = delete;
  RecodedPanel& operator=(const RecodedPanel&) = delete;

  std::vector<AttributeColumn> attributes;
  Panel panel;  ///< after what it borrows
};

}  // namespace tillcast::forecast
