#pragma once

#include <filesystem>

#include "core/result.h"
#include "pipeline/engine.h"
#include "sources/generator.h"

namespace tillcast::pipeline {

enum class GeneratedFormat : std::uint8_t { kCsv, kParquet };

/// Where generated files go; each appears whole or not at all.
struct GenerateTarget {
  std::filesystem::path sales;
  std::filesystem::path truth;  ///< empty = none
  GeneratedFormat format = GeneratedFormat::kCsv;
};

/// Writes a synthetic sales file (docs/generator.md) and, when asked, the true demand behind it.
Result<sources::GeneratorSummary> generate_files(const sources::GeneratorOptions& options,
                                                 const GenerateTarget& target, StageObserver& observer);

}  // namespace tillcast::pipeline
