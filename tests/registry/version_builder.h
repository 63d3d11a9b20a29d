#pragma once

#include "registry/registry.h"

namespace tillcast::registry::test {

/// A version of a plan as a fit would describe it.
inline VersionInfo described(const std::string& plan, const std::string& fit_id) {
  VersionInfo info;
  info.plan = plan;
  info.created_at = "2026-01-02T03:04:05Z";
  info.fit_id = fit_id;
  info.definition_id = "d";
  info.data_hash = "h";
  info.data_from = "2025-01-01";
  info.data_until = "2025-12-31";
  info.series = 2;
  info.periods = 730;
  info.settings = {{"horizon", "28"}, {"by", "store,\"product\""}};
  info.metrics = {{"wape", 0.1 + 0.2}, {"tiny", 5e-324}};
  info.inputs = {{"date", "DATE"}};
  info.outputs = {{"mean", "DOUBLE"}};
  info.verdict = "champion";
  info.verdict_reason = "the first version";
  info.tool_version = "0.1.0";
  info.code_revision = "abc";
  return info;
}

inline Result<VersionInfo> add(Registry& registry, const std::string& fit_id,
                               const std::string& model = "model of ", const std::string& plan = "shops") {
  const NewFile files[] = {{"model.txt", model + fit_id}, {"notes.txt", "two\nlines\n"}};
  return registry.add(described(plan, fit_id), files);
}

inline AliasSwitch promote(int version, const std::string& reason = "won") {
  AliasSwitch change;
  change.champion = version;
  change.at = "2026-01-02T03:04:05Z";
  change.by = "gate";
  change.reason = reason;
  return change;
}

}  // namespace tillcast::registry::test
