#include "forecast/global_blend.h"

#include <charconv>
#include <cmath>

namespace tillcast::forecast {
namespace {

constexpr std::string_view kHead = "tillcast global blend 1\n";

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
    std::vector<double> sum(panel.members.size() * task.steps(), 0.0);
    std::vector<double> count(sum.size(), 0.0);
    for (const auto& part : parts) {
      const auto values = part->predict(panel, task);
      if (!values) return values.error();
      for (std::size_t i = 0; i < sum.size(); ++i) {
        if (!((*values)[i] > 0)) continue;
        sum[i] += std::log((*values)[i]);
        count[i] += 1;
      }
    }
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] = count[i] > 0 ? std::exp(sum[i] / count[i]) : std::nan("");
    return sum;
  }

  /// Of the first part, the default: the others say much the same.
  Result<std::vector<ExplainedStep>> explain(const Panel& panel, std::size_t member,
                                             const PanelTask& task) const override {
    return parts.front()->explain(panel, member, task);
  }

  std::vector<std::shared_ptr<const FittedPanel>> parts;
};

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
