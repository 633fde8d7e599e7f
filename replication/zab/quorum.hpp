// Majorities of an ensemble: arithmetic only, without state and without messages.
#pragma once

#include <cstddef>
#include <span>

#include "replication/model/ids.hpp"

namespace zabfs::replication::zab {

// How many of `voters` are a majority (Zab, section 3).
constexpr std::size_t majority_of(std::size_t voters) { return voters / 2 + 1; }

// The newest zxid that a majority has reached, given what each voter has; one element per voter, at
// least one.
Zxid reached_by_majority(std::span<const Zxid> voters);

}  // namespace zabfs::replication::zab
