// Requests against the tree as it will be: errors in ZooKeeper's order, and pipelining.
#include "replication/pipeline/prepare.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace zabfs::replication::pipeline {
namespace {

using namespace protocol;

constexpr SessionId session{0x100};
constexpr std::int32_t ephemeral = 1;
constexpr std::int32_t sequential = 2;

class PrepareTest : public testing::Test {
 protected:
  // Prepares, and commits under the next zxid if that succeeded; nothing is applied yet.
  Prepared propose(Request request) {
    Prepared prepared = prepare(request, {session, identities_}, pending_);
    if (auto* body = std::get_if<tree::TransactionBody>(&prepared)) {
      ++zxid_.value;
      pending_.commit(zxid_);
      in_flight_.push_back({.header = {.zxid = zxid_, .session = session}, .body = *body});
    }
    return prepared;
  }

  ErrorCode error_of(Request request) {
    const Prepared prepared = propose(std::move(request));
    const auto* error = std::get_if<ErrorCode>(&prepared);
    return error == nullptr ? ErrorCode::ok : *error;
  }

  void apply_all() {
    for (const auto& transaction : in_flight_) {
      tree_.apply(transaction, applied_);
      pending_.applied(transaction.header.zxid);
    }
    in_flight_.clear();
  }

  static CreateRequest create(std::string path, std::int32_t flags = 0) {
    return {.path = std::move(path), .data = Bytes{}, .acl = open_acl(), .flags = flags};
  }

  std::string created(Request request) {
    const Prepared prepared = propose(std::move(request));
    const auto* body = std::get_if<tree::TransactionBody>(&prepared);
    return body == nullptr ? "" : std::get<tree::CreateNode>(*body).path;
  }

