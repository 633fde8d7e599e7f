// The kernel's side of the conversation, played over a socket pair: no mount, no root, no race.
#include "fusefs/kernel/session.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fuse.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "tests/support/fake_ensemble.hpp"

namespace zabfs::fusefs::kernel {
namespace {

struct Message {
  fuse_out_header header{};
  std::string body{};

  template <class T>
  T as() const {
    T value{};
    std::memcpy(&value, body.data(), std::min(sizeof(T), body.size()));
    return value;
  }
};

class FakeKernel : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()), 0);
    kernel_ = ends[0];
    answers_.forget_in(filesystem_);
    ASSERT_EQ(session_.attach(ends[1]), std::nullopt);
  }
  ~FakeKernel() override {
    filesystem_.interrupt_all();
    ::close(kernel_);
  }

  // Sends a request and lets the session take it.
  std::uint64_t send(fuse_opcode op, std::uint64_t node, const std::string& arguments) {
    fuse_in_header header{};
    header.len = static_cast<std::uint32_t>(sizeof(header) + arguments.size());
    header.opcode = static_cast<std::uint32_t>(op);
    header.unique = last_ += 2;
    header.nodeid = node;
    std::string request(reinterpret_cast<const char*>(&header), sizeof(header));
    request += arguments;
    EXPECT_EQ(::send(kernel_, request.data(), request.size(), 0),
              static_cast<ssize_t>(request.size()));
    EXPECT_EQ(session_.serve(10), Session::Served::all);
    return header.unique;
  }

  template <class T>
  static std::string text_of(const T& arguments) {
    return {reinterpret_cast<const char*>(&arguments), sizeof(arguments)};
  }

  // The next message from the file system; empty if there is none.
  std::optional<Message> receive() {
    std::array<char, 1 << 16> buffer{};
    const ssize_t size = ::recv(kernel_, buffer.data(), buffer.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(fuse_out_header))) {
      return std::nullopt;
    }
    Message message;
    std::memcpy(&message.header, buffer.data(), sizeof(message.header));
    message.body.assign(buffer.data() + sizeof(message.header), buffer.data() + size);
    return message;
  }

  fuse_init_out negotiate(unsigned minor = FUSE_KERNEL_MINOR_VERSION) {
    fuse_init_in init{};
    init.major = FUSE_KERNEL_VERSION;
    init.minor = minor;
    init.max_readahead = 1 << 17;
    init.flags = FUSE_ATOMIC_O_TRUNC | FUSE_PARALLEL_DIROPS | FUSE_BIG_WRITES | FUSE_MAX_PAGES |
                 FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS | FUSE_WRITEBACK_CACHE | FUSE_DO_READDIRPLUS |
                 FUSE_READDIRPLUS_AUTO;
    send(FUSE_INIT, 0, text_of(init));
    const auto answer = receive();
    return answer ? answer->as<fuse_init_out>() : fuse_init_out{};
  }

  test::FakeEnsemble ensemble_{};
  KernelAnswers answers_{};
  Filesystem filesystem_{ensemble_, {}};
  Session session_{filesystem_, answers_};
  int kernel_{-1};
  std::uint64_t last_{};
};

TEST_F(FakeKernel, ParallelLookupsAreNegotiatedAndNoLateWritesAre) {
  const auto init = negotiate();
  EXPECT_NE(init.flags & FUSE_PARALLEL_DIROPS, 0U);
  EXPECT_NE(init.flags & FUSE_ATOMIC_O_TRUNC, 0U);
  EXPECT_EQ(init.flags & (FUSE_WRITEBACK_CACHE | FUSE_DO_READDIRPLUS), 0U);
  EXPECT_EQ(init.max_write, 1U << 20);
}

