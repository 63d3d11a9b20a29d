#include "pipeline/upload_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/file_hash.h"
#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::pipeline {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSales =
    "product_id,product_name,product_price,store_id,store_name,quantity,date\n"
    "p1,Tea,2.50,s1,North,3,2024-01-02 10:00:00\n"
    "p1,Tea,2.50,s1,North,many,2024-01-03 10:00:00\n";

class UploadStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void reopen() {
    auto opened = UploadStore::open(folder_.path(), clock_);
    ASSERT_OK(opened);
    store_ = std::move(*opened);
  }
  Result<UploadStore::Accepted> send(std::string_view content, const std::string& name = "sales.csv",
                                     const std::string& mapping = "") {
    auto incoming = TILLCAST_TRY_PLAIN(store_->begin(content.size()));
    for (std::size_t at = 0; at < content.size(); at += 7)
      TILLCAST_TRY_PLAIN(incoming->write(content.substr(at, 7)));
    return store_->accept(std::move(incoming), name, mapping);
  }
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.file("uploads"))) {
      if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }

  test::TempDir folder_;
  SystemClock clock_;
  std::unique_ptr<UploadStore> store_;
};

TEST_F(UploadStoreTest, AFileIsKeptUnderItsHashAndFoundAgainByTheNextProcess) {
  ASSERT_OK_AND_ASSIGN(const auto accepted, send(kSales));
  EXPECT_FALSE(accepted.existing);
  EXPECT_EQ(accepted.upload.id, io::sha256_text(kSales));
  EXPECT_EQ(accepted.upload.format, "csv");
  EXPECT_EQ(accepted.upload.mapping, "sales-csv");
  EXPECT_THAT(files(), ::testing::ElementsAre(accepted.upload.id + ".csv", accepted.upload.id + ".json"));
  ASSERT_OK(store_->set_job(accepted.upload.id, "job-000001", 1));
  reopen();
  const auto found = store_->find(accepted.upload.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->job_id, "job-000001");
  EXPECT_EQ(io::sha256_file(store_->path_of(*found)).value(), found->id);
}

TEST_F(UploadStoreTest, TheSameFileAgainIsTheSameUpload) {
  ASSERT_OK(send(kSales, "a.csv"));
  ASSERT_OK_AND_ASSIGN(const auto again, send(kSales, "b.csv"));
  EXPECT_TRUE(again.existing);
  EXPECT_EQ(again.upload.name, "a.csv");
  EXPECT_EQ(files().size(), 2U);
}

TEST_F(UploadStoreTest, WhatIsNoSalesFileIsRefusedAndLeavesNothing) {
  EXPECT_ERROR(send(""), ErrorCode::kInvalidInput, "sales.csv: is empty");
  EXPECT_ERROR(send("a,b\n1,2\n"), ErrorCode::kInvalidInput, "product_id");
  EXPECT_ERROR(send(kSales.substr(0, kSales.find('\n') + 1)), ErrorCode::kInvalidInput, "no rows");
  EXPECT_ERROR(
      send(std::string(kSales.substr(0, kSales.find('\n') + 1)) + "p1,Tea,2.50,s1,North,many,2024-01-03\n"),
      ErrorCode::kInvalidInput, "row 1: quantity");
  EXPECT_ERROR(send("PK\x03\x04 not a workbook"), ErrorCode::kInvalidInput, "sales.csv");
  EXPECT_ERROR(send(std::string("\x1f\x8b gzip")), ErrorCode::kInvalidInput, "gunzip");
  EXPECT_ERROR(send(kSales, "sales.csv", "rossmann"), ErrorCode::kInvalidInput, "Store");
  EXPECT_THAT(files(), ::testing::IsEmpty());
}

TEST_F(UploadStoreTest, ATypedMappingNamesAPresetAndNeverAFile) {
  folder_.write("evil.toml", "");
  EXPECT_ERROR(send(kSales, "sales.csv", (folder_.file("evil.toml")).string()), ErrorCode::kNotFound,
               "mapping");
}

TEST_F(UploadStoreTest, AnAbortedUploadLeavesNothing) {
  {
    ASSERT_OK_AND_ASSIGN(auto incoming, store_->begin(std::nullopt));
    ASSERT_OK(incoming->write(kSales));
    EXPECT_EQ(files().size(), 1U);
  }
  EXPECT_THAT(files(), ::testing::IsEmpty());
}

TEST_F(UploadStoreTest, TheNextStartRemovesWhatACrashLeftHalfDone) {
  ASSERT_OK_AND_ASSIGN(const auto accepted, send(kSales));
  folder_.write("uploads/incoming/1.part", "half");
  folder_.write("uploads/" + std::string(64, 'a') + ".csv", "stored, but never recorded");
  folder_.write("uploads/." + std::string(64, 'b') + ".json.7-1.tmp", "{");
  reopen();
  EXPECT_EQ(files().size(), 2U);
  EXPECT_TRUE(store_->find(accepted.upload.id));
}

TEST_F(UploadStoreTest, OnlyAFewFilesComeInAtATimeAndOnlyWhatFits) {
  std::vector<std::unique_ptr<IncomingUpload>> open;
  for (int i = 0; i < UploadStore::kIncomingMax; ++i) open.push_back(store_->begin(std::nullopt).value());
  EXPECT_ERROR(store_->begin(std::nullopt), ErrorCode::kUnavailable, "try again");
  open.pop_back();
  EXPECT_OK(store_->begin(std::nullopt));
  EXPECT_ERROR(store_->begin(std::uint64_t{1} << 60), ErrorCode::kDiskFull, "free some space");
}

TEST(FileLabel, IsTheLastSegmentAndPrintable) {
  EXPECT_EQ(file_label("../../etc/passwd"), "passwd");
  EXPECT_EQ(file_label("C:\\data\\sales 2024.csv"), "sales 2024.csv");
  EXPECT_EQ(file_label("a\nb\x01.csv"), "a_b_.csv");
  EXPECT_EQ(file_label("caf\xe9.csv"), "caf\uFFFD.csv") << "as SQL and JSON can hold it";
  for (const char* const nothing : {"", "/", "..", "a/.."})
    EXPECT_EQ(file_label(nothing), "upload") << nothing;
  const std::string cut = file_label(std::string(199, 'x') + "ü.csv");
  EXPECT_EQ(cut, std::string(199, 'x')) << "no half characters";
}

}  // namespace
}  // namespace tillcast::pipeline
