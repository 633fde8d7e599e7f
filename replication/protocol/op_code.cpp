#include "replication/protocol/op_code.hpp"

#include <algorithm>
#include <array>

namespace zabfs::replication::protocol {
namespace {

enum class Effect { none, transaction };

struct Row {
  OpCode op{};
  std::string_view name{};
  Effect effect{};
};

constexpr Row unknown{{}, "unknown", Effect::none};

// The operations we serve; `check` only inside a multi.
constexpr std::array rows{
    Row{OpCode::create, "create", Effect::transaction},
    Row{OpCode::remove, "delete", Effect::transaction},
    Row{OpCode::exists, "exists", Effect::none},
    Row{OpCode::get_data, "getData", Effect::none},
    Row{OpCode::set_data, "setData", Effect::transaction},
    Row{OpCode::get_acl, "getACL", Effect::none},
    Row{OpCode::set_acl, "setACL", Effect::transaction},
    Row{OpCode::get_children, "getChildren", Effect::none},
    Row{OpCode::sync, "sync", Effect::none},
    Row{OpCode::ping, "ping", Effect::none},
    Row{OpCode::get_children2, "getChildren2", Effect::none},
    Row{OpCode::check, "check", Effect::none},
    Row{OpCode::multi, "multi", Effect::transaction},
    Row{OpCode::create2, "create2", Effect::transaction},
    Row{OpCode::reconfig, "reconfig", Effect::transaction},
    Row{OpCode::check_watches, "checkWatches", Effect::none},
    Row{OpCode::remove_watches, "removeWatches", Effect::none},
    Row{OpCode::create_container, "createContainer", Effect::transaction},
    Row{OpCode::create_ttl, "createTTL", Effect::transaction},
    Row{OpCode::multi_read, "multiRead", Effect::none},
    Row{OpCode::auth, "auth", Effect::none},
    Row{OpCode::set_watches, "setWatches", Effect::none},
    Row{OpCode::sasl, "sasl", Effect::none},
    Row{OpCode::get_ephemerals, "getEphemerals", Effect::none},
    Row{OpCode::get_all_children_number, "getAllChildrenNumber", Effect::none},
    Row{OpCode::set_watches2, "setWatches2", Effect::none},
    Row{OpCode::add_watch, "addWatch", Effect::none},
    Row{OpCode::who_am_i, "whoAmI", Effect::none},
    Row{OpCode::close_session, "closeSession", Effect::transaction},
};

constexpr const Row& row_of(OpCode op) {
  const auto found = std::ranges::find(rows, op, &Row::op);
  return found == rows.end() ? unknown : *found;
}

}  // namespace

std::string_view name_of(OpCode op) { return row_of(op).name; }

bool is_write(OpCode op) { return row_of(op).effect == Effect::transaction; }

}  // namespace zabfs::replication::protocol
