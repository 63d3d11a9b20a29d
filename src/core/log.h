#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace tillcast {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat {
  kText,
  kJson
};  ///< kJson: one ECS object per line (@timestamp, log.level, message, ...)

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
};

/// Sets where and how the process logs (always stderr). Call once at start; safe to call again.
void configure_logging(const LogOptions& options);

/// True when lines of this level are written: spares building fields that nobody reads.
bool log_enabled(LogLevel level);

using LogField = std::pair<std::string_view, std::string>;

/// One line with named fields: log(LogLevel::kInfo, "request", {{"http.request.method", "GET"}}).
/// Thread-safe. Never pass secrets.
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace tillcast
