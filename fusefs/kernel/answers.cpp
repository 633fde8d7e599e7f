#include "fusefs/kernel/answers.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "fusefs/limits.hpp"

namespace zabfs::fusefs::kernel {
namespace {

constexpr double no_time = 0;

double time_to_keep(bool is_kept) { return is_kept ? limits::kernel_keeps_seconds : no_time; }

// What readdir answers for an entry whose inode number it does not look up (FUSE_UNKNOWN_INO).
constexpr ino_t unknown_number = 0xFFFF'FFFF;

fuse_req_t request_of(Ticket ticket) { return static_cast<fuse_req_t>(ticket.request); }

fuse_entry_param parameter_of(const Entry& entry) {
  fuse_entry_param parameter{};
  parameter.ino = entry.number;
  parameter.generation = static_cast<std::uint64_t>(entry.generation);
  parameter.attr = entry.values;
  parameter.attr_timeout = no_time;
  parameter.entry_timeout = time_to_keep(entry.name_is_kept);
  return parameter;
}

// libfuse 3.14 can say everything of an opened file but that it is a stream, so this says it in the
// kernel's own words (linux/fuse.h).
fuse_open_out open_out_of(const Opened& opened) {
  fuse_open_out out{};
  out.fh = opened.handle;
  out.open_flags = FOPEN_DIRECT_IO;
  if (opened.may_keep_listing) {
    out.open_flags = FOPEN_CACHE_DIR;
  }
  if (opened.listing_is_kept) {
    out.open_flags |= FOPEN_KEEP_CACHE;
  }
  if (opened.is_stream) {
    out.open_flags |= FOPEN_STREAM;
  }
  if (opened.flush_is_needless) {
    out.open_flags |= FOPEN_NOFLUSH;
  }
  return out;
}

fuse_entry_out entry_out_of(const Entry& entry) {
  fuse_entry_out out{};
  out.nodeid = entry.number;
  out.generation = static_cast<std::uint64_t>(entry.generation);
  const struct stat& values = entry.values;
  out.attr.ino = values.st_ino;
  out.attr.size = static_cast<std::uint64_t>(values.st_size);
  out.attr.blocks = static_cast<std::uint64_t>(values.st_blocks);
  out.attr.atime = static_cast<std::uint64_t>(values.st_atim.tv_sec);
  out.attr.mtime = static_cast<std::uint64_t>(values.st_mtim.tv_sec);
  out.attr.ctime = static_cast<std::uint64_t>(values.st_ctim.tv_sec);
  out.attr.atimensec = static_cast<std::uint32_t>(values.st_atim.tv_nsec);
  out.attr.mtimensec = static_cast<std::uint32_t>(values.st_mtim.tv_nsec);
  out.attr.ctimensec = static_cast<std::uint32_t>(values.st_ctim.tv_nsec);
  out.attr.mode = values.st_mode;
  out.attr.nlink = static_cast<std::uint32_t>(values.st_nlink);
  out.attr.uid = values.st_uid;
  out.attr.gid = values.st_gid;
  out.attr.blksize = static_cast<std::uint32_t>(values.st_blksize);
  return out;
}

int send(fuse_req_t request, const auto&... parts) {
  std::array<char, (sizeof(parts) + ...)> buffer{};
  std::size_t used = 0;
  ((std::memcpy(buffer.data() + used, &parts, sizeof(parts)), used += sizeof(parts)), ...);
  return fuse_reply_buf(request, buffer.data(), used);
}

}  // namespace

void KernelAnswers::refuse(Ticket ticket, int errno_value) {
  fuse_reply_err(request_of(ticket), errno_value);
}

void KernelAnswers::answer(Ticket ticket, const Done&) { fuse_reply_err(request_of(ticket), 0); }

void KernelAnswers::answer(Ticket ticket, const Attributes& attributes) {
  fuse_reply_attr(request_of(ticket), &attributes.values, time_to_keep(attributes.is_kept));
}

void KernelAnswers::answer(Ticket ticket, const Entry& entry) {
  const fuse_entry_param parameter = parameter_of(entry);
  if (fuse_reply_entry(request_of(ticket), &parameter) == -ENOENT) {
    filesystem_->forget(entry.number, 1);
  }
}

void KernelAnswers::answer(Ticket ticket, const Absence&) {
  fuse_entry_param nothing{};
  nothing.entry_timeout = time_to_keep(true);
  fuse_reply_entry(request_of(ticket), &nothing);
}

void KernelAnswers::answer(Ticket ticket, const Opened& opened) {
  if (send(request_of(ticket), open_out_of(opened)) == -ENOENT) {
    filesystem_->abandon(opened.handle);
  }
}

void KernelAnswers::answer(Ticket ticket, const Created& created) {
  if (send(request_of(ticket), entry_out_of(created.entry), open_out_of(created.opened)) ==
      -ENOENT) {
    filesystem_->abandon(created.opened.handle);
    filesystem_->forget(created.entry.number, 1);
  }
}

void KernelAnswers::answer(Ticket ticket, const Content& content) {
  fuse_reply_buf(request_of(ticket), reinterpret_cast<const char*>(content.bytes.data()),
                 content.bytes.size());
}

void KernelAnswers::answer(Ticket ticket, const Written& written) {
  fuse_reply_write(request_of(ticket), written.bytes);
}

void KernelAnswers::answer(Ticket ticket, const Listing& listing) {
  listing_.resize(ticket.room);
  std::size_t used = 0;
  struct stat values {};
  values.st_ino = unknown_number;  // The type is unknown too: telling it takes a request per entry.
  for (std::size_t i = 0; i < listing.names.size(); ++i) {
    const std::size_t size =
        fuse_add_direntry(request_of(ticket), listing_.data() + used, ticket.room - used,
                          listing.names[i].c_str(), &values, static_cast<off_t>(listing.places[i]));
    if (size > ticket.room - used) {
      break;
    }
    used += size;
  }
  fuse_reply_buf(request_of(ticket), listing_.data(), used);
}

void KernelAnswers::answer(Ticket ticket, const AttributeText& text) {
  if (ticket.room == 0) {
    fuse_reply_xattr(request_of(ticket), text.text.size());
  } else if (ticket.room < text.text.size()) {
    fuse_reply_err(request_of(ticket), ERANGE);
  } else {
    fuse_reply_buf(request_of(ticket), text.text.data(), text.text.size());
  }
}

void KernelAnswers::answer(Ticket ticket, const Capacity& capacity) {
  fuse_reply_statfs(request_of(ticket), &capacity.values);
}

void KernelAnswers::answer(Ticket ticket, const Readiness& readiness) {
  const int events = (readiness.can_read ? POLLIN | POLLRDNORM : 0) |
                     (readiness.can_write ? POLLOUT | POLLWRNORM : 0) |
                     (readiness.has_failed ? POLLERR : 0);
  fuse_reply_poll(request_of(ticket), static_cast<unsigned>(events));
}

void KernelAnswers::answer(Ticket ticket, const LockFound& found) {
  // All our locks are of the whole file.
  struct flock lock {};
  lock.l_type = static_cast<short>(!found.is_taken      ? F_UNLCK
                                   : found.is_exclusive ? F_WRLCK
                                                        : F_RDLCK);
  lock.l_whence = SEEK_SET;
  lock.l_pid = static_cast<pid_t>(found.pid);
  fuse_reply_lock(request_of(ticket), &lock);
}

}  // namespace zabfs::fusefs::kernel
