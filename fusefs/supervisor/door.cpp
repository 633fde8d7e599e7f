#include "fusefs/supervisor/door.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <sstream>

#include "fusefs/supervisor/limits.hpp"

namespace zabfs::fusefs::supervisor {
namespace {

struct Address {
  sockaddr_un address{};
  socklen_t size{};
};

// In the abstract name space: nothing is left behind in any directory.
Address address_of(const std::string& device) {
  const std::string name = "zabfs/" + device;
  Address made;
  made.address.sun_family = AF_UNIX;
  std::memcpy(made.address.sun_path + 1, name.data(), name.size());
  made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return made;
}

bool is_allowed(int descriptor) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == 0 || peer.uid == ::geteuid());
}

// As mountinfo writes a path: blanks and backslashes in octal.
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    switch (c) {
      case ' ':
        text += "\\040";
        break;
      case '\t':
        text += "\\011";
        break;
      case '\n':
        text += "\\012";
        break;
      case '\\':
        text += "\\134";
        break;
      default:
        text += c;
    }
  }
  return text;
}

}  // namespace

std::optional<std::string> device_of_mount(const std::string& path) {
  const std::string wanted = escaped(path);
  std::ifstream mounts("/proc/self/mountinfo");
  std::optional<std::string> found;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string number, parent, device, root, point;
    words >> number >> parent >> device >> root >> point;
    if (point == wanted) {
      const bool is_ours = line.find(" - fuse.zabfs ") != line.npos;
      found = is_ours ? std::optional(device) : std::nullopt;  // The last one is on top.
    }
  }
  return found;
}

int listen_for(const std::string& device) {
  const int listening = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const Address name = address_of(device);
  constexpr int waiting_max = 4;
  if (::bind(listening, reinterpret_cast<const sockaddr*>(&name.address), name.size) != 0 ||
      ::listen(listening, waiting_max) != 0) {
    ::close(listening);
    return -1;
  }
  return listening;
}

int accept_wish(int listening) {
  const int descriptor = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
  if (descriptor >= 0 && !is_allowed(descriptor)) {
    answer_wish(descriptor, "Only the owner of the mount and root may upgrade it.");
    return -1;
  }
  return descriptor;
}

void answer_wish(int descriptor, const std::string& sentence) {
  const std::string text = sentence.empty() ? "+" : "-" + sentence;
  static_cast<void>(::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL));
  ::close(descriptor);
}

std::optional<std::string> ask_for_upgrade(const std::string& path) {
  const auto device = device_of_mount(path);
  if (!device) {
    return "There is no zabfs on " + path + "; name the mount point of one.";
  }
  const int asking = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  const Address name = address_of(*device);
  std::string text(limits::supervisor_message_bytes_max, '\0');
  ssize_t size = -1;
  if (::connect(asking, reinterpret_cast<const sockaddr*>(&name.address), name.size) == 0 &&
      is_allowed(asking)) {
    pollfd answer{.fd = asking, .events = POLLIN, .revents = 0};
    if (::poll(&answer, 1, 2 * limits::upgrade_ms_max) == 1) {
      size = ::recv(asking, text.data(), text.size(), 0);
    }
  }
  ::close(asking);
  if (size <= 0) {
    return "The supervisor of " + path + " does not answer; unmount it and mount it again.";
  }
  text.resize(static_cast<std::size_t>(size));
  return text[0] == '+' ? std::nullopt : std::optional(text.substr(1));
}

}  // namespace zabfs::fusefs::supervisor
