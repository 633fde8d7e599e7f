#include "fusefs/mount/replayer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "fusefs/notify/inotify_scan.hpp"

namespace zabfs::fusefs::mount {
namespace {

using notify::Deed;

constexpr char begin_mark = 'b';
constexpr char replay_mark = 'r';

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  int number() const { return number_; }

 private:
  int number_;
};

// The device that `mount_point` is on, without asking the file system that is mounted there.
std::uint64_t device_at(const Descriptor& mount_point) {
  struct statx values {};
  if (::statx(mount_point.number(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &values) != 0) {
    return 0;
  }
  return notify::device_of(values.stx_dev_major, values.stx_dev_minor);
}

bool write_again(int mount_point, const char* path) {
  const Descriptor file(::openat(mount_point, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  return file.number() >= 0 && ::ftruncate(file.number(), 0) == 0;
}

bool carry_out(int mount_point, Deed deed, const char* path, const char* to) {
  constexpr mode_t mode = 0644;
  switch (deed) {
    case Deed::make_file:
      return ::mknodat(mount_point, path, S_IFREG | mode, 0) == 0;
    case Deed::make_directory:
      return ::mkdirat(mount_point, path, mode) == 0;
    case Deed::write:
      return write_again(mount_point, path);
    case Deed::touch:
      return ::utimensat(mount_point, *path == '\0' ? "." : path, nullptr, 0) == 0;
    case Deed::remove_file:
      return ::unlinkat(mount_point, path, 0) == 0;
    case Deed::remove_directory:
      return ::unlinkat(mount_point, path, AT_REMOVEDIR) == 0;
    case Deed::move:
      return ::renameat(mount_point, path, mount_point, to) == 0;
  }
  return false;
}

class Replayer {
 public:
  void serve(std::string_view order, const Answering& answer) {
    if (order.front() == begin_mark) {
      mount_point_ = order.substr(1);
      const Descriptor mount_point(::open(mount_point_.c_str(), O_PATH | O_CLOEXEC));
      device_ = device_at(mount_point);
      answer(std::to_string(device_));
      return;
    }
    const auto deed = static_cast<Deed>(order[1]);
    const std::string paths(order.substr(2));  // Two, each with its zero.
    const char* to = paths.c_str() + std::strlen(paths.c_str()) + 1;
    const Descriptor mount_point(::open(mount_point_.c_str(), O_PATH | O_CLOEXEC));
    const bool is_done = device_at(mount_point) == device_ &&
                         carry_out(mount_point.number(), deed, paths.c_str(), to);
    answer(is_done ? "1" : "0");
  }

 private:
  std::string mount_point_{};
  std::uint64_t device_{};
};

}  // namespace

Duty replayer() {
  return [replayer = Replayer()](std::string_view order, const Answering& answer) mutable {
    replayer.serve(order, answer);
  };
}

std::string order_to_begin(const std::string& mount_point) { return begin_mark + mount_point; }

std::optional<std::uint64_t> device_answered(std::string_view answer) {
  const std::uint64_t device = std::strtoull(std::string(answer).c_str(), nullptr, 10);
  return device == 0 ? std::nullopt : std::optional(device);
}

std::string order_to_replay(const notify::Replay& replay) {
  std::string order{replay_mark, static_cast<char>(replay.deed)};
  order += notify::shown_path(replay.path) + '\0';
  order += (replay.to.empty() ? "" : notify::shown_path(replay.to)) + '\0';
  return order;
}

}  // namespace zabfs::fusefs::mount
