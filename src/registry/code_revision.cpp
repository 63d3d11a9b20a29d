#include "registry/code_revision.h"

namespace tillcast::registry {

std::string_view code_revision() { return TILLCAST_CODE_REVISION; }

}  // namespace tillcast::registry
