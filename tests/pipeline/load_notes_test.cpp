#include "pipeline/load_notes.h"

#include <gmock/gmock.h>

namespace tillcast::pipeline {
namespace {

using ::testing::HasSubstr;

/// A lake of files by days; the newest load brought those that are `own`.
class MisdatedNote : public ::testing::Test {
 protected:
  void file(const char* from, const char* to, std::int64_t rows, bool own = true) {
    lake::DataFile one;
    one.dataset = "silver.sale_line";
    one.path = std::string(from) + std::to_string(snapshot_.files["silver.sale_line"].size());
    one.rows = rows;
    one.date_min = parse_date(from);
    one.date_max = parse_date(to);
    snapshot_.files["silver.sale_line"].push_back(one);
    if (own) load_.files.push_back(one);
  }
  std::string note() {
    load_.seq = 4;
    return misdated_note(snapshot_, load_);
  }
  lake::Snapshot snapshot_;
  lake::ManifestEntry load_;
};

TEST_F(MisdatedNote, ARowDecadesBeforeTheOthersIsNamed) {
  file("2024-01-01", "2024-01-31", 500);
  file("2024-02-01", "2024-02-29", 400);
  file("1970-03-05", "1970-03-05", 1);
  EXPECT_EQ(note(),
            "1 row is dated 1970-03-05, 53 years before all others; if a year is wrong, take the load out "
            "(tillcast lake remove 4) and load the file corrected");
}

TEST_F(MisdatedNote, RowsAfterTheDataBeforeAreNamedWithTheirDays) {
  file("2010-12-01", "2010-12-31", 500, false);
  file("2011-01-01", "2011-01-31", 10);
  file("2021-01-05", "2021-01-30", 7);
  file("2022-06-05", "2022-06-05", 2);
  EXPECT_THAT(note(), HasSubstr("9 rows are dated 2021-01-05 to 2022-06-05, 9 years after all others"));
}

TEST_F(MisdatedNote, NothingIsSaidOfDataWithoutSuchGaps) {
  EXPECT_EQ(note(), "");
  file("2023-01-01", "2023-01-31", 5);
  file("2023-12-01", "2023-12-31", 500);
  EXPECT_EQ(note(), "");
}

TEST_F(MisdatedNote, AGapThatAnEarlierLoadMadeIsNotSaidAgain) {
  file("1970-03-05", "1970-03-05", 1, false);
  file("2024-01-01", "2024-01-31", 500, false);
  file("2024-02-01", "2024-02-29", 40);
  EXPECT_EQ(note(), "");
}

TEST_F(MisdatedNote, TheManyAreNotTheOddOnes) {
  file("2010-01-01", "2010-01-31", 5, false);
  file("2024-02-01", "2024-02-29", 400);
  EXPECT_EQ(note(), "");
}

}  // namespace
}  // namespace tillcast::pipeline
