#include "warehouse/seed.h"
#include "shop_fixture.h"

namespace tillcast::warehouse {
namespace {

class Seed : public ShopTest {
 protected:
  Result<> load(const std::string& csv) {
    node_.raw_code = csv;
    return load_seed(*connection_, node_);
  }
  void SetUp() override {
    ShopTest::SetUp();
    node_.path = "seeds/s.csv";
    node_.relation = "\"main\".\"s\"";
  }
  Node node_;
};

TEST_F(Seed, InfersTheNarrowestType) {
  ASSERT_OK(
      load("i,l,d,day,at,b,t,e\n1,10000000000,1.5,2024-03-01,2024-03-01 "
           "10:00:00,true,x,\n-2,7,3,2024-03-02,2024-03-02 11:00:00,false,\"a, \"\"b\"\"\nc\",\n"));
  EXPECT_EQ(rows("SELECT column_type FROM (DESCRIBE s)"),
            "INTEGER BIGINT DOUBLE DATE TIMESTAMP BOOLEAN VARCHAR VARCHAR");
  EXPECT_EQ(rows("SELECT t, e FROM s WHERE i = -2"), "a, \"b\"\nc|null");
}

TEST_F(Seed, ConfiguredTypesWin) {
  node_.config.column_types = {{"code", "varchar"}};
  ASSERT_OK(
      load("\xEF\xBB\xBF"
           "code,n\r\n007,7\r\n"));
  EXPECT_EQ(rows("SELECT code, n FROM s"), "007|7");
  node_.config.column_types = {{"code", "date"}};
  EXPECT_ERROR(load("code\nx\n"), ErrorCode::kInvalidInput, "seeds/s.csv");
}

TEST_F(Seed, RefusesBadCsvWithItsLine) {
  EXPECT_ERROR(load(""), ErrorCode::kInvalidInput, "seeds/s.csv:1: the file is empty");
  EXPECT_ERROR(load("a,b\n1,2\n3\n"), ErrorCode::kInvalidInput,
               "seeds/s.csv:3: expected 2 fields as in the header, found 1");
  EXPECT_ERROR(load("a\n\"x\n"), ErrorCode::kInvalidInput, "seeds/s.csv:2: a quoted field is not closed");
  EXPECT_ERROR(load("a\n\xFF\n"), ErrorCode::kInvalidInput, "not UTF-8");
}

}  // namespace
}  // namespace tillcast::warehouse
