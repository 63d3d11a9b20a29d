#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "forecast/backtest.h"
#include "forecast/model.h"
#include "forecast/series.h"

namespace tillcast::forecast {

/// A named driver of a panel member: its history, and as many future periods as are known at the cut.
struct DriverView {
  std::string_view name;
  DriverKind kind = DriverKind::kNumber;
  std::span<const float> value;  ///< NaN = unknown
};

/// One series as a panel model sees it.
struct PanelMember {
  std::size_t series = 0;  ///< position of the series in the run, and of its attributes in their columns
  History history;         ///< ends at the cut of the panel
  std::vector<DriverView> drivers;
};

/// All series that are known at one cut: what a panel model may see. Like `History` it holds nothing of the
/// future but the drivers that are known ahead. Borrows from the series and attributes it was made from.
struct Panel {
  Grain grain = Grain::kDaily;
  Date end;                                     ///< first day of the first period after the cut
  std::vector<PanelMember> members;             ///< those with at least one period, in the order of the run
  std::span<const AttributeColumn> attributes;  ///< known of series and unchanging; AttributeColumn::value is
                                                ///< indexed by PanelMember::series
};

/// Which steps a panel model is asked for, and how it may work.
struct PanelTask {
  std::size_t gap = 0;      ///< steps after the cut that nobody reads: a model may skip learning them
  std::size_t horizon = 1;  ///< steps after the gap
  unsigned threads = 0;     ///< 0 = one per core
  /// Hears how far predict() is, and may stop it (kCancelled); fit() has one of its own. nullptr = nobody.
  Progress* progress = nullptr;

  std::size_t steps() const { return gap + horizon; }
};

/// Why a forecast is what it is: parts that sum to it.
struct ExplainedStep {
  struct Part {
    std::string name;  ///< "base", "calendar", "promotion", "last year", the name of a driver, ...
    double value = 0;
  };
  std::size_t step = 0;  ///< 0 = first step after the cut
  bool logarithm =
      false;  ///< parts sum to the logarithm of the forecast (exp of a part is a factor), else to it
  std::vector<Part> parts;  ///< "base" first, then by size, largest first
  double forecast = 0;      ///< before closed days and negative values are set to 0
};

/// A fit at one panel, ready for forecasts of single members. Borrows what the panel borrows; thread-safe.
class PreparedPanel {
 public:
  virtual ~PreparedPanel() = default;
  /// The steps of one member, equal to its part of FittedPanel::predict.
  virtual Result<std::vector<double>> predict(std::size_t member) const = 0;
  /// See FittedPanel::explain.
  virtual Result<std::vector<ExplainedStep>> explain(std::size_t member) const = 0;
};

/// What a panel model learnt: immutable, usable at its own and at any later cut, from several threads at
/// once.
class FittedPanel {
 public:
  virtual ~FittedPanel() = default;
  /// The fit as text, which PanelModel::load of the same model reads back to equal forecasts.
  virtual std::string save() const = 0;
  /// Forecasts task.steps() steps after the panel's cut for every member: [member][step]. NaN = declines that
  /// value; a series with a NaN among the steps asked for takes its next candidate instead.
  /// @return kCancelled when task.progress asked to stop.
  virtual Result<std::vector<double>> predict(const Panel& panel, const PanelTask& task) const = 0;
  /// The parts of a member's forecasts, for each step asked for; none for a series the model declines.
  /// @param member  position in panel.members
  virtual Result<std::vector<ExplainedStep>> explain(const Panel& panel, std::size_t member,
                                                     const PanelTask& task) const;
  /// What forecasts of single members share, computed once. The fit must outlive what is returned. By default
  /// for models that look at no member but the one they forecast.
  virtual Result<std::shared_ptr<const PreparedPanel>> prepare(const Panel& panel,
                                                               const PanelTask& task) const;
};

/// A model that learns from all series at once. Implementations are immutable and thread-safe; fit and
/// predict are pure functions of their arguments and do not depend on the number of threads.
class PanelModel {
 public:
  virtual ~PanelModel() = default;
  /// Its place in the table of models (name, paper, order of simplicity). One model of an id in a run.
  virtual ModelId id() const = 0;
  /// As in tables and reports.
  std::string_view name() const { return model(id()).name; }
  /// Why the model cannot learn from this panel, empty when it can.
  virtual std::string refuses(const Panel& panel, const PanelTask& task) const = 0;
  /// CPU seconds that a fit on so many values takes, roughly: shares of a run's progress follow from it.
  virtual double fit_seconds(std::size_t values) const { return 0.3e-6 * static_cast<double>(values); }
  /// Learns from the panel, whose steps the task tells. @return kCancelled when progress asked to stop.
  virtual Result<std::shared_ptr<const FittedPanel>> fit(const Panel& panel, const PanelTask& task,
                                                         Progress& progress) const = 0;
  /// What FittedPanel::save wrote. @return kCorruptData for anything else.
  virtual Result<std::shared_ptr<const FittedPanel>> load(std::string_view text) const = 0;
};

/// A panel model as a candidate of a run.
struct PanelCandidate {
  std::shared_ptr<const PanelModel> model;
  /// A fit of an earlier run: the final forecast uses it instead of a new one (an update with new actuals).
  /// The back-test fits for itself all the same, since this fit may have seen its origins.
  std::shared_ptr<const FittedPanel> fitted;
};

/// The panel at the cut that lies `back` periods before the end of the series, for the series that are usable
/// (`usable[i]` != 0), end with the latest of them and are known there. The only place where panels are cut.
Panel panel_at(std::span<const Series> series, std::span<const std::uint8_t> usable,
               std::span<const AttributeColumn> attributes, std::size_t back, const BacktestOptions& options);

/// Forecasts of a candidate after the end of all series.
struct PanelForecast {
  ModelId id = ModelId::kZero;
  std::shared_ptr<const FittedPanel> fitted;  ///< nullptr when refused
  std::string refused;                        ///< why it was left out
  std::size_t steps = 0;
  std::vector<double> values;  ///< [series][step] by position in the run; NaN where declined

  std::span<const double> of(std::size_t series) const {
    return std::span(values).subspan(series * steps, steps);
  }
};

/// Adds each candidate to the back-tests as one more model column, at the origins the series have: fitted at
/// the oldest origin, predicting at the newer ones, unless options.refit. Closed steps are 0 and demand is
/// never negative, as for all models. A candidate that refuses or fails is a refused column with its reason;
/// it fails nothing else. @return kCancelled when progress asked to stop.
Result<> add_panel_backtests(std::span<const Series> series, std::span<const std::uint8_t> usable,
                             std::span<const AttributeColumn> attributes,
                             std::span<const PanelCandidate> candidates, const BacktestOptions& options,
                             unsigned threads, Progress& progress, std::span<SeriesBacktest> tests);

/// Fits (or reuses) each candidate on all data and forecasts gap + horizon steps.
/// @return kCancelled when progress asked to stop.
Result<std::vector<PanelForecast>> forecast_panels(std::span<const Series> series,
                                                   std::span<const std::uint8_t> usable,
                                                   std::span<const AttributeColumn> attributes,
                                                   std::span<const PanelCandidate> candidates,
                                                   const BacktestOptions& options, unsigned threads,
                                                   Progress& progress);

}  // namespace tillcast::forecast
