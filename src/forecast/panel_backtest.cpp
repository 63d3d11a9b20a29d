#include <algorithm>
#include <cmath>
#include <limits>

#include "forecast/panel_model.h"

namespace tillcast::forecast {
namespace {

/// Day after the last one of a series, as the number of its next period's first day.
std::int32_t end_day(const Series& series) { return series.date_at(series.size()).days; }

PanelTask task_for(const BacktestOptions& options, unsigned threads) {
  return {options.gap, options.horizon, threads};
}

constexpr double kFitShare = 0.9;  ///< of the time of a fit and its forecasts

/// Where in the progress of all candidates each begins; the last entry is 1.
std::vector<double> candidate_shares(std::span<const PanelCandidate> candidates,
                                     std::span<const Series> series) {
  std::size_t values = 0;
  for (const Series& one : series) values += one.size();
  std::vector<double> shares = {0};
  for (const PanelCandidate& candidate : candidates)
    shares.push_back(shares.back() + candidate.model->fit_seconds(values));
  const double all = std::max(shares.back(), 1e-12);
  for (double& one : shares) one /= all;
  shares.back() = 1;
  return shares;
}

bool usable_at(std::span<const std::uint8_t> usable, std::size_t i) {
  return usable.empty() || usable[i] != 0;
}

/// Puts one origin's forecasts of a candidate into its column, the last one, of the back-tests.
void fill_column(std::span<const Series> series, const Panel& panel, std::span<const double> values,
                 std::size_t origin, const BacktestOptions& options, std::span<SeriesBacktest> tests) {
  const std::size_t steps = options.gap + options.horizon;
  std::vector<double> served(steps);
  for (std::size_t m = 0; m < panel.members.size(); ++m) {
    const PanelMember& member = panel.members[m];
    SeriesBacktest& test = tests[member.series];
    if (test.ends.size() <= origin || !test.refused.back().empty()) continue;
    std::ranges::copy(values.subspan(m * steps, steps), served.begin());
    // NaN before the first step that is read harms nobody.
    std::fill_n(served.begin(), options.gap, 0.0);
    const History history = history_at(series[member.series], test.ends[origin], options);
    if (!serve_steps(history, options.non_negative, served)) {
      test.refused.back() = "declines this series";
      continue;
    }
    const std::size_t column = test.models.size() - 1;
    float* to = test.forecasts.data() + (column * test.ends.size() + origin) * options.horizon;
    for (std::size_t s = 0; s < options.horizon; ++s) to[s] = static_cast<float>(served[options.gap + s]);
  }
}

}  // namespace

Result<std::vector<ExplainedStep>> FittedPanel::explain(const Panel&, std::size_t, const PanelTask&) const {
  return invalid_input("this model does not explain its forecasts");
}

namespace {

/// Of a model that looks at no other member: each is a panel of its own.
class MemberByMember final : public PreparedPanel {
 public:
  MemberByMember(const FittedPanel& fitted, const Panel& panel, const PanelTask& task)
      : fitted_(fitted), panel_(panel), task_(task) {}
  Result<std::vector<double>> predict(std::size_t member) const override {
    return fitted_.predict(alone(member), task_);
  }
  Result<std::vector<ExplainedStep>> explain(std::size_t member) const override {
    return fitted_.explain(alone(member), 0, task_);
  }

