// Locks of files: what flock(2) and fcntl(2) ask for, and what becomes of a descriptor whose lock
// is lost. How a lock is taken is the Locker's.
//
// A lock belongs to the name of the znode in the ensemble: every view of the znode is the same
// lock, and it does not matter whether there is such a znode. It is kept under the inode of the
// view through which it was taken, as the kernel asks by that.
#include <cerrno>
#include <utility>

#include "fusefs/filesystem.hpp"

namespace zabfs::fusefs {

using handles::Handle;
using inodes::Inode;
using locks::Mode;
using locks::Taker;

void Filesystem::use(locks::Takers& takers, std::function<void(const Lock&)> on_lock_lost) {
  takers_ = &takers;
  on_lock_lost_ = std::move(on_lock_lost);
}

void Filesystem::use(client::Client& client) {
  ensemble_.use(client);
  handles_.for_each([this](Handle& handle) {
    if (handle.when_lost && is_lost(handle)) {
      std::exchange(handle.when_lost, {})();
    }
  });
}

void Filesystem::lock_is_lost(const Lock& lock) {
  if (Handle* handle = handles_.find(lock.wanted.handle)) {
    handle->is_lock_lost = true;
    if (const auto tell = std::exchange(handle->when_lost, {})) {
      tell();
    }
  }
  if (on_lock_lost_) {
    on_lock_lost_(lock);
  }
}

Detached Filesystem::lock(Reply<Done> reply, LockCall call) {
  Operation operation(operations_, reply.ticket());
  Handle* handle = handles_.find(call.handle);
  const Inode* inode = inode_of(call.handle);
  if (handle == nullptr || inode == nullptr) {
    co_return std::move(reply).error(EBADF);
  }
  if (is_lost(*handle)) {
    co_return std::move(reply).error(ENOLINK);
  }
  WantedLock wanted{.key = {inode->number, call.family, call.owner},
                    .path = inode->path,
                    .handle = call.handle,
                    .mode = call.mode,
                    .is_nonblocking = call.is_nonblocking,
                    .taker = takers_ == nullptr ? Taker{} : takers_->find(call.thread)};
  const auto taken = co_await locker_.take(operation, std::move(wanted));
  if (!taken) {
    co_return std::move(reply).refuse(taken.error());
  }
  if (auto* data = find_data(call.handle)) {
    data->expect_newer();
  }
  std::move(reply).with(Done{});
}

Detached Filesystem::unlock(Reply<Done> reply, LockCall call) {
  const Inode* inode = inode_of(call.handle);
  if (inode == nullptr) {
    co_return std::move(reply).error(EBADF);
  }
  flush_and_unlock(std::move(reply), call.handle, {inode->number, call.family, call.owner});
}

Detached Filesystem::flush_and_unlock(Reply<Done> reply, HandleId id, LockKey key) {
  Operation operation(operations_, reply.ticket());
  Outcome<Done> done = Done{};
  if (const auto* data = find_data(id); data != nullptr && data->close_commits()) {
    done = co_await commit(operation, *handles_.find(id));
  }
  const auto unlocked = co_await locker_.give_back(operation, key);
  std::move(reply).with_outcome(done ? unlocked : done);
}

Detached Filesystem::test_lock(Reply<LockFound> reply, LockCall call) {
  Operation operation(operations_, reply.ticket());
  const Inode* inode = inode_of(call.handle);
  if (inode == nullptr) {
    co_return std::move(reply).error(EBADF);
  }
  WantedLock wanted{.key = {inode->number, call.family, call.owner},
                    .path = inode->path,
                    .handle = call.handle,
                    .mode = call.mode};
  const auto found = co_await locker_.find_obstacle(operation, std::move(wanted));
  if (!found) {
    co_return std::move(reply).refuse(found.error());
  }
  if (!*found) {
    co_return std::move(reply).with(LockFound{});
  }
  const auto& description = (*found)->description;
  const bool is_here = takers_ != nullptr && description.host == takers_->host();
  std::move(reply).with(LockFound{.is_taken = true,
                                  .is_exclusive = description.mode == Mode::exclusive,
                                  .pid = is_here ? description.pid : 0});
}

}  // namespace zabfs::fusefs
