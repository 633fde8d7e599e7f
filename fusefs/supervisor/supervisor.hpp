// The process that keeps a mount while its workers come and go: it holds the kernel's device and
// the memory of the ledger, and starts a worker whenever there is none.
//
//   starting --mounted, serving--> serving --the worker dies--> starting the next, after a pause
//      | the first worker ends        | the worker ends with 0: it was unmounted
//      v with its status              v
//     end                            end
//
// When workers die again and again it gives up and closes the device: every use of the mount then
// fails with ENOTCONN, and the mount point stays mounted until somebody unmounts it.
//
// SIGTERM, SIGINT and SIGHUP end the mount; SIGUSR2 upgrades: the program is taken anew from the
// disk, and if that one does not come to serve, the one before goes on.
//
// It interprets nothing that a worker writes down, has one thread, and looks at no file of the
// mount: it would wait for itself.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fusefs/supervisor/link.hpp"

namespace zabfs::fusefs::supervisor {

struct Plan {
  std::vector<std::string> arguments{};  // of every worker
  std::string mount_point{};             // absolute
  std::function<void()> on_serving{};    // once, when the mount is there
  // Unmounts; for the case that no worker can.
  std::function<void()> unmount{};
  // Something that an operator wants to know.
  std::function<void(const std::string&)> say{};
};

class Supervisor {
 public:
  explicit Supervisor(Plan plan) : plan_(std::move(plan)) {}
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // Returns the status with which to end.
  int run();

 private:
  bool prepare();
  void start_worker();
  void wait();
  void heard();
  void signalled();
  void worker_ended(int status);
  void restart_later();
  void begin_upgrade(int wish);
  void finish_upgrade(const std::string& problem);
  std::int64_t ms_until_due() const;

  Plan plan_;
  std::string program_path_{};
  int program_{-1};
  int candidate_{-1};  // a new program that has not served yet
  int wish_{-1};       // who asked for the upgrade
  bool is_upgrading_{};
  bool worker_is_candidate_{};
  int signals_{-1};
  int listening_{-1};
  int control_{-1};
  Link link_{};  // of the next worker, but for its end of the control socket
  pid_t worker_{-1};
  bool has_served_{};
  bool is_ending_{};
  bool is_over_{};
  int status_{};
  int deaths_in_a_row_{};
  std::int64_t started_ms_{};
  std::int64_t due_ms_{};  // the next start, or the worker's end by force; 0: nothing is due
};

}  // namespace zabfs::fusefs::supervisor
