#include "fusefs/locker.hpp"

#include <cerrno>
#include <limits>
#include <utility>

#include "fusefs/client/chroot.hpp"
#include "replication/model/create_mode.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs {

using cache::Subscription;
using client::SessionState;
using inodes::InodeNumber;
using locks::Contender;
using locks::Mode;
using replication::ErrorCode;
using replication::SessionId;
using replication::limits::change_attempts_max;
using replication::protocol::Create2Request;
using replication::protocol::CreateContainerRequest;
using replication::protocol::ExistsRequest;
using replication::protocol::GetChildren2Request;
using replication::protocol::GetChildren2Response;
using replication::protocol::GetDataRequest;
using replication::protocol::GetDataResponse;
using replication::protocol::PathResponse;
using replication::protocol::PathStatResponse;
using replication::protocol::StatResponse;
using replication::protocol::SyncRequest;

namespace {

// Behind every contender that is there.
constexpr std::int64_t behind_all = std::numeric_limits<std::int64_t>::max();

std::string in(const std::string& queue, const std::string& name) { return queue + "/" + name; }

Mode mode_of(const Contender& contender, const GetDataResponse& found) {
  const std::string_view text = found.data ? replication::text_of(*found.data) : "";
  return locks::read_description(text, contender.mode).mode;
}

}  // namespace

bool Locker::is_over(SessionId session) const {
  const auto& client = ensemble_.client();
  return client.session() != session || client.state() == SessionState::expired ||
         client.state() == SessionState::refused || client.state() == SessionState::closed;
}

std::string Locker::address_of(std::string path_of_ensemble) const {
  client::Chroot(ensemble_.client().chroot()).strip_from(path_of_ensemble);
  return path_of_ensemble;
}

std::string Locker::queue_for(const std::string& path) const {
  if (path.starts_with("//")) {
    return address_of(locks::queue_of(path.substr(1)));
  }
  const std::string& chroot = ensemble_.client().chroot();
  const bool is_chroot = path == "/" && !chroot.empty();
  return address_of(locks::queue_of(is_chroot ? chroot : chroot + path));
}

std::vector<LockKey> Locker::locks_of(handles::HandleId handle, InodeNumber inode) const {
  std::vector<LockKey> keys;
  for (auto at = locks_.lower_bound({.inode = inode});
       at != locks_.end() && at->first.inode == inode; ++at) {
    if (at->second->wanted.handle == handle) {
      keys.push_back(at->first);
    }
  }
  return keys;
}

const Lock* Locker::newest_of(InodeNumber inode) const {
  const Lock* newest = nullptr;
  for (auto at = locks_.lower_bound({.inode = inode});
       at != locks_.end() && at->first.inode == inode; ++at) {
    const Lock& lock = *at->second;
    if (!lock.is_lost && (newest == nullptr || lock.czxid > newest->czxid)) {
      newest = &lock;
    }
  }
  return newest;
}

bool Locker::is_own(const LockKey& key, const std::string& path) const {
  const auto own = contending_.find(key);
  return own != contending_.end() && own->second.contains(path);
}

void Locker::forget(const Place& place) {
  const auto own = contending_.find(place.key);
  if (own != contending_.end() && own->second.erase(place.path) > 0 && own->second.empty()) {
    contending_.erase(own);
  }
}

// --- taking ---

Task<Outcome<Done>> Locker::take(Operation& operation, WantedLock wanted) {
  const auto gone = co_await let_closed_go(operation, wanted);
  if (!gone) {
    co_return gone.error();
  }
  if (const auto held = locks_.find(wanted.key); held != locks_.end()) {
    if (held->second->is_lost || is_over(held->second->session)) {
      co_return Failure::of(ENOLINK);
    }
    if (held->second->mode == wanted.mode) {
      co_return Done{};
    }
    if (wanted.mode == Mode::shared) {
      co_return co_await downgrade(operation, wanted.key);
    }
  }
  auto inherited = take_inherited_place(wanted);
  if (wanted.is_nonblocking && !inherited) {
    const auto taken = co_await is_taken(operation, wanted);
    if (!taken || *taken) {
      co_return taken ? Failure::of(EAGAIN) : taken.error();
    }
  }
  for (;;) {
    Outcome<Place> place = Failure::of(EAGAIN);
    if (inherited) {
      place = *std::exchange(inherited, std::nullopt);
    } else {
      place = co_await join(operation, wanted);
    }
    if (!place && place.error().code == ErrorCode::connection_loss) {
      continue;  // The Creator has seen to it that nothing is left of the attempt.
    }
    if (!place) {
      co_return place.error();
    }
    if (place->was_first && !is_over(place->session)) {
      hold(std::move(wanted), *place, false);
      co_return Done{};
    }
    const auto turn = co_await await_turn(operation, wanted, *place);
    if (turn && *turn == Turn::has_come) {
      hold(std::move(wanted), *place);
      co_return Done{};
    }
    forget(*place);
    if (!turn && turn.error() != Failure::of(ENOLINK)) {
      static_cast<void>(co_await leave(operation, *place));
    }
    if (!turn) {
      co_return turn.error();
    }
  }
}

