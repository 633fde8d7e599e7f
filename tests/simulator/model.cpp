#include "tests/simulator/model.hpp"

#include <algorithm>
#include <cstdio>
#include <type_traits>
#include <variant>

#include "replication/model/create_mode.hpp"

namespace zabfs::test {

using namespace replication;
using namespace replication::protocol;

namespace {

std::string parent_path(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_version(std::int32_t wanted, std::int32_t present) {
  return wanted == -1 || wanted == present;
}

}  // namespace

Model::Model() {
  for (const char* path : {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"}) {
    put(path, {}, Znode{.data = Bytes{}});
  }
  versions_["/"].back().second->stat.num_children = 1;
  versions_["/"].back().second->stat.cversion = -1;
  versions_["/zookeeper"].back().second->stat.num_children = 2;
  versions_["/zookeeper"].back().second->stat.cversion = -2;
  versions_["/zookeeper/config"].back().second->stat.aversion = -1;
}

void Model::forget_after(Zxid last) {
  for (auto& [path, versions] : versions_) {
    while (!versions.empty() && versions.back().first > last) {
      versions.pop_back();
    }
  }
  std::erase_if(versions_, [](const auto& entry) { return entry.second.empty(); });
  std::erase_if(sessions_, [last](const Session& session) { return session.opened > last; });
  for (Session& session : sessions_) {
    session.closed = session.closed > last ? Zxid{} : session.closed;
  }
  head_ = last;
}

void Model::forget_before_head() {
  for (auto& [path, versions] : versions_) {
    versions.erase(versions.begin(), versions.end() - 1);
  }
  std::erase_if(versions_, [](const auto& entry) { return !entry.second.front().second; });
  std::erase_if(sessions_, [](const Session& session) { return session.closed != Zxid{}; });
}

Model::Outcome Model::decide(const Request& request, SessionId session, std::int64_t time_ms) {
  const Moment moment{.zxid = next(), .session = session, .time_ms = time_ms};
  if (const auto* multi = std::get_if<MultiRequest>(&request)) {
    return decide_multi(*multi, moment);
  }
  const Decision decision =
      std::visit([&](const auto& one) { return decide_one(one, moment); }, request);
  if (decision.error != ErrorCode::ok) {
    return {.error = decision.error};
  }
  head_ = moment.zxid;
  return {.zxid = moment.zxid,
          .body = std::visit(
              [](const auto& body) -> Response {
                if constexpr (std::is_same_v<std::decay_t<decltype(body)>, MultiError>) {
                  return EmptyResponse{};
                } else {
                  return body;
                }
              },
              decision.result.body)};
}

Model::Outcome Model::decide_multi(const MultiRequest& request, const Moment& moment) {
  MultiResponse response;
  for (const MultiOperation& operation : request.operations) {
    const Decision decision =
        std::visit([&](const auto& one) { return decide_one(one, moment); }, operation);
    if (decision.error == ErrorCode::ok) {
      response.results.push_back(decision.result);
      continue;
    }
    forget_after(head_);
    const std::size_t failed = response.results.size();
    response.results.clear();
    for (std::size_t i = 0; i < request.operations.size(); ++i) {
      const ErrorCode error = i < failed    ? ErrorCode::ok
                              : i == failed ? decision.error
                                            : ErrorCode::runtime_inconsistency;
      response.results.push_back({.op = OpCode::error, .body = MultiError{error}});
    }
    return {.body = response};
  }
  head_ = moment.zxid;
  return {.zxid = moment.zxid, .body = response};
}

Zxid Model::open_session(std::int32_t timeout_ms) {
  head_ = next();
  sessions_.push_back({.timeout_ms = timeout_ms, .opened = head_});
  return head_;
}

Zxid Model::close_session(SessionId session) {
  const Zxid zxid = next();
  for (const auto& [path, znode] : znodes()) {
    if (znode->stat.ephemeral_owner == session.value) {
      remove(path, zxid);
    }
  }
  open_session_of(session)->closed = zxid;
  head_ = zxid;
  return zxid;
}

std::optional<Response> Model::read(const Request& request, Zxid at) const {
  if (const auto* exists = std::get_if<ExistsRequest>(&request)) {
    const Znode* znode = find(exists->path, at);
    return znode == nullptr ? std::nullopt
                            : std::optional<Response>(StatResponse{.stat = znode->stat});
  }
  if (const auto* get = std::get_if<GetDataRequest>(&request)) {
    const Znode* znode = find(get->path, at);
    return znode == nullptr
               ? std::nullopt
               : std::optional<Response>(GetDataResponse{.data = znode->data, .stat = znode->stat});
  }
  const auto& list = std::get<GetChildren2Request>(request);
  const Znode* znode = find(list.path, at);
  return znode == nullptr ? std::nullopt
                          : std::optional<Response>(GetChildren2Response{
                                .children = children_of(list.path, at), .stat = znode->stat});
}

std::map<std::string, const Model::Znode*> Model::znodes() const {
  std::map<std::string, const Znode*> present;
  for (const auto& [path, versions] : versions_) {
    if (versions.back().second) {
      present[path] = &*versions.back().second;
    }
  }
  return present;
}

std::string Model::path_after(const std::string& path) const {
  for (auto it = versions_.upper_bound(path); it != versions_.end(); ++it) {
    if (it->second.back().second) {
      return it->first;
    }
  }
  return "/";
}

Model::Session* Model::open_session_of(SessionId id) {
  const auto found = std::ranges::find_if(sessions_, [id](const Session& session) {
    return session.id == id && session.closed == Zxid{};
  });
  return found == sessions_.end() ? nullptr : &*found;
}

Zxid Model::next() const {
  return head_.epoch() == epoch_ ? Zxid{head_.value + 1} : Zxid::at(epoch_, 1);
}

const Model::Znode* Model::find(const std::string& path, Zxid at) const {
  const auto found = versions_.find(path);
  if (found == versions_.end()) {
    return nullptr;
  }
  for (auto version = found->second.rbegin(); version != found->second.rend(); ++version) {
    if (version->first <= at) {
      return version->second ? &*version->second : nullptr;
    }
  }
  return nullptr;
}

std::vector<std::string> Model::children_of(const std::string& path, Zxid at) const {
  const std::string prefix = path == "/" ? path : path + '/';
  std::vector<std::string> names;
  for (auto it = versions_.lower_bound(prefix);
       it != versions_.end() && it->first.starts_with(prefix); ++it) {
    const std::string name = it->first.substr(prefix.size());
    if (!name.empty() && name.find('/') == std::string::npos && find(it->first, at) != nullptr) {
      names.push_back(name);
    }
  }
  return names;
}

void Model::put(const std::string& path, Zxid zxid, std::optional<Znode> znode) {
  auto& versions = versions_[path];
  if (!versions.empty() && versions.back().first == zxid) {
    versions.back().second = std::move(znode);
  } else {
    versions.emplace_back(zxid, std::move(znode));
  }
}

void Model::count_child(const std::string& parent, Zxid zxid, int created, int deleted) {
  Znode znode = *find(parent, zxid);
  znode.creates += created;
  znode.stat.num_children += created - deleted;
  znode.stat.cversion += created + deleted;
  znode.stat.pzxid = zxid.wire();
  put(parent, zxid, std::move(znode));
}

void Model::remove(const std::string& path, Zxid zxid) {
  put(path, zxid, std::nullopt);
  count_child(parent_path(path), zxid, 0, 1);
}

template <class Create>
Model::Decision Model::create(const Create& request, const Moment& moment) {
  const Znode* parent = find(parent_path(request.path), moment.zxid);
  if (parent == nullptr) {
    return {.error = ErrorCode::no_node};
  }
  constexpr bool is_plain =
      std::is_same_v<Create, CreateRequest> || std::is_same_v<Create, Create2Request>;
  const bool is_sequential =
      is_plain ? (request.flags & 2) != 0 : request.flags == sequential_ttl_flags;
  const bool is_ephemeral = is_plain && (request.flags & 1) != 0;
  std::string path = request.path;
  if (is_sequential) {
    char digits[11];
    std::snprintf(digits, sizeof(digits), "%010d", parent->creates);
    path += digits;
  }
  if (find(path, moment.zxid) != nullptr) {
    return {.error = ErrorCode::node_exists};
  }
  if (parent->stat.ephemeral_owner != 0) {
    return {.error = ErrorCode::no_children_for_ephemerals};
  }
  const std::int64_t zxid = moment.zxid.wire();
  const auto length = request.data ? static_cast<std::int32_t>(request.data->size()) : 0;
  const Stat stat{.czxid = zxid,
                  .mzxid = zxid,
                  .ctime = moment.time_ms,
                  .mtime = moment.time_ms,
                  .ephemeral_owner = is_ephemeral ? moment.session.value : 0,
                  .data_length = length,
                  .pzxid = zxid};
  put(path, moment.zxid, Znode{.data = request.data, .stat = stat});
  count_child(parent_path(path), moment.zxid, 1, 0);
  if constexpr (std::is_same_v<Create, CreateRequest>) {
    return {.result = {.op = Create::op, .body = PathResponse{.path = path}}};
  } else {
    return {
        .result = {.op = OpCode::create2, .body = PathStatResponse{.path = path, .stat = stat}}};
  }
}

Model::Decision Model::decide_one(const CreateRequest& request, const Moment& moment) {
  return create(request, moment);
}

Model::Decision Model::decide_one(const Create2Request& request, const Moment& moment) {
  return create(request, moment);
}

Model::Decision Model::decide_one(const CreateContainerRequest& request, const Moment& moment) {
  return create(request, moment);
}

Model::Decision Model::decide_one(const CreateTtlRequest& request, const Moment& moment) {
  return create(request, moment);
}

Model::Decision Model::decide_one(const SetAclRequest& request, const Moment& moment) {
  const Znode* present = find(request.path, moment.zxid);
  if (present == nullptr) {
    return {.error = ErrorCode::no_node};
  }
  if (!is_version(request.version, present->stat.aversion)) {
    return {.error = ErrorCode::bad_version};
  }
  Znode znode = *present;
  znode.stat.aversion += 1;
  const Stat stat = znode.stat;
  put(request.path, moment.zxid, std::move(znode));
  return {.result = {.op = OpCode::set_acl, .body = StatResponse{.stat = stat}}};
}

Model::Decision Model::decide_one(const DeleteRequest& request, const Moment& moment) {
  const Znode* znode = find(request.path, moment.zxid);
  if (znode == nullptr) {
    return {.error = ErrorCode::no_node};
  }
  if (!is_version(request.version, znode->stat.version)) {
    return {.error = ErrorCode::bad_version};
  }
  if (znode->stat.num_children != 0) {
    return {.error = ErrorCode::not_empty};
  }
  remove(request.path, moment.zxid);
  return {.result = {.op = OpCode::remove, .body = EmptyResponse{}}};
}

Model::Decision Model::decide_one(const SetDataRequest& request, const Moment& moment) {
  const Znode* present = find(request.path, moment.zxid);
  if (present == nullptr) {
    return {.error = ErrorCode::no_node};
  }
  if (!is_version(request.version, present->stat.version)) {
    return {.error = ErrorCode::bad_version};
  }
  Znode znode = *present;
  znode.data = request.data;
  znode.stat.data_length = request.data ? static_cast<std::int32_t>(request.data->size()) : 0;
  znode.stat.version += 1;
  znode.stat.mzxid = moment.zxid.wire();
  znode.stat.mtime = moment.time_ms;
  const Stat stat = znode.stat;
  put(request.path, moment.zxid, std::move(znode));
  return {.result = {.op = OpCode::set_data, .body = StatResponse{.stat = stat}}};
}

Model::Decision Model::decide_one(const CheckRequest& request, const Moment& moment) {
  const Znode* znode = find(request.path, moment.zxid);
  if (znode == nullptr) {
    return {.error = ErrorCode::no_node};
  }
  if (!is_version(request.version, znode->stat.version)) {
    return {.error = ErrorCode::bad_version};
  }
  return {.result = {.op = OpCode::check, .body = EmptyResponse{}}};
}

}  // namespace zabfs::test
