#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/civil_time.h"
#include "core/result.h"

namespace tillcast {

/// One IANA time zone: turns a shop's wall clock into instants and back. Immutable, thread-safe.
///
/// Reads TZif files of version 2 or later (RFC 8536) with their POSIX footer rule, so that dates after the
/// last listed transition are right too.
class TimeZone {
 public:
  /// UTC: needs no file.
  TimeZone() : TimeZone("UTC") {}

  /// By IANA name ("Europe/London") from `directory`. "UTC" needs no file.
  /// @return kInvalidInput for an unknown or unsafe name; kCorruptData for a file that is not TZif.
  static Result<TimeZone> load(std::string_view name,
                               const std::filesystem::path& directory = "/usr/share/zoneinfo");

  /// From the bytes of a TZif file.
  static Result<TimeZone> parse(std::string_view name, std::string_view tzif);

  /// The instant of a wall clock time, given as microseconds since 1970-01-01T00:00 on that clock.
  /// A time that a forward change skips is read with the offset before the change (01:30 in London's spring
  /// gap is 02:30 summer time); a time that occurs twice in autumn is the first of the two.
  Timestamp to_utc(std::int64_t local_micros) const;

  /// Wall clock time of an instant, in microseconds since 1970-01-01T00:00 on that clock.
  std::int64_t to_local(Timestamp instant) const;

  /// The calendar day of an instant in this zone.
  Date local_date(Timestamp instant) const { return utc_date({to_local(instant)}); }

  const std::string& name() const { return name_; }

 private:
  explicit TimeZone(std::string_view name) : name_(name), offsets_{0} {}
  void add_transition(std::int64_t utc_seconds, std::int32_t offset_seconds);

  std::string name_;
  std::vector<std::int64_t> utc_starts_;  ///< seconds; from utc_starts_[i] on, offsets_[i + 1] holds
  std::vector<std::int64_t>
      local_starts_;  ///< the same moments on the wall clock: first local second read with the new offset
  std::vector<std::int32_t> offsets_;  ///< seconds east of UTC; offsets_[0] holds before all transitions
};

}  // namespace tillcast
