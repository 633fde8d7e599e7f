#include "fusefs/supervisor/link.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "fusefs/continuity/records.hpp"
#include "fusefs/supervisor/limits.hpp"

namespace zabfs::fusefs::supervisor {
namespace {

constexpr char mounted_mark = 'm';
constexpr char begun_mark = 'b';
constexpr char serving_mark = 's';
constexpr std::string_view digits = "0123456789abcdef";

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

std::string bytes_of(std::string_view text) {
  std::string bytes;
  for (; text.size() >= 2; text.remove_prefix(2)) {
    bytes += static_cast<char>(digits.find(text[0]) << 4 | digits.find(text[1]));
  }
  return bytes;
}

// The number that `text` begins with, and the comma behind it, are taken off; -1 if there is none.
int take_number(std::string_view& text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with(',')) {
    text.remove_prefix(1);
  }
  return error == std::errc{} ? number : -1;
}

union Control {
  cmsghdr aligned;
  char bytes[CMSG_SPACE(sizeof(int))];
};

// Sends `text`, with a descriptor if that is not -1. Whether it arrives is the receiver's business:
// a supervisor that is gone takes its worker along.
void send(int control, std::string_view text, int descriptor) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control room{};
  if (descriptor >= 0) {
    message.msg_control = room.bytes;
    message.msg_controllen = sizeof(room.bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  static_cast<void>(::sendmsg(control, &message, MSG_NOSIGNAL));
}

}  // namespace

std::string check_answer() {
  return "zabfs worker " + std::to_string(link_version) + " " +
         std::to_string(continuity::ledger_version) + "\n";
}

std::optional<Link> Link::from_environment() {
  const char* value = std::getenv(variable);
  if (value == nullptr) {
    return std::nullopt;
  }
  std::string_view rest = value;
  Link link;
  link.control = take_number(rest);
  link.ledger = {take_number(rest), take_number(rest)};
  link.device = take_number(rest);
  link.init = bytes_of(rest);
  for (const int descriptor : {link.control, link.ledger[0], link.ledger[1], link.device}) {
    if (descriptor >= 0) {
      ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }
  }
  ::unsetenv(variable);
  return link;
}

std::string Link::as_variable() const {
  std::string text = std::string(variable) + '=';
  for (const int descriptor : {control, ledger[0], ledger[1], device}) {
    text += std::to_string(descriptor) + ',';
  }
  return text + hexadecimal(init);
}

void Link::tell_mounted(int device_of_mount) const {
  send(control, {&mounted_mark, 1}, device_of_mount);
}

void Link::tell_begun(std::string_view first_request) const {
  send(control, begun_mark + std::string(first_request), -1);
}

void Link::tell_serving() const { send(control, {&serving_mark, 1}, -1); }

Told receive(int control) {
  std::string text(limits::supervisor_message_bytes_max, '\0');
  iovec part{text.data(), text.size()};
  Control room{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes;
  message.msg_controllen = sizeof(room.bytes);
  ssize_t size = 0;
  do {
    size = ::recvmsg(control, &message, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  Told told;
  if (size <= 0) {
    return told;
  }
  text.resize(static_cast<std::size_t>(size));
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message);
      header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    std::memcpy(&told.device, CMSG_DATA(header), sizeof(int));
  }
  if (text[0] == mounted_mark) {
    told.what = Told::What::mounted;
  } else if (text[0] == begun_mark) {
    told.what = Told::What::begun;
    told.init = text.substr(1);
  } else if (text[0] == serving_mark) {
    told.what = Told::What::serving;
  }
  return told;
}

}  // namespace zabfs::fusefs::supervisor