TEST_F(FakeKernel, ALookupIsAnsweredWhenTheEnsembleHasAnswered) {
  negotiate();
  ensemble_.create("/a", replication::Bytes{'x'});
  const auto unique = send(FUSE_LOOKUP, FUSE_ROOT_ID, std::string("a\0", 2));
  EXPECT_FALSE(receive().has_value());
  ensemble_.deliver();
  const auto answer = receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.unique, unique);
  EXPECT_EQ(answer->header.error, 0);
  const auto entry = answer->as<fuse_entry_out>();
  EXPECT_EQ(entry.attr.size, 1U);
  EXPECT_EQ(entry.entry_valid + entry.attr_valid + entry.entry_valid_nsec + entry.attr_valid_nsec,
            0U);
  EXPECT_EQ(entry.generation, static_cast<std::uint64_t>(ensemble_.find("/a")->stat.czxid));
}

TEST_F(FakeKernel, WhatMayBeKeptIsKeptUntilTheKernelIsToldToForgetIt) {
  negotiate(44);
  ensemble_.create("/a", replication::Bytes{'x'});
  fuse_entry_out entry{};
  fuse_attr_out attributes{};
  fuse_entry_out nothing{};
  for (int use = 0; use < 4; ++use) {
    const auto ask = [&](fuse_opcode op, std::uint64_t node, const std::string& arguments) {
      send(op, node, arguments);
      ensemble_.deliver();
      return receive().value_or(Message{});
    };
    entry = ask(FUSE_LOOKUP, FUSE_ROOT_ID, std::string("a\0", 2)).as<fuse_entry_out>();
    attributes = ask(FUSE_GETATTR, entry.nodeid, text_of(fuse_getattr_in{})).as<fuse_attr_out>();
    nothing = ask(FUSE_LOOKUP, FUSE_ROOT_ID, std::string("b\0", 2)).as<fuse_entry_out>();
  }
  EXPECT_GT(entry.entry_valid, 0U);
  EXPECT_EQ(entry.attr_valid + entry.attr_valid_nsec, 0U);
  EXPECT_GT(attributes.attr_valid, 0U);
  EXPECT_EQ(nothing.nodeid, 0U);
  EXPECT_GT(nothing.entry_valid, 0U);
  ensemble_.set("/a", "new");
  ensemble_.deliver();
  const auto names = receive();
  ASSERT_TRUE(names.has_value());
  EXPECT_EQ(names->header.unique, 0U);
  EXPECT_EQ(names->header.error, 8);  // FUSE_NOTIFY_INC_EPOCH
  EXPECT_EQ(names->header.len, sizeof(fuse_out_header));
  const auto inode = receive();
  ASSERT_TRUE(inode.has_value());
  EXPECT_EQ(inode->header.error, FUSE_NOTIFY_INVAL_INODE);
  EXPECT_EQ(inode->as<fuse_notify_inval_inode_out>().ino, entry.nodeid);
  EXPECT_LT(inode->as<fuse_notify_inval_inode_out>().off, 0);
  EXPECT_FALSE(receive().has_value());
}

TEST_F(FakeKernel, AnOlderKernelIsGivenNoNames) {
  negotiate(43);
  ensemble_.create("/a", replication::Bytes{'x'});
  for (int use = 0; use < 4; ++use) {
    send(FUSE_LOOKUP, FUSE_ROOT_ID, std::string("a\0", 2));
    ensemble_.deliver();
    EXPECT_EQ(receive()->as<fuse_entry_out>().entry_valid, 0U);
  }
}

TEST_F(FakeKernel, LookupsOfOneDirectoryOvertakeEachOther) {
  negotiate();
  ensemble_.hold("/slow");
  send(FUSE_LOOKUP, FUSE_ROOT_ID, std::string("slow\0", 5));
  const auto fast = send(FUSE_LOOKUP, FUSE_ROOT_ID, std::string("fast\0", 5));
  ensemble_.deliver();
  const auto answer = receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.unique, fast);
  EXPECT_EQ(answer->header.error, -ENOENT);
  EXPECT_FALSE(receive().has_value());
}

