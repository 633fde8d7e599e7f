#include "replication/pipeline/execute.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/limits.hpp"
#include "replication/model/path.hpp"
#include "replication/pipeline/access.hpp"
#include "replication/pipeline/watching.hpp"
#include "replication/protocol/codec.hpp"
#include "replication/protocol/frame.hpp"

namespace zabfs::replication::pipeline {
namespace {

using protocol::ReplyHeader;
using tree::WatchKind;

ReplyHeader ok_header(std::int32_t xid, std::int64_t zxid) { return {.xid = xid, .zxid = zxid}; }

// user:digest becomes user:x.
void mask_digests(Acl& acl) {
  for (AclEntry& entry : acl) {
    std::string& id = entry.identity.id;
    if (const auto colon = id.find(':');
        entry.identity.scheme == "digest" && colon != std::string::npos) {
      id.replace(colon, std::string::npos, ":x");
    }
  }
}

// One request, answered. Overloads return the error to reply with, or ok if they appended a reply.
class Answer {
 public:
  Answer(const tree::DataTree& tree, tree::WatchTable& watches, std::string_view ensemble,
         ConnectionId connection, SessionId session, IdentitiesView identities, std::int32_t xid,
         Bytes& out)
      : tree_(tree),
        watches_(watches),
        ensemble_(ensemble),
        connection_(connection),
        session_(session),
        identities_(identities),
        xid_(xid),
        out_(out) {}

  // A watch is set on what is absent too: it fires when that is created.
  ErrorCode operator()(const protocol::ExistsRequest& r) {
    if (r.path.find('\0') != std::string::npos) {
      return ErrorCode::bad_arguments;
    }
    const tree::Node* node = tree_.find(r.path);
    if (node != nullptr && !is_allowed(tree_.acl_of(*node), permission::read, identities_)) {
      return ErrorCode::no_auth;
    }
    if (!watch(r.watch, WatchKind::data, r.path)) {
      return too_many_watches;
    }
    if (node == nullptr) {
      return ErrorCode::no_node;
    }
    return reply(protocol::StatResponse{.stat = stat_of(r.path, *node)});
  }

  // The data goes from the tree into the outbox without a stop in between.
  ErrorCode operator()(const protocol::GetDataRequest& r) {
    const auto node = readable(r.path);
    if (!node) {
      return node.error();
    }
    if (!watch(r.watch, WatchKind::data, r.path)) {
      return too_many_watches;
    }
    const protocol::FrameWriter frame(out_);
    jute::JuteWriter writer(out_);
    writer(header());
    if (const auto data = data_of(r.path, **node)) {
      writer.counted(data->data(), data->size());
    } else {
      writer.integer(std::int32_t{-1});
    }
    writer(stat_of(r.path, **node));
    return ErrorCode::ok;
  }

  ErrorCode operator()(const protocol::GetChildrenRequest& r) { return children(r, false); }
  ErrorCode operator()(const protocol::GetChildren2Request& r) { return children(r, true); }

  // Who may not set the ACL does not see the digests of passwords either.
  ErrorCode operator()(const protocol::GetAclRequest& r) {
    const tree::Node* node = tree_.find(r.path);
    if (node == nullptr) {
      return ErrorCode::no_node;
    }
    const Acl& acl = tree_.acl_of(*node);
    if (!is_allowed(acl, permission::read | permission::admin, identities_)) {
      return ErrorCode::no_auth;
    }
    protocol::GetAclResponse response{.acl = acl, .stat = stat_of(r.path, *node)};
    if (!is_allowed(acl, permission::admin, identities_)) {
      mask_digests(response.acl);
    }
    return reply(std::move(response));
  }

  ErrorCode operator()(const protocol::GetEphemeralsRequest& r) {
    protocol::GetEphemeralsResponse response{.paths = tree_.ephemerals_of(session_)};
    std::erase_if(response.paths,
                  [&r](const std::string& path) { return !path.starts_with(r.prefix); });
    return reply(std::move(response));
  }

  ErrorCode operator()(const protocol::GetAllChildrenNumberRequest& r) {
    const auto node = readable(r.path);
    if (!node) {
      return node.error();
    }
    return reply(protocol::GetAllChildrenNumberResponse{
        .number = static_cast<std::int32_t>((*node)->descendants)});
  }

  // Writes are refused with the body of a list that is empty (WIRE, section 12).
  ErrorCode operator()(const protocol::MultiReadRequest& r) {
    if (!r.writes.empty()) {
      ReplyHeader refused = header();
      refused.error = static_cast<std::int32_t>(ErrorCode::marshalling_error);
      protocol::append_reply(out_, refused, protocol::MultiResponse{});
      return ErrorCode::ok;
    }
    protocol::MultiResponse response;
    std::size_t bytes = 0;
    for (const auto& operation : r.operations) {
      response.results.push_back(
          std::visit([&](const auto& read) { return result_of(read, bytes); }, operation));
    }
    return reply(std::move(response));
  }

