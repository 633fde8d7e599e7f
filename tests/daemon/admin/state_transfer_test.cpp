// Who may take the whole state away, or put another in its place; and what is asked first.
#include "daemon/admin/state_transfer.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "replication/model/limits.hpp"
#include "tests/daemon/admin/fake_subject.hpp"

namespace zabfs::daemon::admin {
namespace {

using Command = StateTransfer::Command;

const HttpRequest get{.authorization = "digest root:secret", .address = "10.0.0.1"};
const HttpRequest post{
    .is_post = true, .authorization = "digest root:secret", .address = "10.0.0.1"};

class StateTransferTest : public testing::Test {
 protected:
  StateTransferTest() { subject_.standing_ = Standing::master; }

  // The status of the refusal; 0 if it is admitted.
  unsigned status(Command command, const HttpRequest& head) {
    const auto admitted = transfer_.admit(command, head, subject_);
    const auto* refusal = std::get_if<HttpReply>(&admitted);
    said_ = refusal == nullptr ? "" : refusal->body;
    return refusal == nullptr ? 0 : refusal->status;
  }

  HttpReply answer(Command command, const HttpRequest& request) {
    std::optional<HttpReply> answered;
    StateTransfer::answer(command, request, subject_,
                          [&](HttpReply reply) { answered = std::move(reply); });
    if (const auto taken = std::exchange(subject_.waiting_, {})) {
      EXPECT_FALSE(answered) << "before the snapshot is on the disk";
      taken(file_);
    }
    return answered.value_or(HttpReply{.status = 0});
  }

