#pragma once

#include <string>
#include <string_view>

namespace tillcast::warehouse {

/// MD5 (RFC 1321) as 32 hex digits. Only because dbt builds the names and ids of tests with it; never for
/// security.
std::string md5_hex(std::string_view text);

}  // namespace tillcast::warehouse
