#include "fusefs/continuity/ledger.hpp"

#include <algorithm>

#include "fusefs/continuity/limits.hpp"

namespace zabfs::fusefs::continuity {

using replication::ByteView;

Ledger::Inherited Ledger::inherit() {
  State state;
  bool makes_sense = true;
  const auto found =
      store_.read([&](ByteView group) { makes_sense = makes_sense && state.apply_group(group); });
  shorten_at_ = std::max(limits::ledger_shortened_bytes, 2 * store_.bytes());
  switch (found) {
    case Store::Found::nothing:
      store_.clear();
      return {};
    case Store::Found::whole:
      if (makes_sense) {
        return {.state = std::move(state)};
      }
      [[fallthrough]];
    case Store::Found::damaged:
      store_.clear();
      return {.problem = "what the process before has written down is damaged"};
    case Store::Found::other_version:
      store_.clear();
      return {.problem = "what the process before has written down is of another version of zabfs"};
    case Store::Found::unreadable:
      break;
  }
  store_.clear();
  return {.problem = "what the process before has written down cannot be read"};
}

void Ledger::write() {
  if (group_.empty() || is_given_up_) {
    return;
  }
  const bool is_due = store_.bytes() + group_.size() > shorten_at_;
  if (!store_.append(group_) || is_due) {
    // What did not fit may fit into the shorter form.
    if (!shorten()) {
      give_up("there is no memory for what a restart would need");
    }
  }
  group_.clear();
}

bool Ledger::shorten() {
  State state;
  bool makes_sense = true;
  const auto found =
      store_.read([&](ByteView group) { makes_sense = makes_sense && state.apply_group(group); });
  if (found != Store::Found::whole || !makes_sense || !state.apply_group(group_) ||
      !store_.replace(state.as_group())) {
    return false;
  }
  shorten_at_ = std::max(limits::ledger_shortened_bytes, 2 * store_.bytes());
  return true;
}

void Ledger::give_up(std::string_view reason) {
  is_given_up_ = true;
  store_.clear();
  on_given_up_(reason);
}

}  // namespace zabfs::fusefs::continuity
