#include "tests/daemon/clients/loopback_client.hpp"

#include <array>
#include <utility>

#include "replication/model/limits.hpp"
#include "replication/protocol/frame.hpp"

namespace zabfs::test {

using boost::asio::ip::tcp;
using replication::Bytes;
using replication::ByteView;
using replication::protocol::FrameSplit;

bool run_until(boost::asio::io_context& context, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    context.restart();  // it may have run dry
    context.run_one_for(std::chrono::milliseconds(5));
  }
  return true;
}

LoopbackClient::LoopbackClient(boost::asio::io_context& context, std::uint16_t port)
    : context_(context), socket_(context) {
  socket_.connect({boost::asio::ip::address_v4::loopback(), port});
  socket_.non_blocking(true);
}

LoopbackClient::LoopbackClient(boost::asio::io_context& context, tcp::socket socket)
    : context_(context), socket_(std::move(socket)) {
  socket_.non_blocking(true);
}

bool LoopbackClient::send(ByteView bytes) {
  return run_until(context_,
                   [&] {
                     boost::system::error_code error;
                     const auto sent = socket_.write_some(
                         boost::asio::const_buffer(bytes.data(), bytes.size()), error);
                     bytes = bytes.subspan(sent);
                     ended_ = ended_ || (error && error != boost::asio::error::would_block);
                     return bytes.empty() || ended_;
                   }) &&
         !ended_;
}

void LoopbackClient::receive_what_is_there() {
  std::array<std::uint8_t, 65536> buffer{};
  for (;;) {
    boost::system::error_code error;
    const auto got = socket_.read_some(boost::asio::buffer(buffer), error);
    if (error) {
      ended_ = ended_ || error != boost::asio::error::would_block;
      return;
    }
    received_.insert(received_.end(), buffer.begin(), buffer.begin() + static_cast<long>(got));
  }
}

Bytes& LoopbackClient::received() {
  receive_what_is_there();
  return received_;
}

Bytes LoopbackClient::take(std::size_t count) {
  run_until(context_, [&] { return received().size() >= count || ended_; });
  const auto end = received_.begin() + static_cast<long>(std::min(count, received_.size()));
  Bytes taken(received_.begin(), end);
  received_.erase(received_.begin(), end);
  return taken;
}

Bytes LoopbackClient::take_frame() {
  FrameSplit split;
  run_until(context_, [&] {
    split =
        replication::protocol::split_frame(received(), replication::limits::reply_frame_bytes_max);
    return split.state == FrameSplit::State::whole || ended_;
  });
  Bytes payload(split.payload.begin(), split.payload.end());
  received_.erase(received_.begin(), received_.begin() + static_cast<long>(split.consumed));
  return payload;
}

bool LoopbackClient::sees_the_end() {
  return run_until(context_, [&] {
    received();
    return ended_;
  });
}

}  // namespace zabfs::test
