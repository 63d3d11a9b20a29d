#include "runner.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "database/database.h"
#include "io/durable_file.h"
#include "warehouse/project.h"
#include "warehouse/runner.h"
#include "warehouse/yaml_reader.h"

namespace tillcast::sqltest {
namespace {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    at = end + 1;
  }
  return lines;
}

std::vector<std::string> split_words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::string rest_after(const std::string& line, int words) {
  std::size_t at = 0;
  for (int i = 0; i < words; ++i) {
    at = line.find_first_not_of(" \t", at);
    at = std::min(line.find_first_of(" \t", at), line.size());
  }
  at = std::min(line.find_first_not_of(" \t", at), line.size());
  return line.substr(at);
}

/// One value as it stands in a test: NULL, (empty), tabs and line breaks escaped.
std::string cell(const database::QueryResult& result, std::size_t row, std::size_t column) {
  if (result.is_null(row, column)) return "NULL";
  const std::string text = result.text(row, column);
  if (text.empty()) return "(empty)";
  std::string out;
  for (const char c : text)
    out += c == '\t' ? "\\t" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : std::string(1, c);
  return out;
}

class TestRun {
 public:
  TestRun(std::string_view content, const std::filesystem::path& file, const Options& options,
          database::Database database, database::Connection connection)
      : lines_(split_lines(content)),
        file_(file),
        options_(options),
        database_(std::move(database)),
        connection_(std::move(connection)) {}

  Result<Outcome> go() {
    while (at_ < lines_.size()) {
      const std::string& line = lines_[at_];
      if (line.find_first_not_of(" \t") == std::string::npos || line.starts_with('#')) {
        copy_line();
        continue;
      }
      directive_line_ = at_ + 1;
      const std::vector<std::string> words = split_words(line);
      if (words[0] == "load" && words.size() == 2) {
        TILLCAST_TRY_PLAIN(load(words[1]));
      } else if (words[0] == "vars" && words.size() >= 2) {
        TILLCAST_TRY_PLAIN(set_variables(words));
      } else if (words[0] == "build" || words[0] == "check") {
        TILLCAST_TRY_PLAIN(build(words));
      } else if (words[0] == "statement" && words.size() >= 2 && (words[1] == "ok" || words[1] == "error")) {
        TILLCAST_TRY_PLAIN(statement(words));
      } else if (words[0] == "query" && words.size() >= 2) {
        TILLCAST_TRY_PLAIN(query(words));
      } else {
        return bad(
            "expected load FILE, vars NAME=VALUE, build [SELECTION], check [SELECTION], statement ok|error "
            "REGEX or "
            "query COLUMNS, found '" +
            line + "'");
      }
    }
    return std::move(outcome_);
  }

 private:
  Error bad(const std::string& message) const {
    return invalid_input(file_.string() + ":" + std::to_string(directive_line_) + ": " + message);
  }
  void fail(const std::string& message) {
    outcome_.failures.push_back(file_.string() + ":" + std::to_string(directive_line_) + ": " + message);
  }
  void copy_line() {
    outcome_.content += lines_[at_] + "\n";
    ++at_;
  }
  /// The lines of SQL below a directive, up to a blank line or ----.
  std::string take_sql() {
    std::string sql;
    while (at_ < lines_.size() && lines_[at_].find_first_not_of(" \t") != std::string::npos &&
           lines_[at_] != "----") {
      sql += lines_[at_] + "\n";
      copy_line();
    }
    return sql;
  }
  Result<> needs_own_database(const std::string& what) const {
    if (options_.database)
      return bad(what + " would change the database; a test for --database has only queries");
    return {};
  }

  Result<> load(const std::string& name) {
    TILLCAST_TRY_PLAIN(needs_own_database("load"));
    std::filesystem::path path = file_.parent_path() / name;
    if (!std::filesystem::exists(path)) path = options_.root / name;
    const std::string sql = TILLCAST_TRY_PLAIN(io::read_file(path));
    copy_line();
    if (auto done = connection_.execute(sql); !done)
      return bad("load " + path.string() + ": " + done.error().message);
    return {};
  }