  ErrorCode operator()(const protocol::SyncRequest& r) {
    return reply(protocol::PathResponse{.path = r.path});
  }

  // What a server without SASL says: no further step is needed.
  ErrorCode operator()(const protocol::SaslRequest&) { return reply(protocol::SaslResponse{}); }

  ErrorCode operator()(const protocol::PingRequest&) { return reply(protocol::EmptyResponse{}); }

  // What was shown has been judged already.
  ErrorCode operator()(const protocol::AuthRequest&) {
    protocol::append_reply(out_, {.xid = xid_});
    return ErrorCode::ok;
  }

  // Of a digest the user alone: what is behind it opens the znodes of whoever can guess from it.
  ErrorCode operator()(const protocol::WhoAmIRequest&) {
    protocol::WhoAmIResponse response{.identities = {identities_.begin(), identities_.end()}};
    for (Identity& identity : response.identities) {
      identity.id = user_of(identity);
    }
    return reply(response);
  }

  ErrorCode operator()(const protocol::SetWatchesRequest& r) {
    return reply_if(watching().set(r, out_));
  }
  ErrorCode operator()(const protocol::SetWatches2Request& r) {
    return reply_if(watching().set(r, out_));
  }
  ErrorCode operator()(const protocol::AddWatchRequest& r) {
    return reply_if(watching().add(r), protocol::ErrorResponse{});
  }
  ErrorCode operator()(const protocol::CheckWatchesRequest& r) {
    return reply_if(watching().check(r));
  }
  ErrorCode operator()(const protocol::RemoveWatchesRequest& r) {
    return reply_if(watching().remove(r));
  }

  // The configuration that it was changed to, or a later one. Who may change it may read it.
  ErrorCode operator()(const protocol::ReconfigRequest&) {
    const tree::Node* node = tree_.find(tree::SetEnsemble::path);
    if (node == nullptr) {
      return ErrorCode::no_node;
    }
    protocol::GetDataResponse response{.stat = tree_.stat_of(*node)};
    if (const auto data = tree_.data_of(*node)) {
      response.data.emplace(data->begin(), data->end());
    }
    return reply(std::move(response));
  }

  // Writes and the end of a session never come here.
  template <class Other>
  ErrorCode operator()(const Other&) {
    return ErrorCode::unimplemented;
  }

 private:
  ReplyHeader header() const { return ok_header(xid_, tree_.last_applied().wire()); }

  ErrorCode reply(const protocol::Response& response) {
    protocol::append_reply(out_, header(), response);
    return ErrorCode::ok;
  }

  // False if a watch was wanted and there is no room for it.
  bool watch(bool wanted, WatchKind kind, const std::string& path) {
    return !wanted || watches_.add(kind, connection_, path);
  }

  // The servers that were given are shown where no others have taken their place. They are no part
  // of the state: each server has its own lines.
  bool shows_given_servers(std::string_view path, const tree::Node& node) const {
    return path == tree::SetEnsemble::path && !ensemble_.empty() &&
           (node.version != tree::SetEnsemble::znode_version || node.data_length <= 0);
  }

  std::optional<ByteView> data_of(std::string_view path, const tree::Node& node) const {
    return shows_given_servers(path, node) ? bytes_of(ensemble_) : tree_.data_of(node);
  }

  Stat stat_of(std::string_view path, const tree::Node& node) const {
    Stat stat = tree_.stat_of(node);
    if (shows_given_servers(path, node)) {
      stat.data_length = static_cast<std::int32_t>(ensemble_.size());
      stat.version = tree::SetEnsemble::znode_version;
    }
    return stat;
  }

  Watching watching() { return {tree_, watches_, connection_, identities_}; }

  ErrorCode reply_if(ErrorCode outcome, const protocol::Response& response = {}) {
    return outcome == ErrorCode::ok ? reply(response) : outcome;
  }

  Result<const tree::Node*> readable(const std::string& path) const {
    const tree::Node* node = tree_.find(path);
    if (node == nullptr) {
      return ErrorCode::no_node;
    }
    if (!is_allowed(tree_.acl_of(*node), permission::read, identities_)) {
      return ErrorCode::no_auth;
    }
    return node;
  }

  // What one read of a multiRead answers; its watch is not set. `bytes` counts what all of them
  // have answered: one small request may name large data very often.
  template <class Read>
  protocol::MultiResult result_of(const Read& read, std::size_t& bytes) const {
    const auto node = readable(read.path);
    if (!node) {
      return failed(node.error());
    }
    const Stat stat = stat_of(read.path, **node);
    constexpr bool is_data = std::is_same_v<Read, protocol::GetDataRequest>;
    bytes += static_cast<std::size_t>(is_data ? stat.data_length : stat.num_children);
    if (bytes > limits::multi_read_bytes_max) {
      return failed(ErrorCode::system_error);
    }
    protocol::MultiResult result{.op = Read::op};
    if constexpr (is_data) {
      protocol::GetDataResponse body{.stat = stat};
      if (const auto data = data_of(read.path, **node)) {
        body.data.emplace(data->begin(), data->end());
      }
      result.body = std::move(body);
    } else {
      protocol::GetChildrenResponse body;
      tree_.for_each_child(**node, [&](std::string_view name) {
        bytes += name.size();
        body.children.emplace_back(name);
      });
      result.body = std::move(body);
    }
    return result;
  }

