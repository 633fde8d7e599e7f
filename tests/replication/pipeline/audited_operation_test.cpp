// What the audit says about requests.
#include "replication/pipeline/audited_operation.hpp"

#include <gtest/gtest.h>

namespace zabfs::replication::pipeline {
namespace {

using namespace protocol;

TEST(AuditedOperations, AreTheChangesThatARequestAsksFor) {
  EXPECT_EQ(
      audited_operations(CreateRequest{.path = "/a", .flags = 3}),
      (AuditedOperations{{.name = "create", .znode = "/a", .znode_type = "ephemeral_sequential"}}));
  EXPECT_EQ(audited_operations(CreateContainerRequest{.path = "/a", .flags = 4}),
            (AuditedOperations{{.name = "create", .znode = "/a", .znode_type = "container"}}));
  EXPECT_EQ(audited_operations(CreateRequest{.path = "/a", .flags = -1}),
            (AuditedOperations{{.name = "create", .znode = "/a", .znode_type = "unknown"}}));
  EXPECT_EQ(audited_operations(DeleteRequest{.path = "/a"}),
            (AuditedOperations{{.name = "delete", .znode = "/a"}}));
  EXPECT_EQ(
      audited_operations(MultiRequest{
          {SetDataRequest{.path = "/a"}, CheckRequest{.path = "/b"}, DeleteRequest{.path = "/c"}}}),
      (AuditedOperations{{.name = "setData", .znode = "/a"}, {.name = "delete", .znode = "/c"}}));
  EXPECT_EQ(audited_operations(GetDataRequest{.path = "/a"}), AuditedOperations{});
}

TEST(AuditedOperations, AnAclIsShownWithoutHashes) {
  const Acl acl{{permission::all, {"world", "anyone"}},
                {permission::read | permission::write, {"digest", "bob:hash"}}};
  EXPECT_EQ(audited_operations(SetAclRequest{.path = "/a", .acl = acl}),
            (AuditedOperations{
                {.name = "setAcl", .znode = "/a", .acl = "world:anyone:cdrwadigest:bob:x:rw"}}));
}

TEST(AuditedOperations, SequentialZnodesHaveTheNamesThatTheyGot) {
  const AuditedOperations asked{{.name = "setData", .znode = "/a"},
                                {.name = "create", .znode = "/b-"}};
  const tree::MultiChange done{
      {tree::SetData{.path = "/a"}, tree::CreateNode{.path = "/b-0000000007"}}};
  EXPECT_EQ(with_names(asked, done).back().znode, "/b-0000000007");
  EXPECT_EQ(with_names({{.name = "create", .znode = "/c-"}}, tree::CreateNode{.path = "/c-1"})
                .front()
                .znode,
            "/c-1");
}

}  // namespace
}  // namespace zabfs::replication::pipeline