  FakeSubject subject_;
  StateTransfer transfer_{{.gives_snapshots = true, .takes_restores = true, .interval_ms = 100}};
  std::optional<SnapshotFile> file_{{.path = "/a/snapshot", .zxid = {0x10a}, .bytes = 77}};
  std::string said_;
};

TEST_F(StateTransferTest, TheNamesAreZooKeepers) {
  EXPECT_EQ(StateTransfer::find("snap"), Command::snapshot);
  EXPECT_EQ(StateTransfer::find("rest"), Command::restore);
  EXPECT_EQ(StateTransfer::find("stat"), std::nullopt);
  EXPECT_EQ(StateTransfer::find(""), std::nullopt);
}

TEST_F(StateTransferTest, EachRequirementIsAskedInItsTurn) {
  transfer_ = StateTransfer({.interval_ms = 100});
  subject_.settings_.members.resize(1);
  subject_.standing_ = Standing::nobody;
  subject_.facts_.replica.serving = false;
  HttpRequest head;
  EXPECT_EQ(status(Command::restore, head), 405U);
  EXPECT_EQ(status(Command::snapshot, post), 405U);
  head.is_post = true;
  EXPECT_EQ(status(Command::restore, head), 200U);
  EXPECT_NE(said_.find("not currently serving"), std::string::npos);
  subject_.facts_.replica.serving = true;
  EXPECT_EQ(status(Command::restore, head), 401U);
  EXPECT_NE(said_.find("Auth info is missing"), std::string::npos);
  head = post;
  EXPECT_EQ(status(Command::restore, head), 401U);
  EXPECT_NE(said_.find("Not authenticated"), std::string::npos);
  subject_.standing_ = Standing::somebody;
  EXPECT_EQ(status(Command::restore, head), 403U);
  subject_.standing_ = Standing::master;
  EXPECT_EQ(status(Command::restore, head), 503U);
  EXPECT_NE(said_.find("admin.restore.enabled=true"), std::string::npos);
  EXPECT_EQ(status(Command::snapshot, get), 503U);
  EXPECT_NE(said_.find("admin.snapshot.enabled=true"), std::string::npos);
  transfer_ = StateTransfer({.gives_snapshots = true, .takes_restores = true, .interval_ms = 100});
  EXPECT_EQ(status(Command::snapshot, get), 0U) << "every server of an ensemble has the state";
  EXPECT_EQ(status(Command::restore, head), 0U) << "and hands a restored one to all of them";
}

TEST_F(StateTransferTest, OneOfAKindInAnInterval) {
  subject_.facts_.now_ms = 1'000;
  EXPECT_EQ(status(Command::snapshot, get), 0U);
  EXPECT_EQ(status(Command::snapshot, get), 429U);
  EXPECT_EQ(status(Command::restore, post), 0U);
  subject_.facts_.now_ms = 1'099;
  EXPECT_EQ(status(Command::snapshot, get), 429U);
  subject_.facts_.now_ms = 1'100;
  EXPECT_EQ(status(Command::snapshot, get), 0U);
}

TEST_F(StateTransferTest, OnlyWhoIsAdmittedMaySendALargeBody) {
  EXPECT_EQ(std::get<std::uint64_t>(transfer_.admit(Command::restore, post, subject_)),
            replication::limits::restoration_bytes_max);
  EXPECT_EQ(std::get<std::uint64_t>(transfer_.admit(Command::snapshot, get, subject_)),
            HttpServer::body_bytes_max);
}

TEST_F(StateTransferTest, TheHeaderIsASchemeAndACredential) {
  const auto shown = [this](const std::string& authorization) {
    HttpRequest head = get;
    head.authorization = authorization;
    subject_.shown_.clear();
    status(Command::snapshot, head);
    return subject_.shown_;
  };
  EXPECT_EQ(shown("digest bob:secret"), "digest/bob:secret/10.0.0.1");
  EXPECT_EQ(shown("ip"), "ip/none/10.0.0.1");
  EXPECT_EQ(shown("digest "), "digest//10.0.0.1");
  EXPECT_EQ(shown("digest bob:secret more"), "") << "nobody is asked";
}

TEST_F(StateTransferTest, ASnapshotIsAFileOrWhatIsKnownOfIt) {
  HttpReply reply = answer(Command::snapshot, get);
  EXPECT_EQ(reply.file, "/a/snapshot");
  EXPECT_EQ(reply.type, "application/octet-stream");
  EXPECT_EQ(reply.headers,
            (decltype(reply.headers){{"last_zxid", "0x10a"}, {"snapshot_size", "77"}}));
  HttpRequest without = get;
  without.parameters = {{"streaming", "false"}};
  reply = answer(Command::snapshot, without);
  EXPECT_EQ(reply.file, "");
  EXPECT_EQ(reply.body, R"({"command":"snapshot","error":null})");
  EXPECT_EQ(reply.headers.size(), 2U);
  file_.reset();
  EXPECT_EQ(answer(Command::snapshot, get).status, 500U);
}

TEST_F(StateTransferTest, ARestoreIsGivenTheBody) {
  HttpRequest request = post;
  request.body = "bytes";
  std::optional<HttpReply> reply;
  const auto ask = [&] {
    reply.reset();
    StateTransfer::answer(Command::restore, request, subject_,
                          [&reply](HttpReply given) { reply = std::move(given); });
  };
  ask();
  EXPECT_EQ(subject_.restored_, "bytes");
  EXPECT_FALSE(reply) << "before it is done";
  subject_.restoring_(replication::Zxid{7});
  EXPECT_EQ(reply->status, 200U);
  EXPECT_EQ(reply->body, R"({"last_zxid":7,"command":"restore","error":null})");
  ask();
  subject_.restoring_("Another restore is under way.");
  EXPECT_EQ(reply->status, 503U);
  EXPECT_NE(reply->body.find("Another restore"), std::string::npos);
  subject_.unrestorable_ = "It is no snapshot.";
  ask();
  EXPECT_EQ(reply->status, 400U);
  EXPECT_NE(reply->body.find("It is no snapshot."), std::string::npos);
}

}  // namespace
}  // namespace zabfs::daemon::admin
