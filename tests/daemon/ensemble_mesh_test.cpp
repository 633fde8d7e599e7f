#include "daemon/ensemble_mesh.hpp"

#include <gtest/gtest.h>

namespace zabfs::daemon {
namespace {

using replication::ServerId;

EnsembleConfig ensemble() {
  return {.members = {{ServerId{1}, {.host = "alpha", .port = 1}},
                      {ServerId{2}, {.host = "beta", .port = 2}},
                      {ServerId{3}, {.is_observer = true, .host = "gamma", .port = 3}}},
          .self = {2}};
}

TEST(EnsembleMesh, TheMembershipIsWhatQuorumsDependOn) {
  const std::string text = membership_of(ensemble());
  EXPECT_EQ(text, "server 1 weighs 1\nserver 2 weighs 1\nserver 3 observes\n");
  auto same = ensemble();
  same.self = {1};
  same.members[ServerId{1}].host = "0.0.0.0";
  same.members[ServerId{3}].weight = 9;
  EXPECT_EQ(membership_of(same), text);
  auto grouped = ensemble();
  grouped.groups = {{4, {ServerId{1}, ServerId{3}}}, {5, {ServerId{2}}}};
  EXPECT_EQ(membership_of(grouped),
            "server 1 weighs 1 in group 4\nserver 2 weighs 1 in group 5\nserver 3 observes\n");
}

TEST(EnsembleMesh, AServerListensOnItsOwnAddressAndKnowsTheOthers) {
  auto config = ensemble();
  const auto options = mesh_options(config);
  EXPECT_EQ(options.self, ServerId{2});
  EXPECT_EQ(options.listen.host, "beta");
  EXPECT_EQ(options.listen.port, 2);
  ASSERT_EQ(options.others.size(), 2U);
  EXPECT_EQ(options.others.at(ServerId{3}).host, "gamma");
  config.listens_on_all_addresses = true;
  EXPECT_EQ(mesh_options(config).listen.host, "");
}

}  // namespace
}  // namespace zabfs::daemon
