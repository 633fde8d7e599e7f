#include "fusefs/mount/mount_point.hpp"

#include <linux/magic.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace zabfs::fusefs::mount {
namespace {

std::optional<std::string> check_device() {
  if (::access("/dev/fuse", R_OK | W_OK) == 0) {
    return std::nullopt;
  }
  if (errno == EACCES) {
    return "You may not open /dev/fuse; have its permissions set to 0666, or run zabfs as root.";
  }
  return "This machine has no /dev/fuse. Load the kernel module (modprobe fuse), or give the "
         "container the device (docker run --device /dev/fuse --cap-add SYS_ADMIN).";
}

bool is_mounted(const std::string& path) {
  struct stat here {};
  struct stat above {};
  return ::stat(path.c_str(), &here) == 0 && ::stat((path + "/..").c_str(), &above) == 0 &&
         here.st_dev != above.st_dev;
}

}  // namespace

std::optional<std::string> check_mount_point(std::string& path) {
  struct stat values {};
  if (::stat(path.c_str(), &values) != 0) {
    switch (errno) {
      case ENOENT:
        return "The mount point " + path + " does not exist; make it: mkdir -p " + path;
      case ENOTCONN:
        return "An earlier mount on " + path + " has lost its process; remove it: fusermount3 -u " +
               path;
      default:
        return "The mount point " + path + " cannot be used: " + std::strerror(errno) + ".";
    }
  }
  if (!S_ISDIR(values.st_mode)) {
    return "The mount point " + path + " is not a directory; name one.";
  }
  std::array<char, PATH_MAX> resolved{};
  if (::realpath(path.c_str(), resolved.data()) != nullptr) {
    path = resolved.data();
  }
  struct statfs file_system {};
  if (::statfs(path.c_str(), &file_system) == 0 && file_system.f_type == FUSE_SUPER_MAGIC &&
      is_mounted(path)) {
    return "Something is mounted on " + path + " already; unmount it first: fusermount3 -u " + path;
  }
  return check_device();
}

void unmount(const std::string& path) {
  if (::geteuid() == 0 && ::umount2(path.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) {
    return;
  }
  std::string program = "fusermount3";
  std::string take_off = "-uzq";
  std::string end_of_options = "--";
  std::string point = path;
  const std::array<char*, 5> arguments{program.data(), take_off.data(), end_of_options.data(),
                                       point.data(), nullptr};
  pid_t child = 0;
  if (::posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ) == 0) {
    ::waitpid(child, nullptr, 0);
  }
}

}  // namespace zabfs::fusefs::mount
