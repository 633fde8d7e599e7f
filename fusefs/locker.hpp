// Locks of files over the whole ensemble: takes them by standing in the queue of
// locks/contender.hpp, waits, gives them back, and knows when one is lost.
//
//   take       asks for the children of the queue together with the creation of the contender: if
//              there is nobody to wait for, that was it. Otherwise it watches the contender, looks
//              again, and watches the one it waits for.
//   upgrade    a second contender behind the first; the first goes as soon as the second has nobody
//              else to wait for, or has to wait: then others may come in between, as with flock(2)
//   downgrade  at once: the contender stays where it is and says in its data that it shares
//   without    looks first, so that a lock that is taken costs no write; asks again behind a sync
//   waiting    before it says so, because another process may just have told the asker otherwise
//   give back  deletes the contender
//
// For the kernel the owner of a flock is the place of the open file in its memory, which it gives
// to the next one while we still commit what the closed one leaves. So what is held by the same
// owner through another handle is not the lock of whoever asks: he waits until the close has given
// it back.
//
// A lock is lost when its session is over, or when somebody else has deleted its contender. Whoever
// holds it may not have it back by himself: the lock stays lost until it is given back.
//
// A waiter stays in the queue while the connection is lost; when its session has expired, it queues
// anew in the next one. No contender outlives the wish for it: those that signals and lost
// connections leave half made are the Creator's to find, and a deletion goes on without its asker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fusefs/cache/coherence.hpp"
#include "fusefs/continuity/ledger.hpp"
#include "fusefs/creation.hpp"
#include "fusefs/failure.hpp"
#include "fusefs/handles/handle_table.hpp"
#include "fusefs/locks/contender.hpp"
#include "fusefs/locks/taker.hpp"
#include "fusefs/operation.hpp"
#include "fusefs/reply.hpp"
#include "fusefs/task.hpp"
#include "replication/model/ids.hpp"

namespace zabfs::fusefs {

// Whose lock it is: for the kernel, every open file (flock, open file descriptions) and every
// process (fcntl) is an owner.
struct LockKey {
  inodes::InodeNumber inode{};
  locks::Family family{};
  std::uint64_t owner{};

  auto operator<=>(const LockKey&) const = default;
};

struct WantedLock {
  LockKey key{};
  std::string path{};          // of the znode
  handles::HandleId handle{};  // through which it is taken
  locks::Mode mode{};
  bool is_nonblocking{};
  locks::Taker taker{};
};

struct Lock {
  WantedLock wanted{};
  std::string contender{};  // its path
  std::int64_t czxid{};     // of the contender: later holders have larger ones
  replication::SessionId session{};
  locks::Mode mode{};
  bool is_lost{};
  bool is_closing{};  // the last close of the handle gives it back
  std::vector<Wake*> waiting_for_end{};
};

// Who is in the way of a lock.
struct Obstacle {
  locks::Mode mode{};
  locks::Description description{};
};

class Locker {
 public:
  // All outlive this. `on_lost` is called once for every lock that is lost.
  Locker(cache::Coherence& ensemble, OperationTable& operations, Creator& creator,
         std::function<void(const Lock&)> on_lost)
      : ensemble_(ensemble),
        operations_(operations),
        creator_(creator),
        on_lost_(std::move(on_lost)) {}

  // EAGAIN if it is taken and the wish is not to wait; ENOLINK if the lock that the owner had, or
  // its place in the queue, is lost.
  Task<Outcome<Done>> take(Operation& operation, WantedLock wanted);

  // The last close of a handle has begun.
  void closing(handles::HandleId handle, inodes::InodeNumber inode);

  // Gives the lock of `key` back, if there is one; ENOLINK if it was lost before.
  Task<Outcome<Done>> give_back(Operation& operation, LockKey key);

  // The first contender with which a lock would be in conflict, if there is one.
  Task<Outcome<std::optional<Obstacle>>> find_obstacle(Operation& operation, WantedLock wanted);

