// Counts over a log: by kind, by session, by second.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "replication/model/ids.hpp"
#include "replication/tree/transaction.hpp"

namespace zabfs::daemon::zabctl {

class LogStatistics {
 public:
  // `bytes` are those of the transaction in the log.
  void count(const replication::tree::Transaction& transaction, std::size_t bytes);

  // Tables; of sessions and seconds only the busiest.
  void print(std::ostream& out) const;

  // Everything.
  boost::json::object to_json() const;

 private:
  struct Sum {
    std::uint64_t transactions{};
    std::uint64_t bytes{};

    void add(std::size_t more) {
      ++transactions;
      bytes += more;
    }
  };

  Sum total_{};
  replication::Zxid first_{};
  replication::Zxid last_{};
  std::map<std::string, Sum> kinds_{};
  std::map<replication::SessionId, Sum> sessions_{};
  std::map<std::int64_t, Sum> seconds_{};  // since 1970
};

}  // namespace zabfs::daemon::zabctl