  static protocol::MultiResult failed(ErrorCode error) {
    return {.op = protocol::OpCode::error, .body = protocol::MultiError{.error = error}};
  }

  template <class Request>
  ErrorCode children(const Request& r, bool with_stat) {
    const auto node = readable(r.path);
    if (!node) {
      return node.error();
    }
    if (!watch(r.watch, WatchKind::child, r.path)) {
      return too_many_watches;
    }
    const Stat stat = stat_of(r.path, **node);
    const protocol::FrameWriter frame(out_);
    jute::JuteWriter writer(out_);
    writer(header());
    writer.integer(stat.num_children);
    tree_.for_each_child(
        **node, [&writer](std::string_view name) { writer.counted(name.data(), name.size()); });
    if (with_stat) {
      writer(stat);
    }
    return ErrorCode::ok;
  }

  const tree::DataTree& tree_;
  tree::WatchTable& watches_;
  std::string_view ensemble_;
  ConnectionId connection_;
  SessionId session_;
  IdentitiesView identities_;
  std::int32_t xid_;
  Bytes& out_;
};

// What one change of a multi, or a single write, answers when it succeeded.
template <class MultiBody>
struct ChangeBody {
  protocol::OpCode op{};
  const Stat& stat;

  MultiBody operator()(const tree::CreateNode& change) const {
    if (op != protocol::OpCode::create) {
      return protocol::PathStatResponse{.path = change.path, .stat = stat};
    }
    return protocol::PathResponse{.path = change.path};
  }
  MultiBody operator()(const tree::SetAcl&) const { return protocol::StatResponse{.stat = stat}; }
  MultiBody operator()(const tree::SetData&) const { return protocol::StatResponse{.stat = stat}; }
  template <class Other>
  MultiBody operator()(const Other&) const {
    return protocol::EmptyResponse{};
  }
};

using MultiBody = decltype(protocol::MultiResult::body);

// In a multi, whatever was created is answered as one of the two simple creates would be.
protocol::OpCode result_of(protocol::OpCode op) {
  const bool is_special =
      op == protocol::OpCode::create_container || op == protocol::OpCode::create_ttl;
  return is_special ? protocol::OpCode::create2 : op;
}

protocol::MultiResponse multi_response(const std::vector<protocol::OpCode>& operations,
                                       const tree::MultiChange& multi,
                                       const tree::Applied& applied) {
  protocol::MultiResponse response;
  response.results.reserve(operations.size());
  std::size_t next = 0;
  for (const protocol::OpCode op : operations) {
    protocol::MultiResult result{.op = result_of(op)};
    if (op != protocol::OpCode::check) {
      result.body = std::visit(ChangeBody<MultiBody>{.op = op, .stat = applied.stats.at(next)},
                               multi.changes.at(next));
      ++next;
    }
    response.results.push_back(std::move(result));
  }
  return response;
}

}  // namespace

void Reader::answer(const protocol::Request& request, std::int32_t xid, ConnectionId connection,
                    SessionId session, IdentitiesView identities, Bytes& out) {
  const ErrorCode error = std::visit(
      Answer(tree_, watches_, ensemble_, connection, session, identities, xid, out), request);
  if (error != ErrorCode::ok) {
    append_header(xid, tree_.last_applied(), error, out);
  }
}

void append_write_reply(const PendingReply& request, const tree::Transaction& transaction,
                        const tree::Applied& applied, Bytes& out) {
  const ReplyHeader header = ok_header(request.xid, transaction.header.zxid.wire());
  if (const auto* multi = std::get_if<tree::MultiChange>(&transaction.body)) {
    const auto& operations = std::get<AwaitedWrite>(request.what).multi;
    protocol::append_reply(out, header, multi_response(operations, *multi, applied));
    return;
  }
  const Stat none;
  const ChangeBody<protocol::Response> body{
      .op = request.op, .stat = applied.stats.empty() ? none : applied.stats.front()};
  protocol::append_reply(out, header, std::visit(body, transaction.body));
}

void append_header(std::int32_t xid, Zxid last_applied, ErrorCode error, Bytes& out) {
  protocol::append_reply(
      out, {.xid = xid, .zxid = last_applied.wire(), .error = static_cast<std::int32_t>(error)});
}

void append_failure(std::int32_t xid, Zxid last_applied, const FailedWrite& failure, Bytes& out) {
  if (failure.multi.results.empty()) {
    append_header(xid, last_applied, failure.error, out);
  } else {
    // The header of a multi is ok even when the multi failed (WIRE, section 12).
    protocol::append_reply(out, ok_header(xid, last_applied.wire()), failure.multi);
  }
}

}  // namespace zabfs::replication::pipeline
