// Bytes of a step: its name and a line end, the numbers as they lie in memory, FNV-1a of all that. Only the
// program that wrote them reads them.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/text.h"
#include "forecast/kept_steps_internal.h"

namespace tillcast::forecast {
namespace {

template <class T>
void put(std::string& out, T value) {
  static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>, "no padding");
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
void put_all(std::string& out, std::span<const T> values) {
  static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>, "no padding");
  put(out, values.size());
  out.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
}

/// Values in the order they were put; after the first that is not there, nothing but zeros.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && left_.empty(); }
  template <class T>
  T next() {
    T value{};
    take(&value, sizeof value);
    return value;
  }
  template <class T>
  std::vector<T> all() {
    std::vector<T> values(count(sizeof(T)));
    take(values.data(), values.size() * sizeof(T));
    return values;
  }
  std::string text() {
    std::string value(count(1), ' ');
    take(value.data(), value.size());
    return value;
  }
  /// How many items of at least so many bytes follow; never more than there is room for.
  std::size_t count(std::size_t bytes_min) {
    const auto value = next<std::size_t>();
    ok_ = ok_ && value <= left_.size() / bytes_min;
    return ok_ ? value : 0;
  }

 private:
  void take(void* to, std::size_t bytes) {
    ok_ = ok_ && bytes <= left_.size();
    if (!ok_ || bytes == 0) return;
    std::memcpy(to, left_.data(), bytes);
    left_.remove_prefix(bytes);
  }
  std::string_view left_;
  bool ok_ = true;
};

std::string step_of(const char* what, const Stretch& stretch) {
  return what + std::to_string(stretch.from) + "-" + std::to_string(stretch.to);
}

void put_backtest(std::string& out, const SeriesBacktest& test) {
  put(out, test.demand_class);
  put(out, test.demand_class_now);
  put_all(out, std::span(test.ends));
  put_all(out, std::span(test.models));
  for (const std::string& reason : test.refused) put_all(out, std::span(reason));
  put(out, test.horizon);
  put(out, test.gap);
  put(out, test.scale);
  for (const double scale : {test.scales.seasonal, test.scales.absolute, test.scales.squared})
    put(out, scale);
  put_all(out, std::span(test.forecasts));
}

SeriesBacktest next_backtest(Bytes& in) {
  SeriesBacktest test;
  test.demand_class = in.next<DemandClass>();
  test.demand_class_now = in.next<DemandClass>();
  test.ends = in.all<std::size_t>();
  test.models = in.all<ModelId>();
  for (std::size_t m = 0; m < test.models.size(); ++m) test.refused.push_back(in.text());
  test.horizon = in.next<std::size_t>();
  test.gap = in.next<std::size_t>();
  test.scale = in.next<double>();
  for (double* scale : {&test.scales.seasonal, &test.scales.absolute, &test.scales.squared})
    *scale = in.next<double>();
  test.forecasts = in.all<float>();
  return test;
}

/// A model of all series whose fits are kept: one for each cut, as the back-test and the forecast ask for it.
class KeptFits final : public PanelModel {
 public:
  KeptFits(std::shared_ptr<const PanelModel> model, const KeptSteps& kept, double seconds_min)
      : model_(std::move(model)), kept_(kept), seconds_min_(seconds_min) {}
  ModelId id() const override { return model_->id(); }
  std::string refuses(const Panel& panel, const PanelTask& task) const override {
    return model_->refuses(panel, task);
  }
  double fit_seconds(std::size_t values) const override { return model_->fit_seconds(values); }
  Result<std::shared_ptr<const FittedPanel>> fit(const Panel& panel, const PanelTask& task,
                                                 Progress& progress) const override {
    std::size_t values = 0;
    for (const PanelMember& member : panel.members) values += member.history.size();
    if (fit_seconds(values) < seconds_min_) return model_->fit(panel, task, progress);
    const std::string step = "fit-" + std::string(name()) + "-" + format_date(panel.end);
    if (const auto text = kept_.find(step)) {
      if (auto loaded = model_->load(*text)) {
        progress.update(1, 1);
        return loaded;
      }
    }
    auto fitted = model_->fit(panel, task, progress);
    if (fitted) kept_.keep(step, (*fitted)->save());
    return fitted;
  }
  Result<std::shared_ptr<const FittedPanel>> load(std::string_view text) const override {
    return model_->load(text);
  }

