#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

/// Versions of fitted models in files. Format: docs/formats/models.md.
namespace tillcast::registry {

constexpr int kModelFormat = 1;

/// One file of a version.
struct VersionFile {
  std::string name;
  std::int64_t bytes = 0;
  std::string sha256;  ///< 64 hex digits
};

/// What a model takes or gives: a column and its type.
struct SignatureColumn {
  std::string name;
  std::string type;
};

/// Everything that is known of a version besides its files. Never changes once it is stored. Times are ISO
/// 8601 in UTC, dates YYYY-MM-DD, as they stand in the file.
struct VersionInfo {
  std::string plan;
  int number = 0;  ///< 1, 2, …; given by Registry::add, never used twice
  std::string created_at;
  std::string fit_id;         ///< hash of definition, data and program: the same fit is not repeated
  std::string definition_id;  ///< hash of the plan's definition alone
  std::string data_hash;
  std::string data_from;
  std::string data_until;  ///< the cut: nothing after this day was learnt from
  std::int64_t series = 0;
  std::int64_t periods = 0;                     ///< values of all series together
  std::map<std::string, std::string> settings;  ///< the plan and what it was fitted with
  std::map<std::string, double> metrics;        ///< on the newest origin; only finite ones
  std::vector<SignatureColumn> inputs;
  std::vector<SignatureColumn> outputs;
  std::string verdict;         ///< "champion" or "challenger": what the gate said
  std::string verdict_reason;  ///< why, for people
  std::string tool_version;
  std::string code_revision;
  int parent = 0;  ///< the champion when this version was fitted; 0 = none
  std::vector<VersionFile> files;
};

/// JSON of version.json, and back. kCorruptData names what is wrong; a newer format says to update tillcast.
std::string format_version(const VersionInfo& info);
Result<VersionInfo> parse_version(std::string_view json, std::string_view name);

}  // namespace tillcast::registry
