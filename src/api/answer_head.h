#pragma once

#include <string>

#include "api/http_message.h"

namespace tillcast::api {

/// Writes the status line and the header of an answer into `out`, which is emptied first. `close`: the
/// connection ends after it; `http_1_0`: what the client speaks. Thread-safe.
void write_head(const HttpAnswer& answer, bool close, bool http_1_0, std::string& out);

}  // namespace tillcast::api
