// One life of a storage, for tests: it recovers, writes a history that can be recognized, and ends
// when the test lets the disk crash.
//
// The state of this replica is the list of its transactions' zxids. A snapshot is that list, some
// zxids a slice; its later slices are taken later and hold transactions after `taken_at`, as those
// of a tree that goes on changing do. Every payload follows from its zxid.
//
// What is durable is committed, as for a replica alone, until the test says what is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "replication/store/storage.hpp"
#include "tests/support/sim_disk.hpp"

namespace zabfs::replication::store {

// Between 1 and about 700 bytes.
Bytes payload_of(Zxid zxid);

// Small enough to roll, split and purge all the time.
inline constexpr StorageOptions small_options{.segment_bytes = 4'096,
                                              .batch_bytes_max = 1'500,
                                              .zeros_ahead_bytes = 1'024,
                                              .snapshots_kept = 2};

// Puts the list together again.
class Witness : public RecoverySink {
 public:
  void on_snapshot(Zxid taken_at, Zxid reached) override;
  std::optional<std::string> on_slice(ByteView slice) override;
  std::optional<std::string> on_entry(Zxid zxid, ByteView payload) override;

  std::vector<Zxid> history{};

 private:
  Zxid reached_{};
};

class OneLife {
 public:
  // Recovers. `disk` outlives this; one life at a time.
  explicit OneLife(test::SimDisk& disk, const StorageOptions& options = small_options);

  bool is_refused() const { return !recovery_; }
  std::string sentence() const { return recovery_.error().sentence; }
  const Recovery& recovery() const { return *recovery_; }
  Storage& storage() { return storage_; }

  // What is in the log and on its way there, in order, and not truncated.
  const std::vector<Zxid>& history() const { return history_; }

  // The last epochs that were asked for.
  const Epochs& asked_epochs() const { return asked_epochs_; }

  // Enters the next epoch.
  void begin_reign();

  // From now on so much is committed, and no more before the next call.
  void commit(Zxid zxid) { committed_ = zxid; }
  Zxid committed() const { return committed_.value_or(storage_.durable()); }

  // Asks for these epochs.
  void save_epochs(const Epochs& epochs);

  // A leader's snapshot of `theirs` begins to replace the history; append() goes on behind it.
  void begin_replacement(std::vector<Zxid> theirs);

  // The next slice of it, or its end; with what has been appended meanwhile. False if it has to
  // wait for the disk or has ended.
  bool advance_replacement();

  // Back to the history of before.
  void abandon_replacement();

  // Appends the next transaction.
  Zxid append();

  // Takes back what is behind the first `count` transactions.
  void truncate_to(std::size_t count);

  // Lets the disk do everything, and everything that follows from that.
  void settle();

  // Appends and settles `count` transactions, one batch each.
  void write(std::size_t count);

  // The next step of a snapshot: begins, adds a slice or finishes, whichever is due. False if it
  // has to wait for the disk.
  bool advance_snapshot();

  // Writes a whole one and settles.
  void take_snapshot();

  const std::vector<Zxid>& snapshots_written() const { return snapshots_written_; }

 private:
  // The next slice of the transactions up to `last`; nullopt if there is no more.
  std::optional<Bytes> next_slice(Zxid last);

  // Nothing is applied that is not both.
  Zxid applied() const { return std::min(committed(), storage_.durable()); }

  test::SimDisk& disk_;
  Storage storage_;
  Witness witness_;
  Verdict<Recovery> recovery_;
  Epochs asked_epochs_{};
  std::vector<Zxid> history_;
  std::vector<Zxid> replaced_;  // history_ as it was before a replacement
  std::optional<Zxid> committed_;
  std::size_t sliced_{};  // of history_, into the open snapshot
  std::vector<Zxid> snapshots_written_;
};

}  // namespace zabfs::replication::store