  // The session may be over without our knowing: every lock is lost, and will not be ours again if
  // it is not.
  void lose_all();

  // From now on `ledger` says which locks are held, and who waits with which contender.
  void keep_in(continuity::Ledger& ledger) { ledger_ = &ledger; }
  // Goes on with the locks of a predecessor, and keeps the places of those who waited until they
  // ask again. contenders() are all that are held or waited with by then.
  void resume(const continuity::State& state);
  std::set<std::string> contenders() const;

  bool holds(const LockKey& key) const { return locks_.contains(key); }
  // The locks that were taken through a handle of that inode.
  std::vector<LockKey> locks_of(handles::HandleId handle, inodes::InodeNumber inode) const;
  // The newest of the locks that are held on the inode.
  const Lock* newest_of(inodes::InodeNumber inode) const;

  // The queue directory for the znode `path`.
  std::string queue_for(const std::string& path) const;

 private:
  // A contender of ours, there or on its way out.
  struct Place {
    LockKey key{};
    std::string path{};
    std::int64_t czxid{};
    replication::SessionId session{};
    bool was_first{};  // when it came, nobody was there to wait for
  };
  struct Removal {
    Place place{};
    std::optional<Outcome<Done>> outcome{};
    Wake* waiting{};
  };
  enum class Turn { has_come, session_is_over };

  bool is_over(replication::SessionId session) const;
  std::string address_of(std::string path_of_ensemble) const;

  bool is_own(const LockKey& key, const std::string& path) const;
  void forget(const Place& place);

  // Waits until nothing is held under the key by a file that is closed.
  Task<Outcome<Done>> let_closed_go(Operation& operation, WantedLock wanted);
  Task<Outcome<bool>> is_taken(Operation& operation, WantedLock wanted);
  Task<Outcome<Place>> join(Operation& operation, WantedLock wanted);
  bool is_first(const WantedLock& wanted, const Place& place,
                const Outcome<replication::protocol::GetChildren2Response>& listed) const;
  std::optional<Place> take_inherited_place(const WantedLock& wanted);
  void write_down(const Lock& lock);
  void write_now();
  void write_down(const LockKey& key, const std::string& contender);
  void write_gone(const LockKey& key);
  Task<Outcome<Done>> make_queue(Operation& operation, std::string queue);
  Task<Outcome<std::optional<std::string>>> look_ahead(Operation& operation, WantedLock wanted,
                                                       Place place);
  Task<Outcome<Turn>> await_turn(Operation& operation, WantedLock wanted, Place place);
  // The path of whom a contender with this number has to wait for, if anybody. It is watched.
  Task<Outcome<std::optional<std::string>>> find_blocker(Operation& operation, WantedLock wanted,
                                                         std::vector<std::string> names,
                                                         std::int64_t number);
  // What the owner of `wanted` has goes, so that he waits with nothing in his hands.
  void give_way(const LockKey& key);
  Task<Outcome<Done>> downgrade(Operation& operation, LockKey key);
  void hold(WantedLock wanted, const Place& place, bool is_watched = true);
  // Looks after a lock until it is given back; at once if it is not known to be there.
  Detached guard(std::shared_ptr<Lock> lock, bool is_known = true);
  void lose(Lock& lock);

  // Deletes a contender; goes on when the operation is interrupted.
  Task<Outcome<Done>> leave(Operation& operation, Place place);
  Detached remove(std::shared_ptr<Removal> removal);

  cache::Coherence& ensemble_;
  OperationTable& operations_;
  Creator& creator_;
  std::function<void(const Lock&)> on_lost_;
  std::map<LockKey, std::shared_ptr<Lock>> locks_{};
  std::map<LockKey, std::set<std::string>> contending_{};  // paths; an owner never waits for itself
  std::multimap<LockKey, Place> inherited_{};              // of those who have not asked again yet
  continuity::Ledger* ledger_{};
};

}  // namespace zabfs::fusefs
