#include "fusefs/client/chroot.hpp"

#include <gtest/gtest.h>

namespace zabfs::fusefs::client {
namespace {

using namespace replication::protocol;

TEST(Chroot, StandsInFrontOfEveryPathOfARequest) {
  const Chroot chroot{"/sub"};
  const std::vector<std::pair<Request, Request>> rows{
      {CreateRequest{.path = "/a"}, CreateRequest{.path = "/sub/a"}},
      {GetDataRequest{.path = "/"}, GetDataRequest{.path = "/sub"}},
      {SyncRequest{.path = "/a/b"}, SyncRequest{.path = "/sub/a/b"}},
      {MultiRequest{{DeleteRequest{.path = "/a"}, CheckRequest{.path = "/"}}},
       MultiRequest{{DeleteRequest{.path = "/sub/a"}, CheckRequest{.path = "/sub"}}}},
  };
  for (const auto& [asked, sent] : rows) {
    auto request = asked;
    chroot.add_to(request);
    EXPECT_TRUE(request == sent) << name_of(op_of(request));
  }
}

TEST(Chroot, IsTakenFromEveryPathOfAResponse) {
  const Chroot chroot{"/sub"};
  Response created = PathStatResponse{.path = "/sub/a"};
  chroot.strip_from(created);
  EXPECT_EQ(std::get<PathStatResponse>(created).path, "/a");
  Response multi =
      MultiResponse{{{OpCode::create, PathResponse{"/sub/b"}}, {OpCode::error, MultiError{}}}};
  chroot.strip_from(multi);
  EXPECT_EQ(std::get<PathResponse>(std::get<MultiResponse>(multi).results[0].body).path, "/b");
}

TEST(Chroot, PathsOutsideOfItHaveTwoSlashes) {
  const Chroot chroot{"/sub"};
  const std::vector<std::pair<std::string, std::string>> rows{
      {"/sub", "/"}, {"/sub/a", "/a"}, {"/subway", "//subway"}, {"/other", "//other"}, {"", ""}};
  for (const auto& [given, stripped] : rows) {
    auto path = given;
    chroot.strip_from(path);
    EXPECT_EQ(path, stripped);
  }
}

TEST(Chroot, OfNothingChangesNothing) {
  const Chroot none{""};
  Request request = GetDataRequest{.path = "/"};
  none.add_to(request);
  EXPECT_TRUE(request == Request{GetDataRequest{.path = "/"}});
  for (const std::string given : {"", "/", "/a"}) {
    auto path = given;
    none.strip_from(path);
    EXPECT_EQ(path, given);
  }
}

}  // namespace
}  // namespace zabfs::fusefs::client
