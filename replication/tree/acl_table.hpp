// Every distinct ACL of the tree once, under a number that nodes hold instead of a list.
//
// Numbers are this replica's own: another may number the same lists differently. A list lives as
// long as a node refers to it, and from then on until forget_unused(); its number may then be given
// to another list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "replication/model/acl.hpp"
#include "replication/tree/node.hpp"

namespace zabfs::replication::tree {

class AclTable {
 public:
  AclTable() = default;
  AclTable(AclTable&&) = default;
  AclTable& operator=(AclTable&&) = default;

  // The number of `acl`, with one more reference to it.
  AclId intern(const Acl& acl);

  void add_reference(AclId id) {
    if (rows_[id].references++ == 0) {
      ++size_;
    }
  }
  void release(AclId id);

  // Forgets the lists to which nothing refers any more.
  void forget_unused();

  // Good while there is a reference to it, and until forget_unused() after that.
  const Acl& at(AclId id) const { return *rows_[id].acl; }

  // The same number for equal lists on every replica.
  std::uint64_t hash_of(AclId id) const { return rows_[id].hash; }

  // Above every number in use.
  std::size_t id_limit() const { return rows_.size(); }
  bool contains(AclId id) const { return id < rows_.size() && rows_[id].references > 0; }

  // Lists in use.
  std::size_t size() const { return size_; }

 private:
  struct Row {
    const Acl* acl{};  // null while the number is free; else the key in ids_
    std::uint64_t hash{};
    std::size_t references{};
  };

  std::map<Acl, AclId> ids_{};  // in use, or unused and not forgotten
  std::vector<Row> rows_{};
  std::vector<AclId> unused_{};  // may have come into use again since, and be here twice
  std::size_t size_{};
  std::vector<AclId> free_{};
};

}  // namespace zabfs::replication::tree
