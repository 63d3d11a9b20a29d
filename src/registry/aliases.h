#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tillcast::registry {

/// One change of an alias; 0 = no version.
struct AliasChange {
  std::string at;     ///< ISO 8601 in UTC
  std::string alias;  ///< "champion" or "challenger"
  int from = 0;
  int to = 0;
  std::string by;       ///< "gate", or who asked
  std::string reason;   ///< why
  bool forced = false;  ///< against or without the gate
};

/// Which versions of a plan carry which alias, and how that came. One file, replaced whole.
struct Aliases {
  int champion = 0;    ///< the version that forecasts; 0 = none
  int challenger = 0;  ///< the newest version that did not win, or the one in an experiment; 0 = none
  std::vector<AliasChange> changes;  ///< oldest first

  /// The version that was champion before the present one first became it; 0 = none.
  int before_champion() const;
};

/// JSON of aliases.json, and back. kCorruptData names what is wrong.
std::string format_aliases(const Aliases& aliases);
Result<Aliases> parse_aliases(std::string_view json, std::string_view name);

}  // namespace tillcast::registry
