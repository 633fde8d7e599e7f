// A snapshot in the place of everything a server has, while no replica runs on its disk.
//
//   read_state      checks a snapshot from its first byte to its last, and builds the state
//        |
//   replace_state   writes it beside the old history, whole and synced
//        |          then the epochs file names it: from here on a start finds the new state,
//        |          before, the old one; no crash leaves anything between
//   the new history
//
// The new history begins in an epoch of its own, above every epoch the server has ever promised
// anything about and above that of the snapshot: its zxids are higher than any that a client has
// seen, so clients may come back, and sessions of the snapshot go on.
//
// Only for a server alone. The others of an ensemble would not know of it.
#pragma once

#include <functional>
#include <string>
#include <variant>

#include "replication/model/bytes.hpp"
#include "replication/model/ids.hpp"
#include "replication/ports/disk.hpp"
#include "replication/session/session_table.hpp"
#include "replication/tree/data_tree.hpp"

namespace zabfs::replication {

struct RestorableState {
  tree::DataTree tree{};
  session::SessionTable sessions{};
};

// What the bytes of a snapshot file hold, or a sentence about what is wrong with them. Safe on any
// bytes.
std::variant<RestorableState, std::string> read_state(ByteView file);

// Makes `state` what a start finds on the disk, and returns its zxid; or a sentence, if the disk
// cannot be trusted, and then nothing has changed. What the ensemble's configuration says is the
// server's own business, so the data of /zookeeper/config becomes empty. `await` blocks until the
// disk has done more, and returns the last ticket that is done.
std::variant<Zxid, std::string> replace_state(Disk& disk, RestorableState state,
                                              const std::function<Ticket()>& await);

}  // namespace zabfs::replication
