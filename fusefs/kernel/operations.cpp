#include "fusefs/kernel/operations.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <optional>

#include "replication/model/limits.hpp"

namespace zabfs::fusefs::kernel {
namespace {

Context& context_of(fuse_req_t request) {
  return *static_cast<Context*>(fuse_req_userdata(request));
}

void interrupt(fuse_req_t request, void* context) {
  static_cast<Context*>(context)->filesystem.interrupt(request);
}

// Calls `call` with the file system and the reply that the request wants.
template <class Answer, class Call>
void serve(fuse_req_t request, std::size_t room, Call call) {
  Context& context = context_of(request);
  const std::uint64_t number =
      context.continuation == nullptr ? 0 : context.continuation->current();
  call(context.filesystem,
       Reply<Answer>(context.answers, {.request = request, .room = room, .number = number}));
  if (context.filesystem.is_waiting(request)) {
    fuse_req_interrupt_func(request, interrupt, &context);
  }
}

template <class Answer, class Call>
void serve(fuse_req_t request, Call call) {
  serve<Answer>(request, 0, call);
}

// The same for what the replayer asks too, which the stage answers.
template <class Answer, class Call>
void serve_or_stage(fuse_req_t request, Call call) {
  Context& context = context_of(request);
  if (context.stage != nullptr && fuse_req_ctx(request)->pid == context.replayer) {
    call(*context.stage, Reply<Answer>(context.answers, {.request = request}));
  } else {
    serve<Answer>(request, call);
  }
}

void note_look(fuse_req_t request) {
  const Context& context = context_of(request);
  if (context.on_look) {
    context.on_look(fuse_req_ctx(request)->pid);
  }
}

std::optional<HandleId> handle_of(const fuse_file_info* information) {
  return information == nullptr ? std::nullopt : std::optional(information->fh);
}

void init(void* userdata, fuse_conn_info* connection) {
  // Nothing may be written later than the write says. A listing that the kernel keeps is compared
  // with the time of its directory.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_READDIRPLUS |
                                             FUSE_CAP_READDIRPLUS_AUTO);
  connection->want |= connection->capable & (FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_AUTO_INVAL_DATA);
  Context& context = *static_cast<Context*>(userdata);
  context.memory.emplace(context.device, connection->proto_minor);
  context.filesystem.let_keep(&*context.memory);
  connection->max_background = replication::limits::kernel_background_max;
  connection->congestion_threshold = replication::limits::kernel_background_max;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  note_look(request);
  serve_or_stage<Entry>(request, [&](auto& fs, auto reply) {
    fs.lookup(std::move(reply), {parent, name});
  });
}

void forget(fuse_req_t request, fuse_ino_t number, std::uint64_t lookups) {
  context_of(request).filesystem.forget(number, lookups);
  fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgotten) {
  for (std::size_t i = 0; i < count; ++i) {
    context_of(request).filesystem.forget(forgotten[i].ino, forgotten[i].nlookup);
  }
  fuse_reply_none(request);
}

void getattr(fuse_req_t request, fuse_ino_t number, fuse_file_info* information) {
  note_look(request);
  serve_or_stage<Attributes>(request, [&](auto& fs, auto reply) {
    fs.get_attributes(std::move(reply), number, handle_of(information));
  });
}

AttributeChange change_of(const struct stat& values, int wanted) {
  AttributeChange change;
  if ((wanted & FUSE_SET_ATTR_SIZE) != 0) {
    change.size = static_cast<std::size_t>(values.st_size);
  }
  if ((wanted & FUSE_SET_ATTR_MODE) != 0) {
    change.mode = values.st_mode;
  }
  if ((wanted & FUSE_SET_ATTR_UID) != 0) {
    change.uid = values.st_uid;
  }
  if ((wanted & FUSE_SET_ATTR_GID) != 0) {
    change.gid = values.st_gid;
  }
  change.sets_mtime_to_now = (wanted & FUSE_SET_ATTR_MTIME_NOW) != 0;
  return change;
}

void setattr(fuse_req_t request, fuse_ino_t number, struct stat* values, int wanted,
             fuse_file_info* information) {
  serve_or_stage<Attributes>(request, [&](auto& fs, auto reply) {
    fs.set_attributes(std::move(reply), number, change_of(*values, wanted), handle_of(information));
  });
}

void access(fuse_req_t request, fuse_ino_t number, int mask) {
  serve_or_stage<Done>(
      request, [&](auto& fs, auto reply) { fs.check_access(std::move(reply), number, mask); });
}

void open(fuse_req_t request, fuse_ino_t number, fuse_file_info* information) {
  serve_or_stage<Opened>(request, [&](auto& fs, auto reply) {
    fs.open(std::move(reply), number, information->flags);
  });
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t,
            fuse_file_info* information) {
  serve<Created>(request, [&](auto& fs, auto reply) {
    fs.create(std::move(reply), {parent, name}, information->flags);
  });
}

void read(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset,
          fuse_file_info* information) {
  serve<Content>(request, size, [&](auto& fs, auto reply) {
    fs.read(std::move(reply), information->fh, static_cast<std::size_t>(offset),
            (information->flags & O_NONBLOCK) != 0);
  });
}

// The kernel gives a handle to be told by if somebody really waits; it is told once.
void poll(fuse_req_t request, fuse_ino_t, fuse_file_info* information, fuse_pollhandle* waiting) {
  std::function<void()> when_ready;
  if (waiting != nullptr) {
    const std::shared_ptr<fuse_pollhandle> told(waiting, fuse_pollhandle_destroy);
    when_ready = [told] { fuse_lowlevel_notify_poll(told.get()); };
  }
  serve<Readiness>(request, [&](auto& fs, auto reply) {
    fs.poll(std::move(reply), information->fh, std::move(when_ready));
  });
}

void write(fuse_req_t request, fuse_ino_t, const char* bytes, std::size_t size, off_t offset,
           fuse_file_info* information) {
  serve<Written>(request, [&](auto& fs, auto reply) {
    fs.write(std::move(reply), information->fh, static_cast<std::size_t>(offset),
             replication::bytes_of({bytes, size}));
  });
}

void flush(fuse_req_t request, fuse_ino_t, fuse_file_info* information) {
  serve<Done>(request, [&](auto& fs, auto reply) {
    fs.flush(std::move(reply), information->fh, information->lock_owner);
  });
}

void fsync(fuse_req_t request, fuse_ino_t, int, fuse_file_info* information) {
  serve<Done>(request, [&](auto& fs, auto reply) { fs.sync(std::move(reply), information->fh); });
}

void release(fuse_req_t request, fuse_ino_t, fuse_file_info* information) {
  if (information->fh == notify::Stage::handle) {
    fuse_reply_err(request, 0);
    return;
  }
  serve<Done>(request,
              [&](auto& fs, auto reply) { fs.release(std::move(reply), information->fh); });
}

void opendir(fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
  note_look(request);
  serve<Opened>(request,
                [&](auto& fs, auto reply) { fs.open_directory(std::move(reply), number); });
}

void readdir(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset,
             fuse_file_info* information) {
  serve<Listing>(request, size, [&](auto& fs, auto reply) {
    fs.read_directory(std::move(reply), information->fh, static_cast<std::uint64_t>(offset));
  });
}

void releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* information) {
  serve<Done>(request, [&](auto& fs, auto reply) {
    fs.release_directory(std::move(reply), information->fh);
  });
}

void mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t) {
  if (!S_ISREG(mode)) {
    fuse_reply_err(request, EPERM);
    return;
  }
  serve_or_stage<Entry>(request, [&](auto& fs, auto reply) {
    fs.make_file(std::move(reply), {parent, name});
  });
}

void mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t) {
  serve_or_stage<Entry>(request, [&](auto& fs, auto reply) {
    fs.make_directory(std::move(reply), {parent, name});
  });
}

void unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  serve_or_stage<Done>(request, [&](auto& fs, auto reply) {
    fs.remove_file(std::move(reply), {parent, name});
  });
}

void rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  serve_or_stage<Done>(request, [&](auto& fs, auto reply) {
    fs.remove_directory(std::move(reply), {parent, name});
  });
}

void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags) {
  serve_or_stage<Done>(request, [&](auto& fs, auto reply) {
    fs.rename(std::move(reply), {parent, name}, {new_parent, new_name}, flags);
  });
}

// A znode is a file or a directory, and has one name.
void symlink(fuse_req_t request, const char*, fuse_ino_t, const char*) {
  fuse_reply_err(request, EPERM);
}

void link(fuse_req_t request, fuse_ino_t, fuse_ino_t, const char*) {
  fuse_reply_err(request, EPERM);
}

LockCall lock_call_of(fuse_req_t request, const fuse_file_info* information, locks::Family family) {
  return {.handle = information->fh,
          .owner = information->lock_owner,
          .family = family,
          .thread = fuse_req_ctx(request)->pid};
}

