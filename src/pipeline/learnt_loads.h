#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "pipeline/workspace.h"
#include "registry/version.h"

/// Which loads of the lake a model version learnt from: those that gold was built from when it was fitted.
namespace tillcast::pipeline {

/// Remembers that all of gold was built from the lake as it was after `commit`.
Result<> set_gold_commit(database::Connection& connection, std::int64_t commit);

/// Adds the commit that gold was built from to the version's setting `lake_commits`: it learnt from all that
/// was visible after it. Nothing where gold was built by a program that did not remember it.
Result<> add_gold_commit(Workspace& workspace, registry::VersionInfo& info);

/// A load that the version learnt from and that was taken out of the lake since, for people: "commit 2
/// (may.csv), which was taken out". Empty when there is none, and for versions without `lake_commits`.
Result<std::string> find_removed_load(const Workspace& workspace, const registry::VersionInfo& info);

}  // namespace tillcast::pipeline
