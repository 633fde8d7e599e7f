// A Session, a clock and a server that says what the test tells it to: every line is a step, and
// what the user hears is written down in order.
//
//   Conversation talk;
//   talk.attach();
//   talk.submit("read", GetDataRequest{.path = "/a"});
//   talk.reply(1, GetDataResponse{});
//   EXPECT_EQ(talk.heard(), (Lines{"connected", "read: OK"}));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fusefs/client/session.hpp"
#include "replication/protocol/codec.hpp"

namespace zabfs::fusefs::client {

using Lines = std::vector<std::string>;

// Requests of one frame each, as the server read them.
struct Sent {
  std::int32_t xid{};
  replication::protocol::Request request{};
};

class Conversation {
 public:
  static constexpr std::int32_t timeout_ms = 9'000;
  static constexpr std::int64_t session_id = 0x1234;

  Conversation() : Conversation("one:1") {}
  explicit Conversation(const std::string& connect_string, Credentials credentials = {});

  Session& session() { return session_; }
  std::int64_t now_ms() const { return now_ms_; }

  // --- the connection ---

  // Passes time until the session dials, and lets the connection succeed; returns what it says
  // first.
  replication::protocol::ConnectRequest greet();

  // Passes time until the session dials; false if it does not within `limit_ms`.
  bool wait_for_dial(std::int64_t limit_ms);

  void accept(std::int32_t granted_ms);
  void refuse();  // a session that does not exist
  void attach();  // greets and accepts

  // The server closes the connection.
  void hang_up();

  // The clock goes on by `ms`, one tick at every time the session asked for.
  void pass(std::int64_t ms);

  // --- the server's side ---

  // Everything sent since the last call, whole frames only.
  std::vector<Sent> sent();

  // What `sent` says, as "xid name", for example "1 getData".
  Lines sent_lines();

  void reply(std::int32_t xid, const replication::protocol::Response& response);
  void reply(std::int32_t xid, replication::ErrorCode error);
  void event(replication::protocol::EventType type, const std::string& path);
  void receive(replication::ByteView bytes);

  // The zxid of the replies that follow.
  void applied(std::int64_t zxid) { zxid_ = zxid; }

  // --- the user's side ---

  RequestId submit(const std::string& name, replication::protocol::Request request);
  void close();

  // What the callbacks said since the last call.
  Lines heard();
  // How often events were told of.
  std::size_t calls() const { return calls_; }

 private:
  replication::Bytes take_output();

  Session session_;
  std::int64_t now_ms_{1'000'000};
  std::int64_t zxid_{7};
  Lines heard_;
  std::size_t calls_{};
};

}  // namespace zabfs::fusefs::client
