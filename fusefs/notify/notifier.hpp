// Tells programs that watch by inotify what others changed in the tree.
//
//   what programs watch --watched()--> standing watches at the ensemble --> notices of changes
//     --> changes to be made once more (replay.hpp) --perform--> the replayer's system calls
//     --> genuine events of the kernel
//
// Standing watches are recursive and as few as there can be: one at each watched path that is not
// below another. Changes that the mount made itself are not told again (cache/own_changes.hpp).
//
// Works on one thing at a time, in the order in which it came: what is told, the kernel learns in
// the order in which the ensemble did it. A transaction that deletes one znode and creates one
// other is told as a move; that takes the zxid in the notices, so with Apache ZooKeeper before 3.9
// it is told as what it consists of.
//
// What happened while the connection was lost, or was too much to be remembered
// (limits::inotify_notices_max), is found by comparing: names with those told, znodes with the last
// zxid seen before. Ten changes of one file are then one.
//
// Everything happens on one thread. Costs nothing as long as nobody watches.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "fusefs/cache/standing_watch.hpp"
#include "fusefs/filesystem.hpp"
#include "fusefs/notify/interest.hpp"
#include "fusefs/notify/replay.hpp"

namespace zabfs::fusefs::notify {

class Notifier {
 public:
  struct Ports {
    // Makes the change once more, and has replayed() called then: not from inside.
    std::function<void(const Replay&)> perform{};
    // Calls back when everything has been heard that has already come: not from inside.
    std::function<void(std::function<void()>)> later{};
  };

  Notifier(Insides insides, Ports ports);
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;
  ~Notifier();

  // Exactly these inodes are watched now. Those that the mount does not know are ignored.
  void watched(const std::set<InodeNumber>& numbers);

  void replayed();

  // Why the ensemble gives no standing watches, once it has said so: then nobody is told anything.
  const std::optional<Failure>& refusal() const { return refusal_; }

 private:
  struct Notice {
    client::WatchNotice notice{};
    InodeNumber inode{};           // that the path led to
    std::int64_t after{};          // a zxid below that of the change
    std::shared_ptr<void> held{};  // names that the kernel may not keep until it is told
  };
  // What there is to do.
  struct List {
    std::string directory{};
  };
  struct Compare {
    std::int64_t since{};
    std::shared_ptr<void> held{};
  };
  using Job = std::variant<Notice, List, Compare>;

  void watch_roots();
  void on_news(const cache::StandingNews& news);
  // The zxid after which the changes happened that the job is about.
  static std::optional<std::int64_t> since_of(const Job& job);
  // What they would have told will be found by comparing with what is returned.
  std::int64_t forget_notices();
  void heard(const client::WatchNotice& notice);
  void add(Job job);
  void add_comparison(std::int64_t since);
  void begin_work();
  Detached work();

  Task<Outcome<Done>> carry_out(Operation& operation, Job job);
  Task<Outcome<Done>> list(Operation& operation, std::string directory);
  Task<Outcome<Done>> compare_all(Operation& operation, std::int64_t since);
  Task<Outcome<Done>> compare(Operation& operation, std::string path, std::int64_t since);
  Task<Outcome<Done>> compare_names(Operation& operation, std::string directory,
                                    std::int64_t since);

  // The notices in front that are of one transaction with the first.
  std::vector<Notice> take_transaction();
  Task<Outcome<Done>> tell_transaction(Operation& operation);
  Task<Outcome<Done>> tell(Operation& operation, Notice notice);
  Task<Outcome<Done>> tell_created(Operation& operation, std::string path, std::int64_t zxid);
  Task<Outcome<Done>> tell_removed(Operation& operation, std::string path, InodeNumber inode);
  Task<Outcome<Done>> tell_changed(Operation& operation, std::string path, InodeNumber inode);
  Task<Outcome<Done>> tell_move(Operation& operation, Notice from, Notice to, InodeNumber replaced);
  // A file that has got its first child is a directory from then on.
  Task<Outcome<Done>> tell_new_directory(Operation& operation, std::string path);
  // What was a file is a directory now, as `node` says, or the other way round: the one goes and
  // the other comes.
  Task<Outcome<Done>> tell_turned(Operation& operation, std::string path, InodeNumber inode,
                                  inodes::Node node);
  Task<Outcome<Done>> replay(Operation& operation, Replay replay);

  bool is_file(const std::string& path, InodeNumber inode);
  InodeNumber inode_at(const std::string& path);

  Insides insides_;
  Ports ports_;
  Interest interest_{};
  std::map<std::string, std::unique_ptr<cache::StandingWatch>> standing_{};
  std::deque<Job> jobs_{};
  std::size_t notices_{};  // among the jobs
  bool is_working_{};
  std::optional<std::int64_t> working_since_{};  // the work in hand is about changes after that
  bool is_cut_off_{};  // what happens is not reported, or was not until the next comparison
  Wake* waiting_{};    // for replayed()
  std::int64_t compared_with_{};  // what happened since is unknown, if it is cut off
  std::optional<Failure> refusal_{};
};

}  // namespace zabfs::fusefs::notify
