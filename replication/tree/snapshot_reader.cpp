#include "replication/tree/snapshot_reader.hpp"

#include <utility>

#include "replication/jute/jute_archive.hpp"
#include "replication/model/path.hpp"

namespace zabfs::replication::tree {
namespace {

using jute::JuteReader;

[[noreturn]] void refuse(const char* why) { throw cereal::Exception(why); }

RecordKind kind_of_next(JuteReader& from) { return RecordKind{from.integer<std::uint8_t>()}; }

std::string damaged(const std::string& why) { return "the snapshot is damaged: " + why; }

}  // namespace

std::optional<std::string> SnapshotReader::append(ByteView slices) {
  try {
    JuteReader from{slices};
    while (!from.rest().empty()) {
      const RecordKind kind = kind_of_next(from);
      if (kind == RecordKind::part) {
        read_part(from);
      } else if (parts_.empty()) {
        read_record(kind, from);
      } else {
        refuse("a part is missing");
      }
    }
    return std::nullopt;
  } catch (const cereal::Exception& error) {
    return damaged(error.what());
  }
}

// A part has no parts: read_record() refuses it.
void SnapshotReader::read_part(JuteReader& from) {
  bool is_last{};
  from(is_last);
  const ByteView bytes = from.counted().value_or(ByteView{});
  if (bytes.empty()) {
    refuse("a part is empty");
  }
  parts_.insert(parts_.end(), bytes.begin(), bytes.end());
  if (is_last) {
    const Bytes slice = std::exchange(parts_, {});
    JuteReader whole{slice};
    while (!whole.rest().empty()) {
      const RecordKind kind = kind_of_next(whole);
      read_record(kind, whole);
    }
  }
}

void SnapshotReader::read_record(RecordKind kind, JuteReader& from) {
  if (complete_) {
    refuse("something follows its end");
  }
  if (header_.has_value() == (kind == RecordKind::header)) {
    refuse(header_ ? "it has two headers" : "it does not begin with a header");
  }
  switch (kind) {
    case RecordKind::header:
      return read_header(from);
    case RecordKind::node:
      return read_node(from);
    case RecordKind::end:
      complete_ = true;
      return;
    case RecordKind::part:
      refuse("a part is cut into parts");
  }
  refuse("it has a record of an unknown kind");
}

void SnapshotReader::read_header(JuteReader& from) {
  if (from.integer<std::int32_t>() != snapshot_format) {
    refuse("its format is not one this version reads");
  }
  from(header_.emplace());
  acl_ids_.reserve(header_->acls.size());
  for (const Acl& acl : header_->acls) {
    acl_ids_.push_back(acls_.intern(acl));
  }
  header_->acls = {};
  ranks_.push_back(0);
  parents_.push_back(0);
}

void SnapshotReader::read_node(JuteReader& from) {
  const std::string_view name = text_of(from.counted().value_or(ByteView{}));
  const std::optional<ByteView> data = from.counted();
  SnapshotNumbers numbers{};
  from(numbers);
  if (numbers.rank >= header_->node_count || numbers.parent >= header_->node_count) {
    refuse("a znode's number is beyond their count");
  }
  if (numbers.acl >= acl_ids_.size()) {
    refuse("a znode has an ACL that is not in the header");
  }
  Slot slot = root_slot;
  if (numbers.rank == root_rank) {
    if (has_root_ || !name.empty() || numbers.ephemeral_owner != SessionId{}) {
      refuse("its root cannot be one");
    }
    has_root_ = true;
    nodes_.set_data(root_slot, data);
  } else {
    if (!is_legal_segment(name)) {
      refuse("a znode has a name that is not allowed");
    }
    slot = nodes_.add(name, data);
    ranks_.push_back(numbers.rank);
    parents_.push_back(numbers.parent);
  }
  fill(slot, numbers);
}

void SnapshotReader::fill(Slot slot, const SnapshotNumbers& numbers) {
  Node& node = nodes_[slot];
  node.acl = acl_ids_[numbers.acl];
  acls_.add_reference(node.acl);
  node.version = numbers.version;
  node.aversion = numbers.aversion;
  node.creates = numbers.creates;
  node.czxid = numbers.czxid;
  node.mzxid = numbers.mzxid;
  node.pzxid = numbers.pzxid;
  node.ctime = numbers.ctime;
  node.mtime = numbers.mtime;
  node.ephemeral_owner = numbers.ephemeral_owner;
}

const char* SnapshotReader::link_all() {
  std::vector<Slot> slots(nodes_.size(), no_slot);  // by rank
  for (Slot slot = 0; slot < slots.size(); ++slot) {
    if (std::exchange(slots[ranks_[slot]], slot) != no_slot) {
      return "two znodes have one number";
    }
  }
  nodes_.reserve_links();
  // Backwards, because a node becomes the first of its siblings: lists then run through memory in
  // one direction.
  for (auto slot = static_cast<Slot>(slots.size() - 1); slot != root_slot; --slot) {
    const Slot parent = slots[parents_[slot]];
    if (nodes_[parent].is_ephemeral()) {
      return "an ephemeral znode has children";
    }
    if (!nodes_.link(slot, parent)) {
      return "two children of one znode have the same name";
    }
  }
  return nullptr;
}

std::variant<LoadedSnapshot, std::string> SnapshotReader::finish() && {
  if (!complete_ || !parts_.empty()) {
    return damaged("it ends too early");
  }
  if (!has_root_ || nodes_.size() != header_->node_count) {
    return damaged("it does not have as many znodes as its header says");
  }
  if (const char* why = link_all()) {
    return damaged(why);
  }
  for (const AclId id : acl_ids_) {
    acls_.release(id);
  }
  auto tree = DataTree::restored(std::move(nodes_), std::move(acls_), header_->zxid);
  if (!tree) {
    return damaged("some znodes are their own ancestors");
  }
  if (tree->digest() != header_->digest) {
    return damaged("its digest is not the one in its header");
  }
  return LoadedSnapshot{*std::move(tree), std::move(header_->sessions)};
}

}  // namespace zabfs::replication::tree
