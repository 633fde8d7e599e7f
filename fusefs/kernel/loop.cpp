#include "fusefs/kernel/loop.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace zabfs::fusefs::kernel {
namespace {

// Requests answered before the ensemble's replies get their turn.
constexpr int requests_per_turn = 64;

}  // namespace

Loop::Loop(boost::asio::io_context& context, Session& session, std::function<void()> on_served,
           std::function<void()> on_unmounted)
    : session_(session),
      on_served_(std::move(on_served)),
      on_unmounted_(std::move(on_unmounted)),
      device_(context, session.device()) {
  wait();
}

void Loop::wait() {
  device_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (!error) {
                         serve();
                       }
                     });
}

void Loop::serve() {
  const auto served = session_.serve(requests_per_turn);
  on_served_();
  switch (served) {
    case Session::Served::all:
    case Session::Served::some:
      wait();
      break;
    case Session::Served::unmounted:
      on_unmounted_();
      break;
  }
}

}  // namespace zabfs::fusefs::kernel
