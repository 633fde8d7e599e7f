#include "fusefs/cache/standing_watch.hpp"

#include <optional>

#include "fusefs/cache/coherence.hpp"
#include "replication/model/path.hpp"

namespace zabfs::fusefs::cache {

using client::WatchNotice;
using replication::ErrorCode;
using replication::protocol::AddWatchMode;
using replication::protocol::AddWatchRequest;
using replication::protocol::EventType;
using replication::protocol::RemoveWatchesRequest;
using replication::protocol::Request;
using replication::protocol::WatcherType;
using Kind = StandingNews::Kind;

namespace {

Request request_for(const std::string& path, Scope scope) {
  const auto mode =
      scope == Scope::znode ? AddWatchMode::persistent : AddWatchMode::persistent_recursive;
  return AddWatchRequest{.path = path, .mode = static_cast<std::int32_t>(mode)};
}

bool is_passing(ErrorCode code) {
  return code == ErrorCode::connection_loss || code == ErrorCode::operation_timeout ||
         code == ErrorCode::session_expired || code == ErrorCode::throttled_op;
}

// `path`, then what it is below, up to the root; nothing behind that.
std::string_view above(std::string_view path) {
  return path == "/" ? std::string_view{} : replication::parent_of(path);
}

}  // namespace

// --- who needs which ---

StandingWatches::Number StandingWatches::add(StandingWatch& watch) {
  const Number number = ++last_;
  const Key key{watch.path_, watch.scope_};
  watches_.emplace(number, &watch);
  Entry& entry = entries_[key];
  entry.users.insert(number);
  to_be_taken_back_.erase(watch.path_);
  if (!entry.is_set && !entry.is_asked && !entry.is_refused) {
    ask(key);
  }
  return number;
}

void StandingWatches::remove(StandingWatch& watch) {
  watches_.erase(watch.number_);
  const auto found = entries_.find({watch.path_, watch.scope_});
  found->second.users.erase(watch.number_);
  if (!found->second.users.empty()) {
    return;
  }
  const bool is_at_server = found->second.is_set || found->second.is_asked;
  entries_.erase(found);
  if (is_at_server) {
    take_back(watch.path_);
  }
}

bool StandingWatches::covers(const std::string& path) const {
  return entries_.contains({path, Scope::znode}) || entries_.contains({path, Scope::subtree});
}

// --- what the ensemble is asked ---

void StandingWatches::submit(Request request, std::function<void(ErrorCode)> answered) {
  client_ = &ensemble_.client();
  const Number number = ++last_;
  requests_[number] = client_->submit(
      std::move(request), [this, number, answered = std::move(answered)](const auto& outcome) {
        requests_.erase(number);
        answered(outcome ? ErrorCode::ok : outcome.error());
      });
}

void StandingWatches::forget_requests() {
  for (const auto& [number, id] : std::exchange(requests_, {})) {
    client_->forget(id);
  }
}

void StandingWatches::ask(const Key& key) {
  entries_.at(key).is_asked = true;
  submit(request_for(key.first, key.second),
         [this, key](ErrorCode outcome) { on_answer(key, outcome); });
}

void StandingWatches::on_answer(const Key& key, ErrorCode outcome) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return;  // It is being taken back.
  }
  Entry& entry = found->second;
  entry.is_asked = false;
  const bool was_set = entry.is_set;
  if (outcome == ErrorCode::ok) {
    entry.is_set = true;
    if (!was_set) {
      tell(entry.users, {.kind = Kind::set});
    }
  } else if (!is_passing(outcome)) {
    entry.is_set = false;
    entry.is_refused = true;
    tell(entry.users, {.kind = Kind::refused, .error = outcome});
  }
}

