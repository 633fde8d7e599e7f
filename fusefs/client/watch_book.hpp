// Which watches the server holds for this client, so that the next server can be given them.
//
//   request that succeeded        recorded as
//   ---------------------------   -----------
//   getData, exists               data
//   exists that found no znode    exist
//   getChildren, getChildren2     child
//   addWatch                      persistent, or recursive
//   removeWatches                 no more, for the kinds that it names
//
// One per path and kind, however often it was set: the server keeps one too. Paths are the server's
// (with the chroot in front).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "replication/model/error_code.hpp"
#include "replication/protocol/requests.hpp"
#include "replication/protocol/responses.hpp"

namespace zabfs::fusefs::client {

class WatchBook {
 public:
  // The request was answered with `outcome` (ok, or the error).
  void record(const replication::protocol::Request& request, replication::ErrorCode outcome);

  // The one-shot watches that `type` at `path` fires are gone. False if there was none of any kind:
  // a znode that was deleted while the client was away is reported once for each kind, and only the
  // first counts.
  bool fire(replication::protocol::EventType type, const std::string& path);

  // Forgets the one-shot watches of paths for which `is_needed` says no.
  void keep(const std::function<bool(const std::string&)>& is_needed);

  // Everything recorded, as requests that a new connection must begin with. Each is below the
  // largest frame a server takes: setWatches, or setWatches2 where there are watches that stay,
  // which servers before ZooKeeper 3.6 do not know.
  std::vector<replication::protocol::Request> batches(std::int64_t relative_zxid) const;

  std::size_t size() const {
    return data_.size() + exist_.size() + child_.size() + persistent_.size() + recursive_.size();
  }

 private:
  using Paths = std::unordered_set<std::string>;

  void record_removal(const std::string& path, std::int32_t type);
  bool is_below_recursive(std::string_view path) const;

  Paths data_;
  Paths exist_;
  Paths child_;
  Paths persistent_;
  Paths recursive_;
};

// The path `request` asks to watch, once or for longer; nullptr if it asks for no watch.
const std::string* watched_path(const replication::protocol::Request& request);

}  // namespace zabfs::fusefs::client
