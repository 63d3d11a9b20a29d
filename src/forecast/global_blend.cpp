#include "forecast/global_blend.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

namespace tillcast::forecast {
namespace {

constexpr std::string_view kHead = "tillcast global blend 1\n";

/// The mean of the logarithms of several forecasts; NaN where none is positive.
std::vector<double> mean_of_logarithms(std::span<const std::vector<double>> rows) {
  std::vector<double> sum(rows.empty() ? 0 : rows[0].size(), 0.0);
  std::vector<double> count(sum.size(), 0.0);
  for (const auto& values : rows)
    for (std::size_t i = 0; i < sum.size(); ++i) {
      if (!(values[i] > 0)) continue;
      sum[i] += std::log(values[i]);
      count[i] += 1;
    }
  for (std::size_t i = 0; i < sum.size(); ++i)
    sum[i] = count[i] > 0 ? std::exp(sum[i] / count[i]) : std::nan("");
  return sum;
}

/// The mean parts of each step over those that explain it. All parts are on the scale of logarithms.
std::vector<ExplainedStep> mean_of_steps(std::span<const std::vector<ExplainedStep>> said,
                                         std::size_t steps) {
  std::vector<ExplainedStep> means;
  for (std::size_t at = 0; at < steps; ++at) {
    ExplainedStep mean{.step = at, .logarithm = true, .parts = {{"base", 0}}, .forecast = 0};
    double count = 0;
    for (const auto& own : said) {
      const auto step = std::ranges::find(own, at, &ExplainedStep::step);
      if (step == own.end()) continue;
      count += 1;
      for (const auto& part : step->parts) {
        const auto known = std::ranges::find(mean.parts, part.name, &ExplainedStep::Part::name);
        if (known == mean.parts.end())
          mean.parts.push_back(part);
        else
          known->value += part.value;
      }
    }
    if (count == 0) continue;
    double sum = 0;
    for (auto& part : mean.parts) sum += part.value /= count;
    std::ranges::stable_sort(mean.parts.begin() + 1, mean.parts.end(), std::ranges::greater{},
                             [](const ExplainedStep::Part& part) { return std::abs(part.value); });
    mean.forecast = std::exp(sum);
    means.push_back(std::move(mean));
  }
  return means;
}

class FittedBlend final : public FittedPanel {
 public:
  std::string save() const override {
    std::string text(kHead);
    for (const auto& part : parts) {
      const std::string own = part->save();
      text += std::to_string(own.size()) + "\n" + own;
    }
    return text;
  }

  Result<std::vector<double>> predict(const Panel& panel, const PanelTask& task) const override {
    std::vector<std::vector<double>> rows;
    for (const auto& part : parts) {
      auto values = part->predict(panel, task);
      if (!values) return values;
      rows.push_back(std::move(*values));
    }
    return mean_of_logarithms(rows);
  }

  /// The mean of what the parts say, as the logarithm of the forecast is the mean of theirs.
  Result<std::vector<ExplainedStep>> explain(const Panel& panel, std::size_t member,
                                             const PanelTask& task) const override {
    std::vector<std::vector<ExplainedStep>> said;
    for (const auto& part : parts) {
      auto own = part->explain(panel, member, task);
      if (!own) return own;
      said.push_back(std::move(*own));
    }
    return mean_of_steps(said, task.steps());
  }
  Result<std::shared_ptr<const PreparedPanel>> prepare(const Panel& panel,
                                                       const PanelTask& task) const override;

