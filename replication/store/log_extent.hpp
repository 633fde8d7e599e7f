// Which transactions the log holds behind the last one known to be committed: what may still be
// truncated, and what a truncation may name.
//
//   committed . . . last        runs of zxids, each without a gap
//
// A zxid may come again after it was truncated, so the order of zxids is not the order of records;
// this is the log as it reads once every truncation in it is taken into account.
#pragma once

#include <vector>

#include "replication/model/ids.hpp"

namespace zabfs::replication::store {

class LogExtent {
 public:
  // A log that ends at `last`. Its transactions from `committed` on are not known one by one: every
  // zxid in between is taken to be there.
  LogExtent(Zxid committed, Zxid last) : committed_(committed), runs_{{committed, last}} {}
  LogExtent() : LogExtent(Zxid{}, Zxid{}) {}

  Zxid committed() const { return committed_; }
  Zxid last() const { return runs_.back().last; }

  // True if the log can end at `keep`: it is there, and nothing committed comes after it.
  bool may_end_at(Zxid keep) const;

  // What to remember as committed beside `zxid`, the next transaction, when the replica knows
  // everything up to `committed` to be: never less than before, and never what the log will not
  // hold.
  Zxid mark_beside(Zxid zxid, Zxid committed) const;

  // last().is_followed_by(zxid).
  void append(Zxid zxid);

  // may_end_at(keep).
  void truncate_after(Zxid keep);

  // Everything up to `zxid`, at most last(), is committed.
  void commit(Zxid zxid);

 private:
  struct Run {
    Zxid first{};
    Zxid last{};
  };

  Zxid committed_;
  std::vector<Run> runs_;  // ascending, never empty; the first reaches back to committed_
};

}  // namespace zabfs::replication::store