  Result<> set_variables(const std::vector<std::string>& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      if (equals == std::string::npos) return bad("expected NAME=VALUE, found '" + words[i] + "'");
      const auto value =
          TILLCAST_TRY_PLAIN(warehouse::read_yaml(words[i].substr(equals + 1), file_.string()));
      variables_.emplace_back(words[i].substr(0, equals), value.to_value());
    }
    copy_line();
    return {};
  }

  /// build: seeds and models; check: the project's own tests. With `error REGEX` one of them must fail so;
  /// then the selection stands on the next line.
  Result<> build(const std::vector<std::string>& words) {
    TILLCAST_TRY_PLAIN(needs_own_database(words[0]));
    const bool expects_error = words.size() > 1 && words[1] == "error";
    const std::string pattern = expects_error ? rest_after(lines_[at_], 2) : "";
    warehouse::RunOptions run;
    run.select = expects_error ? "" : rest_after(lines_[at_], 1);
    copy_line();
    if (expects_error && at_ < lines_.size() && lines_[at_].find_first_not_of(" \t") != std::string::npos) {
      run.select = lines_[at_];
      copy_line();
    }
    run.models = run.seeds = words[0] == "build";
    run.tests = words[0] == "check";
    run.atomic = false;
    ++outcome_.checks;
    warehouse::LoadOptions load;
    load.vars = variables_;
    auto project = warehouse::load_project(options_.project, load);
    if (!project) return bad(project.error().message);
    const auto results = warehouse::run(*project, connection_, run);
    if (!results) return bad(results.error().message);
    std::string report;
    for (const auto& result : results->results) {
      const std::string_view status = warehouse::status_name(result.status);
      if (status == "error" || status == "fail") report += result.name + ": " + result.message + "\n";
    }
    if (!expects_error) {
      if (!report.empty()) fail(words[0] + " " + run.select + " failed:\n" + report);
      return {};
    }
    if (report.empty()) {
      fail(words[0] + " was expected to fail with /" + pattern + "/, but succeeded");
    } else if (!matches(report, pattern)) {
      fail(words[0] + " was expected to fail with /" + pattern + "/, but it said:\n" + report);
    }
    return {};
  }

  static bool matches(const std::string& text, const std::string& pattern) {
    try {
      return std::regex_search(text, std::regex(pattern, std::regex::ECMAScript | std::regex::icase));
    } catch (const std::regex_error&) {
      return text.find(pattern) != std::string::npos;
    }
  }

  Result<> statement(const std::vector<std::string>& words) {
    const bool expects_error = words[1] == "error";
    const std::string pattern = rest_after(lines_[at_], 2);
    copy_line();
    const std::string sql = take_sql();
    if (sql.empty()) return bad("expected SQL below the statement");
    ++outcome_.checks;
    const auto done = connection_.execute(sql);
    if (!expects_error && !done) fail("the statement failed: " + done.error().message + "\n" + sql);
    if (expects_error && done) fail("the statement was expected to fail, but succeeded:\n" + sql);
    if (expects_error && !done && !matches(done.error().message, pattern))
      fail("the statement was expected to fail with /" + pattern + "/, but it said: " + done.error().message);
    return {};
  }

  /// "TII" stands for three columns of any name; anything else are the columns' names.
  static bool are_types(const std::vector<std::string>& columns) {
    return columns.size() == 1 && columns[0].find_first_not_of("TIRDB") == std::string::npos;
  }

  Result<> query(const std::vector<std::string>& words) {
    std::vector<std::string> columns(words.begin() + 1, words.end());
    const bool sorts = columns.back() == "rowsort";
    if (sorts) columns.pop_back();
    copy_line();
    const std::string sql = take_sql();
    if (sql.empty()) return bad("expected SQL below the query");
    if (at_ >= lines_.size() || lines_[at_] != "----") {
      if (!options_.update) return bad("expected ---- and the rows below the query");
      outcome_.content += "----\n";
    } else {
      copy_line();
    }
    std::vector<std::string> expected;
    while (at_ < lines_.size() && !lines_[at_].empty()) expected.push_back(lines_[at_++]);
    ++outcome_.checks;
    const auto result = connection_.query(sql);
    if (!result) {
      fail("the query failed: " + result.error().message + "\n" + sql);
      keep(expected);
      return {};
    }
    std::vector<std::string> names;
    for (const auto& column : result->columns) names.push_back(column.name);
    const bool columns_fit = are_types(columns) ? columns[0].size() == names.size() : columns == names;
    if (!columns_fit) {
      std::string found;
      for (const std::string& name : names) found += " " + name;
      fail("expected the columns" + rest_after(" " + lines_[directive_line_ - 1], 1).insert(0, " ") +
           ", found" + found);
    }
    std::vector<std::string> found;
    for (std::size_t row = 0; row < result->rows(); ++row) {
      std::string line;
      for (std::size_t column = 0; column < names.size(); ++column)
        line += (column == 0 ? "" : "\t") + cell(*result, row, column);
      found.push_back(std::move(line));
    }
    if (sorts) {
      std::sort(found.begin(), found.end());
      std::sort(expected.begin(), expected.end());
    }
    if (!options_.update && found != expected) fail("the rows differ:\n" + sql + line_diff(expected, found));
    keep(options_.update ? found : expected);
    return {};
  }

  void keep(const std::vector<std::string>& rows) {
    for (const std::string& row : rows) outcome_.content += row + "\n";
  }

  std::vector<std::string> lines_;
  std::filesystem::path file_;
  const Options& options_;
  database::Database database_;
  database::Connection connection_;
  warehouse::Dict variables_;
  std::size_t at_ = 0;
  std::size_t directive_line_ = 0;
  Outcome outcome_;
};

}  // namespace

