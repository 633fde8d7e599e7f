// The door to the audit: who asked for which change, and what came of it.
//
// Unlike the diary it is for people who must answer for what was done, so it says who: every
// identity of the client, but never the hash of a password.
#pragma once

#include <string>
#include <string_view>

#include "replication/model/ids.hpp"

namespace zabfs::replication {

enum class AuditResult { success, failure, invoked };

// In the words of ZooKeeper's audit. What is empty does not apply.
struct AuditEvent {
  SessionId session{};
  std::string users{};    // what the client has shown, with commas; empty: the server itself acts
  std::string address{};  // of the client
  std::string_view operation{};  // good for ever, as the type is
  std::string znode{};
  std::string_view znode_type{};  // of one that is created
  std::string acl{};              // that is set
  AuditResult result{};
};

class Audit {
 public:
  virtual ~Audit() = default;

  virtual void record(const AuditEvent& event) = 0;
};

}  // namespace zabfs::replication
