// The least that any FUSE file system does, as a measure for zabfs: every reply comes from
// constants and is what zabfs would reply, in size, flags and time to keep (kernel/answers.cpp),
// through the same library, on one thread, with the device as one non-blocking descriptor.
//
//   null_fuse MOUNTPOINT       stays in the foreground until it is unmounted
//
//   /directory                 1,000 files
//   /file0, /file1, ...        100 bytes each; what is written to them is forgotten
//   anything else              exists from its creation to its removal
#define FUSE_USE_VERSION 312
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr fuse_ino_t directory_number = 2;
constexpr fuse_ino_t file_number = 3;
constexpr double no_time = 0;
constexpr double for_long = 10;  // what zabfs lets the kernel keep while a watch guards it
constexpr std::size_t listed_names = 1'002;  // with . and ..
constexpr ino_t unknown_number = 0xFFFF'FFFF;
constexpr unsigned background_max = 10'000;
const std::string content(100, 'v');

// The names that were created and not removed.
std::set<std::string, std::less<>>& created_names() {
  static std::set<std::string, std::less<>> names;
  return names;
}

struct stat attributes_of(fuse_ino_t number) {
  const bool is_directory = number < file_number;
  struct stat values {};
  values.st_ino = number;
  values.st_mode = is_directory ? S_IFDIR | 0755 : S_IFREG | 0644;
  values.st_nlink = 1;
  values.st_uid = getuid();
  values.st_gid = getgid();
  values.st_size = is_directory ? 0 : static_cast<off_t>(content.size());
  values.st_blksize = 1 << 20;
  values.st_blocks = 1;
  return values;
}

fuse_entry_param entry_of(fuse_ino_t number) {
  fuse_entry_param entry{};
  entry.ino = number;
  entry.generation = 1;
  entry.attr = attributes_of(number);
  entry.attr_timeout = no_time;
  entry.entry_timeout = for_long;
  return entry;
}

fuse_file_info opened(int flags) {
  fuse_file_info information{};
  information.direct_io = 1;
  information.noflush = (flags & O_ACCMODE) == O_RDONLY ? 1 : 0;
  return information;
}

void init(void* /*context*/, fuse_conn_info* connection) {
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_READDIRPLUS |
                                             FUSE_CAP_READDIRPLUS_AUTO);
  connection->want |= connection->capable & (FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA);
  connection->max_background = background_max;
  connection->congestion_threshold = background_max;
}

void lookup(fuse_req_t request, fuse_ino_t /*parent*/, const char* name) {
  const std::string_view looked_up = name;
  fuse_entry_param entry{};
  if (looked_up == "directory") {
    entry = entry_of(directory_number);
  } else if (looked_up.starts_with("file") || created_names().contains(looked_up)) {
    entry = entry_of(file_number);
  } else {
    fuse_reply_err(request, ENOENT);
    return;
  }
  fuse_reply_entry(request, &entry);
}

void forget(fuse_req_t request, fuse_ino_t /*number*/, std::uint64_t /*lookups*/) {
  fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, std::size_t /*count*/, fuse_forget_data* /*forgotten*/) {
  fuse_reply_none(request);
}

void getattr(fuse_req_t request, fuse_ino_t number, fuse_file_info* /*information*/) {
  const struct stat values = attributes_of(number);
  fuse_reply_attr(request, &values, for_long);
}

void access(fuse_req_t request, fuse_ino_t /*number*/, int /*mask*/) { fuse_reply_err(request, 0); }

void getxattr(fuse_req_t request, fuse_ino_t /*number*/, const char* /*name*/,
              std::size_t /*size*/) {
  fuse_reply_err(request, ENOTSUP);
}

void open(fuse_req_t request, fuse_ino_t /*number*/, fuse_file_info* information) {
  const fuse_file_info reply = opened(information->flags);
  fuse_reply_open(request, &reply);
}

void create(fuse_req_t request, fuse_ino_t /*parent*/, const char* name, mode_t /*mode*/,
            fuse_file_info* information) {
  created_names().insert(name);
  fuse_entry_param entry = entry_of(file_number);
  entry.entry_timeout = no_time;
  const fuse_file_info reply = opened(information->flags);
  fuse_reply_create(request, &entry, &reply);
}

void read(fuse_req_t request, fuse_ino_t /*number*/, std::size_t size, off_t offset,
          fuse_file_info* /*information*/) {
  const auto begin = std::min(static_cast<std::size_t>(offset), content.size());
  fuse_reply_buf(request, content.data() + begin, std::min(size, content.size() - begin));
}

