// The processes of this machine, as /proc tells of them: who takes locks, and whom to end when one
// is lost.
#pragma once

#include <string>
#include <vector>

#include "fusefs/inodes/inode_table.hpp"
#include "fusefs/locks/taker.hpp"

namespace zabfs::fusefs::mount {

class Processes : public locks::Takers {
 public:
  // `are_signalled`: signal_holders has to find out who has a lock. Without that, nothing is asked
  // about a taker that his contender does not say.
  explicit Processes(bool are_signalled);

  const std::string& host() const override { return host_; }
  locks::Taker find(std::int64_t thread) override;

 private:
  std::string host_;
  bool are_signalled_;
};

struct LostLock {
  std::string path{};
  inodes::InodeNumber inode{};  // the file of the mount
  locks::Taker taker{};
};

// Sends `signal` to those who hold a lock that its taker took: to him, or to his parent if he has
// ended or has closed the file, and to what descends from that one and has inherited the open file.
// A process that has got the number of another one since is left alone. Whoever held several gets
// one signal. Returns how many held each; /proc is looked through once for all of them.
std::vector<int> signal_holders(const std::vector<LostLock>& lost, int signal);

}  // namespace zabfs::fusefs::mount
