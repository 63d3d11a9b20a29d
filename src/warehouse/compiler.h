#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "warehouse/project.h"

namespace tillcast::warehouse {

enum class CompileMode : std::uint8_t {
  kFull,         ///< is_incremental() is false
  kIncremental,  ///< is_incremental() is true
};

/// The SQL of a model or test: templates rendered, references replaced, ephemeral models put in as CTEs. For
/// a test it is the query whose rows are the failures. Empty for seeds and sources.
/// @return kInvalidInput "file:line:column: ..." as render(). Thread-safe.
Result<std::string> compile_node(const Project& project, const Node& node,
                                 CompileMode mode = CompileMode::kFull);

/// Renders hooks and other text in the context of a node (null = of the project).
Result<std::string> compile_text(const Project& project, const Node* node, std::string_view text,
                                 std::string_view file);

}  // namespace tillcast::warehouse
