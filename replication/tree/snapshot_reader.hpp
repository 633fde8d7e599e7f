// Builds the tree of a snapshot from its slices, and believes nothing.
//
//   SnapshotReader reader;
//   while (...) if (auto error = reader.append(slices)) return *error;
//   auto loaded = std::move(reader).finish();
//
// Whatever bytes arrive, it ends with a tree whose digest is the recorded one or with a sentence
// that says what is wrong; it never crashes, and takes memory in proportion to the bytes it got.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "replication/model/bytes.hpp"
#include "replication/tree/acl_table.hpp"
#include "replication/tree/data_tree.hpp"
#include "replication/tree/node_store.hpp"
#include "replication/tree/snapshot_format.hpp"

namespace zabfs::replication::jute {
class JuteReader;
}

namespace zabfs::replication::tree {

struct LoadedSnapshot {
  DataTree tree{};
  Bytes sessions{};
};

class SnapshotReader {
 public:
  // Reads one or more whole slices, in the order they were written; parts are collected until the
  // last has come. Returns what is wrong with them; the reader is then of no further use.
  std::optional<std::string> append(ByteView slices);

  // True once the end has been read.
  bool is_complete() const { return complete_; }

  // The tree, or what is wrong with it. Call it once, after the last slice.
  std::variant<LoadedSnapshot, std::string> finish() &&;

 private:
  void read_part(jute::JuteReader& from);
  void read_record(RecordKind kind, jute::JuteReader& from);
  void read_header(jute::JuteReader& from);
  void read_node(jute::JuteReader& from);
  void fill(Slot slot, const SnapshotNumbers& numbers);
  const char* link_all();

  std::optional<SnapshotHeader> header_{};
  std::vector<AclId> acl_ids_{};  // by place in the header
  NodeStore nodes_{};
  AclTable acls_{};
  std::vector<std::uint32_t> ranks_{};    // by slot
  std::vector<std::uint32_t> parents_{};  // by slot, as ranks
  Bytes parts_{};                         // of a slice whose last part has not come
  bool has_root_{};
  bool complete_{};
};

}  // namespace zabfs::replication::tree
