// What clients were told about znodes they made, held against the tree in the end, when nothing is
// under way any more:
//
//   SequenceNumbers     no two sequential creates got the same name, and numbers ascend with zxids
//   Durability          what was acknowledged, and not deleted since, is there, made by that zxid
//   SessionFifo         of the numbered znodes that one connection created one after another, a
//                       beginning without a gap is there, in order
//   EphemeralLife       an ephemeral znode is there exactly if its session is
//
// What a restore has undone is not there, and its names may be given again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "replication/model/ids.hpp"
#include "replication/session/session_table.hpp"
#include "replication/tree/data_tree.hpp"
#include "tests/simulator/checkers/findings.hpp"
#include "tests/simulator/checkers/restorations.hpp"

namespace zabfs::test {

class AcknowledgedZnodes {
 public:
  AcknowledgedZnodes(Findings& findings, const Restorations& restorations)
      : findings_(findings), restorations_(restorations) {}

  // A create was acknowledged. `owner` is 0 for znodes that are not ephemeral.
  void on_created(const std::string& path, replication::Zxid zxid, replication::SessionId owner);

  // The same of a sequential create, whose name is `path`.
  void on_sequential(const std::string& path, replication::Zxid zxid);

  // Somebody asked to delete it; from now on it may be there or not.
  void on_delete_asked(const std::string& path) { doubtful_.insert(path); }

  // The numbered znode `number` of `stem` was asked for; all of a stem by one connection.
  static std::string numbered(const std::string& stem, std::uint64_t number);

  void check(const replication::tree::DataTree& tree,
             const replication::session::SessionTable& sessions);

 private:
  void check_created(const replication::tree::DataTree& tree,
                     const replication::session::SessionTable& sessions);
  void check_numbered(const std::map<std::string, replication::Zxid>& present);

  void check_sequence(const std::string& parent,
                      const std::map<replication::Zxid, std::uint64_t>& numbers);

  Findings& findings_;
  const Restorations& restorations_;
  std::map<std::string, std::map<replication::Zxid, replication::SessionId>> created_{};  // owners
  // The numbers given by one transaction, the last one counts; by parent.
  std::map<std::string, std::map<replication::Zxid, std::uint64_t>> sequences_{};
  std::set<std::string> doubtful_{};
};

}  // namespace zabfs::test
