#include "tests/support/fake_ensemble.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <utility>

#include "replication/model/path.hpp"

namespace zabfs::test {

using namespace replication;            // NOLINT
using namespace replication::protocol;  // NOLINT
using fusefs::client::ReplyCallback;
using fusefs::client::RequestId;

namespace {

bool is_change(const Request& request) { return is_write(op_of(request)); }

std::string path_of(const Request& request) {
  return std::visit(
      [](const auto& r) -> std::string {
        if constexpr (requires { r.path; }) {
          return r.path;
        } else {
          return {};
        }
      },
      request);
}

}  // namespace

FakeEnsemble::FakeEnsemble() { tree_["/"] = {.data = Bytes{}, .acl = open_acl()}; }

RequestId FakeEnsemble::submit(Request request, ReplyCallback callback) {
  ++request_count_;
  if (is_change(request) && before_write_) {
    std::exchange(before_write_, {})();
  }
  const RequestId id{++last_id_};
  Outcome outcome = failure_ != ErrorCode::ok
                        ? Outcome(failure_)
                        : std::visit([this](const auto& r) { return apply(r); }, request);
  queue_events();
  Result<fusefs::client::Reply> reply =
      outcome ? Result<fusefs::client::Reply>({.body = std::move(*outcome), .zxid = {zxid_}})
              : outcome.error();
  std::optional<Request> read;
  if (!is_change(request)) {
    read = request;
  }
  waiting_.push_back({.id = id,
                      .read = std::move(read),
                      .path = path_of(request),
                      .reply = std::move(reply),
                      .callback = std::move(callback)});
  return id;
}

void FakeEnsemble::forget(RequestId id) {
  std::erase_if(waiting_,
                [&](const Waiting& waiting) { return !waiting.event && waiting.id == id; });
}

void FakeEnsemble::deliver() {
  for (;;) {
    const auto next = std::ranges::find_if(waiting_, [&](const Waiting& waiting) {
      return waiting.event || !held_.contains(waiting.path);
    });
    if (next == waiting_.end()) {
      return;
    }
    if (next->event) {
      const auto events = take_events(next);
      if (on_event_) {
        on_event_(events);
      }
      continue;
    }
    Waiting answered = std::move(*next);
    waiting_.erase(next);
    answered.callback(std::move(answered.reply));
  }
}

std::vector<fusefs::client::WatchNotice> FakeEnsemble::take_events(
    std::deque<Waiting>::iterator first) {
  std::vector<fusefs::client::WatchNotice> events;
  const auto end = std::find_if(first, waiting_.end(), [](const auto& one) { return !one.event; });
  for (auto at = first; at != end; ++at) {
    events.push_back(std::move(*at->event));
  }
  waiting_.erase(first, end);
  return events;
}

void FakeEnsemble::lose_connection() {
  watches_ = {};
  if (on_state_) {
    on_state_(fusefs::client::SessionState::connecting);
    on_state_(fusefs::client::SessionState::connected);
  }
}

void FakeEnsemble::lose_answers() {
  const auto kept = std::stable_partition(
      waiting_.begin(), waiting_.end(),
      [this](const Waiting& waiting) { return waiting.event || !held_.contains(waiting.path); });
  std::vector<Waiting> lost(std::make_move_iterator(kept), std::make_move_iterator(waiting_.end()));
  waiting_.erase(kept, waiting_.end());
  held_.clear();
  lose_connection();
  for (auto& waiting : lost) {
    if (waiting.read) {
      const Outcome again = std::visit([this](const auto& r) { return apply(r); }, *waiting.read);
      waiting.reply =
          again ? Result<fusefs::client::Reply>({.body = *again, .zxid = {zxid_}}) : again.error();
    } else {
      waiting.reply = ErrorCode::connection_loss;
    }
    waiting_.push_back(std::move(waiting));
  }
}

void FakeEnsemble::expire_session() {
  for (const auto& [path, znode] : Tree(tree_)) {
    if (znode.stat.ephemeral_owner == session_.value) {
      remove(path);
    }
  }
  ++session_.value;
  lose_connection();
}

void FakeEnsemble::fire(EventType type, const std::string& path) {
  std::size_t fired = 0;
  if (cut_off_at_) {
    return;
  }
  if (type != EventType::children_changed) {
    fired += watches_.node.erase(path);
  }
  if (type == EventType::children_changed || type == EventType::deleted) {
    fired += watches_.children.erase(path);
  }
  fired += watches_.standing.count(path);
  fired += type != EventType::children_changed && is_in_watched_subtree(path) ? 1U : 0U;
  if (fired > 0) {
    fired_.push_back({.type = type,
                      .path = path,
                      .zxid = hides_zxids_ ? std::nullopt : std::optional(Zxid{zxid_})});
  }
}

bool FakeEnsemble::is_in_watched_subtree(const std::string& path) const {
  return std::ranges::any_of(watches_.subtrees, [&](const std::string& top) {
    return path == top || top == "/" || path.starts_with(top + "/");
  });
}

void FakeEnsemble::keep_watches(const std::function<bool(std::string_view)>& is_needed) {
  std::erase_if(watches_.node, [&](const auto& path) { return !is_needed(path); });
  std::erase_if(watches_.children, [&](const auto& path) { return !is_needed(path); });
}

void FakeEnsemble::disconnect() {
  cut_off_at_ = zxid_;
  state_ = fusefs::client::SessionState::connecting;
  on_state_(state_);
}

void FakeEnsemble::reconnect() {
  const auto since = static_cast<std::int64_t>(*std::exchange(cut_off_at_, std::nullopt));
  for (const auto& path : std::set<std::string>(watches_.node)) {
    const Znode* znode = find(path);
    if (znode != nullptr && znode->stat.mzxid > since) {
      fire(znode->stat.czxid > since ? EventType::created : EventType::data_changed, path);
    }
  }
  queue_events();
  deliver();
  state_ = fusefs::client::SessionState::connected;
  on_state_(state_);
}

void FakeEnsemble::queue_events() {
  for (auto& event : std::exchange(fired_, {})) {
    waiting_.push_back({.reply = ErrorCode::ok, .event = std::move(event)});
  }
}

void FakeEnsemble::create(const std::string& path, Data data, std::int64_t owner) {
  static_cast<void>(add(path, data, open_acl(), owner));
  queue_events();
}

void FakeEnsemble::set(const std::string& path, const std::string& text) {
  const ByteView bytes = bytes_of(text);
  static_cast<void>(apply(SetDataRequest{.path = path, .data = Bytes(bytes.begin(), bytes.end())}));
  queue_events();
}

void FakeEnsemble::remove(const std::string& path) {
  static_cast<void>(apply(DeleteRequest{.path = path}));
  queue_events();
}

void FakeEnsemble::set_acl(const std::string& path, Acl acl) {
  static_cast<void>(apply(SetAclRequest{.path = path, .acl = std::move(acl)}));
}

const FakeEnsemble::Znode* FakeEnsemble::find(const std::string& path) const {
  const auto found = tree_.find(path);
  return found == tree_.end() ? nullptr : &found->second;
}

std::string FakeEnsemble::text(const std::string& path) const {
  const Znode* znode = find(path);
  if (znode == nullptr) {
    return "(none)";
  }
  return znode->data ? std::string(text_of(*znode->data)) : "(null)";
}

std::vector<std::string> FakeEnsemble::children_of(const std::string& path) const {
  std::vector<std::string> names;
  for (const auto& [other, znode] : tree_) {
    if (other != "/" && parent_of(other) == path) {
      names.emplace_back(name_of_path(other));
    }
  }
  return names;
}

Result<Stat> FakeEnsemble::add(const std::string& path, const Data& data, const Acl& acl,
                               std::int64_t owner) {
  const auto parent = tree_.find(std::string(parent_of(path)));
  if (parent == tree_.end()) {
    return ErrorCode::no_node;
  }
  if (tree_.contains(path)) {
    return ErrorCode::node_exists;
  }
  if (parent->second.stat.ephemeral_owner != 0) {
    return ErrorCode::no_children_for_ephemerals;
  }
  const auto zxid = static_cast<std::int64_t>(next_zxid());
  ++parent->second.creates;
  ++parent->second.stat.num_children;
  ++parent->second.stat.cversion;
  parent->second.stat.pzxid = zxid;
  Znode znode{.data = data, .acl = acl};
  znode.stat = {.czxid = zxid,
                .mzxid = zxid,
                .ctime = zxid * 1000,
                .mtime = zxid * 1000,
                .ephemeral_owner = owner,
                .data_length = data ? static_cast<std::int32_t>(data->size()) : 0,
                .pzxid = zxid};
  tree_.emplace(path, znode);
  fire(EventType::created, path);
  fire(EventType::children_changed, std::string(parent_of(path)));
  return znode.stat;
}

std::string FakeEnsemble::path_for(const std::string& path, std::int32_t flags) const {
  const auto parent = tree_.find(std::string(parent_of(path)));
  if ((flags & 2) == 0 || parent == tree_.end()) {
    return path;
  }
  std::array<char, 12> digits{};
  std::snprintf(digits.data(), digits.size(), "%010d", parent->second.creates);
  return path + digits.data();
}

FakeEnsemble::Outcome FakeEnsemble::apply(const CreateRequest& request) {
  const std::string path = path_for(request.path, request.flags);
  const auto added =
      add(path, request.data, request.acl, (request.flags & 1) != 0 ? session().value : 0);
  return added ? Outcome(PathResponse{path}) : added.error();
}

FakeEnsemble::Outcome FakeEnsemble::apply(const Create2Request& request) {
  const std::string path = path_for(request.path, request.flags);
  const auto added =
      add(path, request.data, request.acl, (request.flags & 1) != 0 ? session().value : 0);
  return added ? Outcome(PathStatResponse{path, *added}) : added.error();
}

FakeEnsemble::Outcome FakeEnsemble::apply(const CreateContainerRequest& request) {
  const auto added = add(request.path, request.data, request.acl, 0);
  if (added) {
    tree_.at(request.path).is_container = true;
  }
  return added ? Outcome(PathStatResponse{request.path, *added}) : added.error();
}

FakeEnsemble::Outcome FakeEnsemble::apply(const CreateTtlRequest& request) {
  const auto added = add(request.path, request.data, request.acl, 0);
  if (added) {
    tree_.at(request.path).ttl_ms = request.ttl_ms;
  }
  return added ? Outcome(PathStatResponse{request.path, *added}) : added.error();
}

FakeEnsemble::Outcome FakeEnsemble::apply(const DeleteRequest& request) {
  const auto found = tree_.find(request.path);
  if (found == tree_.end()) {
    return ErrorCode::no_node;
  }
  if (request.version != -1 && request.version != found->second.stat.version) {
    return ErrorCode::bad_version;
  }
  if (found->second.stat.num_children > 0) {
    return ErrorCode::not_empty;
  }
  Stat& parent = tree_.at(std::string(parent_of(request.path))).stat;
  --parent.num_children;
  ++parent.cversion;
  parent.pzxid = static_cast<std::int64_t>(next_zxid());
  tree_.erase(found);
  fire(EventType::deleted, request.path);
  fire(EventType::children_changed, std::string(parent_of(request.path)));
  return Outcome(EmptyResponse{});
}

FakeEnsemble::Outcome FakeEnsemble::apply(const SetDataRequest& request) {
  const auto found = tree_.find(request.path);
  if (found == tree_.end()) {
    return ErrorCode::no_node;
  }
  Stat& stat = found->second.stat;
  if (request.version != -1 && request.version != stat.version) {
    return ErrorCode::bad_version;
  }
  found->second.data = request.data;
  ++stat.version;
  stat.mzxid = static_cast<std::int64_t>(next_zxid());
  stat.mtime = stat.mzxid * 1000;
  stat.data_length = request.data ? static_cast<std::int32_t>(request.data->size()) : 0;
  fire(EventType::data_changed, request.path);
  return Outcome(StatResponse{stat});
}

FakeEnsemble::Outcome FakeEnsemble::apply(const CheckRequest& request) {
  const Znode* znode = find(request.path);
  if (znode == nullptr) {
    return ErrorCode::no_node;
  }
  return request.version == znode->stat.version ? Outcome(EmptyResponse{}) : ErrorCode::bad_version;
}

FakeEnsemble::Outcome FakeEnsemble::apply(const ExistsRequest& request) {
  const Znode* znode = find(request.path);
  if (request.watch) {
    watches_.node.insert(request.path);
  }
  return znode == nullptr ? Outcome(ErrorCode::no_node) : Outcome(StatResponse{znode->stat});
}

FakeEnsemble::Outcome FakeEnsemble::apply(const GetDataRequest& request) {
  const Znode* znode = find(request.path);
  if (request.watch && znode != nullptr) {
    watches_.node.insert(request.path);
  }
  return znode == nullptr ? Outcome(ErrorCode::no_node)
                          : Outcome(GetDataResponse{znode->data, znode->stat});
}

FakeEnsemble::Outcome FakeEnsemble::apply(const GetAclRequest& request) {
  const Znode* znode = find(request.path);
  return znode == nullptr ? Outcome(ErrorCode::no_node)
                          : Outcome(GetAclResponse{znode->acl, znode->stat});
}

FakeEnsemble::Outcome FakeEnsemble::apply(const SetAclRequest& request) {
  const auto found = tree_.find(request.path);
  if (found == tree_.end()) {
    return ErrorCode::no_node;
  }
  Stat& stat = found->second.stat;
  if (request.version != -1 && request.version != stat.aversion) {
    return ErrorCode::bad_version;
  }
  found->second.acl = request.acl;
  ++stat.aversion;
  next_zxid();
  return Outcome(StatResponse{stat});
}

FakeEnsemble::Outcome FakeEnsemble::apply(const AddWatchRequest& request) {
  if (!has_standing_watches_) {
    return ErrorCode::unimplemented;
  }
  (AddWatchMode{request.mode} == AddWatchMode::persistent ? watches_.standing : watches_.subtrees)
      .insert(request.path);
  return Outcome(ErrorResponse{});
}

FakeEnsemble::Outcome FakeEnsemble::apply(const RemoveWatchesRequest& request) {
  std::size_t removed = 0;
  for (auto* paths : {&watches_.node, &watches_.children, &watches_.standing, &watches_.subtrees}) {
    removed += paths->erase(request.path);
  }
  return removed > 0 ? Outcome(EmptyResponse{}) : ErrorCode::no_watcher;
}

FakeEnsemble::Outcome FakeEnsemble::apply(const SyncRequest& request) {
  return Outcome(PathResponse{request.path});
}

FakeEnsemble::Outcome FakeEnsemble::apply(const GetChildrenRequest& request) {
  return find(request.path) == nullptr ? Outcome(ErrorCode::no_node)
                                       : Outcome(GetChildrenResponse{children_of(request.path)});
}

FakeEnsemble::Outcome FakeEnsemble::apply(const GetChildren2Request& request) {
  const Znode* znode = find(request.path);
  if (request.watch && znode != nullptr) {
    watches_.children.insert(request.path);
  }
  return znode == nullptr ? Outcome(ErrorCode::no_node)
                          : Outcome(GetChildren2Response{children_of(request.path), znode->stat});
}

std::uint64_t FakeEnsemble::next_zxid() { return is_in_transaction_ ? zxid_ : ++zxid_; }

FakeEnsemble::Outcome FakeEnsemble::apply(const MultiRequest& request) {
  const Tree before = tree_;
  const Watches watches_before = watches_;
  MultiResponse response;
  bool has_failed = false;
  ++zxid_;
  is_in_transaction_ = true;
  for (const auto& operation : request.operations) {
    const OpCode op = std::visit([](const auto& o) { return o.op; }, operation);
    const Outcome outcome = has_failed
                                ? Outcome(ErrorCode::runtime_inconsistency)
                                : std::visit([this](const auto& o) { return apply(o); }, operation);
    MultiResult result{.op = op};
    if (!outcome) {
      has_failed = true;
      result.body = MultiError{outcome.error()};
    } else if (const auto* created = std::get_if<PathStatResponse>(&*outcome)) {
      result.body = *created;
    } else if (const auto* path = std::get_if<PathResponse>(&*outcome)) {
      result.body = *path;
    } else if (const auto* stat = std::get_if<StatResponse>(&*outcome)) {
      result.body = *stat;
    }
    response.results.push_back(result);
  }
  is_in_transaction_ = false;
  if (has_failed) {
    tree_ = before;
    watches_ = watches_before;
    fired_.clear();
  }
  return Outcome(response);
}

}  // namespace zabfs::test
