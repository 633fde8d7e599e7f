// The line to the disk: gives every submission its ticket and remembers how far the disk has come.
//
// Jobs are done in order, so one number says which submissions are done.
#pragma once

#include <utility>
#include <vector>

#include "replication/ports/disk.hpp"

namespace zabfs::replication::store {

class JobQueue {
 public:
  // `disk` outlives the queue.
  explicit JobQueue(Disk& disk) : disk_(disk) {}

  Ticket submit(std::vector<DiskJob> jobs) {
    ++submitted_.value;
    disk_.submit(std::move(jobs), submitted_);
    return submitted_;
  }

  // The disk reports; it may pass over tickets, never go back.
  void on_disk_done(Ticket ticket) { done_ = ticket; }

  bool is_done(Ticket ticket) const { return ticket <= done_; }

 private:
  Disk& disk_;
  Ticket submitted_{};
  Ticket done_{};
};

}  // namespace zabfs::replication::store
