// The audit's lines: ZooKeeper's fields, and nothing that could pass for another line.
#include "daemon/audit_log.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon {
namespace {

using replication::AuditEvent;
using replication::AuditResult;

TEST(AuditLog, ALineHasTheFieldsThatApply) {
  EXPECT_EQ(to_text({.session = {0x100000100000001},
                     .users = "10.0.0.7,bob",
                     .address = "10.0.0.7",
                     .operation = "create",
                     .znode = "/a",
                     .znode_type = "ephemeral"},
                    "zabd"),
            "session=0x100000100000001\tuser=10.0.0.7,bob\tip=10.0.0.7\toperation=create\t"
            "znode=/a\tznode_type=ephemeral\tresult=success");
  EXPECT_EQ(to_text({.operation = "serverStop", .result = AuditResult::invoked}, "zabd"),
            "user=zabd\toperation=serverStop\tresult=invoked");
}

TEST(AuditLog, NoNameEndsAFieldOrALine) {
  EXPECT_EQ(
      to_text({.users = "eve\nuser=bob", .operation = "delete", .znode = "/a\tresult=failure"},
              "zabd"),
      "user=eve\\x0auser=bob\toperation=delete\tznode=/a\\x09result=failure\tresult=success");
}

TEST(AuditLog, GoesToTheFileThatIsNamed) {
  const test::TemporaryDirectory directory;
  AuditLog audit;
  ASSERT_EQ(audit.open(directory.at("audit")), std::nullopt);
  audit.record({.operation = "serverStart"});
  std::ifstream file(directory.at("audit"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(text.ends_with("\toperation=serverStart\tresult=success\n")) << text;
  EXPECT_NE(AuditLog().open(directory.at("absent") + "/"), std::nullopt);
}

}  // namespace
}  // namespace zabfs::daemon
