// The end of this server's log, in memory: what the protocol reasons about and what a leader sends
// to learners that are a little behind.
//
//   base ........................... delivered ................... last
//        entries that learners need            entries on their way, or to be truncated
//
// Every zxid names one history: a leader's epoch begins with a whole history and adds to it alone.
// So who has the same zxid has the same log up to there (Zab, claim 4).
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "replication/model/ids.hpp"
#include "replication/zab/effects.hpp"

namespace zabfs::replication::zab {

class History {
 public:
  // A log that ends at `base`, of which nothing is in memory. The window holds `bytes_max` of
  // records, and more only of what is not delivered.
  History(Zxid base, std::size_t bytes_max) : base_(base), bytes_max_(bytes_max) {}

  // An empty window of the same bounds for a log that ends at `base`.
  History starting_anew(Zxid base) const { return {base, bytes_max_}; }

  // The entry follows last().
  void append(ProposalPtr entry);

  // Drops everything after `keep`, which contains() must hold.
  void truncate_after(Zxid keep);

  // Forgets entries at the front that are too many, of those up to `delivered`. What is behind that
  // must stay: a snapshot of the state is made there.
  void trim(Zxid delivered);

  Zxid base() const { return base_; }
  Zxid last() const { return entries_.empty() ? base_ : entries_.back()->zxid; }

  // True if the window knows that `zxid` is in this history: the base, or an entry.
  bool contains(Zxid zxid) const;

  // The last zxid before `zxid` that contains() holds and that is of the same epoch.
  std::optional<Zxid> predecessor_in_epoch(Zxid zxid) const;

  // Calls `visit(entry)` for every entry after `zxid`, in order.
  template <class Visit>
  void for_each_after(Zxid zxid, Visit visit) const {
    for (auto entry = after(zxid); entry != entries_.end(); ++entry) {
      visit(*entry);
    }
  }

 private:
  using Entries = std::deque<ProposalPtr>;

  // The first entry behind `zxid`.
  Entries::const_iterator after(Zxid zxid) const;

  Zxid base_;
  std::size_t bytes_max_;
  std::size_t bytes_{};
  Entries entries_{};
};

}  // namespace zabfs::replication::zab
