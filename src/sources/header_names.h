#pragma once

#include <string>
#include <vector>

namespace tillcast::sources {

/// Makes column names unique without regard to case, as SQL needs: outer spaces and line breaks go, ""
/// becomes column_3, a second "Price" becomes Price_2. The lake's own names (_row, _file, …) count as taken.
std::vector<std::string> unique_header(std::vector<std::string> names);

}  // namespace tillcast::sources
