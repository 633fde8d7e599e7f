// Integrity: only what a leader proposed is delivered, with the very bytes it proposed, and a zxid
// is proposed once.
#pragma once

#include <cstdint>
#include <map>

#include "replication/ports/trace.hpp"
#include "tests/simulator/checkers/findings.hpp"

namespace zabfs::test {

class Integrity {
 public:
  explicit Integrity(Findings& findings) : findings_(findings) {}

  void on_trace(replication::ServerId at, const replication::TraceEvent& event) {
    if (const auto* proposed = std::get_if<replication::Proposed>(&event)) {
      if (!proposed_.emplace(proposed->zxid, proposed->digest).second) {
        findings_.add("Integrity", "server ", at, " proposes ", proposed->zxid, " once more");
      }
    } else if (const auto* appended = std::get_if<replication::Appended>(&event)) {
      expect_proposed(at, "appends ", appended->zxid, appended->digest);
    } else if (const auto* delivered = std::get_if<replication::Delivered>(&event)) {
      expect_proposed(at, "delivers ", delivered->zxid, delivered->digest);
    }
  }

 private:
  void expect_proposed(replication::ServerId at, const char* does, replication::Zxid zxid,
                       std::uint64_t digest) {
    const auto found = proposed_.find(zxid);
    if (found == proposed_.end()) {
      findings_.add("Integrity", "server ", at, ' ', does, zxid, ", which nobody proposed");
    } else if (found->second != digest) {
      findings_.add("Integrity", "server ", at, ' ', does, zxid, " with other bytes");
    }
  }

  Findings& findings_;
  std::map<replication::Zxid, std::uint64_t> proposed_{};
};

}  // namespace zabfs::test
