#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/engine.h"
#include "pipeline/settings.h"
#include "support/result_matchers.h"

namespace tillcast::test {

/// The Engine of a data directory, with settings as `key=value` over those of its file.
inline std::unique_ptr<pipeline::Engine> open_shop(const std::filesystem::path& shop,
                                                   const std::vector<std::string>& overrides = {}) {
  auto config = pipeline::load_settings(shop, {}, overrides);
  EXPECT_OK(config);
  auto engine = pipeline::Engine::open(shop, std::move(config).value());
  EXPECT_OK(engine);
  return std::move(engine).value();
}

/// Loads a file and builds gold, without a forecast.
inline void load_only(pipeline::Engine& engine, const std::filesystem::path& file) {
  pipeline::RunOptions options;
  options.inputs = {file};
  options.forecast = false;
  pipeline::StageObserver silent;
  ASSERT_OK(engine.run(options, silent));
}

/// The cells of an answer, row by row, each followed by a blank; of a statement that failed, why.
inline std::string cells_of(pipeline::Engine& engine, const std::string& statement) {
  auto result = engine.sql(statement, 0);
  if (!result) return result.error().message;
  std::string text;
  for (std::size_t row = 0; row < result->rows(); ++row)
    for (std::size_t column = 0; column < result->columns.size(); ++column)
      text += result->text(row, column) + " ";
  return text;
}

}  // namespace tillcast::test
