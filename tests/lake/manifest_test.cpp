#include "lake/manifest.h"

#include <atomic>
#include <fstream>
#include <thread>

#include "support/result_matchers.h"
#include "support/temp_dir.h"

namespace tillcast::lake {
namespace {

using ::tillcast::test::TempDir;

ManifestEntry entry(std::int64_t seq, const std::string& key = "") {
  ManifestEntry made;
  made.seq = seq;
  made.key = key;
  made.file = "sales.csv";
  made.source = "shop";
  made.topic = "till";
  made.totals = {10, 7, 2, 1};
  made.created_at = {1'700'000'000'123'456};
  made.tool_version = "tillcast 0.1.0";
  DataFile file;
  file.dataset = "silver.sale_line";
  file.path = "silver/sale_line/event_month=2011-11/" + std::to_string(seq) + ".parquet";
  file.rows = 7;
  file.bytes = 123;
  file.month = "2011-11";
  file.date_min = date_from_civil(2011, 11, 1);
  file.date_max = date_from_civil(2011, 11, 30);
  file.checksum = "0123456789abcdef";
  file.schema = std::make_shared<const std::vector<ColumnSpec>>(std::vector<ColumnSpec>{
      {"a \"b\"\n", ColumnType::kText}, {"n", ColumnType::kDecimal3}, {"t", ColumnType::kTimestamp}});
  made.files.push_back(std::move(file));
  return made;
}

class ManifestTest : public ::testing::Test {
 protected:
  TempDir dir;
  LocalObjectStore store = LocalObjectStore::open(dir.path()).value();
  Manifest manifest{store};
};

TEST_F(ManifestTest, EntrySurvivesWritingAndReading) {
  ManifestEntry before = entry(1, "k1");
  before.offsets.push_back({"sales", 3, 100, 250});
  before.removes.push_back("old.parquet");
  const std::string json = format_entry(before);
  ASSERT_OK_AND_ASSIGN(const ManifestEntry after, parse_entry(json, "1.json"));
  EXPECT_EQ(format_entry(after), json);
  EXPECT_EQ(after.created_at, before.created_at);
  EXPECT_EQ(*after.files[0].schema, *before.files[0].schema);
  EXPECT_EQ(after.offsets[0].end, 250);
  EXPECT_EQ(after.files[0].date_max, before.files[0].date_max);
}

TEST_F(ManifestTest, EveryFlippedBitOfAnEntryIsFound) {
  const std::string json = format_entry(entry(1, "k1"));
  for (std::size_t at = 0; at + 1 < json.size(); ++at) {  // the last byte is the line's end
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = json;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      ASSERT_FALSE(parse_entry(damaged, "1.json").has_value()) << "byte " << at << " bit " << bit;
    }
  }
}

TEST_F(ManifestTest, EveryTruncationOfAnEntryIsFound) {
  const std::string json = format_entry(entry(1, "k1"));
  for (std::size_t length = 0; length + 1 < json.size(); ++length) {
    ASSERT_FALSE(parse_entry(std::string_view(json).substr(0, length), "1.json").has_value()) << length;
  }
}

TEST_F(ManifestTest, NewerFormatSaysToUpdate) {
  EXPECT_ERROR(parse_entry(R"({"format":2,"anything":"else"})", "1.json"), ErrorCode::kInvalidInput,
               "update tillcast");
  dir.write("manifest/00000000000000000001.json", R"({"format":9})");
  EXPECT_ERROR(manifest.read(), ErrorCode::kInvalidInput,
               "00000000000000000001.json has format 9, this tillcast reads up to 1");
}

TEST_F(ManifestTest, PathsThatLeaveTheLakeAreRefused) {
  ManifestEntry climbing = entry(1);
  climbing.files[0].path = "silver/../../etc/passwd";
  EXPECT_ERROR(parse_entry(format_entry(climbing), "1.json"), ErrorCode::kCorruptData, "leaves the lake");
}

TEST_F(ManifestTest, CommitsAreReadInOrder) {
  for (int seq = 1; seq <= 12; ++seq) ASSERT_OK(manifest.commit(entry(seq, "key" + std::to_string(seq))));
  ASSERT_OK_AND_ASSIGN(const Snapshot snapshot, manifest.read());
  EXPECT_EQ(snapshot.seq, 12);
  EXPECT_EQ(snapshot.rows("silver.sale_line"), 12 * 7);
  ASSERT_NE(snapshot.find_load("key5"), nullptr);
  EXPECT_EQ(snapshot.find_load("key5")->seq, 5);
  EXPECT_EQ(snapshot.find_load("other"), nullptr);
  EXPECT_EQ(snapshot.find_load(""), nullptr);
}

TEST_F(ManifestTest, OfTwoWritersOfOneNumberOneWins) {
  for (int seq = 1; seq <= 10; ++seq) {
    std::atomic<int> winners{0};
    std::atomic<int> losers{0};
    {
      std::vector<std::jthread> writers;
      for (int i = 0; i < 3; ++i) {
        writers.emplace_back([&, i] {
          const auto done = manifest.commit(entry(seq, std::to_string(seq) + "-" + std::to_string(i)));
          winners += done ? 1 : 0;
          losers += !done && done.error().code == ErrorCode::kConflict ? 1 : 0;
        });
      }
    }
    ASSERT_EQ(winners, 1);
    ASSERT_EQ(losers, 2);
  }
  EXPECT_EQ(manifest.read()->seq, 10);
}

TEST_F(ManifestTest, CheckpointGivesTheSameSnapshotAsTheLog) {
  for (int seq = 1; seq <= 5; ++seq) ASSERT_OK(manifest.commit(entry(seq, "key" + std::to_string(seq))));
  ManifestEntry replace = entry(6);
  replace.kind = EntryKind::kReplace;
  replace.removes.push_back(entry(2).files[0].path);
  ASSERT_OK(manifest.commit(replace));
  ASSERT_OK_AND_ASSIGN(const Snapshot before, manifest.read());
  ASSERT_OK(manifest.write_checkpoint(before));
  ASSERT_OK(manifest.write_checkpoint(before));
  ASSERT_OK(manifest.commit(entry(7, "key7")));
  ASSERT_OK_AND_ASSIGN(const Snapshot with_checkpoint, manifest.read());
  std::filesystem::remove_all(dir.path() / "checkpoints");
  ASSERT_OK_AND_ASSIGN(const Snapshot without, manifest.read());
  EXPECT_EQ(format_checkpoint(with_checkpoint), format_checkpoint(without));
  EXPECT_EQ(with_checkpoint.removed.size(), 1U);
}

TEST_F(ManifestTest, DamagedCheckpointIsPassedOver) {
  for (int seq = 1; seq <= 3; ++seq) ASSERT_OK(manifest.commit(entry(seq, "key" + std::to_string(seq))));
  ASSERT_OK(manifest.write_checkpoint(*manifest.read()));
  dir.write(Manifest::checkpoint_key(3), "{\"format\":1");
  ASSERT_OK_AND_ASSIGN(const Snapshot snapshot, manifest.read());
  EXPECT_EQ(snapshot.seq, 3);
}

TEST_F(ManifestTest, GapIsCorruptDataAndNamesTheMissingEntry) {
  for (int seq = 1; seq <= 3; ++seq) ASSERT_OK(manifest.commit(entry(seq, "key" + std::to_string(seq))));
  std::filesystem::remove(dir.file(Manifest::entry_key(2)));
  EXPECT_ERROR(manifest.read(), ErrorCode::kCorruptData, "00000000000000000002.json is missing");
}

TEST_F(ManifestTest, RefreshSeesOnlyWhatIsNew) {
  ASSERT_OK(manifest.commit(entry(1, "key1")));
  ASSERT_OK_AND_ASSIGN(Snapshot snapshot, manifest.read());
  const Snapshot old = snapshot;
  ASSERT_OK(manifest.commit(entry(2, "key2")));
  ASSERT_OK(manifest.refresh(snapshot));
  EXPECT_EQ(snapshot.seq, 2);
  EXPECT_EQ(old.rows("silver.sale_line"), 7) << "a snapshot does not change";
}

TEST_F(ManifestTest, RefusesWhatDoesNotFollow) {
  Snapshot snapshot;
  ASSERT_OK(apply_entry(snapshot, entry(1, "key1")));
  EXPECT_ERROR(apply_entry(snapshot, entry(3, "key3")), ErrorCode::kConflict,
               "commit 3 cannot follow commit 1");
  EXPECT_ERROR(apply_entry(snapshot, entry(2, "key1")), ErrorCode::kConflict, "loaded already, as commit 1");
  ManifestEntry again = entry(2, "key2");
  again.files[0].path = entry(1).files[0].path;
  EXPECT_ERROR(apply_entry(snapshot, again), ErrorCode::kConflict, "visible already");
  ManifestEntry unknown = entry(2, "key2");
  unknown.removes.push_back("nowhere.parquet");
  EXPECT_ERROR(apply_entry(snapshot, unknown), ErrorCode::kConflict, "not visible");
  ManifestEntry shrinking = entry(2);
  shrinking.kind = EntryKind::kReplace;
  shrinking.removes.push_back(entry(1).files[0].path);
  shrinking.files[0].rows = 6;
  EXPECT_ERROR(apply_entry(snapshot, shrinking), ErrorCode::kConflict,
               "would change the rows of silver.sale_line by -1");
  EXPECT_EQ(snapshot.seq, 1) << "a refused entry changes nothing";
  EXPECT_EQ(snapshot.rows("silver.sale_line"), 7);
}

TEST_F(ManifestTest, OffsetsMayNotOverlap) {
  Snapshot snapshot;
  ManifestEntry first = entry(1);
  first.offsets = {{"sales", 0, 0, 100}, {"sales", 1, 0, 50}};
  ASSERT_OK(apply_entry(snapshot, first));
  ManifestEntry zombie = entry(2);
  zombie.offsets = {{"sales", 0, 99, 120}};
  EXPECT_ERROR(apply_entry(snapshot, zombie), ErrorCode::kConflict,
               "offsets 99..120 of sales/0 overlap what is committed up to 100");
  ManifestEntry next = entry(2);
  next.offsets = {{"sales", 0, 100, 120}};
  ASSERT_OK(apply_entry(snapshot, next));
  EXPECT_EQ(snapshot.offsets.at("sales/0"), 120);
  EXPECT_EQ(snapshot.offsets.at("sales/1"), 50);
}

TEST_F(ManifestTest, DropTakesFilesAndTheLoadAway) {
  Snapshot snapshot;
  ASSERT_OK(apply_entry(snapshot, entry(1, "key1")));
  ManifestEntry drop = entry(2, "key1");
  drop.kind = EntryKind::kDrop;
  drop.files.clear();
  drop.removes.push_back(entry(1).files[0].path);
  ASSERT_OK(apply_entry(snapshot, drop));
  EXPECT_EQ(snapshot.rows("silver.sale_line"), 0);
  EXPECT_OK(apply_entry(snapshot, entry(3, "key1")));
}

}  // namespace
}  // namespace tillcast::lake
