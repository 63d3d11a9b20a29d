#include "database/database.h"

#include <array>
#include <system_error>

#include "database/duck_internal.h"

namespace tillcast::database {
namespace {

bool contains_any(std::string_view text, std::span<const std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) != std::string_view::npos) return true;
  }
  return false;
}

// DuckDB's open has no error classes, only text.
Error open_error(const std::string& path, const std::string& message) {
  constexpr std::array<std::string_view, 2> kLocked = {"Could not set lock", "Conflicting lock"};
  constexpr std::array<std::string_view, 3> kRefused = {"Permission denied", "Read-only file system",
                                                        "Is a directory"};
  constexpr std::array<std::string_view, 2> kMissing = {"does not exist", "No such file or directory"};
  constexpr std::array<std::string_view, 2> kFull = {"No space left", "Disk quota"};
  if (contains_any(message, kLocked)) {
    return unavailable("the database " + path + " is open in another process; stop it or wait: " + message);
  }
  if (contains_any(message, kMissing)) return not_found("cannot open the database " + path + ": " + message);
  if (contains_any(message, kRefused) || contains_any(message, kFull)) {
    return io_error("cannot open the database " + path + ": " + message);
  }
  return corrupt_data("the database " + path +
                      " or its WAL does not open; it can be rebuilt from the lake: " + message);
}

Result<> set_option(duckdb_config config, const char* name, const std::string& value) {
  if (duckdb_set_config(config, name, value.c_str()) == DuckDBError) {
    return invalid_input("DuckDB refused the option " + std::string(name) + " = " + value);
  }
  return {};
}

std::string memory_text(std::uint64_t bytes) { return std::to_string(bytes / 1024) + "KiB"; }

Result<ConfigHandle> make_config(const DatabaseOptions& options) {
  ConfigHandle config;
  if (duckdb_create_config(config.out()) == DuckDBError) return io_error("DuckDB made no configuration");
  const auto raw = config.get();
  // Offline auto-install costs half a second per attempt and creates folders in the user's home.
  TILLCAST_TRY_PLAIN(set_option(raw, "autoinstall_known_extensions", "false"));
  TILLCAST_TRY_PLAIN(set_option(raw, "autoload_known_extensions", "false"));
  TILLCAST_TRY_PLAIN(set_option(raw, "threads", std::to_string(options.threads < 1 ? 1 : options.threads)));
  TILLCAST_TRY_PLAIN(
      set_option(raw, "preserve_insertion_order", options.preserve_insertion_order ? "true" : "false"));
  if (options.read_only) TILLCAST_TRY_PLAIN(set_option(raw, "access_mode", "READ_ONLY"));
  if (options.memory_limit_bytes > 0) {
    TILLCAST_TRY_PLAIN(set_option(raw, "memory_limit", memory_text(options.memory_limit_bytes)));
  }
  if (!options.temp_directory.empty()) {
    TILLCAST_TRY_PLAIN(set_option(raw, "temp_directory", options.temp_directory.string()));
  }
  return config;
}

std::string utc_stamp() {
  std::string text = format_timestamp({SystemClock().now().micros / kMicrosPerSecond * kMicrosPerSecond});
  std::erase(text, '-');
  std::erase(text, ':');
  return text;
}

}  // namespace

Database::Database(std::shared_ptr<State> state) : state_(std::move(state)) {}

Result<Database> Database::open(const std::filesystem::path& path, const DatabaseOptions& options) {
  const std::string name = path.string();
  std::error_code ignored;
  if (!path.empty() && options.read_only && !std::filesystem::exists(path, ignored)) {
    return not_found("there is no database " + name);
  }
  const ConfigHandle config = TILLCAST_TRY_PLAIN(make_config(options));
  auto state = std::make_shared<State>();
  state->path = name;
  char* message = nullptr;
  const char* const raw_path = path.empty() ? nullptr : name.c_str();
  if (duckdb_open_ext(raw_path, state->handle.out(), config.get(), &message) == DuckDBError) {
    std::string text = message != nullptr ? message : "unknown error";
    duckdb_free(message);
    return open_error(name, text);
  }
  Database database(std::move(state));
  auto connection = TILLCAST_TRY_PLAIN(database.connect());
  TILLCAST_TRY_PLAIN(connection.execute("SET GLOBAL TimeZone = 'UTC'"));
  TILLCAST_TRY_PLAIN(register_batch_scan(connection.state_->handle.get(), database.state_->scans));
  return database;
}

Result<Database> Database::open_in_memory(const DatabaseOptions& options) { return open({}, options); }

Result<Database> Database::open_or_set_aside(const std::filesystem::path& path,
                                             const DatabaseOptions& options,
                                             std::optional<std::filesystem::path>& set_aside) {
  set_aside.reset();
  auto opened = open(path, options);
  if (opened || opened.error().code != ErrorCode::kCorruptData || options.read_only) return opened;
  // The database, its WAL and whatever else DuckDB keeps beside it ("<name>.wal.checkpoint") move together.
  const std::string suffix = ".damaged-" + utc_stamp();
  const auto directory = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const std::string name = path.filename().string();
  std::vector<std::filesystem::path> parts;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    const std::string other = entry.path().filename().string();
    if (other == name || other.starts_with(name + ".wal")) parts.push_back(entry.path());
  }
  for (const auto& part : parts) {
    const std::string tail = part.filename().string().substr(name.size());
    std::filesystem::rename(part, directory / (name + suffix + tail), failed);
    if (failed) return io_error("cannot move the damaged " + part.string() + " aside: " + failed.message());
  }
  set_aside = directory / (name + suffix);
  return open(path, options);
}

Result<Connection> Database::connect() const {
  auto state = std::make_unique<Connection::State>();
  state->database = state_;
  if (duckdb_connect(state_->handle.get(), state->handle.out()) == DuckDBError) {
    return unavailable("DuckDB gave no connection to " + state_->path);
  }
  return Connection(std::move(state));
}

Result<> Database::lock_down(const LockDownOptions& options) const {
  auto connection = TILLCAST_TRY_PLAIN(connect());
  std::string allowed;
  for (const auto& directory : options.allowed_directories) {
    std::error_code failed;
    const auto whole = std::filesystem::absolute(directory, failed).lexically_normal();
    std::string text = whole.string();
    if (!text.ends_with('/')) text += '/';
    allowed += (allowed.empty() ? "" : ", ") + sql_quote(text);
  }
  if (options.memory_limit_bytes > 0) {
    TILLCAST_TRY_PLAIN(connection.execute("SET GLOBAL memory_limit = " +
                                          sql_quote(memory_text(options.memory_limit_bytes))));
  }
  TILLCAST_TRY_PLAIN(connection.execute("SET GLOBAL allowed_directories = [" + allowed + "]::VARCHAR[]"));
  TILLCAST_TRY_PLAIN(connection.execute("SET GLOBAL enable_external_access = false"));
  TILLCAST_TRY_PLAIN(connection.execute("SET GLOBAL lock_configuration = true"));
  return {};
}

std::string duckdb_version() { return duckdb_library_version(); }

}  // namespace tillcast::database