Task<Outcome<bool>> Locker::is_taken(Operation& operation, WantedLock wanted) {
  const std::string queue = queue_for(wanted.path);
  for (const bool must_be_new : {false, true}) {
    if (must_be_new) {
      Ask<PathResponse> sync(ensemble_, operation, SyncRequest{.path = queue});
      const auto reached = co_await sync;
      if (!reached) {
        co_return reached.error();
      }
    }
    Ask<GetChildren2Response> look(ensemble_, operation, GetChildren2Request{.path = queue});
    auto listed = co_await look;
    if (!listed) {
      const bool is_free = listed.error().code == ErrorCode::no_node;
      co_return is_free ? Outcome<bool>(false) : listed.error();
    }
    const auto blocker =
        co_await find_blocker(operation, wanted, std::move(listed->children), behind_all);
    if (!blocker || !*blocker) {
      co_return blocker ? Outcome<bool>(false) : blocker.error();
    }
  }
  co_return true;
}

Task<Outcome<Locker::Place>> Locker::join(Operation& operation, WantedLock wanted) {
  const std::string queue = queue_for(wanted.path);
  const std::string stem(locks::stem_of(wanted.key.family, wanted.mode));
  for (int tries = 0; tries < change_attempts_max; ++tries) {
    CreationPlan plan{.path = in(queue, stem),
                      .data = locks::text_of(locks::describe(wanted.taker, wanted.mode)),
                      .creation = {.ephemeral = true, .sequential = true, .held = true}};
    const auto attempt = creator_.begin(std::move(plan));
    Ask<GetChildren2Response> look(ensemble_, operation, GetChildren2Request{.path = queue});
    auto born = co_await creator_.end(operation, attempt);
    if (born) {
      contending_[wanted.key].insert(born->path);
      write_down(wanted.key, born->path);
      Place place{.key = wanted.key,
                  .path = std::move(born->path),
                  .czxid = born->node.stat.czxid,
                  .session = {born->node.stat.ephemeral_owner}};
      const auto listed = co_await look;
      place.was_first = is_first(wanted, place, listed);
      co_return place;
    }
    if (born.error().code != ErrorCode::no_node) {
      co_return born.error();
    }
    const auto made = co_await make_queue(operation, queue);
    if (!made) {
      co_return made.error();
    }
  }
  co_return Failure::of(EAGAIN);
}

// The listing is as new as the creation before it. The name in it is that of `place` if the queue
// is the one in which that was made: a queue gives no number out twice.
bool Locker::is_first(const WantedLock& wanted, const Place& place,
                      const Outcome<GetChildren2Response>& listed) const {
  if (!listed || listed->stat.czxid >= place.czxid) {
    return false;
  }
  const std::string queue(replication::parent_of(place.path));
  for (const Contender& contender : locks::queue_in(listed->children, wanted.key.family)) {
    const std::string path = in(queue, contender.name);
    if (path == place.path) {
      return true;
    }
    if (locks::are_in_conflict(wanted.mode, contender.mode) && !is_own(wanted.key, path)) {
      return false;
    }
  }
  return false;
}

Task<Outcome<Done>> Locker::make_queue(Operation& operation, std::string queue) {
  const auto parent = [this](std::string_view path) {
    return Create2Request{.path = address_of(std::string(path)), .acl = replication::open_acl()};
  };
  Ask<PathStatResponse> top(ensemble_, operation, parent(locks::top_directory));
  Ask<PathStatResponse> middle(ensemble_, operation, parent(locks::all_queues));
  Ask<PathStatResponse> bottom(
      ensemble_, operation,
      CreateContainerRequest{
          .path = queue, .acl = replication::open_acl(), .flags = replication::container_flags});
  const auto made_top = co_await top;
  const auto made_middle = co_await middle;
  auto made = co_await bottom;
  if (!made && made.error().code == ErrorCode::unimplemented) {
    // A server that has no containers: the directory stays.
    Ask<PathStatResponse> lasting(ensemble_, operation,
                                  Create2Request{.path = queue, .acl = replication::open_acl()});
    made = co_await lasting;
  }
  if (made || made.error().code == ErrorCode::node_exists) {
    co_return Done{};
  }
  if (made.error().code != ErrorCode::no_node) {
    co_return made.error();
  }
  co_return !made_top && made_top.error().code != ErrorCode::node_exists ? made_top.error()
  : made_middle                                                          ? made.error()
                                                                         : made_middle.error();
}

// --- waiting ---

