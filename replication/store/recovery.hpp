// From a directory to the state to start from, or a refusal that says why.
//
//   epochs      must be there and whole, unless the directory is empty; it names the generation
//   files of any other generation      never count, and are removed
//   snapshot    the newest whole one; damaged ones are passed over and noted
//   log         from that snapshot on, without a gap (log_reader.hpp)
//
// What must agree in the end, or the start is refused:
//
//   epoch(last) <= accepted     otherwise a promise was lost
//   the log reaches what the snapshot holds, and what the epochs file remembers of it
//
// The current epoch is that of the last transaction if the file has an older one: a log that ends
// in an epoch holds all that the epoch began with, and its server may have stopped before it could
// say so (ZOOKEEPER-1653).
//
// A log alone does not say what was committed. Its records remember what the replica knew when it
// wrote them; whatever is behind that is handed back as the tail, for the ensemble to decide.
//
// With no whole snapshot the log alone will do if it reaches back to the first transaction of all,
// which its first segment proves. A log that begins later is never replayed onto an empty tree
// (ZOOKEEPER-2325, 3056).
//
// Reading changes nothing. What has to be changed is returned as jobs, so a refused directory stays
// as it was found, and a crash during recovery only means to do it again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/ports/disk.hpp"
#include "replication/store/epochs.hpp"
#include "replication/store/log_reader.hpp"
#include "replication/store/refusal.hpp"

namespace zabfs::replication::store {

// Where recovery puts the state. Views are good during the call only. A returned sentence says why
// the bytes, whose checksum was right, make no sense; recovery then refuses with it.
class RecoverySink {
 public:
  virtual ~RecoverySink() = default;

  // A snapshot follows, slice by slice, each as it was given to add_slice(). Its slices were
  // written while transactions after `taken_at` were applied; none after `reached` is in them. Not
  // called when the state is to be built from the log alone.
  virtual void on_snapshot(Zxid taken_at, Zxid reached) = 0;
  virtual std::optional<std::string> on_slice(ByteView slice) = 0;

  // The log after `taken_at`, in order and without a gap, as far as it is known to be committed.
  virtual std::optional<std::string> on_entry(Zxid zxid, ByteView payload) = 0;
};

struct Recovery {
  bool fresh{};                           // the directory is empty: a new server
  Epochs epochs{};                        // zero if fresh
  Zxid snapshot{};                        // what the state started from; zero if from nothing
  Zxid committed{};                       // where the state ends: what is known to be committed
  Zxid last{};                            // the end of the log
  std::uint64_t entries{};                // given to on_entry()
  std::vector<LoggedTransaction> tail{};  // after `committed`, up to `last`; may yet be truncated
  std::string note{};  // what was dropped or passed over, in sentences; empty if nothing
};

struct RecoveredDirectory {
  Recovery recovery{};
  Generation generation{};
  Zxid origin{};  // of the generation
  LogContents log{};
  std::vector<Zxid> snapshots{};        // all files of the generation, ascending
  std::vector<Zxid> whole_snapshots{};  // the newest, at most as many as are kept
  std::vector<DiskJob> repairs{};       // to be done before anything is told to anybody
};

Verdict<RecoveredDirectory> recover_directory(const Disk& disk, std::uint64_t snapshots_kept,
                                              RecoverySink& sink);

}  // namespace zabfs::replication::store