TEST_F(FakeKernel, AnInterruptionAnswersTheRequestItIsAbout) {
  negotiate();
  const auto unique = send(FUSE_LOOKUP, FUSE_ROOT_ID, std::string("a\0", 2));
  send(FUSE_INTERRUPT, 0, text_of(fuse_interrupt_in{.unique = unique}));
  const auto answer = receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->header.unique, unique);
  EXPECT_EQ(answer->header.error, -EINTR);
  ensemble_.deliver();
  EXPECT_FALSE(receive().has_value());
}

TEST_F(FakeKernel, AListingGoesOutInPartsAsTheyFit) {
  negotiate();
  for (int i = 0; i < 100; ++i) {
    ensemble_.create("/n" + std::to_string(i), replication::Bytes{});
  }
  send(FUSE_OPENDIR, FUSE_ROOT_ID, text_of(fuse_open_in{}));
  const auto handle = receive()->as<fuse_open_out>().fh;
  std::size_t entries = 0;
  for (std::uint64_t offset = 0;;) {
    fuse_read_in part{};
    part.fh = handle;
    part.offset = offset;
    part.size = 1024;
    send(FUSE_READDIR, FUSE_ROOT_ID, text_of(part));
    ensemble_.deliver();
    const auto answer = receive();
    ASSERT_TRUE(answer.has_value());
    ASSERT_LE(answer->body.size(), 1024U);
    if (answer->body.empty()) {
      break;
    }
    for (std::size_t at = 0; at < answer->body.size(); ++entries) {
      fuse_dirent entry{};
      std::memcpy(&entry, answer->body.data() + at, FUSE_NAME_OFFSET);
      offset = entry.off;
      at += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);
    }
  }
  EXPECT_EQ(entries, 102U);
}

TEST_F(FakeKernel, LocksAreAskedForHereAndOnlyOfWholeFiles) {
  const auto init = negotiate();
  EXPECT_NE(init.flags & FUSE_POSIX_LOCKS, 0U);
  EXPECT_NE(init.flags & FUSE_FLOCK_LOCKS, 0U);
  ensemble_.create("/a", replication::Bytes{'x'});
  send(FUSE_LOOKUP, FUSE_ROOT_ID, std::string("a\0", 2));
  ensemble_.deliver();
  const auto node = receive()->as<fuse_entry_out>().nodeid;
  fuse_open_in opening{};
  opening.flags = O_RDWR;
  send(FUSE_OPEN, node, text_of(opening));
  ensemble_.deliver();
  fuse_lk_in asked{};
  asked.fh = receive()->as<fuse_open_out>().fh;
  asked.owner = 5;
  asked.lk.end = 0x7FFF'FFFF'FFFF'FFFF;
  asked.lk.type = F_WRLCK;
  const auto lock = [&](fuse_opcode op) {
    send(op, node, text_of(asked));
    ensemble_.deliver();
    const auto answer = receive();
    return answer ? answer->header.error : 1;
  };
  EXPECT_EQ(lock(FUSE_SETLK), 0);
  asked.lk.end = 9;
  EXPECT_EQ(lock(FUSE_SETLK), -ENOLCK);
  asked.lk_flags = FUSE_LK_FLOCK;
  EXPECT_EQ(lock(FUSE_SETLKW), 0);
  asked.owner = 6;
  EXPECT_EQ(lock(FUSE_SETLK), -EAGAIN);
  asked.lk_flags = 0;
  send(FUSE_GETLK, node, text_of(asked));
  ensemble_.deliver();
  const auto found = receive()->as<fuse_lk_out>().lk;
  EXPECT_EQ(found.type, static_cast<std::uint32_t>(F_WRLCK));
  EXPECT_EQ(found.end, 0x7FFF'FFFF'FFFF'FFFFU);
}

TEST_F(FakeKernel, EverythingIsAnsweredWhenTheMountEnds) {
  negotiate();
  const auto unique = send(FUSE_GETATTR, FUSE_ROOT_ID, text_of(fuse_getattr_in{}));
  filesystem_.interrupt_all();
  EXPECT_EQ(receive()->header.unique, unique);
}

}  // namespace
}  // namespace zabfs::fusefs::kernel
