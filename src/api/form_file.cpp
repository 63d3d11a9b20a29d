#include "api/form_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/header_text.h"

namespace tillcast::api {
namespace {

constexpr std::size_t kBoundaryBytesMax = 70;  // RFC 2046 §5.1.1
constexpr std::size_t kFormHeadBytesMax = 8 * 1024;
constexpr std::size_t kFormNameBytesMax = 500;
constexpr std::string_view kLineBreak = "\r\n";

// The value of a parameter of a header field, "name" or "boundary"; quotes are taken off. nullopt when
// absent.
std::optional<std::string> field_parameter(std::string_view field, std::string_view name) {
  std::size_t at = field.find(';');
  while (at < field.size()) {
    const std::size_t equals = field.find('=', ++at);
    if (equals == std::string_view::npos) return std::nullopt;
    const bool wanted = equal_ignoring_case(trimmed(field.substr(at, equals - at)), name);
    std::string value;
    at = equals + 1;
    if (at < field.size() && field[at] == '"') {
      for (++at; at < field.size() && field[at] != '"'; ++at) {
        if (field[at] == '\\' && at + 1 < field.size()) ++at;
        value += field[at];
      }
      at = field.find(';', at);
    } else {
      const std::size_t end = std::min(field.find(';', at), field.size());
      value = trimmed(field.substr(at, end - at));
      at = end;
    }
    if (wanted) return value;
  }
  return std::nullopt;
}

}  // namespace

FormFileSink::FormFileSink(std::string boundary, std::unique_ptr<pipeline::UploadSink> file)
    : boundary_("\r\n--" + std::move(boundary)), file_(std::move(file)) {}

Result<std::unique_ptr<FormFileSink>> FormFileSink::open(std::string_view content_type,
                                                         std::unique_ptr<pipeline::UploadSink> file) {
  auto boundary = field_parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kBoundaryBytesMax) {
    return invalid_input(
        "the Content-Type multipart/form-data needs a boundary of 1 to 70 characters; curl -F and browsers "
        "set it");
  }
  return std::unique_ptr<FormFileSink>(new FormFileSink(std::move(*boundary), std::move(file)));
}

Result<> FormFileSink::write(std::string_view bytes) {
  if (at_ == At::kEnd) return {};
  rest_ += bytes;
  while (true) {
    const auto more = step();
    if (!more) return more.error();
    if (!*more) return {};
  }
}

Result<FormFileSink::File> FormFileSink::finish() {
  if (at_ != At::kEnd) {
    return invalid_input(at_ == At::kStart
                             ? "the form is empty; it needs one file, as curl -F file=@sales.csv sends it"
                             : "the form ends in the middle of its file; send it again");
  }
  return File{std::move(name_), std::move(file_)};
}

// Understands the next thing of what came; false when more is needed for that.
Result<bool> FormFileSink::step() {
  switch (at_) {
    case At::kStart: {
      const std::string_view first = std::string_view(boundary_).substr(kLineBreak.size());
      if (rest_.size() < first.size() + kLineBreak.size()) return false;
      if (!rest_.starts_with(first) || rest_.compare(first.size(), kLineBreak.size(), kLineBreak) != 0)
        return invalid_input("the form does not begin with the boundary that its Content-Type names");
      rest_.erase(0, first.size() + kLineBreak.size());
      at_ = At::kHead;
      return true;
    }
    case At::kHead: {
      if (rest_.starts_with(kLineBreak)) return read_head("").error();  // nothing says what it is
      const std::size_t end = rest_.find("\r\n\r\n");
      if (std::min(end, rest_.size()) > kFormHeadBytesMax)
        return invalid_input("the head of the form's file is longer than 8 KiB");
      if (end == std::string::npos) return false;
      TILLCAST_TRY_PLAIN(read_head(std::string_view(rest_).substr(0, end)));
      rest_.erase(0, end + 2 * kLineBreak.size());
      at_ = At::kContent;
      return true;
    }
    case At::kContent: {
      const std::size_t end = rest_.find(boundary_);
      if (end == std::string::npos) {
        // What may be the beginning of a boundary waits.
        if (rest_.size() >= boundary_.size())
          TILLCAST_TRY_PLAIN(pass_on(rest_.size() - boundary_.size() + 1));
        return false;
      }
      TILLCAST_TRY_PLAIN(pass_on(end));
      rest_.erase(0, boundary_.size());
      at_ = At::kBoundary;
      return true;
    }
    case At::kBoundary: {
      if (rest_.size() < 2) return false;
      if (!rest_.starts_with("--"))
        return invalid_input("the form has more than one field; send one file in a form of its own" +
                             std::string(", and name or mapping as parameters of the address"));
      rest_ = {};
      at_ = At::kEnd;
      return false;
    }
    case At::kEnd:
      break;
  }
  return false;
}

Result<> FormFileSink::read_head(std::string_view head) {
  std::string_view disposition;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find(kLineBreak), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + kLineBreak.size(), head.size()));
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view value = trimmed(line.substr(std::min(colon + 1, line.size())));
    if (equal_ignoring_case(line.substr(0, colon), "Content-Disposition")) disposition = value;
    if (equal_ignoring_case(line.substr(0, colon), "Content-Transfer-Encoding") &&
        !equal_ignoring_case(value, "binary") && !equal_ignoring_case(value, "8bit") &&
        !equal_ignoring_case(value, "7bit"))
      return invalid_input("the form's file is sent as " + std::string(value.substr(0, 40)) +
                           "; send its bytes as they are");
  }
  const auto name = field_parameter(disposition, "filename");
  if (!name) {
    return invalid_input(
        "the form's field '" + field_parameter(disposition, "name").value_or("").substr(0, 100) +
        "' is no file; send one file, as curl -F file=@sales.csv does, and name or mapping as "
        "parameters of the address");
  }
  if (name->empty()) return invalid_input("no file was chosen in the form");
  if (name->size() > kFormNameBytesMax)
    return invalid_input("the name of the form's file is longer than 500 bytes");
  name_ = *name;
  return {};
}

Result<> FormFileSink::pass_on(std::size_t bytes) {
  if (bytes > 0) TILLCAST_TRY_PLAIN(file_->write(std::string_view(rest_).substr(0, bytes)));
  rest_.erase(0, bytes);
  return {};
}

}  // namespace tillcast::api
