#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace tillcast {

/// What went wrong, in the few classes that callers treat differently. src/cli maps them to exit codes and
/// src/api to HTTP status, one table each.
enum class ErrorCode : std::uint8_t {
  kInvalidInput,  ///< the user's data, file, option or query is wrong
  kNotFound,      ///< a named thing does not exist
  kConflict,      ///< another owner, version or writer was there first
  kCorruptData,   ///< our own stored data does not read back
  kIo,            ///< the file system or network refused
  kDiskFull,      ///< no space left to write; nothing half-written is visible
  kUnavailable,   ///< busy now, may work later
  kCancelled,     ///< stopped on request
};

/// A failure a good program can meet. The message names the thing (path, row, option), what was expected and
/// found, and what to do; context is prepended on the way up: "load day 2024-03-01: row 17: bad price".
struct Error {
  ErrorCode code = ErrorCode::kInvalidInput;
  std::string message;

  bool retryable() const { return code == ErrorCode::kUnavailable; }
  Error&& with_context(std::string_view doing) && {
    message.insert(0, std::string(doing) + ": ");
    return std::move(*this);
  }
};

/// A value or an Error. Never ignore one: the type is [[nodiscard]].
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(Error error)
      : std::expected<T, Error>(std::unexpect, std::move(error)) {}  // NOLINT(google-explicit-constructor)
};

inline Error invalid_input(std::string message) { return {ErrorCode::kInvalidInput, std::move(message)}; }
inline Error not_found(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }
inline Error conflict(std::string message) { return {ErrorCode::kConflict, std::move(message)}; }
inline Error corrupt_data(std::string message) { return {ErrorCode::kCorruptData, std::move(message)}; }
inline Error io_error(std::string message) { return {ErrorCode::kIo, std::move(message)}; }
inline Error disk_full(std::string message) { return {ErrorCode::kDiskFull, std::move(message)}; }
inline Error unavailable(std::string message) { return {ErrorCode::kUnavailable, std::move(message)}; }
inline Error cancelled(std::string message) { return {ErrorCode::kCancelled, std::move(message)}; }

}  // namespace tillcast

/// Unwraps a Result or returns its error with `doing` in front. Do not nest two in one expression.
#define TILLCAST_TRY(expr, doing)                                              \
  __extension__({                                                              \
    auto try_result = (expr);                                                  \
    if (!try_result) return std::move(try_result.error()).with_context(doing); \
    std::move(try_result).value();                                             \
  })

/// As TILLCAST_TRY, for callees whose message needs no context.
#define TILLCAST_TRY_PLAIN(expr)                           \
  __extension__({                                          \
    auto try_result = (expr);                              \
    if (!try_result) return std::move(try_result.error()); \
    std::move(try_result).value();                         \
  })
