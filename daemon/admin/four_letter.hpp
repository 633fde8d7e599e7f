// Four-letter words: questions of operators and monitoring, answered on the client port as text.
//
//   ruok  are you running           isro  read-only or not       conf  the configuration in effect
//   srvr  a summary                 stat  srvr and the clients   envi  version and machine
//   mntr  numbers for monitoring
//
// The formats are ZooKeeper's, because its tools and every monitoring agent parse them. Only the
// words of the whitelist are answered; the others get the sentence that ZooKeeper says.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replication/replica.hpp"

namespace zabfs::daemon::admin {

struct ClientFacts {
  std::string endpoint{};  // "127.0.0.1:40312"
  bool is_read_from{};
  std::uint64_t unanswered{};
  std::uint64_t received{};
  std::uint64_t sent{};
};

// What there is to tell, at one moment.
struct Facts {
  replication::ReplicaStatus replica{};
  std::vector<ClientFacts> clients{};
  std::string version{};
  std::string host{};
  std::int64_t uptime_ms{};
  bool is_standalone{};  // a server alone, not one of an ensemble
  std::vector<std::pair<std::string, std::string>> configuration{};
};

class FourLetterWords {
 public:
  // The words that are answered; "*" stands for all.
  explicit FourLetterWords(std::vector<std::string> whitelist) : whitelist_(std::move(whitelist)) {}

  // The answer to `word`; nothing if there is no such word. Asks for the facts if it needs them.
  std::optional<std::string> answer(std::string_view word,
                                    const std::function<Facts()>& facts) const;

 private:
  bool is_allowed(std::string_view word) const;

  std::vector<std::string> whitelist_;
};

}  // namespace zabfs::daemon::admin
