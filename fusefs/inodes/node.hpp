// A znode as the mount knows it, and whether it is shown as a file or as a directory.
//
// The rule: a directory if the data is null or if there has ever been a child (cversion is not 0),
// and not ephemeral; the root always; everything else is a file. Null data is what `mkdir` creates,
// empty data what `touch` creates. A Stat does not tell the two apart (its length is 0 for both),
// so a node says whether it is known.
#pragma once

#include <cstddef>
#include <cstdint>

#include "replication/model/stat.hpp"

namespace zabfs::fusefs::inodes {

enum class DataKind {
  unknown,  // no bytes; null or empty
  null,
  present,  // bytes, or none
};

struct Node {
  replication::Stat stat{};
  DataKind data{};
  std::size_t text_size{};  // of the views whose text no Stat tells of; 0 for all others

  bool operator==(const Node&) const = default;
};

enum class Kind { file, directory };

// True if the Stat alone decides the kind.
inline bool decides_kind(const replication::Stat& stat) {
  return stat.data_length > 0 || stat.cversion != 0 || stat.ephemeral_owner != 0;
}

// The kind of a znode other than the root, whose data is known or whose Stat decides.
inline Kind kind_of(const Node& node) {
  if (node.stat.ephemeral_owner != 0) {
    return Kind::file;
  }
  return node.stat.cversion != 0 || node.data == DataKind::null ? Kind::directory : Kind::file;
}

}  // namespace zabfs::fusefs::inodes
