#include "warehouse/yaml_reader.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>

#include "warehouse/template_syntax.h"

namespace tillcast::warehouse {
namespace {

constexpr int kDepthMax = 50;
constexpr int kNodesMax = 100'000;

class Converter {
 public:
  explicit Converter(std::string_view file) : file_(file) {}

  Result<YamlNode> convert(const YAML::Node& from, int depth) {
    YamlNode node;
    node.line = std::max(from.Mark().line, 0) + 1;
    node.column = std::max(from.Mark().column, 0) + 1;
    if (depth > kDepthMax) return yaml_error(file_, node, "yaml is nested more than 50 deep");
    if (++nodes_ > kNodesMax) return yaml_error(file_, node, "yaml has more than 100,000 nodes");
    if (from.IsScalar()) {
      node.kind = YamlNode::Kind::kScalar;
      node.scalar = from.Scalar();
      node.quoted = from.Tag() == "!";
    } else if (from.IsSequence()) {
      node.kind = YamlNode::Kind::kList;
      for (const auto& item : from) node.items.push_back(TILLCAST_TRY_PLAIN(convert(item, depth + 1)));
    } else if (from.IsMap()) {
      node.kind = YamlNode::Kind::kMap;
      for (const auto& member : from) {
        YamlNode key = TILLCAST_TRY_PLAIN(convert(member.first, depth + 1));
        if (!key.is_scalar()) return yaml_error(file_, key, "a key must be plain text");
        if (node.find(key.scalar) != nullptr)
          return yaml_error(file_, key, "the key '" + key.scalar + "' appears twice");
        YamlNode value = TILLCAST_TRY_PLAIN(convert(member.second, depth + 1));
        node.members.emplace_back(std::move(key.scalar), std::move(value));
      }
    }
    return node;
  }

 private:
  std::string_view file_;
  int nodes_ = 0;
};

Value plain_scalar(const std::string& text) {
  std::string lower = text;
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  if (lower == "true" || lower == "yes" || lower == "on") return Value(true);
  if (lower == "false" || lower == "no" || lower == "off") return Value(false);
  if (lower.empty() || lower == "null" || lower == "~") return Value();
  const char* begin = text.data() + (text.front() == '+' ? 1 : 0);
  const char* end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto parsed = std::from_chars(begin, end, whole); parsed.ec == std::errc() && parsed.ptr == end)
    return Value(whole);
  double real = 0;
  if (const auto parsed = std::from_chars(begin, end, real);
      parsed.ec == std::errc() && parsed.ptr == end && text.find_first_of("0123456789") != std::string::npos)
    return Value(real);
  return Value(text);
}

}  // namespace

YamlNode::YamlNode() = default;
YamlNode::YamlNode(const YamlNode&) = default;
YamlNode::YamlNode(YamlNode&&) noexcept = default;
YamlNode& YamlNode::operator=(const YamlNode&) = default;
YamlNode& YamlNode::operator=(YamlNode&&) noexcept = default;
YamlNode::~YamlNode() = default;

const YamlNode* YamlNode::find(std::string_view name) const {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

std::string YamlNode::text(std::string_view name, std::string otherwise) const {
  const YamlNode* member = find(name);
  return member != nullptr && member->is_scalar() ? member->scalar : std::move(otherwise);
}

Value YamlNode::to_value() const {
  switch (kind) {
    case Kind::kNull:
      return Value();
    case Kind::kScalar:
      return quoted ? Value(scalar) : plain_scalar(scalar);
    case Kind::kList: {
      List list;
      for (const YamlNode& item : items) list.push_back(item.to_value());
      return Value::list(std::move(list));
    }
    case Kind::kMap: {
      Dict dict;
      for (const auto& [name, value] : members) dict.emplace_back(name, value.to_value());
      return Value::dict(std::move(dict));
    }
  }
  return Value();
}

Error yaml_error(std::string_view file, const YamlNode& at, std::string_view message) {
  return template_error(file, {at.line, at.column}, message);
}

Result<YamlNode> read_yaml(std::string_view content, std::string_view file) {
  try {
    return Converter(file).convert(YAML::Load(std::string(content)), 0);
  } catch (const YAML::Exception& error) {
    return template_error(file, {std::max(error.mark.line, 0) + 1, std::max(error.mark.column, 0) + 1},
                          "not valid yaml: " + error.msg);
  } catch (const std::exception& error) {
    return template_error(file, {}, std::string("not valid yaml: ") + error.what());
  }
}

}  // namespace tillcast::warehouse
