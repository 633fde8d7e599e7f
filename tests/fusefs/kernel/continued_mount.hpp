// One process of the mount after another on one device, with the kernel's part played over a socket
// pair: what the first was told and did not live to answer, the second gets again.
//
//   const auto node = look_up("a");
//   kill();                          // and the next process goes on
//   read(node, handle, 0);
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fusefs/kernel/continuation.hpp"
#include "fusefs/kernel/session.hpp"
#include "tests/support/fake_ensemble.hpp"

namespace zabfs::fusefs::kernel {

inline constexpr std::uint64_t repeated = std::uint64_t{1} << 63;
inline constexpr std::int32_t notice_repeat = 7;

struct Message {
  fuse_out_header header{};
  std::string body{};

  template <class T>
  T as(std::size_t offset = 0) const {
    T value{};
    if (body.size() >= offset + sizeof(T)) {
      std::memcpy(&value, body.data() + offset, sizeof(T));
    }
    return value;
  }
};

template <class T>
std::string text_of(const T& arguments) {
  return {reinterpret_cast<const char*>(&arguments), sizeof(arguments)};
}

inline std::string name_of(const std::string& name) { return name + '\0'; }

// A process of the mount.
struct Process {
  Process(test::FakeEnsemble& ensemble, std::array<int, 2> shared, bool is_partial)
      : files{::dup(shared[0]), ::dup(shared[1])},
        filesystem(ensemble, {}),
        ledger(continuity::Store(files[0], files[1]), [](std::string_view) {}) {
    answers.forget_in(filesystem);
    auto inherited = ledger.inherit().state;
    if (is_partial) {
      const auto beginning = inherited->beginning;
      inherited = continuity::State{.beginning = beginning, .last_handle = 1'000'000};
    }
    ledger.write(continuity::SessionHeld{.id = ensemble.session().value});
    continuation.emplace(ledger, filesystem, std::move(inherited), is_partial);
    ensemble.on_state([this](client::SessionState state) {
      if (state == client::SessionState::connected) {
        filesystem.connected();
      }
    });
  }

  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    ::close(files[0]);
    ::close(files[1]);
  }

  // What it says and writes from now on goes nowhere.
  void die() {
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int descriptor : {device, files[0], files[1]}) {
      ::dup2(nowhere, descriptor);
    }
    ::close(nowhere);
    ledger = {continuity::Store(files[0], files[1]), [](std::string_view) {}};
  }

  std::array<int, 2> files;
  KernelAnswers answers{};
  Filesystem filesystem;
  continuity::Ledger ledger;
  std::optional<Continuation> continuation{};
  std::optional<Session> session{};
  int device{-1};
};

class ContinuationTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
    kernel_ = ends[0];
    device_ = ends[1];
    for (int& file : files_) {
      file = ::memfd_create("ledger", MFD_CLOEXEC);
    }
    begin();
    fuse_init_in init{};
    init.major = FUSE_KERNEL_VERSION;
    init.minor = minor_;
    init.flags = FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES | FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS;
    ask(FUSE_INIT, 0, text_of(init));
  }
  ~ContinuationTest() override {
    for (auto& process : processes_) {
      process->filesystem.interrupt_all();
    }
    process().session.reset();
    for (const int descriptor : {kernel_, device_, files_[0], files_[1]}) {
      ::close(descriptor);
    }
  }

  Process& process() { return *processes_.back(); }

  void begin(bool is_partial = false) {
    processes_.push_back(std::make_unique<Process>(ensemble_, files_, is_partial));
    process().device = ::dup(device_);
    process().session.emplace(process().filesystem, process().answers);
  }
  void first() {
    ASSERT_EQ(process().session->attach(process().device), std::nullopt);
    process().session->keep_with(*process().continuation);
  }

  // The process is killed, and another one goes on.
  void kill(bool is_partial = false) {
    process().die();
    begin(is_partial);
    ASSERT_EQ(process().session->resume(process().device, *process().continuation), std::nullopt);
    bool is_asked = false;
    while (const auto notice = receive()) {
      EXPECT_EQ(notice->header.unique, 0U) << "the answer to INIT stays here";
      is_asked = is_asked || notice->header.error == notice_repeat;
    }
    EXPECT_TRUE(is_asked);
  }

  std::string request(fuse_opcode op, std::uint64_t node, const std::string& arguments,
                      std::uint64_t unique) {
    fuse_in_header header{};
    header.len = static_cast<std::uint32_t>(sizeof(header) + arguments.size());
    header.opcode = static_cast<std::uint32_t>(op);
    header.unique = unique;
    header.nodeid = node;
    return text_of(header) + arguments;
  }

  // Sends a request, and lets it be served.
  std::uint64_t send(fuse_opcode op, std::uint64_t node, const std::string& arguments) {
    last_request_ = request(op, node, arguments, last_ += 2);
    deliver(last_request_);
    return last_;
  }
  // As the kernel does what has no answer.
  void repeat(std::string again) {
    reinterpret_cast<fuse_in_header*>(again.data())->unique |= repeated;
    deliver(again);
  }
  void deliver(const std::string& text) {
    if (!process().session->is_mounted()) {
      first();
    }
    ASSERT_EQ(::send(kernel_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    ASSERT_EQ(process().session->serve(1), Session::Served::some);
  }
  void catch_up() { ASSERT_EQ(process().session->serve(1), Session::Served::all); }

  Message ask(fuse_opcode op, std::uint64_t node, const std::string& arguments) {
    send(op, node, arguments);
    ensemble_.deliver();
    auto answer = receive();
    while (answer && answer->header.unique == 0) {  // a notice
      answer = receive();
    }
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(Message{});
  }

  std::optional<Message> receive() {
    std::vector<char> buffer(1 << 18);
    const ssize_t size = ::recv(kernel_, buffer.data(), buffer.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(fuse_out_header))) {
      return std::nullopt;
    }
    Message message;
    std::memcpy(&message.header, buffer.data(), sizeof(message.header));
    message.body.assign(buffer.data() + sizeof(message.header), buffer.data() + size);
    return message;
  }

  std::uint64_t look_up(const std::string& name) {
    return ask(FUSE_LOOKUP, FUSE_ROOT_ID, name_of(name)).as<fuse_entry_out>().nodeid;
  }
  std::uint64_t open(std::uint64_t node, int flags) {
    fuse_open_in opening{};
    opening.flags = static_cast<std::uint32_t>(flags);
    return ask(FUSE_OPEN, node, text_of(opening)).as<fuse_open_out>().fh;
  }
  static std::string reading(std::uint64_t handle, std::uint64_t offset, std::uint32_t size) {
    fuse_read_in arguments{};
    arguments.fh = handle;
    arguments.offset = offset;
    arguments.size = size;
    return text_of(arguments);
  }
  static std::string writing(std::uint64_t handle, std::uint64_t offset, const std::string& bytes) {
    fuse_write_in arguments{};
    arguments.fh = handle;
    arguments.offset = offset;
    arguments.size = static_cast<std::uint32_t>(bytes.size());
    return text_of(arguments) + bytes;
  }
  static std::string flushing(std::uint64_t handle) {
    fuse_flush_in arguments{};
    arguments.fh = handle;
    return text_of(arguments);
  }

  std::uint32_t minor_{FUSE_KERNEL_MINOR_VERSION + 8};
  test::FakeEnsemble ensemble_{};
  std::vector<std::unique_ptr<Process>> processes_{};
  std::array<int, 2> files_{};
  int kernel_{-1};
  int device_{-1};
  std::uint64_t last_{};
  std::string last_request_{};
};

}  // namespace zabfs::fusefs::kernel
