#pragma once

namespace tillcast {

/// Kills the process with SIGKILL when the environment variable TILLCAST_CRASH_AT holds `name` (or
/// "name:n" for the n-th time it is reached). Each step of a commit has one, so that tests can stop there
/// and compare what is left with an undisturbed run. Costs one load and a compare when unset.
void crash_point(const char* name);

}  // namespace tillcast
