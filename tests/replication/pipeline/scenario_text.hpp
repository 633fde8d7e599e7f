// The language of the scenarios: requests as people write them, and what a client hears as text.
//
//   request                                     options
//   ------------------------------------------  -----------------------------------------------
//   create, create2 PATH                        data=TEXT|null  ephemeral  sequential  flags=N
//                                               acl=open|read|none|world:BITS|SCHEME:ID:BITS
//   container, ttl PATH                         as create, and ttl=MS
//   delete PATH, check PATH                     version=N
//   set PATH                                    data=TEXT|null  version=N
//   get, exists, ls, ls2 PATH                   watch
//   setacl PATH                                 acl=, as create  version=N
//   getacl, sync PATH
//   ephemerals PREFIX, count PATH               (getEphemerals, getAllChildrenNumber)
//   multi REQUEST ; REQUEST ; ...
//   multiread REQUEST ; REQUEST ; ...
//   setwatches, setwatches2                     since=EPOCH.COUNTER  data=  exist=  child=
//                                               (PATH,PATH)  persistent=  recursive=
//   addwatch PATH                               mode=N
//   checkwatches, removewatches PATH            type=N
//   auth SCHEME                                 data=TEXT|null
//   sasl                                        data=TEXT|null
//   reconfig                                    joining=  leaving=  members=  version=N
//   whoami, ping, close
//
// Data is empty unless stated. A path "" is the empty path.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replication/protocol/handshake.hpp"
#include "replication/protocol/requests.hpp"
#include "tests/support/replica_world.hpp"
#include "tests/support/wire_client.hpp"

namespace zabfs::test {

// The words of a command behind its verb: bare words, and key=value.
class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {}

  // The value of `key`; nullopt if it is not there.
  std::optional<std::string> value(const std::string& key) const;
  bool has(const std::string& word) const;
  std::int64_t number(const std::string& key, std::int64_t otherwise) const;

  // The word at `place`, or the words from there on; none beyond the end.
  std::string at(std::size_t place) const;
  std::vector<std::string> from(std::size_t place) const;

 private:
  std::vector<std::string> words_;
};

// The request; nullopt if `verb` is none.
std::optional<replication::protocol::Request> request_of(const std::string& verb,
                                                         const Words& words);

// 1.2 is epoch 1, counter 2.
replication::Zxid zxid_of(const std::string& text);

// One line without its newline.
std::string text_of(const Heard& heard);

}  // namespace zabfs::test
