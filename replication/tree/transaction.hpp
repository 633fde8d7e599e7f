// A change of the replicated state, one struct per kind; `Transaction` is a header and their
// variant.
//
// A transaction holds outcomes, never conditions: the leader has already decided versions, sequence
// numbers and times against the state as it will be when everything before it is applied. So
// applying one is total: it cannot fail, and gives the same tree on every replica. A request that
// must fail never becomes a transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/model/result.hpp"

namespace zabfs::replication::tree {

// The tag in the log. A number is forever: append, never reuse, never reorder.
enum class TransactionKind : std::int32_t {
  create_node = 1,
  delete_node = 2,
  set_data = 3,
  open_session = 4,
  close_session = 5,
  multi = 6,
  set_acl = 7,
  set_ensemble = 8,
  restore = 9,
};

// The parent exists and is not ephemeral; the path does not exist. The owner is one of
// model/owner.hpp.
struct CreateNode {
  static constexpr auto kind = TransactionKind::create_node;
  std::string path{};
  Data data{};
  Acl acl{};
  SessionId ephemeral_owner{};
  std::int32_t parent_creates{};  // children ever created in the parent, this one included

  static auto fields(auto& t) {
    return std::tie(t.path, t.data, t.acl, t.ephemeral_owner, t.parent_creates);
  }
  bool operator==(const CreateNode&) const = default;
};

// The path exists and has no children.
struct DeleteNode {
  static constexpr auto kind = TransactionKind::delete_node;
  std::string path{};

  static auto fields(auto& t) { return std::tie(t.path); }
  bool operator==(const DeleteNode&) const = default;
};

// The path exists.
struct SetData {
  static constexpr auto kind = TransactionKind::set_data;
  std::string path{};
  Data data{};
  std::int32_t version{};  // the version the znode has afterwards

  static auto fields(auto& t) { return std::tie(t.path, t.data, t.version); }
  bool operator==(const SetData&) const = default;
};

// The path exists.
struct SetAcl {
  static constexpr auto kind = TransactionKind::set_acl;
  std::string path{};
  Acl acl{};
  std::int32_t aversion{};  // the version the ACL has afterwards

  static auto fields(auto& t) { return std::tie(t.path, t.acl, t.aversion); }
  bool operator==(const SetAcl&) const = default;
};

// The header's session comes to life. The password is what a client shows to come back to it.
struct OpenSession {
  static constexpr auto kind = TransactionKind::open_session;
  std::int32_t timeout_ms{};
  Bytes password{};

  static auto fields(auto& t) { return std::tie(t.timeout_ms, t.password); }
  bool operator==(const OpenSession&) const = default;
};

// The header's session ends, and every ephemeral znode it owns at this point of history with it.
// The list is implied, so that it cannot outgrow a record (ZOOKEEPER-4306).
struct CloseSession {
  static constexpr auto kind = TransactionKind::close_session;

  static auto fields(auto&) { return std::tie(); }
  bool operator==(const CloseSession&) const = default;
};

// The ensemble has this configuration (model/ensemble_text.hpp), whose version is the header's
// zxid. It becomes the data of /zookeeper/config, which exists.
struct SetEnsemble {
  static constexpr auto kind = TransactionKind::set_ensemble;
  static constexpr std::string_view path = "/zookeeper/config";
  static constexpr std::int32_t znode_version = -1;  // that the znode has then, as in ZooKeeper
  std::string text{};

  static auto fields(auto& t) { return std::tie(t.text); }
  bool operator==(const SetEnsemble&) const = default;
};

// The state whose pieces are in the tree (restored_pieces.hpp), all of which were tried before,
// takes the place of the whole tree and of all sessions. Of what was there, the ensemble's
// configuration stays. The zxid is higher than anything in that state.
struct Restore {
  static constexpr auto kind = TransactionKind::restore;
  static constexpr std::string_view path = "/zookeeper/restoration";
  std::string name{};
  std::int32_t pieces{};

  static auto fields(auto& t) { return std::tie(t.name, t.pieces); }
  bool operator==(const Restore&) const = default;
};

using NodeChange = std::variant<CreateNode, DeleteNode, SetData>;

// Several changes under one zxid, in order. Checks leave nothing behind and are not listed; a multi
// never sets an ACL.
struct MultiChange {
  static constexpr auto kind = TransactionKind::multi;
  std::vector<NodeChange> changes{};

  bool operator==(const MultiChange&) const = default;
};

using TransactionBody = std::variant<CreateNode, DeleteNode, SetData, OpenSession, CloseSession,
                                     MultiChange, SetAcl, SetEnsemble, Restore>;

struct TransactionHeader {
  Zxid zxid{};
  SessionId session{};     // on whose behalf
  std::int64_t time_ms{};  // the leader's wall clock, for ctime and mtime

  static auto fields(auto& h) { return std::tie(h.zxid, h.session, h.time_ms); }
  bool operator==(const TransactionHeader&) const = default;
};

struct Transaction {
  TransactionHeader header{};
  TransactionBody body{};

  bool operator==(const Transaction&) const = default;
};

// Appends the transaction: header, kind, body, in jute.
void append_transaction(Bytes& out, const Transaction& transaction);

// What append_transaction wrote, or marshalling_error for anything else, bytes left over included.
Result<Transaction> decode_transaction(ByteView bytes);

// The text of a SetEnsemble; nullopt for the bytes of anything else.
std::optional<std::string> ensemble_text_in(ByteView bytes);

}  // namespace zabfs::replication::tree
