#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "forecast/model.h"
#include "forecast/series.h"

namespace tillcast::forecast {

/// Marks the days on which nothing was sold anywhere as closed, where the data say that they were: a source
/// of single lines has no opening days, and a Saturday without a line is no Saturday of low demand.
///
/// A weekday is closed when at most 5 in 100 of its last 26 occurrences traded. Other days without trade
/// (holidays) are closed when the open weekdays traded on at least 95 of 100 days; else the shop simply sells
/// little, and nothing but the closed weekdays is marked. Daily series only; closed days are masked and, by
/// their weekday, forecast as 0.
/// @param traded  days with at least one sale anywhere, ascending
void mark_closed_days(std::span<Series> series, std::span<const Date> traded);

/// The same for the named days of one shop, on which others of the company may trade: those without a sale
/// are closed when its open weekdays traded on at least 95 of 100 days.
/// @param series  those of the shop, with their named days and `open` as mark_closed_days() left them
/// @param traded  days with at least one sale of the shop, ascending
void mark_closed_named_days(std::span<Series* const> series, std::span<const Date> traded);

/// Gives each series the calendar of its place, and fills there what all series did on each named day. Who
/// was closed on that weekday anyway, or does not know its weekdays yet, tells nothing but that it was open.
/// @param places  one per series; series of one place share theirs
void share_named_days(std::span<Series> series, std::span<const std::shared_ptr<NamedDays>> places);

/// Whether a day, past or ahead, falls on a weekday that is closed: in at least 95 % of its last 26
/// occurrences before the day (for a day among the first, of all). nullopt = fewer than four are known.
std::optional<bool> closed_by_weekday(const History& history, std::size_t at);

/// Whether a day ahead has a name whose days were all closed so far, at least one: the series' own, or, where
/// none of them tells, those of all series. Days that were closed by their weekday tell nothing, and neither
/// does one in a closing of weeks.
bool closed_by_name(const History& history, std::size_t at);

}  // namespace tillcast::forecast
