#pragma once

#include <string>

#include "lake/manifest.h"

namespace tillcast::pipeline {

/// What looks odd in the days of a load, for people: rows more than a year before or after all others of
/// their dataset, as a slip of the year makes them, where they are the fewer. One line, or empty. Pure.
/// @param snapshot  with the load in it
std::string misdated_note(const lake::Snapshot& snapshot, const lake::ManifestEntry& load);

}  // namespace tillcast::pipeline
