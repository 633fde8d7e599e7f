// Four-letter words: questions of operators and monitoring, answered on the client port as text.
//
//   ruok  are you running          isro  read-only or not        conf  the configuration in effect
//   srvr  a summary                stat  srvr and the clients    envi  version and machine
//   cons  the clients in detail    dump  sessions, ephemerals    dirs  bytes on the disk
//   mntr  numbers for monitoring   wchs  watches, in numbers     hash  digests of the state
//   wchc  watches by session       wchp  watches by path         crst, srst  begin to count anew
//   gtmk, stmk  ZooKeeper's trace mask, which means nothing here
//
// The formats are ZooKeeper's, because its tools and every monitoring agent parse them. Only srvr
// and the words of the whitelist are answered; the others get the sentence that ZooKeeper says. No
// answer lists more than limits::operator_entries_max connections or sessions, or as many watches
// times five: beyond that a sentence says so, because the loop would stand still for the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

class FourLetterWords {
 public:
  // The words that are answered besides srvr; "*" stands for all.
  explicit FourLetterWords(std::vector<std::string> whitelist) : whitelist_(std::move(whitelist)) {}

  // The answer to what a connection has begun with: the word is the first four bytes. Nothing if
  // that is no word. Asks the subject only if it needs to.
  std::optional<std::string> answer(std::string_view beginning, Subject& subject);

 private:
  bool is_allowed(std::string_view word) const;
  std::string set_trace_mask(std::string_view mask);

  std::vector<std::string> whitelist_;
  std::int64_t trace_mask_{0x132};  // ZooKeeper's
};

}  // namespace zabfs::daemon::admin
