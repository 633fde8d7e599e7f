// Tells the changes that the mount made itself from those of others.
//
// A watch reports both. Of what a process did through the mount, by the names that the kernel saw,
// the kernel has already told whoever watches the files by inotify; to tell it again would be a
// second change that nobody made.
//
// A notice of a path is kept back while a write of it is under way, because only the answer says
// which of the notices it caused: they come before it. Then the notices with the zxid of a write
// are dropped. Servers before ZooKeeper 3.9 give notices no zxid; there as many notices are
// dropped, from the last on, as writes succeeded.
//
// Costs nothing until somebody listens. Everything happens on one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fusefs/client/client.hpp"
#include "replication/model/ids.hpp"
#include "replication/protocol/requests.hpp"

namespace zabfs::fusefs::cache {

// The paths of the znodes that `request`, a write, may change.
std::vector<std::string> paths_changed_by(const replication::protocol::Request& request);

class OwnChanges {
 public:
  using Listener = std::function<void(const client::WatchNotice&)>;

  // `listener` hears what others change; an empty one nothing.
  void listen(Listener listener);
  bool is_heard() const { return static_cast<bool>(listener_); }

  // A write that changes `paths` leaves.
  void begin(const std::vector<std::string>& paths);
  // It was answered: with the zxid of its transaction if it succeeded. An answer that never came
  // is no success; what it caused then counts as somebody else's.
  void end(const std::vector<std::string>& paths, std::optional<replication::Zxid> succeeded);

  void heard(const client::WatchNotice& notice);

 private:
  struct Path {
    std::size_t underway{};
    std::vector<replication::Zxid> succeeded{};
    std::vector<client::WatchNotice> kept_back{};
  };

  void let_out(Path path);

  Listener listener_{};
  std::unordered_map<std::string, Path> paths_{};
};

}  // namespace zabfs::fusefs::cache
