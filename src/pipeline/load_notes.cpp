#include "pipeline/load_notes.h"

#include <algorithm>
#include <vector>

#include "core/civil_time.h"

namespace tillcast::pipeline {
namespace {

constexpr std::int32_t kDaysPerYear = 366;

/// Rows of neighbouring files, in order of days, that lie apart from the others.
struct Apart {
  std::int64_t rows = 0;  ///< of the load
  Date from{};
  Date to{};
  std::int32_t days = 0;  ///< between them and the others
};

// The fewer rows before the last gap of a year, when the load has any of them.
Apart early_ones(const std::vector<const lake::DataFile*>& files, const lake::ManifestEntry& load) {
  std::int64_t total = 0;
  for (const auto* file : files) total += file->rows;
  Apart found;
  Apart so_far;
  std::int64_t before = 0;
  Date last = *files.front()->date_max;
  for (const auto* file : files) {
    const std::int32_t gap = file->date_min->days - last.days;
    if (gap > kDaysPerYear && before * 2 < total && so_far.rows > 0) {
      found = so_far;
      found.days = gap;
    }
    before += file->rows;
    last = std::max(last, *file->date_max);
    if (std::ranges::find(load.files, file->path, &lake::DataFile::path) == load.files.end()) continue;
    if (so_far.rows == 0) so_far.from = *file->date_min;
    so_far.rows += file->rows;
    so_far.to = last;
  }
  return found;
}

// The same from the other end: days are counted backwards.
Apart late_ones(const std::vector<lake::DataFile>& files, const lake::ManifestEntry& load) {
  auto mirrored = files;
  for (auto& file : mirrored) {
    const Date first = *file.date_min;
    file.date_min = Date{-file.date_max->days};
    file.date_max = Date{-first.days};
  }
  std::vector<const lake::DataFile*> order;
  order.reserve(mirrored.size());
  for (const auto& file : mirrored) order.push_back(&file);
  std::ranges::stable_sort(order, {}, [](const auto* file) { return file->date_min->days; });
  Apart found = early_ones(order, load);
  const Date first{-found.to.days};
  found.to = Date{-found.from.days};
  found.from = first;
  return found;
}

std::string words(const Apart& apart, const char* where) {
  const std::string days =
      format_date(apart.from) + (apart.from == apart.to ? "" : " to " + format_date(apart.to));
  const std::int32_t years = std::max(1, apart.days / kDaysPerYear);
  return std::to_string(apart.rows) + (apart.rows == 1 ? " row is" : " rows are") + " dated " + days + ", " +
         std::to_string(years) + (years == 1 ? " year " : " years ") + where + " all others";
}

}  // namespace

std::string misdated_note(const lake::Snapshot& snapshot, const lake::ManifestEntry& load) {
  std::string text;
  for (const char* const dataset : {"silver.sale_line", "silver.store_day"}) {
    std::vector<lake::DataFile> files;
    for (const auto& file : snapshot.dataset(dataset)) {
      if (file.date_min && file.date_max) files.push_back(file);
    }
    if (files.empty()) continue;
    std::vector<const lake::DataFile*> order;
    order.reserve(files.size());
    for (const auto& file : files) order.push_back(&file);
    std::ranges::stable_sort(order, {}, [](const auto* file) { return file->date_min->days; });
    const auto add = [&text](const Apart& apart, const char* where) {
      if (apart.rows > 0) text += (text.empty() ? "" : ", ") + words(apart, where);
    };
    add(early_ones(order, load), "before");
    add(late_ones(files, load), "after");
  }
  if (text.empty()) return text;
  return text + "; if a year is wrong, take the load out (tillcast lake remove " + std::to_string(load.seq) +
         ") and load the file corrected";
}

}  // namespace tillcast::pipeline
