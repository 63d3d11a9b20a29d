#include "api/application.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <random>

#include "api/header_text.h"
#include "api/json_writer.h"
#include "core/log.h"

namespace tillcast::api {
namespace {

constexpr std::size_t kTargetBytesMax = 8 * 1024;
constexpr std::size_t kBodyBytesIgnored = 16 * 1024;  // what a route without a body reads and drops
constexpr int kJsonDepthMax = 16;

Problem no_json() {
  return {415, "unsupported_media_type", "send the body as Content-Type: application/json", {}};
}

// RFC 9110 §13.1.2: weak comparison. A "*" is answered only after the handler found the resource.
bool names_tag(std::string_view if_none_match, std::string_view quoted_etag) {
  return any_part(if_none_match, ',', [quoted_etag](std::string_view tag) {
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    return tag == quoted_etag;
  });
}

std::string quoted_tag(std::string_view version) {
  std::string tag = "\"";
  for (const char c : version) tag.push_back(c > 0x20 && c < 0x7F && c != '"' && c != ',' ? c : '_');
  return tag + "\"";
}

std::string new_request_id() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::array<char, 16> digits;
  digits.fill('0');
  const std::uint64_t value = random() | (std::uint64_t{1} << 60);
  std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return {digits.data(), digits.size()};
}

bool is_request_id(std::string_view text) {
  if (text.empty() || text.size() > 128) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

// RapidJSON's parser recurses: depth is bounded before it runs, so that no input can exhaust the stack.
bool deeper_than(std::string_view json, int depth_max) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > depth_max) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

// One value from its text by the declaration, or what is wrong with it.
std::optional<RouteRequest::Value> parse_value(const Schema& schema, const std::string& text,
                                               std::vector<std::string>& loc,
                                               std::vector<FieldError>& errors) {
  const std::size_t before = errors.size();
  if (schema.type == Schema::Type::kInteger) {
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
      errors.push_back({loc, "expected a whole number, found '" + text.substr(0, 40) + "'", "int_parsing"});
      return std::nullopt;
    }
    check_value(schema, rapidjson::Value(number), loc, errors);
    return errors.size() == before ? std::optional<RouteRequest::Value>(number) : std::nullopt;
  }
  const rapidjson::Value value(
      rapidjson::StringRef(text.data(), static_cast<rapidjson::SizeType>(text.size())));
  check_value(schema, value, loc, errors);
  if (errors.size() != before) return std::nullopt;
  if (schema.format == "date") return *parse_date(text);
  return text;
}

HttpAnswer unchanged_answer(const std::string& etag) {
  HttpAnswer answer;
  answer.status = 304;
  answer.headers = {{"ETag", etag}, {"Cache-Control", "private, no-cache"}};
  return answer;
}

HttpAnswer data_answer(std::shared_ptr<const AnswerCache::Entry> entry, const std::string& etag) {
  HttpAnswer answer;
  answer.headers = {
      {"Content-Type", "application/json"}, {"Cache-Control", "private, no-cache"}, {"ETag", etag}};
  if (!entry->link.empty()) answer.headers.emplace_back("Link", entry->link);
  answer.fixed_body = entry->body;
  answer.owner = std::move(entry);
  return answer;
}

// A form or a script of any page may send a POST to this server; browsers say in Origin whose page it is.
bool is_own_page(std::string_view origin, std::string_view host) {
  const auto scheme = origin.find("://");
  return scheme != std::string_view::npos && equal_ignoring_case(origin.substr(scheme + 3), host);
}

std::string default_text(const std::string& json) {
  return json.size() >= 2 && json.front() == '"' ? json.substr(1, json.size() - 2) : json;
}

std::string method_names(const std::vector<Method>& methods) {
  std::string names;
  for (const Method method : methods) {
    if (!names.empty()) names += ", ";
    names += method == Method::kGet ? "GET, HEAD" : method_name(method);
  }
  return names;
}

}  // namespace

