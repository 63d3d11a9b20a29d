#pragma once

#include <string_view>

namespace tillcast::registry {

/// The commit this program was built from, 12 digits, "+" behind when files were changed since; "unknown"
/// when it was built outside a git checkout.
std::string_view code_revision();

}  // namespace tillcast::registry