// One request takes all kinds away: servers before 3.9 know no other way. So what else was watched
// of the path is forgotten, or set again.
void StandingWatches::take_back(const std::string& path) {
  to_be_taken_back_.insert(path);
  submit(RemoveWatchesRequest{.path = path, .type = static_cast<std::int32_t>(WatcherType::any)},
         [this, path](ErrorCode outcome) {
           if (!is_passing(outcome)) {
             to_be_taken_back_.erase(path);
           }
         });
  ensemble_.watches_removed(path);
  sent_one_shot(path);
}

void StandingWatches::sent_one_shot(const std::string& path) {
  for (const Scope scope : {Scope::znode, Scope::subtree}) {
    const auto found = entries_.find({path, scope});
    if (found != entries_.end() && !found->second.is_refused) {
      ask(found->first);
    }
  }
}

// --- what is heard ---

void StandingWatches::heard(const WatchNotice& notice) {
  if (entries_.empty()) {
    return;
  }
  const bool is_of_children = notice.type == EventType::children_changed;
  std::set<Number> users;
  const auto collect = [&](const std::string& path, Scope scope) {
    if (const auto found = entries_.find({path, scope}); found != entries_.end()) {
      users.insert(found->second.users.begin(), found->second.users.end());
    }
  };
  collect(notice.path, Scope::znode);
  for (std::string_view path = notice.path; !is_of_children && !path.empty(); path = above(path)) {
    collect(std::string(path), Scope::subtree);
  }
  const bool is_old_server = !notice.zxid;
  if (is_old_server) {
    sent_one_shot(notice.path);
  }
  const bool comes_or_goes = notice.type == EventType::created || notice.type == EventType::deleted;
  const std::string parent(above(notice.path));
  const bool suppressed_children =
      is_old_server && comes_or_goes && entries_.contains({parent, Scope::subtree});
  tell(users, {.kind = Kind::event, .notice = &notice});
  if (suppressed_children) {
    const WatchNotice suppressed{.type = EventType::children_changed, .path = parent};
    ensemble_.heard({&suppressed, 1});
  }
}

void StandingWatches::connection_lost() { tell_all(Kind::disconnected); }

void StandingWatches::connected() {
  for (auto& [key, entry] : entries_) {
    if (!entry.is_set && !entry.is_asked && !entry.is_refused) {
      ask(key);
    }
  }
  for (const auto& path : std::set<std::string>(to_be_taken_back_)) {
    if (!covers(path)) {
      take_back(path);
    }
  }
  tell_all(Kind::connected);
}

void StandingWatches::session_ended() {
  forget_requests();
  to_be_taken_back_.clear();
  for (auto& [key, entry] : entries_) {
    entry.is_set = entry.is_refused = false;
    ask(key);
  }
  tell_all(Kind::expired);
}

void StandingWatches::tell(const std::set<Number>& users, const StandingNews& news) {
  const std::vector<Number> numbers(users.begin(), users.end());
  for (const Number number : numbers) {
    if (const auto found = watches_.find(number); found != watches_.end()) {
      const auto listener = found->second->listener_;  // The watch may end in the call.
      listener(news);
    }
  }
}

void StandingWatches::tell_all(Kind kind) {
  std::set<Number> users;
  for (const auto& [number, watch] : watches_) {
    users.insert(number);
  }
  tell(users, {.kind = kind});
}

// --- one watch ---

StandingWatch::StandingWatch(Coherence& ensemble, std::string path, Scope scope, Listener listener)
    : all_(ensemble.standing()),
      path_(std::move(path)),
      scope_(scope),
      listener_(std::move(listener)),
      number_(all_.add(*this)) {}

StandingWatch::~StandingWatch() { all_.remove(*this); }

bool StandingWatch::is_set() const {
  const auto found = all_.entries_.find({path_, scope_});
  return found != all_.entries_.end() && found->second.is_set;
}

bool StandingWatch::is_refused() const {
  const auto found = all_.entries_.find({path_, scope_});
  return found != all_.entries_.end() && found->second.is_refused;
}

}  // namespace zabfs::fusefs::cache
