// Text of a fitted run; docs/formats/models.md is the format.
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <limits>

#include "core/text.h"
#include "forecast/fitted_model.h"

namespace tillcast::forecast {
namespace {

constexpr std::string_view kMagic = "tillcast-model 1";

// --- writing ---

void put(std::string& out, double value) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::hex).ptr;
  out += ' ';
  out.append(text.data(), end);
}

void put(std::string& out, std::size_t value) {
  out += ' ';
  out += std::to_string(value);
}

void put(std::string& out, float value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto bits = std::bit_cast<std::uint32_t>(value);
  out += ' ';
  for (int shift = 28; shift >= 0; shift -= 4) out += kDigits[(bits >> shift) & 15U];
}

// Percent-encoded, so that it is one word; "-" is the empty text.
void put(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  out += ' ';
  if (text.empty()) out += '-';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && c != '%' && !(c == '-' && text.size() == 1)) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
}

// --- reading ---

// Words of a text, line by line; the first fault stays.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  bool ok() const { return fault_.empty(); }
  Error error() const {
    return corrupt_data("model text, line " + std::to_string(line_) + ": " + fault_ +
                        "; fit again with `tillcast forecast fit`");
  }
  void fault(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }
  std::string_view word() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n'))
      line_ += text_[at_++] == '\n' ? 1 : 0;
    const std::size_t from = at_;
    while (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '\n') ++at_;
    if (from == at_) fault("it ends too early");
    return text_.substr(from, at_ - from);
  }
  void expect(std::string_view wanted) {
    const std::string_view found = word();
    if (found != wanted) fault("expected '" + std::string(wanted) + "', found '" + std::string(found) + "'");
  }
  std::string_view raw(std::size_t bytes) {
    ++at_;  // the end of the line
    if (at_ + bytes > text_.size()) {
      fault("it ends too early");
      return {};
    }
    at_ += bytes;
    return text_.substr(at_ - bytes, bytes);
  }
  template <class T>
  T number(int base = 10) {
    const std::string_view found = word();
    T value{};
    const auto parsed = std::from_chars(found.data(), found.data() + found.size(), value, base);
    if (parsed.ec != std::errc{} || parsed.ptr != found.data() + found.size())
      fault("expected a whole number, found '" + std::string(found) + "'");
    return value;
  }
  double real() {
    const std::string_view found = word();
    double value = 0;
    const auto parsed =
        std::from_chars(found.data(), found.data() + found.size(), value, std::chars_format::hex);
    if (parsed.ec != std::errc{} || parsed.ptr != found.data() + found.size())
      fault("expected a number, found '" + std::string(found) + "'");
    return value;
  }
  /// How many items follow; never more than there is text for.
  std::size_t count() {
    const auto value = number<std::size_t>();
    if (value <= text_.size()) return value;
    fault("there cannot be " + std::to_string(value) + " items");
    return 0;
  }
  std::string text() {
    const std::string_view found = word();
    std::string decoded;
    if (found == "-") return decoded;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] != '%') {
        decoded += found[i];
        continue;
      }
      unsigned byte = 0;
      if (i + 2 >= found.size() ||
          std::from_chars(found.data() + i + 1, found.data() + i + 3, byte, 16).ptr != found.data() + i + 3) {
        fault("a broken escape in '" + std::string(found) + "'");
        return decoded;
      }
      decoded += static_cast<char>(byte);
      i += 2;
    }
    return decoded;
  }
  std::size_t position() const { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::string fault_;
};

ModelId read_model(Words& in) {
  const std::string_view name = in.word();
  const Model* const which = find_model(name);
  if (which != nullptr) return which->id;
  in.fault("there is no model '" + std::string(name) + "' in this program");
  return ModelId::kZero;
}

FittedSeries read_series(Words& in) {
  FittedSeries one;
  in.expect("series");
  one.id = in.text();
  const std::string_view status = in.word();
  one.usable = status != "refused";
  one.fallback = status == "fallback";
  if (status != "ok" && status != "fallback" && status != "refused")
    in.fault("unknown status '" + std::string(status) + "'");
  one.reason = in.text();
  one.model = read_model(in);
  const std::string_view class_name = in.word();
  bool known = false;
  for (std::size_t i = 0; i < kDemandClassCount; ++i) {
    if (demand_class_name(static_cast<DemandClass>(i)) != class_name) continue;
    one.demand_class = static_cast<DemandClass>(i);
    known = true;
  }
  if (!known) in.fault("unknown class '" + std::string(class_name) + "'");
  one.start = Date{in.number<std::int32_t>()};
  one.known = in.number<std::size_t>();
  one.members.resize(in.count());
  for (FittedMember& member : one.members) {
    if (!in.ok()) break;
    member.model = read_model(in);
    member.weight = in.real();
    member.parameters.resize(in.count());
    for (double& value : member.parameters) value = in.ok() ? in.real() : 0;
  }
  one.ends.resize(in.count());
  for (std::size_t& value : one.ends) value = in.ok() ? in.number<std::size_t>() : 0;
  one.forecasts.resize(in.count());
  for (float& value : one.forecasts)
    value = in.ok() ? std::bit_cast<float>(in.number<std::uint32_t>(16)) : 0.0F;
  return one;
}

}  // namespace

