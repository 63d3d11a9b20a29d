#include "core/log.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "core/civil_time.h"

namespace tillcast {
namespace {

std::atomic<LogLevel> level_now{LogLevel::kInfo};
std::atomic<LogFormat> format_now{LogFormat::kText};

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warn";
    case LogLevel::kError:
      return "error";
  }
  return "info";
}

std::string json_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto text = [&writer](std::string_view value) {
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  text("@timestamp");
  text(format_timestamp(SystemClock().now()));
  text("log.level");
  text(level_name(level));
  text("message");
  text(message);
  text("ecs.version");
  text("8.11.0");
  text("service.name");
  text("tillcast");
  for (const auto& [name, value] : fields) {
    text(name);
    text(value);
  }
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string text_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  std::string line = format_timestamp(SystemClock().now());
  line.append(" ").append(level_name(level)).append("  ").append(message);
  for (const auto& [name, value] : fields) line.append("  ").append(name).append("=").append(value);
  return line;
}

}  // namespace

void configure_logging(const LogOptions& options) {
  level_now = options.level;
  format_now = options.format;
}

bool log_enabled(LogLevel level) { return level >= level_now.load(std::memory_order_relaxed); }

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (level < level_now.load(std::memory_order_relaxed)) return;
  std::string line = format_now.load() == LogFormat::kJson ? json_line(level, message, fields)
                                                           : text_line(level, message, fields);
  line.push_back('\n');
  // One write per line, so that lines of several threads never mix.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace tillcast
