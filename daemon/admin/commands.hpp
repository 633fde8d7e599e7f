// The commands of ZooKeeper's AdminServer: /commands/NAME answers with JSON.
//
// Every answer has "command", the command's first name, and "error", null or a sentence. A list of
// more than limits::operator_entries_max entries is refused with such a sentence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "daemon/admin/http_server.hpp"
#include "daemon/admin/state_transfer.hpp"
#include "daemon/admin/subject.hpp"

namespace zabfs::daemon::admin {

class Commands {
 public:
  // `url` is where the commands are: "/commands".
  explicit Commands(std::string url, const StateTransferOptions& transfer = {})
      : url_(std::move(url)), transfer_(transfer) {}

  // How many bytes the body of a request with this head may have, or a refusal.
  std::variant<std::uint64_t, HttpReply> admit(const HttpRequest& head, const Subject& subject);

  // Answers what was admitted; a snapshot once it is on the disk.
  void answer(const HttpRequest& request, Subject& subject, HttpServer::Respond respond);

 private:
  std::string index() const;
  HttpReply answer_at_once(const HttpRequest& request, Subject& subject);
  std::optional<StateTransfer::Command> transfer_of(const HttpRequest& request) const;

  std::string url_;
  StateTransfer transfer_;
  std::int64_t trace_mask_{0x132};  // ZooKeeper's; it means nothing here
};

}  // namespace zabfs::daemon::admin
