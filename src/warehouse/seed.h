#pragma once

#include <string>

#include "core/result.h"
#include "warehouse/project.h"

namespace tillcast::database {
class Connection;
}

namespace tillcast::warehouse {

/// Creates or replaces the table of a seed from its csv (RFC 4180, UTF-8, a header line; empty fields are
/// null). Columns get the type of config column_types, else the narrowest of INTEGER, BIGINT, DOUBLE, DATE,
/// TIMESTAMP, BOOLEAN that holds every value, else VARCHAR.
/// @return kInvalidInput "seeds/x.csv:17: ..." for bad csv or values that the configured type refuses.
Result<> load_seed(database::Connection& connection, const Node& seed);

}  // namespace tillcast::warehouse
