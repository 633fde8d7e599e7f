// What a worker of the mount writes down for its successor. Each record says how one thing is now;
// read in order, they make up a State (state.hpp).
//
// Numbers stand for the enumerations of the code that writes and reads them. Whoever changes the
// meaning of a record, or their order in Entry, or how they lie in the store, raises
// ledger_version.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/stat.hpp"

namespace zabfs::fusefs::continuity {

inline constexpr std::uint32_t ledger_version = 2;

// The mount as the kernel began it: its first request, as it came; and where it is.
struct Beginning {
  replication::Bytes init{};
  std::string mount_point{};
  static auto fields(auto& r) { return std::tie(r.init, r.mount_point); }
};

// What the worker was to the world: the process that made changes of others once more, and the port
// of an embedded replica. 0 is none.
struct Worker {
  std::int64_t replayer{};
  std::uint32_t port{};
  static auto fields(auto& r) { return std::tie(r.replayer, r.port); }
};

// The session with the ensemble; whoever has the password has the session.
struct SessionHeld {
  std::int64_t id{};
  replication::Bytes password{};
  static auto fields(auto& r) { return std::tie(r.id, r.password); }
};

// The newest transaction that any answer may tell of.
struct ZxidSeen {
  std::int64_t zxid{};
  static auto fields(auto& r) { return std::tie(r.zxid); }
};

struct InodeKnown {
  std::uint64_t number{};
  std::int64_t generation{};
  std::string path{};
  std::uint32_t view{};
  std::int64_t parameter{};
  bool is_directory{};
  replication::Stat stat{};
  std::uint32_t data_kind{};
  std::uint64_t text_size{};
  std::uint64_t lookups{};
  bool is_writable{};
  bool is_detached{};
  bool is_removed{};
  static auto fields(auto& r) {
    return std::tie(r.number, r.generation, r.path, r.view, r.parameter, r.is_directory, r.stat,
                    r.data_kind, r.text_size, r.lookups, r.is_writable, r.is_detached,
                    r.is_removed);
  }
};

struct InodeLookups {
  std::uint64_t number{};
  std::uint64_t lookups{};
  static auto fields(auto& r) { return std::tie(r.number, r.lookups); }
};

struct InodeGone {
  std::uint64_t number{};
  static auto fields(auto& r) { return std::tie(r.number); }
};

// What a file that is open holds, but for the content of data, and what of a stream is unread.
struct HandleOpen {
  std::uint64_t id{};
  std::uint64_t inode{};
  std::uint32_t kind{};  // which alternative of handles::Handle::body
  std::int64_t owner{};  // session of a znode that it made
  bool has_condition{};
  std::int32_t condition{};
  bool is_held{};
  bool is_lock_lost{};
  std::uint32_t mode{};   // bits of handles::DataHandle::Mode
  std::uint32_t flags{};  // what else is true of it
  std::int64_t mzxid{};   // of the version that it holds
  std::int32_t version{};
  replication::Bytes text{};             // a text; what is not yet read
  replication::Bytes rest{};             // what is written and not yet sent
  std::vector<std::string> names{};      // of a listing; lines of a transaction
  std::vector<std::int64_t> progress{};  // of a wait
  static auto fields(auto& r) {
    return std::tie(r.id, r.inode, r.kind, r.owner, r.has_condition, r.condition, r.is_held,
                    r.is_lock_lost, r.mode, r.flags, r.mzxid, r.version, r.text, r.rest, r.names,
                    r.progress);
  }
};

// The content of data, whole; and bytes that were written into it. What lies between its end and
// `offset` becomes zeros.
struct ContentWhole {
  std::uint64_t handle{};
  replication::Bytes content{};
  static auto fields(auto& r) { return std::tie(r.handle, r.content); }
};
struct ContentWritten {
  std::uint64_t handle{};
  std::uint64_t offset{};
  replication::Bytes bytes{};
  static auto fields(auto& r) { return std::tie(r.handle, r.offset, r.bytes); }
};

// So many bytes were read, and are no more.
struct ContentTaken {
  std::uint64_t handle{};
  std::uint64_t bytes{};
  static auto fields(auto& r) { return std::tie(r.handle, r.bytes); }
};

struct HandleGone {
  std::uint64_t id{};
  static auto fields(auto& r) { return std::tie(r.id); }
};

// Somebody polls the file; the kernel wants to be told by this number.
struct Polled {
  std::uint64_t handle{};
  std::uint64_t by{};
  static auto fields(auto& r) { return std::tie(r.handle, r.by); }
};

// The request was read; written only where the kernel cannot repeat it.
struct Received {
  std::uint64_t request{};
  static auto fields(auto& r) { return std::tie(r.request); }
};

// The request begins to change the ensemble, through this file if it is not 0.
struct ChangeBegun {
  std::uint64_t request{};
  std::uint64_t handle{};
  static auto fields(auto& r) { return std::tie(r.request, r.handle); }
};

// The last answer that goes to the kernel, as its bytes.
struct Answered {
  std::uint64_t request{};
  replication::Bytes answer{};
  static auto fields(auto& r) { return std::tie(r.request, r.answer); }
};

// A znode that goes when what holds it goes: an open file, a lock, a place in a queue.
struct ZnodeHeld {
  std::string path{};
  std::int64_t czxid{};
  std::int64_t session{};
  static auto fields(auto& r) { return std::tie(r.path, r.czxid, r.session); }
};
struct ZnodeLetGo {
  std::string path{};
  static auto fields(auto& r) { return std::tie(r.path); }
};

// The creation of one has been asked for. `path` is without the digits of a sequential one.
struct CreationBegun {
  std::uint64_t number{};
  std::string path{};
  bool is_sequential{};
  std::int64_t session{};
  std::int64_t since{};
  static auto fields(auto& r) {
    return std::tie(r.number, r.path, r.is_sequential, r.session, r.since);
  }
};
struct CreationEnded {
  std::uint64_t number{};
  static auto fields(auto& r) { return std::tie(r.number); }
};
// Another creation was answered meanwhile: this znode is not what the one that is asked for made.
struct CreatedMeanwhile {
  std::string path{};
  static auto fields(auto& r) { return std::tie(r.path); }
};

// Whose lock it is.
struct LockOwner {
  std::uint64_t inode{};
  std::uint32_t family{};
  std::uint64_t owner{};
  static auto fields(auto& r) { return std::tie(r.inode, r.family, r.owner); }
  auto operator<=>(const LockOwner&) const = default;
};

// The owner waits in a queue with this contender.
struct PlaceTaken {
  LockOwner owner{};
  std::string contender{};
  static auto fields(auto& r) { return std::tie(r.owner, r.contender); }
};

struct LockHeld {
  LockOwner owner{};
  std::string path{};
  std::uint64_t handle{};
  std::string contender{};
  std::int64_t czxid{};
  std::int64_t session{};
  bool is_exclusive{};
  bool is_lost{};
  std::string host{};
  std::string command{};
  std::string since{};
  std::vector<std::int64_t> processes{};  // the taker's and its parent's, and when they started
  static auto fields(auto& r) {
    return std::tie(r.owner, r.path, r.handle, r.contender, r.czxid, r.session, r.is_exclusive,
                    r.is_lost, r.host, r.command, r.since, r.processes);
  }
};
struct LockGone {
  LockOwner owner{};
  static auto fields(auto& r) { return std::tie(r.owner); }
};

using Entry =
    std::variant<Beginning, Worker, SessionHeld, ZxidSeen, InodeKnown, InodeLookups, InodeGone,
                 HandleOpen, ContentWhole, ContentWritten, ContentTaken, HandleGone, Polled,
                 ChangeBegun, Answered, ZnodeHeld, ZnodeLetGo, CreationBegun, CreationEnded,
                 CreatedMeanwhile, PlaceTaken, LockHeld, LockGone, Received>;

}  // namespace zabfs::fusefs::continuity
