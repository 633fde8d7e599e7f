// A session of our client between a user, a clock, a network and a server, all of which do what the
// input says, in any order.
//
// Whatever happens, a request is answered exactly once unless it was forgotten, and closing ends
// everything within its second.
#include <algorithm>
#include <map>

#include "fusefs/client/session.hpp"
#include "replication/model/check.hpp"
#include "replication/model/limits.hpp"
#include "replication/protocol/codec.hpp"

namespace zabfs::test {
namespace {

using namespace fusefs::client;
using namespace replication;
using namespace replication::protocol;

// Takes the input apart, octet by octet; zero when there is none left.
class Input {
 public:
  explicit Input(ByteView rest) : rest_(rest) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t octet() {
    const auto taken = take(1);
    return taken.empty() ? std::uint8_t{0} : taken.front();
  }
  ByteView take(std::size_t size) {
    const auto taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  ByteView rest_;
};

class World {
 public:
  void step(Input& input) {
    switch (input.octet() % 9) {
      case 0:
        return submit(input.octet());
      case 1:
        return forget({input.octet()});
      case 2:
        return tick(input.octet());
      case 3:
        return tick(input.octet() * 64);
      case 4:
        return connect_or_disconnect();
      case 5:
        return accept(input.octet());
      case 6:
        return reply(input.octet());
      case 7:
        return receive(input.take(input.octet()));
      case 8:
        return session_.deliveries().run();
    }
  }

  void end() {
    bool done = false;
    session_.close([&done] { done = true; }, now_ms_);
    tick(limits::client_close_ms_max);
    session_.deliveries().run();
    CHECK(done && session_.attempt() == 0 && session_.deliveries().empty());
    CHECK(session_.state() == SessionState::closed || session_.state() == SessionState::expired);
    for (const auto& [id, answers] : answers_) {
      CHECK(answers == 1, "request ", id, " was answered ", answers, " times");
    }
  }

 private:
  void submit(std::uint8_t choice) {
    static const std::vector<Request> requests{GetDataRequest{.path = "/a", .watch = true},
                                               ExistsRequest{.path = "/a", .watch = true},
                                               GetChildrenRequest{.path = "/a", .watch = true},
                                               SetDataRequest{.path = "/a"},
                                               MultiRequest{{DeleteRequest{.path = "/a"}}},
                                               SyncRequest{.path = "/a"},
                                               PingRequest{}};
    const auto number = ++submitted_;
    answers_[number] = 0;
    const auto id = session_.submit(
        requests[choice % requests.size()], [this, number](const auto&) { ++answers_[number]; },
        now_ms_);
    CHECK(id.value == number && answers_[number] == 0);
  }

  void forget(RequestId id) {
    session_.forget(id);
    if (const auto found = answers_.find(id.value); found != answers_.end() && found->second == 0) {
      answers_.erase(found);
    }
  }

  void tick(std::int64_t ms) {
    now_ms_ += ms;
    session_.tick(now_ms_);
    follow();
  }

  // Notices a new attempt, as the transport does, and takes what there is to send.
  void follow() {
    if (session_.attempt() != attempt_) {
      attempt_ = session_.attempt();
      is_connected_ = false;
    }
    if (is_connected_) {
      Bytes out;
      session_.append_output(out, now_ms_);
    }
  }

  void connect_or_disconnect() {
    if (attempt_ == 0) {
      return;
    }
    if (is_connected_) {
      session_.disconnected(now_ms_);
    } else {
      is_connected_ = true;
      session_.connected(now_ms_);
    }
    follow();
  }

  void receive(ByteView bytes) {
    if (attempt_ != 0 && is_connected_) {
      session_.received(bytes, now_ms_);
      follow();
    }
  }

  void accept(std::uint8_t timeout) {
    Bytes frame;
    append_frame(frame, ConnectResponse{.timeout_ms = timeout * 100,
                                        .session_id = 5,
                                        .password = Bytes(limits::session_password_bytes)});
    receive(frame);
  }

  // A reply to the request that waits, if the numbers are guessed well; or an event.
  void reply(std::uint8_t choice) {
    Bytes frame;
    const auto xid = static_cast<std::int32_t>(choice % 32) - 8;
    if (choice < 128) {
      append_reply(frame, {.xid = xid, .zxid = choice, .error = choice < 32 ? -101 : 0},
                   StatResponse{});
    } else {
      append_event(frame, {.type = choice % 5, .path = "/a"}, choice);
    }
    receive(frame);
  }

  Session session_{{{{"h", 1}, {"i", 2}}, ""}, 4'000, 1};
  std::int64_t now_ms_{};
  std::uint64_t attempt_{};
  bool is_connected_{};
  std::uint64_t submitted_{};
  std::map<std::uint64_t, int> answers_;  // of the requests that were not forgotten
};

}  // namespace
}  // namespace zabfs::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  zabfs::test::Input input{{data, size}};
  zabfs::test::World world;
  while (!input.empty()) {
    world.step(input);
  }
  world.end();
  return 0;
}
