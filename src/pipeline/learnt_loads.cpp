#include "pipeline/learnt_loads.h"

#include <algorithm>
#include <sstream>
#include <vector>

namespace tillcast::pipeline {
namespace {

constexpr const char* kCommitsSetting = "lake_commits";

std::vector<std::int64_t> commits_of(const registry::VersionInfo& info) {
  std::vector<std::int64_t> commits;
  const auto at = info.settings.find(kCommitsSetting);
  if (at == info.settings.end()) return commits;
  std::istringstream numbers(at->second);
  char comma = 0;
  for (std::int64_t commit = 0; numbers >> commit; numbers >> comma) commits.push_back(commit);
  return commits;
}

}  // namespace

Result<> set_gold_commit(database::Connection& connection, std::int64_t commit) {
  TILLCAST_TRY_PLAIN(connection.execute("CREATE OR REPLACE TABLE _tillcast_gold AS SELECT CAST(" +
                                        std::to_string(commit) + " AS BIGINT) AS lake_commit"));
  return {};
}

Result<> add_gold_commit(Workspace& workspace, registry::VersionInfo& info) {
  auto connection = TILLCAST_TRY_PLAIN(workspace.database.connect());
  const auto there = TILLCAST_TRY_PLAIN(
      connection.query("SELECT count(*) FROM duckdb_tables() WHERE table_name = '_tillcast_gold'"));
  if (there.integer(0, 0).value_or(0) == 0) return {};
  const auto gold = TILLCAST_TRY_PLAIN(connection.query("SELECT lake_commit FROM _tillcast_gold"));
  const std::int64_t commit = gold.integer(0, 0).value_or(0);
  const auto known = commits_of(info);
  if (std::ranges::find(known, commit) != known.end()) return {};
  std::string& text = info.settings[kCommitsSetting];
  text += (text.empty() ? "" : ",") + std::to_string(commit);
  return {};
}

Result<std::string> find_removed_load(const Workspace& workspace, const registry::VersionInfo& info) {
  const auto commits = commits_of(info);
  if (commits.empty()) return std::string();
  const auto snapshot = TILLCAST_TRY_PLAIN(workspace.lake.snapshot());
  if (snapshot.last_drop <= std::ranges::min(commits)) return std::string();  // spares reading the whole log
  for (const auto& removed : TILLCAST_TRY_PLAIN(workspace.lake.removed_loads())) {
    const bool learnt = std::ranges::any_of(commits, [&removed](std::int64_t commit) {
      return removed.load.seq <= commit && commit < removed.removed_seq;
    });
    if (learnt)
      return "commit " + std::to_string(removed.load.seq) + " (" + removed.load.file +
             "), which was taken out";
  }
  return std::string();
}

}  // namespace tillcast::pipeline
