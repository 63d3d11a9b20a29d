#include "io/file_hash.h"

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::io {
namespace {

// FIPS 180-2, appendix B.1 and B.3.
TEST(FileHash, Sha256GivesThePublishedValues) {
  const test::TempDir dir;
  ASSERT_OK_AND_ASSIGN(const std::string abc, sha256_file(dir.write("a", "abc")));
  EXPECT_EQ(abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  ASSERT_OK_AND_ASSIGN(const std::string million, sha256_file(dir.write("m", std::string(1'000'000, 'a'))));
  EXPECT_EQ(million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(FileHash, FileAndTextAgree) {
  const test::TempDir dir;
  const std::string text(700'001, 'q');
  const auto path = dir.write("a", text);
  EXPECT_EQ(sha256_file(path).value(), sha256_text(text));
  EXPECT_EQ(xxh3_file(path).value(), xxh3_text(text));
}

// Reference value of XXH3-64 for the empty input with seed 0.
TEST(FileHash, Xxh3OfNothingIsTheReferenceValue) { EXPECT_EQ(xxh3_text(""), "2d06800538d394c2"); }

TEST(FileHash, OneFlippedBitChangesTheChecksum) {
  std::string text(1000, 'a');
  const std::string before = xxh3_text(text);
  text[500] = static_cast<char>(text[500] ^ 1);
  EXPECT_NE(xxh3_text(text), before);
}

TEST(FileHash, MissingFileAndDirectoryAreErrors) {
  const test::TempDir dir;
  EXPECT_ERROR(sha256_file(dir.file("none")), ErrorCode::kNotFound, "none");
  EXPECT_ERROR(sha256_file(dir.path()), ErrorCode::kInvalidInput, "is a directory");
}

class CancelAtOnce final : public Progress {
 public:
  void update(std::uint64_t, std::uint64_t) override {}
  bool cancelled() const override { return true; }
};

TEST(FileHash, StopsWhenAsked) {
  const test::TempDir dir;
  CancelAtOnce progress;
  EXPECT_ERROR(sha256_file(dir.write("a", "abc"), &progress), ErrorCode::kCancelled, "stopped");
}

}  // namespace
}  // namespace tillcast::io
