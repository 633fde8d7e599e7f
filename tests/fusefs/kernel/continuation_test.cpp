// One process of the mount after another on one device, with the kernel's part played over a socket
// pair: what the first was told and did not live to answer, the second gets again.
#include "fusefs/kernel/continuation.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fusefs/kernel/session.hpp"
#include "tests/support/fake_ensemble.hpp"

namespace zabfs::fusefs::kernel {
namespace {

constexpr std::uint64_t repeated = std::uint64_t{1} << 63;
constexpr std::int32_t notice_repeat = 7;

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

std::string name_of(const std::string& name) { return name + '\0'; }

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
    const auto answer = receive();
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

TEST_F(ContinuationTest, NumbersAndOpenFilesGoOn) {
  ensemble_.create("/a", replication::Bytes{'o', 'l', 'd'});
  const auto node = look_up("a");
  const auto handle = open(node, O_RDONLY);
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 2)).body, "ol");
  ensemble_.set("/a", "new");
  kill();
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 2, 2)).body, "d") << "one version whole";
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 9)).body, "new");
  EXPECT_EQ(look_up("a"), node);
  EXPECT_GT(open(node, O_RDONLY), handle);
}

TEST_F(ContinuationTest, WhatIsWrittenAndNotCommittedIsCommittedByTheNext) {
  ensemble_.create("/a", replication::Bytes{});
  const auto node = look_up("a");
  const auto handle = open(node, O_WRONLY | O_TRUNC);
  ask(FUSE_WRITE, node, writing(handle, 0, "one "));
  ask(FUSE_WRITE, node, writing(handle, 4, "two"));
  kill();
  ask(FUSE_WRITE, node, writing(handle, 7, " three"));
  kill();
  EXPECT_EQ(ask(FUSE_FLUSH, node, flushing(handle)).header.error, 0);
  EXPECT_EQ(ensemble_.text("/a"), "one two three");
}

TEST_F(ContinuationTest, AnAnswerThatWasOnItsWayIsGivenAgain) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a@next");
  const auto handle = open(node, O_RDONLY);
  ensemble_.set("/a", "y");
  ensemble_.deliver();
  const auto answer = ask(FUSE_READ, node, reading(handle, 0, 100));
  EXPECT_NE(answer.body, "");
  kill();
  repeat(last_request_);
  const auto again = receive();
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->body, answer.body) << "though the line is read";
  EXPECT_EQ(again->header.unique, last_ | repeated);
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 100)).body, "");
}

TEST_F(ContinuationTest, AChangeThatHadBegunIsNotRepeated) {
  ensemble_.create("/a", replication::Bytes{});
  ensemble_.hold("/a");
  send(FUSE_UNLINK, FUSE_ROOT_ID, name_of("a"));
  ensemble_.deliver();
  const std::string unlink = last_request_;
  kill();
  repeat(unlink);
  const auto answer = receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->header.error == -ETIMEDOUT || answer->header.error == 0);
}

TEST_F(ContinuationTest, ACommitThatHadBegunIsNotRepeatedByTheClose) {
  ensemble_.create("/a", replication::Bytes{});
  const auto node = look_up("a");
  const auto handle = open(node, O_WRONLY | O_TRUNC);
  ask(FUSE_WRITE, node, writing(handle, 0, "mine"));
  ensemble_.hold("/a");
  send(FUSE_FLUSH, node, flushing(handle));
  const std::string flush = last_request_;
  ensemble_.deliver();
  kill();
  repeat(flush);
  const auto answer = receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.error, -ETIMEDOUT);
  ensemble_.release();
  ensemble_.deliver();
  ensemble_.set("/a", "his");
  fuse_release_in closing{};
  closing.fh = handle;
  EXPECT_EQ(ask(FUSE_RELEASE, node, text_of(closing)).header.error, 0);
  EXPECT_EQ(ensemble_.text("/a"), "his") << "the close wrote nothing a second time";
}

