#include <algorithm>
#include <cmath>
#include <map>

#include "forecast/global_model.h"

namespace tillcast::forecast {

Result<std::vector<ExplainedStep>> FittedGlobal::explain(const Panel& panel, std::size_t member,
                                                         const PanelTask& task) const {
  if (member >= panel.members.size())
    return not_found("series " + std::to_string(member) + " of a panel of " +
                     std::to_string(panel.members.size()));
  const RecodedPanel known(panel, codes);
  const PanelFeatures features(known.panel, task, {0}, logarithm);
  if (Result<> checked = check_columns(features); !checked) return checked.error();
  FeatureRows rows;
  features.add_rows(
      member, [&](std::size_t, int step, float) { return step >= static_cast<int>(task.gap); }, rows);
  return explain_rows(rows);
}

Result<std::vector<ExplainedStep>> FittedGlobal::explain_rows(const FeatureRows& rows) const {
  std::vector<std::map<std::string, double>> groups(rows.size());
  std::vector<double> means(rows.size());
  for (const Booster& booster : boosters) {
    const auto shares = booster.contributions(rows.values);
    if (!shares) return shares.error();
    const auto weight = 1 / static_cast<double>(boosters.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double* of_row = shares->data() + i * (columns.size() + 1);
      for (std::size_t column = 0; column < columns.size(); ++column)
        groups[i][columns[column].group] += weight * of_row[column];
      means[i] += weight * of_row[columns.size()];
    }
  }
  std::vector<ExplainedStep> steps(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ExplainedStep& step = steps[i];
    step.step = static_cast<std::size_t>(rows.step[i]);
    step.logarithm = true;
    // What the trees say of an average row belongs to the base, and so does the back-transform.
    step.parts.push_back({"base", rows.offset[i] + means[i] + std::log(factor)});
    for (const auto& [name, value] : groups[i]) step.parts.push_back({name, value});
    std::ranges::stable_sort(step.parts.begin() + 1, step.parts.end(), std::ranges::greater{},
                             [](const ExplainedStep::Part& part) { return std::abs(part.value); });
    double sum = 0;
    for (const ExplainedStep::Part& part : step.parts) sum += part.value;
    step.forecast = std::exp(sum);
  }
  return steps;
}

}  // namespace tillcast::forecast
