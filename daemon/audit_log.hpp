// The audit as lines of text, in ZooKeeper's format: fields with tabs between them.
//
//   session=0x100000100000001  user=bob,10.0.0.7  ip=10.0.0.7  operation=create  znode=/a
//       znode_type=persistent  result=success
//
// They go to a file of their own, whole lines at its end, or else to standard
// error.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "replication/ports/audit.hpp"

namespace spdlog {
class logger;
}

namespace zabfs::daemon {

class AuditLog : public replication::Audit {
 public:
  // To standard error, whatever the level of the log.
  AuditLog();

  // Writes to `file` from here on. A sentence if it cannot be written.
  std::optional<std::string> open(const std::string& file);

  void record(const replication::AuditEvent& event) override;

 private:
  std::shared_ptr<spdlog::logger> logger_;
  const std::string server_user_;  // who this process is
};

// The event as one line, without time. Who this process is stands in for a client where there is
// none.
std::string to_text(const replication::AuditEvent& event, const std::string& server_user);

}  // namespace zabfs::daemon
