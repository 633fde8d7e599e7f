#include "tests/replication/zab/samples.hpp"

#include <limits>

namespace zabfs::replication::zab {

std::vector<Message> sample_messages() {
  constexpr Epoch newest{std::numeric_limits<std::uint32_t>::max()};
  constexpr Zxid zxid = Zxid::at({7}, 0x1234'5678);
  const Bytes bytes{0, 1, 0xff, 'x'};
  return {
      Ballot{.state = PeerState::looking, .round = 3, .vote = {{2}, {6}, zxid}},
      Ballot{.state = PeerState::observing, .round = ~std::uint64_t{0}, .vote = {}},
      LearnerInfo{.accepted = newest},
      NewEpoch{.epoch = {8}},
      AckEpoch{.current = {6}, .last = zxid, .is_counted = true},
      AckEpoch{.current = newest, .last = {}, .is_counted = false},
      Difference{.from = zxid},
      Truncate{.keep = zxid},
      SnapshotBegin{.taken_at = zxid},
      SnapshotBegin{.taken_at = zxid, .ensemble = "server.1=a:1:participant\nversion=0"},
      SnapshotSlice{.bytes = bytes},
      SnapshotSlice{},
      SnapshotEnd{},
      Proposal{.zxid = zxid, .origin = {{3}, {99}}, .record = bytes},
      Proposal{},
      NewLeader{.epoch = {8}},
      AckNewLeader{.epoch = {8}, .up_to = zxid},
      UpToDate{.committed = zxid},
      Ack{.up_to = zxid},
      Commit{.up_to = zxid, .digest = 0xdead'beef'0bad'cafe},
      Heartbeat{.number = 12},
      HeartbeatReply{.number = 12, .alive = {{1}, {-1}, {0x0100'0001}}},
      HeartbeatReply{},
      Forwarded{.payload = bytes},
      KnownEnsemble{.in_force = "server.1=a:1:participant\nversion=100000001",
                    .next = "server.2=b:1"},
      KnownEnsemble{},
  };
}

}  // namespace zabfs::replication::zab