  const Identities identities_{{"ip", "127.0.0.1"}};
  tree::DataTree tree_;
  tree::Applied applied_;
  PendingChanges pending_{tree_};
  Zxid zxid_ = Zxid::at({1}, 0);
  std::vector<tree::Transaction> in_flight_;
};

TEST_F(PrepareTest, CreateFailsWithTheFirstFaultOfZooKeepersOrder) {
  ASSERT_EQ(error_of(create("/eph", ephemeral)), ErrorCode::ok);
  ASSERT_EQ(error_of(CreateRequest{.path = "/closed", .acl = read_only_acl()}), ErrorCode::ok);
  struct Row {
    CreateRequest request;
    ErrorCode want;
    const char* why;
  };
  const Acl unknown = {{permission::all, {"sasl", "bob"}}};
  const Row rows[] = {
      {{.path = "none", .acl = {}, .flags = 4}, ErrorCode::bad_arguments, "flags come first"},
      {{.path = "none", .acl = {}}, ErrorCode::bad_arguments, "no slash, before the ACL"},
      {{.path = std::string("/a\0", 3), .acl = {}}, ErrorCode::bad_arguments, "a NUL"},
      {{.path = "/no/x", .acl = {}}, ErrorCode::invalid_acl, "ACL before the parent"},
      {{.path = "/no/x", .acl = unknown}, ErrorCode::invalid_acl, "a scheme not known here"},
      {create("/no/x"), ErrorCode::no_node, "no parent"},
      {create("/x//y"), ErrorCode::no_node, "/x/ is a name nobody has"},
      {create("a/b"), ErrorCode::no_node, "parent a"},
      {create("/closed/x"), ErrorCode::no_auth, "no create permission on the parent"},
      {create("/closed/."), ErrorCode::no_auth, "permission before the final path"},
      {create("/."), ErrorCode::bad_arguments, "final path"},
      {create("/x/"), ErrorCode::no_node, "parent /x"},
      {create("/"), ErrorCode::node_exists, "the root"},
      {create("/eph"), ErrorCode::node_exists, "it will exist"},
      {create("/eph/x"), ErrorCode::no_children_for_ephemerals, "ephemeral parent"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(error_of(row.request), row.want) << row.why << ": " << row.request.path;
  }
}

TEST_F(PrepareTest, DeleteFailsWithTheFirstFaultOfZooKeepersOrder) {
  for (const auto* path : {"/a", "/a/b"}) {
    ASSERT_EQ(error_of(create(path)), ErrorCode::ok);
  }
  struct Row {
    DeleteRequest request;
    ErrorCode want;
  };
  const Row rows[] = {
      {{.path = "/"}, ErrorCode::bad_arguments},
      {{.path = "/zookeeper/config"}, ErrorCode::bad_arguments},
      {{.path = "a"}, ErrorCode::bad_arguments},
      {{.path = "/no/x", .version = 7}, ErrorCode::no_node},
      {{.path = "/zookeeper/config/x"}, ErrorCode::no_auth},
      {{.path = "/x"}, ErrorCode::no_node},
      {{.path = "/a", .version = 7}, ErrorCode::bad_version},
      {{.path = "/a", .version = 0}, ErrorCode::not_empty},
      {{.path = "/a/b", .version = 0}, ErrorCode::ok},
      {{.path = "/a/b"}, ErrorCode::no_node},
      {{.path = "/a"}, ErrorCode::ok},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(error_of(row.request), row.want) << row.request.path << ' ' << row.request.version;
  }
}

TEST_F(PrepareTest, SetDataFailsWithTheFirstFaultOfZooKeepersOrder) {
  ASSERT_EQ(error_of(create("/a")), ErrorCode::ok);
  struct Row {
    SetDataRequest request;
    ErrorCode want;
  };
  const Row rows[] = {
      {{.path = "/a/", .version = 7}, ErrorCode::bad_arguments},
      {{.path = "", .version = 7}, ErrorCode::bad_arguments},
      {{.path = "/x", .version = 7}, ErrorCode::no_node},
      {{.path = "/zookeeper/config", .version = 7}, ErrorCode::no_auth},
      {{.path = "/a", .version = 7}, ErrorCode::bad_version},
      {{.path = "/a", .version = 0}, ErrorCode::ok},
      {{.path = "/a", .version = 0}, ErrorCode::bad_version},
      {{.path = "/a", .version = 1}, ErrorCode::ok},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(error_of(row.request), row.want) << row.request.path << ' ' << row.request.version;
  }
}

TEST_F(PrepareTest, SequenceNumbersCountCreatesAndNotDeletesOrFailures) {
  EXPECT_EQ(created(create("/s")), "/s");
  EXPECT_EQ(created(create("/s/a-", sequential)), "/s/a-0000000000");
  EXPECT_EQ(error_of(create("/s/a-0000000000")), ErrorCode::node_exists);
  EXPECT_EQ(error_of(DeleteRequest{.path = "/s/a-0000000000"}), ErrorCode::ok);
  EXPECT_EQ(created(create("/s/", sequential)), "/s/0000000001");
  EXPECT_EQ(created(create("/s/plain")), "/s/plain");
  apply_all();
  EXPECT_EQ(created(create("/s/b-", sequential)), "/s/b-0000000003");
}

TEST_F(PrepareTest, ASequenceThatIsUsedUpGivesOutNoNumberTwice) {
  ASSERT_EQ(error_of(create("/s")), ErrorCode::ok);
  apply_all();
  const std::int32_t last = std::numeric_limits<std::int32_t>::max();
  tree_.apply(
      {.header = {.zxid = {zxid_.value + 1}},
       .body =
           tree::CreateNode{.path = "/s/x", .data = {}, .acl = open_acl(), .parent_creates = last}},
      applied_);
  ++zxid_.value;
  EXPECT_EQ(error_of(create("/s/n", sequential)), ErrorCode::bad_arguments);
  EXPECT_EQ(error_of(create("/s/plain")), ErrorCode::ok);
  apply_all();
  EXPECT_NE(tree_.find("/s/plain"), nullptr);
}

TEST_F(PrepareTest, AVersionIsNeverMinusOne) {
  ASSERT_EQ(error_of(create("/a")), ErrorCode::ok);
  apply_all();
  const auto set_version = [this](std::int32_t version) {
    ++zxid_.value;
    tree_.apply({.header = {.zxid = zxid_},
                 .body = tree::SetData{.path = "/a", .data = {}, .version = version}},
                applied_);
  };
  set_version(std::numeric_limits<std::int32_t>::max());
  Prepared next = propose(SetDataRequest{.path = "/a"});
  EXPECT_EQ(std::get<tree::SetData>(std::get<tree::TransactionBody>(next)).version,
            std::numeric_limits<std::int32_t>::min());
  apply_all();
  set_version(-2);
  next = propose(SetDataRequest{.path = "/a"});
  EXPECT_EQ(std::get<tree::SetData>(std::get<tree::TransactionBody>(next)).version, 0);
}

TEST_F(PrepareTest, AMultiThatFailsLeavesNothingBehind) {
  ASSERT_EQ(error_of(create("/q")), ErrorCode::ok);
  const Prepared failed = propose(MultiRequest{
      .operations = {create("/q/a", ephemeral), SetDataRequest{.path = "/q"},
                     CheckRequest{.path = "/q", .version = 9}, DeleteRequest{.path = "/q/a"}}});
  const auto& results = std::get<MultiResponse>(failed).results;
  ASSERT_EQ(results.size(), 4U);
  const ErrorCode want[] = {ErrorCode::ok, ErrorCode::ok, ErrorCode::bad_version,
                            ErrorCode::runtime_inconsistency};
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(std::get<MultiError>(results[i].body).error, want[i]) << i;
  }
  EXPECT_FALSE(pending_.find("/q/a"));
  EXPECT_TRUE(pending_.ephemerals_of(session).empty());
  EXPECT_EQ(pending_.find("/q")->version, 0);
  EXPECT_EQ(created(create("/q/s", sequential)), "/q/s0000000000");
}

TEST_F(PrepareTest, LaterOperationsOfAMultiSeeEarlierOnes) {
  const Prepared done = propose(MultiRequest{
      .operations = {create("/m"), create("/m/x"), SetDataRequest{.path = "/m", .version = 0},
                     CheckRequest{.path = "/m", .version = 1}, DeleteRequest{.path = "/m/x"},
                     DeleteRequest{.path = "/m"}}});
  const auto& body = std::get<tree::TransactionBody>(done);
  EXPECT_EQ(std::get<tree::MultiChange>(body).changes.size(), 5U) << "a check leaves no change";
  EXPECT_FALSE(pending_.find("/m"));
  apply_all();
  EXPECT_EQ(tree_.find("/m"), nullptr);
}

TEST_F(PrepareTest, TheEndOfASessionTakesItsEphemeralsOfTreeAndFlight) {
  ASSERT_EQ(error_of(create("/applied", ephemeral)), ErrorCode::ok);
  ASSERT_EQ(error_of(create("/removed", ephemeral)), ErrorCode::ok);
  apply_all();
  ASSERT_EQ(error_of(create("/flying", ephemeral)), ErrorCode::ok);
  ASSERT_EQ(error_of(DeleteRequest{.path = "/removed"}), ErrorCode::ok);
  EXPECT_EQ(pending_.ephemerals_of(session), (std::vector<std::string>{"/applied", "/flying"}));
  prepare_close(session, pending_);
  pending_.commit({++zxid_.value});
  EXPECT_FALSE(pending_.find("/applied"));
  EXPECT_FALSE(pending_.find("/flying"));
  EXPECT_EQ(error_of(create("/applied")), ErrorCode::ok) << "free again for others in the pipeline";
}

TEST_F(PrepareTest, NothingIsRememberedOnceItIsApplied) {
  ASSERT_EQ(error_of(create("/a", ephemeral)), ErrorCode::ok);
  ASSERT_EQ(error_of(SetDataRequest{.path = "/a"}), ErrorCode::ok);
  ASSERT_EQ(error_of(MultiRequest{
                .operations = {create("/b"), create("/b/c"), DeleteRequest{.path = "/b/c"}}}),
            ErrorCode::ok);
  EXPECT_GT(pending_.size(), 0U);
  apply_all();
  EXPECT_EQ(pending_.size(), 0U);
}

}  // namespace
}  // namespace zabfs::replication::pipeline
