#include "forecast/served_model.h"

#include <algorithm>
#include <cmath>

#include "forecast/fitted_panels_internal.h"
#include "forecast/outliers.h"

namespace tillcast::forecast {
namespace {

constexpr std::size_t kPreparedMax = 4;  // horizons kept

std::string declines(ModelId id, const std::string& why) {
  return "model " + std::string(model(id).name) + " cannot forecast so far ahead: " + why;
}

/// Horizons are prepared in steps, so that requests of many lengths share one.
std::size_t prepared_length(std::size_t horizon, std::size_t fitted) {
  std::size_t length = fitted;
  while (length < horizon) length *= 2;
  return length;
}

}  // namespace

Result<std::shared_ptr<const ServedModel>> ServedModel::create(FittedRun fitted,
                                                               std::span<const PanelCandidate> known,
                                                               std::shared_ptr<const PlanInput> input) {
  auto served = std::make_shared<ServedModel>();
  served->fitted_ = std::move(fitted);
  served->input_ = std::move(input);
  for (const FittedSeries& one : served->fitted_.series)
    if (one.usable) served->by_id_.emplace(one.id, &one);
  auto panels = TILLCAST_TRY_PLAIN(load_panels(served->fitted_.panels, known));
  for (PanelCandidate& panel : panels) served->panels_[panel.model->id()] = std::move(panel.fitted);
  served->fitted_.panels.clear();
  if (served->input_ != nullptr)
    for (std::size_t i = 0; i < served->input_->ids.size(); ++i)
      served->place_of_.emplace(served->input_->ids[i], i);
  return std::shared_ptr<const ServedModel>(std::move(served));
}

const FittedSeries* ServedModel::find(std::string_view id, const Series& series) const {
  const auto at = by_id_.find(id);
  if (at == by_id_.end() || at->second->start != series.start || at->second->known > series.size())
    return nullptr;
  return at->second;
}

std::optional<std::size_t> ServedModel::place(std::string_view id) const {
  const auto at = place_of_.find(id);
  return at == place_of_.end() ? std::nullopt : std::optional(at->second);
}

std::shared_ptr<const ServedModel::Prepared> ServedModel::prepare(std::size_t horizon) const {
  const std::lock_guard lock(mutex_);
  const auto found = prepared_.find(horizon);
  if (found != prepared_.end()) {
    found->second.used = ++prepared_uses_;
    return found->second.panels;
  }
  BacktestOptions options = fitted_.options;
  options.horizon = horizon;
  std::vector<std::uint8_t> usable(input_->series.size());
  for (std::size_t i = 0; i < usable.size(); ++i)
    usable[i] = input_->series[i].refused.empty() && input_->series[i].size() > 0 ? 1 : 0;
  const Panel panel = panel_at(input_->series, usable, input_->attributes, 0, options);
  auto made = std::make_shared<Prepared>();
  for (std::size_t m = 0; m < panel.members.size(); ++m) made->member_of[panel.members[m].series] = m;
  for (const auto& [id, fitted] : panels_)
    made->panels.emplace(id, fitted->prepare(panel, {options.gap, horizon, 1}));
  if (prepared_.size() >= kPreparedMax)
    prepared_.erase(std::ranges::min_element(prepared_, {}, [](const auto& one) { return one.second.used; }));
  prepared_[horizon] = {made, ++prepared_uses_};
  return made;
}

Result<MemberForecast> ServedModel::panel_member(const std::string& id, const FittedMember& which,
                                                 const Series& series, const BacktestOptions& options,
                                                 const HistoryExplanation* explanation) const {
  if (input_ == nullptr)
    return invalid_input(declines(which.model, "the plan's series do not fit into serve.history_mb"));
  const auto place = place_of_.find(id);
  const auto prepared = prepare(
      explanation != nullptr ? options.horizon : prepared_length(options.horizon, fitted_.options.horizon));
  const auto panel = prepared->panels.find(which.model);
  if (panel == prepared->panels.end())
    return invalid_input(declines(which.model, "the version has not kept it"));
  if (!panel->second) return invalid_input(declines(which.model, panel->second.error().message));
  const auto member =
      place == place_of_.end() ? prepared->member_of.end() : prepared->member_of.find(place->second);
  if (member == prepared->member_of.end())
    return invalid_input(declines(which.model, "the series ends early"));
  MemberForecast made{which.model, which.weight, {}, {}};
  made.steps = TILLCAST_TRY_PLAIN((*panel->second)->predict(member->second));
  made.steps.resize(options.gap + options.horizon);
  std::fill_n(made.steps.begin(), options.gap, 0.0);
  if (!serve_steps(history_at(series, series.size(), options), options.non_negative, made.steps))
    return MemberForecast{which.model, 0, {}, {}};  // declines this series
  made.steps.erase(made.steps.begin(), made.steps.begin() + static_cast<std::ptrdiff_t>(options.gap));
  if (explanation == nullptr) return made;
  const auto said = (*panel->second)->explain(member->second);
  if (!said || said->empty()) {  // a model without an explanation of its own
    made.explained = explanation->of(made.steps);
    return made;
  }
  made.explained.resize(made.steps.size());
  for (const ExplainedStep& one : *said) {
    if (one.step < options.gap || one.step - options.gap >= made.steps.size()) continue;
    const std::size_t step = one.step - options.gap;
    made.explained[step] = made.steps[step] > 0 ? parts_of(one) : ForecastParts{{"closed", 0}};
  }
  return made;
}

Result<std::vector<MemberForecast>> ServedModel::members(const std::string& id, const Series& series,
                                                         std::size_t horizon,
                                                         const HistoryExplanation* explanation) const {
  const FittedSeries* const known = find(id, series);
  if (known == nullptr) return not_found("the model version does not know series '" + id + "'");
  BacktestOptions options = fitted_.options;
  options.horizon = horizon;
  const History raw = history_at(series, series.size(), options);
  const CappedValues capped = cap_outliers(raw, known->demand_class, options.outliers);
  History cleaned = raw;
  cleaned.value = capped.value;
  const auto own_member = [&](const FittedMember& which) -> MemberForecast {
    const Model& own = model(which.model);
    const History& history = own.capped ? cleaned : raw;
    MemberForecast member{which.model, which.weight, std::vector<double>(options.gap + horizon), {}};
    if (!own.refuses(history).empty() ||
        !predict_steps(own, history, which.parameters, options.non_negative, member.steps))
      return {which.model, 0, {}, {}};
    member.steps.erase(member.steps.begin(), member.steps.begin() + static_cast<std::ptrdiff_t>(options.gap));
    if (explanation != nullptr) member.explained = explanation->of(member.steps);
    return member;
  };
  std::vector<MemberForecast> made;
  double weights = 0;
  for (const FittedMember& which : known->members) {
    MemberForecast member = is_panel_model(which.model)
                                ? TILLCAST_TRY_PLAIN(panel_member(id, which, series, options, explanation))
                                : own_member(which);
    // As in the run, a model that declines the series leaves its weight to the others; but one that reaches
    // no further than the stored forecast must not be left out of a longer one in silence.
    if (member.steps.empty()) {
      if (horizon > fitted_.options.horizon)
        return invalid_input(declines(which.model, "it declines the series"));
      continue;
    }
    weights += member.weight;
    made.push_back(std::move(member));
  }
  if (!(weights > 0)) return invalid_input("the model version has no model for series '" + id + "'");
  for (MemberForecast& member : made) member.weight /= weights;
  return made;
}

}  // namespace tillcast::forecast
