#include "cli/progress_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kept_terminal.h"

namespace tillcast::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(ProgressLine, TakesItsMovingLineAwayBeforeWhatIsPrintedNext) {
  test::KeptTerminal terminal({.out_is_tty = true, .err_is_tty = true});
  {
    ProgressLine progress(terminal, false);
    progress.stage_started("load", "rows");
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (terminal.err_text.empty() && std::chrono::steady_clock::now() < limit) progress.update(1, 2);
    EXPECT_THAT(terminal.err_text, HasSubstr("load"));
  }
  EXPECT_THAT(terminal.err_text, EndsWith("\r\x1b[K"));
}

}  // namespace
}  // namespace tillcast::cli
