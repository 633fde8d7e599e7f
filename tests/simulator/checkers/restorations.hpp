// What the restores of an ensemble have made of its history: a restore sets the state to what it
// was at an earlier moment, so what happened in between has happened, and cannot be seen any more.
#pragma once

#include <map>
#include <variant>

#include "replication/model/ids.hpp"
#include "replication/ports/trace.hpp"

namespace zabfs::test {

class Restorations {
 public:
  void on_trace(const replication::TraceEvent& event) {
    if (const auto* restored = std::get_if<replication::StateRestored>(&event)) {
      restored_.emplace(restored->zxid, restored->snapshot);
    }
  }

  std::size_t count() const { return restored_.size(); }

  // Whether the state behind transaction `at` has what transaction `made_by` did, unless something
  // else undid it.
  bool is_visible(replication::Zxid made_by, replication::Zxid at) const {
    auto restored = restored_.upper_bound(at);
    while (restored != restored_.begin()) {
      --restored;
      if (made_by > restored->first) {
        break;
      }
      at = restored->second;
      restored = restored_.upper_bound(at);
    }
    return made_by <= at;
  }

 private:
  std::map<replication::Zxid, replication::Zxid> restored_{};  // and the moment they went back to
};

}  // namespace zabfs::test
