#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tillcast::forecast {

/// Where a run keeps what its long steps found, so that a run which was stopped or killed goes on instead of
/// beginning again. One checkpoint belongs to one set of series, options and one program: the caller sees to
/// that. Steps are named by letters, digits, `_`, `-` and `.`. Called by the thread of the run alone.
class Checkpoint {
 public:
  virtual ~Checkpoint() = default;
  /// The bytes that were kept of a step; nullopt = none. They may be damaged: the run looks.
  virtual std::optional<std::string> find(const std::string& step) = 0;
  /// Bytes that cannot be kept are no failure of the run, which goes on without.
  virtual void keep(const std::string& step, std::string_view bytes) = 0;
  /// Told once by a run that found back-tests: of how many of its series.
  virtual void resumed(std::size_t /*found*/, std::size_t /*series*/) {}
};

}  // namespace tillcast::forecast