Application::Application(std::vector<Route> routes, pipeline::Service& service, Metrics& metrics,
                         Options options)
    : routes_(std::move(routes)),
      service_(service),
      metrics_(metrics),
      options_(std::move(options)),
      cache_(options_.cache_bytes_max) {
  for (const Route& route : routes_) {
    Match match;
    std::string_view rest = std::string_view(route.path).substr(1);
    while (!rest.empty()) {
      const auto slash = std::min(rest.find('/'), rest.size());
      match.template_segments.push_back(rest.substr(0, slash));
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    matches_.push_back(std::move(match));
  }
}

bool Application::matches(std::size_t route, const std::vector<std::string>& segments) const {
  const auto& wanted = matches_[route].template_segments;
  if (wanted.size() != segments.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool parameter = wanted[i].starts_with('{');
    if (parameter ? segments[i].empty() : wanted[i] != segments[i]) return false;
  }
  return true;
}

// DNS rebinding: a page of another site may resolve its own name to 127.0.0.1, but cannot forge the Host
// header.
bool Application::host_allowed(std::string_view host) const {
  if (host.starts_with('[')) {
    host = host.substr(0, std::min(host.find(']'), host.size() - 1) + 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  return std::any_of(options_.hosts.begin(), options_.hosts.end(),
                     [host](const auto& name) { return equal_ignoring_case(name, host); });
}

HttpAnswer Application::refuse(int status, std::string code, std::string detail,
                               std::string_view request_id) const {
  const std::string id = request_id.empty() ? new_request_id() : std::string(request_id);
  HttpAnswer answer = problem_answer({status, std::move(code), std::move(detail), {}}, {}, id);
  answer.headers.emplace_back("X-Request-Id", id);
  return answer;
}

Application::Admission Application::admit(const HttpRequest& request) const {
  Admission admission;
  admission.started = std::chrono::steady_clock::now();
  admission.route_label = "unmatched";
  admission.request_id =
      is_request_id(request.request_id) ? std::string(request.request_id) : new_request_id();
  const auto refused = [&](const Problem& problem, bool close = false) {
    admission.refusal = problem_answer(problem, request.target, admission.request_id);
    admission.refusal->headers.emplace_back("X-Request-Id", admission.request_id);
    admission.refusal->close = close;
    admission.refusal->head_only = request.method == "HEAD";
    admission.body_bytes_max = kBodyBytesIgnored;
  };

  if (request.target.size() > kTargetBytesMax) {
    refused({414, "target_too_long", "the request target is longer than 8 KiB", {}}, true);
    return admission;
  }
  auto target = parse_target(request.target);
  if (!target) {
    refused({400,
             "malformed_target",
             "the request target is no path with valid percent-encoded UTF-8; encode each path segment",
             {}});
    return admission;
  }
  admission.target = std::move(*target);
  const std::string_view host =
      admission.target.authority.empty() ? request.host : admission.target.authority;
  if (request.host_repeated || (host.empty() && !request.http_1_0)) {
    refused({400, "bad_host", "exactly one Host header was expected", {}}, true);
    return admission;
  }
  if (!host.empty() && !host_allowed(host)) {
    refused({421,
             "misdirected",
             "this server does not answer for the host '" + std::string(host.substr(0, 100)) +
                 "'; use localhost or add the name to api.hosts",
             {}});
    return admission;
  }

  std::vector<Method> methods;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (!matches(i, admission.target.segments)) continue;
    const Route& route = routes_[i];
    admission.route_label = route.path;
    methods.push_back(route.method);
    const bool right = request.method == method_name(route.method) ||
                       (route.method == Method::kGet && request.method == "HEAD");
    if (right) admission.route = &route;
  }
  if (methods.empty()) {
    refused({404, "no_such_path", "nothing is at this path; /docs lists what is", {}});
    return admission;
  }
  if (admission.route == nullptr) {
    refused({405, "method_not_allowed", "this path takes " + method_names(methods), {}});
    admission.refusal->headers.emplace_back("Allow", method_names(methods));
    return admission;
  }
  const Route& route = *admission.route;
  if (route.method == Method::kPost && !request.origin.empty() && !is_own_page(request.origin, host)) {
    refused({403,
             "cross_site",
             "a page of another site ('" + std::string(request.origin.substr(0, 100)) +
                 "') may not change anything here",
             {}},
            true);
    admission.route = nullptr;
    return admission;
  }
  admission.body_bytes_max = route.body || route.open_sink ? route.body_bytes_max : kBodyBytesIgnored;
  const Answer& best = route.answers.front();
  admission.media_type = best.media_type;
  int wanted = accept_quality(request.accept, best.media_type);
  std::string offered = best.media_type;
  for (const std::string& other : best.other_media_types) {
    offered += " or " + other;
    if (const int quality = accept_quality(request.accept, other); quality > wanted) {
      wanted = quality;
      admission.media_type = other;
    }
  }
  const auto takes = [&request](const std::string& type) { return is_content(request.content_type, type); };
  if (best.media_type == "application/json" && wanted == 0) {
    refused({406,
             "not_acceptable",
             "this path answers with " + offered + ", which the Accept header excludes",
             {}});
    admission.route = nullptr;
  } else if (route.body && !is_content(request.content_type, "application/json") &&
             !(route.body_may_be_absent && request.content_type.empty())) {
    refused(no_json());
    admission.route = nullptr;
  } else if (route.open_sink && !request.content_type.empty() &&
             std::ranges::none_of(route.body_media_types, takes)) {
    std::string types;
    for (const std::string& type : route.body_media_types) types += (types.empty() ? "" : ", ") + type;
    refused({415, "unsupported_media_type", "send the file with one of the Content-Types " + types, {}});
    admission.route = nullptr;
  }
  return admission;
}

std::vector<FieldError> Application::read_parameters(const Route& route, const Admission& admission,
                                                     const HttpRequest& request, RouteRequest& out) const {
  std::vector<FieldError> errors;
  std::vector<std::string> loc;
  const auto& segments = matches_[static_cast<std::size_t>(&route - routes_.data())].template_segments;
  for (const Parameter& parameter : route.parameters) {
    const std::string* text = nullptr;
    std::string header;
    std::size_t given = 0;
    if (parameter.in == Parameter::In::kPath) {
      for (std::size_t i = 0; i < segments.size(); ++i) {
        if (segments[i].size() == parameter.name.size() + 2 &&
            segments[i].substr(1, parameter.name.size()) == parameter.name) {
          text = &admission.target.segments[i];
        }
      }
    } else if (parameter.in == Parameter::In::kHeader) {
      header = std::string(request.idempotency_key);
      if (request.idempotency_key_given) text = &header;
    } else {
      for (const auto& [name, value] : admission.target.query) {
        if (name != parameter.name) continue;
        text = &value;
        ++given;
      }
    }
    loc = {parameter.in == Parameter::In::kPath     ? "path"
           : parameter.in == Parameter::In::kHeader ? "header"
                                                    : "query",
           parameter.name};
    if (given > 1) {
      errors.push_back({loc, "given more than once", "duplicate"});
      continue;
    }
    if (text == nullptr && parameter.required) {
      errors.push_back({loc, "required", "missing"});
      continue;
    }
    const std::string fallback =
        text == nullptr ? default_text(parameter.schema.default_json) : std::string();
    if (text == nullptr && fallback.empty()) continue;
    if (auto value = parse_value(parameter.schema, text != nullptr ? *text : fallback, loc, errors)) {
      out.values_.emplace_back(parameter.name, std::move(*value));
    }
  }
  // A misspelt filter that is ignored in silence gives wrong figures: refuse what is not declared.
  for (const auto& [name, value] : admission.target.query) {
    const bool known =
        std::any_of(route.parameters.begin(), route.parameters.end(), [&name](const Parameter& parameter) {
          return parameter.in == Parameter::In::kQuery && parameter.name == name;
        });
    if (!known && !route.any_query && errors.size() < 20)
      errors.push_back({{"query", name}, "no such parameter", "extra_forbidden"});
  }
  return errors;
}

std::string Application::current_tag() const {
  return quoted_tag(service_.data_version() + "-" + options_.version);
}

std::optional<HttpAnswer> Application::kept_answer(const Admission& admission,
                                                   const HttpRequest& request) const {
  if (!admission.route->of_data || options_.cache_bytes_max == 0) return std::nullopt;
  const std::string etag = current_tag();
  auto entry = cache_.find(etag, request.target);
  if (entry == nullptr) return std::nullopt;
  const bool held = names_tag(request.if_none_match, etag) || trimmed(request.if_none_match) == "*";
  HttpAnswer answer = held ? unchanged_answer(etag) : data_answer(std::move(entry), etag);
  answer.headers.emplace_back("X-Request-Id", admission.request_id);
  answer.head_only = request.method == "HEAD";
  return answer;
}

HttpAnswer Application::handled(const Admission& admission, const HttpRequest& request,
                                std::unique_ptr<BodySink> sink) const {
  const Route& route = *admission.route;
  const auto problem = [&](const Problem& what) {
    return problem_answer(what, request.target, admission.request_id);
  };

  RouteRequest checked;
  checked.request_id_ = admission.request_id;
  checked.content_type_ = request.content_type;
  checked.media_type_ = admission.media_type;
  checked.sink_ = std::move(sink);
  checked.accepts_gzip_ = accepts_gzip(request.accept_encoding);
  const auto errors = read_parameters(route, admission, request, checked);
  if (!errors.empty()) {
    return problem({422, "invalid_parameters", place_of(errors.front()) + ": " + errors.front().msg, errors});
  }

  rapidjson::Document body;
  if (route.body) {
    const bool absent = route.body_may_be_absent && request.body.empty();
    if (!absent && request.content_type.empty()) return problem(no_json());
    const std::string_view text = absent ? std::string_view("{}") : std::string_view(request.body);
    if (deeper_than(text, kJsonDepthMax)) {
      return problem({400, "malformed_json", "the JSON body is nested deeper than 16 levels", {}});
    }
    body.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
    if (body.HasParseError()) {
      return problem(
          {400,
           "malformed_json",
           "the body is no JSON: " + std::string(rapidjson::GetParseError_En(body.GetParseError())) +
               " At byte " + std::to_string(body.GetErrorOffset()) + ".",
           {}});
    }
    std::vector<FieldError> body_errors;
    std::vector<std::string> loc = {"body"};
    check_value(*route.body, body, loc, body_errors);
    if (!body_errors.empty()) {
      return problem(
          {422, "invalid_body", place_of(body_errors.front()) + ": " + body_errors.front().msg, body_errors});
    }
    checked.body_ = &body;
  }

  // The version is read before the data: a run that ends in between makes the tag too old, never too new.
  std::string etag;
  if (route.of_data) {
    etag = current_tag();
    if (names_tag(request.if_none_match, etag)) return unchanged_answer(etag);
  }
  auto result = route.handle(checked);
  if (!result) return problem(problem_from(result.error()));

  if (route.of_data && result->status == 200 && options_.cache_bytes_max > 0) {
    auto entry = std::make_shared<AnswerCache::Entry>(
        AnswerCache::Entry{std::string(request.target), std::move(result->body), std::move(result->link)});
    HttpAnswer answer =
        trimmed(request.if_none_match) == "*" ? unchanged_answer(etag) : data_answer(entry, etag);
    cache_.keep(etag, std::move(entry));
    return answer;
  }
  HttpAnswer answer;
  answer.status = result->status;
  if (!result->etag.empty()) etag = quoted_tag(result->etag);
  if (result->status == 200 && !etag.empty() &&
      (names_tag(request.if_none_match, etag) || trimmed(request.if_none_match) == "*")) {
    answer.status = 304;
  } else {
    answer.headers.emplace_back("Content-Type", result->media_type);
    answer.body = std::move(result->body);
    answer.fixed_body = result->fixed_body;
    if (!result->content_encoding.empty())
      answer.headers.emplace_back("Content-Encoding", result->content_encoding);
    if (!result->link.empty()) answer.headers.emplace_back("Link", std::move(result->link));
    if (!result->location.empty()) answer.headers.emplace_back("Location", std::move(result->location));
    if (!route.answers.front().other_media_types.empty()) answer.headers.emplace_back("Vary", "Accept");
  }
  answer.headers.emplace_back("Cache-Control", etag.empty()    ? "no-store"
                                               : route.of_data ? "private, no-cache"
                                                               : "no-cache");
  if (!result->etag.empty()) answer.headers.emplace_back("Vary", "Accept-Encoding");
  if (!etag.empty()) answer.headers.emplace_back("ETag", std::move(etag));
  return answer;
}

template <class Work>
HttpAnswer Application::guarded(const Admission& admission, const HttpRequest& request,
                                const Work& work) const {
  try {
    return work();
  } catch (const std::exception& fault) {
    log(LogLevel::kError, "request failed",
        {{"url.path", std::string(request.target)},
         {"error.message", fault.what()},
         {"http.request.id", admission.request_id}});
    return problem_answer({500, "internal", "an internal error; the log has it under this request_id", {}},
                          request.target, admission.request_id);
  }
}

HttpAnswer Application::answer(const Admission& admission, const HttpRequest& request,
                               std::unique_ptr<BodySink> sink) const {
  HttpAnswer answer =
      guarded(admission, request, [&] { return handled(admission, request, std::move(sink)); });
  answer.headers.emplace_back("X-Request-Id", admission.request_id);
  answer.head_only = request.method == "HEAD";
  return answer;
}

HttpAnswer Application::sink_problem(const Admission& admission, const HttpRequest& request,
                                     const Error& error) const {
  HttpAnswer answer = problem_answer(problem_from(error), request.target, admission.request_id);
  answer.headers.emplace_back("X-Request-Id", admission.request_id);
  return answer;
}

std::variant<std::unique_ptr<BodySink>, HttpAnswer> Application::open_sink(
    const Admission& admission, const HttpRequest& request, std::optional<std::uint64_t> bytes) const {
  std::unique_ptr<BodySink> sink;
  HttpAnswer refusal = guarded(admission, request, [&] {
    RouteRequest checked;
    checked.request_id_ = admission.request_id;
    checked.content_type_ = request.content_type;
    const auto errors = read_parameters(*admission.route, admission, request, checked);
    if (!errors.empty()) {
      return problem_answer(
          {422, "invalid_parameters", place_of(errors.front()) + ": " + errors.front().msg, errors},
          request.target, admission.request_id);
    }
    auto opened = admission.route->open_sink(checked, bytes);
    if (!opened) return problem_answer(problem_from(opened.error()), request.target, admission.request_id);
    sink = std::move(*opened);
    return HttpAnswer{};
  });
  if (sink != nullptr) return sink;
  refusal.headers.emplace_back("X-Request-Id", admission.request_id);
  return refusal;
}

void Application::finished(const Admission& admission, std::string_view method, std::string_view target,
                           int status, std::size_t body_bytes) const {
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - admission.started).count();
  const std::string_view known = method == "GET" || method == "HEAD" || method == "POST" ? method : "other";
  metrics_.observe("http_request_duration_seconds",
                   "Time from the end of a request's header to the end of its answer.",
                   {{"method", std::string(known)},
                    {"route", std::string(admission.route_label)},
                    {"code", std::to_string(status)}},
                   seconds);
  if (!log_enabled(LogLevel::kDebug)) return;
  log(LogLevel::kDebug, "request",
      {{"http.request.method", std::string(method)},
       {"url.path", std::string(target.substr(0, target.find('?')))},
       {"url.query",
        target.find('?') == std::string_view::npos ? "" : std::string(target.substr(target.find('?') + 1))},
       {"http.route", std::string(admission.route_label)},
       {"http.response.status_code", std::to_string(status)},
       {"http.response.body.bytes", std::to_string(body_bytes)},
       {"http.request.id", admission.request_id},
       {"event.duration", std::to_string(static_cast<std::int64_t>(seconds * 1e9))}});
}

void Application::finished_unrouted(int status) const {
  metrics_.count("http_refused_total", "Requests refused before a route was known, by status.",
                 {{"code", std::to_string(status)}});
}

}  // namespace tillcast::api
