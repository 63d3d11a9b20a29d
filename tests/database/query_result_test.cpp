#include <string>
#include <vector>

#include "database/database.h"
#include "support/result_matchers.h"

namespace tillcast::database {
namespace {

class QueryResultTest : public ::testing::Test {
 protected:
  Database database = Database::open_in_memory().value();
  Connection connection = database.connect().value();
};

// DuckDB is the oracle: our text of a value is its own cast to VARCHAR.
TEST_F(QueryResultTest, TextEqualsDuckDbsCastForEveryType) {
  const std::vector<std::string> values = {"true",
                                           "(-5)::TINYINT",
                                           "300::SMALLINT",
                                           "-70000",
                                           "9223372036854775807",
                                           "200::UTINYINT",
                                           "60000::USMALLINT",
                                           "4000000000::UINTEGER",
                                           "18446744073709551615::UBIGINT",
                                           "170141183460469231731687303715884105727::HUGEINT",
                                           "(-170141183460469231731687303715884105728)::HUGEINT",
                                           "340282366920938463463374607431768211455::UHUGEINT",
                                           "0.1::FLOAT",
                                           "0.1::DOUBLE",
                                           "1e20::DOUBLE",
                                           "1.0::DOUBLE",
                                           "'nan'::DOUBLE",
                                           "'-inf'::FLOAT",
                                           "1e-7::DOUBLE",
                                           "12.5::DECIMAL(4,1)",
                                           "(-0.05)::DECIMAL(9,2)",
                                           "0.005::DECIMAL(18,3)",
                                           "(-1.2345)::DECIMAL(18,4)",
                                           "12345678901234567890.1234::DECIMAL(38,4)",
                                           "(-0.0001)::DECIMAL(38,4)",
                                           "7::DECIMAL(38,0)",
                                           "DATE '2024-02-29'",
                                           "DATE '0001-01-01'",
                                           "DATE '0044-03-15 (BC)'",
                                           "'infinity'::DATE",
                                           "TIME '12:34:56.789'",
                                           "TIMETZ '12:34:56+02'",
                                           "TIMESTAMP '2011-12-09 12:50:00'",
                                           "TIMESTAMP '2011-12-09 12:50:00.5'",
                                           "TIMESTAMPTZ '2011-12-09 12:50:00+00'",
                                           "'infinity'::TIMESTAMPTZ",
                                           "TIMESTAMP_S '2011-12-09 12:50:00'",
                                           "TIMESTAMP_MS '2011-12-09 12:50:00.123'",
                                           "TIMESTAMP_NS '2011-12-09 12:50:00.123456789'",
                                           "INTERVAL '1 year 2 months 3 days 04:05:06'",
                                           "'6f1b9cc0-5d8e-4d5b-9b0f-0123456789ab'::UUID",
                                           "'ff1b9cc0-5d8e-4d5b-9b0f-0123456789ab'::UUID",
                                           "'\\xAA\\x00b'::BLOB",
                                           "'10110'::BIT",
                                           "'b'::ENUM('a','b')",
                                           "[1, NULL, 3]",
                                           "[]::INTEGER[]",
                                           "[['a'], ['it''s', NULL]]",
                                           "{'a': 1, 'b': 'x y', 'c': NULL}",
                                           "MAP {'k': 1.5, 'l': NULL}",
                                           "[1,2,3]::INTEGER[3]",
                                           "union_value(num := 2)::UNION(num INTEGER, str VARCHAR)",
                                           "'naïve €'",
                                           "''",
                                           "{'d': DATE '2024-01-01', 'l': [0.10]}"};
  for (const std::string& value : values) {
    ASSERT_OK_AND_ASSIGN(
        const QueryResult rows,
        connection.query("SELECT x, x::VARCHAR, typeof(x) FROM (SELECT " + value + " AS x) t"));
    EXPECT_EQ(rows.text(0, 0), rows.text(0, 1)) << value << " of type " << rows.text(0, 2);
    if (rows.text(0, 2).find("STRUCT") == std::string::npos &&
        rows.text(0, 2).find("UNION") == std::string::npos) {
      EXPECT_EQ(rows.columns[0].sql_type, rows.text(0, 2));
    }
  }
}

TEST_F(QueryResultTest, NullsOfEveryTypeAreNull) {
  ASSERT_OK_AND_ASSIGN(
      const QueryResult rows,
      connection.query(
          "SELECT x, x::VARCHAR, x::DECIMAL(38,2), [x], x::DOUBLE FROM (VALUES (1), (NULL), (3)) t(x)"));
  EXPECT_EQ(rows.integer(0, 0), 1);
  EXPECT_EQ(rows.integer(1, 0), std::nullopt);
  EXPECT_EQ(rows.text(1, 1), "");
  EXPECT_TRUE(rows.is_null(1, 2));
  EXPECT_FALSE(rows.is_null(1, 3));
  EXPECT_EQ(rows.text(1, 3), "[NULL]");
  EXPECT_EQ(rows.number(2, 4), 3.0);
}

TEST_F(QueryResultTest, NullsAreRightAcrossChunks) {
  ASSERT_OK_AND_ASSIGN(const QueryResult rows,
                       connection.query("SELECT CASE WHEN range % 5000 = 4999 THEN NULL ELSE range END AS x "
                                        "FROM range(20000) ORDER BY range"));
  std::size_t nulls = 0;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const bool wanted = row % 5000 == 4999;
    ASSERT_EQ(rows.is_null(row, 0), wanted) << row;
    nulls += wanted ? 1U : 0U;
    if (!wanted) {
      ASSERT_EQ(rows.integer(row, 0), static_cast<std::int64_t>(row));
    }
  }
  EXPECT_EQ(nulls, 4U);
}

TEST_F(QueryResultTest, SumsOfMoneyAreExactDecimals) {
  ASSERT_OK_AND_ASSIGN(
      const QueryResult rows,
      connection.query(
          "SELECT sum(x::DECIMAL(18,4)) AS total, count(*) AS n FROM (VALUES (0.1), (0.2)) t(x)"));
  EXPECT_EQ(rows.columns[0].sql_type, "DECIMAL(38,4)");
  EXPECT_EQ(rows.decimal(0, 0, 4), 3000);
  EXPECT_EQ(rows.number(0, 0), 0.3);
  EXPECT_EQ(rows.find("n"), 1);
}

TEST_F(QueryResultTest, TypesWithoutARepresentationSayToCast) {
  const auto rows = connection.query("SELECT 1::VARIANT AS v");
  EXPECT_ERROR(rows, ErrorCode::kInvalidInput, "cast it: \"v\"::VARCHAR");
}

}  // namespace
}  // namespace tillcast::database
