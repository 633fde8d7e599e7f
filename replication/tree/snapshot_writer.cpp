#include "replication/tree/snapshot_writer.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/check.hpp"
#include "replication/tree/snapshot_format.hpp"

namespace zabfs::replication::tree {
namespace {

void write_kind(jute::JuteWriter& to, RecordKind kind) {
  to.integer(static_cast<std::uint8_t>(kind));
}

constexpr std::uint64_t bit_of(Slot slot) { return std::uint64_t{1} << slot % 64; }

}  // namespace

SnapshotWriter::SnapshotWriter(DataTree& tree, Bytes sessions, SliceBounds bounds)
    : tree_(tree),
      zxid_(tree.last_applied()),
      digest_(tree.digest()),
      node_count_(tree.node_count()),
      sessions_(std::move(sessions)),
      bounds_(bounds),
      part_(tree.nodes().occupied()),
      awaited_(part_) {
  CHECK(tree_.observer() == nullptr, "a snapshot of this tree is being written already");
  CHECK(bounds_.bytes_max > part_overhead_bytes, "slices of ", bounds_.bytes_max);
  std::uint32_t rank = 0;
  ranks_.reserve(part_.size());
  for (const std::uint64_t word : part_) {
    ranks_.push_back(rank);
    rank += static_cast<std::uint32_t>(std::popcount(word));
  }
  number_acls();
  tree_.observe(this);
}

SnapshotWriter::~SnapshotWriter() { tree_.observe(nullptr); }

// An id whose list is dropped may be given to another while the snapshot is written, but no node
// that is still awaited can have either: it would have kept the first alive.
void SnapshotWriter::number_acls() {
  const AclTable& table = tree_.acls();
  acl_places_.resize(table.id_limit());
  for (AclId id = 0; id < table.id_limit(); ++id) {
    if (table.contains(id)) {
      acl_places_[id] = static_cast<std::uint32_t>(acls_.size());
      acls_.push_back(table.at(id));
    }
  }
}

bool SnapshotWriter::next_slice(Bytes& out) {
  if (cut_.empty()) {
    const std::size_t begin = out.size();
    const bool has_more = write_whole(out);
    if (out.size() - begin <= bounds_.bytes_max) {
      return has_more;
    }
    CHECK(has_more, "the end is one byte");
    cut_.assign(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end());
    out.resize(begin);
  }
  write_part(out);
  return true;
}

void SnapshotWriter::write_part(Bytes& out) {
  const std::size_t rest = cut_.size() - cut_written_;
  const std::size_t size = std::min(rest, bounds_.bytes_max - part_overhead_bytes);
  jute::JuteWriter to{out};
  write_kind(to, RecordKind::part);
  to(size == rest);
  to.counted(cut_.data() + cut_written_, size);
  cut_written_ += size;
  if (size == rest) {
    cut_ = {};
    cut_written_ = 0;
  }
}

// The next slice, however long it is.
bool SnapshotWriter::write_whole(Bytes& out) {
  switch (stage_) {
    case Stage::header:
      write_header(out);
      stage_ = Stage::nodes;
      return true;
    case Stage::nodes:
      write_nodes(out);
      if (forced_.empty() && next_awaited() == no_slot) {
        stage_ = Stage::end;
      }
      return true;
    case Stage::end: {
      jute::JuteWriter to{out};
      write_kind(to, RecordKind::end);
      break;
    }
  }
  return false;
}

void SnapshotWriter::write_header(Bytes& out) {
  jute::JuteWriter to{out};
  write_kind(to, RecordKind::header);
  to.integer(snapshot_format);
  to(SnapshotHeader{.zxid = zxid_,
                    .node_count = node_count_,
                    .digest = digest_,
                    .acls = std::exchange(acls_, {}),
                    .sessions = std::exchange(sessions_, {})});
}

void SnapshotWriter::write_nodes(Bytes& out) {
  const std::size_t begin = out.size();
  std::size_t nodes = 0;
  if (!forced_.empty()) {
    const Batch& forced = forced_.front();
    out.insert(out.end(), forced.bytes.begin(), forced.bytes.end());
    nodes = forced.nodes;
    forced_.pop_front();
  }
  while (!is_full(nodes, out.size() - begin)) {
    const Slot slot = next_awaited();
    if (slot == no_slot) {
      break;
    }
    record(out, slot);
    ++nodes;
  }
}

void SnapshotWriter::before_change(Slot slot) {
  if (slot / 64 >= awaited_.size() || (awaited_[slot / 64] & bit_of(slot)) == 0) {
    return;
  }
  if (forced_.empty() || is_full(forced_.back().nodes, forced_.back().bytes.size())) {
    forced_.emplace_back();
  }
  record(forced_.back().bytes, slot);
  ++forced_.back().nodes;
}

void SnapshotWriter::record(Bytes& out, Slot slot) {
  const Node& node = tree_.nodes()[slot];
  jute::JuteWriter to{out};
  write_kind(to, RecordKind::node);
  const std::string_view name = tree_.name_of(node);
  to.counted(name.data(), name.size());
  if (const auto data = tree_.data_of(node)) {
    to.counted(data->data(), data->size());
  } else {
    to.integer(std::int32_t{-1});
  }
  to(SnapshotNumbers{.rank = rank_of(slot),
                     .parent = slot == root_slot ? root_rank : rank_of(node.parent),
                     .acl = acl_places_[node.acl],
                     .version = node.version,
                     .aversion = node.aversion,
                     .creates = node.creates,
                     .czxid = node.czxid,
                     .mzxid = node.mzxid,
                     .pzxid = node.pzxid,
                     .ctime = node.ctime,
                     .mtime = node.mtime,
                     .ephemeral_owner = node.ephemeral_owner});
  awaited_[slot / 64] &= ~bit_of(slot);
}

bool SnapshotWriter::is_full(std::size_t nodes, std::size_t bytes) const {
  return nodes >= bounds_.nodes || bytes >= bounds_.bytes;
}

std::uint32_t SnapshotWriter::rank_of(Slot slot) const {
  const std::uint64_t below = part_[slot / 64] & (bit_of(slot) - 1);
  return ranks_[slot / 64] + static_cast<std::uint32_t>(std::popcount(below));
}

Slot SnapshotWriter::next_awaited() {
  while (cursor_ < awaited_.size() && awaited_[cursor_] == 0) {
    ++cursor_;
  }
  if (cursor_ == awaited_.size()) {
    return no_slot;
  }
  return static_cast<Slot>(cursor_ * 64) + static_cast<Slot>(std::countr_zero(awaited_[cursor_]));
}

}  // namespace zabfs::replication::tree