void write(fuse_req_t request, fuse_ino_t /*number*/, const char* /*bytes*/, std::size_t size,
           off_t /*offset*/, fuse_file_info* /*information*/) {
  fuse_reply_write(request, size);
}

void end_use(fuse_req_t request, fuse_ino_t /*number*/, fuse_file_info* /*information*/) {
  fuse_reply_err(request, 0);
}

void opendir(fuse_req_t request, fuse_ino_t /*number*/, fuse_file_info* /*information*/) {
  fuse_file_info reply = opened(O_RDONLY);
  reply.direct_io = 0;
  reply.cache_readdir = 1;
  reply.keep_cache = 1;
  fuse_reply_open(request, &reply);
}

std::string name_at(std::size_t place) {
  return place == 0 ? "." : place == 1 ? ".." : "file" + std::to_string(place - 2);
}

void readdir(fuse_req_t request, fuse_ino_t /*number*/, std::size_t size, off_t offset,
             fuse_file_info* /*information*/) {
  static std::vector<char> listing;
  listing.resize(size);
  struct stat values {};
  values.st_ino = unknown_number;
  std::size_t used = 0;
  for (auto i = static_cast<std::size_t>(offset); i < listed_names; ++i) {
    const std::string name = name_at(i);
    const std::size_t entry = fuse_add_direntry(request, listing.data() + used, size - used,
                                                name.c_str(), &values, static_cast<off_t>(i + 1));
    if (entry > size - used) {
      break;
    }
    used += entry;
  }
  fuse_reply_buf(request, listing.data(), used);
}

void unlink(fuse_req_t request, fuse_ino_t /*parent*/, const char* name) {
  fuse_reply_err(request, created_names().erase(name) == 1 ? 0 : ENOENT);
}

fuse_lowlevel_ops operations() {
  fuse_lowlevel_ops ops{};
  ops.init = init;
  ops.lookup = lookup;
  ops.forget = forget;
  ops.forget_multi = forget_multi;
  ops.getattr = getattr;
  ops.access = access;
  ops.getxattr = getxattr;
  ops.open = open;
  ops.create = create;
  ops.read = read;
  ops.write = write;
  ops.flush = end_use;
  ops.release = end_use;
  ops.opendir = opendir;
  ops.readdir = readdir;
  ops.releasedir = end_use;
  ops.unlink = unlink;
  return ops;
}

ssize_t read_device(int device, void* buffer, std::size_t size, void* /*context*/) {
  return ::read(device, buffer, size);
}

// Asks for parallel lookups, which libfuse 3.14 cannot, in its reply to the kernel's greeting.
ssize_t write_device(int device, iovec* parts, int count, void* /*context*/) {
  static bool has_negotiated = false;
  if (!has_negotiated && count > 1 && parts[1].iov_len >= FUSE_COMPAT_22_INIT_OUT_SIZE) {
    static_cast<fuse_init_out*>(parts[1].iov_base)->flags |= FUSE_PARALLEL_DIROPS;
    has_negotiated = true;
  }
  return ::writev(device, parts, count);
}

void serve(fuse_session* session) {
  const int device = fuse_session_fd(session);
  fuse_buf buffer{};
  while (fuse_session_exited(session) == 0) {
    const int result = fuse_session_receive_buf(session, &buffer);
    if (result > 0) {
      fuse_session_process_buf(session, &buffer);
    } else if (result == -EAGAIN) {
      pollfd wait{.fd = device, .events = POLLIN, .revents = 0};
      ::poll(&wait, 1, -1);
    } else if (result != -EINTR) {
      break;
    }
  }
  std::free(buffer.mem);
}

int run(const char* mount_point) {
  static const fuse_custom_io io{.writev = write_device,
                                 .read = read_device,
                                 .splice_receive = nullptr,
                                 .splice_send = nullptr};
  fuse_args arguments = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&arguments, "null_fuse");
  fuse_opt_add_arg(&arguments, "-ofsname=null_fuse");
  const fuse_lowlevel_ops ops = operations();
  fuse_session* session = fuse_session_new(&arguments, &ops, sizeof ops, nullptr);
  fuse_opt_free_args(&arguments);
  if (session == nullptr || fuse_session_mount(session, mount_point) != 0) {
    std::cerr << "null_fuse: cannot mount on " << mount_point << '\n';
    return 1;
  }
  const int device = fuse_session_fd(session);
  ::fcntl(device, F_SETFL, ::fcntl(device, F_GETFL) | O_NONBLOCK);
  fuse_session_custom_io(session, &io, device);
  serve(session);
  fuse_session_unmount(session);
  fuse_session_destroy(session);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: null_fuse MOUNTPOINT\n";
    return 2;
  }
  return run(argv[1]);
}
