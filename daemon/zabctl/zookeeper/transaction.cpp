#include "daemon/zabctl/zookeeper/transaction.hpp"

#include <utility>

#include "replication/jute/jute_archive.hpp"

namespace zabfs::daemon::zabctl::zookeeper {

using replication::ByteView;
using replication::jute::JuteReader;

namespace {

constexpr std::int64_t ttl_ms_max = (std::int64_t{1} << 40) - 1;
constexpr std::size_t digest_bytes = 4 + 8;

// ZooDefs.OpCode.
enum class Type : std::int32_t {
  create = 1,
  remove = 2,
  set_data = 5,
  set_acl = 7,
  check = 13,
  multi = 14,
  create2 = 15,
  reconfig = 16,
  create_container = 19,
  delete_container = 20,
  create_ttl = 21,
  error = -1,
  create_session = -10,
  close_session = -11,
};

Create read_create(JuteReader& from, Type type, std::int64_t session) {
  Create create;
  from(create.path, create.data, create.acl);
  if (type == Type::create || type == Type::create2) {
    bool is_ephemeral{};
    from(is_ephemeral);
    create.owner = is_ephemeral ? session : 0;
    if (from.rest().empty()) {
      return create;  // Of a release that did not write the parent's number.
    }
  }
  from(create.parent_creates);
  if (type == Type::create_container) {
    create.owner = container_owner;
  } else if (type == Type::create_ttl) {
    std::int64_t ttl{};
    from(ttl);
    if (ttl < 0 || ttl > ttl_ms_max) {
      throw Damaged("creates a znode that lives for " + std::to_string(ttl) + " ms");
    }
    create.owner = ttl_owner_mask | ttl;
  }
  return create;
}

// A change of the tree, or nothing.
Change read_change(JuteReader& from, Type type, std::int64_t session) {
  switch (type) {
    case Type::create:
    case Type::create2:
    case Type::create_container:
    case Type::create_ttl:
      return read_create(from, type, session);
    case Type::remove:
    case Type::delete_container: {
      Delete change;
      from(change.path);
      return change;
    }
    case Type::set_data:
    case Type::reconfig: {
      SetData change;
      from(change.path, change.data, change.version);
      return change;
    }
    case Type::set_acl: {
      SetAcl change;
      from(change.path, change.acl, change.aversion);
      return change;
    }
    case Type::check: {
      std::string path;
      std::int32_t version{};
      from(path, version);
      return Nothing{};
    }
    case Type::error: {
      std::int32_t error{};
      from(error);
      return Nothing{};
    }
    default:
      break;
  }
  throw Damaged("is of the type " + std::to_string(static_cast<std::int32_t>(type)) +
                ", which this program does not know");
}

Multi read_multi(JuteReader& from, std::int64_t session) {
  Multi multi;
  bool has_failed = false;
  for (auto left = from.element_count().value_or(0); left > 0; --left) {
    const Type type{from.integer<std::int32_t>()};
    const ByteView body = from.counted().value_or(ByteView{});
    has_failed = has_failed || type == Type::error;
    JuteReader part(body);
    multi.changes.push_back(read_change(part, type, session));
  }
  if (has_failed) {
    multi.changes.clear();
  }
  return multi;
}

// A list of paths, if that is what follows: releases before 3.6 wrote none, and what comes behind
// may be a digest. Moves `from` behind the list.
CloseSession read_close(JuteReader& from) {
  try {
    JuteReader attempt(from.rest());
    CloseSession close;
    attempt(close.paths);
    if (attempt.rest().empty() || attempt.rest().size() == digest_bytes) {
      from.take(from.rest().size() - attempt.rest().size());
      return close;
    }
  } catch (const cereal::Exception&) {
  }
  return {};
}

Body read_body(JuteReader& from, const TransactionHeader& header) {
  switch (const Type type{header.type}) {
    case Type::create_session: {
      OpenSession open;
      from(open.timeout_ms);
      return open;
    }
    case Type::close_session:
      return read_close(from);
    case Type::multi:
      return read_multi(from, header.session);
    default:
      return std::visit([](auto&& change) -> Body { return std::move(change); },
                        read_change(from, type, header.session));
  }
}

}  // namespace

Transaction decode_transaction(ByteView record) {
  Transaction transaction;
  try {
    JuteReader from(record);
    from(transaction.header);
    transaction.body = read_body(from, transaction.header);
    if (from.rest().size() == digest_bytes) {
      std::int32_t version{};
      std::int64_t digest{};
      from(version, digest);
      if (version == known_digest_version) {
        transaction.digest = digest;
      }
    }
    if (!from.rest().empty()) {
      throw Damaged("has something behind its end");
    }
  } catch (const cereal::Exception& error) {
    throw Damaged(std::string("cannot be read: ") + error.what());
  }
  return transaction;
}

}  // namespace zabfs::daemon::zabctl::zookeeper
