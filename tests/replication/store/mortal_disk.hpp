// A disk that dies after some jobs: whoever uses it is thrown out, and nothing reaches it any more.
// A test of every crash point runs one script once for each job.
#pragma once

#include <cstddef>
#include <limits>

#include "tests/support/sim_disk.hpp"

namespace zabfs::replication::store {

class MortalDisk : public test::SimDisk {
 public:
  struct Dead {};

  void die_at(std::size_t jobs) { left_ = jobs; }
  void live_on() { left_ = std::numeric_limits<std::size_t>::max(); }
  std::size_t jobs_done() const { return done_; }

  bool step() override {
    if (done_ == left_) {
      throw Dead{};
    }
    const bool is_done = SimDisk::step();
    done_ += is_done ? 1 : 0;
    return is_done;
  }

 private:
  std::size_t left_{std::numeric_limits<std::size_t>::max()};
  std::size_t done_{};
};

}  // namespace zabfs::replication::store
