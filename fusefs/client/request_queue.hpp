// The requests that wait for an answer, in the order of the calls: first those that were sent, then
// those that were not yet.
//
//   front | sent: the next reply belongs to the front | not sent | back
//
// Invariants: ids ascend, and so do the times of submission; a request that was sent stays until it
// is answered or the connection is lost, even if nobody waits for it any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "fusefs/client/client.hpp"

namespace zabfs::fusefs::client {

// The number of the request after the one numbered `xid`: 1, 2, 3 and so on, then 1 again before
// the largest. (Numbers below 1 have meanings of their own.)
constexpr std::int32_t xid_after(std::int32_t xid) {
  return xid < std::numeric_limits<std::int32_t>::max() - 1 ? xid + 1 : 1;
}

struct PendingRequest {
  RequestId id{};
  std::int64_t submitted_ms{};
  std::int32_t xid{};  // once it is sent
  replication::protocol::Request request{};
  ReplyCallback callback{};  // may be empty
  bool is_patient{};         // may wait for others to travel with

  replication::protocol::OpCode op() const { return op_of(request); }

  // True if it may be sent a second time: it reads, or ends the session, which is the same whether
  // done once or twice.
  bool is_repeatable() const;
};

class RequestQueue {
 public:
  std::size_t size() const { return requests_.size(); }
  void push(PendingRequest request) { requests_.push_back(std::move(request)); }

  // True if something that was not sent is to leave now: all of it does then.
  bool is_due() const;
  // Whatever has waited for limits::patient_request_ms is.
  void end_patience(std::int64_t now_ms);

  // The oldest request that was not sent, or nullptr.
  const PendingRequest* first_unsent() const;
  void mark_first_unsent_as_sent(std::int32_t xid) { requests_[sent_count_++].xid = xid; }
  PendingRequest take_first_unsent();

  // The request the next reply belongs to, or nullptr.
  const PendingRequest* first_sent() const;
  PendingRequest take_first_sent();

  // Nobody waits for `id` any more: it is dropped if it was not sent, else its callback is. False
  // if it is not here.
  bool forget(RequestId id);

  // What was sent and can be repeated becomes unsent again, unless nobody waits for it; the rest of
  // what was sent is returned: its outcome is unknown.
  std::vector<PendingRequest> connection_lost();

  // Everything, in order; the queue is empty then.
  std::vector<PendingRequest> take_all();

 private:
  std::deque<PendingRequest> requests_;
  std::size_t sent_count_{};
};

}  // namespace zabfs::fusefs::client