void lock_or_unlock(fuse_req_t request, LockCall call, bool locks) {
  serve<Done>(request, [&](auto& fs, auto reply) {
    if (locks) {
      fs.lock(std::move(reply), call);
    } else {
      fs.unlock(std::move(reply), call);
    }
  });
}

// Without these, the kernel would grant locks that only this machine respects.
void flock(fuse_req_t request, fuse_ino_t, fuse_file_info* information, int what) {
  LockCall call = lock_call_of(request, information, locks::Family::flock);
  call.mode = (what & LOCK_EX) != 0 ? locks::Mode::exclusive : locks::Mode::shared;
  call.is_nonblocking = (what & LOCK_NB) != 0;
  lock_or_unlock(request, call, (what & LOCK_UN) == 0);
}

LockCall lock_call_of(fuse_req_t request, const fuse_file_info* information,
                      const struct flock& lock) {
  LockCall call = lock_call_of(request, information, locks::Family::fcntl);
  call.mode = lock.l_type == F_WRLCK ? locks::Mode::exclusive : locks::Mode::shared;
  return call;
}

void getlk(fuse_req_t request, fuse_ino_t, fuse_file_info* information, struct flock* lock) {
  serve<LockFound>(request, [&](auto& fs, auto reply) {
    fs.test_lock(std::move(reply), lock_call_of(request, information, *lock));
  });
}

// A lock of a part would have to be one of this machine alone.
void setlk(fuse_req_t request, fuse_ino_t, fuse_file_info* information, struct flock* lock,
           int may_wait) {
  if (lock->l_start != 0 || lock->l_len != 0) {
    fuse_reply_err(request, ENOLCK);
    return;
  }
  LockCall call = lock_call_of(request, information, *lock);
  call.is_nonblocking = may_wait == 0;
  lock_or_unlock(request, call, lock->l_type != F_UNLCK);
}

void statfs(fuse_req_t request, fuse_ino_t) {
  serve<Capacity>(request, [](auto& fs, auto reply) { fs.get_capacity(std::move(reply)); });
}

void getxattr(fuse_req_t request, fuse_ino_t number, const char* name, std::size_t size) {
  serve<AttributeText>(request, size, [&](auto& fs, auto reply) {
    fs.get_extended_attribute(std::move(reply), number, name);
  });
}

void listxattr(fuse_req_t request, fuse_ino_t number, std::size_t size) {
  serve<AttributeText>(request, size, [&](auto& fs, auto reply) {
    fs.list_extended_attributes(std::move(reply), number);
  });
}

void setxattr(fuse_req_t request, fuse_ino_t number, const char* name, const char* value,
              std::size_t size, int) {
  serve<Done>(request, [&](auto& fs, auto reply) {
    fs.set_extended_attribute(std::move(reply), number, name, std::string(value, size));
  });
}

void removexattr(fuse_req_t request, fuse_ino_t number, const char* name) {
  serve<Done>(request, [&](auto& fs, auto reply) {
    fs.remove_extended_attribute(std::move(reply), number, name);
  });
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops table = [] {
    fuse_lowlevel_ops ops{};
    ops.init = init;
    ops.lookup = lookup;
    ops.forget = forget;
    ops.forget_multi = forget_multi;
    ops.getattr = getattr;
    ops.setattr = setattr;
    ops.access = access;
    ops.open = open;
    ops.create = create;
    ops.read = read;
    ops.poll = poll;
    ops.write = write;
    ops.flush = flush;
    ops.fsync = fsync;
    ops.release = release;
    ops.opendir = opendir;
    ops.readdir = readdir;
    ops.releasedir = releasedir;
    ops.mknod = mknod;
    ops.mkdir = mkdir;
    ops.unlink = unlink;
    ops.rmdir = rmdir;
    ops.rename = rename;
    ops.symlink = symlink;
    ops.link = link;
    ops.flock = flock;
    ops.getlk = getlk;
    ops.setlk = setlk;
    ops.statfs = statfs;
    ops.getxattr = getxattr;
    ops.listxattr = listxattr;
    ops.setxattr = setxattr;
    ops.removexattr = removexattr;
    return ops;
  }();
  return table;
}

}  // namespace zabfs::fusefs::kernel
