#include "registry/experiment.h"

#include <charconv>
#include <cmath>

#include "io/durable_file.h"
#include "io/file_hash.h"
#include "io/json_record.h"
#include "registry/registry.h"

namespace tillcast::registry {
namespace {

constexpr const char* kExperimentFile = "experiments.json";

}  // namespace

bool in_challenger_share(const Experiment& experiment, std::string_view series_id) {
  std::string key = experiment.salt;
  key += '\n';
  key += series_id;
  const std::string digits = io::xxh3_text(key);
  std::uint64_t hash = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), hash, 16);
  constexpr double kRange = 18446744073709551616.0;  // 2^64
  return static_cast<double>(hash) / kRange * 100 < experiment.share_percent;
}

double sample_ratio_probability(std::int64_t champion_series, std::int64_t challenger_series,
                                int share_percent) {
  const auto total = static_cast<double>(champion_series + challenger_series);
  if (total <= 0 || share_percent <= 0 || share_percent >= 100) return 1;
  const double wanted = total * share_percent / 100;
  const double off = static_cast<double>(challenger_series) - wanted;
  const double chi_square = off * off / wanted + off * off / (total - wanted);
  return std::erfc(std::sqrt(chi_square / 2));
}

std::string format_experiments(const std::vector<Experiment>& experiments) {
  rapidjson::StringBuffer buffer;
  io::JsonOut out(buffer);
  out.StartObject();
  io::write_number(out, "format", kModelFormat);
  out.Key("experiments");
  out.StartArray();
  for (const auto& one : experiments) {
    out.StartObject();
    io::write_text(out, "name", one.name);
    io::write_text(out, "plan", one.plan);
    io::write_number(out, "champion", one.champion);
    io::write_number(out, "challenger", one.challenger);
    io::write_number(out, "share_percent", one.share_percent);
    io::write_text(out, "salt", one.salt);
    io::write_text(out, "created_at", one.created_at);
    io::write_text(out, "ended_at", one.ended_at);
    io::write_text(out, "outcome", one.outcome);
    out.EndObject();
  }
  out.EndArray();
  return io::finish_checked(out, buffer);
}

Result<std::vector<Experiment>> parse_experiments(std::string_view json, std::string_view name) {
  io::JsonIn in(json, name, {.format_known = kModelFormat});
  if (!in.ok()) return in.take_error();
  std::vector<Experiment> experiments;
  if (const io::Json* const list = in.array(in.root(), "experiments")) {
    for (const io::Json& item : list->GetArray()) {
      experiments.push_back(
          {in.text(item, "name"), in.text(item, "plan"), static_cast<int>(in.number(item, "champion")),
           static_cast<int>(in.number(item, "challenger")),
           static_cast<int>(in.number(item, "share_percent")), in.text(item, "salt"),
           in.text(item, "created_at"), in.text(item, "ended_at"), in.text(item, "outcome")});
    }
  }
  if (!in.ok()) return in.take_error();
  return experiments;
}

Result<std::vector<Experiment>> read_experiments(const std::filesystem::path& plan_folder) {
  const auto path = plan_folder / kExperimentFile;
  auto text = io::read_file(path);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::vector<Experiment>{};
  if (!text) return std::move(text.error());
  return parse_experiments(*text, path.string());
}

Result<> store_experiments(const std::filesystem::path& plan_folder,
                           const std::vector<Experiment>& experiments) {
  return replace_file(plan_folder / kExperimentFile, format_experiments(experiments),
                      "registry.experiment.after_write", "registry.experiment.after_rename");
}

}  // namespace tillcast::registry
