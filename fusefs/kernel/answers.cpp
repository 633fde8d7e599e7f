#include "fusefs/kernel/answers.hpp"

#include <cerrno>

namespace zabfs::fusefs::kernel {
namespace {

constexpr double no_time = 0;

// What readdir answers for an entry whose inode number it does not look up (FUSE_UNKNOWN_INO).
constexpr ino_t unknown_number = 0xFFFF'FFFF;

fuse_req_t request_of(Ticket ticket) { return static_cast<fuse_req_t>(ticket.request); }

fuse_entry_param parameter_of(const Entry& entry) {
  fuse_entry_param parameter{};
  parameter.ino = entry.number;
  parameter.generation = static_cast<std::uint64_t>(entry.generation);
  parameter.attr = entry.values;
  parameter.attr_timeout = no_time;
  parameter.entry_timeout = no_time;
  return parameter;
}

fuse_file_info information_of(const Opened& opened) {
  fuse_file_info information{};
  information.fh = opened.handle;
  information.direct_io = 1;
  information.noflush = opened.flush_is_needless ? 1 : 0;
  return information;
}

}  // namespace

void KernelAnswers::refuse(Ticket ticket, int errno_value) {
  fuse_reply_err(request_of(ticket), errno_value);
}

void KernelAnswers::answer(Ticket ticket, const Done&) { fuse_reply_err(request_of(ticket), 0); }

void KernelAnswers::answer(Ticket ticket, const Attributes& attributes) {
  fuse_reply_attr(request_of(ticket), &attributes.values, no_time);
}

void KernelAnswers::answer(Ticket ticket, const Entry& entry) {
  const fuse_entry_param parameter = parameter_of(entry);
  if (fuse_reply_entry(request_of(ticket), &parameter) == -ENOENT) {
    filesystem_->forget(entry.number, 1);
  }
}

void KernelAnswers::answer(Ticket ticket, const Opened& opened) {
  const fuse_file_info information = information_of(opened);
  if (fuse_reply_open(request_of(ticket), &information) == -ENOENT) {
    filesystem_->abandon(opened.handle);
  }
}

void KernelAnswers::answer(Ticket ticket, const Created& created) {
  const fuse_entry_param parameter = parameter_of(created.entry);
  const fuse_file_info information = information_of(created.opened);
  if (fuse_reply_create(request_of(ticket), &parameter, &information) == -ENOENT) {
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
  std::uint64_t offset = listing.offset;
  struct stat values {};
  values.st_ino = unknown_number;  // The type is unknown too: telling it takes a request per entry.
  for (const auto& name : listing.names) {
    const std::size_t size =
        fuse_add_direntry(request_of(ticket), listing_.data() + used, ticket.room - used,
                          name.c_str(), &values, static_cast<off_t>(++offset));
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

}  // namespace zabfs::fusefs::kernel
