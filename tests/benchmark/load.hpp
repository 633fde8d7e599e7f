// A client that asks as fast as it is allowed to: S sessions on one thread, each with W requests
// unanswered at any moment, spread over one or several servers. It speaks the wire protocol itself,
// so that what is measured is the server.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/protocol/requests.hpp"
#include "tests/benchmark/distribution.hpp"

namespace zabfs::benchmark {

struct LoadOptions {
  std::vector<std::uint16_t> ports{};  // session i is at the server i % ports.size()
  int sessions{1};
  int window{1};
};

struct LoadResult {
  std::uint64_t operations{};
  std::uint64_t errors{};
  double seconds{};
  Distribution latency_us{};
  std::vector<std::uint32_t> each_tenth{};  // operations answered in every 100 ms
};

// A reply without its header; `body` is empty after an error.
using OnReply = std::function<void(std::int32_t error, replication::ByteView body)>;

using OnNotice = std::function<void()>;

// The next request of session `session`, or nullopt when there is none left.
using NextRequest = std::function<std::optional<replication::protocol::Request>(int session)>;

// What a session was answered, before its next request is asked for.
using OnAnswer = std::function<void(int session, replication::ByteView body)>;

// One connection with a session, non-blocking.
class Session {
 public:
  // Connects to 127.0.0.1 and opens a session; throws std::runtime_error if that fails.
  explicit Session(std::uint16_t port, std::int32_t timeout_ms = 30'000);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int descriptor() const { return descriptor_; }

  // Appends to what the next flush sends.
  void submit(const replication::protocol::Request& request);
  void flush();

  // Reads what is there; calls `on_reply` for each reply, and `on_notice` for each watch that
  // fired.
  void receive(const OnReply& on_reply, const OnNotice& on_notice = {});

 private:
  int descriptor_;
  std::int32_t next_xid_{1};
  replication::Bytes output_;
  replication::Bytes input_;
};

// Keeps every session's window full until `next` has no more, or `seconds` have passed.
LoadResult run_load(const LoadOptions& options, double seconds, const NextRequest& next,
                    const OnAnswer& on_answer = {});

}  // namespace zabfs::benchmark
