#include "core/config.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "support/result_matchers.h"

namespace tillcast {
namespace {

constexpr SettingSpec kSpecs[] = {
    {"serve.port", SettingType::kInteger, "8080", "TCP port"},
    {"serve.host", SettingType::kText, "127.0.0.1", "address"},
    {"log.json", SettingType::kBool, "false", "JSON lines"},
    {"ingest.inputs", SettingType::kTextList, "", "files"},
};
constexpr std::string_view kArrayTables[] = {"forecast.plan"};

TEST(Config, FlagsBeatEnvironmentBeatsFileBeatsDefaults) {
  Config config(kSpecs);
  EXPECT_EQ(config.integer("serve.port"), 8080);
  ASSERT_OK(config.load_toml("[serve]\nport = 1\nhost = \"h\"\n[ingest]\ninputs = [\"a\", \"b\"]\n",
                             "tillcast.toml", kArrayTables));
  EXPECT_EQ(config.integer("serve.port"), 1);
  const std::string environment[] = {"TILLCAST_SERVE__PORT=2", "PATH=/bin", "TILLCAST_DATASETS=/data"};
  ASSERT_OK(config.load_environment(environment));
  EXPECT_EQ(config.integer("serve.port"), 2);
  ASSERT_OK(config.set("serve.port", "3", "--port"));
  EXPECT_EQ(config.integer("serve.port"), 3);
  EXPECT_EQ(config.list("ingest.inputs"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config.show()[0].origin, "--port");
  EXPECT_EQ(config.show()[1].origin, "tillcast.toml");
  EXPECT_EQ(config.show()[2].origin, "default");
}

TEST(Config, NamesThePlaceAndTheNearestKeyOfAMistake) {
  Config config(kSpecs);
  EXPECT_ERROR(config.load_toml("\n[serve]\nprot = 1\n", "tillcast.toml", kArrayTables),
               ErrorCode::kInvalidInput,
               "tillcast.toml:3: unknown setting 'serve.prot'; did you mean 'serve.port'?");
  EXPECT_ERROR(config.load_toml("[serve]\nport = \"x\"\n", "f.toml", kArrayTables), ErrorCode::kInvalidInput,
               "f.toml:2: setting 'serve.port' must be a whole number, found 'x'");
  EXPECT_ERROR(config.load_toml("[serve\n", "f.toml", kArrayTables), ErrorCode::kInvalidInput, "f.toml:1");
  const std::string environment[] = {"TILLCAST_LOG__JSON=maybe"};
  EXPECT_ERROR(config.load_environment(environment), ErrorCode::kInvalidInput, "TILLCAST_LOG__JSON");
}

TEST(Config, KeepsArrayTables) {
  Config config(kSpecs);
  ASSERT_OK(
      config.load_toml("[[forecast.plan]]\nname = \"a\"\nby = [\"store\", "
                       "\"product\"]\n[[forecast.plan]]\nname = \"b\"\nhorizon = 8\n",
                       "f", kArrayTables));
  ASSERT_EQ(config.tables("forecast.plan").size(), 2U);
  EXPECT_EQ(config.tables("forecast.plan")[0].at("by"), "store,product");
  EXPECT_EQ(config.tables("forecast.plan")[1].at("horizon"), "8");
}

TEST(Config, SecretsAreReadWhenAskedForAndNeverShown) {
  Config config(kSpecs);
  ::setenv("TILLCAST_TEST_SECRET_VALUE", "hush", 1);
  ASSERT_OK(config.set("serve.host", "${env:TILLCAST_TEST_SECRET_VALUE}", "--host"));
  ASSERT_OK_AND_ASSIGN(const auto secret, config.secret("serve.host"));
  EXPECT_EQ(secret, "hush");
  EXPECT_EQ(config.show()[1].value, "${env:TILLCAST_TEST_SECRET_VALUE}");
  ASSERT_OK(config.set("serve.host", "${file:/nonexistent/secret}", "--host"));
  EXPECT_ERROR(config.secret("serve.host"), ErrorCode::kNotFound, "/nonexistent/secret");
}

}  // namespace
}  // namespace tillcast
