// One mount, served by one process after another: what is written down around every request, and
// what a successor does with the requests that the kernel repeats to it.
//
//   a request comes      the file that it is about is remembered
//   an answer leaves     first the ledger gets all that it tells of, and the answer itself
//   a repeated request   has an answer in the ledger: gets that one
//                        came from the process that made changes of others once more: EIO
//                        had begun to change the ensemble: ETIMEDOUT, nobody knows what became of
//                        it; but locks go on waiting, and a close goes on closing
//                        otherwise: is carried out
//
// A repeated request has the highest bit of its number set (FUSE_UNIQUE_RESEND); its number without
// it is the one that it had.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fusefs/continuity/ledger.hpp"
#include "fusefs/filesystem.hpp"

namespace zabfs::fusefs::kernel {

class Continuation {
 public:
  // `inherited` is what the predecessor has left, if there was one. Both references outlive this.
  // With `is_partial`, what had begun to change the ensemble is not known.
  Continuation(continuity::Ledger& ledger, Filesystem& filesystem,
               std::optional<continuity::State> inherited, bool is_partial = false);

  // Told the first request of all, when it comes.
  void when_begun(std::function<void(std::string_view)> tell) { when_begun_ = std::move(tell); }

  // The first request of all, on a mount at `mount_point`.
  void begin(replication::ByteView init, const std::string& mount_point);

  // Takes note of a request that has come from `device`, given as it came. True if it is answered
  // already, and must not be served.
  bool receive(int device, replication::ByteView request);

  // The number of the request that is being served, as the ledger knows it.
  std::uint64_t current() const { return current_; }

  // Before an answer leaves.
  void answering(const iovec* parts, int count);

  // No request waits: the kernel has repeated all there were.
  void caught_up();

  // Tells the kernel, before any request is read, to repeat what was not answered, to ask again
  // whoever polls, and to forget what it remembers. False if it cannot repeat: then everything that
  // the predecessor has read and not answered is answered with an error.
  bool take_over(int device);

  // Until it has caught up.
  const continuity::State* inherited() const { return inherited_ ? &*inherited_ : nullptr; }

 private:
  bool answer_repeated(int device, replication::ByteView request);
  void refuse_unanswered(int device);

  continuity::Ledger& ledger_;
  Filesystem& filesystem_;
  std::optional<continuity::State> inherited_;
  bool is_partial_;
  std::function<void(std::string_view)> when_begun_{};
  std::unordered_map<std::uint64_t, HandleId> handles_{};  // by request, of those unanswered
  std::unordered_map<std::uint64_t, HandleId> changing_{};
  std::uint64_t current_{};
  bool writes_receipts_{};  // the kernel cannot repeat
  bool is_caught_up_{};
};

}  // namespace zabfs::fusefs::kernel
