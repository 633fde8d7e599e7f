#include "fusefs/mount/succession.hpp"

#include <spdlog/spdlog.h>

#include <ctime>
#include <utility>

namespace zabfs::fusefs::mount {
namespace {

// Handles that the kernel knows of an unknown predecessor have smaller numbers than these: no mount
// opens so many files in a second.
std::uint64_t handles_begin() {
  constexpr unsigned handles_per_second_bits = 24;
  return static_cast<std::uint64_t>(std::time(nullptr)) << handles_per_second_bits;
}

}  // namespace

Succession::Succession(supervisor::Link from_supervisor)
    : link(std::move(from_supervisor)),
      ledger(continuity::Store(link.ledger[0], link.ledger[1]), [](std::string_view reason) {
        spdlog::error("a restart would have to begin anew: {}", reason);
      }) {
  auto found = ledger.inherit();
  if (link.device < 0 || link.init.empty()) {
    return;
  }
  is_partial = !found.state;
  inherited = found.state ? std::move(*found.state) : continuity::State{};
  inherited->beginning.init.assign(link.init.begin(), link.init.end());
  if (is_partial) {
    spdlog::error(
        "{}: files that were open answer an error, and the session is another one",
        found.problem.empty() ? "the process before has written down nothing" : found.problem);
    inherited->last_handle = handles_begin();
    ledger.write(inherited->beginning);
  }
}

}  // namespace zabfs::fusefs::mount
