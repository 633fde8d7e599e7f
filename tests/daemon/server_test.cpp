// A whole server over real sockets and files: what only the parts together can get wrong.
#include "daemon/server.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "replication/model/acl.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/protocol/handshake.hpp"
#include "tests/daemon/clients/loopback_client.hpp"
#include "tests/support/hostile_bytes.hpp"
#include "tests/support/temporary_directory.hpp"

namespace zabfs::daemon {
namespace {

namespace protocol = replication::protocol;
using replication::Bytes;
using replication::bytes_of;
using replication::text_of;
using test::LoopbackClient;

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    config_.data_directory = config_.log_directory = directory_.at("data");
    config_.client_address = "127.0.0.1";
    config_.client_port = 0;
    config_.log_level = LogLevel::error;
  }

  void start() {
    serving_ = 0;
    server_ = std::make_unique<Server>(context_, config_, [this] { ++serving_; });
    ASSERT_EQ(server_->start(), std::nullopt);
    ASSERT_NE(server_->client_port(), 0);
  }

  // As at the end of the process: what is on its way never arrives.
  void stop() {
    server_->stop();
    context_.poll();
    server_.reset();
  }

  LoopbackClient connect() { return {context_, server_->client_port()}; }

  static Bytes greeting() {
    Bytes out;
    protocol::append_frame(out, protocol::ConnectRequest{.timeout_ms = 10'000});
    return out;
  }

  LoopbackClient connect_with_session() {
    auto client = connect();
    EXPECT_TRUE(client.send(greeting()));
    const auto response = protocol::decode_connect_response(client.take_frame());
    EXPECT_TRUE(response && response->session_id != 0);
    return client;
  }

  static Bytes request(std::int32_t xid, const protocol::Request& request) {
    Bytes out;
    protocol::append_request(out, xid, request);
    return out;
  }

  static Bytes create(std::int32_t xid, const std::string& path) {
    return request(xid, protocol::CreateRequest{
                            .path = path, .data = Bytes{'x'}, .acl = replication::open_acl()});
  }

  static Bytes exists(std::int32_t xid, const std::string& path) {
    return request(xid, protocol::ExistsRequest{.path = path});
  }

  // The error of the next reply, which must be to `xid`; an impossible one if the server has
  // closed.
  static std::int32_t error_of_reply(LoopbackClient& client, std::int32_t xid) {
    const Bytes frame = client.take_frame();
    const auto reply = protocol::split_reply(frame);
    EXPECT_TRUE(!reply || reply->header.xid == xid);
    return reply ? reply->header.error : 1;
  }

  bool the_log_mentions(const std::string& text) {
    for (const auto& file : std::filesystem::directory_iterator(directory_.at("data"))) {
      std::ifstream in(file.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(in), {}};
      if (file.path().filename().string().starts_with("log.") && content.find(text) != text.npos) {
        return true;
      }
    }
    return false;
  }

  test::TemporaryDirectory directory_;
  boost::asio::io_context context_{1};
  Config config_;
  int serving_{};
  std::unique_ptr<Server> server_;
};

constexpr std::int32_t no_node = static_cast<std::int32_t>(replication::ErrorCode::no_node);

TEST_F(ServerTest, WhatWasAcknowledgedIsThereAfterARestart) {
  for (int run = 1; run <= 3; ++run) {
    start();
    auto client = connect_with_session();
    EXPECT_EQ(serving_, 1);
    for (int before = 1; before < run; ++before) {
      ASSERT_TRUE(client.send(exists(before, "/n" + std::to_string(before))));
      EXPECT_EQ(error_of_reply(client, before), 0) << "run " << run;
    }
    ASSERT_TRUE(client.send(exists(50, "/n" + std::to_string(run))));
    EXPECT_EQ(error_of_reply(client, 50), no_node);
    ASSERT_TRUE(client.send(create(51, "/n" + std::to_string(run))));
    EXPECT_EQ(error_of_reply(client, 51), 0);
    stop();
  }
}

TEST_F(ServerTest, RequestsMayBePipelinedBehindTheGreeting) {
  start();
  auto client = connect();
  Bytes all = greeting();
  constexpr int count = 3000;  // more than one connection may have unanswered
  for (int i = 1; i <= count; ++i) {
    const Bytes one = create(i, "/n" + std::to_string(i));
    all.insert(all.end(), one.begin(), one.end());
  }
  ASSERT_TRUE(client.send(all));
  EXPECT_TRUE(protocol::decode_connect_response(client.take_frame()));
  for (int i = 1; i <= count; ++i) {
    ASSERT_EQ(error_of_reply(client, i), 0);
  }
  stop();
}

TEST_F(ServerTest, StoppingTellsWhatTheDiskHasDone) {
  start();
  auto client = connect_with_session();
  ASSERT_TRUE(client.send(create(1, "/name-in-the-log")));
  ASSERT_TRUE(test::run_until(context_, [&] { return the_log_mentions("/name-in-the-log"); }));
  stop();
  ASSERT_EQ(error_of_reply(client, 1), 0);
  EXPECT_TRUE(client.sees_the_end());
  start();
  auto again = connect_with_session();
  ASSERT_TRUE(again.send(exists(1, "/name-in-the-log")));
  EXPECT_EQ(error_of_reply(again, 1), 0);
  stop();
}

TEST_F(ServerTest, ASecondServerOnTheSameDirectoryIsRefused) {
  start();
  Server second(context_, config_, [] {});
  const auto why = second.start();
  ASSERT_TRUE(why);
  EXPECT_NE(why->find(directory_.at("data") + " is in use by process "), std::string::npos);
  stop();
}

TEST_F(ServerTest, ATakenPortIsRefusedBeforeTheDataIsTouched) {
  start();
  Config other = config_;
  other.client_port = server_->client_port();
  other.data_directory = other.log_directory = directory_.at("other");
  Server second(context_, other, [] {});
  const auto why = second.start();
  ASSERT_TRUE(why);
  EXPECT_NE(why->find("Address already in use"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory_.at("other/epochs")));
  stop();
}

TEST_F(ServerTest, FourLetterWordsFollowTheWhitelist) {
  config_.four_letter_words = {"srvr", "stat"};
  start();
  auto client = connect_with_session();
  auto asking = connect();
  ASSERT_TRUE(asking.send("stat"));
  ASSERT_TRUE(asking.sees_the_end());
  const std::string answer(text_of(asking.received()));
  EXPECT_NE(answer.find("Mode: standalone\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find(" /127.0.0.1:"), std::string::npos) << answer;
  EXPECT_NE(answer.find("[1](queued=0,recved=1,sent=1)\n"), std::string::npos) << answer;
  auto refused = connect();
  ASSERT_TRUE(refused.send("ruok"));
  ASSERT_TRUE(refused.sees_the_end());
  EXPECT_EQ(text_of(refused.received()),
            "ruok is not executed because it is not in the whitelist.\n");
  stop();
}

TEST_F(ServerTest, HostileBytesDisturbNobodyElse) {
  config_.clients.connections_per_address_max = 0;
  start();
  auto good = connect_with_session();
  Bytes valid = greeting();
  const Bytes write = create(1, "/n");
  valid.insert(valid.end(), write.begin(), write.end());
  auto runs = test::mutations_of(valid, 11, 300);
  for (auto& run : test::random_runs(12, 300, 200)) {
    runs.push_back(std::move(run));
  }
  for (const auto& run : runs) {
    auto hostile = connect();
    hostile.send(run);
    context_.poll();
  }
  ASSERT_TRUE(good.send(exists(1, "/")));
  EXPECT_EQ(error_of_reply(good, 1), 0);
  stop();
}

TEST_F(ServerTest, AFewRequestsAtATimeAreStillAllAnswered) {
  config_.clients.requests_max = 1;
  start();
  auto first = connect_with_session();
  auto second = connect_with_session();
  for (int i = 1; i <= 50; ++i) {
    ASSERT_TRUE(first.send(create(i, "/a" + std::to_string(i))));
    ASSERT_TRUE(second.send(create(i, "/b" + std::to_string(i))));
  }
  for (int i = 1; i <= 50; ++i) {
    ASSERT_EQ(error_of_reply(first, i), 0);
    ASSERT_EQ(error_of_reply(second, i), 0);
  }
  stop();
}

// More than one batch of the log: some of it waits for the disk while nobody has more to send.
TEST_F(ServerTest, WhatWaitsForTheDiskDoesNotWaitForEverForMore) {
  start();
  auto client = connect_with_session();
  constexpr int count = 20;
  const Bytes large(500'000, 'x');
  static_assert(count * 500'000 > 2 * replication::limits::log_batch_bytes_max);
  static_assert(count <= replication::limits::burst_requests_max);
  for (int i = 1; i <= count; ++i) {
    ASSERT_TRUE(client.send(request(
        i, protocol::CreateRequest{
               .path = "/n" + std::to_string(i), .data = large, .acl = replication::open_acl()})));
  }
  for (int i = 1; i <= count; ++i) {
    ASSERT_EQ(error_of_reply(client, i), 0);
  }
  stop();
}

}  // namespace
}  // namespace zabfs::daemon