  std::vector<std::shared_ptr<const FittedPanel>> parts;
};

/// The parts of a blend, each prepared.
class PreparedBlend final : public PreparedPanel {
 public:
  PreparedBlend(std::vector<std::shared_ptr<const PreparedPanel>> parts, std::size_t steps)
      : parts_(std::move(parts)), steps_(steps) {}
  Result<std::vector<double>> predict(std::size_t member) const override {
    std::vector<std::vector<double>> rows;
    for (const auto& part : parts_) {
      auto values = part->predict(member);
      if (!values) return values;
      rows.push_back(std::move(*values));
    }
    return mean_of_logarithms(rows);
  }
  Result<std::vector<ExplainedStep>> explain(std::size_t member) const override {
    std::vector<std::vector<ExplainedStep>> said;
    for (const auto& part : parts_) {
      auto own = part->explain(member);
      if (!own) return own;
      said.push_back(std::move(*own));
    }
    return mean_of_steps(said, steps_);
  }

 private:
  std::vector<std::shared_ptr<const PreparedPanel>> parts_;
  std::size_t steps_;
};

Result<std::shared_ptr<const PreparedPanel>> FittedBlend::prepare(const Panel& panel,
                                                                  const PanelTask& task) const {
  std::vector<std::shared_ptr<const PreparedPanel>> prepared;
  for (const auto& part : parts) {
    auto one = part->prepare(panel, task);
    if (!one) return one;
    prepared.push_back(std::move(*one));
  }
  return std::shared_ptr<const PreparedPanel>(
      std::make_shared<PreparedBlend>(std::move(prepared), task.steps()));
}

}  // namespace

std::vector<GlobalModelOptions> full_recipe() {
  std::vector<GlobalModelOptions> parts(4);
  for (GlobalModelOptions& part : parts) part.seeds = 1;
  parts[1].booster.leaves = 63;
  parts[1].booster.column_share = 0.2;
  parts[1].booster.seed = 11;
  parts[2].half_life = 365;
  parts[2].booster.seed = 21;
  parts[3].left_out = {"all_7", "all_14", "all_28", "all_91", "all_year", "own_to_all"};
  parts[3].booster.seed = 31;
  return parts;
}

double GlobalBlend::fit_seconds(std::size_t values) const {
  double seconds = 0;
  for (const GlobalModelOptions& part : parts_) seconds += GlobalModel(part).fit_seconds(values);
  return seconds;
}

std::string GlobalBlend::refuses(const Panel& panel, const PanelTask& task) const {
  if (parts_.empty()) return "has no parts";
  for (const GlobalModelOptions& part : parts_)
    if (const std::string reason = GlobalModel(part).refuses(panel, task); !reason.empty()) return reason;
  return {};
}

Result<std::shared_ptr<const FittedPanel>> GlobalBlend::fit(const Panel& panel, const PanelTask& task,
                                                            Progress& progress) const {
  if (const std::string reason = refuses(panel, task); !reason.empty()) return invalid_input(reason);
  auto fitted = std::make_shared<FittedBlend>();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const auto count = static_cast<double>(parts_.size());
    ProgressPart own(progress, static_cast<double>(i) / count, static_cast<double>(i + 1) / count);
    auto part = GlobalModel(parts_[i]).fit(panel, task, own);
    if (!part) return part.error();
    fitted->parts.push_back(std::move(*part));
  }
  return fitted;
}

Result<std::shared_ptr<const FittedPanel>> GlobalBlend::load(std::string_view text) const {
  const auto broken = [] {
    return corrupt_data("global blend does not read back: it is cut off or damaged");
  };
  if (!text.starts_with(kHead)) return broken();
  text.remove_prefix(kHead.size());
  auto fitted = std::make_shared<FittedBlend>();
  while (!text.empty()) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    const auto head = static_cast<std::size_t>(end - text.data()) + 1;
    if (error != std::errc() || head > text.size() || text[head - 1] != '\n' || size > text.size() - head)
      return broken();
    auto part = GlobalModel(GlobalModelOptions{}).load(text.substr(head, size));
    if (!part) return part.error();
    fitted->parts.push_back(std::move(*part));
    text.remove_prefix(head + size);
  }
  if (fitted->parts.empty()) return broken();
  return fitted;
}

}  // namespace tillcast::forecast
