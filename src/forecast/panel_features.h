#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "forecast/panel_model.h"

namespace tillcast::forecast {

/// A column of what trees learn from.
struct FeatureColumn {
  std::string name;
  std::string
      group;  ///< for people: "calendar", "promotion", "level", "last year", the name of a driver, ...
  bool category = false;  ///< codes without order
};

/// Rows of one member: one per step kept.
struct FeatureRows {
  std::vector<float> values;   ///< [row][column]; NaN = unknown
  std::vector<double> offset;  ///< the base forecast, as a logarithm: trees learn what departs from it
  std::vector<float> label;    ///< logarithm of the value, or units; NaN where unknown
  std::vector<int> step;       ///< 0 = first step after the cut
  std::vector<int> cut;        ///< position of the row's cut among the cuts

  void clear();
  std::size_t size() const { return offset.size(); }
};

/// Features of daily panels, built as snapshots: everything in a row of a cut uses values up to that cut and
/// drivers as far ahead as the final forecast will know them, so that rows to learn from see the same horizon
/// as the forecast. After the winner of Rossmann Store Sales (Jacobusse 2015): recent levels by weekday and
/// promotion, days to, since and within events, and last year's growth around the same date; relative to a
/// base of the member (median of weekday x promotion over a year plus a decayed recent level), so that trees
/// learn dates, not shops.
class PanelFeatures {
 public:
  /// @param cuts       how many days before the end of the panel each snapshot is taken, 0 = at its end;
  /// ascending
  /// @param logarithm  labels are logarithms of positive values (revenue), else units (counts)
  /// @param progress   of the sums over all members; asked to stop, there are no rows. nullptr = nobody is
  /// told
  PanelFeatures(const Panel& panel, const PanelTask& task, const std::vector<int>& cuts, bool logarithm,
                Progress* progress = nullptr);
  ~PanelFeatures();
  PanelFeatures(const PanelFeatures&) = delete;
  PanelFeatures& operator=(const PanelFeatures&) = delete;

  const std::vector<FeatureColumn>& columns() const { return columns_; }
  /// Adds the rows of a member at every cut for which keep(cut position, step, label) says so. Thread-safe.
  void add_rows(std::size_t member, const std::function<bool(std::size_t, int, float)>& keep,
                FeatureRows& out) const;
  /// How many rows add_rows would add, at a small part of its cost.
  std::size_t count_rows(std::size_t member, const std::function<bool(std::size_t, int, float)>& keep) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::vector<FeatureColumn> columns_;
};

}  // namespace tillcast::forecast