// `: > a`: nobody is told how its last close ends.
class TruncationContinuationTest : public ContinuationTest {
 protected:
  // The process is killed after it has sent the commit; `at_commit` is called before that arrives.
  void kill_in_last_close(std::function<void()> at_commit) {
    ensemble_.create("/a", replication::Bytes{'o', 'l', 'd'});
    const auto node = look_up("a");
    fuse_release_in closing{};
    closing.fh = open(node, O_WRONLY | O_TRUNC);
    ensemble_.before_next_write([this, at_commit] {
      at_commit();
      ensemble_.hold("/a");
    });
    send(FUSE_RELEASE, node, text_of(closing));
    const std::string release = last_request_;
    ensemble_.deliver();
    look_up("b");  // What is written down with another answer keeps the file.
    kill();
    ensemble_.fail(replication::ErrorCode::ok);
    ensemble_.release();
    if (ensemble_.text("/a").empty()) {
      ensemble_.set("/a", "his");
    }
    repeat(release);
    ensemble_.deliver();
    const auto answer = receive();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->header.error, 0);
  }
};

TEST_F(TruncationContinuationTest, IsDoneByTheNextIfItHasNotHappened) {
  kill_in_last_close([this] { ensemble_.fail(replication::ErrorCode::connection_loss); });
  EXPECT_EQ(ensemble_.text("/a"), "");
}

TEST_F(TruncationContinuationTest, IsNotDoneASecondTime) {
  kill_in_last_close([] {});
  EXPECT_EQ(ensemble_.text("/a"), "his");
}

TEST_F(ContinuationTest, AQuestionIsAskedAgain) {
  ensemble_.create("/a", replication::Bytes{'x'});
  ensemble_.hold("/a");
  send(FUSE_LOOKUP, FUSE_ROOT_ID, name_of("a"));
  kill();
  ensemble_.release();
  repeat(last_request_);
  ensemble_.deliver();
  const auto answer = receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.error, 0);
  EXPECT_EQ(answer->header.unique, last_ | repeated);
}

TEST_F(ContinuationTest, AHeldZnodeGoesOnWithItsDescriptorAndGoesWithIt) {
  fuse_create_in creating{};
  creating.flags = O_RDWR | O_CREAT;
  const auto created = ask(FUSE_CREATE, FUSE_ROOT_ID, text_of(creating) + name_of("w@h"));
  const auto node = created.as<fuse_entry_out>().nodeid;
  const auto handle = created.as<fuse_open_out>(sizeof(fuse_entry_out)).fh;
  kill();
  catch_up();
  ensemble_.deliver();
  ASSERT_NE(ensemble_.find("/w"), nullptr);
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 100)).body, "w\n");
  fuse_release_in closing{};
  closing.fh = handle;
  ask(FUSE_RELEASE, node, text_of(closing));
  EXPECT_EQ(ensemble_.find("/w"), nullptr);
}

class GhostTest : public ContinuationTest {
 protected:
  // The process is killed when the ensemble has made a held znode and nobody knows.
  void kill_in_creation() {
    fuse_create_in creating{};
    creating.flags = O_RDWR | O_CREAT;
    ensemble_.hold("/w");
    send(FUSE_CREATE, FUSE_ROOT_ID, text_of(creating) + name_of("w@h"));
    ASSERT_NE(ensemble_.find("/w"), nullptr);
    kill();
    ensemble_.release();
    catch_up();
  }
};

TEST_F(GhostTest, OfAHeldZnodeIsDeleted) {
  kill_in_creation();
  ensemble_.deliver();
  EXPECT_EQ(ensemble_.find("/w"), nullptr);
}

// Else it would be a lock that nobody has and nobody gets.
TEST_F(GhostTest, IsDeletedAlsoIfTheSuccessorDiesAtIt) {
  kill_in_creation();
  bool has_found_it = false;
  ensemble_.before_next_write([&] {
    has_found_it = true;
    process().ledger.write();  // With the answer to somebody else.
    process().die();
    ensemble_.fail(replication::ErrorCode::connection_loss);
  });
  ensemble_.deliver();
  ASSERT_TRUE(has_found_it);
  ASSERT_NE(ensemble_.find("/w"), nullptr);
  ensemble_.fail(replication::ErrorCode::ok);
  kill();
  catch_up();
  ensemble_.deliver();
  EXPECT_EQ(ensemble_.find("/w"), nullptr);
}

