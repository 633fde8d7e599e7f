#include "fusefs/cache/coherence.hpp"

#include <functional>
#include <utility>
#include <variant>

#include "replication/model/path.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::fusefs::cache {
namespace {

namespace limits = replication::limits;
using replication::ErrorCode;
using replication::Result;
using replication::protocol::EventType;
using replication::protocol::GetChildren2Response;
using replication::protocol::GetDataResponse;
using replication::protocol::OpCode;
using replication::protocol::RemoveWatchesRequest;
using replication::protocol::Request;
using replication::protocol::StatResponse;
using replication::protocol::WatcherType;

// The path that `request` watches, if it is one whose reply can be entered.
const std::string* path_entered_by(const Request& request) {
  if (const auto* exists = std::get_if<replication::protocol::ExistsRequest>(&request)) {
    return exists->watch ? &exists->path : nullptr;
  }
  if (const auto* get_data = std::get_if<replication::protocol::GetDataRequest>(&request)) {
    return get_data->watch ? &get_data->path : nullptr;
  }
  if (const auto* children = std::get_if<replication::protocol::GetChildren2Request>(&request)) {
    return children->watch ? &children->path : nullptr;
  }
  return nullptr;
}

}  // namespace

Underway::Underway(Coherence& coherence, const Request& request, bool is_seen)
    : coherence_(coherence), op_(op_of(request)) {
  if (const auto* path = path_entered_by(request)) {
    path_ = *path;
    started_ = ++coherence_.happened_;
    ++coherence_.reads_underway_;
  } else if (replication::protocol::is_write(op_)) {
    coherence_.forget_written(request);
    if (is_seen && coherence_.own_changes_.is_heard()) {
      changed_ = paths_changed_by(request);
      coherence_.own_changes_.begin(changed_);
    }
  }
}

void Underway::answered(const Result<client::Reply>& reply) {
  if (!path_.empty() && coherence_.is_guarded(path_, started_)) {
    coherence_.enter(op_, path_, reply);
    if (is_behind_write_) {
      coherence_.known_.mark_new_write(path_);
    }
  }
  if (reply) {
    coherence_.own_changes_.end(std::exchange(changed_, {}), reply->zxid);
  }
  end();
}

void Underway::write_answered() {
  const auto changed = coherence_.changed_.find(path_);
  const bool is_first_behind =
      changed == coherence_.changed_.end() || changed->second.last_own < started_;
  if (!path_.empty() && is_first_behind && started_ > coherence_.all_changed_) {
    started_ = ++coherence_.happened_;
    is_behind_write_ = true;
  }
}

void Underway::end() {
  coherence_.own_changes_.end(std::exchange(changed_, {}), std::nullopt);
  if (path_.empty()) {
    return;
  }
  path_.clear();
  if (--coherence_.reads_underway_ == 0) {
    coherence_.changed_.clear();
  }
}

void Coherence::use(client::Client& client) {
  client_ = &client;
  client.on_event([this](std::span<const client::WatchNotice> notices) { heard(notices); });
  forget_all();
  standing_.session_ended();
  events_.tell_all();
}

void Coherence::connection_lost() {
  forget_all();
  client_->keep_watches(
      [this](std::string_view path) { return events_.is_awaited(std::string(path)); });
  standing_.connection_lost();
}

void Coherence::watches_removed(const std::string& path) {
  note_change(path);
  forget_node(path);
  forget_children(path);
  events_.tell_nothing(path);
}

void Coherence::take_back_dropped() {
  for (const auto& path : known_.take_dropped()) {
    kernel_.node_changed(path);
    if (!events_.is_awaited(path) && !standing_.covers(path)) {
      note_change(path);  // What is being read of it is not watched either.
      client_->submit(
          RemoveWatchesRequest{.path = path, .type = static_cast<std::int32_t>(WatcherType::any)},
          [](const auto&) {});
    }
  }
}

void Coherence::forget_all() {
  kernel_.everything_changed();
  known_.forget_all();
  changed_.clear();
  all_changed_ = ++happened_;
}

void Coherence::used(std::string_view path) {
  const std::size_t hash = std::hash<std::string_view>{}(path);
  Use& use = recent_[hash % recent_.size()];
  use = {.hash = hash, .is_repeated = use.hash == hash, .is_new = true};
}

