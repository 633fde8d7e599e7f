// A process beside the mount, for what must not hold up the mount's loop, or would wait for it: it
// answers orders that come over a socket, one at a time, and ends when the mount does.
//
// A process and not a thread, because a thread that waits for the mount itself would keep the
// kernel's device open when the mount is killed: everybody who uses the mount would wait for ever.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace zabfs::fusefs::mount {

// What an assistant does with an order. `answer` may be called several times; an order is done when
// the function returns.
using Answering = std::function<void(std::string_view)>;
using Duty = std::function<void(std::string_view order, const Answering& answer)>;

class Assistant {
 public:
  // Forks. To be called before there are threads, and before anything is open that the process
  // must not keep open. Its name, as `ps` shows it, has at most 15 characters. No Assistant if the
  // system has no process to give.
  static std::unique_ptr<Assistant> fork(const char* name, const Duty& duty);

  Assistant(const Assistant&) = delete;
  Assistant& operator=(const Assistant&) = delete;
  ~Assistant();

  pid_t pid() const { return pid_; }

  // From now on `on_answer` gets its answers, and an empty one if the process is gone.
  void listen(boost::asio::io_context& io, std::function<void(std::string_view)> on_answer);

  // False if the process is gone, or does not keep up.
  bool order(std::string_view text);

 private:
  Assistant(pid_t pid, int socket) : pid_(pid), socket_(socket) {}
  void await_answer();

  pid_t pid_;
  int socket_;
  std::optional<boost::asio::posix::stream_descriptor> descriptor_{};
  std::function<void(std::string_view)> on_answer_{};
  std::string buffer_{};
};

}  // namespace zabfs::fusefs::mount