std::string line_diff(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
  constexpr std::size_t kLinesMax = 2000;
  if (expected.size() > kLinesMax || found.size() > kLinesMax)
    return "expected " + std::to_string(expected.size()) + " rows, found " + std::to_string(found.size()) +
           "\n";
  // Longest common subsequence, from the end.
  std::vector<std::vector<std::size_t>> common(expected.size() + 1,
                                               std::vector<std::size_t>(found.size() + 1, 0));
  for (std::size_t i = expected.size(); i-- > 0;)
    for (std::size_t j = found.size(); j-- > 0;)
      common[i][j] =
          expected[i] == found[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  std::string out;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < expected.size() || j < found.size()) {
    if (i < expected.size() && j < found.size() && expected[i] == found[j]) {
      out += "  " + expected[i++] + "\n";
      ++j;
    } else if (j == found.size() || (i < expected.size() && common[i + 1][j] >= common[i][j + 1])) {
      out += "- " + expected[i++] + "\n";
    } else {
      out += "+ " + found[j++] + "\n";
    }
  }
  return out;
}

Result<Outcome> run_test_text(std::string_view content, const std::filesystem::path& file,
                              const Options& options) {
  database::DatabaseOptions settings;
  settings.preserve_insertion_order = true;
  settings.read_only = options.database.has_value();
  auto database = TILLCAST_TRY_PLAIN(options.database ? database::Database::open(*options.database, settings)
                                                      : database::Database::open_in_memory(settings));
  auto connection = TILLCAST_TRY_PLAIN(database.connect());
  return TestRun(content, file, options, std::move(database), std::move(connection)).go();
}

Result<Outcome> run_test_file(const std::filesystem::path& file, const Options& options) {
  const std::string content = TILLCAST_TRY_PLAIN(io::read_file(file));
  Outcome outcome = TILLCAST_TRY_PLAIN(run_test_text(content, file, options));
  if (options.update && outcome.failures.empty() && outcome.content != content)
    TILLCAST_TRY_PLAIN(io::write_file_atomically(file, outcome.content));
  return outcome;
}

Result<std::vector<std::filesystem::path>> find_tests(const std::vector<std::filesystem::path>& places) {
  std::vector<std::filesystem::path> files;
  for (const auto& place : places) {
    std::error_code error;
    if (std::filesystem::is_directory(place, error)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(place, error))
        if (entry.path().extension() == ".test") files.push_back(entry.path());
    } else if (std::filesystem::exists(place, error)) {
      files.push_back(place);
    } else {
      return not_found("there is no test file or folder " + place.string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace tillcast::sqltest
