// One mount from start to end: the client, the file system and the kernel on one event loop.
//
//   start        connects; mounts once a server has answered, so that nobody finds dead files
//   expiry       a new session takes over; what waited for the old one has failed
//   lost locks   with the option onloss, their holders get a signal; then locks also count as lost
//                when the session may have expired, while no server can be reached
//   end          by fusermount3 -u, or by a signal: unmounts and closes the session
//   succession   what it would need to go on is in the ledger; where there was a process before, it
//                goes on with that one's mount and session at once
//   handing over by SIGUSR2: ends as soon as no change is under way, and leaves the rest to the
//   next
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fusefs/client/transport.hpp"
#include "fusefs/filesystem.hpp"
#include "fusefs/kernel/answers.hpp"
#include "fusefs/kernel/continuation.hpp"
#include "fusefs/kernel/loop.hpp"
#include "fusefs/kernel/session.hpp"
#include "fusefs/mount/notification.hpp"
#include "fusefs/mount/options.hpp"
#include "fusefs/mount/processes.hpp"
#include "fusefs/mount/succession.hpp"

namespace zabfs::fusefs::mount {

class MountedEnsemble {
 public:
  // `servers` are those of `options`, or the embedded replica.
  MountedEnsemble(boost::asio::io_context& io, Options options, client::ConnectString servers,
                  Succession& succession, Assistants assistants);

  // The sentence why the mount never came to be, once the loop has ended.
  const std::optional<std::string>& problem() const { return problem_; }

 private:
  std::unique_ptr<client::Client> connect(client::SessionIdentity resumed);
  void on_state(client::SessionState state);
  void mount();
  void take_over();
  void serve();
  void write_down_session();
  void hand_over();
  void renew_session();
  void ask_who_we_are();
  void lock_is_lost(const Lock& lock);
  void signal_loss();
  void lose_locks_in_time();
  void await_signal();
  void end();

  boost::asio::io_context& io_;
  Options options_;
  client::ConnectString servers_;
  Succession& succession_;
  std::optional<std::string> problem_{};
  boost::asio::signal_set signals_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer loss_;  // of the locks, if there is no connection by then
  boost::asio::steady_timer handing_over_;
  std::unique_ptr<client::Client> expired_client_{};
  std::unique_ptr<client::Client> client_;
  Processes processes_;
  std::vector<LostLock> lost_locks_{};  // that nobody has been told of
  kernel::KernelAnswers answers_{};
  Filesystem filesystem_;
  std::optional<Notification> notification_{};  // unless it is not wanted
  std::optional<kernel::Continuation> continuation_{};
  std::optional<kernel::Session> session_{};
  std::optional<kernel::Loop> loop_{};
  std::int64_t written_session_{};  // that the ledger has
  bool is_ending_{};
};

}  // namespace zabfs::fusefs::mount