 private:
  std::shared_ptr<const PanelModel> model_;
  const KeptSteps& kept_;
  double seconds_min_;
};

}  // namespace

std::vector<Stretch> KeptSteps::stretches(std::span<const Series> series, double value_seconds) const {
  std::vector<Stretch> all = {{0, 0}};
  double seconds = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (all.back().kept) all.push_back({i, i});
    all.back().to = i + 1;
    seconds += value_seconds * static_cast<double>(series[i].size());
    if (checkpoint_ == nullptr || seconds < seconds_min_) continue;
    all.back().kept = true;
    seconds = 0;
  }
  return all;
}

std::optional<std::string> KeptSteps::find(const std::string& step) const {
  auto bytes = checkpoint_->find(step);
  if (!bytes || !bytes->starts_with(step + "\n")) return std::nullopt;
  std::uint64_t hash = 0;
  if (bytes->size() < step.size() + 1 + sizeof hash) return std::nullopt;
  const std::size_t end = bytes->size() - sizeof hash;
  std::memcpy(&hash, bytes->data() + end, sizeof hash);
  if (fnv1a(std::string_view(*bytes).substr(0, end)) != hash) return std::nullopt;
  return bytes->substr(step.size() + 1, end - step.size() - 1);
}

void KeptSteps::keep(const std::string& step, std::string text) const {
  text.insert(0, step + "\n");
  put(text, fnv1a(text));
  checkpoint_->keep(step, text);
}

void KeptSteps::find_backtests(std::span<Stretch> stretches, std::span<SeriesBacktest> tests) const {
  std::size_t found = 0;
  for (Stretch& stretch : stretches) {
    const auto text = stretch.kept ? find(step_of("back-test-", stretch)) : std::nullopt;
    if (!text) continue;
    Bytes in(*text);
    std::vector<SeriesBacktest> read;
    read.reserve(stretch.size());
    for (std::size_t i = 0; i < stretch.size() && in.ok(); ++i) read.push_back(next_backtest(in));
    stretch.found = in.at_end();
    if (!stretch.found) continue;
    std::ranges::move(read, tests.begin() + static_cast<std::ptrdiff_t>(stretch.from));
    found += stretch.size();
  }
  if (found > 0) checkpoint_->resumed(found, tests.size());
}

void KeptSteps::keep_backtests(const Stretch& stretch, std::span<const SeriesBacktest> tests) const {
  std::string text;
  for (const SeriesBacktest& test : tests.subspan(stretch.from, stretch.size())) put_backtest(text, test);
  keep(step_of("back-test-", stretch), std::move(text));
}

bool KeptSteps::find_members(const Stretch& stretch, std::span<SeriesForecast> forecasts) const {
  const auto text = stretch.kept ? find(step_of("learnt-", stretch)) : std::nullopt;
  if (!text) return false;
  Bytes in(*text);
  std::vector<std::vector<FittedMember>> read;
  for (std::size_t i = 0; i < stretch.size() && in.ok(); ++i) {
    auto& members = read.emplace_back(in.count(1));
    for (FittedMember& member : members) {
      member.model = in.next<ModelId>();
      member.parameters = in.all<double>();
    }
  }
  if (!in.at_end()) return false;
  for (std::size_t i = 0; i < read.size(); ++i)
    forecasts[stretch.from + i].fitted.members = std::move(read[i]);
  return true;
}

void KeptSteps::keep_members(const Stretch& stretch, std::span<const SeriesForecast> forecasts) const {
  std::string text;
  for (const SeriesForecast& one : forecasts.subspan(stretch.from, stretch.size())) {
    put(text, one.fitted.members.size());
    for (const FittedMember& member : one.fitted.members) {
      put(text, member.model);
      put_all(text, std::span(member.parameters));
    }
  }
  keep(step_of("learnt-", stretch), std::move(text));
}

std::vector<PanelCandidate> KeptSteps::with_kept_fits(std::vector<PanelCandidate> candidates) const {
  if (checkpoint_ == nullptr) return candidates;
  for (PanelCandidate& one : candidates)
    one.model = std::make_shared<KeptFits>(std::move(one.model), *this, seconds_min_);
  return candidates;
}

}  // namespace tillcast::forecast