bool Coherence::is_worth_a_watch(std::string_view path) const {
  const std::size_t hash = std::hash<std::string_view>{}(path);
  const Use& use = recent_[hash % recent_.size()];
  return remembers_ && use.is_repeated && use.hash == hash &&
         client_->watches() < limits::cache_watches_max;
}

bool Coherence::is_worth_a_read_behind(std::string_view path) {
  const Known* known = known_.peek(path);
  if (known == nullptr || known->presence != Presence::present || !is_worth_a_watch(path)) {
    return false;
  }
  return std::exchange(recent_[std::hash<std::string_view>{}(path) % recent_.size()].is_new, false);
}

void Coherence::heard(std::span<const client::WatchNotice> notices) {
  for (const auto& notice : notices) {
    forget_changed(notice);
  }
  for (const auto& notice : notices) {
    events_.tell(notice);
    standing_.heard(notice);
  }
}

void Coherence::forget_changed(const client::WatchNotice& notice) {
  note_change(notice.path, Cause::event);
  if (notice.type != EventType::children_changed) {
    forget_node(notice.path);
  }
  if (notice.type == EventType::children_changed || notice.type == EventType::deleted) {
    forget_children(notice.path);
  }
  if (notice.type == EventType::created || notice.type == EventType::deleted) {
    // The event of the parent comes too, but whoever is told of this one may look before it.
    const std::string parent(replication::parent_of(notice.path));
    note_change(parent, Cause::event);
    forget_children(parent);
  }
}

void Coherence::forget_written(const Request& request) {
  if (const auto* multi = std::get_if<replication::protocol::MultiRequest>(&request)) {
    for (const auto& operation : multi->operations) {
      std::visit([this](const auto& one) { forget_path(one.path); }, operation);
    }
  } else if (const auto* set_data = std::get_if<replication::protocol::SetDataRequest>(&request)) {
    note_change(set_data->path);
    forget_node(set_data->path);
  } else {
    std::visit(
        [this](const auto& one) {
          if constexpr (requires { one.path; }) {
            forget_path(one.path);
          }
        },
        request);
  }
}

// Everything that a creation or a deletion of `path` changes.
void Coherence::forget_path(const std::string& path) {
  note_change(path);
  forget_node(path);
  forget_children(path);
  const std::string parent(replication::parent_of(path));
  note_change(parent);
  forget_children(parent);
}

void Coherence::forget_node(const std::string& path) {
  kernel_.node_changed(path);
  known_.forget_node(path);
}

// The first child makes a directory of a file, so what is known of the names is not enough.
void Coherence::forget_children(const std::string& path) {
  const Known* known = known_.peek(path);
  if (known != nullptr && known->presence == Presence::present && known->stat.cversion == 0) {
    kernel_.node_changed(path);
  } else {
    kernel_.children_changed(path);
  }
  known_.forget_children(path);
}

void Coherence::note_change(const std::string& path, Cause cause) {
  if (reads_underway_ == 0) {
    return;
  }
  if (changed_.size() >= limits::changes_remembered_max) {
    changed_.clear();
    all_changed_ = ++happened_;
  }
  Change& change = changed_[path];
  change.last = ++happened_;
  if (cause == Cause::own) {
    change.last_own = change.last;
  }
}

bool Coherence::is_guarded(const std::string& path, std::uint64_t started) const {
  const auto changed = changed_.find(path);
  return remembers_ && started > all_changed_ &&
         (changed == changed_.end() || started > changed->second.last);
}

void Coherence::enter(OpCode op, const std::string& path, const Result<client::Reply>& reply) {
  if (!reply) {
    // Only exists watches what is not there.
    if (op == OpCode::exists && reply.error() == ErrorCode::no_node) {
      known_.learn_absent(path);
    }
  } else if (const auto* exists = std::get_if<StatResponse>(&reply->body)) {
    known_.learn_stat(path, exists->stat);
  } else if (const auto* data = std::get_if<GetDataResponse>(&reply->body)) {
    known_.learn_value(path, data->data, data->stat);
  } else if (const auto* listing = std::get_if<GetChildren2Response>(&reply->body)) {
    known_.learn_children(path, listing->children, listing->stat);
  }
  take_back_dropped();
}

}  // namespace zabfs::fusefs::cache
