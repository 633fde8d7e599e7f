// How a worker writes things down: entries are collected and appended to the store as one group, so
// that a successor finds all of a group or nothing of it.
//
//   ledger.add(ZnodeHeld{...});    more may follow
//   ledger.write();                now it is safe
//
// When the file has grown to a multiple of what it says, it is replaced by its shortest form. If
// that does not fit either, the ledger gives up: it empties the store, so that a successor begins
// anew instead of with what is no longer true.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "fusefs/continuity/records.hpp"
#include "fusefs/continuity/state.hpp"
#include "fusefs/continuity/store.hpp"
#include "replication/jute/tagged.hpp"
#include "replication/model/bytes.hpp"

namespace zabfs::fusefs::continuity {

class Ledger {
 public:
  // `on_given_up` is called once, with the reason.
  Ledger(Store store, std::function<void(std::string_view)> on_given_up)
      : store_(std::move(store)), on_given_up_(std::move(on_given_up)) {}

  // What the predecessor has written. Nothing and no sentence if there was none; the sentence if it
  // cannot be used, and the ledger is empty then.
  struct Inherited {
    std::optional<State> state{};
    std::string_view problem{};
  };
  Inherited inherit();

  template <class Body>
  void add(const Body& body) {
    if (!is_given_up_) {
      replication::jute::append_alternative<Entry>(group_, body);
    }
  }
  bool has_unwritten() const { return !group_.empty(); }
  void write();

  template <class Body>
  void write(const Body& body) {
    add(body);
    write();
  }

  bool is_given_up() const { return is_given_up_; }

 private:
  bool shorten();
  void give_up(std::string_view reason);

  Store store_;
  std::function<void(std::string_view)> on_given_up_;
  replication::Bytes group_{};
  std::uint64_t shorten_at_{};
  bool is_given_up_{};
};

}  // namespace zabfs::fusefs::continuity
