// Locks that are held: how they are given back, and how their owners hear that they are lost.
#include <cerrno>
#include <utility>

#include "fusefs/locker.hpp"

namespace zabfs::fusefs {

using cache::Subscription;
using locks::Mode;
using replication::ErrorCode;
using replication::protocol::DeleteRequest;
using replication::protocol::EmptyResponse;
using replication::protocol::ExistsRequest;
using replication::protocol::SetDataRequest;
using replication::protocol::StatResponse;

// --- having ---

void Locker::give_way(const LockKey& key) {
  const auto held = locks_.find(key);
  if (held == locks_.end()) {
    return;
  }
  const auto lock = held->second;
  locks_.erase(held);
  write_gone(key);
  operations_.interrupt(lock.get());
  remove(std::make_shared<Removal>(
      Removal{.place = {key, lock->contender, lock->czxid, lock->session}}));
}

void Locker::hold(WantedLock wanted, const Place& place, bool is_watched) {
  give_way(wanted.key);
  const LockKey key = wanted.key;
  const Mode mode = wanted.mode;
  const auto lock = std::make_shared<Lock>(Lock{.wanted = std::move(wanted),
                                                .contender = place.path,
                                                .czxid = place.czxid,
                                                .session = place.session,
                                                .mode = mode});
  locks_.emplace(key, lock);
  write_down(*lock);
  guard(lock, is_watched);
}

Task<Outcome<Done>> Locker::downgrade(Operation& operation, LockKey key) {
  const auto lock = locks_.at(key);
  operation.change_unseen();
  lock->mode = Mode::shared;  // Before anybody else can be told.
  write_down(*lock);
  write_now();
  for (;;) {
    SetDataRequest request{
        .path = lock->contender,
        .data = locks::text_of(locks::describe(lock->wanted.taker, Mode::shared))};
    Ask<StatResponse> question(ensemble_, operation, std::move(request));
    const auto done = co_await question;
    const bool is_gone = !done && done.error().code == ErrorCode::no_node;
    if (lock->is_lost || is_gone || is_over(lock->session)) {
      co_return Failure::of(ENOLINK);
    }
    if (done || !is_passing(done.error())) {
      co_return done ? Outcome<Done>(Done{}) : done.error();
    }
  }
}

Detached Locker::guard(std::shared_ptr<Lock> lock, bool is_known) {
  Operation operation(operations_, {.request = lock.get()});
  Wake* waiting = nullptr;
  bool has_changed = !is_known;
  Subscription told(ensemble_.events(), lock->contender, [&](const auto&) {
    has_changed = true;
    if (waiting != nullptr) {
      waiting->ring();
    }
  });
  told.renew();
  for (;;) {
    if (!has_changed) {
      Wake wake(operation);
      waiting = &wake;
      const auto woken = co_await wake;
      waiting = nullptr;
      if (!woken) {
        co_return;  // It is given back, or the mount ends.
      }
    }
    told.renew();
    has_changed = false;
    if (is_over(lock->session)) {
      co_return lose(*lock);
    }
    // Who has the lock goes on meanwhile, and often gives it back before this has left.
    Ask<StatResponse> question(ensemble_, operation,
                               ExistsRequest{.path = lock->contender, .watch = true}, true);
    const auto found = co_await question;
    if (operation.is_interrupted()) {
      co_return;
    }
    const bool is_gone = found ? found->stat.czxid != lock->czxid : !is_passing(found.error());
    if (is_gone || is_over(lock->session)) {
      co_return lose(*lock);
    }
    has_changed = has_changed || !found;
  }
}

void Locker::lose(Lock& lock) {
  lock.is_lost = true;
  if (locks_.contains(lock.wanted.key)) {
    write_down(lock);
    write_now();
  }
  forget({lock.wanted.key, lock.contender});
  on_lost_(lock);
}

void Locker::lose_all() {
  for (const auto& [key, lock] : std::map(locks_)) {
    if (!lock->is_lost) {
      operations_.interrupt(lock.get());
      remove(std::make_shared<Removal>(
          Removal{.place = {key, lock->contender, lock->czxid, lock->session}}));
      lose(*lock);
    }
  }
}

// --- giving back ---

Task<Outcome<Done>> Locker::give_back(Operation& operation, LockKey key) {
  const auto held = locks_.find(key);
  if (held == locks_.end()) {
    co_return Done{};
  }
  const auto lock = held->second;
  locks_.erase(held);
  write_gone(key);
  operations_.interrupt(lock.get());
  Place place{key, lock->contender, lock->czxid, lock->session};
  Outcome<Done> done = Failure::of(ENOLINK);
  if (lock->is_lost || is_over(lock->session)) {
    forget(place);
  } else {
    done = co_await leave(operation, std::move(place));
  }
  while (!lock->waiting_for_end.empty()) {
    Wake* waiting = lock->waiting_for_end.back();
    lock->waiting_for_end.pop_back();
    waiting->ring();
  }
  co_return done;
}

void Locker::closing(handles::HandleId handle, inodes::InodeNumber inode) {
  for (const LockKey& key : locks_of(handle, inode)) {
    locks_.at(key)->is_closing = true;
  }
}

Task<Outcome<Done>> Locker::let_closed_go(Operation& operation, WantedLock wanted) {
  for (auto held = locks_.find(wanted.key);
       held != locks_.end() && held->second->wanted.handle != wanted.handle;
       held = locks_.find(wanted.key)) {
    const auto lock = held->second;
    if (lock->is_closing) {
      Wake wake(operation);
      lock->waiting_for_end.push_back(&wake);
      const auto woken = co_await wake;
      if (!woken) {
        std::erase(lock->waiting_for_end, &wake);
        co_return woken.error();
      }
    } else if (wanted.key.family == locks::Family::flock) {
      static_cast<void>(co_await give_back(operation, wanted.key));
    } else {
      break;  // A process has its locks through any of its descriptors.
    }
  }
  co_return Done{};
}

Task<Outcome<Done>> Locker::leave(Operation& operation, Place place) {
  const auto removal = std::make_shared<Removal>(Removal{.place = std::move(place)});
  remove(removal);
  if (!removal->outcome) {
    Wake wake(operation);
    removal->waiting = &wake;
    const auto woken = co_await wake;
    removal->waiting = nullptr;
    if (!woken) {
      co_return woken.error();
    }
  }
  co_return *removal->outcome;
}

Detached Locker::remove(std::shared_ptr<Removal> removal) {
  const Place& place = removal->place;
  Operation operation(operations_, {.request = removal.get()});
  operation.change_unseen();
  forget(place);
  // Nobody's from now on: the owner may ask for another lock before this contender is gone, and a
  // successor of this process is asked again in any order.
  write_down(LockKey{}, place.path);
  Outcome<Done> outcome = Done{};
  if (!is_over(place.session)) {
    // While its queue is there, no other contender gets its name.
    Ask<EmptyResponse> deletion(ensemble_, operation, DeleteRequest{.path = place.path});
    const auto deleted = co_await deletion;
    if (!deleted && is_passing(deleted.error())) {
      outcome = co_await creator_.let_go(operation, place.path, place.czxid);
    } else if (!deleted && deleted.error().code != ErrorCode::no_node) {
      outcome = deleted.error();
    } else {
      creator_.is_gone(place.path);
    }
  }
  removal->outcome = outcome;
  if (removal->waiting != nullptr) {
    removal->waiting->ring();
  }
}

}  // namespace zabfs::fusefs
