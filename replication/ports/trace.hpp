// The diary: what happened, as typed events. The daemon's log, the transcripts of the tests and the
// simulator all read it. Nothing is decided by it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "replication/model/ids.hpp"

namespace zabfs::replication {

struct Recovered {
  Zxid last{};
  std::uint64_t transactions_replayed{};
  std::uint64_t znodes{};
  std::string note{};  // what recovery dropped, as a sentence; empty if nothing
};

struct EpochBegan {
  Epoch epoch{};
};

struct SessionOpened {
  SessionId session{};
  std::int32_t timeout_ms{};
};

struct SessionClosed {
  SessionId session{};
  bool expired{};
  std::uint64_t ephemerals{};
};

struct SnapshotBegan {
  Zxid zxid{};
};

struct SnapshotFinished {
  Zxid zxid{};
  std::uint64_t bytes{};
};

// A client sent what no client of the protocol sends; its connection is being closed.
struct ClientRefused {
  ConnectionId connection{};
  std::string why{};
};

using TraceEvent = std::variant<Recovered, EpochBegan, SessionOpened, SessionClosed, SnapshotBegan,
                                SnapshotFinished, ClientRefused>;

class Trace {
 public:
  virtual ~Trace() = default;
  virtual void record(const TraceEvent& event) = 0;
};

// The event as one line of text, without time or newline.
std::string to_text(const TraceEvent& event);

}  // namespace zabfs::replication
