// The FUSE device as one more descriptor of the event loop: one wake-up answers everything the
// kernel has asked by then.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "fusefs/kernel/session.hpp"

namespace zabfs::fusefs::kernel {

class Loop {
 public:
  // `on_served` is called whenever all that the kernel has asked by then has been looked at, and
  // `on_unmounted` once, when the kernel has ended the connection; neither may destroy this. The
  // Loop must be destroyed before the Session.
  Loop(boost::asio::io_context& context, Session& session, std::function<void()> on_served,
       std::function<void()> on_unmounted);
  // The descriptor stays the session's.
  ~Loop() { device_.release(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

 private:
  void wait();
  void serve();

  Session& session_;
  std::function<void()> on_served_;
  std::function<void()> on_unmounted_;
  boost::asio::posix::stream_descriptor device_;
};

}  // namespace zabfs::fusefs::kernel