Task<Outcome<std::optional<std::string>>> Locker::find_blocker(Operation& operation,
                                                               WantedLock wanted,
                                                               std::vector<std::string> names,
                                                               std::int64_t number) {
  const std::string queue = queue_for(wanted.path);
  auto before = locks::queue_in(names, wanted.key.family);
  while (!before.empty()) {
    const Contender contender = std::move(before.back());
    before.pop_back();
    const std::string path = in(queue, contender.name);
    if (contender.number >= number || !locks::are_in_conflict(wanted.mode, contender.mode) ||
        is_own(wanted.key, path)) {
      continue;
    }
    // As long as somebody wants to hear of it, nobody takes its watch back.
    Subscription kept(ensemble_.events(), path, [](const auto&) {});
    kept.renew();
    GetDataRequest request{.path = path, .watch = number != behind_all};
    Ask<GetDataResponse> question(ensemble_, operation, std::move(request));
    const auto found = co_await question;
    if (!found && found.error().code != ErrorCode::no_node) {
      co_return found.error();
    }
    if (found && locks::are_in_conflict(wanted.mode, mode_of(contender, *found))) {
      co_return std::optional(path);
    }
  }
  co_return std::optional<std::string>();
}

// What there is to wait for; ENOLINK if the place in the queue is gone.
Task<Outcome<std::optional<std::string>>> Locker::look_ahead(Operation& operation,
                                                             WantedLock wanted, Place place) {
  const std::string queue(replication::parent_of(place.path));
  const auto number = *locks::sequence_number(replication::name_of_path(place.path));
  Ask<StatResponse> still(ensemble_, operation, ExistsRequest{.path = place.path, .watch = true});
  Ask<GetChildren2Response> look(ensemble_, operation, GetChildren2Request{.path = queue});
  const auto is_there = co_await still;
  auto listed = co_await look;
  if (!is_there || !listed) {
    const Failure failure = is_there ? listed.error() : is_there.error();
    co_return failure.code == ErrorCode::no_node ? Failure::of(ENOLINK) : failure;
  }
  if (is_there->stat.czxid != place.czxid) {
    co_return Failure::of(ENOLINK);
  }
  co_return co_await find_blocker(operation, std::move(wanted), std::move(listed->children),
                                  number);
}

Task<Outcome<Locker::Turn>> Locker::await_turn(Operation& operation, WantedLock wanted,
                                               Place place) {
  Wake* waiting = nullptr;
  bool has_changed = false;
  const auto told = [&waiting, &has_changed](const auto&) {
    has_changed = true;
    if (waiting != nullptr) {
      waiting->ring();
    }
  };
  Subscription own(ensemble_.events(), place.path, told);
  std::optional<Subscription> blocking;
  for (;;) {
    own.renew();
    has_changed = false;
    if (ensemble_.client().state() != SessionState::expired) {
      if (is_over(place.session)) {
        co_return Turn::session_is_over;
      }
      const auto blocker = co_await look_ahead(operation, wanted, place);
      if (is_over(place.session) || (!blocker && is_passing(blocker.error()))) {
        continue;
      }
      if (!blocker || (*blocker && wanted.is_nonblocking)) {
        co_return blocker ? Failure::of(EAGAIN) : blocker.error();
      }
      if (!*blocker && !has_changed) {
        co_return Turn::has_come;
      }
      if (*blocker) {
        give_way(wanted.key);
        blocking.emplace(ensemble_.events(), **blocker, told);
        blocking->renew();
      }
    }
    if (!has_changed) {
      Wake wake(operation);
      waiting = &wake;
      const auto woken = co_await wake;
      waiting = nullptr;
      if (!woken) {
        co_return woken.error();
      }
    }
  }
}

Task<Outcome<std::optional<Obstacle>>> Locker::find_obstacle(Operation& operation,
                                                             WantedLock wanted) {
  const std::string queue = queue_for(wanted.path);
  Ask<GetChildren2Response> look(ensemble_, operation, GetChildren2Request{.path = queue});
  const auto listed = co_await look;
  if (!listed && listed.error().code != ErrorCode::no_node) {
    co_return listed.error();
  }
  std::vector<Contender> contenders;
  if (listed) {
    contenders = locks::queue_in(listed->children, wanted.key.family);
  }
  for (const auto& contender : contenders) {
    const std::string path = in(queue, contender.name);
    if (is_own(wanted.key, path) || !locks::are_in_conflict(wanted.mode, contender.mode)) {
      continue;
    }
    Ask<GetDataResponse> question(ensemble_, operation, GetDataRequest{.path = path});
    const auto found = co_await question;
    if (!found && found.error().code != ErrorCode::no_node) {
      co_return found.error();
    }
    if (found && locks::are_in_conflict(wanted.mode, mode_of(contender, *found))) {
      const std::string_view text = found->data ? replication::text_of(*found->data) : "";
      const auto description = locks::read_description(text, contender.mode);
      co_return std::optional(Obstacle{.mode = description.mode, .description = description});
    }
  }
  co_return std::optional<Obstacle>();
}

}  // namespace zabfs::fusefs
