// Open files and directories in the next process of a mount.
#include <functional>

#include "tests/fusefs/kernel/continued_mount.hpp"

namespace zabfs::fusefs::kernel {
namespace {

// A directory of which the kernel has been given the names, and keeps them.
class ListingContinuationTest : public ContinuationTest {
 protected:
  static constexpr int files = 20;

  struct Listed {
    std::string name{};
    std::uint64_t place{};
  };

  ListingContinuationTest() {
    ensemble_.create("/d", {});
    for (int i = 0; i < files; ++i) {
      ensemble_.create("/d/f" + std::to_string(i), {});
    }
  }

  std::vector<Listed> list(std::uint64_t place) {
    const auto answer = ask(FUSE_READDIR, node_, reading(handle_, place, 4096));
    EXPECT_EQ(answer.header.error, 0);
    std::vector<Listed> listed;
    for (std::size_t at = 0; at < answer.body.size();) {
      const auto entry = answer.as<fuse_dirent>(at);
      listed.push_back({answer.body.substr(at + FUSE_NAME_OFFSET, entry.namelen), entry.off});
      at += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);
    }
    return listed;
  }
  // What the kernel keeps then.
  std::vector<Listed> open_what_is_kept() {
    node_ = look_up("d");
    std::vector<Listed> given;
    for (int use = 0; use < 4; ++use) {
      const auto opened = ask(FUSE_OPENDIR, node_, text_of(fuse_open_in{})).as<fuse_open_out>();
      handle_ = opened.fh;
      if ((opened.open_flags & FOPEN_KEEP_CACHE) != 0) {
        return given;
      }
      given = list(0);
    }
    ADD_FAILURE() << "the kernel keeps nothing";
    return {};
  }

  std::uint64_t node_{};
  std::uint64_t handle_{};
};

TEST_F(ListingContinuationTest, GoesOnBehindWhatTheKernelHadOfTheOneBefore) {
  const auto kept = open_what_is_kept();
  ASSERT_EQ(kept.size(), files + 2U);
  constexpr std::size_t half = files / 2;
  kill();
  ensemble_.remove("/d/" + kept[half - 1].name);
  ensemble_.create("/d/new", {});
  auto rest = list(kept[half - 1].place);
  std::erase_if(rest, [](const Listed& listed) { return listed.name == "new"; });
  ASSERT_EQ(rest.size(), kept.size() - half) << "each once that was there all the while";
  for (std::size_t i = 0; i < rest.size(); ++i) {
    EXPECT_EQ(rest[i].name, kept[half + i].name);
  }
  kill();
  EXPECT_TRUE(list(rest.back().place).size() <= 1);
  EXPECT_EQ(list(0).size(), files + 2U) << "one went, one came";
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

}  // namespace
}  // namespace zabfs::fusefs::kernel