class LockContinuationTest : public ContinuationTest {
 protected:
  std::string locking(std::uint64_t handle, std::uint64_t owner, std::uint32_t type) {
    fuse_lk_in asked{};
    asked.fh = handle;
    asked.owner = owner;
    asked.lk.end = 0x7FFF'FFFF'FFFF'FFFF;
    asked.lk.type = type;
    asked.lk_flags = FUSE_LK_FLOCK;
    return text_of(asked);
  }
};

TEST_F(LockContinuationTest, HoldersHoldAndWaitersKeepTheirPlace) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a");
  const auto one = open(node, O_RDWR);
  const auto two = open(node, O_RDWR);
  EXPECT_EQ(ask(FUSE_SETLKW, node, locking(one, 1, F_WRLCK)).header.error, 0);
  send(FUSE_SETLKW, node, locking(two, 2, F_WRLCK));
  const std::string waiting = last_request_;
  ensemble_.deliver();
  const std::string second = "/zabfs/locks/%2Fa/write-0000000001";
  ASSERT_NE(ensemble_.find(second), nullptr);
  kill();
  repeat(waiting);
  catch_up();
  ensemble_.deliver();
  EXPECT_FALSE(receive().has_value()) << "the other one still has it";
  EXPECT_NE(ensemble_.find(second), nullptr);
  EXPECT_EQ(ensemble_.find("/zabfs/locks/%2Fa/write-0000000002"), nullptr)
      << "it did not queue anew";
  send(FUSE_SETLK, node, locking(one, 1, F_UNLCK));
  ensemble_.deliver();
  EXPECT_EQ(receive()->header.error, 0);
  EXPECT_EQ(receive()->header.error, 0) << "the waiter has it";
  EXPECT_NE(ensemble_.find(second), nullptr);
}

TEST_F(LockContinuationTest, AContenderOnItsWayOutIsNobodysPlace) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a");
  const auto one = open(node, O_RDWR);
  EXPECT_EQ(ask(FUSE_SETLKW, node, locking(one, 1, F_WRLCK)).header.error, 0);
  const std::string first_contender = "/zabfs/locks/%2Fa/write-0000000000";
  ensemble_.hold(first_contender);
  send(FUSE_SETLK, node, locking(one, 1, F_UNLCK));
  // The kernel gives the next open file the number of the one before.
  send(FUSE_SETLKW, node, locking(one, 1, F_WRLCK));
  const std::string waiting = last_request_;
  kill();
  repeat(waiting);
  ensemble_.release();
  catch_up();
  ensemble_.deliver();
  EXPECT_EQ(receive()->header.error, 0);
  EXPECT_EQ(ensemble_.find(first_contender), nullptr);
}

TEST_F(LockContinuationTest, APlaceThatNobodyAsksForIsGivenUp) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a");
  const auto one = open(node, O_RDWR);
  const auto two = open(node, O_RDWR);
  EXPECT_EQ(ask(FUSE_SETLKW, node, locking(one, 1, F_WRLCK)).header.error, 0);
  send(FUSE_SETLKW, node, locking(two, 2, F_WRLCK));
  ensemble_.deliver();
  kill();
  catch_up();
  ensemble_.deliver();
  EXPECT_EQ(ensemble_.find("/zabfs/locks/%2Fa/write-0000000001"), nullptr);
  EXPECT_NE(ensemble_.find("/zabfs/locks/%2Fa/write-0000000000"), nullptr);
}

TEST_F(ContinuationTest, WithoutTheLedgerTheMountGoesOnAndOldFilesAreRefused) {
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto node = look_up("a");
  const auto handle = open(node, O_RDONLY);
  send(FUSE_UNLINK, FUSE_ROOT_ID, name_of("b"));
  const std::string unlink = last_request_;
  kill(true);
  while (receive()) {
  }
  repeat(unlink);
  EXPECT_EQ(receive()->header.error, -ETIMEDOUT);
  EXPECT_EQ(ask(FUSE_READ, node, reading(handle, 0, 2)).header.error, -EBADF);
  EXPECT_EQ(look_up("a"), node) << "numbers are the same in every process";
  EXPECT_GT(open(node, O_RDONLY), handle);
  fuse_forget_in forgotten{};
  forgotten.nlookup = 2;  // The kernel counts both processes' answers.
  send(FUSE_FORGET, node, text_of(forgotten));
}

}  // namespace
}  // namespace zabfs::fusefs::kernel
