#include "fusefs/kernel/continuation.hpp"

#include <linux/fuse.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "fusefs/continuity/limits.hpp"
#include "fusefs/kernel/notices.hpp"

namespace zabfs::fusefs::kernel {
namespace {

using replication::Bytes;
using replication::ByteView;

constexpr std::uint64_t repeated_bit = std::uint64_t{1} << 63;
// The minor version of the protocol from which on the kernel repeats requests (Linux 6.9).
constexpr std::uint32_t minor_that_repeats = 40;

std::uint64_t number_of(const fuse_in_header& header) { return header.unique & ~repeated_bit; }

template <class T>
T take(ByteView bytes, std::size_t offset = 0) {
  T value{};
  if (bytes.size() >= offset + sizeof(T)) {
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
  }
  return value;
}

// The handle that a request is about; 0 if it is about none, or it does not matter.
HandleId handle_in(std::uint32_t opcode, ByteView arguments) {
  switch (opcode) {
    case FUSE_READ:
    case FUSE_WRITE:
    case FUSE_FLUSH:
    case FUSE_FSYNC:
    case FUSE_RELEASE:
    case FUSE_READDIR:
    case FUSE_RELEASEDIR:
    case FUSE_POLL:
    case FUSE_GETLK:
    case FUSE_SETLK:
    case FUSE_SETLKW:
      return take<std::uint64_t>(arguments);
    case FUSE_SETATTR: {
      const auto change = take<fuse_setattr_in>(arguments);
      return (change.valid & FATTR_FH) != 0 ? change.fh : 0;
    }
    default:
      return 0;
  }
}

// Neither is answered.
bool is_answered(std::uint32_t opcode) {
  return opcode != FUSE_FORGET && opcode != FUSE_BATCH_FORGET && opcode != FUSE_INTERRUPT;
}

// What is told to go on as if it had come for the first time, though it may have changed something.
bool goes_on(std::uint32_t opcode) {
  return opcode == FUSE_SETLK || opcode == FUSE_SETLKW || opcode == FUSE_RELEASE;
}

bool may_change(std::uint32_t opcode) {
  switch (opcode) {
    case FUSE_SETATTR:
    case FUSE_MKNOD:
    case FUSE_MKDIR:
    case FUSE_UNLINK:
    case FUSE_RMDIR:
    case FUSE_RENAME:
    case FUSE_RENAME2:
    case FUSE_OPEN:
    case FUSE_CREATE:
    case FUSE_WRITE:
    case FUSE_FLUSH:
    case FUSE_FSYNC:
    case FUSE_SETXATTR:
      return true;
    default:
      return false;
  }
}

bool send_error(int device, std::uint64_t unique, int error) {
  const fuse_out_header header{.len = sizeof(fuse_out_header), .error = -error, .unique = unique};
  return ::write(device, &header, sizeof(header)) == static_cast<ssize_t>(sizeof(header));
}

}  // namespace

Continuation::Continuation(continuity::Ledger& ledger, Filesystem& filesystem,
                           std::optional<continuity::State> inherited, bool is_partial)
    : ledger_(ledger),
      filesystem_(filesystem),
      inherited_(std::move(inherited)),
      is_partial_(is_partial) {
  filesystem_.keep_in(ledger_);
  filesystem_.before_changes([this](std::uint64_t request) {
    const auto handle = handles_.find(request);
    const HandleId id = handle == handles_.end() ? 0 : handle->second;
    changing_[request] = id;
    ledger_.write(continuity::ChangeBegun{.request = request, .handle = id});
  });
  if (inherited_) {
    changing_.insert(inherited_->changes.begin(), inherited_->changes.end());
    filesystem_.resume(*inherited_);
    const auto init = take<fuse_init_in>(inherited_->beginning.init, sizeof(fuse_in_header));
    writes_receipts_ = init.minor < minor_that_repeats;
  } else {
    is_caught_up_ = true;
  }
}

void Continuation::begin(ByteView init, const std::string& mount_point) {
  ledger_.write(
      continuity::Beginning{.init = Bytes(init.begin(), init.end()), .mount_point = mount_point});
  writes_receipts_ = take<fuse_init_in>(init, sizeof(fuse_in_header)).minor < minor_that_repeats;
  if (when_begun_) {
    when_begun_(replication::text_of(init));
  }
}

bool Continuation::take_over(int device) {
  for (const auto& [id, opened] : inherited_->handles) {
    if (opened.polled_by != 0) {
      wake_poller(device, opened.polled_by);
    }
  }
  if (!writes_receipts_ && ask_to_repeat(device)) {
    return true;
  }
  refuse_unanswered(device);
  return false;
}

void Continuation::refuse_unanswered(int device) {
  for (const auto request : inherited_->received) {
    if (request == inherited_->last_answer.request) {
      continue;
    }
    send_error(device, request, changing_.contains(request) ? ETIMEDOUT : EIO);
    ledger_.write(continuity::Answered{.request = request});
  }
}

bool Continuation::receive(int device, ByteView request) {
  const auto header = take<fuse_in_header>(request);
  current_ = 0;
  if (!is_answered(header.opcode)) {
    return false;
  }
  if ((header.unique & repeated_bit) == 0) {
    caught_up();
  } else if (answer_repeated(device, request)) {
    return true;
  }
  current_ = number_of(header);
  const ByteView arguments = request.subspan(sizeof(header));
  if (const HandleId handle = handle_in(header.opcode, arguments)) {
    handles_[current_] = handle;
  }
  if (header.opcode == FUSE_POLL) {
    const auto poll = take<fuse_poll_in>(arguments);
    if ((poll.flags & FUSE_POLL_SCHEDULE_NOTIFY) != 0) {
      ledger_.add(continuity::Polled{.handle = poll.fh, .by = poll.kh});
    }
  }
  if (writes_receipts_) {
    ledger_.write(continuity::Received{current_});
  }
  return false;
}

bool Continuation::answer_repeated(int device, ByteView request) {
  const auto header = take<fuse_in_header>(request);
  const std::uint64_t number = number_of(header);
  if (!inherited_) {
    return false;
  }
  const auto& last = inherited_->last_answer;
  if (number == last.request && last.answer.size() >= sizeof(fuse_out_header)) {
    Bytes answer = last.answer;
    std::memcpy(answer.data() + offsetof(fuse_out_header, unique), &header.unique,
                sizeof(header.unique));
    const bool is_wanted =
        ::write(device, answer.data(), answer.size()) == static_cast<ssize_t>(answer.size());
    if (!is_wanted && header.opcode == FUSE_OPEN) {
      filesystem_.abandon(take<fuse_open_out>(answer, sizeof(fuse_out_header)).fh);
    } else if (!is_wanted && header.opcode == FUSE_CREATE) {
      filesystem_.abandon(
          take<fuse_open_out>(answer, sizeof(fuse_out_header) + sizeof(fuse_entry_out)).fh);
    }
    return true;
  }
  if (inherited_->worker.replayer != 0 &&
      header.pid == static_cast<std::uint32_t>(inherited_->worker.replayer)) {
    return send_error(device, header.unique, EIO) || true;
  }
  const bool may_have_begun =
      inherited_->changes.contains(number) || (is_partial_ && may_change(header.opcode));
  if (may_have_begun && !goes_on(header.opcode)) {
    send_error(device, header.unique, ETIMEDOUT);
    changing_.erase(number);
    ledger_.write(continuity::Answered{.request = number});
    return true;
  }
  return false;
}

void Continuation::answering(const iovec* parts, int count) {
  const auto& header = *static_cast<const fuse_out_header*>(parts[0].iov_base);
  const std::uint64_t number = header.unique & ~repeated_bit;
  if (number == 0) {
    return;  // A notice, which answers nothing.
  }
  const auto found = handles_.find(number);
  const HandleId handle = found == handles_.end() ? 0 : found->second;
  if (found != handles_.end()) {
    handles_.erase(found);
  }
  filesystem_.write_down(handle);
  const bool has_changed = changing_.erase(number) > 0;
  if (!ledger_.has_unwritten() && !has_changed && !writes_receipts_ &&
      header.len > limits::ledger_answer_bytes_max) {
    return;
  }
  continuity::Answered answered{.request = number};
  for (int i = 0; i < count; ++i) {
    const auto* bytes = static_cast<const std::uint8_t*>(parts[i].iov_base);
    answered.answer.insert(answered.answer.end(), bytes, bytes + parts[i].iov_len);
  }
  ledger_.write(answered);
}

void Continuation::caught_up() {
  if (!std::exchange(is_caught_up_, true)) {
    filesystem_.settle(*inherited_);
    inherited_.reset();
  }
}

}  // namespace zabfs::fusefs::kernel
