#include <gtest/gtest.h>

#include "daemon/config.hpp"

namespace zabfs::daemon {
namespace {

TreeConfig parsed(const std::string& text) {
  const auto result = parse_config("dataDir=/d\n" + text, "zoo.cfg");
  if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
    ADD_FAILURE() << text << ": " << errors->front();
    return {};
  }
  return std::get<Config>(result).tree;
}

TEST(TreeConfig, EveryKeyIsRead) {
  EXPECT_EQ(parsed(""), TreeConfig{});
  EXPECT_EQ(parsed("extendedTypesEnabled=false\nenforceQuota=true\n"
                   "znode.container.checkIntervalMs=100\nznode.container.maxPerMinute=7\n"
                   "znode.container.maxNeverUsedIntervalMs=300000"),
            (TreeConfig{.has_ttl = false,
                        .enforces_quota = true,
                        .removal_check_ms = 100,
                        .removals_per_minute = 7,
                        .container_never_used_ms = 300'000}));
  EXPECT_FALSE(parsed("zookeeper.extendedTypesEnabled=False").has_ttl);
  EXPECT_TRUE(parsed("zookeeper.enforceQuota=TRUE").enforces_quota);
}

TEST(TreeConfig, MistakesAreNamed) {
  const auto error_in = [](const std::string& text) {
    const auto result = parse_config("dataDir=/d\n" + text, "zoo.cfg");
    const auto* errors = std::get_if<ConfigErrors>(&result);
    return errors == nullptr || errors->size() != 1 ? "not one" : errors->front();
  };
  EXPECT_EQ(error_in("znode.container.maxPerMinute=0"),
            "zoo.cfg:2: znode.container.maxPerMinute: '0' is not a number from 1 to 10000000");
  EXPECT_TRUE(
      error_in("extendedTypesEnabled=maybe").starts_with("zoo.cfg:2: extendedTypesEnabled"));
  EXPECT_EQ(error_in("enforceQuotas=true"),
            "zoo.cfg:2: unknown key 'enforceQuotas' (did you mean 'enforceQuota'?)");
}

}  // namespace
}  // namespace zabfs::daemon
