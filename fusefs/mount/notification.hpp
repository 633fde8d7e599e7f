// inotify for changes that other machines make: finds out what programs watch in the mount, and has
// changes made once more so that the kernel tells them (fusefs/notify/notifier.hpp decides).
//
// Who begins to watch has looked the file up before, so the processes that look something up or at
// are looked into shortly afterwards, and twice more later; that finds a watch within milliseconds.
// What needs no look-up, watching the mount point itself or a name that the kernel keeps, and the
// end of a watch are found by looking into all processes now and then, more often while the kernel
// keeps names. Either takes at most a fiftieth of one processor.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fusefs/filesystem.hpp"
#include "fusefs/kernel/session.hpp"
#include "fusefs/mount/assistant.hpp"
#include "fusefs/mount/scanner.hpp"
#include "fusefs/notify/notifier.hpp"
#include "fusefs/notify/stage.hpp"

namespace zabfs::fusefs::mount {

// The processes that it takes; forked when there are no threads yet.
struct Assistants {
  std::unique_ptr<Assistant> replayer{};
  std::unique_ptr<Assistant> scanner{};

  static Assistants fork();
};

class Notification {
 public:
  Notification(boost::asio::io_context& io, Filesystem& filesystem, Assistants assistants);
  Notification(const Notification&) = delete;
  Notification& operator=(const Notification&) = delete;

  // The process that makes changes once more; 0 if there is none.
  pid_t replayer() const { return assistants_.replayer ? assistants_.replayer->pid() : 0; }

  // To be called when the mount is there.
  void begin(kernel::Session& session, const std::string& mount_point);

 private:
  using Clock = std::chrono::steady_clock;

  // A process that may have begun to watch.
  struct Suspect {
    Clock::time_point due{};
    std::size_t looks{};  // into it so far
  };

  void looked(pid_t process);
  void perform(const notify::Replay& replay);
  void replayer_answered(std::string_view answer);
  void scanner_answered(std::string_view answer);
  void await_next_scan();
  std::chrono::milliseconds pause_between_full_scans() const;
  void scan();
  void take_over();
  void give_up(const char* what);

  boost::asio::io_context& io_;
  Filesystem& filesystem_;
  Assistants assistants_;
  notify::Stage stage_;
  notify::Notifier notifier_;
  boost::asio::steady_timer timer_;
  std::optional<std::uint64_t> device_{};
  std::map<pid_t, Suspect> suspects_{};
  std::vector<pid_t> scanned_{};           // by the scan under way; none: all processes
  std::vector<notify::Watching> found_{};  // by the scan under way, so far
  bool is_scanning_{};
  bool is_over_{};
  Clock::time_point next_full_scan_{};
  Clock::time_point next_scan_{};
  std::map<pid_t, std::set<InodeNumber>> watching_{};
};

}  // namespace zabfs::fusefs::mount
