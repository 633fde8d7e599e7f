// What clients were told about znodes they made, held against the tree in the end, when nothing is
// under way any more:
//
//   SequenceNumbers     no two sequential creates got the same name, and numbers ascend with zxids
//   Durability          what was acknowledged, and not deleted since, is there, made by that zxid
//   SessionFifo         of the numbered znodes that one connection created one after another, a
//                       beginning without a gap is there, in order
//   EphemeralLife       an ephemeral znode is there exactly if its session is
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "replication/model/ids.hpp"
#include "replication/session/session_table.hpp"
#include "replication/tree/data_tree.hpp"
#include "tests/simulator/checkers/findings.hpp"

namespace zabfs::test {

class AcknowledgedZnodes {
 public:
  explicit AcknowledgedZnodes(Findings& findings) : findings_(findings) {}

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
  struct Created {
    replication::Zxid zxid{};
    replication::SessionId owner{};
  };

  void check_created(const replication::tree::DataTree& tree,
                     const replication::session::SessionTable& sessions);
  void check_numbered(const std::map<std::string, replication::Zxid>& present);

  Findings& findings_;
  std::map<std::string, Created> created_{};
  std::map<std::string, std::map<std::uint64_t, replication::Zxid>> sequences_{};  // by stem
  std::set<std::string> doubtful_{};
};

}  // namespace zabfs::test
