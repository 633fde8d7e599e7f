// The least that any server of one request at a time does, as a measure for zabd: it receives,
// appends 200 bytes for every write to a file and syncs them, and sends a reply of the right size.
// It keeps no tree, checks nothing, and stands still while it syncs. One thread: nobody has to be
// woken but the client.
//
//   bare_server PORT FILE
//
// All writes of one round of epoll share a sync; reads are answered at once.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <vector>

#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"
#include "replication/protocol/handshake.hpp"
#include "replication/protocol/op_code.hpp"

namespace {

namespace protocol = zabfs::replication::protocol;
using zabfs::replication::Bytes;
using zabfs::replication::ByteView;

constexpr std::size_t value_bytes = 100;
constexpr std::size_t record_bytes = 200;
constexpr std::size_t file_bytes = 64UL << 20;
constexpr std::size_t frame_bytes_max = 1UL << 20;

int checked(ssize_t result, const char* what) {
  if (result < 0) {
    std::perror(what);
    std::exit(1);
  }
  return static_cast<int>(result);
}

class BareServer {
 public:
  BareServer(std::uint16_t port, const char* file)
      : poller_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll")),
        listener_(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")),
        file_(checked(open(file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600), file)),
        batch_(file_bytes) {
    checked(write(file_, batch_.data(), file_bytes), file);
    checked(fsync(file_), file);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    checked(listen(listener_, SOMAXCONN), "listen");
    watch(listener_, EPOLLIN);
    protocol::append_frame(
        greeting_,
        protocol::ConnectResponse{.timeout_ms = 30'000, .session_id = 1, .password = Bytes(16)});
    protocol::append_reply(read_reply_, {}, protocol::GetDataResponse{.data = Bytes(value_bytes)});
    protocol::append_reply(write_reply_, {}, protocol::StatResponse{});
  }

  [[noreturn]] void run() {
    for (;;) {
      std::array<epoll_event, 128> events{};
      const int ready = epoll_wait(poller_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
        descriptor == listener_ ? accept_one() : receive(descriptor);
      }
      sync_and_answer();
    }
  }

 private:
  struct Write {
    int descriptor{};
    std::array<std::uint8_t, 4> xid{};
  };

  void watch(int descriptor, std::uint32_t events) const {
    epoll_event event{.events = events, .data = {.fd = descriptor}};
    checked(epoll_ctl(poller_, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
  }

  void accept_one() {
    const int client = checked(accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), "accept");
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(client, EPOLLIN | EPOLLET);
    strangers_.insert(client);
  }

  static void send_all(int descriptor, const Bytes& bytes) {
    // The load has few requests unanswered: the socket takes it all.
    send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  void receive(int descriptor) {
    std::array<std::uint8_t, 65536> chunk;  // NOLINT: filled by recv
    const auto got = recv(descriptor, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got <= 0) {
      close(descriptor);
      return;
    }
    Bytes& out = out_;
    out.clear();
    ByteView rest = ByteView(chunk).first(static_cast<std::size_t>(got));
    for (auto split = protocol::split_frame(rest, frame_bytes_max);
         split.state == protocol::FrameSplit::State::whole;
         split = protocol::split_frame(rest, frame_bytes_max)) {
      take(descriptor, split.payload, out);
      rest = rest.subspan(split.consumed);
    }
    if (!out.empty()) {
      send_all(descriptor, out);
    }
  }

  void take(int descriptor, ByteView payload, Bytes& out) {
    if (!strangers_.empty() && strangers_.erase(descriptor) > 0) {
      out.insert(out.end(), greeting_.begin(), greeting_.end());
      return;
    }
    Write request{.descriptor = descriptor};
    std::memcpy(request.xid.data(), payload.data(), request.xid.size());
    if (payload[7] == static_cast<std::uint8_t>(protocol::OpCode::get_data)) {
      append_reply(out, read_reply_, request);
    } else {
      writes_.push_back(request);
    }
  }

  static void append_reply(Bytes& out, const Bytes& reply, const Write& request) {
    const auto begin = out.insert(out.end(), reply.begin(), reply.end());
    std::memcpy(&*begin + protocol::frame_header_bytes, request.xid.data(), request.xid.size());
  }

  void sync_and_answer() {
    if (writes_.empty()) {
      return;
    }
    const std::size_t bytes = writes_.size() * record_bytes;
    if (offset_ + bytes > file_bytes) {
      offset_ = 0;
    }
    checked(pwrite(file_, batch_.data(), bytes, static_cast<off_t>(offset_)), "write");
    checked(fdatasync(file_), "sync");
    offset_ += bytes;
    for (const Write& write : writes_) {
      out_.clear();
      append_reply(out_, write_reply_, write);
      send_all(write.descriptor, out_);
    }
    writes_.clear();
  }

  int poller_;
  int listener_;
  int file_;
  std::vector<char> batch_;
  std::size_t offset_{};
  Bytes greeting_;
  Bytes read_reply_;
  Bytes write_reply_;
  Bytes out_;
  std::set<int> strangers_;  // who have not sent their connect request
  std::vector<Write> writes_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bare_server PORT FILE\n", stderr);
    return 2;
  }
  BareServer(static_cast<std::uint16_t>(std::atoi(argv[1])), argv[2]).run();
}
