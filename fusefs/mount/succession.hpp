// What a worker has of the one before: the way to the supervisor, the ledger, and what stands in
// it.
#pragma once

#include <optional>

#include "fusefs/continuity/ledger.hpp"
#include "fusefs/continuity/state.hpp"
#include "fusefs/supervisor/link.hpp"

namespace zabfs::fusefs::mount {

struct Succession {
  explicit Succession(supervisor::Link from_supervisor);
  Succession(const Succession&) = delete;
  Succession& operator=(const Succession&) = delete;

  supervisor::Link link;
  continuity::Ledger ledger;
  // Of the mount that is there; nothing if it has yet to be made.
  std::optional<continuity::State> inherited{};
  // The ledger could not be used: which requests had begun a change is not known, and files that
  // were open are not either.
  bool is_partial{};
};

}  // namespace zabfs::fusefs::mount