std::string format_fitted(const FittedRun& fitted) {
  std::string out(kMagic);
  const BacktestOptions& options = fitted.options;
  out += "\noptions";
  for (const std::size_t value :
       {options.horizon, options.gap, options.origins, options.step, static_cast<std::size_t>(options.season),
        static_cast<std::size_t>(options.refit), static_cast<std::size_t>(options.non_negative),
        static_cast<std::size_t>(fitted.grain), static_cast<std::size_t>(options.outliers.enabled),
        static_cast<std::size_t>(options.outliers.neighbours),
        static_cast<std::size_t>(options.outliers.count_min)})
    put(out, value);
  put(out, options.outliers.spreads);
  put(out, fitted.total_share);
  out += "\nseries-count";
  put(out, fitted.series.size());
  for (const FittedSeries& one : fitted.series) {
    out += "\nseries";
    put(out, std::string_view(one.id));
    out += one.usable ? one.fallback ? " fallback" : " ok" : " refused";
    put(out, std::string_view(one.reason));
    put(out, model(one.model).name);
    put(out, demand_class_name(one.demand_class));
    out += ' ' + std::to_string(one.start.days);
    put(out, one.known);
    put(out, one.members.size());
    for (const FittedMember& member : one.members) {
      put(out, model(member.model).name);
      put(out, member.weight);
      put(out, member.parameters.size());
      for (const double value : member.parameters) put(out, value);
    }
    put(out, one.ends.size());
    for (const std::size_t value : one.ends) put(out, value);
    put(out, one.forecasts.size());
    for (const float value : one.forecasts) put(out, value);
  }
  out += "\npanel-count";
  put(out, fitted.panels.size());
  for (const FittedPanelText& panel : fitted.panels) {
    out += "\npanel";
    put(out, std::string_view(panel.name));
    put(out, panel.text.size());
    out += '\n';
    out += panel.text;
  }
  out += '\n';
  std::array<char, 24> hash{};
  const auto end = std::to_chars(hash.data(), hash.data() + hash.size(), fnv1a(out), 16).ptr;
  return out + "end " + std::string(hash.data(), end) + "\n";
}

Result<FittedRun> parse_fitted(std::string_view text) {
  if (!text.starts_with(kMagic)) {
    return text.starts_with("tillcast-model ")
               ? invalid_input("the model is of a newer format than this program knows; update tillcast")
               : corrupt_data("this is no text of a model");
  }
  Words in(text);
  in.expect("tillcast-model");
  in.expect("1");
  FittedRun fitted;
  BacktestOptions& options = fitted.options;
  in.expect("options");
  options.horizon = in.number<std::size_t>();
  options.gap = in.number<std::size_t>();
  options.origins = in.number<std::size_t>();
  options.step = in.number<std::size_t>();
  options.season = in.number<int>();
  options.refit = in.number<int>() != 0;
  options.non_negative = in.number<int>() != 0;
  const int grain = in.number<int>();
  if (grain < 0 || grain > static_cast<int>(Grain::kMonthly)) in.fault("unknown grain");
  fitted.grain = static_cast<Grain>(grain);
  options.outliers.enabled = in.number<int>() != 0;
  options.outliers.neighbours = in.number<int>();
  options.outliers.count_min = in.number<int>();
  options.outliers.spreads = in.real();
  fitted.total_share = in.real();
  in.expect("series-count");
  const std::size_t count = in.count();
  fitted.series.reserve(in.ok() ? count : 0);
  for (std::size_t i = 0; i < count && in.ok(); ++i) fitted.series.push_back(read_series(in));
  in.expect("panel-count");
  const std::size_t panels = in.count();
  for (std::size_t i = 0; i < panels && in.ok(); ++i) {
    in.expect("panel");
    std::string name = in.text();
    const std::size_t bytes = in.count();
    fitted.panels.push_back({std::move(name), std::string(in.raw(bytes))});
  }
  if (in.ok()) {
    const std::uint64_t wanted = fnv1a(text.substr(0, in.position() + 1));
    in.expect("end");
    if (in.number<std::uint64_t>(16) != wanted) in.fault("its checksum does not fit");
  }
  if (!in.ok()) return in.error();
  return fitted;
}

}  // namespace tillcast::forecast