 private:
  Panel alone(std::size_t member) const {
    return {panel_.grain, panel_.end, {panel_.members[member]}, panel_.attributes};
  }
  const FittedPanel& fitted_;
  Panel panel_;
  PanelTask task_;
};

}  // namespace

Result<std::shared_ptr<const PreparedPanel>> FittedPanel::prepare(const Panel& panel,
                                                                  const PanelTask& task) const {
  return std::shared_ptr<const PreparedPanel>(std::make_shared<MemberByMember>(*this, panel, task));
}

Panel panel_at(std::span<const Series> series, std::span<const std::uint8_t> usable,
               std::span<const AttributeColumn> attributes, std::size_t back,
               const BacktestOptions& options) {
  Panel panel;
  panel.attributes = attributes;
  std::int32_t latest = std::numeric_limits<std::int32_t>::min();
  for (std::size_t i = 0; i < series.size(); ++i)
    if (usable_at(usable, i) && series[i].size() > 0) latest = std::max(latest, end_day(series[i]));
  for (std::size_t i = 0; i < series.size(); ++i) {
    const Series& one = series[i];
    if (!usable_at(usable, i) || one.size() <= back || end_day(one) != latest) continue;
    PanelMember& member = panel.members.emplace_back();
    member.series = i;
    const std::size_t end = one.size() - back;
    member.history = history_at(one, end, options);
    for (const Driver& driver : one.drivers) {
      const std::size_t ahead =
          std::min(known_ahead(driver.value, one.size()), options.gap + options.horizon);
      const std::size_t known = std::min(end + ahead, driver.value.size());
      member.drivers.push_back({driver.name, driver.kind, std::span(driver.value).first(known)});
    }
    panel.grain = one.grain;
    panel.end = one.date_at(end);
  }
  return panel;
}

Result<> add_panel_backtests(std::span<const Series> series, std::span<const std::uint8_t> usable,
                             std::span<const AttributeColumn> attributes,
                             std::span<const PanelCandidate> candidates, const BacktestOptions& options,
                             unsigned threads, Progress& progress, std::span<SeriesBacktest> tests) {
  const PanelTask task = task_for(options, threads);
  const std::size_t step = options.step > 0 ? options.step : options.horizon;
  std::size_t origins = 0;
  for (const SeriesBacktest& test : tests) origins = std::max(origins, test.ends.size());
  // Who ends earlier than the panel is no member of it.
  std::vector<std::uint8_t> is_member(series.size(), 0);
  for (const PanelMember& member : panel_at(series, usable, attributes, 0, options).members)
    is_member[member.series] = 1;
  const std::vector<double> shares = candidate_shares(candidates, series);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const PanelCandidate& candidate = candidates[c];
    const double width = shares[c + 1] - shares[c];
    ProgressPart fit_part(progress, shares[c], shares[c] + kFitShare * width);
    progress.step(std::string(candidate.model->name()));
    if (progress.cancelled()) return cancelled("forecast stopped on request while back-testing");
    for (std::size_t i = 0; i < tests.size(); ++i) {
      SeriesBacktest& test = tests[i];
      if (!usable_at(usable, i) || test.ends.empty()) continue;
      test.models.push_back(candidate.model->id());
      test.refused.push_back(is_member[i] != 0 ? "" : "ends before the other series");
      test.forecasts.resize(test.models.size() * test.ends.size() * options.horizon);
    }
    const auto refuse_all = [&](const std::string& reason) {
      for (SeriesBacktest& test : tests)
        if (!test.ends.empty() && test.refused.back().empty()) test.refused.back() = reason;
    };
    std::shared_ptr<const FittedPanel> fitted;
    for (std::size_t origin = origins; origin-- > 0;) {
      const Panel panel =
          panel_at(series, usable, attributes, options.gap + options.horizon + origin * step, options);
      if (!fitted || options.refit) {
        const std::string reason = candidate.model->refuses(panel, task);
        if (!reason.empty()) {
          refuse_all(reason);
          break;
        }
        auto fit = candidate.model->fit(panel, task, fit_part);
        if (!fit && fit.error().code == ErrorCode::kCancelled) return fit.error();
        if (!fit) {
          refuse_all(fit.error().message);
          break;
        }
        fitted = std::move(*fit);
        progress.step(std::string(candidate.model->name()) + ": back-test");
      }
      const double predicted = (1 - kFitShare) * width / static_cast<double>(origins);
      const double from =
          shares[c] + kFitShare * width + predicted * static_cast<double>(origins - 1 - origin);
      ProgressPart predict_part(progress, from, from + predicted);
      PanelTask predicting = task;
      predicting.progress = &predict_part;
      const auto values = fitted->predict(panel, predicting);
      if (!values && values.error().code == ErrorCode::kCancelled) return values.error();
      if (!values) {
        refuse_all(values.error().message);
        break;
      }
      fill_column(series, panel, *values, origin, options, tests);
      if (progress.cancelled()) return cancelled("forecast stopped on request while back-testing");
    }
  }
  return {};
}

Result<std::vector<PanelForecast>> forecast_panels(std::span<const Series> series,
                                                   std::span<const std::uint8_t> usable,
                                                   std::span<const AttributeColumn> attributes,
                                                   std::span<const PanelCandidate> candidates,
                                                   const BacktestOptions& options, unsigned threads,
                                                   Progress& progress) {
  const PanelTask task = task_for(options, threads);
  std::vector<PanelForecast> results;
  const Panel panel = candidates.empty() ? Panel{} : panel_at(series, usable, attributes, 0, options);
  const std::vector<double> shares = candidate_shares(candidates, series);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const PanelCandidate& candidate = candidates[c];
    const double middle = shares[c] + kFitShare * (shares[c + 1] - shares[c]);
    ProgressPart fit_part(progress, shares[c], middle);
    ProgressPart predict_part(progress, middle, shares[c + 1]);
    progress.step(std::string(candidate.model->name()));
    if (progress.cancelled())
      return cancelled("forecast stopped on request while fitting models of all series");
    PanelForecast& result = results.emplace_back();
    result.id = candidate.model->id();
    result.steps = task.steps();
    result.values.assign(series.size() * result.steps, std::nan(""));
    result.fitted = candidate.fitted;
    if (!result.fitted) {
      result.refused = candidate.model->refuses(panel, task);
      if (!result.refused.empty()) continue;
      auto fit = candidate.model->fit(panel, task, fit_part);
      if (!fit && fit.error().code == ErrorCode::kCancelled) return fit.error();
      if (!fit) {
        result.refused = fit.error().message;
        continue;
      }
      result.fitted = std::move(*fit);
    }
    PanelTask predicting = task;
    predicting.progress = &predict_part;
    const auto values = result.fitted->predict(panel, predicting);
    if (!values && values.error().code == ErrorCode::kCancelled) return values.error();
    if (!values) {
      result.refused = values.error().message;
      continue;
    }
    for (std::size_t m = 0; m < panel.members.size(); ++m) {
      std::ranges::copy(
          std::span(*values).subspan(m * result.steps, result.steps),
          result.values.begin() + static_cast<std::ptrdiff_t>(panel.members[m].series * result.steps));
    }
  }
  return results;
}

}  // namespace tillcast::forecast
