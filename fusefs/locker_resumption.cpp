// Locks when another process takes over the mount: who holds one goes on holding it, and who waited
// keeps his place, which he claims by asking again, as the kernel does for him.
#include <utility>

#include "fusefs/locker.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs {

using locks::Family;
using locks::Mode;

namespace {

continuity::LockOwner owner_of(const LockKey& key) {
  return {.inode = key.inode, .family = static_cast<std::uint32_t>(key.family), .owner = key.owner};
}

LockKey key_of(const continuity::LockOwner& owner) {
  return {.inode = owner.inode,
          .family = owner.family == 0 ? Family::flock : Family::fcntl,
          .owner = owner.owner};
}

locks::Taker taker_of(const continuity::LockHeld& held) {
  locks::Taker taker{.host = held.host, .command = held.command, .since = held.since};
  if (held.processes.size() == 4) {
    taker.process = {.pid = held.processes[0], .started = held.processes[1]};
    taker.parent = {.pid = held.processes[2], .started = held.processes[3]};
  }
  return taker;
}

}  // namespace

void Locker::write_down(const LockKey& key, const std::string& contender) {
  if (ledger_ != nullptr) {
    ledger_->write(continuity::PlaceTaken{.owner = owner_of(key), .contender = contender});
  }
}

// Leaves the process with the answer to whoever has the lock, as he does not have it before.
void Locker::write_down(const Lock& lock) {
  if (ledger_ == nullptr) {
    return;
  }
  const locks::Taker& taker = lock.wanted.taker;
  ledger_->add(continuity::LockHeld{.owner = owner_of(lock.wanted.key),
                                    .path = lock.wanted.path,
                                    .handle = lock.wanted.handle,
                                    .contender = lock.contender,
                                    .czxid = lock.czxid,
                                    .session = lock.session.value,
                                    .is_exclusive = lock.mode == Mode::exclusive,
                                    .is_lost = lock.is_lost,
                                    .host = taker.host,
                                    .command = taker.command,
                                    .since = taker.since,
                                    .processes = {taker.process.pid, taker.process.started,
                                                  taker.parent.pid, taker.parent.started}});
}

void Locker::write_now() {
  if (ledger_ != nullptr) {
    ledger_->write();
  }
}

void Locker::write_gone(const LockKey& key) {
  if (ledger_ != nullptr) {
    ledger_->add(continuity::LockGone{owner_of(key)});
  }
}

void Locker::resume(const continuity::State& state) {
  for (const auto& [owner, held] : state.locks) {
    if (!state.handles.contains(held.handle)) {
      continue;  // It was about to be given back, with the last close.
    }
    const Mode mode = held.is_exclusive ? Mode::exclusive : Mode::shared;
    const LockKey key = key_of(owner);
    const auto lock = std::make_shared<Lock>(Lock{.wanted = {.key = key,
                                                             .path = held.path,
                                                             .handle = held.handle,
                                                             .mode = mode,
                                                             .taker = taker_of(held)},
                                                  .contender = held.contender,
                                                  .czxid = held.czxid,
                                                  .session = {held.session},
                                                  .mode = mode,
                                                  .is_lost = held.is_lost});
    locks_.emplace(key, lock);
    if (!lock->is_lost) {
      contending_[key].insert(lock->contender);
      guard(lock, false);
    }
  }
  for (const auto& [contender, owner] : state.places) {
    const auto held = state.held.find(contender);
    const LockKey key = key_of(owner);
    if (held != state.held.end() && !is_own(key, contender)) {
      inherited_.emplace(key, Place{.key = key,
                                    .path = contender,
                                    .czxid = held->second.czxid,
                                    .session = {held->second.session}});
    }
  }
}

std::optional<Locker::Place> Locker::take_inherited_place(const WantedLock& wanted) {
  const auto stem = locks::stem_of(wanted.key.family, wanted.mode);
  for (auto [at, end] = inherited_.equal_range(wanted.key); at != end; ++at) {
    if (replication::name_of_path(at->second.path).starts_with(stem)) {
      Place place = std::move(at->second);
      inherited_.erase(at);
      contending_[wanted.key].insert(place.path);
      return place;
    }
  }
  return std::nullopt;
}

std::set<std::string> Locker::contenders() const {
  std::set<std::string> all;
  for (const auto& [key, paths] : contending_) {
    all.insert(paths.begin(), paths.end());
  }
  return all;
}

}  // namespace zabfs::fusefs
